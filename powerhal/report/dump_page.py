"""The page of a phone's dump: drain curve with the states under it, devices and apps beside Android's numbers.

Everything comes in as plain data (`Story`, the ledger's JSON); nothing here knows what a dump looks like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil
from typing import Any

import numpy as np

from powerhal.report import charts, html
from powerhal.report.charts import Chart
from powerhal.report.decimate import cover, min_max
from powerhal.units import format_quantity, significant

Json = dict[str, Any]
Spans = Sequence[tuple[float, float]]

MOST_NAMES = 7  # apps in front with a colour of their own
LANE_PX = 24


@dataclass(frozen=True, slots=True)
class Lane:
    """One row under the curve: spans (start, end) in s, disjoint and in order; `labels`: which of `names` each is."""

    name: str
    spans: Spans
    labels: Sequence[int] = ()
    names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """What a history shows: seconds since its start, level in %, charge in mAh, lanes, and what is in no row.

    facts: where the numbers come from and how complete they are, in the order of the page; warnings: sentences.
    """

    title: str
    lead: str
    duration_s: float
    level: Sequence[tuple[float, float]]
    charge: Sequence[tuple[float, float]]
    plugged: Spans
    lanes: Sequence[Lane]
    facts: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def render(story: Story, document: Json) -> str:
    """The whole page; `document` is the ledger's JSON with `drain` and `android`, or {"refused": why}."""
    drawn = [c for c in (drain_curve(story), *_ledger_charts(document)) if c]
    said = [f"Nothing is attributed: {document['refused']}"] if document.get("refused") else []
    android = document.get("android", {})
    said += [f"{android['text'][:1].upper()}{android['text'][1:]}."] if android.get("text") else []
    said += [text[:1].upper() + text[1:] + "." for text in document.get("groups_text", ())[:3]]
    head = f"<h1>{escape(html.printable(story.title))}</h1>\n<p class=lead>{escape(html.printable(story.lead))}</p>"
    body = [
        head,
        html.figures(_figures(story, document)),
        *html.sayings([*story.warnings, *said]),
        *map(html.section, drawn),
        _learned(document),
        _notes(document),
        html.listed("Where these numbers come from", {**story.facts, **_model_facts(document)}),
    ]
    return html.page(f"{story.title}: what drained the battery", body, drawn)


def _figures(story: Story, document: Json) -> list[tuple[str, str]]:
    screen = next((lane for lane in story.lanes if lane.name == "screen"), None)
    on_s = sum(b - a for a, b in screen.spans) if screen else 0.0
    out = []
    if document.get("rows"):
        total, drain, android = document["total"], document["drain"], document["android"]
        half = (total["high_mah"] - total["low_mah"]) / 2
        hours = drain["covered_s"] / 3600
        out += [
            (f"{significant(total['mah'])} mAh", f"drained, ±{significant(half)} (90 %), {drain['way']}"),
            (format_quantity(total["energy_j"], "J"), f"the same as energy, at {drain['mean_v']:.3g} V"),
            (f"{significant(total['mah'] / hours)} mA", f"mean over {spoken_time(drain['covered_s'])} on battery"),
        ]
        ratio = android["over_count"]["computed"]
        out.append((f"{ratio:.2f} ×" if ratio else "—", "Android's sum against the drain"))
    return [*out, (spoken_time(on_s), f"screen on, of {spoken_time(story.duration_s)}")]


