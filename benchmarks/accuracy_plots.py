"""The pictures of docs/accuracy.md, made again by one command from the measured files:

    python -m benchmarks.accuracy_plots --single rails_and_counters.csv.gz --paired paired_counters.csv.gz \\
        --pixel runs.csv --out docs

`--single` and `--paired` are the two forms of the ODROID-XU3 data, `--pixel` a phone's table of runs. A picture
is drawn when all its files are given. Where a `.json` is given it is taken for what the bench printed with
`--json`, and nothing is computed again. A new picture is a row of `PLOTS`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.dot_plot import DotPlot

Report = dict[str, Any]

METHODS = {
    "cpu_time_share": "CPU-time share",
    "per_frequency_time": "time at frequency",
    "per_frequency_elastic_net": "elastic net per frequency",
}
LABELLED = (5, 10, 20, 50)
HALVES, FIRST_SEED = 5, 3000


def _xu3(path: str) -> Report:
    from powerhal.attribution.evaluation.xu3 import bench_xu3

    return bench_xu3(path, progress=_say)


def _pixel(path: str) -> Report:
    from powerhal.attribution.evaluation.pixel.bench import bench_halves

    return {str(n): bench_halves(path, halves=HALVES, labelled=n, seed=FIRST_SEED, progress=_say) for n in LABELLED}


def _drift(path: str) -> Report:
    from powerhal.attribution.evaluation.drift import bench_drift

    return bench_drift(path, seeds=1, progress=_say)


def _gauge(path: str) -> Report:
    from powerhal.attribution.evaluation.gauge import bench_gauge

    return bench_gauge(path, seeds=1, progress=_say)


def _say(text: str) -> None:
    print(f"accuracy_plots: {text}", file=sys.stderr)


# Option -> what it is, and the bench that turns it into a report.
DATA: dict[str, tuple[str, Callable[[str], Report]]] = {
    "single": ("ODROID-XU3, single runs with 6-7 counters", _xu3),
    "paired": ("ODROID-XU3, both counter sets of a run beside each other", _xu3),
    "pixel": ("a phone's table of runs", _pixel),
    "drift": ("ODROID-XU3, either form: a rail that changes by 20 %", _drift),
    "gauge": ("ODROID-XU3, either form: an averaging, late, coarse sensor", _gauge),
}


def mape(paired: Report, single: Report) -> DotPlot:
    """Error per window by suite, baselines beside it."""
    rows: dict[str, dict[str, float | None]] = {}
    for name, report in (("paired counters", paired), ("single runs", single)):
        for suite, found in report["per_suite"].items():
            sets = {f"set {one}": value for one, value in found["by_events_list"].items()}
            row: dict[str, float | None] = {"powerhal": min(sets.values())}
            row["powerhal, no counters"] = found["without_counters_mape_percent"]
            for key, label in METHODS.items():
                row[label] = report["baselines"].get(key, {}).get("per_suite", {}).get(suite)
            rows[f"{suite.replace('_', ', ')}, {name}"] = row
    return DotPlot(
        "Error on programs that were never seen", "mean error per 0.5 s window, % (better counter set)", rows
    )


def energy_by_program(paired: Report, single: Report) -> DotPlot:
    """Error of each left-out program's energy."""
    return _by_program(
        paired, single, "energy_error_percent", DotPlot("Energy of each program, predicted from the others",
        "error, % (above 0: predicted too high)", {}, band=(-6.5, 6.5), band_label="target of the worst program"),
    )  # fmt: skip


def coverage_by_program(paired: Report, single: Report) -> DotPlot:
    """Share of each left-out program's windows inside their 90 % interval."""
    return _by_program(
        paired, single, "interval90_coverage_percent", DotPlot("Windows inside their 90 % interval",
        "% of a program's windows", {}, band=(70.0, 100.0), band_label="no program below 70 %"),
    )  # fmt: skip


def _by_program(paired: Report, single: Report, key: str, frame: DotPlot) -> DotPlot:
    both = {"paired counters": paired["per_program"], "single runs": single["per_program"]}
    names = sorted(set(paired["per_program"]) | set(single["per_program"]))
    rows = {name: {label: found.get(name, {}).get(key) for label, found in both.items()} for name in names}
    return DotPlot(frame.title, frame.axis, rows, band=frame.band, band_label=frame.band_label)


