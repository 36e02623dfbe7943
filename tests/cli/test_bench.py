from __future__ import annotations

import argparse
import json

import pytest

from powerhal.cli import bench
from powerhal.errors import FileError
from tests.attribution.evaluation.synthetic import write_table


def called(*words: str) -> int:
    parser = argparse.ArgumentParser()
    bench.add(parser.add_subparsers())
    args = parser.parse_args(["bench", *words])
    return args.run(args)


@pytest.fixture
def files(tmp_path):
    write_table(tmp_path / "train.csv", seed=1)
    write_table(tmp_path / "test.csv", seed=2, programs={"cBench": 2})
    return str(tmp_path / "train.csv"), str(tmp_path / "test.csv"), str(tmp_path / "out.csv")


def test_json_on_stdout_progress_on_stderr(files, capsys):
    train, test, out = files
    assert called("xu3", "--train", train, "--test", test, "--predictions", out, "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["per_suite"]["cBench"]["mape_percent"] < 6
    assert "fitting" in said.err


def test_a_table_for_readers(files, capsys):
    train, test, _ = files
    assert called("xu3", "--train", train, "--test", test) == 0
    text = capsys.readouterr().out
    assert "cBench" in text
    assert "cpu_time_share" in text
    assert text.count("cbench.p2") == 2


def test_a_bad_file_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileError):
        called("xu3", "--train", str(tmp_path / "absent.csv"))


def test_train_is_required(capsys):
    with pytest.raises(SystemExit):
        called("xu3")
    assert "--train" in capsys.readouterr().err


def test_power_per_frequency(tmp_path, capsys):
    for chip in range(3):
        rows = [
            f"0,{khz},{20 * (1 + chip) + khz / 1e4 + (khz / 1e5) ** 3 / 50:.3f}"
            for khz in range(500000, 2000001, 250000)
        ]
        (tmp_path / f"chip{chip}.csv").write_text("CPU,Frequency (kHz),Power (mW)\n" + "\n".join(rows) + "\n")
    assert called("freq", str(tmp_path), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["curves"] == 3
    assert called("freq", str(tmp_path)) == 0
    said = capsys.readouterr()
    assert "leave one frequency out" in said.out
    assert "3 curves" in said.err


def test_a_slow_sensor(tmp_path, capsys):
    from tests.attribution.evaluation.test_gauge import recorded

    assert called("gauge", "--train", str(recorded(tmp_path / "train.csv", programs=3)), "--seeds", "1") == 0
    said = capsys.readouterr()
    assert "4.00 s, 2.00 s" in said.out
    assert "cBench 1+2" in said.out
    assert "without distortion" in said.err


def test_drift_is_a_data_set(tmp_path, capsys, monkeypatch):
    from tests.attribution.evaluation.test_drift import twice
    from tests.attribution.evaluation.test_gauge import recorded

    monkeypatch.setattr("powerhal.attribution.evaluation.drift.SIMULATED_DAYS", 0.1)
    monkeypatch.setattr("powerhal.attribution.fitting.drift.SIMULATED_DAYS", 0.1)
    path = twice(recorded(tmp_path / "train.csv", programs=3))
    assert called("drift", "--train", str(path), "--seeds", "1") == 0
    said = capsys.readouterr()
    assert "cBench 1+2" in said.out
    assert "seed 0" in said.err


@pytest.mark.parametrize("words", [("drift", "--seeds", "0"), ("gauge", "--seeds", "-1"), ("drift", "--seeds", "x")])
def test_no_seeds_are_wrong_usage(words, capsys):
    with pytest.raises(SystemExit) as left:
        called(*words, "--train", "any.csv")
    assert left.value.code == 2
    assert "is not 1 or more" in capsys.readouterr().err
