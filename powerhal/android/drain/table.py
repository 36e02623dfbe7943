"""The activity table: what the history's states mean for power, one row a column of the regression.

A row is seconds (or CPU seconds) of a state in each window; its coefficient is watts. `width_w` is how much a
phone's part may draw at all (1 sigma about 0): figures of Carroll and Heiser (USENIX ATC 2010) and of the public
`power_profile.xml` files, rounded up, so that a state of ten seconds cannot be blamed for kilowatts. With a
profile the part's own figure, give or take `PROFILE_SD`, takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.android.drain.activities import Grid
from powerhal.android.profile.values import PowerProfile

Floats = npt.NDArray[np.float64]

PROFILE_SD = 0.5  # a vendor's figure against what the part draws: factor of two either way is common (1 sigma)
BINS = {"dark": 0.1, "dim": 0.3, "medium": 0.5, "light": 0.7, "bright": 0.9}  # middles of five, as Android takes them
WEAK = {"none": 1.0, "poor": 1.0, "0": 1.0, "1": 1.0}


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One column: device, name, static or not, unit of its coefficient, width in it, who pays, how it is built.

    `payer` names a row of `attribute_uids.SHARES`, '' when nobody pays. `build` answers seconds of each window
    (n,), None where the history does not say. `profile`: the current in mA by the phone's profile, None without.
    `kind` is the device's kind in the house's feature table.
    """

    device: str
    kind: str
    name: str
    width_w: float
    payer: str
    build: Callable[[Grid], Floats | None]
    profile: Callable[[PowerProfile], float | None]
    keys: str = ""
    static: bool = False
    unit: str = "W"


def _state(*names: str) -> Callable[[Grid], Floats | None]:
    """Seconds in which any of the states was on; None when none of them ever was."""

    def build(grid: Grid) -> Floats | None:
        return grid.per_window(np.logical_or.reduce([grid.on(n) for n in names]))

    return build


def _brightness(grid: Grid) -> Floats | None:
    if "brightness" not in grid.line.enums:  # darkest all along: the platform prints only what is not 0
        return None
    return grid.per_window(grid.on("screen") * grid.scale("brightness", BINS, BINS["dark"]))


def _weak_signal(grid: Grid) -> Floats | None:
    if "phone_signal_strength" not in grid.line.enums:
        return None
    return grid.per_window(grid.on("mobile_radio") * grid.scale("phone_signal_strength", WEAK, WEAK["none"]))


def _in_front(grid: Grid) -> Floats | None:
    """Seconds of the display with an app in front; its CPU work shows best where it is sampled."""
    if "top" not in grid.line.people or sampled(grid):
        return None
    return grid.per_window(in_front(grid))


def in_front(grid: Grid) -> npt.NDArray[np.bool_]:
    """Pieces in which the display was on with an app in front (g,)."""
    return np.asarray(grid.on("screen") & grid.inside([(a, b) for a, b, _, _ in grid.line.people.get("top", ())]))


def _awake(grid: Grid) -> Floats | None:
    """Seconds awake with the display off: running, or at least kept awake by a wake lock."""
    states = grid.line.states
    name = "running" if "running" in states else "wake_lock"
    return grid.per_window(grid.on(name) & ~grid.on("screen"))


def working(grid: Grid) -> npt.NDArray[np.int64]:
    """How many jobs and syncs ran in each piece (g,)."""
    people = grid.line.people
    return grid.crowd([(a, b) for kind in ("job", "sync") for a, b, _, _ in people.get(kind, ())])


def _jobs(grid: Grid) -> Floats | None:
    return None if sampled(grid) else grid.per_window(working(grid))


def sampled(grid: Grid) -> bool:
    """Whether CPU samples cover the windows: then a window's CPU time is known."""
    last = int(grid.edges[-1])
    return len(grid.line.worked) >= 8 and grid.line.worked[-1].time_ms >= last - (last - int(grid.edges[0])) // 8


def _cpu_seconds(grid: Grid) -> Floats | None:
    """CPU seconds (user and system) of each window: a sample covers the time since the one before, evenly."""
    if not sampled(grid):
        return None
    t = np.array([0, *(w.time_ms for w in grid.line.worked)], dtype=np.float64)
    total = np.concatenate(([0.0], np.cumsum([(w.user_ms + w.system_ms) / 1e3 for w in grid.line.worked])))
    return np.diff(np.interp(grid.edges.astype(np.float64), t, total))


def _ma(*names: str) -> Callable[[PowerProfile], float | None]:
    def current(profile: PowerProfile) -> float | None:
        return next((v for n in names if (v := profile.get(n)) is not None and v > 0), None)

    return current


