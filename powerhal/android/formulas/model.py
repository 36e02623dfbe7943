"""Android's own power formulas as a reference model: from a profile and times to mAh per uid and component.

Each era's calculators (com.android.internal.os.*PowerCalculator, API 21-34) as small functions; every summand is a
`Term` that says whether it is exact or which input is estimated. Powers are those of the profile alone: what a
phone measured (energy consumers, Android 12 and newer) replaces the component's sum, see `measured_mah`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from powerhal.android.formulas.cpu import cpu, idle, wakelocks
from powerhal.android.formulas.inputs import ESTIMATED, EXACT, DeviceTimes, Term, UidTimes, mah
from powerhal.android.formulas.radio import bluetooth, mobile, wifi
from powerhal.android.profile.values import PowerProfile

SCREEN_BINS = 5
LEAST_FOREGROUND_MS = 600_000.0  # below 10 minutes in all the screen is not shared between apps
SCREEN_SHARED_API = 28
DISPLAYS_API = 31

#: Component -> (field of UidTimes, key of the profile, first API level that computes it): a timer times a power.
TIMERS = {
    "audio": ("audio_ms", "audio", 28),
    "video": ("video_ms", "video", 28),
    "camera": ("camera_ms", "camera.avg", 23),
    "flashlight": ("flashlight_ms", "camera.flashlight", 23),
}


@dataclass(frozen=True, slots=True)
class Recomputation:
    """All terms of a dump, and sums of them."""

    api: int
    terms: tuple[Term, ...]

    def by_uid(self) -> dict[int, float]:
        """mAh of each uid over its components."""
        return _sums((t.uid, t.mah) for t in self.terms if t.uid is not None)

    def components(self, uid: int | None) -> dict[str, float]:
        """mAh by component of a uid, or of the device's own part (None)."""
        return _sums((t.component, t.mah) for t in self.terms if t.uid == uid)

    def devices(self) -> dict[str, float]:
        """mAh by component of the whole device: its own part and all uids; the screen's shares are part of it."""
        own = (t for t in self.terms if t.component != "screen" or t.uid is None)
        return _sums((t.component, t.mah) for t in own)

    def exact_share(self, uid: int) -> float:
        """Part of a uid's mAh whose terms are exact, 0 to 1; 1 when it has none."""
        total = sum(t.mah for t in self.terms if t.uid == uid)
        exact = sum(t.mah for t in self.terms if t.uid == uid and t.status == EXACT)
        return exact / total if total else 1.0

    def document(self) -> dict[str, Any]:
        """Plain data: api, mAh by uid and component, the terms."""
        return {
            "api": self.api,
            "uids": [
                {"uid": uid, "mah": total, "components": self.components(uid), "exact_share": self.exact_share(uid)}
                for uid, total in sorted(self.by_uid().items())
            ],
            "devices": [{"name": name, "mah": total} for name, total in self.devices().items()],
            "terms": [
                {"uid": t.uid, "component": t.component, "part": t.part, "mah": t.mah, "status": t.status, "why": t.why}
                for t in self.terms
            ],
        }


