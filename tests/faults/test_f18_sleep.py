"""F18: a gauge that hibernates shows an old voltage, one that sleeps none at all: rows are stale until it is awake."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row


@pytest.mark.parametrize("compatible", ["ti,bq27441", "ti,bq27541", "ti,bq27z561"])
def test_f18_a_sleeping_bq27_repeats_itself_and_is_stale(compatible: str) -> None:
    """Its sleep bit cannot be read without a write: asleep it answers the same for up to 20 s."""
    bench = Bench({0x55: compatible}, amperes=0.3)
    source = bench.opened(compatible, 0x55, 1.0)
    held: dict[bytes, bytes] = {}
    bench.bus.spoil = lambda address, write, answer: held.setdefault(write, answer)
    seen = []
    for second in range(20):
        bench.supply.current_a = 0.3 + 0.01 * second
        bench.wait(1.0)
        seen.append(bool(row(source)[1] & Quality.STALE))
    assert seen == [False] * 9 + [True] * 11
    bench.bus.spoil = lambda address, write, answer: answer
    bench.wait(1.0)
    values, quality = row(source)
    assert not quality & Quality.STALE
    assert values["r1.current"] == pytest.approx(0.49, abs=2e-3)


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