def spoken_time(seconds: float) -> str:
    """A duration in words: seconds, minutes, or hours and minutes."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def drain_curve(story: Story) -> Chart | None:
    """Level and charge over time, charging shaded, a lane of bars for each state (seconds since the start)."""
    if story.duration_s <= 0 or not (story.level or story.charge or story.lanes):
        return None
    end = ceil(10 * story.duration_s) / 10
    lanes, rows = [], []
    for lane in story.lanes:
        bars, names = _bars(lane, end)
        on_s = sum(b - a for a, b in lane.spans)
        lanes.append({"name": lane.name, "bars": bars, "names": names})
        rows.append((lane.name, spoken_time(on_s), f"{100 * on_s / end:.1f} %", str(len(lane.spans))))
    data = {
        "duration_s": end,
        "level": _decimated(story.level),
        "charge": _decimated(story.charge),
        "plugged": [[round(a, 1), round(b, 1)] for a, b in story.plugged],
        "lanes": lanes,
    }
    notes = ["Shaded: on a charger, in no row of the tables below."] if story.plugged else []
    if any(len(lane.spans) > 1000 for lane in story.lanes):
        notes.append(
            "A lane with more than 1000 spans is drawn in 1000 pieces, each as dark as the part of it that was on."
        )
    return Chart(
        "drain", "drain", "How the battery went down", "What was going on when it fell fast?", data,
        ("state", "on", "of the time", "times"), tuple(rows), "\n".join(notes), height_px=330 + LANE_PX * len(lanes),
        hint="Drag or use the slider to look closer.",
    )  # fmt: skip


def _decimated(points: Sequence[tuple[float, float]]) -> list[list[float]]:
    if not points:
        return []
    t, value = (np.array(column, dtype=np.float64) for column in zip(*points, strict=True))
    t, value = min_max(t, value, 2000)
    return [[round(a, 1), b] for a, b in zip(t.tolist(), value.tolist(), strict=True)]


def _bars(lane: Lane, end: float) -> tuple[list[list[float]], list[str]]:
    """Bars (start, end, part that was on, which name or -1) and the names that have a colour."""
    if not lane.names:
        return [[round(a, 1), round(b, 1), on, -1] for a, b, on in cover(lane.spans, end)], []
    spent = np.zeros(len(lane.names))
    for (a, b), label in zip(lane.spans, lane.labels, strict=True):
        spent[label] += b - a
    largest = [int(k) for k in np.argsort(-spent)[:MOST_NAMES] if spent[k] > 0]
    out: list[list[float]] = []
    seat = {label: place for place, label in enumerate(largest)}
    seats: list[list[tuple[float, float]]] = [[] for _ in range(len(largest) + 1)]
    for span, label in zip(lane.spans, lane.labels, strict=True):
        seats[seat.get(label, len(largest))].append(span)
    for place, mine in enumerate(seats):
        out += [[round(a, 1), round(b, 1), on, place] for a, b, on in cover(mine, end)]
    names = [lane.names[k] for k in largest]
    return out, [*names, "others"] if len(largest) < int((spent > 0).sum()) else names


def _printed(document: Json) -> Chart | None:
    """Android's own numbers where nothing could be attributed."""
    rows = document.get("printed", ())
    if not rows:
        return None
    bars = [{"name": name, "value": mah, "low": None, "high": None, "truth": None} for _, name, mah in rows]
    bars = sorted(bars, key=lambda b: -float(b["value"]))[: charts.MOST_BARS]
    table = tuple((name, kind, significant(mah)) for kind, name, mah in rows)
    note = "Times multiplied with a table of currents: nothing here was measured, so there is no interval."
    data = {"rows": bars, "unit": "mAh", "what": "Android's own estimate"}
    return Chart(
        "printed", "whiskers", "What Android printed", "The platform's own estimate, by device and by uid.", data,
        ("name", "kind", "mAh"), table, note, 120 + 28 * len(bars),
    )  # fmt: skip


def _ledger_charts(document: Json) -> list[Chart | None]:
    if not document.get("rows"):
        return [_printed(document)]
    return [
        _devices(document),
        _apps(document),
        charts.fit(document),
    ]


def _learned(document: Json) -> str:
    """What each activity draws, before and after the data: a table, as most of it is known only in sums."""
    rows = [
        (c["name"], significant(c["value"]), significant(c["low"]), significant(c["high"]), c["unit"],
         document.get("priors", {}).get(c["name"], "—"))
        for c in document.get("model", {}).get("coefficients", ())
    ]  # fmt: skip
    if not rows:
        return ""
    columns = ("activity", "value", "90 % low", "90 % high", "unit", "known before")
    return (
        "<section><h2>What the model learned</h2><p class=question>Watts of each activity while it is on; what "
        "overlaps in time is known as a sum better than alone.</p>\n"
        f"{html.table(columns, rows, 'Coefficients')}</section>"
    )


def _whiskers(rows: Sequence[Json], most: int = charts.MOST_BARS) -> Json:
    bars = [
        {
            "name": r["name"],
            "value": r["mah"],
            "low": r["low_mah"],
            "high": r["high_mah"],
            "truth": r.get("android_mah"),
        }
        for r in rows[:most]
    ]
    return {"rows": bars, "unit": "mAh", "what": "measured and attributed", "other": "Android's own estimate"}


COLUMNS = ("energy J", "90 % low", "90 % high", "share", "mAh", "Android mAh", "Android / here")


