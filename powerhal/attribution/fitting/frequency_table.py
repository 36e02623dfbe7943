"""Tables of power per CPU frequency: CSV files with a row per cluster and frequency.

The form is that of freqbench (github.com/kdrag0n/freqbench, MIT): `CPU` (first CPU of the cluster),
`Frequency (kHz)`, `Power (mW)` of one busy core above idle. A file's name is its chip, `CHIP__WHICH.csv`.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from powerhal.attribution.fitting.frequency import Curve
from powerhal.errors import FileError, Problem, UsageError

CPU, FREQUENCY, POWER = "CPU", "Frequency (kHz)", "Power (mW)"
MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class FrequencyTable:
    """One file: chip, family (chips of one design), curves by first CPU, and rows whose power is not known."""

    path: Path
    chip: str
    family: str
    curves: dict[int, Curve]
    unknown: int


def tables_in(places: Sequence[str | Path]) -> list[Path]:
    """The CSV files among these files and folders, in order; raises UsageError when there is none."""
    found: list[Path] = []
    for place in map(Path, places):
        found += sorted(place.glob("*.csv")) if place.is_dir() else [place]
    if not found:
        raise UsageError(f"no .csv file in {', '.join(map(str, places))}", hint="give tables of power per frequency")
    return list(dict.fromkeys(found))


def read_frequency_table(path: str | Path) -> FrequencyTable:
    """Read one table; rows whose power is empty or not above idle are unknown and left out, repeats averaged.

    Raises FileError naming every line that is wrong or the columns that are missing.
    """
    place = Path(path)
    chip = place.name.removesuffix(".csv").split("__")[0]
    # Letters behind the number are bins of one die (SM7150, SM7150-AB, SM7150-AC).
    family = re.sub(r"(?<=\d)[a-z]+$", "", chip.lower())
    points: dict[int, dict[float, list[float]]] = {}
    unknown = 0
    for cpu, hz, watts in _rows(place):
        if not watts > 0.0:
            unknown += 1
            continue
        points.setdefault(cpu, {}).setdefault(hz, []).append(watts)
    label = place.name.removesuffix(".csv")
    curves = {
        cpu: Curve(
            f"{label} cpu{cpu}",
            family,
            np.array(sorted(seen)),
            np.array([float(np.mean(seen[f])) for f in sorted(seen)]),
        )
        for cpu, seen in sorted(points.items())
    }
    return FrequencyTable(place, chip, family, curves, unknown)


def _rows(place: Path) -> Iterator[tuple[int, float, float]]:
    """CPU, Hz and W (NaN: not measured) of every row."""
    try:
        with place.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        why = getattr(fault, "strerror", None) or fault
        raise FileError(
            f"{place} cannot be read as CSV: {why}", hint="give a table of power per CPU frequency"
        ) from fault
    header = [name.strip() for name in rows[0]] if rows else []
    if missing := [name for name in (CPU, FREQUENCY, POWER) if name not in header]:
        raise FileError(
            f"{place}:1: no column {', '.join(map(repr, missing))}: not a table of power per frequency",
            hint=f"its header is {CPU},{FREQUENCY},…,{POWER},…",
        )
    at = [header.index(name) for name in (CPU, FREQUENCY, POWER)]
    problems: list[Problem] = []
    out: list[tuple[int, float, float]] = []
    for line, row in enumerate(rows[1:], start=2):
        if not any(field.strip() for field in row):
            continue
        try:
            cpu, khz, milliwatts = (row[k].strip() for k in at)
            found = int(cpu), float(khz) * 1e3, float(milliwatts or "nan") / 1e3
        except (ValueError, IndexError):
            problems.append(Problem(f"{place}:{line}", "PH-F012", f"not CPU, kHz and mW: {','.join(row)!r}"))
            continue
        if found[0] < 0 or not (found[1] > 0.0 and math.isfinite(found[1])):
            problems.append(Problem(f"{place}:{line}", "PH-F012", "a CPU number or frequency that cannot be"))
        elif math.isinf(found[2]):
            problems.append(Problem(f"{place}:{line}", "PH-F012", f"a power of {milliwatts} mW cannot be"))
        else:
            out.append(found)
    if problems:
        raise FileError(f"{place} has {len(problems)} rows that are wrong", problems[:MAX_PROBLEMS])
    return iter(out)
