"""What emulated chips do besides measuring: time, sleep, reset, flags, sums that wrap or stop."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from powerhal.sim.chips import build
from powerhal.transport.clock import VirtualClock
from tests.sim.test_emulators import SECOND, Supply


class Desk:
    """An emulated chip, its supply, and time."""

    def __init__(self, compatible: str, amperes: float = 1.0, volts: float = 4.0, shunt: float = 0.01) -> None:
        self.clock, self.supply = VirtualClock(start_ns=SECOND), Supply(amperes, volts)
        self.chip: Any = build(compatible, [self.supply] * 4, self.clock.now_ns, shunts_ohms=[shunt] * 4)

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def get(self, register: int, nbytes: int = 2, order: str = "big") -> int:
        self.chip.write(bytes((register,)))
        return int.from_bytes(self.chip.read(nbytes), "big" if order == "big" else "little")


# compatible, order, register with a setting and its power-on value, another value, the message that resets
RESETS = [
    ("ti,ina236", "big", 0x00, 0x4127, "004527", "008000"),
    ("ti,ina260", "big", 0x00, 0x6127, "006427", "008000"),
    ("ti,ina228", "big", 0x01, 0xFB68, "01fb6a", "008000"),
    ("ti,ina780", "big", 0x01, 0xFB68, "01fb6a", "008000"),
    ("ti,ina233", "little", 0xD4, 0x0000, "d40008", "12"),
    ("maxim,max17043", "big", 0x0C, 0x9700, "0c8000", "fe0054"),
    ("maxim,max17058", "big", 0x0C, 0x971C, "0c8000", "fe5400"),
]


@pytest.mark.parametrize(("compatible", "order", "register", "por", "change", "reset"), RESETS)
def test_power_on_change_and_reset(
    compatible: str, order: str, register: int, por: int, change: str, reset: str
) -> None:
    desk = Desk(compatible)
    assert desk.get(register, order=order) == por
    desk.chip.write(bytes.fromhex(change))
    assert desk.get(register, order=order) != por
    desk.chip.write(bytes.fromhex(reset))
    assert desk.get(register, order=order) == por


@pytest.mark.parametrize(
    ("compatible", "results", "ready", "bit", "cycle_s"),
    [
        ("ti,ina236", 0x02, 0x06, 0x08, 2.2e-3),
        ("ti,ina234", 0x02, 0x06, 0x08, 2.2e-3),
        ("ti,ina260", 0x02, 0x06, 0x08, 2.2e-3),
        ("ti,ina238", 0x05, 0x0B, 0x02, 3.156e-3),
        ("ti,ina780", 0x05, 0x0B, 0x02, 3.156e-3),
    ],
)
def test_a_result_comes_with_its_ready_bit_and_not_before(
    compatible: str, results: int, ready: int, bit: int, cycle_s: float
) -> None:
    desk = Desk(compatible)
    desk.wait(0.99 * cycle_s)
    assert desk.get(results) == 0
    assert not desk.get(ready) & bit
    desk.wait(0.02 * cycle_s)
    assert desk.get(results) > 0
    assert desk.get(ready) & bit
    assert not desk.get(ready) & bit, "reading clears it"
    desk.wait(cycle_s)
    assert desk.get(ready) & bit


def test_a_sleeping_cw2015_measures_nothing_until_it_is_woken() -> None:
    desk = Desk("cellwise,cw2015")
    desk.wait(10.0)
    assert desk.get(0x02) == 0
    desk.chip.write(b"\x0a\x00")
    desk.wait(0.3)
    assert desk.get(0x02) == round(4.0 / 305e-6)


@pytest.mark.parametrize(("compatible", "asleep"), [("ti,ina228", "010b68"), ("ti,ina236", "004120")])
def test_power_down_keeps_the_last_result(compatible: str, asleep: str) -> None:
    desk = Desk(compatible)
    register, nbytes = (0x05, 3) if compatible == "ti,ina228" else (0x02, 2)
    desk.wait(0.1)
    before = desk.get(register, nbytes)
    desk.chip.write(bytes.fromhex(asleep))
    desk.supply.voltage_v = 2.0
    desk.wait(1.0)
    assert desk.get(register, nbytes) == before > 0


def test_a_pac193x_shows_what_the_last_refresh_took_over() -> None:
    desk = Desk("microchip,pac1934")
    desk.wait(1.0)
    assert desk.get(0x07) == 0, "nothing was taken over"
    desk.chip.write(b"\x1f")
    assert desk.get(0x07) == 0, "one millisecond later"
    desk.wait(0.001)
    assert desk.get(0x07) == round(4.0 * 65536 / 32)
    assert desk.get(0x02, 3) == 1024
    desk.chip.write(b"\x00")  # REFRESH: taken over and cleared
    desk.wait(0.5)
    desk.chip.write(b"\x1f")
    desk.wait(0.001)
    assert desk.get(0x02, 3) == pytest.approx(512, abs=1)


def test_a_pac193x_sums_stop_at_their_end() -> None:
    desk = Desk("microchip,pac1931", amperes=9.9, volts=31.9)
    desk.wait(65536 / 1024 * 1.1)
    desk.chip.write(b"\x1f")
    desk.wait(0.001)
    assert desk.get(0x02, 3) < 0xFFFFFF
    desk.wait(1024 * 17)
    desk.chip.write(b"\x1f")
    desk.wait(0.001)
    assert desk.get(0x03, 6) == 0xFFFFFFFFFFFF
    assert desk.get(0x02, 3) == 0xFFFFFF


def test_a_pac193x_goes_both_ways_when_told() -> None:
    desk = Desk("microchip,pac1931", amperes=-2.5, volts=8.0)
    desk.chip.write(b"\x1d\x80")
    desk.wait(1.0)
    desk.chip.write(b"\x1f")
    desk.wait(0.001)
    assert desk.get(0x0B) == 0x10000 - 8192  # 25 mV of 100 mV in 2^15 steps
    assert desk.get(0x03, 6) >> 47 == 1, "a negative sum"


def test_ina228_energy_and_charge_are_exact_and_wrap() -> None:
    desk = Desk("ti,ina228", amperes=-2.0, volts=8.0)
    desk.wait(3600.0)
    chip = desk.chip
    lsb = Fraction(0x1000) / (13_107_200_000 * Fraction(0.01))
    energy, charge = desk.get(0x09, 5), desk.get(0x0A, 5)
    assert float(energy * lsb * 256 / 5) == pytest.approx(2.0 * 8.0 * 3600, rel=1e-5)
    assert float((charge - 2**40) * lsb) == pytest.approx(-2.0 * 3600, rel=1e-5)
    chip.preset(0x09, (2**40 - 10) * lsb * 256 / 5)
    desk.wait(10.0)
    assert desk.get(0x09, 5) < 2**40 // 2, "round the end"
    chip.write(b"\x00\x40\x00")  # RSTACC
    assert desk.get(0x09, 5) == desk.get(0x0A, 5) == 0


def test_ltc2941_counts_down_while_the_battery_drains_and_stops_at_the_end() -> None:
    desk = Desk("lltc,ltc2941", amperes=0.85, shunt=0.05)
    desk.wait(3600.0)
    assert desk.get(0x02) == pytest.approx(0x7FFF - 0.85 / 85e-6, abs=2)
    desk.wait(3600.0 * 10)
    assert desk.get(0x02) == 0
    desk.supply.current_a = -0.85
    desk.wait(3600.0)
    assert desk.get(0x02) == pytest.approx(0.85 / 85e-6, abs=2)


def test_max17055_coulomb_counter_wraps() -> None:
    desk = Desk("maxim,max17055", amperes=2.0, shunt=0.01)
    first = desk.get(0x4D, order="little")
    desk.wait(36 * 3600.0)
    gained = (desk.get(0x4D, order="little") - first) % 65536
    assert gained == pytest.approx(-2.0 * 36 / 0.5e-3 % 65536, abs=2)


@pytest.mark.parametrize(("register", "charging", "bit"), [(0x0A, True, 0x80), (0x0A, False, 0x00)])
def test_bq27000_says_the_direction_in_its_flags(register: int, charging: bool, bit: int) -> None:
    desk = Desk("ti,bq27000", amperes=-0.5 if charging else 0.5, shunt=0.02)
    assert desk.get(register, 1) & 0x80 == bit
    assert desk.get(0x14, order="little") == round(0.5 * 0.02 / 3.57e-6)


def test_a_gauge_that_lost_its_set_up_says_so_until_somebody_ends_it() -> None:
    desk = Desk("ti,bq27441")
    assert desk.get(0x06, order="little") & 0x20
    desk.chip.write(b"\x00\x42\x00")
    assert not desk.get(0x06, order="little") & 0x20


def test_sbs_switches_between_charge_and_energy() -> None:
    desk = Desk("sbs,sbs-battery", volts=10.0)
    assert desk.get(0x10, order="little") == 1340
    desk.chip.write(b"\x03\x00\x80")
    desk.wait(1.0)
    assert desk.get(0x10, order="little") == 1340  # 13.4 Wh in 10 mWh
    desk.supply.voltage_v = 20.0
    desk.wait(1.0)
    assert desk.get(0x10, order="little") == 2680


def test_ltc2945_keeps_extremes_and_multiplies_what_control_says() -> None:
    desk = Desk("adi,ltc2945", amperes=1.0, volts=12.0, shunt=0.02)
    desk.supply.current_a = 3.0
    desk.wait(1.0)
    assert desk.get(0x14) >> 4 == 2400
    desk.supply.current_a = 1.0
    desk.wait(1.0)
    assert desk.get(0x14) >> 4 == 800
    assert desk.get(0x16) >> 4 == 2400
    assert desk.get(0x05, 3) == 800 * 480
    assert desk.get(0x08, 3) == 2400 * 480
    desk.chip.write(b"\x00\x04")
    desk.wait(1.0)
    assert desk.get(0x05, 3) == 800 * 4095  # 12 V are beyond ADIN


def test_ina209_peaks_hold_until_they_are_cleared() -> None:
    desk = Desk("ti,ina209", amperes=5.0)
    desk.wait(0.1)
    assert desk.get(0x03) == 5000
    desk.supply.current_a = 1.0
    desk.wait(0.1)
    assert desk.get(0x07) == 5000
    assert desk.get(0x03) == 1000
    desk.chip.write(b"\x07\xff\xff")
    desk.wait(0.1)
    assert desk.get(0x07) == 1000


def test_ina233_ein_sums_power_readings() -> None:
    desk = Desk("ti,ina233", amperes=1.0, volts=5.0)
    desk.chip.write(b"\xd4\x00\x08")
    desk.wait(1.0)
    desk.chip.write(b"\x86")
    first = desk.chip.read(7)
    desk.wait(1.0)
    desk.chip.write(b"\x86")
    second = desk.chip.read(7)
    assert first[0] == 6
    totals = [int.from_bytes(block[1:4], "little") for block in (first, second)]
    counts = [int.from_bytes(block[4:7], "little") for block in (first, second)]
    power = desk.get(0x97, order="little")
    assert (totals[1] - totals[0]) % 2**24 / (counts[1] - counts[0]) == pytest.approx(power, rel=0.01)


def test_extremes_are_those_of_conversions_and_not_of_settings() -> None:
    desk = Desk("ti,ina209", amperes=5.0)
    desk.chip.write(b"\x16\x10\x00")
    desk.chip.write(b"\x00\x39\x9f")
    assert (desk.get(0x07), desk.get(0x08)) == (0x8000, 0x7FFF), "nothing was converted yet"
    desk.wait(0.1)
    assert (desk.get(0x07), desk.get(0x08)) == (5000, 5000)


def test_stc3117_counts_conversions_and_not_writes() -> None:
    desk = Desk("st,stc3117")
    before = desk.get(0x04, order="little")
    desk.chip.write(b"\x20\x01")
    assert desk.get(0x04, order="little") == before
    desk.wait(0.6)
    assert desk.get(0x04, order="little") == before + 1


@pytest.mark.parametrize(
    ("compatible", "asleep", "ready", "bit"),
    [("ti,ina226", "004120", 0x06, 8), ("ti,ina3221", "007120", 0x0F, 1), ("ti,ina219", "003998", 0x02, 2)],
)
def test_power_down_keeps_the_ready_bit(compatible: str, asleep: str, ready: int, bit: int) -> None:
    """TI SBOS547, SBOS576, SBOS448: writing CONFIG clears the bit, except for power-down."""
    desk = Desk(compatible)
    desk.wait(0.1)
    desk.chip.write(bytes.fromhex(asleep))
    assert desk.get(ready) & bit


def test_max17048_knows_no_rate_after_a_quick_start() -> None:
    desk = Desk("maxim,max17048")
    for fraction in (0.50, 0.51):
        desk.supply.fraction = fraction
        desk.wait(30.0)
        desk.get(0x16)
    assert desk.get(0x16) == round(1.0 / (30.0 / 3600) / 0.208)
    desk.chip.write(b"\x06\x40\x00")
    assert desk.get(0x16) == 0
    desk.chip.write(b"\x0a\xff\xff")
    assert desk.get(0x06) == 0x1000, "asleep"
