"""The figures of a bench report: what `scores` measures, per program, suite and counter set, in percent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from powerhal.attribution.evaluation import scores
from powerhal.attribution.evaluation.scores import POWER, Prediction, measured
from powerhal.attribution.evaluation.table import Bools, Floats, Table

# Name in the report -> which rows belong to it.
SUITES: dict[str, Callable[[Table], Bools]] = {
    "cBench": lambda table: table.text("suite") == "cBench",
    "PARSEC_1core": lambda table: (table.text("suite") == "PARSEC") & (table.number("cores") == 1),
    "PARSEC_all": lambda table: table.text("suite") == "PARSEC",
}

WITHOUT_TRUTH: dict[str, Any] = {
    "windows": 0,
    "mape_percent": None,
    "per_program": {},
    "per_suite": {},
    "worst_program_energy_error_percent": None,
    "interval90_coverage_percent": None,
    "interval90_worst_program_coverage_percent": None,
    "interval90_width_percent": None,
    "without_counters": {"mape_percent": None},
    "one_device_from_total": None,
    "baselines": {},
}


@dataclass(frozen=True, slots=True)
class Answers:
    """All predictions of the same rows, (n,) W each.

    The model, its rung without counters, what the total of all rails tells with an idle reading, the baselines.
    """

    model: Prediction
    time_only: Prediction
    of_total: Floats
    baselines: Mapping[str, Floats]

    def where(self, rows: Bools) -> Answers:
        """The chosen rows."""
        kept = {name: power_w[rows] for name, power_w in self.baselines.items()}
        return Answers(self.model.where(rows), self.time_only.where(rows), self.of_total[rows], kept)


def judged(table: Table, answers: Answers) -> dict[str, Any]:
    """Every figure of the report over the rows with a measured power; None where there is none."""
    rows = measured(table)
    if not rows.any():
        return dict(WITHOUT_TRUTH)
    seen, mine = table.where(rows), answers.where(rows)
    truth_w = seen.number(POWER)
    interval = scores.coverage(seen, mine.model, truth_w)
    programs = scores.per_program(seen, mine.model.power_w, truth_w)
    for name, inside in scores.inside_by_program(seen, mine.model, truth_w).items():
        programs[name]["interval90_coverage_percent"] = 100.0 * inside
    return {
        "windows": len(seen),
        "mape_percent": scores.mape_percent(mine.model.power_w, truth_w),
        "per_program": programs,
        "per_suite": _per_suite(seen, mine, truth_w),
        "worst_program_energy_error_percent": _worst_energy(programs),
        "interval90_coverage_percent": interval["coverage_percent"],
        "interval90_worst_program_coverage_percent": interval["worst_program_coverage_percent"],
        "interval90_width_percent": interval["width_percent"],
        "without_counters": {"mape_percent": scores.mape_percent(mine.time_only.power_w, truth_w)},
        "one_device_from_total": _known(mine.of_total, truth_w),
        "baselines": {name: _baseline(seen, power_w, truth_w) for name, power_w in mine.baselines.items()},
    }


def _per_suite(table: Table, answers: Answers, truth_w: Floats) -> dict[str, Any]:
    """The figures of each suite that has rows."""
    members = {name: member(table) for name, member in SUITES.items()}
    return {
        name: _suite(table.where(rows), answers.where(rows), truth_w[rows])
        for name, rows in members.items()
        if rows.any()
    }


def _suite(table: Table, answers: Answers, truth_w: Floats) -> dict[str, Any]:
    model, lists = answers.model, table.text("events_list")
    programs = scores.per_program(table, model.power_w, truth_w)
    return {
        "mape_percent": scores.mape_percent(model.power_w, truth_w),
        "by_events_list": {
            str(one): scores.mape_percent(model.power_w[lists == one], truth_w[lists == one])
            for one in np.unique(lists)
        },
        "over_programs": _over_programs(programs),
        "process_error_percent": scores.process_errors(table, model, truth_w),
        "worst_program_energy_error_percent": _worst_energy(programs),
        "interval90": scores.coverage(table, model, truth_w),
        "interval90_by_events_list": {
            str(one): scores.coverage(table.where(lists == one), model.where(lists == one), truth_w[lists == one])
            for one in np.unique(lists)
        },
        "static_share_percent": float(100.0 * np.mean(model.static_w / model.power_w)),
        "without_counters_mape_percent": scores.mape_percent(answers.time_only.power_w, truth_w),
        "without_counters_interval90": scores.coverage(table, answers.time_only, truth_w),
        "one_device_from_total": _known(answers.of_total, truth_w),
    }


def _over_programs(programs: Mapping[str, Mapping[str, float]]) -> dict[str, float | None]:
    """Mean of the programs' MAPE, every program counted once, and their standard deviation, percent."""
    each = np.array([one["mape_percent"] for one in programs.values()])
    spread = float(each.std(ddof=1)) if each.size > 1 else None
    return {"programs": each.size, "mean_mape_percent": float(each.mean()), "sd_percent": spread}


def _known(power_w: Floats, truth_w: Floats) -> dict[str, float] | None:
    """MAPE over the rows that have an answer; None where none has."""
    rows = np.isfinite(power_w)
    if not rows.any():
        return None
    return {"mape_percent": scores.mape_percent(power_w[rows], truth_w[rows]), "windows": int(rows.sum())}


def _worst_energy(programs: Mapping[str, Mapping[str, float]]) -> float:
    return max(abs(one["energy_error_percent"]) for one in programs.values())


def _baseline(table: Table, power_w: Floats, truth_w: Floats) -> dict[str, Any]:
    """MAPE of a baseline, in all and per suite; rows that it cannot answer are left out and counted."""
    answered = np.isfinite(power_w)
    suites = {name: member(table) & answered for name, member in SUITES.items()}
    return {
        "mape_percent": scores.mape_percent(power_w[answered], truth_w[answered]) if answered.any() else None,
        "per_suite": {
            name: scores.mape_percent(power_w[rows], truth_w[rows]) for name, rows in suites.items() if rows.any()
        },
        "unanswered_windows": int((~answered).sum()),
    }
