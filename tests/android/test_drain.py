"""The staircase of the battery: steps, charging, corrections, gaps, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.android.drain.activities import timeline
from powerhal.android.drain.gauge import Capacity, capacity_of, drain
from powerhal.android.history.lines import read_history
from powerhal.android.history.states import History
from powerhal.android.issues import Issues
from powerhal.android.parse import read
from powerhal.android.statistics import Statistics
from powerhal.errors import NotEnoughData

CELL = Capacity(4000.0, 0.04, "of the test")


def history(*lines: str) -> History:
    issues = Issues()
    out = History(issues)
    for number, line in enumerate(("0:RESET:TIME:1700000000000", *lines)):
        out.feed(read_history(number + 1, f"9,h,{line}", issues))
    out.close()
    return out


def steps(levels: range, ms: int) -> list[str]:
    return [f"{ms},Bl={level}" for level in levels]


def test_energy_between_steps_is_whole_steps_at_the_voltage() -> None:
    found_in = history("0,Bl=90,Bv=4000", *steps(range(89, 69, -1), 300_000))
    found = drain(found_in, timeline(found_in), CELL)
    assert found.way == "level steps"
    assert found.covered.sum() == 19  # the first level stands anywhere in its step
    assert found.mah[found.covered] == pytest.approx(40.0)
    assert found.energy_j.sum() == pytest.approx(19 * 40 * 3.6 * 4.0)
    assert found.covered_ms == 19 * 300_000


def test_fast_steps_are_put_together() -> None:
    found_in = history("0,Bl=90,Bv=4000", *steps(range(89, 69, -1), 20_000))
    found = drain(found_in, timeline(found_in), CELL)
    assert found.mah.sum() == pytest.approx(19 * 40)
    assert found.mah[found.covered].min() == pytest.approx(120.0)


@pytest.mark.parametrize("on, off", [("+BP", "-BP"), ("Bs=c", "Bs=d"), ("Bp=u", "Bp=n"), ("+ch", "-ch")])
def test_charging_is_left_out_whatever_says_it(on: str, off: str) -> None:
    found_in = history(
        "0,Bl=90,Bv=4000", *steps(range(89, 79, -1), 300_000), f"1000,{on}", *steps(range(81, 95), 300_000),
        f"1000,{off}", *steps(range(93, 83, -1), 300_000),
    )  # fmt: skip
    found = drain(found_in, timeline(found_in), CELL)
    charging = [r for r in found.left_out if r.why == "charging"]
    assert [(r.start_ms, r.end_ms) for r in charging] == [(3_001_000, 7_202_000)]
    assert found.mah.sum() == pytest.approx((9 + 9) * 40)
    for k in range(found.covered.size):
        if found.covered[k]:
            assert not (found.edges_ms[k] < 7_202_000 and found.edges_ms[k + 1] > 3_001_000)


def test_what_an_overflow_hides_is_left_out_and_said() -> None:
    found_in = history(
        "0,Bl=90,Bv=4000", *steps(range(89, 79, -1), 300_000), "1000:*OVERFLOW*", *steps(range(79, 75, -1), 300_000),
        "1000:START", "0,Bl=75", *steps(range(74, 70, -1), 300_000),
    )  # fmt: skip
    found = drain(found_in, timeline(found_in), CELL)
    assert found.mah.sum() == pytest.approx((9 + 3) * 40)
    assert any(r.why == "states unknown" for r in found.left_out)


def test_a_correction_of_the_gauge_is_no_energy() -> None:
    lines = ["0,Bl=90,Bv=4000", *steps(range(89, 79, -1), 300_000), "60000,Bl=40", *steps(range(39, 35, -1), 300_000)]
    found_in = history(*lines)
    found = drain(found_in, timeline(found_in), CELL)
    assert [r.why for r in found.left_out if r.mah] == ["the gauge was corrected"]
    assert found.mah.sum() == pytest.approx((9 + 4) * 40)
    up = history(
        "0,Bl=50,Bv=4000", *steps(range(49, 39, -1), 300_000), "60000,Bl=60", *steps(range(59, 49, -1), 300_000)
    )
    assert drain(up, timeline(up), CELL).mah.sum() == pytest.approx((9 + 10) * 40)


def test_a_charge_counter_is_finer_and_preferred() -> None:
    rows = [f"30000,Bcc={3000 - 3 * k}" for k in range(1, 100)]
    found_in = history("0,Bl=75,Bcc=3000,Bv=4000", *rows[:50], "0,Bl=74", *rows[50:])
    found = drain(found_in, timeline(found_in), CELL)
    assert found.way == "charge counter"
    assert found.quantum_mah == 3.0
    assert found.mah.sum() == pytest.approx(3 * 99, rel=0.03)
    assert any("meanwhile the level fell" in n for n in found.notes)
    assert found.gain_sd < CELL.gain_sd


def test_refusals_name_what_is_missing() -> None:
    empty = History(Issues())
    with pytest.raises(NotEnoughData, match="no battery history"):
        drain(empty, timeline(empty), CELL)
    quiet = history("0,+S", "1000,-S")
    with pytest.raises(NotEnoughData, match="no battery level and no charge"):
        drain(quiet, timeline(quiet), CELL)
    levels = history("0,Bl=90", *steps(range(89, 69, -1), 300_000))
    with pytest.raises(NotEnoughData, match="nothing says what the battery holds"):
        drain(levels, timeline(levels), None)
    endless = history("0,Bl=90", *steps(range(89, 69, -1), 10**15))
    with pytest.raises(NotEnoughData, match="cannot be right"):
        drain(endless, timeline(endless), CELL)
    plugged = history("0,Bl=90,+BP", *steps(range(91, 95), 300_000))
    with pytest.raises(NotEnoughData, match="on a charger"):
        drain(plugged, timeline(plugged), CELL)


def test_without_voltage_it_is_assumed_and_doubted() -> None:
    found_in = history("0,Bl=90", *steps(range(89, 69, -1), 300_000))
    found = drain(found_in, timeline(found_in), CELL)
    assert any("no voltage" in n for n in found.notes)
    assert found.gain_sd > CELL.gain_sd


def test_capacity_prefers_what_the_phone_learned() -> None:
    stats = Statistics("l")
    assert capacity_of(stats) is None
    given = capacity_of(stats, 3000.0)
    assert given and given.source == "of the given profile"
    stats.battery["capacity_mah"] = 1000
    dummy = capacity_of(stats, 3000.0)
    assert dummy and "placeholder" in dummy.source and dummy.gain_sd == 0.5
    stats.totals["battery_time"] = {"min_learned_capacity_uah": 3_900_000, "max_learned_capacity_uah": 4_100_000}
    learned = capacity_of(stats)
    assert learned and learned.mah == 4000.0 and learned.gain_sd > 0.04


def test_a_real_dump_with_a_counter(shared: Path) -> None:
    dump = read(shared / "data/android/human/xiaomi_miro_a15_1h.crlf.txt").main
    assert dump is not None
    found = drain(dump.history, timeline(dump.history), capacity_of(dump.main))
    assert found.way == "charge counter"
    # The dump prints 410 mAh of discharge; the last readings were taken on the charger.
    assert found.mah.sum() == pytest.approx(410, rel=0.01)
    assert any(r.why == "charging" for r in found.left_out)
