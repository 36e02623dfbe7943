"""What each picture of the report shows: plain data for the page's script, and the table beneath it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from powerhal.channel import Quality
from powerhal.recording import Recording
from powerhal.report.decimate import min_max, on_common_times
from powerhal.units import column_prefix, scaled_unit, significant, tabular

Json = dict[str, Any]
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture: the question it answers, data by `kind` (stack, sankey, whiskers, lines), its table."""

    id: str
    kind: str
    title: str
    question: str
    data: Json
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    height_px: int = 340
    hint: str = ""  # what can be done with the picture on a screen


def rails_over_time(recording: Recording, document: Json) -> Chart | None:
    """Stacked power of the measured rails that feed no other measured rail, the total as a line (W over s)."""
    measured = {c.rail: name for name, c in recording.channels.items() if c.quantity == "power" and c.rail}
    if not measured:
        return None
    topology = recording.topology
    parents = {r.name: r.parent for r in topology.rails}
    feeding = {p for rail in measured for p in _ancestors(rail, parents) if p in measured}
    found: dict[str, tuple[Vector, Vector]] = {}
    for rail, channel in measured.items():
        got = recording.series(channel)
        new = (np.asarray(got.quality) & int(Quality.STALE)) == 0  # a conversion seen before is not a sample
        if new.any():
            found[rail] = (np.asarray(got.t_ns)[new] - recording.start_ns) / 1e9, np.asarray(got.value)[new]
    if not found:
        return None
    times, values = on_common_times(list(found.values()))
    series = [
        {"name": rail, "points": _points(times, value), "line": rail in feeding}
        for rail, value in zip(found, values, strict=True)
    ]
    rows = [(rail, *_spread(*found[rail])) if rail in found else (rail, "—", "—", "—", "—", "—") for rail in measured]
    marks = [{"name": m.text, "t": (m.t_ns - recording.start_ns) / 1e9} for m in recording.marks]
    data = {"series": series, "duration_s": recording.duration_s, "marks": marks}
    return Chart(
        "rails", "stack", "Power over time", "What happened when?", data,
        ("rail", "mean W", "p99 W", "min W", "max W", "energy J"), tuple(rows),
        "Rails that feed other measured rails are drawn as lines, the others stacked. Every bucket keeps its "
        "least and greatest sample, so no spike is lost.",
        hint="Drag in the picture to look closer.",
    )  # fmt: skip


def _points(t: Vector, value: Vector) -> list[list[float | None]]:
    """Pairs for the page; None leaves a hole where the value is unknown."""
    return [[round(float(a), 4), None if np.isnan(b) else round(float(b), 6)] for a, b in zip(t, value, strict=True)]


def _spread(t: Vector, power: Vector) -> tuple[str, ...]:
    energy = float(((power[1:] + power[:-1]) / 2 * np.diff(t)).sum())
    return tuple(
        significant(float(v)) for v in (power.mean(), np.percentile(power, 99), power.min(), power.max(), energy)
    )


def _ancestors(rail: str, parents: Mapping[str, str]) -> list[str]:
    out: list[str] = []
    while (rail := parents.get(rail, "")) and rail not in out:
        out.append(rail)
    return out


def sankey(recording: Recording, document: Json) -> Chart | None:
    """Where the energy goes: root rail -> idle, devices, unattributed -> processes (J)."""
    links: list[Json] = []
    rows: list[tuple[str, ...]] = []
    rails = {d.name: d.rail for d in recording.topology.devices}
    root = "0 " + str(document["total"].get("rail") or "measured")
    total = document["total"]["energy_j"] or 1.0

    def link(source: str, target: str, joules: float) -> None:
        if joules > 2e-4 * total:
            links.append({"source": source, "target": target, "value": joules})
            rows.append((source[2:], target[2:], significant(joules)))

    top = [r for r in document["rows"] if r["kind"] in ("device", "idle", "unattributed")]
    by_rail: dict[str, float] = {}
    for row in top:
        rail = rails.get(row["name"], "")
        if rail and "1 " + rail != root and rail != root[2:]:
            by_rail[rail] = by_rail.get(rail, 0.0) + row["energy_j"]
            link("1 " + rail, "2 " + row["name"], row["energy_j"])
        else:
            link(root, "2 " + row["name"], row["energy_j"])
    for rail, joules in by_rail.items():
        link(root, "1 " + rail, joules)
    people = sorted((r for r in document["rows"] if r["kind"] == "process"), key=lambda r: -r["energy_j"])
    rest: dict[str, float] = {}
    for rank, row in enumerate(people):
        for device, joules in row.get("devices", {}).items():
            if rank < 14:
                link("2 " + device, "3 " + row["name"], joules)
            else:
                rest[device] = rest.get(device, 0.0) + joules
    for device, joules in rest.items():
        link("2 " + device, "3 other processes", joules)
    if not links:
        return None
    nodes = list(dict.fromkeys(n for item in links for n in (item["source"], item["target"])))
    return Chart(
        "sankey", "sankey", "Where the energy goes", "From the source to devices to the processes that used them.",
        {"nodes": nodes, "links": links}, ("from", "to", "energy J"), tuple(rows),
        "Flows are dynamic energy attributed to each device plus the idle floor; a device's width beyond its "
        "processes is what no process explains. Flows under 0.02 % of the total are left out of the picture.",
        height_px=520,
    )  # fmt: skip


MOST_BARS = 20