def _cells(row: Json, whole: float) -> tuple[str, ...]:
    theirs, without = row.get("android_mah"), row.get("without") or ()
    same = theirs is not None and theirs > 0 and row["mah"] > 0 and not without
    ratio = f"{theirs / row['mah']:.2f}" if same and theirs is not None else "—"
    printed = significant(theirs) + (f" without {', '.join(without)}" if without else "")
    share = f"{100 * row['energy_j'] / whole:.1f} %" if whole > 0 else "—"
    numbers = (significant(row["energy_j"]), significant(row["low_j"]), significant(row["high_j"]), share)
    return (*numbers, significant(row["mah"]), printed, ratio)


def _devices(document: Json) -> Chart:
    """Devices, groups, idle and unattributed, beside what Android says of the same."""
    theirs = {d["name"]: d["android_mah"] for d in document["android"]["devices"]}
    rows = []
    for row in document["rows"]:
        if row["kind"] not in ("device", "group", "idle", "unattributed"):
            continue
        parts = [p for name in row.get("members") or [row["name"]] for p in name.split(" + ")]
        known = {p: v for p in parts if (v := theirs.get(p)) is not None}
        missing = [p for p in parts if p not in known and p != "idle"]
        rows.append({**row, "android_mah": sum(known.values()) if known else None, "without": missing if known else []})
    rows.sort(key=lambda r: -r["energy_j"])
    whole = document["total"]["energy_j"]
    table = [(r["name"], *_cells(r, whole)) for r in rows]
    shown = {part for r in rows for name in r.get("members") or [r["name"]] for part in name.split(" + ")}
    table += [
        (f"{d['name']} (Android only)", *["—"] * 5, significant(d["android_mah"]), "—")
        for d in document["android"]["devices"]
        if d["name"] not in shown and d["android_mah"]
    ]
    note = (
        "Bars add up to the measured drain; whiskers are 90 % intervals; diamonds are what Android computes by itself."
    )
    note += "\nWhat cannot be told apart from the battery alone is one bar with all its names."
    return Chart(
        "components", "whiskers", "What used it", "Devices, the idle floor and what nobody explains.",
        _whiskers(rows), ("device", *COLUMNS), tuple(table), note, 120 + 28 * min(len(rows), charts.MOST_BARS),
    )  # fmt: skip


def _apps(document: Json) -> Chart | None:
    """Uids by energy beside Android's estimate."""
    rows = sorted((r for r in document["rows"] if r["kind"] == "process"), key=lambda r: -r["energy_j"])
    rows = [r for r in rows if r["energy_j"] > 0 or r.get("android_mah")]
    if not rows:
        return None
    whole = document["total"]["energy_j"]
    table = tuple((r["name"], str(r["uid"]), *_cells(r, whole)) for r in rows)
    note = "Who pays: " + "; ".join(f"{k}: {v}" for k, v in document.get("split", {}).items()) + "."
    if len(rows) > charts.MOST_BARS:
        note += f"\nThe {charts.MOST_BARS} largest of {len(rows)} are drawn; the table has all."
    return Chart(
        "apps", "whiskers", "Who used it", "Apps and system uids: how much, and how sure is that?", _whiskers(rows),
        ("app", "uid", *COLUMNS), table, note, 120 + 28 * min(len(rows), charts.MOST_BARS),
    )  # fmt: skip


def _notes(document: Json) -> str:
    """What is in no row, and other sentences of the ledger."""
    rest = [*document.get("notes", ()), *document.get("groups_text", ())[3:]]
    if not rest:
        return ""
    items = "".join(f"<li>{escape(html.printable(t))}</li>" for t in rest)
    return f"<section><h2>What to know about it</h2><ul>{items}</ul></section>"


def _model_facts(document: Json) -> dict[str, str]:
    if not document.get("rows"):
        return {}
    model, drain = document["model"], document["drain"]
    r2 = model.get("r2")
    return {
        "measurement": f"{drain['way']} of {drain['quantum_mah']:g} mAh, {drain['windows']} windows, "
        f"±{100 * 1.645 * drain['gain_sd']:.1f} % of scale (90 %)",
        "model": f"{model.get('activities')} activities, R² {'—' if r2 is None else f'{r2:.2f}'} of the power, "
        f"condition {significant(model.get('condition'))}",
        "conservation error": f"{document['conservation_error']:.1e} (relative, worst window)",
        "charts": "Apache ECharts (Apache-2.0), inside this file",
    }
