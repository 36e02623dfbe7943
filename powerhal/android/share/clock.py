"""When things happened in a history, as Battery Historian takes it: the last TIME of a boot is true.

Facts re-entered from google/battery-historian (parseutils: fixTimeline, analyzeData, summarizeActiveState, d2356ba4).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from powerhal.android.history.lines import HistoryLine

SET_CLOCK = 1_124_280_000_000  # 2005-08-17 12:00 UTC: an earlier time is of a clock that nobody set
MAX_DELTA = 10**14  # ms; more is no time between two changes
BOOTS = ("START", "SHUTDOWN")
TIMED = ("RESET", "TIME")


@dataclass(frozen=True, slots=True)
class Times:
    """For each line with a command the epoch in ms that the old reader makes of it, None for one without a TIME.

    end_ms: epoch of the last line by the times as printed; None without any.
    """

    epochs: list[int | None]
    end_ms: int | None


def true_times(lines: Iterable[HistoryLine]) -> Times:
    """The times of lines with readable deltas, walked through once.

    The old reader takes the last TIME of a boot as true and counts back from there. Where that gives a time before
    1970 (the clock was set late) it gives the whole history up, and a time of 0 means to it that there was none: then
    all times of that boot are later by what lacks.
    """
    marks: list[tuple[int, str, int | None]] = []  # ms passed, command, epoch
    passed = 0
    end: int | None = None
    for line in lines:
        step = line.delta if isinstance(line.delta, int) else 0
        passed += step
        end = None if end is None else end + step
        if line.commands:
            epoch = _epoch(line)
            end = end if epoch is None else epoch
            marks.append((passed, str(line.commands[0]), epoch))
    return Times(_counted_back(marks), end if end is not None and 0 <= end < 4 * 10**12 else None)


def _counted_back(marks: list[tuple[int, str, int | None]]) -> list[int | None]:
    out: list[int | None] = [None] * len(marks)
    boot: list[int] = []
    zero: int | None = None  # epoch at 0 ms passed
    for k in range(len(marks) - 1, -1, -1):
        passed, word, epoch = marks[k]
        if word in BOOTS:
            _lift(out, boot)
            boot, zero = [], None
        elif epoch is not None:
            zero = epoch - passed if zero is None else zero
            out[k] = zero + passed
            boot.append(k)
    _lift(out, boot)
    return out


def _epoch(line: HistoryLine) -> int | None:
    """The time of a RESET or TIME; None without one, or with one that no calendar holds."""
    if line.commands[0] not in TIMED:
        return None
    found = next((w for w in line.commands if isinstance(w, int)), None)
    return found if found is not None and 0 <= found <= MAX_DELTA else None


def _lift(times: list[int | None], boot: list[int]) -> None:
    """Make the times of one boot later until all are above 0."""
    least = min((t for k in boot if (t := times[k]) is not None), default=1)
    for k in boot if least < 1 else ():
        times[k] = (times[k] or 0) + 1 - least


@dataclass(slots=True)
class SummaryClock:
    """The old reader's present time and start of summary (0: none): a RESET clears its states only after a start."""

    now_ms: int = 0
    start_ms: int = 0
    active: bool = True  # no summary while the phone charges

    def passed(self, delta_ms: int) -> None:
        """A line without a command."""
        self.now_ms += delta_ms

    def told(self, epoch_ms: int) -> None:
        """A TIME."""
        self.now_ms = epoch_ms
        if self.start_ms < SET_CLOCK < epoch_ms:
            self.start_ms = epoch_ms

    def reset(self, epoch_ms: int) -> None:
        """A RESET after a start."""
        self.now_ms = self.start_ms = epoch_ms
        self.active = True

    def boot(self) -> None:
        """A START: everything is cleared."""
        self.now_ms = self.start_ms = 0
        self.active = True

    def status(self, value: str) -> None:
        """A new charging status: charging ends a summary, discharging begins one."""
        if (value == "c") == self.active and value in ("c", "d", "n"):
            self.active = not self.active
            self.start_ms = self.now_ms
