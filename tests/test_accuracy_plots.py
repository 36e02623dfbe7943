from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from benchmarks import accuracy_plots
from benchmarks.dot_plot import LEFT, RIGHT, WIDTH, DotPlot


def marks(svg):
    """Hint and x of every mark of a picture."""
    root = ElementTree.fromstring(svg)
    out = {}
    for node in root.iter():
        title = node.find("{http://www.w3.org/2000/svg}title")
        if title is not None and ": " in title.text:
            middle = float(node.get("x", 0.0)) + float(node.get("width", 0.0)) / 2.0
            out[title.text] = float(node.get("cx", middle))
    return out


def test_a_mark_stands_where_its_value_says():
    svg = DotPlot("t", "a", {"one": {"x": 0.0}, "two": {"x": 5.0}, "three": {"x": 10.0}}).svg()
    found = marks(svg)
    assert found["one, x: 0"] == LEFT
    assert found["three, x: 10"] == WIDTH - RIGHT
    assert found["two, x: 5"] == pytest.approx((LEFT + WIDTH - RIGHT) / 2)


def test_what_is_unknown_is_not_drawn_and_text_is_escaped():
    svg = DotPlot("a < b & c", "%", {"r<1>": {"x": None, "y": 1.0}}).svg()
    assert list(marks(svg)) == ["r<1>, y: 1"]
    assert "a &lt; b &amp; c" in svg


@pytest.mark.parametrize("greatest", [0.03, 0.9, 7.0, 64.0, 1234.0])
def test_axes_hold_every_value_with_few_round_ticks(greatest):
    svg = DotPlot("t", "a", {"r": {"x": greatest, "y": -greatest}}, band=(-greatest, greatest)).svg()
    ticks = [float(text) for text in re.findall(r'fill="#666666" font-size="13">(-?[\d.e+]+)<', svg)]
    assert min(ticks) <= -greatest
    assert max(ticks) >= greatest
    assert len(ticks) <= 11


def report():
    suite = {"by_events_list": {"1": 7.0, "2": 3.0}, "without_counters_mape_percent": 6.0}
    program = {"energy_error_percent": -4.0, "interval90_coverage_percent": 88.0}
    return {
        "per_suite": {"cBench": suite},
        "baselines": {"cpu_time_share": {"per_suite": {"cBench": 60.0}}},
        "per_program": {"sha": program},
        "identifiability": {"cBench 1": {"rows_covered_percent": 95.0, "confident": {"rows_covered_percent": 40.0}}},
    }


def test_pictures_come_from_reports_by_one_command(tmp_path, capsys):
    (tmp_path / "r.json").write_text(json.dumps(report()))
    place = str(tmp_path / "r.json")
    assert accuracy_plots.main(["--single", place, "--paired", place, "--out", str(tmp_path)]) == 0
    drawn = [line.rsplit("/", 1)[-1] for line in capsys.readouterr().out.splitlines()]
    assert drawn == [plot.file for plot in accuracy_plots.PLOTS if plot.needs == ("paired", "single")]
    found = marks((tmp_path / "accuracy-mape.svg").read_text())
    assert "cBench, single runs, powerhal: 3" in found
    assert "sha, paired counters: -4" in marks((tmp_path / "accuracy-energy.svg").read_text())
    assert "sha, paired counters: 88" in marks((tmp_path / "accuracy-coverage.svg").read_text())


def test_without_files_the_command_says_what_it_needs(capsys):
    with pytest.raises(SystemExit) as stopped:
        accuracy_plots.main(["--single", "a.csv"])
    assert stopped.value.code == 2
    assert "--single and --paired" in capsys.readouterr().err


def test_every_picture_needs_data_that_can_be_given():
    assert {name for plot in accuracy_plots.PLOTS for name in plot.needs} <= set(accuracy_plots.DATA)
    assert len({plot.file for plot in accuracy_plots.PLOTS}) == len(accuracy_plots.PLOTS)
