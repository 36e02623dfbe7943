"""The times that Android's formulas need, collected from the records of a check-in dump.

What a check-in line does not print (CPU active and cluster times, modem sleep, sensor currents) stays None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from powerhal.android.checkin.lines import Record
from powerhal.android.formulas.cpu import by_cluster, split_speeds
from powerhal.android.formulas.inputs import Controller, DeviceTimes, UidTimes
from powerhal.android.formulas.model import Recomputation, recompute
from powerhal.android.parse import read
from powerhal.android.profile.values import PowerProfile
from powerhal.errors import FileError, NotEnoughData

GPS_SENSOR = -10_000


@dataclass(slots=True)
class _Times:
    """Times so far; `speeds_khz` is what `gcf` prints, `counts` its speeds per cluster."""

    api: int
    device: DeviceTimes = field(default_factory=DeviceTimes)
    uids: dict[int, UidTimes] = field(default_factory=dict)
    counts: Sequence[int] = ()

    def add(self, record: Record, **values: float | None) -> None:
        """Add to a uid's sums; None adds nothing."""
        uid = self.uids.get(record.uid) or UidTimes(record.uid)
        self.put(record, **{k: (getattr(uid, k) or 0) + v for k, v in values.items() if v is not None})

    def put(self, record: Record, **values: object) -> None:
        """Set fields of a uid."""
        uid = self.uids.get(record.uid) or UidTimes(record.uid)
        self.uids[record.uid] = replace(uid, **values)  # type: ignore[arg-type]


def times_of(records: Iterable[Record], api: int, window: str = "l") -> tuple[DeviceTimes, list[UidTimes]]:
    """Device and uid times of one window of a dump, for `formulas.recompute`; uids in order of first appearance.

    Full uids, never merged between users. The rows of a dump may come in any order.
    """
    rows = [r for r in records if r.window == window and r.code in _TAKE]
    times = _Times(api)
    for record in sorted(rows, key=lambda r: r.code != "gcf"):  # speeds first: they tell the clusters apart
        _TAKE[record.code](times, record)
    order = {uid: n for n, uid in enumerate(dict.fromkeys(r.uid for r in rows))}
    return times.device, sorted(times.uids.values(), key=lambda u: order[u.uid])


def recompute_dump(profile: PowerProfile, path: str, api: int | None = None) -> tuple[Recomputation, dict[int, float]]:
    """A check-in dump's mAh by Android's formulas, and the mAh by uid that the dump itself prints.

    api: whose formulas; default the dump's own. Raises NotEnoughData when the file holds no check-in statistics,
    FileError when its API level is unknown and none is given, or the file is known to be of another kind.
    """
    dumps = [d for d in read(path).demand().dumps if d.form == "checkin" and d.statistics]
    if not dumps:
        raise NotEnoughData(
            f"{path}: no check-in lines with statistics",
            code="PH-N370",
            hint="take them with `adb shell dumpsys batterystats -c`; the text form does not hold what is needed",
        )
    dump = dumps[0]
    level = api or dump.api or (dump.apis[0] if dump.apis else None)
    if level is None:
        raise FileError(f"{path}: its API level is not known", code="PH-N371", hint="say it with --api")
    device, uids = times_of(dump.records, level, dump.main.window)
    printed = {number: uid.mah for number, uid in dump.main.uids.items() if uid.mah is not None}
    return recompute(profile, level, device, uids), printed


def _plain(record: Record, prefix: str = "") -> tuple[float, ...]:
    """The numbers of a line whose columns begin with a prefix; what is not a number counts as 0."""
    return tuple(record.number(name) or 0 for name, _ in record.items() if name.startswith(prefix))


def _ms(record: Record, name: str) -> float | None:
    """A column printed in us, in ms."""
    us = record.number(name)
    return None if us is None else us / 1000


def _controller(record: Record, reported: bool) -> Controller:
    idle, rx = record.number("idle") or 0, record.number("rx") or 0
    power = record.number("power") if reported else None
    return Controller(idle, rx, _plain(record, "tx"), power or None)


def _both(record: Record, one: str, two: str) -> int | None:
    values = [v for v in (record.number(one), record.number(two)) if v is not None]
    return int(sum(values)) if values else None


