"""One HTML file that opens anywhere, offline: pictures, a table under each, where every number comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import powerhal
from powerhal.recording import Recording
from powerhal.report import charts
from powerhal.report.charts import Chart
from powerhal.units import format_quantity

if TYPE_CHECKING:
    from powerhal.attribution.ledger import Ledger

Json = dict[str, Any]


def render(recording: Recording, document: Json, *, truth: Mapping[tuple[str, str], float] | None = None) -> str:
    """The whole page as text.

    `document` is `document_of(ledger)` (or a dict without rows when nothing could be attributed: then only what was
    measured is shown and `document["refused"]` says why). `truth` maps (kind, name) to joules for simulated boards.
    """
    document = _with_truth(document, truth)
    drawn = [c for c in _charts(recording, document) if c]
    board = recording.topology
    head = f"<h1>{escape(board.title or board.board)}</h1>\n<p class=lead>{escape(_lead(recording, document))}</p>"
    body = [head, _figures(document), *_sayings(document), *map(section, drawn), _provenance(recording, document)]
    return page(f"{board.board}: where the energy went", body, drawn)


def document_of(ledger: Ledger) -> Json:
    """The document that `render` draws: rows of every kind, programs that started many times as one row each."""
    document = ledger.to_dict()
    rows = [row for row in document["rows"] if row["kind"] != "process"]
    people = [row for row in ledger.to_dict("process")["rows"] if row["kind"] == "process"]
    return document | {"rows": [*rows, *people]}


def page(title: str, body: Sequence[str], drawn: Sequence[Chart]) -> str:
    """One whole file: title, parts of the body (HTML, already escaped) and the charts whose places are in it."""
    data = {
        "charts": [
            {"id": c.id, "kind": c.kind, "title": c.title, "question": c.question, "data": c.data} for c in drawn
        ]
    }
    return _PAGE.format(
        title=escape(title),
        css=_asset("report/page.css"),
        body="\n".join(body),
        data=_script_safe(json.dumps(data, allow_nan=False, separators=(",", ":"))),
        echarts=_asset("echarts/echarts.min.js"),
        script=_asset("report/page.js"),
    )


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<main>
{body}
</main>
<script type="application/json" id="data">{data}</script>
<script>{echarts}</script>
<script>
{script}</script>
</body>
</html>
"""


SHORT = 6  # rows of a table that stays on one sheet when it is printed
PROCESSES = "processes", "Energy per process", "Who used it, and how sure is that?"
DEVICES = "devices", "Energy per device", "What used it? Idle and unattributed have rows of their own."


def _charts(recording: Recording, document: Json) -> list[Chart | None]:
    out = [charts.rails_over_time(recording, document)]
    if not document.get("rows"):
        return out
    return [
        *out,
        charts.sankey(recording, document),
        charts.energies(document, ("process",), PROCESSES),
        charts.energies(document, ("device", "idle", "unattributed", "group"), DEVICES),
        charts.coefficients(document),
        charts.fit(document),
    ]


def _with_truth(document: Json, truth: Mapping[tuple[str, str], float] | None) -> Json:
    if not truth:
        return document
    rows = [{**r, "truth_j": truth.get((r["kind"], r["name"]))} for r in document.get("rows", [])]
    return {**document, "rows": rows}


def _lead(recording: Recording, document: Json) -> str:
    started = "" if recording.meta.get("simulated") else _utc(recording.meta.get("started") or {})
    command = recording.meta.get("command", "")
    parts = [
        f"{recording.duration_s:.1f} s",
        f"recorded {started}" if started else "",
        f"command {command}" if command else "",
    ]
    parts += [f"idle policy: {document['policy']}" if document.get("policy") else ""]
    return " · ".join(p for p in parts if p)


def _utc(moment: Mapping[str, int]) -> str:
    if "real_ns" not in moment:
        return ""
    return f"{datetime.fromtimestamp(moment['real_ns'] // 10**9, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def _figures(document: Json) -> str:
    if not document.get("rows"):
        return ""
    total = document["total"]
    seconds = total["duration_s"] or 1.0
    by_kind: dict[str, float] = {}
    for row in document["rows"]:
        by_kind[row["kind"]] = by_kind.get(row["kind"], 0.0) + row["energy_j"]
    own = [r for r in document["rows"] if r.get("self")]
    half = (total["high_j"] - total["low_j"]) / 2
    cells = [
        (format_quantity(total["energy_j"], "J"), f"measured, ±{format_quantity(half, 'J')} (90 %)"),
        (format_quantity(total["energy_j"] / seconds, "W"), "mean power"),
        (format_quantity(by_kind.get("idle"), "J"), "idle floor"),
        (format_quantity(by_kind.get("unattributed"), "J"), "unattributed"),
        (format_quantity(sum(r["energy_j"] for r in own) if own else None, "J"), "powerhal itself"),
    ]
    if total.get("gco2e") is not None:
        cells.append(
            (
                _grams(total["gco2e"]),
                f"CO2e, {_grams(total.get('gco2e_low'))} to {_grams(total.get('gco2e_high'))}",
            )
        )
    return figures(cells)


