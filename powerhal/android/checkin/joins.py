r"""Check-in records that go on in the next line, because their name has a line end in it.

The platform prints names of kernel wake locks, syncs, jobs and, to Android 13, wake locks as they are
(BatteryStats.java, dumpCheckinLocked; API 34 puts `_` for `\n` into `wl`). Pieces are put together where the grammar
makes it sure: a name is open at the end of the line, and with what follows the record has its columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from powerhal.android.checkin.records import SPECS, UNQUOTED, WAKELOCK_LETTERS, rows
from powerhal.android.issues import Issues

MOST = 16  # lines of one record
LONGEST = 1 << 14  # characters of it
TAIL = 1000  # characters that hold all columns behind a name
HEADS = ("9,", "8,", "------ ")  # something else begins, whatever it is: lines like these are read many at a time, too
NUMBER = re.compile(r"-?[0-9]+")
QUOTED_END = re.compile(r'"(?:,-?[0-9]+)+$')
WAKELOCK_END = re.compile(rf",-?[0-9]+,(?:{'|'.join(WAKELOCK_LETTERS)}),[0-9]+(?:,-?[0-9]+|,[a-z]{{1,2}})*$")
# code -> columns behind the name, in the narrowest form
BEHIND = {code: min(len(row.fields) for row in rows(code)) - 1 for code in SPECS if rows(code)[0].named}


def unfinished(line: str) -> bool:
    """Whether a check-in line ends inside its name."""
    parts = line.split(",", 4)
    if len(parts) < 5 or parts[3] not in BEHIND or parts[2] == "i":
        return False
    code, rest = parts[3], parts[4]
    if rest.startswith('"') and code not in UNQUOTED:
        return QUOTED_END.search(rest, max(1, len(rest) - TAIL)) is None
    if code == "wl":
        return WAKELOCK_END.search(rest[-TAIL:]) is None
    columns = rest.rsplit(",", BEHIND[code])
    behind = columns[-BEHIND[code] :]
    return len(columns) <= BEHIND[code] or not all(map(NUMBER.fullmatch, behind))


class Joins:
    """Lines go in with their numbers and ends, whole records and all other lines come out in the same order."""

    def __init__(self, issues: Issues) -> None:
        self._issues = issues
        self.held: list[tuple[int, str, str]] = []

    def feed(self, number: int, line: str, end: str = "\n") -> Iterator[tuple[int, str, str]]:
        """One line (`end`: what ended it); nothing comes out while a record may go on.

        A record that was put together holds the ends of its lines and has the number of the first.
        """
        if not self.held:
            if line[:2] in ("9,", "8,") and unfinished(line):
                self.held = [(number, line, end)]
            else:
                yield number, line, end
            return
        if line.startswith(HEADS) or len(self.held) == MOST or sum(len(piece) for _, piece, _ in self.held) > LONGEST:
            yield from self.end()
            yield from self.feed(number, line, end)
            return
        self.held.append((number, line, end))
        text = "".join(piece + stop for _, piece, stop in self.held[:-1]) + line
        if not unfinished(text):
            first, self.held = self.held[0][0], []
            yield first, text, end

    def end(self) -> Iterator[tuple[int, str, str]]:
        """What is still held, as it came, when nothing follows or something else begins."""
        held, self.held = self.held, []
        if len(held) > 1:
            number, line, _ = held[0]
            why = f"a name that has no end in this line, and none in the {len(held) - 1} behind it: not put together"
            self._issues.add(number, line.split(",", 4)[3], "name", why)
        yield from held
