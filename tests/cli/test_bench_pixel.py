from __future__ import annotations

import argparse
import json

import pytest

from powerhal.attribution.evaluation.pixel import peers
from powerhal.cli import bench
from powerhal.errors import FileError, NotEnoughData, UsageError
from tests.attribution.evaluation.pixel.synthetic import blind, make_rows, write


def called(*words: str) -> int:
    parser = argparse.ArgumentParser()
    bench.add(parser.add_subparsers())
    args = parser.parse_args(["bench", "pixel", *words])
    return args.run(args)


@pytest.fixture(autouse=True)
def _few_peers(monkeypatch):
    monkeypatch.setattr(peers, "PEERS", {"one_coefficient": peers.one_coefficient})


@pytest.fixture
def files(tmp_path):
    train = write(tmp_path / "train.csv", make_rows(60, seed=1))
    return str(train), str(write(tmp_path / "test.csv", make_rows(30, seed=2, first_id=1))), tmp_path


def test_json_on_stdout_progress_on_stderr(files, capsys):
    train, test, place = files
    words = ("--train", train, "--test", test, "--labelled", "10", "--seed", "4", "--predictions", str(place / "o.csv"))
    assert called(*words, "--json") == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert set(report["components"]) == {"display", "cpu", "gpu", "wifi", "total"}
    assert report["labelled"] == 10
    assert "10 labelled of 60 runs" in said.err
    assert len((place / "o.csv").read_text().splitlines()) == 31


def test_a_table_for_readers(files, capsys):
    assert called("--train", files[0], "--test", files[1]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("display", "wifi", "90% covers", "one_coefficient", "sum of rails"))


def test_a_blind_test_file_says_what_it_lacks(files, capsys):
    hidden = [{**row, "BATTERY_DISCHARGE_RATE_UAS": ""} for row in blind(make_rows(10, seed=3, first_id=1))]
    assert called("--train", files[0], "--test", str(write(files[2] / "blind.csv", hidden))) == 0
    assert "predictions only" in capsys.readouterr().out


def test_halves(files, capsys):
    assert called("--train", files[0], "--halves", "2", "--labelled", "8") == 0
    assert "seeds 0 to 1" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--test", "--predictions"])
def test_halves_take_no_test_file(files, option):
    with pytest.raises(UsageError, match="--halves"):
        called("--train", files[0], "--halves", "2", option, files[1])


def test_errors_have_their_own_kind(files):
    with pytest.raises(FileError):
        called("--train", str(files[2] / "absent.csv"))
    with pytest.raises(NotEnoughData):
        called("--train", files[0], "--labelled", "500")
    with pytest.raises(FileError, match="cannot be written"):
        called("--train", files[0], "--predictions", str(files[2] / "no" / "o.csv"))