def _grams(value: float | None) -> str:
    return format_quantity(value, "g")


def figures(cells: Sequence[tuple[str, str]]) -> str:
    """Boxes of a large value and the words under it."""
    inner = "".join(f"<div class=figure><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in cells)
    return f"<div class=figures>{inner}</div>"


def _sayings(document: Json) -> list[str]:
    texts = list(document.get("notes", []))
    if document.get("refused"):
        texts.insert(0, f"Nothing is attributed: {document['refused']}")
    return sayings(texts)


def sayings(texts: Sequence[str]) -> list[str]:
    """Sentences that a reader must not miss, a box each."""
    return [f"<p class=say>{escape(printable(t))}</p>" for t in texts]


def section(chart: Chart) -> str:
    """A chart's place with its title and question, notes under it, and its table."""
    hint = f" <span class=hint>{escape(chart.hint)}</span>" if chart.hint else ""
    note = "".join(f"<p class=note>{escape(line)}</p>" for line in chart.note.splitlines())
    return (
        f"<section><h2>{escape(chart.title)}</h2><p class=question>{escape(chart.question)}{hint}</p>\n"
        f'<div class="chart" style="height:{chart.height_px}px" id="{chart.id}" role="img" '
        f'aria-label="{escape(chart.title)}"></div>{note}\n'
        f"{table(chart.columns, chart.rows, chart.title)}</section>"
    )


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table of text cells, folded away when it is long."""
    head = "".join(f"<th scope=col>{escape(c)}</th>" for c in columns)
    lines = "".join(
        "<tr>" + "".join(_cell(printable(text), place) for place, text in enumerate(row)) + "</tr>" for row in rows
    )
    head = f"<caption>{escape(caption)}, as a table</caption><thead><tr>{head}</tr></thead>"
    short = " class=short" if len(rows) <= SHORT else ""
    # Wider than a phone's window it scrolls, with the keyboard as well.
    label = escape(f"{caption}, as a table")
    whole = f'<div class=scroll tabindex=0 role=region aria-label="{label}"><table{short}>'
    whole += f"{head}<tbody>{lines}</tbody></table></div>"
    return f"<details><summary>{len(rows)} rows</summary>{whole}</details>" if len(rows) > 24 else whole


def _cell(text: str, place: int) -> str:
    return f"<th scope=row>{escape(text)}</th>" if place == 0 else f"<td>{escape(text)}</td>"


def printable(text: str) -> str:
    """Text as it may be shown: names come from foreign programs: control bytes are shown, not obeyed."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _provenance(recording: Recording, document: Json) -> str:
    meta, model = recording.meta, document.get("model", {})
    health = recording.health
    facts = {
        "board file": f"{recording.topology.board}, sha256 {(meta.get('board') or {}).get('sha256', '—')}",
        "recorded with": " ".join(f"{k} {meta[k]}" for k in ("powerhal", "python", "kernel", "machine") if meta.get(k)),
        "report by": f"powerhal {powerhal.__version__}",
        "sources": ", ".join(s.name for s in recording.sources),
        "samples": ", ".join(f"{name}: {_health(h)}" for name, h in sorted(health.items())) or "—",
        "model": ", ".join(f"{k} {_short(v)}" for k, v in model.items() if isinstance(v, int | float | str)) or "—",
        "idle policy": document.get("policy", "—"),
        "conservation error": f"{document['conservation_error']:.1e} (relative, worst window)"
        if "conservation_error" in document
        else "—",
        "carbon": _carbon(document.get("carbon") or {}),
        "charts": "Apache ECharts (Apache-2.0), inside this file",
    }
    return listed("Where these numbers come from", facts)


def _carbon(carbon: Json) -> str:
    """The sentence of the account and its licence; the JSON of the ledger has every number of it."""
    if not carbon:
        return "not asked for (--zone)"
    text = str(carbon.get("text") or json.dumps(carbon, ensure_ascii=False))
    return f"{text}; table under {carbon['licence']}" if carbon.get("licence") else text


def listed(title: str, facts: Mapping[str, Any]) -> str:
    """A section of names and what they are."""
    inner = "".join(f"<dt>{escape(k)}</dt><dd>{escape(printable(str(v)))}</dd>" for k, v in facts.items())
    return f"<section><h2>{escape(title)}</h2><dl>{inner}</dl></section>"


def _health(counters: Mapping[str, Any]) -> str:
    lost = sum(int(counters.get(k, 0)) for k in ("missing", "missed"))
    return f"{counters.get('samples', 0)} taken, {lost} lost, {counters.get('late', 0)} late"


def _short(value: float | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _script_safe(text: str) -> str:
    """JSON that cannot end its script element, whatever a process is called."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _asset(name: str) -> str:
    return files("powerhal").joinpath("_data", *name.split("/")).read_text(encoding="utf-8")
