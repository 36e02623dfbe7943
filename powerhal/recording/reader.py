"""Reading a recording: series in SI, what processes did, and what is known to be wrong with it.

numpy is imported when the first series is asked for; meta data, processes and health come without it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any, Self

from powerhal.channel import Channel, ProcessInfo, Quality, Topology
from powerhal.errors import Problem, RecordingError
from powerhal.recording.chunks import DAMAGE, Chunk, UsageColumns, empty_usage, unpack_rows, unpack_usage
from powerhal.recording.database import Database
from powerhal.recording.schema import layout_from_json, topology_from_json
from powerhal.recording.series import (
    ClockRecord,
    Fault,
    Gap,
    Mark,
    Series,
    SourceInfo,
    UsageTable,
    decode_channel,
    missing_seconds,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from powerhal.recording.series import Times


class Recording:
    """A run on disk, read-only. `problems` lists what could not be read: chunks, tables."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._db = Database(path)
        self.problems: list[Problem] = self._db.problems
        self.meta: dict[str, Any] = {}
        for key, value in self._db.rows("SELECT key, value FROM meta"):
            self.meta[key] = _json(value)
        self.sources: list[SourceInfo] = []
        self._numbers: list[int] = []
        self._read_sources()
        self.channels: dict[str, Channel] = {c.name: c for s in self.sources for c in s.layout.channels}
        self._owner = {c.name: i for i, s in enumerate(self.sources) for c in s.layout.channels}
        self._blocks: dict[int, tuple[Times, NDArray[np.uint16], NDArray[np.uint8]]] = {}

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a `.phr` file; raises RecordingError when it is none or cannot be read."""
        return cls(str(path))

    def close(self) -> None:
        """Close the file; what was loaded stays usable."""
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @cached_property
    def topology(self) -> Topology:
        """The board's rails, clusters and devices; raises RecordingError when the run has none."""
        try:
            return topology_from_json(json.dumps(self.meta["topology"]))
        except (KeyError, TypeError, ValueError) as error:
            raise RecordingError(
                f"{self.path} holds no board topology ({error})", code="PH-R007", hint="record it again"
            ) from error

    @property
    def start_ns(self) -> int:
        """When the run began, ns of CLOCK_BOOTTIME."""
        return self._span[0]

    @property
    def end_ns(self) -> int:
        """When it ended: as written on close, else the last row."""
        return self._span[1]

    @property
    def duration_s(self) -> float:
        """Seconds from start to end, suspend included."""
        return (self.end_ns - self.start_ns) * 1e-9

    @property
    def complete(self) -> bool:
        """Whether the recorder closed the file itself (False: killed or still recording)."""
        return "ended" in self.meta

    @property
    def self_pid(self) -> int:
        """The recorder's own process id, 0 when unknown."""
        return int(self.meta.get("self_pid") or 0)

    @cached_property
    def processes(self) -> list[ProcessInfo]:
        """Every process that was seen, in the order that `usages().process` counts."""
        rows = self._db.rows("SELECT id, pid, start_ticks, ppid, uid, comm, cgroup, kernel FROM process ORDER BY id")
        found = {number: ProcessInfo(*who) for number, *who in rows}
        unknown = ProcessInfo(0, 0, 0, -1, "?")
        return [found.get(i, unknown) for i in range(max(found, default=-1) + 1)]

    @cached_property
    def activities(self) -> list[str]:
        """Names of what processes did, in the order that `usages().activity` counts."""
        rows = dict(self._db.rows("SELECT id, name FROM activity ORDER BY id"))
        return [rows.get(i, "?") for i in range(max(rows, default=-1) + 1)]

    @cached_property
    def marks(self) -> list[Mark]:
        """Named points in time, in order."""
        return [Mark(*row) for row in self._db.rows("SELECT t_ns, text FROM mark ORDER BY t_ns, rowid")]

    @cached_property
    def faults(self) -> list[Fault]:
        """What went wrong while recording, in order (bounded; `health` has all counts)."""
        rows = self._db.rows("SELECT t_ns, source, kind, text FROM fault ORDER BY t_ns, rowid")
        return [Fault(*row) for row in rows]

    @cached_property
    def gaps(self) -> list[Gap]:
        """Declared gaps, in order."""
        rows = self._db.rows("SELECT source, t0_ns, t1_ns, reason FROM gap ORDER BY t0_ns, rowid")
        return [Gap(*row) for row in rows]

    @cached_property
    def clocks(self) -> list[ClockRecord]:
        """Wall-clock side records, in order."""
        rows = self._db.rows("SELECT boot_ns, real_ns, suspended_ns, boot_id FROM clock ORDER BY boot_ns")
        return [ClockRecord(*row) for row in rows]

    @cached_property
    def health(self) -> dict[str, dict[str, Any]]:
        """Counters per source: samples, missing, late, missed, stale, saturated, resets, faults by kind."""
        return {name: _json(text) for name, text in self._db.rows("SELECT source, counters FROM health")}

    @cached_property
    def row_counts(self) -> list[int]:
        """Rows of each source of `sources` in the file, flagged ones included; no row is decoded."""
        counts = dict(self._db.rows("SELECT source, sum(n) FROM chunk GROUP BY source"))
        return [int(counts.get(number) or 0) for number in self._numbers]

    def series(self, channel: str) -> Series:
        """One channel's readings in SI; raises LookupError for a name that was not recorded.

        Products are the product of their fields. The quality is the row's, with what the row's own
        flag bits say. n is 0 when nothing was read.
        """
        info, index = self._source_of(channel), self._owner[channel]
        t_ns, quality, raw = self._block(index)
        there = (quality & int(Quality.MISSING)) == 0
        value, marked = decode_channel(info.layout, self.channels[channel], raw[there], quality[there])
        t_good = t_ns[there]
        missing_s = missing_seconds(t_good, info.period_s, (self.start_ns, self.end_ns))
        return Series(t_good, value, marked, info.period_s, missing_s)

    def period_s(self, channel: str) -> float:
        """Nominal distance of a channel's rows in s; raises LookupError for a name that was not recorded."""
        return self._source_of(channel).period_s

    def rows(self, channel: str) -> Iterator[tuple[int, float, int]]:
        """(time in ns, value in SI, quality) of every row with a reading, without numpy; raises LookupError.

        The quality is what the sampler noted; `series` adds what the row's own bits say.
        """
        info = self._source_of(channel)
        spec = self.channels[channel]
        fields = [f for name in spec.product or (spec.field,) for f in info.layout.fields if f.name == name]
        for chunk, steps, quality, raw in self._unpacked(self._owner[channel]):
            t_ns, width = chunk.t0_ns, info.layout.row_bytes
            for i, (step, flags) in enumerate(zip(steps, quality, strict=True)):
                t_ns += step
                if not flags & Quality.MISSING:
                    row = raw[i * width : (i + 1) * width]
                    yield t_ns, prod(f.integer(row) * f.scale + f.bias for f in fields), flags

    def usages(self) -> UsageTable:
        """What every process did between scans."""
        import numpy as np

        columns = self._usage
        count = np.frombuffer(columns.count, dtype=np.int32)
        t_ns = np.repeat(np.frombuffer(columns.t_ns, dtype=np.int64), count)
        return UsageTable(
            t_ns,
            np.frombuffer(columns.process, dtype=np.int32),
            np.frombuffer(columns.activity, dtype=np.int32),
            np.frombuffer(columns.amount, dtype=np.float64),
        )

    def usage_rows(self) -> Iterable[tuple[int, int, float]]:
        """(process, activity, amount) of every usage row, without numpy."""
        columns = self._usage
        return zip(columns.process, columns.activity, columns.amount, strict=True)

    @property
    def scans(self) -> int:
        """How many looks at all processes there were."""
        return len(self._usage.t_ns)

    def scan_times_ns(self) -> Times:
        """When processes were looked at, ns, ascending; the first look is the baseline."""
        import numpy as np

        return np.frombuffer(self._usage.t_ns, dtype=np.int64)

    @cached_property
    def _usage(self) -> UsageColumns:
        total = empty_usage()
        for number, chunk in enumerate(self._db.chunks("usage")):
            try:
                part = unpack_usage(chunk)
            except DAMAGE as error:
                self._damaged("processes", number, chunk, error)
                continue
            total.t_ns.extend(part.t_ns)
            total.count.extend(part.count)
            total.process.extend(part.process)
            total.activity.extend(part.activity)
            total.amount.extend(part.amount)
        return total

    @cached_property
    def _span(self) -> tuple[int, int]:
        started = self.meta.get("started") or {}
        ended = self.meta.get("ended") or {}
        rows = self._db.rows(
            "SELECT min(t0_ns), max(t1_ns) FROM "
            "(SELECT t0_ns, t1_ns FROM chunk UNION ALL SELECT t0_ns, t1_ns FROM usage)"
        )
        low, high = rows[0] if rows and rows[0][0] is not None else (0, 0)
        start = int(started.get("boot_ns", low))
        return start, max(start, int(ended.get("boot_ns", high)))

    def _read_sources(self) -> None:
        for number, name, period_s, text in self._db.rows("SELECT id, name, period_s, layout FROM source ORDER BY id"):
            try:
                self.sources.append(SourceInfo(name, layout_from_json(text), period_s))
                self._numbers.append(number)
            except (KeyError, TypeError, ValueError) as error:
                self._db.note("PH-R008", f"source {name!r}: its layout cannot be read ({error})")

    def _block(self, index: int) -> tuple[Times, NDArray[np.uint16], NDArray[np.uint8]]:
        """Times, quality and raw rows (n, row_bytes) of a source, kept after the first call."""
        if index not in self._blocks:
            self._blocks[index] = self._load(index)
        return self._blocks[index]

    def _load(self, index: int) -> tuple[Times, NDArray[np.uint16], NDArray[np.uint8]]:
        import numpy as np

        info, width = self.sources[index], self.sources[index].layout.row_bytes
        times, qualities, rows = [np.empty(0, np.int64)], [np.empty(0, np.uint16)], [np.empty((0, width), np.uint8)]
        for chunk, steps, quality, raw in self._unpacked(index):
            times.append(np.cumsum(np.frombuffer(steps, dtype=np.int64)) + chunk.t0_ns)
            qualities.append(np.frombuffer(quality, dtype=np.uint16))
            rows.append(np.frombuffer(raw, dtype=np.uint8).reshape(-1, width))
        t_ns, flags = np.concatenate(times), np.concatenate(qualities)
        for gap in self.gaps:
            if gap.reason == "reset" and gap.source == info.name:
                flags[(t_ns >= gap.t0_ns) & (t_ns <= gap.t1_ns)] |= int(Quality.RESET)
        return t_ns, flags, np.concatenate(rows)

    def _unpacked(self, index: int) -> Iterator[tuple[Chunk, array[int], array[int], bytes]]:
        """The good chunks of a source: time steps, quality, rows."""
        info = self.sources[index]
        for number, chunk in enumerate(self._db.chunks("chunk", self._numbers[index])):
            try:
                yield chunk, *unpack_rows(chunk, info.layout.row_bytes)
            except DAMAGE as error:
                self._damaged(info.name, number, chunk, error)

    def _source_of(self, channel: str) -> SourceInfo:
        if channel not in self._owner:
            raise LookupError(f"{self.path} has no channel {channel!r}")
        return self.sources[self._owner[channel]]

    def _damaged(self, source: str, number: int, chunk: Chunk, error: Exception) -> None:
        since, until = ((t - self.start_ns) * 1e-9 for t in (chunk.t0_ns, chunk.t1_ns))
        self._db.note(
            "PH-R004",
            f"{source}: chunk {number} is damaged ({error}); its rows, about {since:.1f} s to {until:.1f} s "
            "of the run, are left out",
        )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
