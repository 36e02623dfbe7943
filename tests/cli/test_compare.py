from __future__ import annotations

import json

import pytest


@pytest.fixture(scope="module")
def phones(tmp_path_factory):
    """Recordings of two simulated phones."""
    from powerhal import session

    folder = tmp_path_factory.mktemp("runs")
    for seed in (5, 6):
        session.open("sim-phone", seed=seed).record(folder / f"{seed}.phr", duration_s=40.0).close()
    return folder / "5.phr", folder / "6.phr"


def test_a_run_against_itself_has_no_difference(cli, phones) -> None:
    done = cli("compare", str(phones[0]), str(phones[0]))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "before W" in lines[0] and "±90 %" in lines[0] and "1 run against 1 run" in lines[0]
    assert lines[1].startswith("total")
    assert not any(text.endswith("  real") for text in lines)
    assert any("one run a side" in text for text in lines)
    assert not any("-0.0 %" in text or "+0.0 %" in text for text in lines)


def test_json_of_two_phones_and_of_their_ledgers(cli, phones, tmp_path) -> None:
    found = json.loads(cli("compare", str(phones[0]), str(phones[1]), "--json").stdout)
    assert found["schema"] == 1 and found["per"] == "second"
    total = found["rows"][0]
    assert (total["kind"], total["name"]) == ("total", "total")
    assert total["low_w"] <= total["difference_w"] <= total["high_w"]
    assert total["difference_w"] == pytest.approx(total["after_w"] - total["before_w"])
    assert {r["verdict"] for r in found["rows"]} <= {"real", "not distinguishable"}
    assert any("different machines" in n for n in found["notes"])
    for name, path in zip(("a.json", "b.json"), phones, strict=True):
        (tmp_path / name).write_text(cli("attribute", str(path), "--json").stdout)
    again = json.loads(cli("compare", "a.json", "b.json", "--json").stdout)
    for one, other in zip(found["rows"], again["rows"], strict=True):
        assert one["difference_w"] == pytest.approx(other["difference_w"], rel=1e-9, abs=1e-12)
        assert one["high_w"] == pytest.approx(other["high_w"], rel=1e-9, abs=1e-12)


def test_several_runs_a_side_and_a_check(cli, phones) -> None:
    one, other = map(str, phones)
    done = cli("compare", one, other, "--against", other, one, "--by", "device")
    assert done.returncode == 0, done.stderr
    assert "2 runs against 2 runs" in done.stdout
    totals = {r["name"]: r for r in json.loads(cli("compare", one, other, "--json").stdout)["rows"]}["total"]
    risen = totals["difference_w"] > 0
    first, second = (one, other) if risen else (other, one)
    if totals["real"]:
        assert cli("compare", first, second, "--check").returncode == 1
    assert cli("compare", second, first, "--check").returncode == 0


def test_wrong_words_and_files(cli, phones, tmp_path) -> None:
    one = str(phones[0])
    alone = cli("compare", one)
    assert alone.returncode == 2 and "--against" in alone.stderr
    assert cli("compare", one, one, one).returncode == 2
    assert cli("compare", one, "absent.phr").returncode == 3
    (tmp_path / "odd.json").write_text('{"schema": 1}')
    odd = cli("compare", one, "odd.json")
    assert odd.returncode == 3 and "attribute RUN.phr --json" in odd.stderr


@pytest.mark.parametrize(
    ("low", "more", "said"),
    [
        (-1.0, None, "not distinguishable (too small to tell)"),
        (0.5, None, "not distinguishable among so many rows (too small to tell)"),
        (0.5, 3, "not distinguishable among so many rows (3 more runs a side would tell)"),
        (-1.0, 1, "not distinguishable (1 more run a side would tell)"),
    ],
)
def test_a_verdict_blames_the_many_rows_only_where_they_are_to_blame(low, more, said) -> None:
    from powerhal.attribution.compare import Difference
    from powerhal.cli.compare import _verdict

    row = Difference("process", "x", 1.0, 3.0, 2.0, low, 4.0 - low, 0.06, 0.2, more, 1.0)
    assert _verdict(row) == said


def test_one_run_alone(cli) -> None:
    done = cli("compare", "a.phr")
    assert done.returncode == 2 and "one run alone" in done.stderr and "do: " in done.stderr
