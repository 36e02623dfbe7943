"""The feature table: what a device of some kind did in a window, as columns of the regression.

One row of `FEATURES` is one column for every device of its kind. A column is a quantity per window
whose coefficient is watts per unit of activity, because the column holds activity * seconds and the
target is joules. `static` columns are what the device draws while nothing is asked of it: the idle
floor. Sources: dynamic power C V^2 f and leakage V e^(T/T0): Weste and Harris, CMOS VLSI Design,
ch. 5; T0 = 40 K near 50 degC for mobile nodes; radio tail states: Balasubramanian et al., IMC 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from powerhal.channel import Device

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LEAK_REFERENCE_C = 50.0
LEAK_SCALE_K = 40.0
TAIL_STAGED_S = 1.0
RAMP_OF_TAIL = 0.1  # way up of a radio that states none: LTE 2 %, 3G 12 %, Wi-Fi 33 % of the tail (Huang, MobiSys 2012)
MAX_OPP_COLUMNS = 6  # without volts, more frequencies than this are described by f and f^3


@dataclass(frozen=True, slots=True)
class Slices:
    """Time of one clocked unit at each frequency: hz (k,), volts (k,) or None, share (n, k) of the window."""

    hz: Floats
    volts: Floats | None
    share: Floats
    known: Bools


@dataclass(frozen=True, slots=True)
class Moving:
    """Seconds of each window (n,) in which the device was awake, seconds of the later stages of its tail, wake-ups.

    Radios fall asleep in stages that draw less and less (RRC states); a tail of TAIL_STAGED_S or more is
    cut into thirds, of which the first counts as awake.
    """

    awake_s: Floats
    stages_s: tuple[Floats, ...]
    wakes: Floats


class Inputs(Protocol):
    """What a feature may ask for one device; None where the recording does not have it.

    Amounts are per window (n,): counters as growth, gauges as mean * seconds. Asking notes where
    the answer is unknown, so that such windows are kept out of the fit.
    """

    device: Device
    seconds: Floats

    def amount(self, role: str) -> Floats | None:
        """What the activity with this role amounted to in each window."""
        ...

    def slices(self) -> Slices | None:
        """The time at each frequency of the device's clock."""
        ...

    def running(self) -> Slices | None:
        """The same of the time in which something ran; of the whole window where the kernel does not count it."""
        ...

    def busy(self) -> Floats | None:
        """Busy seconds of the device (summed over its cores)."""
        ...

    def awake(self) -> Floats | None:
        """Seconds in which at least one process ran on the device's cores, as far as its processes tell."""
        ...

    def celsius(self) -> Floats | None:
        """Mean temperature of the device."""
        ...

    def moving(self) -> Moving | None:
        """When its counters moved or had moved, and how often it woke up."""
        ...


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays for a column: processes by these usages ('{cluster}' and '{device}' filled in; 'a|b': b without a).

    `when`: users of the same scan (`now`), the last users up to then (`last`: tails, delayed writes), or
    the next users (`next`: the way up is owed by who wakes a device), or users
    of a queue whose oldest amounts are served first (`queue`: delayed writes). `alone`: a cost that is there once
    however many run; who runs beside others owes a part of it.
    """

    usages: tuple[str, ...] = ()
    when: str = "now"
    alone: bool = False


Pace = Callable[[Slices], Floats | None]  # (k,), or (m, k) for m columns; None where the clock is not of that sort


@dataclass(frozen=True, slots=True)
class Column:
    """One regressor: its name (`device: feature`), device, static or dynamic, unit of its coefficient, who pays,
    the coefficient's usual mean and standard deviation where there is one, and where it weighs busy seconds by
    their frequency, (Hz, weight) of each."""

    name: str
    device: str
    feature: str
    static: bool
    unit: str
    payer: Payer
    usual: tuple[float, float] | None = None
    pace: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Feature:
    """One column: kind of device, name, static or not, coefficient's unit, who pays, how it is built.

    `build` answers (n,), or (k, n) with one column per frequency, or None where inputs are absent. `usual`:
    mean and standard deviation of the coefficient over devices of the kind, where data sheets agree on one.
    `pace`: what a busy second weighs at each frequency, where `build` is made of that.
    """

    kind: str
    name: str
    static: bool
    unit: str
    payer: Payer
    build: Callable[[Inputs], Floats | None]
    usual: tuple[float, float] | None = None
    pace: Pace | None = None


NOBODY = Payer()
CPU = Payer(("cpu.{cluster}.time",))
CPU_AWAKE = Payer(("cpu.{cluster}.time",), alone=True)
GPU = Payer(("gpu.busy",))
NET = Payer(("net.{device}.bytes|net.bytes",))
NET_TAIL = Payer(("net.{device}.bytes|net.bytes",), "last")
NET_RAMP = Payer(("net.{device}.bytes|net.bytes",), "next")
READS = Payer(("disk.read_bytes",), "queue")
WRITES = Payer(("disk.write_bytes",), "queue")  # the page cache writes later, oldest first
DISK = Payer(("disk.read_bytes", "disk.write_bytes"), "last")
ANY_CPU = Payer(("cpu.*.time",))


def _volts_squared_f(slices: Slices) -> Floats | None:
    return None if slices.volts is None else slices.volts**2 * slices.hz


def _each_frequency(slices: Slices) -> Floats | None:
    """Where volts are unknown and the frequencies are few: a column for each."""
    return None if slices.volts is not None or slices.hz.size > MAX_OPP_COLUMNS else np.eye(slices.hz.size)


def _power_of_f(exponent: int) -> Pace:
    def pace(slices: Slices) -> Floats | None:
        if slices.volts is not None or slices.hz.size <= MAX_OPP_COLUMNS:
            return None
        out: Floats = (slices.hz / 1e9) ** exponent
        return out

    return pace


def _paced(kind: str, name: str, unit: str, payer: Payer, pace: Pace) -> Feature:
    """A row whose column is busy seconds, each weighed by the frequency that it ran at."""

    def build(inputs: Inputs) -> Floats | None:
        busy, slices = inputs.busy(), inputs.running()
        weight = None if busy is None or slices is None else pace(slices)
        if busy is None or slices is None or weight is None:
            return None
        out: Floats = (slices.share @ weight.T).T * busy
        return out

    return Feature(kind, name, False, unit, payer, build, pace=pace)


def _shared_clock(inputs: Inputs) -> Floats | None:
    """The clock tree and caches of a cluster: switching while anything runs on it."""
    awake, slices = inputs.awake(), inputs.running()
    if awake is None or slices is None or slices.volts is None:
        return None
    out: Floats = awake * (slices.share @ (slices.volts**2 * slices.hz))
    return out


def _counted(role: str, volts: bool) -> Callable[[Inputs], Floats | None]:
    """Events of the CPU's own counters; where volts are known each costs as a charge moved at that voltage does."""

    def build(inputs: Inputs) -> Floats | None:
        events, slices = inputs.amount(role), inputs.running()
        known = slices is not None and slices.volts is not None
        if events is None or known != volts:
            return None
        if slices is None or slices.volts is None:
            return events
        out: Floats = events * (slices.share @ slices.volts**2)
        return out

    return build