def recompute(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Recomputation:
    """What Android of that API level computes from these times with this profile."""
    return Recomputation(api, tuple(_terms(profile, api, device, uids)))


def measured_mah(energy_uj: int, old_mv: int, new_mv: int) -> float:
    """Charge of a measured energy step at the mean of two battery voltages, in integers as BatteryStatsImpl does."""
    mv = (old_mv + new_mv) // 2
    return ((energy_uj * 1000 + mv // 2) // mv) / 3.6e6 if mv > 0 else 0.0


def share_measured(total_mah: float, proxies: dict[int, float]) -> dict[int, float]:
    """A measured consumer's charge split by each uid's own proxy (foreground, CPU or controller time)."""
    whole = sum(proxies.values())
    return {uid: total_mah * part / whole for uid, part in proxies.items()} if whole > 0 else {}


def _terms(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    for uid in uids:
        yield from cpu(profile, api, uid)
        yield from _timers(profile, api, uid)
        yield from _sensors(profile, device, uid)
    yield from wakelocks(profile, api, device, uids)
    yield from wifi(profile, api, device, uids)
    yield from mobile(profile, api, device, uids)
    yield from bluetooth(profile, device, uids)
    yield from _screen(profile, api, device, uids)
    yield from idle(profile, api, device)
    yield from _rest(profile, api, device)


def _timers(profile: PowerProfile, api: int, uid: UidTimes) -> Iterator[Term]:
    for component, (name, key, since) in TIMERS.items():
        ms = getattr(uid, name)
        if ms and api >= since:
            yield Term(uid.uid, component, "timer", mah(profile.average(key), ms))


def _sensors(profile: PowerProfile, device: DeviceTimes, uid: UidTimes) -> Iterator[Term]:
    if uid.gps_ms:
        yield Term(uid.uid, "gnss", "timer", mah(_gps_ma(profile, device), uid.gps_ms))
    known = [mah(device.sensors_ma[s], ms) for s, ms in uid.sensors_ms.items() if s in device.sensors_ma]
    unknown = len(uid.sensors_ms) - len(known)
    if known or unknown:
        why = f"the current of {unknown} sensors is not known; they count 0" if unknown else ""
        yield Term(uid.uid, "sensors", "timer", sum(known), ESTIMATED if unknown else EXACT, why)


def _gps_ma(profile: PowerProfile, device: DeviceTimes) -> float:
    """`gps.on`, else the powers of the signal qualities weighed by time."""
    given = profile.get("gps.on")
    total_ms = sum(device.gps_quality_ms)
    if given is not None or not total_ms:
        return given or 0.0
    by_quality = enumerate(device.gps_quality_ms)
    return sum(profile.average("gps.signalqualitybased", i) * ms for i, ms in by_quality) / total_ms


def _screen(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """The device's screen, then each app's share of it by the time it was in front."""
    if device.screen_on_ms is None:
        return
    displays = profile.displays() if api >= DISPLAYS_API else 1
    on_ma, full_ma = profile.average("screen.on"), profile.average("screen.full")
    if api >= DISPLAYS_API:
        on_ma = sum(profile.display("screen.on", d) for d in range(displays))
        full_ma = sum(profile.display("screen.full", d) for d in range(displays))
    bins = (mah(full_ma, ms) * (i + 0.5) / SCREEN_BINS for i, ms in enumerate(device.brightness_ms))
    total = mah(on_ma, device.screen_on_ms) + sum(bins)
    status = EXACT if displays == 1 else ESTIMATED
    why = "" if displays == 1 else "the dump prints one display's times; they count for all"
    yield Term(None, "screen", "on", total, status, why)
    front = {u.uid: ms for u in uids if (ms := _front_ms(u)) is not None}
    whole = sum(front.values())
    if api >= SCREEN_SHARED_API and whole >= LEAST_FOREGROUND_MS:
        for uid, ms in front.items():
            if ms:
                yield Term(uid, "screen", "share", total * ms / whole, status, why)


def _front_ms(uid: UidTimes) -> float | None:
    """Time in front: the smaller of process state and activity timer; one of them where only one is known."""
    known = [ms for ms in (uid.top_ms, uid.foreground_activity_ms) if ms is not None]
    return min(known) if known else None


def _rest(profile: PowerProfile, api: int, device: DeviceTimes) -> Iterator[Term]:
    """Phone calls, ambient display, memory."""
    if device.phone_on_ms:
        yield Term(None, "phone", "calls", mah(profile.average("radio.active"), device.phone_on_ms))
    if device.doze_ms:
        ma = profile.display("ambient.on") if api >= DISPLAYS_API else profile.average("ambient.on")
        yield Term(None, "ambient_display", "on", mah(ma, device.doze_ms))
    if any(device.memory_ms):
        by_bucket = (mah(profile.average("memory.bandwidths", i), ms) for i, ms in enumerate(device.memory_ms))
        yield Term(None, "memory", "bandwidth", sum(by_bucket))


def _sums(rows: Iterable[tuple[Any, float]]) -> dict[Any, float]:
    found: dict[Any, float] = {}
    for name, value in rows:
        found[name] = found.get(name, 0.0) + value
    return found
