"""Rows in, a recording out: buffers what sources yield, packs and commits it once a second.

Standard library only: this runs in the recording process. With `background=True` packing and storage
run in a thread of their own, so that a slow card never delays a deadline; without it `flush` returns
only when the rows are committed.
"""

from __future__ import annotations

import json
import queue
import threading
from array import array
from typing import Any

from powerhal.channel import Layout, Quality, Scan, Topology
from powerhal.errors import RecordingError
from powerhal.recording.batch import Batch
from powerhal.recording.chunks import MAX_ROWS, Chunk, UsageColumns, empty_usage, pack_rows, pack_usage
from powerhal.recording.schema import FORMAT, layout_to_json, topology_to_json
from powerhal.recording.store import RING_BYTES, SYNC_S, Store

FLUSH_S = 1.0
FAULT_LIMIT = 10_000  # rows; what comes after is counted in the health record only
_QUEUE = 64  # flushes that may wait for the storage thread


class _Rows:
    """Rows of one source since the last flush."""

    __slots__ = ("quality", "raw", "t_ns", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        self.clear()

    def clear(self) -> None:
        self.t_ns: array[int] = array("q")
        self.quality: array[int] = array("H")
        self.raw = bytearray()


class RecordingWriter:
    """Writes one run to `path`, which must not exist yet; raises RecordingError when it cannot.

    Times are ns of CLOCK_BOOTTIME. `meta` holds JSON values (versions, host facts, seed, ...).
    Every method but `close` is meant for one thread.
    """

    def __init__(
        self,
        path: str,
        *,
        topology: Topology | None = None,
        board_text: str = "",
        meta: dict[str, Any] | None = None,
        background: bool = False,
        flush_s: float = FLUSH_S,
        ring_bytes: int = RING_BYTES,
        sync_s: float = SYNC_S,
    ) -> None:
        self.path = path
        self.faults_seen = 0
        self._flush_ns = int(flush_s * 1e9)
        self._flush_at = -(1 << 62)
        self._rows: list[_Rows] = []
        self._usage = empty_usage()
        self._processes: dict[tuple[int, int], int] = {}
        self._activities: dict[str, int] = {}
        self._batch = Batch()
        self._closed = False
        self._store = Store(path, ring_bytes=ring_bytes, sync_s=sync_s)
        self.set_meta("format", FORMAT)
        for key, value in (meta or {}).items():
            self.set_meta(key, value)
        if topology is not None:
            self._batch.meta["topology"] = topology_to_json(topology)
        if board_text:
            self.set_meta("board_text", board_text)
        self._store.commit(self._take())
        self._thread = _StoreThread(self._store) if background else None

    def add_source(self, name: str, layout: Layout, period_s: float) -> int:
        """Register a source; answers the number that `reading` wants."""
        self._rows.append(_Rows(layout.row_bytes))
        number = len(self._rows) - 1
        self._batch.sources.append((number, name, period_s, layout_to_json(layout)))
        return number

    def reading(self, source: int, t_ns: int, raw: bytes, quality: int = Quality.OK) -> None:
        """Add one row; `raw` has the width of the source's layout (raises ValueError otherwise)."""
        rows = self._rows[source]
        if len(raw) != rows.width:
            raise ValueError(f"source {source}: row of {len(raw)} bytes in place of {rows.width}")
        rows.t_ns.append(t_ns)
        rows.quality.append(quality)
        rows.raw += raw
        if len(rows.t_ns) >= MAX_ROWS:
            self._batch.chunks.append(_packed(source, rows))

    def block(self, source: int, times: array[int], raw: bytes, quality: int = Quality.OK) -> None:
        """Add rows that lie end to end in `raw`, all of one quality; raises ValueError as `reading` does."""
        rows = self._rows[source]
        if len(raw) != rows.width * len(times):
            raise ValueError(f"source {source}: {len(times)} rows of {rows.width} bytes are not {len(raw)} bytes")
        for at in range(0, len(times), MAX_ROWS):
            part = times[at : at + MAX_ROWS]
            if len(rows.t_ns) + len(part) > MAX_ROWS:
                self._batch.chunks.append(_packed(source, rows))
            rows.t_ns += part
            rows.quality += array("H", (quality,)) * len(part)
            rows.raw += raw[at * rows.width : (at + len(part)) * rows.width]

    def scan(self, scan: Scan) -> None:
        """Add one look at all processes."""
        for info in scan.new:
            key = (info.pid, info.start_ticks)
            number = self._processes.setdefault(key, len(self._processes))
            self._batch.processes.append(
                (number, *key, info.ppid, info.uid, _clean(info.comm), _clean(info.cgroup), int(info.kernel))
            )
        usage = self._usage
        usage.t_ns.append(scan.t_ns)
        usage.count.append(len(scan.usages))
        for used in scan.usages:
            usage.process.append(self._process((used.pid, used.start_ticks)))
            usage.activity.append(self._activity(used.activity))
            usage.amount.append(used.amount)

    def mark(self, t_ns: int, text: str) -> None:
        """A named point in time."""
        self._batch.marks.append((t_ns, _clean(text)))

    def fault(self, t_ns: int, source: str, kind: str, text: str) -> None:
        """What went wrong, the first `FAULT_LIMIT` times; the health record counts them all."""
        self.faults_seen += 1
        if self.faults_seen <= FAULT_LIMIT:
            self._batch.faults.append((t_ns, source, kind, _clean(text)[:300]))

    def gap(self, source: str, t0_ns: int, t1_ns: int, reason: str) -> None:
        """Time that nobody measured: '' as source means all of them (suspend, ...).

        Reason `reset`: the rows of that time are there, but the chip had lost its state.
        """
        self._batch.gaps.append((source, t0_ns, t1_ns, reason))

    def clock(self, boot_ns: int, real_ns: int, suspended_ns: int, boot_id: str = "") -> None:
        """Which wall-clock time `boot_ns` was, and how long the machine had slept by then."""
        self._batch.clocks.append((boot_ns, real_ns, suspended_ns, boot_id))

    def health(self, source: str, counters: dict[str, Any]) -> None:
        """The latest counters of a source; they replace the earlier ones."""
        self._batch.health[source] = json.dumps(counters, separators=(",", ":"))

    def set_meta(self, key: str, value: Any) -> None:
        """A JSON value about the run as a whole."""
        self._batch.meta[key] = json.dumps(value, ensure_ascii=False)

    def tick(self, now_ns: int, next_ns: int) -> int:
        """Flush when a flush period is over, or would be before the next wake-up at `next_ns`; answers when it is."""
        if self._flush_at < -(1 << 61):
            self._flush_at = now_ns + self._flush_ns
        if now_ns >= self._flush_at or next_ns > self._flush_at:
            self._flush_at = now_ns + self._flush_ns
            self.flush()
        return self._flush_at

    def flush(self) -> bool:
        """Hand everything to storage; True when it is committed (always False in the background)."""
        if self._thread is not None:
            self._thread.put(self._take())
            return False
        return self._store.commit(self._take())

    @property
    def storage_fault(self) -> str:
        """Why storage refuses at the moment, '' while it works."""
        return self._store.fault

    @property
    def past_storage_fault(self) -> str:
        """Why storage refused the last time it did, '' when it never did."""
        return self._store.last_fault

    @property
    def files(self) -> list[str]:
        """What was written, in order: `path`, and a further file after each sync that failed."""
        return list(self._store.files)

    def close(self) -> None:
        """Write the rest, leave one file; may be called twice.

        Raises RecordingError when rows had to be given up because storage refused to the end.
        """
        if self._closed:
            return
        self._closed = True
        if self._thread is not None:
            self._thread.finish()
        self._store.commit(self._take())
        if not self._store.close():
            raise RecordingError(
                f"{self._store.files[-1]} is not complete: {self._store.fault}",
                code="PH-R012",
                hint="what was written before can be read; free some space and record again",
            )

    def _process(self, key: tuple[int, int]) -> int:
        number = self._processes.get(key)
        if number is None:  # used before it was announced: keep the amount, name it unknown
            number = self._processes[key] = len(self._processes)
            self._batch.processes.append((number, *key, 0, -1, "?", "", 0))
        return number

    def _activity(self, name: str) -> int:
        number = self._activities.get(name)
        if number is None:
            number = self._activities[name] = len(self._activities)
            self._batch.activities.append((number, name))
        return number

    def _take(self) -> Batch:
        batch, self._batch = self._batch, Batch()
        for source, rows in enumerate(self._rows):
            if rows.t_ns:
                batch.chunks.append(_packed(source, rows))
        if self._usage.t_ns:
            usage: UsageColumns = self._usage
            batch.usages.append(pack_usage(usage))
            self._usage = empty_usage()
        return batch


def _packed(source: int, rows: _Rows) -> Chunk:
    """The rows as a chunk; they are cleared."""
    chunk = pack_rows(source, rows.t_ns, rows.quality, bytes(rows.raw), rows.width)
    rows.clear()
    return chunk


class _StoreThread:
    """Commits batches in order, away from the sampling loop; the queue is bounded."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: queue.Queue[Batch | None] = queue.Queue(_QUEUE)
        self._thread = threading.Thread(target=self._run, name="powerhal-store", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand over; waits only when storage has hung for a minute (then time is lost, not memory)."""
        self._queue.put(batch)

    def finish(self) -> None:
        """Commit all that was handed over and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            self._store.commit(batch)


def _clean(text: str) -> str:
    """Text that SQLite takes: no surrogates (process names are bytes) and no NUL."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "�")
