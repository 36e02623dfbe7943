"""Android's own numbers beside the ledger's: mAh per device and uid, and how far their sum is from the drain.

Android multiplies times with a table and never looks at the battery, so its sum may be any multiple of what was
drawn. Its period (since the last charge) and the ledger's (between gauge steps, off the charger) differ; where
they do, mean currents are compared and the difference is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from powerhal.android.drain.attribute import Attributed, uid_name
from powerhal.android.statistics import Statistics
from powerhal.android.uids import app_id, user
from powerhal.attribution.ledger import Row, interval

SAME_PERIOD = 0.05  # relative difference of durations up to which two periods are called the same
MOST_LINES, SMALL = 20, 0.002  # lines of a uid of its own, and the least part of the total that gets one
NOT_POWER = ("unaccounted", "overcounted", "user", "unknown")
Naming = Callable[[int, Sequence[str]], str]


def document(found: Attributed, stats: Statistics, naming: Naming = uid_name, by: str | None = None) -> dict[str, Any]:
    """The ledger's JSON with `drain`, `android`, `split`, `priors` and `rails` beside it; uids named by `naming`."""
    out = found.ledger.to_dict(by)
    volts = mean_volts(found)
    for row in (out["total"], *out["rows"]):
        for name, charge in (("energy_j", "mah"), ("low_j", "low_mah"), ("high_j", "high_mah")):
            row[charge] = row[name] / 3.6 / volts
    for row in out["rows"]:
        if row["kind"] == "process" and row.get("uid") is not None and by in (None, "process", "pid"):
            uid = int(row["uid"])
            use = stats.uids.get(uid)
            row["name"] = naming(uid, use.packages if use else ())
            row |= {"user": user(uid), "app_id": app_id(uid), "android_mah": use.mah if use else None}
    out |= {"drain": _drain(found, volts), "android": compared(found, stats)}
    out["split"] = dict(found.payers.said)
    out["priors"] = dict(found.priors)
    out["rails"] = [rail.document() for rail in found.rails]
    return out


def uid_lines(found: Attributed, stats: Statistics, naming: Naming = uid_name) -> list[dict[str, Any]]:
    """Uids by energy, small ones as one line, and what no uid pays: lines that add up to the total, with intervals."""
    ledger, volts = found.ledger, mean_volts(found)
    people = list(ledger.of_kind("process"))
    large = [r for r in people if r.energy_j >= SMALL * ledger.total.energy_j][:MOST_LINES]
    small = people[len(large) :]
    out = []
    for row in large:
        uid = row.info.uid if row.info else -1
        use = stats.uids.get(uid)
        out.append(_line(row, naming(uid, use.packages if use else ()), volts, use.mah if use else None))
    if small:
        uids = [r.info.uid for r in small if r.info]
        theirs = _sum([stats.uids[u].mah for u in uids if u in stats.uids])
        out.append(_line(ledger.merge("", small), f"{len(small)} smaller uids", volts, theirs))
    whole, held = ledger.total, ledger.merge("", people) if people else None
    left = whole.energy_j - (held.energy_j if held else 0.0)
    loadings = np.asarray(whole.loadings) - (held.loadings if held else 0.0)
    low, high = interval(left, loadings, held.alone_j2 if held else 0.0, ledger.doubts, ledger.t90)
    rest = Row("", "rest", left, low, high, loadings)
    return [*out, _line(rest, "idle and what no uid explains", volts, None)]


def _line(row: Row, name: str, volts: float, theirs: float | None) -> dict[str, Any]:
    return {
        "name": name, "energy_j": row.energy_j, "low_j": row.low_j, "high_j": row.high_j,
        "mah": row.energy_j / 3.6 / volts, "android_mah": theirs,
    }  # fmt: skip


def mean_volts(found: Attributed) -> float:
    """Mean voltage of the drained charge."""
    return float(np.average(found.drain.volts, weights=np.maximum(found.drain.mah, 1e-12)))


def _drain(found: Attributed, volts: float) -> dict[str, Any]:
    drain = found.drain
    return {
        "way": drain.way,
        "quantum_mah": drain.quantum_mah,
        "gain_sd": drain.gain_sd,
        "mah": float(drain.mah.sum()),
        "mean_v": volts,
        "windows": int(drain.covered.sum()),
        "covered_s": drain.covered_ms / 1e3,
        "history_s": found.line.end_ms / 1e3,
        "left_out": [
            {"start_s": r.start_ms / 1e3, "end_s": r.end_ms / 1e3, "why": r.why, "mah": r.mah} for r in drain.left_out
        ],
    }