def _busy_only(inputs: Inputs) -> Floats | None:
    """Busy seconds, where nothing is known of frequencies."""
    return inputs.busy() if inputs.running() is None else None


def _mean_volts(inputs: Inputs) -> Floats | None:
    slices = inputs.slices()
    if slices is None or slices.volts is None:
        return None
    out: Floats = slices.share @ slices.volts
    return out


def _volts(inputs: Inputs) -> Floats | None:
    volts = _mean_volts(inputs)
    return None if volts is None else volts * inputs.seconds


def _volts_leak(inputs: Inputs) -> Floats | None:
    volts, celsius = _mean_volts(inputs), inputs.celsius()
    if volts is None or celsius is None:
        return None
    out: Floats = volts * inputs.seconds * np.exp((celsius - LEAK_REFERENCE_C) / LEAK_SCALE_K)
    return out


def _steep_leak(inputs: Inputs) -> Floats | None:
    """Leakage at high voltage: drain-induced barrier lowering makes it steeper than V."""
    slices, celsius = inputs.slices(), inputs.celsius()
    if slices is None or slices.volts is None or celsius is None:
        return None
    out: Floats = (
        (slices.share @ slices.volts**3) * inputs.seconds * np.exp((celsius - LEAK_REFERENCE_C) / LEAK_SCALE_K)
    )
    return out


