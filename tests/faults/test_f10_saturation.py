"""F10: the converter is at its end: the value is a lower bound and says so; a math overflow is not saturation."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row


@pytest.mark.parametrize(
    ("compatible", "full_v"),
    [("ti,ina226", 0.08192), ("ti,ina228", 0.16384), ("ti,ina3221", 0.1638), ("ti,ina236", 0.08192)],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_f10_beyond_the_range_is_a_flagged_bound(compatible: str, full_v: float, sign: int) -> None:
    bench = Bench({0x40: compatible}, amperes=sign * 3 * full_v / 0.01)
    values, quality = row(bench.opened(compatible))
    assert quality & Quality.SATURATED
    assert abs(values["r1.current"]) == pytest.approx(full_v / 0.01, rel=1e-2)


@pytest.mark.parametrize(("range_v", "amperes", "flagged"), [(0.04, 5.0, True), (0.08, 5.0, False), (0.32, 33.0, True)])
def test_f10_the_gain_of_an_ina219_decides(range_v: float, amperes: float, flagged: bool) -> None:
    bench = Bench({0x40: "ti,ina219"}, amperes=amperes)
    _, quality = row(bench.opened("ti,ina219", shunt_range_v=range_v))
    assert bool(quality & Quality.SATURATED) == flagged


def test_f10_a_math_overflow_leaves_volts_and_shunt_valid() -> None:
    bench = Bench({0x40: "ti,ina219"}, amperes=30.0, volts=20.0)
    bench.bus.chips[0x40].write(b"\x05\xff\xfe")
    source = bench.opened("ti,ina219")
    assert bench.bus.transfer(0x40, b"\x02", 2)[1] & 1, "the chip says OVF"
    values, quality = row(source)
    assert not quality & Quality.SATURATED
    assert values["r1.power"] == pytest.approx(600.0, rel=1e-3)