def compared(found: Attributed, stats: Statistics) -> dict[str, Any]:
    """Android's sums, the measured drain, their ratio, and devices side by side (mAh; None where not printed)."""
    drain, volts = found.drain, mean_volts(found)
    measured = float(drain.mah.sum())
    printed = stats.battery.get("drained_mah") or {}
    sums = {
        "computed": stats.battery.get("computed_mah"),
        "devices": _sum([d.mah for d in stats.devices if d.name not in NOT_POWER]),
        "uids": _sum([u.mah for u in stats.uids.values()]),
    }
    period_ms = stats.durations_ms.get("battery_realtime")
    scale, said = _period(period_ms, drain.covered_ms)
    ratio = {name: _ratio(value, scale, measured) for name, value in sums.items()}
    return {
        "sums_mah": sums,
        "measured_mah": measured,
        "over_count": ratio,
        "printed_drained_mah": {"min": printed.get("min"), "max": printed.get("max")},
        "period_s": None if period_ms is None else period_ms / 1e3,
        "covered_s": drain.covered_ms / 1e3,
        "text": _said(sums["computed"], measured, ratio["computed"], drain.way, said) + _bounds(sums, printed),
        "devices": _devices(found, stats, volts),
    }


def _sum(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(sum(known)) if known else None


def _period(period_ms: float | None, covered_ms: int) -> tuple[float, str]:
    """Factor that brings Android's period to the ledger's, and what to say about it."""
    if not period_ms:
        return 1.0, ""
    scale = covered_ms / float(period_ms)
    if abs(scale - 1.0) <= SAME_PERIOD:
        return scale, ""
    hours = f"{float(period_ms) / 3.6e6:.3g} h since the last charge, {covered_ms / 3.6e6:.3g} h measured here"
    return scale, f"mean currents are compared: {hours}"


def _ratio(value: float | None, scale: float, measured: float) -> float | None:
    return None if not value or measured <= 0 else value * scale / measured


def _said(computed: float | None, measured: float, ratio: float | None, way: str, period: str) -> str:
    if computed is None or ratio is None:
        return "the dump prints no computed drain to compare with"
    word = "over-counts" if ratio > 1.05 else "under-counts" if ratio < 0.95 else "agrees"
    text = f"Android computes {computed:.4g} mAh, the gauge ({way}) lost {measured:.4g} mAh: {word}, ratio {ratio:.2f}"
    return f"{text}; {period}" if period else text


def _bounds(sums: dict[str, float | None], printed: dict[str, Any]) -> str:
    """The dump's own bounds of the drain, from its level steps, where the computed sum is outside of them."""
    computed, low, high = sums["computed"], printed.get("min"), printed.get("max")
    if not computed or not low or not high or low <= computed <= high:
        return ""
    return (
        f"; by the dump's own level steps {low:.4g} to {high:.4g} mAh were drained, "
        f"ratio {computed / high:.2f} to {computed / low:.2f}"
    )


def _devices(found: Attributed, stats: Statistics, volts: float) -> list[dict[str, Any]]:
    """One row a device of either side; where ours is a group, the group's name and figures stand with each member."""
    ours: dict[str, Row] = {}
    for row in found.ledger.rows:
        if row.kind in ("device", "group", "idle"):
            ours |= {part: row for name in (row.members or (row.name,)) for part in name.split(" + ")}
    android: dict[str, float] = {}
    for device in stats.devices:
        if device.mah is not None and device.name not in NOT_POWER:
            android[device.name] = android.get(device.name, 0.0) + device.mah
    # The old check-in form names what apps used only with the apps: their components are summed where printed.
    for use in stats.uids.values():
        for name, mah in use.components.items():
            if name not in {d.name for d in stats.devices}:
                android[name] = android.get(name, 0.0) + mah
    out = []
    for name in dict.fromkeys((*ours, *(n for n, mah in android.items() if mah > 0))):
        mine = ours.get(name)
        values = {k: None if mine is None else getattr(mine, k) / 3.6 / volts for k in ("energy_j", "low_j", "high_j")}
        out.append({
            "name": name, "android_mah": android.get(name), "mah": values["energy_j"], "low_mah": values["low_j"],
            "high_mah": values["high_j"], "group": mine.name if mine is not None and mine.members else None,
        })  # fmt: skip
    return out
