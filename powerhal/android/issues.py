"""What could not be read, where and why: collected, counted, never raised."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

KEPT = 1000  # issues kept in full; all are counted


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that was not read: line number (from 1; 0 is the file), record code or section, column, reason."""

    line: int
    code: str
    field: str
    why: str

    def __str__(self) -> str:
        what = f"{self.code}.{self.field}" if self.field else self.code
        return f"line {self.line}: {what}: {self.why}"


@dataclass(slots=True)
class Issues:
    """The issues of one file; the first `KEPT` in full, all of them counted by code."""

    kept: list[Issue] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, line: int, code: str, name: str, why: str) -> None:
        """Note one issue."""
        self.counts[code] += 1
        if len(self.kept) < KEPT:
            self.kept.append(Issue(line, code, name, why))

    @property
    def total(self) -> int:
        """How many issues there were, kept or not."""
        return sum(self.counts.values())
