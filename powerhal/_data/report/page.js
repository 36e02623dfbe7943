// Draws the charts of the page from the data beside it. No network, no storage; names are only ever text.
(function () {
  "use strict";
  const page = JSON.parse(document.getElementById("data").textContent);
  // Okabe and Ito's colours, distinguishable with any colour vision; patterns (decals) tell them apart in grey.
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c", "#a8a200", "#6a5acd", "#7f4f24"];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const three = (x) => (x === null || x === undefined ? "—" : Number(x).toPrecision(3).replace(/e\+?(-?\d+)/, "·10^$1"));
  const plain = (s) => echarts.format.encodeHTML(String(s));

  function axes(unit) {
    return { type: "value", name: unit, nameTextStyle: { color: css("--soft") }, axisLabel: { color: css("--soft") },
      splitLine: { lineStyle: { color: css("--line") } } };
  }
  const labels = () => ({ color: css("--soft") });
  // Bands only stack along a time axis, so seconds are drawn as milliseconds of one.
  const ms = (points) => points.map((p) => [p[0] * 1000, p[1]]);
  const seconds = (d) => ({ type: "time", name: "s", min: 0, max: d.duration_s * 1000, splitLine: { show: false },
    axisLabel: Object.assign(labels(), { formatter: (v) => String(v / 1000), hideOverlap: true }),
    axisPointer: { label: { formatter: (p) => (p.value / 1000).toFixed(2) + " s" } } });

  const at = (unit) => (items) => (items[0].value[0] / 1000).toFixed(2) + " s" + items.map((i) => "<br>" + i.marker
    + plain(i.seriesName) + "  <b>" + three(i.value[1]) + " " + plain(unit) + "</b>").join("");

  const KINDS = {
    // Power over time, one band per rail; the measured total as a line on top.
    stack(d) {
      const series = d.series.map((s) => ({ name: s.name, type: "line", step: false, showSymbol: false, stack: s.line ? undefined : "rails",
        areaStyle: s.line ? undefined : { opacity: 0.85 }, lineStyle: { width: s.line ? 1.2 : 0, color: s.line ? css("--ink") : undefined },
        itemStyle: s.line ? { color: css("--ink") } : undefined, data: ms(s.points), z: s.line ? 5 : 2 }));
      if (series.length && d.marks.length) {
        series[0].markLine = { silent: true, symbol: "none", label: { formatter: "{b}", color: css("--soft") },
          lineStyle: { type: "dashed", color: css("--soft") }, data: d.marks.map((m) => ({ name: m.name, xAxis: m.t * 1000 })) };
      }
      return { tooltip: { trigger: "axis", formatter: at("W") }, legend: { textStyle: labels(), type: "scroll" },
        grid: { left: 60, right: 20, top: 40, bottom: 70 }, dataZoom: [{ type: "inside" }, { type: "slider", height: 18, bottom: 12 }],
        xAxis: seconds(d), yAxis: axes("W"), series };
    },
    sankey(d) {
      return { tooltip: { trigger: "item", formatter: (p) => p.dataType === "edge"
          ? plain(p.data.source.slice(2)) + " → " + plain(p.data.target.slice(2)) + ": " + three(p.data.value) + " J"
          : plain(p.name.slice(2)) + ": " + three(p.value) + " J" },
        series: [{ type: "sankey", data: d.nodes.map((n) => ({ name: n })), links: d.links, nodeAlign: "left", nodeGap: 9, right: 170,
          emphasis: { focus: "adjacency" }, lineStyle: { color: "gradient", opacity: 0.35 },
          label: { color: css("--ink"), formatter: (p) => p.name.slice(2) } }] };
    },
    // Horizontal bars with a whisker from low to high, and a diamond where the truth is known (demo).
    whiskers(d) {
      const rows = d.rows.slice().reverse();
      const series = [
        { type: "bar", name: d.what, barMaxWidth: 18, data: rows.map((r) => r.value), itemStyle: { color: COLOURS[0] } },
        { type: "custom", name: "90 % interval", itemStyle: { color: css("--ink") }, encode: { x: [0, 1], y: 2 }, z: 5,
          data: rows.map((r, i) => [r.low, r.high, i]),
          renderItem: (params, api) => {
            if (isNaN(api.value(0))) return null;
            const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]), h = 5;
            const style = { stroke: css("--ink"), lineWidth: 1.4, fill: "none" };
            return { type: "group", children: [[a[0], a[1], b[0], b[1]], [a[0], a[1] - h, a[0], a[1] + h], [b[0], b[1] - h, b[0], b[1] + h]]
              .map((l) => ({ type: "line", shape: { x1: l[0], y1: l[1], x2: l[2], y2: l[3] }, style })) };
          } }];
      if (rows.some((r) => r.truth !== null && r.truth !== undefined)) {
        series.push({ type: "scatter", name: "truth (simulated)", symbol: "diamond", symbolSize: 10, z: 6, itemStyle: { color: COLOURS[5] },
          data: rows.map((r, i) => [r.truth, i]).filter((p) => p[0] !== null && p[0] !== undefined) });
      }
      return { tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: (items) => {
            const r = rows[items[0].dataIndex];
            return plain(r.name) + "<br>" + three(r.value) + " " + plain(d.unit) + "  (" + three(r.low) + " … " + three(r.high) + ")"
              + (r.truth === null || r.truth === undefined ? "" : "<br>truth " + three(r.truth) + " " + plain(d.unit)); } },
        legend: { textStyle: labels() }, grid: { left: 8, right: 30, top: 34, bottom: 30, containLabel: true },
        xAxis: axes(d.unit), yAxis: { type: "category", data: rows.map((r) => r.name), axisLabel: { color: css("--ink"), width: 190, overflow: "truncate" } }, series };
    },
    lines(d) {
      return { tooltip: { trigger: "axis", formatter: at(d.unit) }, legend: { textStyle: labels() },
        grid: { left: 60, right: 20, top: 40, bottom: 40 },
        xAxis: seconds(d), yAxis: axes(d.unit),
        series: d.series.map((s, i) => ({ name: s.name, type: "line", showSymbol: false, data: ms(s.points),
          lineStyle: { width: 1.4, type: i ? "dashed" : "solid" } })) };
    },
  };

  const drawn = [];
  function draw() {
    drawn.splice(0).forEach((c) => c.dispose());
    for (const chart of page.charts) {
      const place = document.getElementById(chart.id);
      if (!place) continue;
      const c = echarts.init(place, dark.matches ? "dark" : null, { renderer: "canvas" });
      c.setOption(Object.assign({ backgroundColor: "transparent", color: COLOURS, animation: false,
        aria: { enabled: true, decal: { show: chart.kind === "stack" }, label: { description: chart.title + ". " + chart.question } } },
        KINDS[chart.kind](chart.data)));
      drawn.push(c);
    }
    document.documentElement.dataset.drawn = String(drawn.length);
  }
  draw();
  dark.addEventListener("change", draw);
  window.addEventListener("resize", () => drawn.forEach((c) => c.resize()));
})();
