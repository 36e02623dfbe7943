"""F08: the wire comes loose and goes back: the chip is proved again before its first row counts."""

from __future__ import annotations

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row


def test_f08_another_chip_in_the_socket_is_not_read_as_the_old_one() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226")
    bench.bus.unplug(0x40)
    assert row(source)[1] & Quality.MISSING
    bench.bus.chips[0x40] = bench.chip("ti,ina219")
    bench.bus.plug(0x40)
    bench.wait(1.0)
    for _ in range(5):
        assert row(source)[1] & Quality.MISSING
    bench.bus.chips[0x40] = bench.chip("ti,ina226")
    bench.wait(1.0)
    values, quality = row(source)
    assert not quality & Quality.MISSING
    assert abs(values["r1.current"] - 1.0) < 1e-3


def test_f08_the_sampler_declares_the_gap_and_comes_back() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226")
    start = bench.clock.now_ns()
    bench.bus.script = lambda a, w: "absent" if 2e9 < bench.clock.now_ns() - start < 5e9 else ""
    _, sink = bench.sample([source], 15.0)
    assert sink.gaps
    assert len(sink.times()) > 80
