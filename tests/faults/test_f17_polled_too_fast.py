"""F17: a gauge that locks up when it is asked too often: a greatest rate per chip, and no bus traffic above it."""

from __future__ import annotations

import pytest

from powerhal import chips
from powerhal.channel import Quality
from powerhal.errors import BoardError
from tests.faults.faulty import Bench, row


def test_f17_a_board_that_asks_for_more_is_refused() -> None:
    bench = Bench({0x55: "ti,bq27441"})
    with pytest.raises(BoardError, match="at most 1 "):
        bench.source("ti,bq27441", 0x55, 40.0)
    slow = Bench({0x36: "maxim,max17042"})  # it converts a little faster than it may be asked
    with pytest.raises(BoardError, match="at most 5 "):
        slow.source("maxim,max17042", 0x36, 5.5)


def test_f17_forty_reads_a_second_reach_the_chip_twice_a_second_at_most() -> None:
    bench = Bench({0x55: "ti,bq27441"})
    source = bench.opened("ti,bq27441", 0x55, 1.0)
    row(source)
    bench.bus.asked.clear()
    qualities = []
    for _ in range(400):
        bench.wait(0.025)
        qualities.append(row(source)[1])
    flags = [w for _, w in bench.bus.asked if w == b"\x06"]
    assert len(flags) <= 20
    assert sum(bool(q & Quality.STALE) for q in qualities) >= 380, "a repeat says that it is one"


def test_f17_every_gauge_has_a_greatest_rate() -> None:
    for compatible in chips.CHIPS:
        kind = chips.load(compatible)
        if any(row.quality_class == "gauge" for row in kind.channels):
            assert 0 < kind.max_hz <= 5.0, compatible