def _bt(times: _Times, r: Record) -> None:
    realtime, uptime, doze = (r.number(n) for n in ("battery_realtime", "battery_uptime", "screen_doze"))
    times.device = replace(times.device, realtime_ms=realtime, uptime_ms=uptime, doze_ms=doze)


def _m(times: _Times, r: Record) -> None:
    screen, phone, radio = (r.number(n) for n in ("screen_on", "phone_on", "radio_active"))
    times.device = replace(times.device, screen_on_ms=screen, phone_on_ms=phone, mobile_active_ms=radio)


def _gcf(times: _Times, r: Record) -> None:
    times.counts = split_speeds(_plain(r, "frequency"))


def _ctf(times: _Times, r: Record) -> None:
    """All states' line: n times, then the same with the screen off."""
    if r.get("state") == "A":
        n = int(r.number("frequencies") or 0)
        found = by_cluster(_plain(r, "time")[:n], times.counts or [n])
        times.put(r, cpu_speed_ms=found)


def _device(**fields: Callable[[Record], object]) -> Callable[[_Times, Record], None]:
    def take(times: _Times, r: Record) -> None:
        times.device = replace(times.device, **{name: read(r) for name, read in fields.items()})  # type: ignore[arg-type]

    return take


def _uid(**fields: Callable[[Record], object]) -> Callable[[_Times, Record], None]:
    return lambda times, r: times.put(r, **{name: read(r) for name, read in fields.items()})


def _sum(**fields: Callable[[Record], float | None]) -> Callable[[_Times, Record], None]:
    return lambda times, r: times.add(r, **{name: read(r) for name, read in fields.items()})


def _sensor(times: _Times, r: Record) -> None:
    handle, ms = r.number("sensor"), r.number("time")
    if handle == GPS_SENSOR:
        times.add(r, gps_ms=ms)
    elif handle is not None and ms is not None:
        known = times.uids[r.uid].sensors_ms if r.uid in times.uids else {}
        times.put(r, sensors_ms={**known, int(handle): ms})


def _column(name: str) -> Callable[[Record], float | None]:
    return lambda r: r.number(name)


#: Code -> what is taken from its line.
_TAKE: dict[str, Callable[[_Times, Record], None]] = {
    "bt": _bt,
    "m": _m,
    "gn": _device(mobile_packets=lambda r: _both(r, "mobile_rx_packets", "mobile_tx_packets")),
    "br": _device(brightness_ms=_plain),
    "sgt": _device(signal_ms=_plain),
    "sst": _device(mobile_scanning_ms=_column("scanning")),
    "gwfcd": _device(wifi=lambda r: _controller(r, True)),
    "gble": _device(bluetooth=lambda r: _controller(r, True)),
    "gmcd": _device(modem=lambda r: _controller(r, False)),
    "gcf": _gcf,
    "ctf": _ctf,
    "cpu": _sum(cpu_ms=lambda r: _both(r, "user", "system")),
    "pr": _sum(cpu_foreground_ms=_column("foreground")),
    "wl": _sum(wakelock_ms=_column("partial.time")),
    "st": _uid(top_ms=_column("top")),
    "fg": _uid(foreground_activity_ms=_column("time")),
    "wfcd": _uid(wifi=lambda r: _controller(r, False)),
    "ble": _uid(bluetooth=lambda r: _controller(r, True)),
    "nt": _uid(
        mobile_packets=lambda r: _both(r, "mobile_rx_packets", "mobile_tx_packets"),
        wifi_packets=lambda r: _both(r, "wifi_rx_packets", "wifi_tx_packets"),
        mobile_active_ms=lambda r: _ms(r, "radio_active"),
    ),
    "wfl": _uid(wifi_running_ms=lambda r: _ms(r, "running"), wifi_scan_ms=lambda r: _ms(r, "scan")),
    "sr": _sensor,
    "aud": _uid(audio_ms=_column("time")),
    "vid": _uid(video_ms=_column("time")),
    "cam": _uid(camera_ms=_column("time")),
    "fla": _uid(flashlight_ms=_column("time")),
}
