"""Which channels measure a rail, and its energy in every window with what the sensor cannot see.

A rail may be measured several ways; the best is taken, by the order of `WAYS`, and the ledger says
which; what is only inferred counts when nothing measures the rail. The variance stated here is what
differs from window to window (steps, skew); the gain error of the sensor is the same in all windows and
is carried separately (`RailEnergy.accuracy`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.observed.sensed import Sensed
from powerhal.attribution.observed.windows import REFUSED, Integral, counter_growth, gauge_mean, integrate
from powerhal.channel import Channel, Quality
from powerhal.recording.counters import Increments, counter_increments

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CLASSES = ("accumulated", "measured", "gauge", "inferred")  # `estimated` values are never energy
CLASS_ACCURACY = {"accumulated": 0.01, "measured": 0.01, "gauge": 0.02, "inferred": 0.05}
# A data sheet's limits are not standard deviations. Where makers print both, the limit is three to five
# times the typical (1 sigma) error: INA226 (SBOS547) 10 uV to 2.5 uV, INA3221 (SBOS576) 80 uV to 20 uV.
LIMIT_SIGMAS = 3.0
# The limits of an inferred channel are a guess about cell and model: anywhere between them alike.
GUESS_SIGMAS = 3.0**0.5
HOLD_STEPS = 2.0  # so many steps back are a gauge that dithers or a cell that recovers; more is charging
RANK = {"accumulated": 0, "measured": 0, "gauge": 1, "inferred": 2}


@dataclass(frozen=True, slots=True)
class RailEnergy:
    """How a rail is measured: `way` of `WAYS`, its channels, LSB in SI, period, and the sensor's own errors.

    average_s: every reading is a mean over this long; a converter that runs by itself finished it up to
    as long before it was read, so a reading was true `average_s` ago, give or take average_s / sqrt(12).

    gain_sd: relative standard deviation of its gain; offset_w: standard deviation of its offset in W.
    sensed: what is known of a slow sensor's window and lag (None: it is fast); it then says when a reading was true.
    """

    rail: str
    way: str
    channels: tuple[str, ...]
    quality_class: str
    lsb: float
    period_s: float
    average_s: float
    skew_s: float
    gain_sd: float
    offset_w: float
    sensed: Sensed | None = None

    @property
    def delay_s(self) -> float:
        """How long before its time stamp a reading was true in the middle."""
        return self.sensed.delay_s if self.sensed is not None and self.sensed.matched else self.average_s

    @property
    def unsharp_s2(self) -> float:
        """Variance of that time, s^2."""
        return (
            self.sensed.delay_sd_s**2 if self.sensed is not None and self.sensed.matched else self.average_s**2 / 12.0
        )


@dataclass(frozen=True, slots=True)
class Watched:
    """Energy of one rail in each window (n,): J over the watched seconds, variance of the noise in J^2.

    `bound`: a saturated sample makes that window's energy a lower bound. `blur_j2` (n+1,): variance of what
    an unsharp edge moves from one side of it to the other.
    """

    energy_j: Floats
    covered_s: Floats
    noise_j2: Floats
    bound: Bools
    blur_j2: Floats


def choices(recording: Any) -> tuple[RailEnergy, ...]:
    """The best way to measure each rail that can be measured, in the order of the rail tree."""
    topology = recording.topology
    by_rail: dict[str, list[Channel]] = {}
    for channel in recording.channels.values():
        # A rail may be counted in a channel's own name only: host sources name channels RAIL.quantity.
        if channel.rail and channel.quality_class in CLASSES:
            by_rail.setdefault(channel.rail, []).append(channel)
    period = {c.name: s.period_s for s in recording.sources for c in s.layout.channels}
    owner = {c.name: s.name for s in recording.sources for c in s.layout.channels}
    found: list[RailEnergy] = []
    for rail in topology.rails:
        options = [o for way in WAYS.values() for o in way.find(rail.name, by_rail.get(rail.name, []), period, owner)]
        order = list(WAYS)
        options.sort(key=lambda o: (RANK[o.quality_class], order.index(o.way)))
        usable = (o for o in options if len(recording.series(o.channels[0])) >= 2)
        if (best := next(usable, None)) is not None:
            found.append(_with_errors(recording, best))
    if all(rail.quality_class == "inferred" for rail in found):
        return tuple(found)
    # A charged battery hides its load: the other rails' windows are worth more than what is left of it.
    return tuple(r for r in found if r.quality_class != "inferred" or not _charged(recording, r))


def _charged(recording: Any, rail: RailEnergy) -> bool:
    """Whether an inferred rail says somewhere that the battery is charged."""
    if recording.channels[rail.channels[0]].counter:
        return bool(np.isnan(_discharges(recording, rail.channels[0]).amount).any())
    return bool((np.asarray(recording.series(rail.channels[0]).value) < 0.0).any())


def _with_errors(recording: Any, rail: RailEnergy) -> RailEnergy:
    """The rail's gain and offset errors from the limits of its channels, a product's from its factors'."""
    parts = [recording.channels[name] for name in rail.channels]
    if len(parts) == 1 and parts[0].product:
        parts = _factors(recording, parts[0]) or parts
    means = [abs(_mean(recording, c.name)) for c in parts]
    gain = sum(c.accuracy**2 for c in parts) or CLASS_ACCURACY[rail.quality_class] ** 2
    offset_w = 0.0
    for c, mean in zip(parts, means, strict=True):
        others = float(np.prod([m for m, o in zip(means, parts, strict=True) if o is not c]))
        if c.quantity == "voltage" and len(parts) > 1:  # an offset of volts scales with the current: a gain
            gain += (c.offset / mean) ** 2 if mean > 0 else 0.0
        elif not c.counter:
            offset_w += c.offset * others
    sigmas = GUESS_SIGMAS if rail.quality_class == "inferred" else LIMIT_SIGMAS
    return replace(rail, gain_sd=float(np.sqrt(gain)) / sigmas, offset_w=offset_w / sigmas)


