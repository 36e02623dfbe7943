"""F06: a kernel driver owns the chip, from the start or since: it is never forced."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from powerhal.errors import TransportError
from tests.faults.faulty import Bench, row


def test_f06_a_chip_of_a_driver_is_refused_untouched() -> None:
    bench = Bench({0x40: "ti,ina226"})
    bench.bus.owners[0x40] = "ina2xx"
    with pytest.raises(TransportError) as caught:
        bench.source("ti,ina226", averages=16).open()
    assert caught.value.kind == "busy"
    assert not bench.bus.asked


def test_f06_a_chip_that_a_driver_takes_meanwhile_is_left_to_it() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226", averages=16)
    bench.bus.owners[0x40] = "ina2xx"
    bench.bus.chips[0x40].write(b"\x00\x45\x27")  # the driver sets its own averages
    bench.bus.asked.clear()
    qualities = [row(source)[1] for _ in range(40)]
    assert any(q & Quality.MISSING for q in qualities[:16])
    assert all(q & Quality.MISSING for q in qualities[16:])
    assert source.last_kind == "busy"
    assert not bench.bus.writes
    asked = len(bench.bus.asked)
    row(source)
    assert len(bench.bus.asked) == asked, "not even read"
    del bench.bus.owners[0x40]
    assert not row(source)[1] & Quality.MISSING
