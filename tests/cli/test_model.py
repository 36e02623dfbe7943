from __future__ import annotations

import pytest

from powerhal.attribution import PowerModel
from powerhal.attribution.accounts import attribute
from powerhal.cli import main
from tests.attribution.synthetic import build


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        attribute(build(seed=seed, seconds=40.0)).learned.save(folder / f"{seed}.phm")
    return folder


def test_show_says_where_priors_come_from(models, capsys):
    assert main(["model", "show", str(models / "1.phm")]) == 0
    out = capsys.readouterr().out
    assert "cpu: V²f" in out
    assert "board file: dynamic-power-coefficient" in out


def test_merge_writes_a_model(models, tmp_path, capsys):
    out = tmp_path / "both.phm"
    assert main(["model", "merge", str(models / "1.phm"), str(models / "2.phm"), "--out", str(out)]) == 0
    assert "of 2 models" in capsys.readouterr().err
    assert PowerModel.load(out).windows == sum(PowerModel.load(models / f"{k}.phm").windows for k in (1, 2))


def test_mistakes_are_named(models, tmp_path, capsys):
    assert main(["model", "merge", str(models / "1.phm"), "--out", str(tmp_path / "x.phm")]) == 2
    assert main(["model", "show", str(tmp_path / "absent.phm")]) == 3
    assert "absent.phm" in capsys.readouterr().err
