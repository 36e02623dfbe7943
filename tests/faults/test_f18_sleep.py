"""F18: a gauge that hibernates shows an old voltage, one that sleeps none at all: rows are stale until it is awake."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row


@pytest.mark.parametrize("compatible", ["maxim,max17048", "maxim,max17049"])
def test_f18_a_hibernating_gauge_is_stale(compatible: str) -> None:
    bench = Bench({0x36: compatible})
    source = bench.opened(compatible, 0x36, 1.0)
    assert not row(source)[1] & Quality.STALE
    bench.bus.chips[0x36].write(b"\x0a\xff\xff")
    bench.supply.voltage_v = 3.2
    bench.wait(2.0)
    values, quality = row(source)
    assert values["r1.voltage"] == pytest.approx(3.7, abs=1e-3), "still the old one"
    assert quality & Quality.STALE
    bench.bus.chips[0x36].write(b"\x0a\x00\x00")
    bench.wait(2.0)
    values, quality = row(source)
    assert values["r1.voltage"] == pytest.approx(3.2, abs=1e-3)
    assert not quality & Quality.STALE


def test_f18_a_sleeping_cw2015_says_so() -> None:
    bench = Bench({0x62: "cellwise,cw2015"})
    source = bench.opened("cellwise,cw2015", 0x62, 1.0)
    assert row(source)[1] & Quality.STALE
    bench.bus.chips[0x62].write(b"\x0a\x00")
    bench.wait(2.0)
    values, quality = row(source)
    assert not quality & Quality.STALE
    assert values["r1.voltage"] == pytest.approx(3.7, abs=1e-3)
