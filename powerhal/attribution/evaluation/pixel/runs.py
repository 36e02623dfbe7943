"""Tables of runs: one row a run of a phone, what it did beside what its rails and battery measured.

Form of the public record 10.5281/zenodo.14314943 (aggregated table): `<RAIL>_ENERGY_AVG_UWS` is the mean
power of a rail in microwatts, a second rail of one name ends in `.1`; `RAIL_SUM_AVG_UWS` may give their sum
where the rails are empty. Rails are kept as text and become numbers for the rows that somebody asks for,
so that a row which is not labelled cannot teach anything by its rails.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from powerhal.attribution.evaluation.table import Bools, Floats, Integers
from powerhal.errors import FileError, Problem

IDENTITY = "ID"
RAIL_ENDINGS = ("_ENERGY_AVG_UWS", "_ENERGY_AVG_UWS.1")
RAIL_SUM = "RAIL_SUM_AVG_UWS"
BATTERY_UA = "BATTERY_DISCHARGE_RATE_UAS"
BATTERY_PERCENT = "BATTERY__PERCENT"
ACTIVITIES = (
    "RougeMesuré", "VertMesuré", "BleuMesuré", "Brightness", "CPU_LITTLE_FREQ_KHz", "CPU_MID_FREQ_KHz",
    "CPU_BIG_FREQ_KHz", "GPU0_FREQ", "GPU_1FREQ", "TOTAL_DATA_WIFI_BYTES", "AVG_SOC_TEMP", "DIFF_SOC_TEMP",
    "C_ID", "C_PL", "M_ID",
)  # fmt: skip
UNREAD = ("", "err")  # what the record writes where nothing could be read
MAX_PROBLEMS = 20
MICRO = 1e-6


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows of a file as they stand there.

    path: where they came from; cells: text of each column, (n,) each; lines: line of each row in the file.
    """

    path: Path
    cells: dict[str, tuple[str, ...]]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def ids(self) -> tuple[str, ...]:
        """Name of each run."""
        return self.cells[IDENTITY]

    @property
    def rails(self) -> tuple[str, ...]:
        """Columns that hold a rail's mean power."""
        return tuple(name for name in self.cells if name.endswith(RAIL_ENDINGS))

    def where(self, rows: Sequence[int] | Integers) -> Runs:
        """The chosen rows, in this order."""
        picked = [int(row) for row in rows]
        cells = {name: tuple(column[row] for row in picked) for name, column in self.cells.items()}
        return Runs(self.path, cells, tuple(self.lines[row] for row in picked))

    def number(self, name: str) -> Floats:
        """A column, (n,) in the file's own unit; NaN where unread, or where there is no such column.

        Raises FileError with every field that is neither a number nor `UNREAD`.
        """
        column = self.cells.get(name)
        if column is None:
            return np.full(len(self), np.nan)
        return np.array([_number(text) for text in column], dtype=np.float64)

    def rails_w(self, names: Sequence[str]) -> Floats:
        """Sum of these rails in each row, (n,) W; NaN where one of them is empty."""
        return np.asarray(sum((self.number(name) for name in names), np.zeros(len(self))) * MICRO, dtype=np.float64)

    def has_rails(self) -> Bools:
        """Rows whose rails are all written, (n,); their values are not looked at."""
        columns = [self.cells[name] for name in self.rails]
        return np.array([all(text not in UNREAD for text in row) for row in zip(*columns, strict=True)], dtype=np.bool_)

    def rail_sum_w(self) -> Floats:
        """Sum of all rails in each row, (n,) W: as given by `RAIL_SUM_AVG_UWS`, else added up; NaN where unknown."""
        given = self.number(RAIL_SUM) * MICRO
        return np.where(np.isfinite(given), given, self.rails_w(self.rails) if self.rails else np.nan)

    def check_numbers(self, names: Sequence[str]) -> list[Problem]:
        """Fields of these columns that are neither a number nor unread."""
        order = {name: number for number, name in enumerate(self.cells, start=1)}
        return [
            Problem(f"{self.path}:{line}:{order[name]}", "PH-F012", f"{name}: {text!r} is not a finite number")
            for name in names
            for line, text in zip(self.lines, self.cells.get(name, ()), strict=False)
            if text not in UNREAD and not np.isfinite(_number(text))
        ]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def read_runs(path: str | Path, needed: Sequence[str] = ()) -> Runs:
    """Read a CSV file of runs.

    `needed`: columns beyond the activities without which the file is of no use. Raises FileError with every
    missing column, row of the wrong length, doubled identity or field that is not a number (`file:line:field`).
    """
    place = Path(path)
    try:
        with place.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            rows = [(reader.line_num, [field.strip() for field in row]) for row in reader if row]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        raise FileError(
            f"{place} cannot be read as CSV: {getattr(fault, 'strerror', None) or fault}",
            hint="give a table of runs, .csv in UTF-8",
        ) from fault
    if not rows:
        raise FileError(
            f"{place} is empty", hint="give a table with a header line and a line per row, as .csv in UTF-8"
        )
    header, body = rows[0][1], rows[1:]
    problems = _header_problems(place, header, (IDENTITY, *ACTIVITIES, *needed))
    problems += [
        Problem(f"{place}:{line}", "PH-F011", f"{len(row)} fields, {len(header)} expected")
        for line, row in body
        if len(row) != len(header)
    ]
    if problems:
        raise FileError(
            f"{place} is not a table of runs, mistakes: {len(problems)}",
            problems[:MAX_PROBLEMS],
            hint="columns as in the aggregated table of 10.5281/zenodo.14314943",
        )
    columns = [tuple(row[number] for _, row in body) for number in range(len(header))]
    runs = Runs(place, dict(zip(header, columns, strict=True)), tuple(line for line, _ in body))
    problems = _twins(runs) + runs.check_numbers((*ACTIVITIES, BATTERY_UA, BATTERY_PERCENT, RAIL_SUM))
    if problems:
        raise FileError(f"{place}: fields that are wrong: {len(problems)}", problems[:MAX_PROBLEMS])
    return runs


def _header_problems(place: Path, header: Sequence[str], needed: Sequence[str]) -> list[Problem]:
    """Columns that are missing (with the nearest name that is there) or there twice."""
    wrong = []
    for name in dict.fromkeys(needed):
        if name not in header:
            near = get_close_matches(name, header, n=1, cutoff=0.8)
            wrong.append(f"there is no column {name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    wrong += [f"column {name!r} is there twice" for name in sorted(set(header)) if header.count(name) > 1]
    return [Problem(f"{place}:1", "PH-F010", text) for text in wrong]


def _twins(runs: Runs) -> list[Problem]:
    first: dict[str, int] = {}
    out = []
    for line, name in zip(runs.lines, runs.ids, strict=True):
        if first.setdefault(name, line) != line:
            out.append(Problem(f"{runs.path}:{line}:1", "PH-F012", f"run {name!r} is also in line {first[name]}"))
    return out
