"""F07: the chip lost its supply for a moment: registers at their defaults, reads that look well."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row

CASES = [
    ("ti,ina226", {"averages": 16}), ("ti,ina219", {"bus_range_v": 16}), ("ti,ina3221", {"averages": 4}),
    ("ti,ina228", {"averages": 4}), ("ti,ina238", {"averages": 4}), ("ti,ina236", {"averages": 16}),
    ("ti,ina260", {"averages": 16}),
]  # fmt: skip


@pytest.mark.parametrize(("compatible", "config"), CASES)
@given(when=st.integers(1, 40))
@settings(max_examples=12, deadline=None)
def test_f07_a_reset_is_flagged_within_sixteen_rows_and_undone(
    compatible: str, config: dict[str, float], when: int
) -> None:
    bench = Bench({0x40: compatible})
    source = bench.opened(compatible, **config)
    for _ in range(when):
        assert not row(source)[1] & Quality.RESET
        bench.wait(0.1)
    bench.bus.chips[0x40] = bench.chip(compatible)
    bench.wait(0.1)
    bench.bus.asked.clear()
    flagged = []
    for i in range(16):
        if row(source)[1] & Quality.RESET:
            flagged.append((i, source.doubtful_rows))
        bench.wait(0.1)
    assert flagged, "within sixteen samples"
    first, doubtful = flagged[0]
    assert doubtful >= first + 1, "all rows since the last good look are doubtful"
    assert bench.bus.writes, "the board's configuration is written again"
    assert not row(source)[1] & Quality.RESET