def _leak(inputs: Inputs) -> Floats | None:
    """Leakage where volts are unknown but temperature is."""
    celsius = inputs.celsius()
    if celsius is None or _mean_volts(inputs) is not None:
        return None
    out: Floats = inputs.seconds * np.exp((celsius - LEAK_REFERENCE_C) / LEAK_SCALE_K)
    return out


def _amount(role: str) -> Callable[[Inputs], Floats | None]:
    return lambda inputs: inputs.amount(role)


def _on(inputs: Inputs) -> Floats | None:
    return inputs.amount("on")


def _bright(inputs: Inputs) -> Floats | None:
    """Brightness * seconds while on (brightness is 0 or stale when the panel is off)."""
    bright, on = inputs.amount("brightness"), inputs.amount("on")
    if bright is None:
        return None
    return bright if on is None else bright * on / inputs.seconds


def _luminous(inputs: Inputs) -> Floats | None:
    """Brightness * luminance of the picture * seconds."""
    bright, luminance = _bright(inputs), inputs.amount("luminance")
    return None if bright is None or luminance is None else bright * luminance / inputs.seconds


def _awake(inputs: Inputs) -> Floats | None:
    """Awake seconds: what moving bytes draws beyond that is in the cost of a byte."""
    found = inputs.moving()
    return None if found is None else found.awake_s


def _stage(number: int) -> Callable[[Inputs], Floats | None]:
    def build(inputs: Inputs) -> Floats | None:
        found = inputs.moving()
        return None if found is None or len(found.stages_s) <= number else found.stages_s[number]

    return build


def _wakes(inputs: Inputs) -> Floats | None:
    """Wake-ups: a burst after the tail had ended pays for the way up, spread over the time that takes."""
    found = inputs.moving()
    return None if found is None else found.wakes


def _disk_busy(inputs: Inputs) -> Floats | None:
    """Busy seconds, where bytes are unknown: with both, one is the other's multiple."""
    known = [inputs.amount(role) for role in ("read_bytes", "write_bytes", "bytes")]
    return inputs.amount("busy") if all(k is None for k in known) else None


def _constant(inputs: Inputs) -> Floats | None:
    return inputs.seconds.copy()


