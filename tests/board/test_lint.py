from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.board import budget
from powerhal.board.lint import lint, lint_file, measured_rails
from powerhal.board.load import parse
from powerhal.chips import load as load_chip
from powerhal.transport import Xfer

from .boardtext import GOOD, spoiled


def found(text: str) -> list[str]:
    return [str(p) for p in lint(parse(text, "b.yaml"))]


def test_a_good_board_is_quiet() -> None:
    assert found(GOOD) == []


SUPPLY = 'supply: {chip: "ti,ina226", bus: i2c-1, address: 0x40, rate: 10 Hz, rail: VIN, shunt: 10 mOhm}'
GAUGE = 'chip: "maxim,max17048", bus: i2c-1, address: 0x36, rail: VIN}'


@pytest.mark.parametrize(
    ("old", "new", "severity", "code", "says"),
    [
        ("VIN, shunt: 10 mOhm", "VIN, shunt: 5 uOhm", "error", "PH-B041", "5.00 µOhm is not plausible"),
        ("VIN, shunt: 10 mOhm", "VIN, shunt: 10 Ohm", "warn", "PH-B041", "above 1 Ohm"),
        ("rail: VIN, shunt: 10 mOhm", "rail: VIN", "error", "PH-B013", "ina226 needs the shunt's value"),
        ("shunt: 10 mOhm", "shunt: 100 mOhm", "warn", "PH-B044", "saturates at 819 mA, but rail 'VIN' allows 3.00 A"),
        ("nominal: 5 V, limit", "nominal: 48 V, limit", "error", "PH-B044", "at most 41.0 V, but rail"),
        ("rate: 10 Hz", "rate: 900 Hz", "error", "PH-B045", "write at most '454.5 Hz'"),
        (SUPPLY, SUPPLY.replace("10 Hz", "100 Hz")[:-1] + ", config: {averages: 16}}", "error", "PH-B045", "'28.4 Hz'"),
        (SUPPLY, SUPPLY[:-1] + ", config: {avrages: 16}}", "error", "PH-B052", "did you mean 'averages'?"),
        (SUPPLY, SUPPLY[:-1] + ", config: {averages: 17}}", "error", "PH-B052", "choose from 1, 4, 16"),
        (SUPPLY, SUPPLY[:-1] + ", config: {bus_conversion: 1.1 parsec}}", "error", "PH-B052", "unknown unit 'parsec'"),
        (SUPPLY, SUPPLY + "\n  twin: " + SUPPLY[8:], "error", "PH-B042", "already supply (ti,ina226)"),
        (SUPPLY, SUPPLY + "\n  twin: " + SUPPLY[8:].replace("0x40", "0x48"), "warn", "PH-B049", "already measured"),
        (SUPPLY, SUPPLY + "\n  a: {" + GAUGE + "\n  b: {" + GAUGE, "error", "PH-B050", "both addresses are fixed"),
        ("address: 0x41", "address: 0x40", "error", "PH-B042", "0x40 on side is already supply"),
        ("address: 0x41", "address: 0x60", "error", "PH-B055", "ina3221 answers at 0x40 to 0x43, not at 0x60"),
        ("address: 0x41", "address: 0x05", "error", "PH-B051", "reserved by the I2C specification"),
        ("2: {rail: IO, shunt: 5 mOhm}", "4: {rail: IO, shunt: 5 mOhm}", "error", "PH-B043", "no channel 4"),
        ("2: {rail: IO, shunt: 5 mOhm}", "3: {rail: CORE, shunt: 5 mOhm}", "warn", "PH-B047", "measures rail 'IO'"),
        ("speed: 400 kHz", "speed: 1 kHz", "error", "PH-B046", "of the time of i2c-1 at 1.00 kHz"),
        ("activities: {bytes: net.wlan0}, ", "", "warn", "PH-B048", "no activity explains device 'wifi'"),
        ("kind: cpu, rail: CORE, cluster: cpu}", "kind: base, rail: CORE}", "warn", "PH-B048", "uses cluster 'cpu'"),
        ("bytes: net.wlan0", "bytes: nett.wlan0", "error", "PH-B056", "did you mean 'net'?"),
        ("bytes: net.wlan0", "bytes: cpu.cpuu.busy", "error", "PH-B056", "no cluster 'cpuu'"),
        ("cpus: [0, 1]", "cpus: [0, 0]", "error", "PH-B053", "CPU 0 is already in cluster 'cpu'"),
        ("frequency: 1.2 GHz", "frequency: 600 MHz", "error", "PH-B054", "must rise"),
        ("voltage: 1 V", "voltage: 12 V", "warn", "PH-B054", "not a usual core voltage"),
        ("carbon:", 'kernel: {rails: {"hwmom.x": IO}}\ncarbon:', "error", "PH-B056", "did you mean 'hwmon'?"),
    ],
)  # fmt: skip
def test_each_doubt_is_said(old: str, new: str, severity: str, code: str, says: str) -> None:
    problems = found(spoiled(old, new))
    assert any(f"  {severity}" in p and code in p and says in p for p in problems), problems


