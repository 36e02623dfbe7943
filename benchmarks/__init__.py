"""Benchmarks against peers and limits, side by side in one run: `python -m benchmarks.NAME`.

Every module has `run() -> list[Row]`. Figures are process CPU time, medians of interleaved rounds; only
ratios mean anything on another machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line: CPU time of ours, of a peer doing the same work, of the limit (None: not measured).

    `bar`: least peer / ours; `ceiling`: greatest ours / limit (None: no target).
    """

    work: str
    ours: float
    peer: float | None = None
    limit: float | None = None
    unit: str = "us"
    bar: float | None = None
    ceiling: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times cheaper than the peer."""
        return self.peer / self.ours if self.peer is not None and self.ours else None

    @property
    def over_limit(self) -> float | None:
        """How many times dearer than the limit."""
        return self.ours / self.limit if self.limit else None

    @property
    def met(self) -> bool:
        """Whether both targets hold (where they were measured)."""
        good = self.bar is None or self.ratio is None or self.ratio >= self.bar
        return good and (self.ceiling is None or self.over_limit is None or self.over_limit <= self.ceiling)


def table(rows: Iterable[Row]) -> str:
    """`work | ours | peer | limit | ratio` as text."""
    lines = [f"{'work':<44} {'ours':>12} {'peer':>12} {'limit':>12} {'ratio':>18}"]
    for row in rows:
        cells = [f"{v:.1f} {row.unit}" if v is not None else "-" for v in (row.ours, row.peer, row.limit)]
        ratio = f"{row.ratio:.1f} : 1" if row.ratio is not None else ""
        over = f"{row.over_limit:.2f} x limit" if row.over_limit is not None else ""
        cells.append(" ".join(part for part in (ratio, over) if part) or "-")
        mark = "" if row.met else "  MISSED"
        lines.append(f"{row.work:<44} {cells[0]:>12} {cells[1]:>12} {cells[2]:>12} {cells[3]:>18}{mark}")
    return "\n".join(lines)
