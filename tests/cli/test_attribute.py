from __future__ import annotations

import json

import pytest

from powerhal.recording import RecordingWriter


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    """A recording of the simulated phone, short but long enough to learn from."""
    from powerhal import session

    path = tmp_path_factory.mktemp("run") / "phone.phr"
    session.open("sim-phone", seed=5).record(path, duration_s=60.0).close()
    return path


def test_table_adds_up_and_names_the_model(cli, phone) -> None:
    done = cli("attribute", str(phone))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    head = next(k for k, text in enumerate(lines) if "energy J" in text)
    last = next(k for k, text in enumerate(lines) if text.startswith("total = battery"))
    shares = [float(text.split("%")[0].split()[-1]) for text in lines[head + 1 : last]]
    assert sum(shares) == pytest.approx(100.0, abs=2.0)
    assert any(text.startswith("powerhal (itself)") for text in lines)
    assert any(text.startswith("idle (board floor)") for text in lines)
    assert any(text.startswith("model: ") and "R²" in text and "cond" in text for text in lines)


@pytest.mark.parametrize("by", ["device", "uid", "cgroup", "pid"])
def test_other_views_have_the_same_total(cli, phone, by) -> None:
    totals = [
        next(t.split()[3:] for t in cli("attribute", str(phone), "--by", view).stdout.splitlines() if t[:5] == "total")
        for view in ("process", by)
    ]
    assert totals[0] == totals[1]


def test_json_is_the_document(cli, phone) -> None:
    done = cli("attribute", str(phone), "--json", "--zone", "JP")
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    whole = sum(r["energy_j"] for r in document["rows"] if r["kind"] in ("device", "group", "idle", "unattributed"))
    assert whole == pytest.approx(document["total"]["energy_j"], rel=1e-9)
    assert document["conservation_error"] <= 1e-9
    assert all(r["low_j"] <= r["energy_j"] <= r["high_j"] for r in document["rows"])
    assert document["carbon"]["zone"] == "JP" or document["carbon"]["zone"] == "JPN"
    assert all("gco2e" in r for r in document["rows"])
    assert document["series"]["measured_w"]


def test_a_saved_model_serves_again(cli, phone, tmp_path) -> None:
    assert cli("attribute", str(phone), "--save-model", "phone.phm").returncode == 0
    done = cli("attribute", str(phone), "--model", "phone.phm", "--json")
    assert json.loads(done.stdout)["model"]["source"] == "given"
    (tmp_path / "bad.phm").write_text("{}")
    assert cli("attribute", str(phone), "--model", "bad.phm").returncode == 3


def test_a_run_without_power_is_refused_with_exit_5(cli, tmp_path) -> None:
    from powerhal.channel import Topology

    path = tmp_path / "dark.phr"
    RecordingWriter(str(path), topology=Topology("dark", "", (), (), ())).close()
    done = cli("attribute", str(path))
    assert done.returncode == 5
    assert "no power measurement" in done.stderr
    assert done.stdout == ""


def test_wrong_words_are_exit_2_and_3(cli, phone) -> None:
    assert cli("attribute", str(phone), "--by", "moon").returncode == 2
    assert cli("attribute", str(phone), "--window", "-1").returncode == 2
    assert cli("attribute", "absent.phr").returncode == 3


@pytest.mark.parametrize(
    "text", ["{}", "not json", "[1, 2]", '{"schema": 9, "coefficients": [], "covariance": []}', None]
)
def test_a_wrong_model_says_what_to_do(cli, phone, tmp_path, text) -> None:
    if text is not None:
        (tmp_path / "wrong.phm").write_text(text)
    done = cli("attribute", str(phone), "--model", "wrong.phm")
    assert done.returncode == 3
    assert "wrong.phm" in done.stderr and "do: learn one with: powerhal attribute" in done.stderr
    assert "Error(" not in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("policy", ["equal", "proportional", "shapley"])
def test_a_policy_shares_idle_energy_and_keeps_the_total(cli, phone, policy) -> None:
    plain, shared = (
        json.loads(cli("attribute", str(phone), "--json", *words).stdout) for words in ([], ["--policy", policy])
    )
    assert shared["policy"] == policy
    assert shared["total"]["energy_j"] == plain["total"]["energy_j"]
    idle = [sum(r["energy_j"] for r in d["rows"] if r["kind"] == "idle") for d in (plain, shared)]
    assert idle[1] < 0.2 * idle[0]


def test_a_model_has_no_use_for_a_prior(cli):
    done = cli("attribute", "run.phr", "--model", "a.phm", "--prior", "b.phm")
    assert done.returncode == 2
    assert "--prior has no part" in done.stderr