def test_a_rail_known_to_be_unseen_is_quiet_and_a_pattern_counts_as_seen() -> None:
    text = spoiled("2: {rail: IO, shunt: 5 mOhm}", "3: {rail: CORE, shunt: 5 mOhm}")
    quiet = text.replace("IO: {parent: VIN}", "IO: {parent: VIN, measured: false}")
    assert not any("PH-B047" in p for p in found(quiet))
    assert not any("PH-B047" in p for p in found(text + 'kernel: {rails: {"hwmon.x.*": IO}}\n'))


def test_who_measures_what() -> None:
    assert measured_rails(parse(GOOD)) == {"VIN": ["supply"], "CORE": ["three"], "IO": ["three"]}


def test_a_file_that_does_not_load_is_linted_too(tmp_path: Path) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(spoiled("rate: 10 Hz", "rate: 10"))
    assert [p.code for p in lint_file(path)] == ["PH-B031"]


def test_the_mainline_bug_of_the_tx2_nx_is_found() -> None:
    # arch/arm64/boot/dts/nvidia/tegra186-p3509-0000+p3636-0001.dts: shunt-resistor-micro-ohms = <5>
    text = GOOD.replace("5 mOhm", "5 uOhm")
    assert sum("PH-B041" in p and "factor of 1000" in p for p in found(text)) == 2


def test_bus_clocks_are_those_of_the_bus_specification() -> None:
    # pointer write and 16-bit read: 5 bytes of 9 clocks and three conditions; 24 and 40 bits: 57 and 75
    assert [budget.clocks(Xfer(0x40, b"\x01", n)) for n in (2, 3, 5)] == [48, 57, 75]


def test_bus_share_counts_rows_rates_and_selections() -> None:
    shares = budget.bus_shares(parse(GOOD))
    three_rows = load_chip("ti,ina3221").default_hz * (4 * 48 + 21)  # four registers, one selection: 2 bytes
    assert shares == {"i2c-1": pytest.approx((10 * 2 * 48 + three_rows) / 400e3)}


@pytest.mark.parametrize(
    ("compatible", "config", "amperes", "volts"),
    [
        ("ti,ina226", {}, 8.19175, 40.95875),
        ("ti,ina219", {"shunt_range_v": 0.04, "bus_range_v": 16.0}, 4.0, 16.0),
        ("ti,ina219", {"shunt_range_v": 0.32, "bus_range_v": 32.0}, 32.0, 32.0),
    ],
)
def test_full_scale_through_ten_milliohms(
    compatible: str, config: dict[str, float], amperes: float, volts: float
) -> None:
    ends = budget.full_scale(load_chip(compatible), 1, {**config, "r_shunt_ohm": 0.01})
    assert ends["A"] == pytest.approx(amperes)
    assert ends["V"] == pytest.approx(volts)