# Flash storage, active over idle power by rate (eMMC 5.1: 0.2 to 0.5 W at 100 to 300 MB/s read, 50 to 150
# MB/s written; UFS: less per byte): nanojoules a byte, known to a factor of two.
FEATURES: tuple[Feature, ...] = (
    _paced("cpu", "V²f", "W/(Hz V²)", CPU, _volts_squared_f),
    _paced("cpu", "busy@", "W", CPU, _each_frequency),
    _paced("cpu", "f", "W/GHz", CPU, _power_of_f(1)),
    _paced("cpu", "f³", "W/GHz³", CPU, _power_of_f(3)),
    Feature("cpu", "busy", False, "W", CPU, _busy_only),
    Feature("cpu", "V²f awake", False, "W/(Hz V²)", CPU_AWAKE, _shared_clock),
    *(
        Feature("cpu", f"{'V² ' * volts}{name}", False, "J/V²" if volts else "J", CPU, _counted(role, volts))
        for role, name in (("instructions", "instructions"), ("cache_misses", "cache misses"))
        for volts in (True, False)
    ),
    Feature("cpu", "V", True, "W/V", NOBODY, _volts),
    Feature("cpu", "V e^T", True, "W/V", NOBODY, _volts_leak),
    Feature("cpu", "V³ e^T", True, "W/V³", NOBODY, _steep_leak),
    Feature("cpu", "e^T", True, "W", NOBODY, _leak),
    _paced("gpu", "V²f", "W/(Hz V²)", GPU, _volts_squared_f),
    _paced("gpu", "busy@", "W", GPU, _each_frequency),
    _paced("gpu", "f", "W/GHz", GPU, _power_of_f(1)),
    _paced("gpu", "f³", "W/GHz³", GPU, _power_of_f(3)),
    Feature("gpu", "busy", False, "W", GPU, _busy_only),
    Feature("gpu", "V e^T", True, "W/V", NOBODY, _volts_leak),
    Feature("gpu", "e^T", True, "W", NOBODY, _leak),
    Feature("display", "on", False, "W", NOBODY, _on),
    Feature("display", "brightness", False, "W", NOBODY, _bright),
    Feature("display", "luminance", False, "W", NOBODY, _luminous),
    Feature("radio", "on", True, "W", NOBODY, _on),
    Feature("radio", "rx bytes", False, "J/B", NET, _amount("rx_bytes")),
    Feature("radio", "tx bytes", False, "J/B", NET, _amount("tx_bytes")),
    Feature("radio", "bytes", False, "J/B", NET, _amount("bytes")),
    Feature("radio", "awake", False, "W", NET_TAIL, _awake),
    Feature("radio", "tail 2", False, "W", NET_TAIL, _stage(0)),
    Feature("radio", "tail 3", False, "W", NET_TAIL, _stage(1)),
    Feature("radio", "wake-ups", False, "J", NET_RAMP, _wakes),
    Feature("storage", "read bytes", False, "J/B", READS, _amount("read_bytes"), (1.5e-9, 1.5e-9)),
    Feature("storage", "write bytes", False, "J/B", WRITES, _amount("write_bytes"), (5e-9, 5e-9)),
    Feature("storage", "bytes", False, "J/B", DISK, _amount("bytes")),
    Feature("storage", "busy", False, "W", DISK, _disk_busy),
    Feature("memory", "bytes", False, "J/B", ANY_CPU, _amount("bytes")),
    Feature("memory", "refills", False, "J", ANY_CPU, _amount("refills")),
    Feature("memory", "busy", False, "W", ANY_CPU, _amount("busy")),
    Feature("base", "constant", True, "W", NOBODY, _constant),
)


def columns_of(kind: str) -> tuple[Feature, ...]:
    """The rows for a kind of device; a kind that the table lacks is `custom` (one column an activity)."""
    return tuple(f for f in FEATURES if f.kind == kind)


def custom_features(activities: Mapping[str, str]) -> tuple[Feature, ...]:
    """One dynamic column for each activity of a device whose kind has no rows of its own."""
    return tuple(Feature("custom", role, False, "W", NOBODY, _amount(role)) for role in activities)


# How to make a device's own share visible, by kind: used when a group cannot be told apart.
EXPERIMENTS: dict[str, str] = {
    "cpu": "run one busy program at two fixed frequencies, then let it rest",
    "gpu": "draw something heavy for 10 s while nothing else changes",
    "display": "switch the display off for 10 s, then show two brightness levels",
    "radio": "send data for 10 s and then stay silent for 20 s while the CPU rests",
    "storage": "write and read a large file for 10 s while nothing else changes",
    "memory": "run a program that streams through memory, then one that only computes",
    "base": "let it rest for 20 s",
    "idle": "let it rest for 20 s with everything off that can be off",
}
