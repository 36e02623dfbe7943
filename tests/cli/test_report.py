"""`powerhal report`: one page of a recording, and what its flags change on it."""

from __future__ import annotations

import json

import pytest

from powerhal import session
from tests.recording.rows import write


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("report")
    session.open("sim-phone", seed=2).record(made / "run.phr", duration_s=40.0).close()
    return made


def test_the_flags_of_carbon_reach_the_page(cli, folder):
    page = folder / "run.html"
    words = ["--intensity", "500 g/kWh", "--embodied", "50kg", "--lifetime", "3y", "--json"]
    done = cli("report", folder / "run.phr", *words)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"schema": 1, "path": str(page), "refused": None}
    text = page.read_text(encoding="utf-8")
    assert "500 g/kWh" in text
    assert "embodied" in text
    assert "not included" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--zone", "XX"), "no grid intensity"),
        (("--intensity", "480"), "no unit"),
        (("--embodied", "3 m"), "mass"),
        (("--lifetime=-3y",), "less than 0"),
    ],
)
def test_wrong_words_are_exit_2(cli, folder, words, said):
    done = cli("report", folder / "run.phr", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_power_sensor_the_page_says_why(cli, tmp_path):
    cli("record", "-o", "run.phr", "--for", "1s")
    done = cli("report", "run.phr", "--json")
    if json.loads(done.stdout)["refused"] is None:
        pytest.skip("this machine measures power")
    assert done.returncode == 0
    assert "no power measurement" in done.stderr
    assert "no power measurement" in (tmp_path / "run.html").read_text(encoding="utf-8")


def test_half_an_embodied_share_is_refused(tmp_path):
    write(tmp_path / "run.phr")
    with session.Run.open(tmp_path / "run.phr") as run, pytest.raises(ValueError, match="needs both"):
        run.attribute(embodied_kg=50.0)


def test_programs_that_started_often_are_one_row(folder):
    from powerhal.report.html import document_of

    with session.Run.open(folder / "run.phr") as run:
        ledger = run.attribute(policy="shapley")
    document = document_of(ledger)
    names = [row["name"] for row in document["rows"] if row["kind"] == "process" and not row["self"]]
    assert len(names) == len(set(names)) < len(ledger.of_kind("process"))
    joules = sum(row["energy_j"] for row in document["rows"] if row["kind"] == "process")
    assert joules == pytest.approx(sum(row.energy_j for row in ledger.of_kind("process")))


def test_idle_by_shapley_value_is_a_policy_of_the_page(cli, folder):
    done = cli("report", folder / "run.phr", "--policy", "shapley", "-o", folder / "shapley.html")
    assert done.returncode == 0, done.stderr
    assert "idle policy: shapley" in (folder / "shapley.html").read_text(encoding="utf-8")
