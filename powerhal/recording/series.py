"""What a recording holds, as values: sources, series, usages, marks, faults, gaps, and how series are decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from powerhal import kernels
from powerhal.channel import Channel, Layout

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Times = NDArray[np.int64]
    Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """A recorded source: its name, how its rows decode, how often it was read (s)."""

    name: str
    layout: Layout
    period_s: float


@dataclass(frozen=True, slots=True)
class Series:
    """One channel over time: times in ns, values in SI, quality bits, all of length n.

    Rows without a reading are left out; `missing_s` is the time that they and other holes cover.
    `period_s` is the nominal distance of rows. Counters are as read: see `counter_increments`.
    """

    t_ns: Times
    value: Values
    quality: NDArray[np.uint16]
    period_s: float
    missing_s: float

    def __len__(self) -> int:
        return len(self.t_ns)


@dataclass(frozen=True, slots=True)
class UsageTable:
    """What processes did, one row per process, activity and scan: time of the scan in ns, index into
    `Recording.processes`, index into `Recording.activities`, amount since the scan before (s, B, count).
    """

    t_ns: Times
    process: NDArray[np.int32]
    activity: NDArray[np.int32]
    amount: Values


@dataclass(frozen=True, slots=True)
class Mark:
    """A named point in time (ns)."""

    t_ns: int
    text: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that went wrong with a source at `t_ns`; `kind` as in `TransportError.KINDS` or `other`."""

    t_ns: int
    source: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Time that was not measured, by one source or, with source '', by all; why: suspended, storage, ...

    Reason `reset`: the rows of that time exist and carry RESET, because the chip had lost its state.
    """

    source: str
    t0_ns: int
    t1_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """`boot_ns` was the wall-clock time `real_ns`; `suspended_ns` slept since boot; the boot's id."""

    boot_ns: int
    real_ns: int
    suspended_ns: int
    boot_id: str


def decode_channel(
    layout: Layout, channel: Channel, raw: NDArray[np.uint8], quality: NDArray[np.uint16]
) -> tuple[Values, NDArray[np.uint16]]:
    """Values (n,) in SI of a channel from rows (n, row_bytes), and the quality with the rows' own flags."""
    import numpy as np

    wanted = channel.product or (channel.field,)
    names = [*wanted, *(flag.field for flag in layout.flags)]
    by_name = {f.name: f for f in layout.fields}
    fields = [by_name[name] for name in names]
    if not len(raw):
        return np.empty(0), quality
    integers = np.asarray(kernels.decode_fields(np.ascontiguousarray(raw), kernels.field_table(fields)))
    value = np.ones(len(raw))
    for column in range(len(wanted)):
        spec = fields[column]
        whole = spec.nbytes == 8 and not spec.signed and not spec.shift and spec.bits in (0, 64)
        steps = integers[:, column].view(np.uint64) if whole else integers[:, column]
        value = value * (steps * spec.scale + spec.bias)
    marked = quality.copy()
    for column, flag in enumerate(layout.flags, start=len(wanted)):
        bits = integers[:, column]
        raised = np.isin(bits, flag.values) if flag.values else bits != 0
        marked[~raised if flag.when_zero else raised] |= int(flag.quality)
    return value, marked


def missing_seconds(t_ns: Times, period_s: float, span: tuple[int, int]) -> float:
    """Seconds of the run without a reading: what holes between rows exceed 1.5 periods by."""
    import numpy as np

    if not len(t_ns):
        return (span[1] - span[0]) * 1e-9
    steps = np.diff(t_ns, prepend=span[0], append=max(span[1], int(t_ns[-1]))) * 1e-9
    return float(np.sum(np.where(steps > 1.5 * period_s, steps - period_s, 0.0)))
