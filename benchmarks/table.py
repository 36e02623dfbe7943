"""What a benchmark measures with and what it prints: CPU time, medians, candidates taking turns.

Smaller is better in every row. Only ratios are gated: absolute figures belong to one machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One line: our figure, a peer's and a limit's, in the same unit (SI or as `unit` says).

    `at_least`: gate on peer / ours. `at_most`: gate on ours / limit. A figure of None was not measured
    (peer not installed) and cannot fail.
    """

    work: str
    unit: str
    ours: float
    peer: str = ""
    peer_figure: float | None = None
    at_least: float | None = None
    limit: str = ""
    limit_figure: float | None = None
    at_most: float | None = None

    @property
    def peer_ratio(self) -> float | None:
        return None if self.peer_figure is None else self.peer_figure / self.ours

    @property
    def limit_ratio(self) -> float | None:
        return None if self.limit_figure is None else self.ours / self.limit_figure

    def missed(self) -> bool:
        """Whether a gate that could be measured was missed."""
        slow = self.at_least is not None and self.peer_ratio is not None and self.peer_ratio < self.at_least
        far = self.at_most is not None and self.limit_ratio is not None and self.limit_ratio > self.at_most
        return slow or far


def cpu_s(candidates: Mapping[str, Callable[[], object]], rounds: int = 7, repeat: int = 1) -> dict[str, float]:
    """Median CPU seconds of one call of each candidate; they take turns, so that noise hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for name in candidates:
        candidates[name]()
    for _ in range(rounds):
        for name, call in candidates.items():
            start = time.process_time_ns()
            for _ in range(repeat):
                call()
            times[name].append((time.process_time_ns() - start) / repeat / 1e9)
    return {name: median(found) for name, found in times.items()}


PREFIXES = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"))


def figure(value: float | None, unit: str) -> str:
    """A figure with an SI prefix, three digits; '-' where nothing was measured."""
    if value is None:
        return "-"
    if unit != "s":
        return f"{value:.3g} {unit}".rstrip()
    factor, prefix = next(((f, p) for f, p in PREFIXES if abs(value) >= f), PREFIXES[-1])
    return f"{value / factor:.3g} {prefix}s"


def gate(ratio: float | None, sign: str, bound: float | None) -> str:
    """A ratio with the gate it is held to."""
    if ratio is None:
        return "-"
    return f"{ratio:.3g}" if bound is None else f"{ratio:.3g} ({sign} {bound:g})"


def print_table(title: str, rows: Sequence[Row]) -> None:
    """The table `work | ours | peer | limit | ratio`."""
    print(f"\n## {title}")
    lines = [("work", "ours", "peer", "limit", "peer : ours (gate)", "ours : limit (gate)", "")]
    for row in rows:
        gates = (gate(row.peer_ratio, ">=", row.at_least), gate(row.limit_ratio, "<=", row.at_most))
        peer = f"{row.peer} {figure(row.peer_figure, row.unit)}" if row.peer else "-"
        limit = f"{row.limit} {figure(row.limit_figure, row.unit)}" if row.limit else "-"
        lines.append((row.work, figure(row.ours, row.unit), peer, limit, *gates, "MISSED" if row.missed() else ""))
    widths = [max(len(line[k]) for line in lines) for k in range(7)]
    for line in lines:
        print(" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
