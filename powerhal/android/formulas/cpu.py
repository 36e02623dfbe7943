"""CPU, wake locks and idle: CpuPowerCalculator, WakelockPowerCalculator, IdlePowerCalculator of each era."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from powerhal.android.formulas.inputs import ESTIMATED, EXACT, DeviceTimes, Term, UidTimes, mah
from powerhal.android.profile.values import CpuCluster, PowerProfile

ROOT_UID = 0
_PROXY = "a check-in dump does not print it; the sum of the times at each speed stands for it (an upper bound)"
_UNKNOWN_SPEEDS = "the time at each speed is not printed; all speeds count alike"


def split_speeds(khz: Sequence[float]) -> list[int]:
    """Speeds per cluster of a `gcf` line, which prints all clusters in one row: a new one begins where it falls."""
    counts: list[int] = []
    for i, speed in enumerate(khz):
        if not counts or speed <= khz[i - 1]:
            counts.append(0)
        counts[-1] += 1
    return counts


def by_cluster(times: Sequence[float], counts: Sequence[int]) -> tuple[tuple[float, ...], ...] | None:
    """One row of times as rows per cluster; None when the lengths do not agree (the platform drops such a term)."""
    if len(times) != sum(counts):
        return None
    ends = [sum(counts[: i + 1]) for i in range(len(counts))]
    return tuple(tuple(times[end - n : end]) for n, end in zip(counts, ends, strict=True))


def cpu(profile: PowerProfile, api: int, uid: UidTimes) -> Iterator[Term]:
    """CPU terms of a uid; a term whose arrays do not fit the profile is dropped, as the platform does."""
    if api >= 28:
        yield from _cpu_cores(profile, uid)
    else:
        yield from _cpu_speeds(profile, api, uid)


def wakelocks(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """Each uid's partial wake locks; what else kept the phone awake with the screen off is root's."""
    ma = profile.average("cpu.idle" if api >= 28 else "cpu.awake")
    held_ms = 0.0
    for uid in uids:
        if uid.wakelock_ms:
            held_ms += uid.wakelock_ms
            yield Term(uid.uid, "wakelock", "partial", mah(ma, uid.wakelock_ms))
    if device.uptime_ms is not None and device.screen_on_ms is not None:
        rest_ms = max(0.0, device.uptime_ms - device.screen_on_ms - held_ms)
        yield Term(ROOT_UID, "wakelock", "rest", mah(ma, rest_ms))


def idle(profile: PowerProfile, api: int, device: DeviceTimes) -> Iterator[Term]:
    """The base: suspended all the time, awake on top."""
    base, awake = ("cpu.suspend", "cpu.idle") if api >= 28 else ("cpu.idle", "cpu.awake")
    status, why = (ESTIMATED, "which names Android 9 reads is from memory") if api == 28 else (EXACT, "")
    if device.realtime_ms is not None:
        yield Term(None, "idle", base, mah(profile.average(base), device.realtime_ms), status, why)
    if device.uptime_ms is not None:
        yield Term(None, "idle", awake, mah(profile.average(awake), device.uptime_ms), status, why)


def _cpu_cores(profile: PowerProfile, uid: UidTimes) -> Iterator[Term]:
    clusters = profile.clusters(28)
    speeds = uid.cpu_speed_ms
    if speeds is not None and _fits(speeds, clusters):
        ms = sum(
            mah(ma, t)
            for c, times in zip(clusters, speeds, strict=True)
            for ma, t in zip(c.core_ma, times, strict=True)
        )
        yield Term(uid.uid, "cpu", "speeds", ms)
    total_ms = None if speeds is None else sum(map(sum, speeds))
    active_ms, status, why = _or_proxy(uid.cpu_active_ms, total_ms)
    if active_ms is not None:
        yield Term(uid.uid, "cpu", "active", mah(profile.average("cpu.active"), active_ms), status, why)
    own = uid.cpu_cluster_ms
    proxies = None if speeds is None or len(speeds) != len(clusters) else tuple(map(sum, speeds))
    for i, cluster in enumerate(clusters):
        known = own[i] if own is not None and len(own) == len(clusters) else None
        if own is not None and known is None:
            return
        ms_in, status, why = _or_proxy(known, None if proxies is None else proxies[i])
        if ms_in is not None:
            yield Term(uid.uid, "cpu", f"cluster{i}", mah(cluster.cluster_ma or 0.0, ms_in), status, why)


def _or_proxy(known: float | None, proxy: float | None) -> tuple[float | None, str, str]:
    return (known, EXACT, "") if known is not None else (proxy, ESTIMATED, _PROXY)


def _cpu_speeds(profile: PowerProfile, api: int, uid: UidTimes) -> Iterator[Term]:
    """Android 8 and older: time at each speed; up to 6 the CPU time is at least the foreground time."""
    clusters = profile.clusters(24 if api >= 24 else 21)
    speeds = uid.cpu_speed_ms
    total_ms = uid.cpu_ms
    if total_ms is not None and api < 24:
        total_ms = max(total_ms, uid.cpu_foreground_ms or 0.0)
    if speeds is not None and _fits(speeds, clusters):
        weighed = sum(
            ma * t for c, times in zip(clusters, speeds, strict=True) for ma, t in zip(c.core_ma, times, strict=True)
        )
        if api >= 24:
            yield Term(uid.uid, "cpu", "speeds", mah(1.0, weighed))
        elif total_ms is not None:
            yield Term(uid.uid, "cpu", "speeds", mah(weighed / max(1.0, sum(map(sum, speeds))), total_ms))
    elif total_ms is not None:
        powers = [ma for c in clusters for ma in c.core_ma]
        mean_ma = sum(powers) / len(powers) if powers else 0.0
        yield Term(uid.uid, "cpu", "speeds", mah(mean_ma, total_ms), ESTIMATED, _UNKNOWN_SPEEDS)


def _fits(speeds: Sequence[Sequence[float]], clusters: Sequence[CpuCluster]) -> bool:
    """The platform uses the times only when there are as many as the profile has powers."""
    return [len(times) for times in speeds] == [len(c.core_ma) for c in clusters]
