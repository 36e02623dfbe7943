from __future__ import annotations

import json

import pytest

from powerhal.board.load import load
from powerhal.carbon import for_board
from powerhal.errors import UsageError

HOUR_S = 3600.0


def test_a_board_with_a_battery_pays_for_charging() -> None:
    account = for_board({"zone": "JP"}, HOUR_S, has_battery=True)
    assert account.losses.label == "battery"
    assert account.losses.factor.value == pytest.approx(1 / (0.97 * 0.9 * 0.85))
    assert for_board({"zone": "JP"}, HOUR_S).losses.label == "mains"
    assert for_board({"zone": "JP", "supply": "mains"}, HOUR_S, has_battery=True).losses.label == "mains"


def test_given_efficiencies_have_no_doubt_of_ours() -> None:
    account = for_board({"adapter_efficiency": 0.5, "supply": "mains"}, HOUR_S)
    assert account.losses.factor.value == 2.0
    assert account.losses.factor.low == account.losses.factor.high == 2.0


def test_the_command_line_wins_over_the_board_and_the_board_over_the_world() -> None:
    board = {"zone": "FR", "embodied_kg": 10.0, "lifetime_s": 1e8}
    assert for_board(board, HOUR_S, zone="JP").intensity.zone == "JP"
    assert for_board(board, HOUR_S).intensity.zone == "FR"
    assert for_board({}, HOUR_S).intensity.zone == "WORLD"
    own = for_board({"intensity_kg_per_j": 1e-7}, HOUR_S)
    assert own.intensity.g_per_kwh == pytest.approx(360.0)
    assert for_board({"intensity_kg_per_j": 1e-7}, HOUR_S, zone="JP").intensity.zone == "JP"
    made = for_board(board, HOUR_S, embodied_kg=20.0).embodied
    assert made is not None
    assert made.total_kg.value == 20.0
    with pytest.raises(UsageError):
        for_board({"zone": "Nowhereland"}, HOUR_S)


def test_embodied_needs_mass_and_lifetime() -> None:
    assert for_board({"embodied_kg": 10.0}, HOUR_S).embodied is None
    assert for_board({"lifetime_s": 1e8}, HOUR_S).embodied is None


def test_what_is_told_can_be_recomputed() -> None:
    account = for_board({"zone": "JP", "embodied_kg": 55.5, "lifetime_s": 94672800.0}, HOUR_S, has_battery=True)
    about = json.loads(json.dumps(account.about(12e3, 11e3, 13e3)))
    assert about["operational_g"] == pytest.approx(12e3 * about["loss_factor"] * about["g_per_kwh"] / 3.6e6)
    assert about["embodied_g"] == pytest.approx(55.5e3 * HOUR_S / 94672800.0)
    assert about["total_g"] == pytest.approx(about["operational_g"] + about["embodied_g"])
    assert about["low_g"] < about["total_g"] < about["high_g"]
    assert "JP 2024" in about["text"]
    assert "Ember" in about["text"]
    assert about["licence"] == "CC BY-SA 4.0"


def test_unknown_embodied_is_said() -> None:
    assert "embodied part not included (unknown)" in for_board({}, HOUR_S).about(1.0, 1.0, 1.0)["text"]


def test_a_shipped_board_has_an_account() -> None:
    topology = load("sim-phone").topology()
    account = for_board(topology.carbon, HOUR_S, zone="JP", has_battery=bool(topology.battery))
    grams, low, high = account.row(1e3, 0.9e3, 1.1e3)
    assert 0 < low < grams < high
