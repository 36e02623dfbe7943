"""Counters that every fault lands in, and the breaker that spares a source which does not answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from powerhal.channel import Layout, Quality, Source
from powerhal.errors import TransportError

TRIP = 3  # rows missing in a row before the breaker opens
FIRST_PROBE_NS = 1_000_000_000
LAST_PROBE_NS = 60_000_000_000

_COUNTED = (
    (int(Quality.STALE), "stale"),
    (int(Quality.SATURATED), "saturated"),
    (int(Quality.RESET), "resets"),
    (int(Quality.NOISY), "noisy"),
)
_ANY_COUNTED = sum(bit for bit, _ in _COUNTED)


@dataclass(slots=True)
class Health:
    """What happened to one source: rows, rows without a reading, late rows, ticks that were skipped,
    rows by quality, ticks that fell into a suspend, faults by kind.
    """

    samples: int = 0
    missing: int = 0
    late: int = 0
    missed: int = 0
    stale: int = 0
    saturated: int = 0
    resets: int = 0
    noisy: int = 0
    suspended: int = 0
    faults: dict[str, int] = field(default_factory=dict)

    def count(self, quality: int, rows: int = 1) -> None:
        """Count a row with these quality bits, or several."""
        self.samples += rows
        if quality & _ANY_COUNTED:
            for bit, name in _COUNTED:
                if quality & bit:
                    setattr(self, name, getattr(self, name) + rows)

    def count_fault(self, kind: str) -> None:
        """Count one fault."""
        self.faults[kind] = self.faults.get(kind, 0) + 1

    def to_dict(self) -> dict[str, Any]:
        """The counters as JSON."""
        counters = {name: getattr(self, name) for name in self.__slots__}
        return {**counters, "faults": dict(self.faults)}  # its own: another thread may be counting


@dataclass(slots=True)
class Breaker:
    """Open after `TRIP` failures in a row; then a probe after 1, 2, 4 ... 60 s until one succeeds."""

    failures: int = 0
    wait_ns: int = 0
    probe_ns: int = 0
    since_ns: int = 0

    @property
    def open(self) -> bool:
        """Whether the source is left alone for now."""
        return self.wait_ns > 0

    def failed(self, now_ns: int, *, slow: bool = False) -> bool:
        """Note a failure; True when the breaker opens by it. A slow one opens it the first time."""
        self.failures += 1
        if self.failures == 1:
            self.since_ns = now_ns
        if self.failures < TRIP and not slow and not self.open:
            return False
        opens = self.wait_ns == 0
        self.wait_ns = min(max(self.wait_ns * 2, FIRST_PROBE_NS), LAST_PROBE_NS)
        self.probe_ns = now_ns + self.wait_ns
        return opens

    def worked(self) -> None:
        """Note a success."""
        self.failures = self.wait_ns = self.probe_ns = 0


class RowFlags:
    """Quality bits that a row carries in itself (`Layout.flags`), for the counters; cached by bytes."""

    def __init__(self, layout: Layout) -> None:
        fields = {f.name: f for f in layout.fields}
        self._flags = [(fields[flag.field], flag) for flag in layout.flags]
        spans = [(f.offset, f.offset + f.nbytes) for f, _ in self._flags]
        self.start = min((s for s, _ in spans), default=0)
        self.end = max((e for _, e in spans), default=0)
        self._known: dict[bytes, int] = {}

    def of(self, raw: bytes) -> int:
        """The bits that this row raises."""
        return self._of(raw[self.start : self.end])

    def tally(self, rows: bytes, width: int) -> dict[int, int]:
        """Bits -> how many of these rows of `width` bytes, end to end, raise them."""
        if not self._flags:
            return {0: len(rows) // width}
        start, size = self.start, self.end - self.start
        counted: dict[int, int] = {}
        for key, times in Counter([rows[at : at + size] for at in range(start, len(rows), width)]).items():
            bits = self._of(key)
            counted[bits] = counted.get(bits, 0) + times
        return counted

    def _of(self, key: bytes) -> int:
        bits = self._known.get(key)
        if bits is None:
            if len(self._known) >= 256:
                self._known.clear()
            bits = self._known[key] = self._evaluate(bytes(self.start) + key)
        return bits

    def _evaluate(self, raw: bytes) -> int:
        quality = 0
        for spec, flag in self._flags:
            value = spec.integer(raw)
            raised = value in flag.values if flag.values else value != 0
            if raised != flag.when_zero:
                quality |= int(flag.quality)
        return quality


def fault_kind(source: Source) -> str:
    """Kind of a source's last fault: its `last_kind` where it keeps one, else told from the text."""
    return getattr(source, "last_kind", "") or kind_of(source.last_fault)


def kind_of(fault: object) -> str:
    """A fault's kind: a TransportError's own, or the word that `last_fault` begins with, else 'io'."""
    if isinstance(fault, TransportError):
        return fault.kind
    word = str(fault).partition(":")[0].strip()
    return word if word in TransportError.KINDS else "io"
