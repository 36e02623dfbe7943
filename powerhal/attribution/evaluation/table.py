"""Tables of measured windows: CSV files with one row a sensor sample, read in place.

A table knows nothing of power models: it has a name for every column, text where the file has text,
float64 elsewhere (NaN where the file is empty) and int64 for times. Source of the form: the ODROID-XU3
measurements of ARMPM_BUILDMODEL (BSD-3-Clause), joined by time; see docs/accuracy.md.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import numpy.typing as npt

from powerhal.errors import FileError, Problem

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]

TEXT_COLUMNS = ("suite", "events_list", "benchmark")
TIME_COLUMNS = ("t_ns",)
REQUIRED = ("suite", "cores", "benchmark", "a15_freq_mhz")
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of equal length by name: text (str), times (int64 ns) and numbers (float64, NaN = empty)."""

    columns: Mapping[str, npt.NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def text(self, name: str) -> Texts:
        """A text column, (n,); empty strings where the file has no such column."""
        return np.asarray(self.columns.get(name, np.full(len(self), "")), dtype=np.str_)

    def number(self, name: str) -> Floats:
        """A numeric column, (n,) in the unit its name says; NaN where empty or where there is no such column."""
        return np.asarray(self.columns.get(name, np.full(len(self), np.nan)), dtype=np.float64)

    def times_ns(self) -> Integers:
        """Sensor times, (n,) int64 ns; row numbers times 0.5 s where the file has no `t_ns`."""
        found = self.columns.get("t_ns")
        return np.arange(len(self), dtype=np.int64) * 500_000_000 if found is None else found.astype(np.int64)

    def where(self, rows: Bools | Integers) -> Table:
        """The chosen rows, as a table of their own."""
        return Table({name: column[rows] for name, column in self.columns.items()})

    def replaced(self, columns: Mapping[str, npt.NDArray[Any]]) -> Table:
        """The same rows with some columns exchanged or added."""
        return Table({**self.columns, **columns})

    def counted(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these columns hold a number in every row."""
        return tuple(name for name in names if len(self) and bool(np.isfinite(self.number(name)).all()))


def read_table(path: str | Path) -> Table:
    """Read a CSV file (`.gz`: compressed) of measured windows.

    Columns that are not known here are read as numbers. Raises FileError (a ValueError) naming every
    line that is wrong, or the columns that are missing; OSError subclasses become FileError too.
    """
    place = Path(path)
    try:
        with _opened(place) as stream:
            rows = list(csv.reader(stream))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, gzip.BadGzipFile) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise FileError(f"{place} cannot be read as CSV: {why}", hint="give a .csv or .csv.gz file") from fault
    if not rows or not rows[0]:
        raise FileError(
            f"{place} is empty", hint="give a table with a header line and a line per row, as .csv in UTF-8"
        )
    header, body = [name.strip() for name in rows[0]], [row for row in rows[1:] if row]
    _check_header(place, header)
    _check_widths(place, len(header), rows)
    columns = list(zip(*body, strict=True)) if body else [() for _ in header]
    problems: list[Problem] = []
    parsed = {name: _parse(place, name, values, problems) for name, values in zip(header, columns, strict=True)}
    if problems:
        raise FileError(f"{place} has {len(problems)} fields that are not numbers", problems[:MAX_PROBLEMS])
    return Table(parsed)


def _opened(place: Path) -> TextIO:
    """The file as text, unpacked when its name ends in `.gz`."""
    if place.suffix == ".gz":
        return gzip.open(place, "rt", encoding="utf-8", newline="")
    return place.open(encoding="utf-8", newline="")


def _check_header(place: Path, header: Sequence[str]) -> None:
    """Refuse a file without the columns that nothing can replace, or with one name twice."""
    wrong = [f"there is no column {name!r}" for name in REQUIRED if name not in header]
    wrong += [f"column {name!r} is there twice" for name in sorted(set(header)) if header.count(name) > 1]
    if wrong:
        problems = [Problem(f"{place}:1", "PH-F010", text) for text in wrong]
        raise FileError(f"{place} is not a table of measured windows", problems)


def _check_widths(place: Path, width: int, rows: Sequence[Sequence[str]]) -> None:
    """Refuse rows that are longer or shorter than the header."""
    problems = [
        Problem(f"{place}:{line}", "PH-F011", f"{len(row)} fields, {width} expected")
        for line, row in enumerate(rows, start=1)
        if row and len(row) != width
    ]
    if problems:
        raise FileError(f"{place} has {len(problems)} rows of the wrong length", problems[:MAX_PROBLEMS])


def _parse(place: Path, name: str, values: Sequence[str], problems: list[Problem]) -> npt.NDArray[Any]:
    """One column in the type its name says; what is not a number is noted in `problems`."""
    if name in TEXT_COLUMNS:
        return np.array([value.strip() for value in values], dtype=np.str_)
    try:
        if name in TIME_COLUMNS:
            return np.array([int(value) for value in values], dtype=np.int64)
        return np.array([value if value.strip() else "nan" for value in values], dtype=np.float64)
    except ValueError:
        problems += [
            Problem(f"{place}:{line}", "PH-F012", f"{name}: {value!r} is not a number")
            for line, value in enumerate(values, start=2)
            if not _is_number(value)
        ] or [Problem(f"{place}:1", "PH-F012", f"{name}: empty where a time is needed")]
        return np.empty(0)


def _is_number(value: str) -> bool:
    try:
        float(value.strip() or "nan")
    except ValueError:
        return False
    return True
