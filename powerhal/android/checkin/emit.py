"""Every check-in line of a file printed again from its typed fields; what is no check-in line is left out.

A history in protobuf is printed as the lines that it stands for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from powerhal.android.checkin.joins import Joins
from powerhal.android.checkin.lines import Reader, emit
from powerhal.android.containers import Lines, open_inputs
from powerhal.android.history.lines import emit_history, is_history, read_history
from powerhal.android.issues import Issues
from powerhal.android.output import replaced
from powerhal.android.proto.history import as_text
from powerhal.errors import NotEnoughData


def again(reader: Reader, number: int, line: str) -> str | None:
    """One line, typed and printed; None when it is no check-in line."""
    if line[:2] not in ("9,", "8,"):
        return None
    if is_history(line):
        return emit_history(read_history(number, line, reader.issues))
    record = reader.read(number, line)
    return None if record is None else emit(record)


def emitted(path: str | Path) -> Iterator[str]:
    """All check-in lines of a file with its own line ends."""
    issues = Issues()
    with open_inputs(path, issues) as inputs:
        for source in inputs:
            lines, reader, joins = Lines(as_text(source, issues), issues), Reader(issues), Joins(issues)
            for number, line in lines:
                yield from _printed(reader, joins.feed(number, line, lines.end))
            yield from _printed(reader, joins.end())


def _printed(reader: Reader, lines: Iterable[tuple[int, str, str]]) -> Iterator[str]:
    for number, line, end in lines:
        printed = again(reader, number, line)
        if printed is not None:
            yield printed + end


def emit_file(path: str | Path, output: str | Path) -> int:
    """Write the lines ('-' is stdout) and return how many there were; without any nothing is written.

    Raises NotEnoughData when there are none, FileError when the file cannot be read.
    """
    lines = emitted(path)
    first = next(lines, None)
    if first is None:
        raise NotEnoughData(
            f"{path}: no check-in lines in it",
            hint="take them with `dumpsys batterystats -c`; `powerhal android parse` reads the other forms",
        )
    if str(output) == "-":
        return _write(chain([first], lines), sys.stdout.buffer)
    with replaced(output) as out:
        return _write(chain([first], lines), out)


def _write(lines: Iterable[str], out: IO[bytes]) -> int:
    return sum(out.write(line.encode("utf-8", "surrogateescape")) >= 0 for line in lines)
