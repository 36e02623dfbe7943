"""F11: asked faster than it converts, a chip repeats itself: nothing is counted twice, too fast is refused."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from powerhal.errors import BoardError
from tests.faults.faulty import Bench, row


@pytest.mark.parametrize("compatible", ["ti,ina226", "ti,ina219", "ti,ina228", "ti,ina238", "ti,ina236", "ti,ina260"])
def test_f11_repeats_are_stale(compatible: str) -> None:
    bench = Bench({0x40: compatible})
    rate = 800.0 if compatible == "ti,ina219" else 300.0
    source = bench.opened(compatible, rate=rate)
    fresh = 0
    start = bench.clock.now_ns()
    row(source)
    for _ in range(2000):
        bench.wait(0.1 / rate)
        fresh += not row(source)[1] & Quality.STALE
    cycle_s = {"ti,ina219": 1.064e-3, "ti,ina228": 3.156e-3, "ti,ina238": 3.156e-3}.get(compatible, 2.2e-3)
    conversions = (bench.clock.now_ns() - start) / 1e9 / cycle_s
    assert fresh == pytest.approx(conversions, abs=2)


def test_f11_a_rate_that_the_chip_cannot_do_is_refused_with_the_greatest() -> None:
    bench = Bench({0x40: "ti,ina226"})
    with pytest.raises(BoardError, match="454"):
        bench.source("ti,ina226", rate=500.0)