def _mean(recording: Any, name: str) -> float:
    """Mean of a channel's finite readings, 0 when there are none."""
    value = np.asarray(recording.series(name).value, dtype=np.float64)
    value = value[np.isfinite(value)]
    return float(value.mean()) if value.size else 0.0


def _factors(recording: Any, product: Channel) -> list[Channel]:
    """The channels whose fields a product channel multiplies."""
    return [
        c for s in recording.sources if product in s.layout.channels
        for c in s.layout.channels if c.field in product.product and not c.product
    ]  # fmt: skip


def measure(recording: Any, rail: RailEnergy, edges: Ints) -> Watched:
    """Energy of a rail between the edges."""
    return WAYS[rail.way].measure(recording, rail, edges)


def readings(recording: Any, rail: RailEnergy) -> tuple[Ints, Floats]:
    """Times (n,) ns and watts (n,) of a sampled rail's good readings, each once; none of a rail that is counted."""
    if rail.way not in SAMPLED:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    first, *others = (recording.series(name) for name in rail.channels)
    watts = np.asarray(first.value, dtype=np.float64)
    for volts in others:
        watts = watts * (np.interp(first.t_ns, volts.t_ns, volts.value) if len(volts) else np.nan)
    good = np.isfinite(watts) & ((first.quality.astype(np.int64) & (REFUSED | int(Quality.STALE))) == 0)
    return np.asarray(first.t_ns, dtype=np.int64)[good], watts[good]


def increments(recording: Any, name: str) -> Increments:
    """Steps of a recorded counter, modular across wraps, NaN across resets."""
    channel: Channel = recording.channels[name]
    fields = (f for s in recording.sources if channel in s.layout.channels for f in s.layout.fields)
    field = next((f for f in fields if f.name == channel.field), None)
    return counter_increments(recording.series(name), channel, field=field)


# -- ways ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """One way to measure a rail: how its channels are found and how a window's energy is taken."""

    find: Callable[[str, list[Channel], Mapping[str, float], Mapping[str, str]], list[RailEnergy]]
    measure: Callable[[Any, RailEnergy, Ints], Watched]


def _rail(rail: str, way: str, parts: tuple[Channel, ...], period_s: float) -> RailEnergy:
    """A way to measure a rail; the LSB is the first part's, errors are filled in for the one that is taken."""
    worst = max(parts, key=lambda c: CLASSES.index(c.quality_class)).quality_class
    return RailEnergy(
        rail, way, tuple(c.name for c in parts), worst, parts[0].lsb, period_s,
        max(c.window_s for c in parts), max(c.skew_s for c in parts), 0.0, 0.0,
    )  # fmt: skip