def energies(document: Json, kinds: Sequence[str], heading: tuple[str, str, str]) -> Chart | None:
    """Bars of energy with 90 % intervals for the rows of some kinds (J); `heading` is id, title, question."""
    rows = sorted((r for r in document["rows"] if r["kind"] in kinds), key=lambda r: -r["energy_j"])
    if not rows:
        return None
    truth = any(r.get("truth_j") is not None for r in rows)
    carbon = any(r.get("gco2e") is not None for r in rows)
    # Each column with the prefix that makes its largest number readable.
    (joule, of_j), (watt, of_w), (gram, of_g) = (
        column_prefix(max(abs(r.get(key) or 0.0) for r in rows)) for key in ("energy_j", "mean_w", "gco2e")
    )
    columns = ["name", f"energy {joule}J", "90 % low", "90 % high", "share", f"mean {watt}W"]
    columns += [f"truth {joule}J"] if truth else []
    columns += [f"{gram}gCO2e"] if carbon else []
    table = []
    for r in rows:
        share = f"{100 * r['share']:.1f} %" if r.get("share") is not None else "—"
        cells = [r["name"] + (" (powerhal itself)" if r.get("self") else "")]
        cells += [_in(r.get(key), of_j) for key in ("energy_j", "low_j", "high_j")]
        cells += [share, _in(r.get("mean_w"), of_w)]
        cells += [_in(r.get("truth_j"), of_j)] if truth else []
        cells += [_in(r.get("gco2e"), of_g)] if carbon else []
        table.append(tuple(cells))
    bars = [
        {
            "name": r["name"],
            "value": r["energy_j"],
            "low": r.get("low_j"),
            "high": r.get("high_j"),
            "truth": r.get("truth_j"),
        }
        for r in rows[:MOST_BARS]
    ]
    data = {"rows": bars, "unit": "J", "what": "energy"}
    note = f"The {MOST_BARS} largest of {len(rows)} are drawn; the table has all." if len(rows) > MOST_BARS else ""
    return Chart(
        heading[0], "whiskers", heading[1], heading[2], data, tuple(columns), tuple(table), note, _bars_px(len(bars))
    )


def _in(value: float | None, factor: float) -> str:
    return tabular(None if value is None else value / factor)


def _bars_px(count: int) -> int:
    return 110 + 26 * count


WIDEST = 2.0  # an interval wider than this many times its value says "unknown" better in a table than in a picture


def coefficients(document: Json) -> Chart | None:
    """What one unit of each activity costs, relative to the coefficient itself, with its interval."""
    found = [c for c in document.get("model", {}).get("coefficients", []) if c.get("value")]
    if not found:
        return None
    rows = tuple((c["name"], c.get("device", ""), *_numbers(c)) for c in found)
    drawn = [c for c in found if c.get("low") is not None and c["high"] - c["low"] <= WIDEST * c["value"]]
    bars = [
        {"name": c["name"], "value": 100.0, "low": _percent(c, "low"), "high": _percent(c, "high"), "truth": None}
        for c in drawn
    ]
    notes = [f"{len(found) - len(drawn)} more are known too loosely to draw; the table has them."]
    notes = (notes if len(drawn) < len(found) else []) + document.get("groups_text", [])
    return Chart(
        "coefficients", "whiskers", "What the board taught the model",
        "How sure is each coefficient? 100 % is its value; the whisker is its 90 % interval.",
        {"rows": bars, "unit": "% of the value", "what": "coefficient"},
        ("activity", "device", "value", "90 % low", "90 % high", "unit"), rows, "\n".join(notes), _bars_px(len(bars)),
    )  # fmt: skip


def _numbers(c: Json) -> tuple[str, str, str, str]:
    """Value and interval in the prefix that makes them readable, and the unit with it."""
    numbers = [c["value"], c.get("low"), c.get("high")]
    unit, factor = scaled_unit(c.get("unit", ""), max(abs(v) for v in numbers if v is not None))
    value, low, high = (tabular(None if v is None else v / factor) for v in numbers)
    return value, low, high, unit


def _percent(c: Json, key: str) -> float | None:
    return None if c.get(key) is None else 100.0 * c[key] / c["value"]


def _with_holes(t: Vector, value: Vector, missing: Vector) -> tuple[Vector, Vector]:
    """The same points with one NaN in each stretch where something is missing, so that no line crosses it."""
    place = np.unique(np.searchsorted(t, missing), return_index=True)[1]
    holes = missing[place]
    at = np.searchsorted(t, holes)
    return np.insert(t, at, holes), np.insert(value, at, np.nan)


def fit(document: Json) -> Chart | None:
    """Measured and predicted power of the root rail in every window (W over s)."""
    series = document.get("series") or {}
    if not series.get("t_s"):
        return None
    t = np.asarray(series["t_s"], dtype=np.float64)
    lines = []
    rows = []
    for name in ("measured_w", "predicted_w"):
        value = np.asarray([np.nan if v is None else v for v in series[name]], dtype=np.float64)
        good = np.isfinite(value)
        points_t, points = _with_holes(*min_max(t[good], value[good]), t[~good])
        lines.append({"name": name.removesuffix("_w"), "points": _points(points_t, points)})
        if good.any():
            rows.append(
                (name.removesuffix("_w"), significant(float(value[good].mean())), significant(float(value[good].max())))
            )
    return Chart(
        "fit", "lines", "Can I trust it?", "Measured power and what the model says, window by window.",
        {"series": lines, "unit": "W", "duration_s": float(t.max())}, ("", "mean W", "max W"), tuple(rows),
    )  # fmt: skip