def identifiability(paired: Report, single: Report) -> DotPlot:
    """Truth inside the interval, groups merged, against every coefficient said alone."""
    rows = {
        f"{name}": {"groups": found["rows_covered_percent"], "all alone": found["confident"]["rows_covered_percent"]}
        for report in (paired, single)
        for name, found in report["identifiability"].items()
    }
    title = "Devices that move together: truth inside the 90 % interval"
    return DotPlot(title, "% of reported rows, made-up truths", rows, band=(87.0, 100.0), band_label="target")


def pixel_by_labels(pixel: Report) -> DotPlot:
    """Error of a phone's components by the number of labelled runs."""
    rows = {
        f"{name}, {labelled} labelled": {
            "powerhal": _mean(report["components"].get(name)),
            "reconciled": _mean(report["reconciled"].get(name)),
        }
        for name in ("display", "gpu", "wifi", "cpu")
        for labelled, report in pixel.items()
    }
    return DotPlot("A phone's components after few labelled runs", "mean absolute error over mean, %", rows)


def drift_recovery(drift: Report) -> DotPlot:
    """Error before a rail changes, in the first minute after, and later."""
    spans = {
        "before": "error_before_percent",
        "first 60 s": "error_first_60_s_percent",
        "later": "error_after_60_s_percent",
    }
    rows = {span: dict(drift[key]) for span, key in spans.items()}
    return DotPlot(
        "A rail that suddenly reads 20 % more", "mean error, %", rows, band=(0.0, 5.0), band_label="target later"
    )


def gauge_error(gauge: Report) -> DotPlot:
    """Error with an averaging, late and coarse sensor, by what is known of it."""
    rows = {
        f"{one['window_s']:.1f} s average, {one['lag_s']:.1f} s late": dict(one["mape_percent"])
        for one in gauge["settings"]
    }
    return DotPlot("An averaging, late, coarse sensor", "mean error, %", rows, band=(0.0, 5.0), band_label="target")


def _mean(figure: Any) -> float | None:
    """The mean of a figure over halves."""
    return figure.get("mean") if isinstance(figure, Mapping) else figure


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture: its file, the options it needs, and who draws it from their reports, in that order."""

    file: str
    needs: tuple[str, ...]
    draw: Callable[..., DotPlot]


PLOTS = (
    Plot("accuracy-mape.svg", ("paired", "single"), mape),
    Plot("accuracy-energy.svg", ("paired", "single"), energy_by_program),
    Plot("accuracy-coverage.svg", ("paired", "single"), coverage_by_program),
    Plot("accuracy-identifiability.svg", ("paired", "single"), identifiability),
    Plot("accuracy-pixel.svg", ("pixel",), pixel_by_labels),
    Plot("accuracy-drift.svg", ("drift",), drift_recovery),
    Plot("accuracy-gauge.svg", ("gauge",), gauge_error),
)


def main(words: list[str] | None = None) -> int:
    """Draw every picture whose files are given; 2 when none is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy_plots", description=__doc__)
    for name, (what, _) in DATA.items():
        parser.add_argument(f"--{name}", metavar="FILE", help=what)
    parser.add_argument("--out", default="docs", metavar="DIR", help="where the pictures go (default docs)")
    args = parser.parse_args(words)
    given = {name: getattr(args, name) for name in DATA if getattr(args, name)}
    wanted = [plot for plot in PLOTS if set(plot.needs) <= set(given)]
    if not wanted:
        parser.error("no picture can be drawn: give --single and --paired, --pixel, --drift or --gauge")
    needed = {name for plot in wanted for name in plot.needs}
    reports = {name: _report(path, DATA[name][1]) for name, path in given.items() if name in needed}
    for plot in wanted:
        place = Path(args.out) / plot.file
        place.write_text(plot.draw(*(reports[name] for name in plot.needs)).svg(), encoding="utf-8")
        print(place)
    return 0


def _report(path: str, bench: Callable[[str], Report]) -> Report:
    """A report from its JSON, or computed from the data."""
    if path.endswith(".json"):
        found: Report = json.loads(Path(path).read_text(encoding="utf-8"))
        return found
    return bench(path)


if __name__ == "__main__":
    raise SystemExit(main())