def _single(way: str, quantity: str, counter: bool) -> Callable[..., list[RailEnergy]]:
    def find(
        rail: str, channels: list[Channel], period: Mapping[str, float], owner: Mapping[str, str]
    ) -> list[RailEnergy]:
        wanted = (c for c in channels if c.quantity == quantity and c.counter == counter)
        return [_rail(rail, way, (c,), period[c.name]) for c in wanted]

    return find


def _paired(way: str, quantity: str, counter: bool) -> Callable[..., list[RailEnergy]]:
    def find(
        rail: str, channels: list[Channel], period: Mapping[str, float], owner: Mapping[str, str]
    ) -> list[RailEnergy]:
        volts = [c for c in channels if c.quantity == "voltage"]
        wanted = [c for c in channels if c.quantity == quantity and c.counter == counter]
        # Volts of the same source were read at the same time; another source's are the second choice.
        out = []
        for c in wanted:
            near = sorted(volts, key=lambda v: (owner[v.name] != owner[c.name], v.accuracy))
            out += [_rail(rail, way, (c, near[0]), period[c.name])] if near else []
        return out

    return find


def _from_energy_counter(recording: Any, rail: RailEnergy, edges: Ints) -> Watched:
    guessed = rail.quality_class == "inferred"
    steps = (_discharges if guessed else increments)(recording, rail.channels[0])
    growth, known = counter_growth(steps, edges)
    seconds = np.diff(edges) / 1e9
    noise = np.full(growth.size, rail.lsb**2 / 6.0) + _unfollowed(growth, rail)
    return Watched(
        np.where(known, growth, 0.0),
        np.where(known, seconds, 0.0),
        noise,
        np.zeros(growth.size, dtype=np.bool_),
        np.zeros(edges.size),
    )


def _discharges(recording: Any, name: str) -> Increments:
    """Steps of an inferred counter: none while it dithers below its peak, NaN while the battery is charged.

    A counter that falls by more than `HOLD_STEPS` steps says nothing about the load from its peak to its lowest
    point: growth counts again from there.
    """
    series, channel = recording.series(name), recording.channels[name]
    value = np.asarray(series.value, dtype=np.float64)
    reset = (series.quality & int(Quality.RESET)) != 0
    reset |= ~np.isfinite(value)
    reset[1:] |= ~np.isfinite(value[:-1])
    amount = np.zeros(max(0, value.size - 1))
    hold = (HOLD_STEPS + 0.5) * channel.lsb
    peak, at, falling = (float(value[0]) if value.size else 0.0), 0, False
    for k in range(1, value.size):
        now = float(value[k])
        if reset[k]:
            amount[k - 1], peak, at, falling = np.nan, now, k, False
        elif now > peak + hold * falling or (now >= peak and not falling):
            amount[k - 1] = now - peak
            peak, at, falling = now, k, False
        elif now < peak - hold * (not falling):
            amount[at:k] = np.nan
            peak, at, falling = now, k, True
    flags = series.quality[1:] | np.where(np.isnan(amount), int(Quality.RESET), 0)
    return Increments(series.t_ns[:-1], series.t_ns[1:], amount, flags.astype(np.uint16))


def _unfollowed(energy_j: Floats, rail: RailEnergy) -> Floats:
    """Variance of what a gauge's model, which is slow, does not follow from window to window."""
    return (rail.gain_sd * energy_j) ** 2 if rail.quality_class == "inferred" else np.zeros(energy_j.size)


def _from_charge_counter(recording: Any, rail: RailEnergy, edges: Ints) -> Watched:
    growth, known = counter_growth(increments(recording, rail.channels[0]), edges)
    series = recording.series(rail.channels[1])
    volts, voltage_known = gauge_mean(series.t_ns, series.value, edges, series.period_s)
    known &= voltage_known
    seconds = np.diff(edges) / 1e9
    noise = volts**2 * rail.lsb**2 / 6.0
    return Watched(
        np.where(known, growth * volts, 0.0),
        np.where(known, seconds, 0.0),
        noise,
        np.zeros(growth.size, dtype=np.bool_),
        np.zeros(edges.size),
    )


