// Draws the charts of the page from the data beside it. No network, no storage; names are only ever text.
(function () {
  "use strict";
  const page = JSON.parse(document.getElementById("data").textContent);
  // Okabe and Ito's colours, distinguishable with any colour vision; patterns (decals) tell them apart in grey.
  const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c8c8c", "#a8a200", "#6a5acd", "#7f4f24"];
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const three = (x) => (x === null || x === undefined ? "—" : Math.abs(x) >= 1000 && Math.abs(x) < 1e6 ? String(Math.round(x))
    : Number(x).toPrecision(3).replace(/e\+?(-?\d+)/, "·10^$1"));
  const plain = (s) => echarts.format.encodeHTML(String(s));

  function axes(unit) {
    return { type: "value", name: unit, nameTextStyle: { color: css("--soft") }, axisLabel: { color: css("--soft") },
      splitLine: { lineStyle: { color: css("--line") } } };
  }
  const labels = () => ({ color: css("--soft") });
  // Bands only stack along a time axis, so seconds are drawn as milliseconds of one.
  const ms = (points) => points.map((p) => [p[0] * 1000, p[1]]);
  // Runs of up to an hour are read in seconds, longer ones in hours and minutes since the start.
  const two = (x) => String(x).padStart(2, "0");
  const clock = (s) => Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60);
  const exact = (s, d) => (d.duration_s > 3600 ? clock(s) + ":" + two(Math.floor(s) % 60) + " h" : s.toFixed(2) + " s");
  const seconds = (d) => ({ type: "time", name: d.duration_s > 3600 ? "h:mm" : "s", min: 0, max: d.duration_s * 1000, splitLine: { show: false },
    axisLabel: Object.assign(labels(), { formatter: (v) => (d.duration_s > 3600 ? clock(v / 1000) : String(v / 1000)), hideOverlap: true }),
    axisPointer: { label: { formatter: (p) => exact(p.value / 1000, d) } } });

  const at = (unit, d) => (items) => exact(items[0].value[0] / 1000, d) + items.map((i) => "<br>" + i.marker
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
      return { tooltip: { trigger: "axis", formatter: at("W", d) }, legend: { textStyle: labels(), type: "scroll" },
        grid: { left: 60, right: 20, top: 52, bottom: 70 }, dataZoom: [{ type: "inside" }, { type: "slider", height: 18, bottom: 12 }],
        xAxis: seconds(d), yAxis: axes("W"), series };
    },
    sankey(d, wide) {
      return { tooltip: { trigger: "item", formatter: (p) => p.dataType === "edge"
          ? plain(p.data.source.slice(2)) + " → " + plain(p.data.target.slice(2)) + ": " + three(p.data.value) + " J"
          : plain(p.name.slice(2)) + ": " + three(p.value) + " J" },
        series: [{ type: "sankey", data: d.nodes.map((n) => ({ name: n })), links: d.links, nodeAlign: "left", nodeGap: wide ? 15 : 12, right: wide ? 170 : 110,
          emphasis: { focus: "adjacency" }, lineStyle: { color: "gradient", opacity: 0.35 },
          label: { color: css("--ink"), fontSize: wide ? 12 : 10, width: wide ? 160 : 76, overflow: "truncate", formatter: (p) => p.name.slice(2) } }] };
    },
    // Horizontal bars with a whisker from low to high, and a diamond where the truth is known (demo).
    whiskers(d, wide) {
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
        series.push({ type: "scatter", name: d.other || "truth (simulated)", symbol: "diamond", symbolSize: 10, z: 6, itemStyle: { color: COLOURS[5] },
          data: rows.map((r, i) => [r.truth, i]).filter((p) => p[0] !== null && p[0] !== undefined) });
      }
      return { tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, formatter: (items) => {
            const r = rows[items[0].dataIndex];
            return plain(r.name) + "<br>" + three(r.value) + " " + plain(d.unit) + "  (" + three(r.low) + " … " + three(r.high) + ")"
              + (r.truth === null || r.truth === undefined ? "" : "<br>" + plain(d.other || "truth") + " " + three(r.truth) + " " + plain(d.unit)); } },
        legend: { textStyle: labels(), type: "scroll" }, grid: { left: 8, right: 48, top: 34, bottom: 30, containLabel: true },
        xAxis: axes(d.unit), yAxis: { type: "category", data: rows.map((r) => r.name), axisLabel: { color: css("--ink"), width: wide ? 190 : 110, overflow: "truncate" } }, series };
    },
    // Level and charge over time, chargers shaded; under them a lane of bars for each state, on the same clock.
    drain(d) {
      const lanes = d.lanes.map((l) => l.name), high = 24 * lanes.length, top = 40, curve = 200, below = top + curve + 34;
      const bars = [];
      d.lanes.forEach((lane, k) => lane.bars.forEach((b) => bars.push([b[0] * 1000, b[1] * 1000, k, b[2], b[3]])));
      const axis = (grid, shown) => Object.assign(seconds(d), { gridIndex: grid, position: "bottom",
        axisLabel: Object.assign(seconds(d).axisLabel, { show: shown }), name: shown ? seconds(d).name : "", axisTick: { show: shown } });
      const colour = (lane, name) => (name < 0 ? COLOURS[lane % 7] : name < 7 ? COLOURS[name] : "#8c8c8c");
      const on = (s) => d.lanes.filter((l) => l.bars.some((b) => b[0] <= s && s < b[1])).map((l) => {
        const b = l.bars.find((x) => x[0] <= s && s < x[1]);
        return plain(l.name) + (b[3] >= 0 ? " <b>" + plain(l.names[b[3]]) + "</b>" : "") + (b[2] < 1 ? " (" + Math.round(100 * b[2]) + " % of it)" : ""); });
      const last = (points, s) => { let v = null; for (const p of points) { if (p[0] > s) break; v = p[1]; } return v; };
      const shade = { silent: true, itemStyle: { color: css("--soft"), opacity: 0.14 }, data: d.plugged.map((p) => [{ xAxis: p[0] * 1000 }, { xAxis: p[1] * 1000 }]) };
      const series = [{ type: "line", name: "level", step: "end", showSymbol: false, data: ms(d.level), lineStyle: { width: 2 }, markArea: shade }];
      if (d.charge.length > 1) series.push({ type: "line", name: "charge", yAxisIndex: 1, showSymbol: false, data: ms(d.charge), lineStyle: { width: 1.4, type: "dashed" } });
      series.push({ type: "custom", name: "states", xAxisIndex: 1, yAxisIndex: 2, data: bars, encode: { x: [0, 1], y: 2 }, clip: true, progressive: 0,
        renderItem: (params, api) => {
          const a = api.coord([api.value(0), api.value(2)]), b = api.coord([api.value(1), api.value(2)]), h = 14;
          const shape = echarts.graphic.clipRectByRect({ x: a[0], y: a[1] - h / 2, width: Math.max(b[0] - a[0], 0.8), height: h }, params.coordSys);
          return shape && { type: "rect", shape, style: { fill: colour(api.value(2), api.value(4)), opacity: 0.15 + 0.85 * api.value(3) } };
        } });
      return { useUTC: true, legend: { data: d.charge.length > 1 ? ["level", "charge"] : ["level"], textStyle: labels() },
        axisPointer: { link: [{ xAxisIndex: "all" }] },
        tooltip: { trigger: "axis", confine: true, formatter: (items) => {
          const s = items[0].axisValue / 1000, level = last(d.level, s), charge = last(d.charge, s);
          return exact(s, d) + (level === null ? "" : "<br>level <b>" + level + " %</b>") + (charge === null || d.charge.length < 2 ? "" : "<br>charge <b>" + charge + " mAh</b>")
            + on(s).map((t) => "<br>" + t).join(""); } },
        grid: [{ left: 130, right: 64, top, height: curve }, { left: 130, right: 64, top: below, height: high }],
        xAxis: [axis(0, false), axis(1, true)],
        yAxis: [Object.assign(axes("%"), { max: 100, min: (v) => Math.max(0, Math.floor((v.min - 2) / 10) * 10) }),
          Object.assign(axes("mAh"), { show: d.charge.length > 1, scale: true, splitLine: { show: false } }),
          { type: "category", gridIndex: 1, inverse: true, data: lanes, axisTick: { show: false }, axisLine: { show: false },
            axisLabel: { color: css("--ink"), width: 120, overflow: "truncate" }, splitLine: { show: true, interval: 0, lineStyle: { color: css("--line") } } }],
        dataZoom: [{ type: "inside", xAxisIndex: [0, 1] }, { type: "slider", xAxisIndex: [0, 1], height: 18, bottom: 6, showDataShadow: false }], series };
    },
    lines(d) {
      return { tooltip: { trigger: "axis", formatter: at(d.unit, d) }, legend: { textStyle: labels(), type: "scroll" },
        grid: { left: 60, right: 20, top: 52, bottom: 40 },
        xAxis: seconds(d), yAxis: axes(d.unit),
        series: d.series.map((s, i) => ({ name: s.name, type: "line", showSymbol: false, data: ms(s.points),
          lineStyle: { width: 1.4, type: i ? "dashed" : "solid" } })) };
    },
  };

  const NARROW = 600;
  const drawn = [];
  let printing = false, width = 0;
  function draw() {
    drawn.splice(0).forEach((c) => c.dispose());
    for (const chart of page.charts) {
      const place = document.getElementById(chart.id);
      if (!place) continue;
      const option = KINDS[chart.kind](chart.data, place.clientWidth >= NARROW);
      if (printing) delete option.dataZoom;  // nobody drags on paper
      const c = echarts.init(place, dark.matches && !printing ? "dark" : null, { renderer: "canvas", devicePixelRatio: printing ? 3 : window.devicePixelRatio });
      c.setOption(Object.assign({ useUTC: true, backgroundColor: "transparent", color: COLOURS, animation: false,
        aria: { enabled: true, decal: { show: chart.kind === "stack" }, label: { description: chart.title + ". " + chart.question } } },
        option));
      drawn.push(c);
    }
    width = document.documentElement.clientWidth;
    document.documentElement.dataset.drawn = String(drawn.length);
  }
  draw();
  dark.addEventListener("change", draw);
  window.addEventListener("resize", () => {
    const now = document.documentElement.clientWidth;
    if ((now < NARROW) !== (width < NARROW)) draw();
    else drawn.forEach((c) => c.resize());
  });
  // Paper is white and cannot be clicked: pictures in dark ink, folded tables open.
  const folded = [];
  function onPaper(on) {
    printing = on;
    document.documentElement.classList.toggle("paper", on);
    if (on) document.querySelectorAll("details:not([open])").forEach((d) => { d.open = true; folded.push(d); });
    else folded.splice(0).forEach((d) => { d.open = false; });
    draw();
  }
  window.addEventListener("beforeprint", () => onPaper(true));
  window.addEventListener("afterprint", () => onPaper(false));
})();