def _display(name: str) -> Callable[[PowerProfile], float | None]:
    return lambda profile: profile.display(name) or None


def _core(profile: PowerProfile) -> float | None:
    """mA of one core at a middle speed, with its share of the rest of the CPU."""
    speeds = [ma for cluster in profile.clusters() for ma in cluster.core_ma]
    return (float(np.median(speeds)) + profile.average("cpu.active")) if speeds else None


def _rx_tx(radio: str) -> Callable[[PowerProfile], float | None]:
    """Mean of receiving and sending, else the active current."""

    def current(profile: PowerProfile) -> float | None:
        parts = [v for n in ("rx", "tx") if (v := profile.get(f"{radio}.controller.{n}"))]
        return sum(parts) / len(parts) if parts else _ma(f"{radio}.active")(profile)

    return current


def _nothing(profile: PowerProfile) -> float | None:
    return None


ACTIVITIES: tuple[ActivityRow, ...] = (
    ActivityRow("base", "base", "constant", 0.3, "", lambda g: g.per_window(np.ones(g.seconds.size)),
                _ma("cpu.suspend"), "cpu.suspend", static=True),
    ActivityRow("wifi", "radio", "on", 0.1, "", _state("wifi", "wifi_running"), _ma("wifi.on"), "wifi.on", static=True),
    ActivityRow("bluetooth", "radio", "on", 0.1, "", _state("bluetooth"), _ma("bluetooth.on"), "bluetooth.on",
                static=True),
    ActivityRow("cpu", "cpu", "awake", 1.0, "awake", _awake, _ma("cpu.idle", "cpu.awake"), "cpu.idle"),
    ActivityRow("cpu", "cpu", "in front", 2.0, "top", _in_front, _core, "cpu.core_power"),
    ActivityRow("cpu", "cpu", "jobs and syncs", 1.0, "jobs", _jobs, _core, "cpu.core_power"),
    ActivityRow("cpu", "cpu", "time", 1.5, "cpu", _cpu_seconds, _core, "cpu.core_power", unit="J/s of CPU"),
    ActivityRow("screen", "display", "on", 1.5, "top", _state("screen"), _display("screen.on"), "screen.on"),
    ActivityRow("screen", "display", "brightness", 2.0, "top", _brightness, _display("screen.full"), "screen.full"),
    ActivityRow("ambient_display", "display", "doze", 0.4, "", _state("screen_doze"), _display("ambient.on"),
                "ambient.on"),
    ActivityRow("mobile_radio", "radio", "active", 2.0, "mobile", _state("mobile_radio"), _ma("radio.active"),
                "radio.active"),
    ActivityRow("mobile_radio", "radio", "weak signal", 2.0, "mobile", _weak_signal, _nothing),
    ActivityRow("mobile_radio", "radio", "high power", 2.0, "mobile", _state("cellular_high_tx_power"), _nothing),
    ActivityRow("mobile_radio", "radio", "scanning", 1.5, "", _state("phone_scanning"), _ma("radio.scanning"),
                "radio.scanning"),
    ActivityRow("phone", "radio", "call", 1.5, "", _state("phone_in_call"), _ma("radio.active"), "radio.active"),
    ActivityRow("wifi", "radio", "active", 1.5, "wifi", _state("wifi_radio"), _rx_tx("wifi"), "wifi.controller"),
    ActivityRow("wifi", "radio", "scan", 1.0, "wifi_scan", _state("wifi_scan"), _ma("wifi.scan"), "wifi.scan"),
    ActivityRow("bluetooth", "radio", "scan", 0.3, "bluetooth", _state("ble_scan"), _ma("bluetooth.controller.rx"),
                "bluetooth.controller.rx"),
    ActivityRow("gnss", "gnss", "on", 0.6, "gnss", _state("gps"), _ma("gps.on"), "gps.on"),
    ActivityRow("audio", "audio", "on", 0.6, "audio", _state("audio"), _ma("audio"), "audio"),
    ActivityRow("video", "video", "on", 1.5, "video", _state("video"), _ma("video"), "video"),
    ActivityRow("camera", "camera", "on", 2.5, "camera", _state("camera"), _ma("camera.avg"), "camera.avg"),
    ActivityRow("flashlight", "flashlight", "on", 1.5, "flashlight", _state("flashlight"), _ma("camera.flashlight"),
                "camera.flashlight"),
    ActivityRow("sensors", "sensors", "on", 0.3, "sensors", _state("sensor"), _nothing),
)  # fmt: skip