def _from_power(recording: Any, rail: RailEnergy, edges: Ints) -> Watched:
    series = recording.series(rail.channels[0])
    whole = integrate(series.t_ns, series.value, series.quality, edges, period_s=rail.period_s, lag_s=rail.delay_s)
    step = rail.lsb or _product_step(recording, rail.channels[0])
    seen = _noisy(whole, series.value, (series.t_ns, edges), rail, step)
    if rail.quality_class not in ("inferred", "gauge"):
        return seen
    # A battery that is charged says nothing about what the load takes: such windows were not watched.
    drawn = _drawn(series, edges)
    energy, covered = np.where(drawn, seen.energy_j, 0.0), np.where(drawn, seen.covered_s, 0.0)
    return replace(seen, energy_j=energy, covered_s=covered, noise_j2=seen.noise_j2 + _unfollowed(energy, rail))


def _drawn(series: Any, edges: Ints) -> Bools:
    """Windows in which no reading, from the last before to the first after, says that the battery is charged."""
    charging = np.concatenate(([0], np.cumsum(series.value < 0.0)))
    first = np.maximum(np.searchsorted(series.t_ns, edges[:-1], side="right") - 1, 0)
    last = np.minimum(np.searchsorted(series.t_ns, edges[1:], side="left") + 1, len(series))
    return np.asarray(charging[last] == charging[first], dtype=np.bool_)


def _product_step(recording: Any, name: str) -> float:
    """Step of a product channel in SI: what its factors' steps make of it at their means."""
    channel: Channel = recording.channels[name]
    factors = _factors(recording, channel)
    means = [abs(_mean(recording, c.name)) for c in factors]
    whole = float(np.prod(means))
    return float(np.sqrt(sum((c.lsb * whole / m) ** 2 for c, m in zip(factors, means, strict=True) if m > 0)))


def _from_volts_amps(recording: Any, rail: RailEnergy, edges: Ints) -> Watched:
    amps, volts = (recording.series(name) for name in rail.channels)
    at = np.interp(amps.t_ns, volts.t_ns, volts.value) if len(volts) else np.full(len(amps), np.nan)
    power = amps.value * at
    whole = integrate(amps.t_ns, power, amps.quality, edges, period_s=rail.period_s, lag_s=rail.delay_s)
    return _noisy(whole, power, (amps.t_ns, edges), rail, rail.lsb * float(np.nanmean(at)) if len(volts) else rail.lsb)


def _noisy(whole: Integral, power: Floats, times: tuple[Ints, Ints], rail: RailEnergy, lsb_w: float) -> Watched:
    """Noise of a sampled window: rounding, what went on between the averages, and edges that are not sharp.

    A reading's time is only known to within the average, so a step of power at a window's edge falls on
    one side or the other; in steady stretches that costs nothing.
    """
    (t_ns, edges), real = times, np.isfinite(power)
    t_ns, power = t_ns[real], power[real]
    if power.size < 2:
        return Watched(whole.value, whole.covered_s, np.zeros(edges.size - 1), whole.bound, np.zeros(edges.size))
    steps = np.abs(np.diff(power, prepend=power[:1]))
    before, after = (power[np.clip(np.searchsorted(t_ns, edges) + k, 0, power.size - 1)] for k in (-1, 1))
    blur = (after - before) ** 2 * rail.unsharp_s2
    unseen = max(0.0, 1.0 - rail.average_s / rail.period_s) if rail.average_s > 0 and rail.period_s > 0 else 0.0
    place = np.clip(np.searchsorted(edges, t_ns, side="right") - 1, 0, edges.size - 2)
    count = np.maximum(np.bincount(place, minlength=edges.size - 1), 1)
    restless = np.bincount(place, steps**2, minlength=edges.size - 1) / count / 2.0
    variance = lsb_w**2 / 12.0 + unseen * restless
    return Watched(whole.value, whole.covered_s, whole.weight_s2 * variance, whole.bound, blur)


SAMPLED = ("power", "volts and amperes")  # ways whose readings average; a counter adds up and forgets nothing
WAYS: dict[str, Way] = {
    "energy counter": Way(_single("energy counter", "energy", True), _from_energy_counter),
    "power": Way(_single("power", "power", False), _from_power),
    "volts and amperes": Way(_paired("volts and amperes", "current", False), _from_volts_amps),
    "charge counter": Way(_paired("charge counter", "charge", True), _from_charge_counter),
}
