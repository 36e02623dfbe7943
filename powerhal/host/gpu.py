"""What the GPU did: busy time, time at each frequency, frequency now; the first of three kinds that answers.

kgsl (Qualcomm): `gpu_clock_stats` counts active us per power level, so it gives `gpu.time@HZ` and
`gpu.busy`. v3d (Raspberry Pi): `gpu_stats` counts ns of job run time per queue: `gpu.busy`. devfreq
(Documentation/ABI/testing/sysfs-class-devfreq): `trans_stat` counts ms at each frequency, idle time
included: `gpu.time@HZ` only.
"""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rows import Column, Parse, RowSource, column
from powerhal.transport import FileRoot

KGSL = "/sys/class/kgsl/kgsl-3d0"
DEVFREQ = "/sys/class/devfreq"
DRM = "/sys/class/drm"
GPU_WORDS = ("gpu", "mali", "kgsl", "g3d")


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """One source `gpu`, or none."""
    found = _kgsl(root, context) or _v3d(root, context) or _devfreq(root, context)
    if found is None:
        context.note("no GPU statistics in this kernel: GPU activity is unknown")
        return []
    return [found]


def _kgsl(root: FileRoot, context: HostContext) -> RowSource | None:
    levels = [tree.to_int(w) for w in (tree.text(root, f"{KGSL}/gpu_available_frequencies") or "").split()]
    stats = (tree.text(root, f"{KGSL}/gpu_clock_stats") or "").split()
    hz = [f for f in levels if f]
    # older drivers leave the lowest (sleep) level out of one of the two lists
    n = min(len(hz), len(stats))
    if not n:
        return None
    columns = [*(_time(f) for f in hz[:n]), _busy(1e-6), _frequency(1.0)]

    def parse(contents: Sequence[bytes]) -> list[int | None]:
        us = [tree.to_int(word) for word in contents[0].split()[:n]]
        known = [v for v in us if v is not None]
        return [*us, sum(known) if len(known) == n else None, tree.to_int(contents[1])]

    return _source(root, context, [f"{KGSL}/gpu_clock_stats", f"{KGSL}/gpuclk"], columns, parse)


def _v3d(root: FileRoot, context: HostContext) -> RowSource | None:
    for card in tree.names(root, DRM):
        path = f"{DRM}/{card}/device/gpu_stats"
        if card.startswith("card") and "-" not in card and root.exists(path):
            return _source(root, context, [path], [_busy(1e-9)], _queues)
    return None


def _queues(contents: Sequence[bytes]) -> list[int | None]:
    """Sum of the last column over the queues (header first)."""
    rows = [line.split() for line in contents[0].splitlines()[1:]]
    runtimes = [tree.to_int(words[-1]) for words in rows if len(words) >= 4]
    known = [v for v in runtimes if v is not None]
    return [sum(known) if known else None]


def _devfreq(root: FileRoot, context: HostContext) -> RowSource | None:
    for device in tree.names(root, DEVFREQ):
        folder = f"{DEVFREQ}/{device}"
        if any(word in device.lower() for word in GPU_WORDS) and root.exists(f"{folder}/cur_freq"):
            table = transitions((tree.text(root, f"{folder}/trans_stat") or "").encode())
            hz = sorted(table)
            columns = [*(_time(f, 1e-3) for f in hz), _frequency(1.0)]
            paths = [f"{folder}/trans_stat"] if hz else []
            return _source(root, context, [*paths, f"{folder}/cur_freq"], columns, _residency(hz))
    return None


def transitions(content: bytes) -> dict[int, int]:
    """Hz -> ms of a devfreq `trans_stat` table (the current row is marked with '*')."""
    table: dict[int, int] = {}
    for line in content.splitlines():
        frequency, colon, rest = line.replace(b"*", b" ").partition(b":")
        hz, words = frequency.strip(), rest.split()
        if colon and hz.isdigit() and words and words[-1].isdigit():
            table[int(hz)] = int(words[-1])
    return table


def _residency(hz: Sequence[int]) -> Parse:
    def parse(contents: Sequence[bytes]) -> list[int | None]:
        table = transitions(contents[0]) if hz else {}
        return [*(table.get(f) for f in hz), tree.to_int(contents[-1])]

    return parse


def _source(
    root: FileRoot, context: HostContext, paths: Sequence[str], columns: Sequence[Column], parse: Parse
) -> RowSource:
    return RowSource("gpu", context.period_s("gpu"), root, context.clock, paths, columns=columns, parse=parse)


def _time(hz: int, scale: float = 1e-6) -> Column:
    name = f"gpu.time@{hz}"
    channel = Channel(name, "time", "s", counter=True, activity=name, quality_class="accumulated")
    return column(channel, scale)


def _busy(scale: float) -> Column:
    channel = Channel("gpu.busy", "time", "s", counter=True, activity="gpu.busy", quality_class="accumulated")
    return column(channel, scale)


def _frequency(scale: float) -> Column:
    channel = Channel("gpu.frequency", "frequency", "Hz", activity="gpu.frequency", quality_class="gauge")
    return column(channel, scale)
