"""What goes to storage in one piece, and what a run has to carry with it from one file to the next."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from powerhal.recording.chunks import Chunk


@dataclass(slots=True)
class Batch:
    """What one flush writes: packed chunks and the small rows that came with them."""

    sources: list[tuple[int, str, float, str]] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    usages: list[Chunk] = field(default_factory=list)
    processes: list[tuple[int, int, int, int, int, str, str, int]] = field(default_factory=list)
    activities: list[tuple[int, str]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)
    faults: list[tuple[int, str, str, str]] = field(default_factory=list)
    gaps: list[tuple[str, int, int, str]] = field(default_factory=list)
    clocks: list[tuple[int, int, int, str]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    health: dict[str, str] = field(default_factory=dict)

    def nbytes(self) -> int:
        """Bytes of the packed chunks: what the ring in memory is bounded by."""
        return sum(len(c.data) + 100 for c in self.chunks) + sum(len(c.data) + 100 for c in self.usages)


class Carried:
    """What a file of its own must begin with, and the batches since the last sync that succeeded, oldest first."""

    def __init__(self) -> None:
        self.unsynced: deque[Batch] = deque()
        self._head = Batch()

    def committed(self, batch: Batch, *, synced: bool) -> None:
        """A batch is in the file; `synced`: it and all before it are on the medium."""
        head = self._head
        head.sources += batch.sources
        head.activities += batch.activities
        head.clocks = batch.clocks[-1:] or head.clocks
        head.meta.update(batch.meta)
        head.health.update(batch.health)
        if synced:
            self.unsynced.clear()
        else:
            self.unsynced.append(batch)

    def begin(self, segment: dict[str, Any], processes: list[Any]) -> list[Batch]:
        """The batches of the next file: what every file holds, and what the last one may have lost."""
        head, lost = self._head, list(self.unsynced)
        self.unsynced.clear()
        known = {source[0] for batch in lost for source in batch.sources}
        named = {activity[0] for batch in lost for activity in batch.activities}
        first = Batch(
            sources=[source for source in head.sources if source[0] not in known],
            activities=[activity for activity in head.activities if activity[0] not in named],
            processes=processes,
            clocks=list(head.clocks),
            meta={**head.meta, "segment": json.dumps(segment)},
            health=dict(head.health),
        )
        self._head = Batch()
        return [first, *lost]
