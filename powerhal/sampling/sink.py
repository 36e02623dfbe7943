"""What the sampler needs of its surroundings: a place for rows, and an assembly of sources."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, Protocol

from powerhal.channel import ActivitySource, Layout, Reading, Scan, Source
from powerhal.transport import Clock


class RowSink(Protocol):
    """What sources write: rows, faults, gaps. Times are ns of the sampler's clock."""

    def reading(self, source: int, t_ns: int, raw: bytes, quality: int = 0) -> None:
        """One row of source number `source`."""
        ...

    def block(self, source: int, times: array[int], raw: bytes, quality: int = 0) -> None:
        """Rows of source number `source` end to end, all of this quality, with their times."""
        ...

    def fault(self, t_ns: int, source: str, kind: str, text: str) -> None:
        """Something went wrong."""
        ...

    def gap(self, source: str, t0_ns: int, t1_ns: int, reason: str) -> None:
        """Time without measurement; source '' means all; reason 'reset': its rows are there but doubtful."""
        ...


class Sink(RowSink, Protocol):
    """Where everything goes; `recording.RecordingWriter` is one."""

    def add_source(self, name: str, layout: Layout, period_s: float) -> int:
        """Register a source; answers its number."""
        ...

    def scan(self, scan: Scan) -> None:
        """One look at all processes."""
        ...

    def clock(self, boot_ns: int, real_ns: int, suspended_ns: int, boot_id: str = "") -> None:
        """A wall-clock side record."""
        ...

    def health(self, source: str, counters: dict[str, Any]) -> None:
        """The latest counters of a source."""
        ...

    def tick(self, now_ns: int, next_ns: int) -> int:
        """Called with the time of the next wake-up; answers when to call again: at the last wake-up before then."""
        ...


class Sampled(Protocol):
    """The part of `board.assembly.Assembly` that sampling needs."""

    @property
    def sources(self) -> Sequence[Source]:
        """Fixed-width sources."""
        ...

    @property
    def activity_sources(self) -> Sequence[ActivitySource]:
        """Sources that answer scans."""
        ...

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...


class Batch(Protocol):
    """Sources that are read together, in one go over one wire: `chips.schedule.BusSchedule` is one."""

    def read(self) -> Sequence[Reading]:
        """One reading of each source, in order; never raises for hardware faults that can pass."""
        ...


class GlancingBatch(Batch, Protocol):
    """A batch that knows at a glance when its rows need no judgement; `chips.schedule.BusSchedule` is one."""

    def glance(self, latest_ns: int) -> int:
        """Read all; the time in ns when every row is as good as the last and not after `latest_ns`, else -1.

        The rows are kept until `take`; after -1 `read` judges what was read.
        """
        ...

    def take(self) -> tuple[array[int], list[tuple[bytes, int]]]:
        """The kept rows: times in ns, and for each source its rows end to end and their quality bits."""
        ...
