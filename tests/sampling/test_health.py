from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Field, Flag, Layout, Quality
from powerhal.errors import TransportError
from powerhal.sampling.health import Breaker, Health, RowFlags, kind_of


def test_health_counts_by_quality():
    health = Health()
    for quality in (0, Quality.STALE, Quality.SATURATED | Quality.RESET):
        health.count(int(quality))
    health.count_fault("timeout")
    assert health.to_dict() == {
        "samples": 3, "missing": 0, "late": 0, "missed": 0, "stale": 1, "saturated": 1, "resets": 1,
        "noisy": 0, "suspended": 0, "faults": {"timeout": 1},
    }  # fmt: skip


@given(st.lists(st.booleans(), max_size=60))
def test_breaker_opens_after_three_in_a_row_and_waits_at_most_a_minute(outcomes):
    breaker, row = Breaker(), 0
    for worked in outcomes:
        if worked:
            breaker.worked()
            row = 0
        else:
            breaker.failed(5)
            row += 1
        assert breaker.open == (row >= 3)
        assert breaker.wait_ns == (min(2 ** (row - 3), 60) * 10**9 if row >= 3 else 0)


@given(st.binary(min_size=4, max_size=4))
def test_row_flags_equal_a_plain_reading_of_the_bits(raw):
    layout = Layout(
        4,
        (Field("status", 0, 2, shift=4, bits=3), Field("level", 2, 2, order="little", signed=True)),
        (),
        (
            Flag("status", Quality.STALE, when_zero=True),
            Flag("level", Quality.SATURATED, values=(-32768, 32767)),
        ),
    )
    status = (raw[0] << 8 | raw[1]) >> 4 & 7
    level = int.from_bytes(raw[2:], "little", signed=True)
    expected = (Quality.STALE if status == 0 else 0) | (Quality.SATURATED if abs(level + 0.5) == 32767.5 else 0)
    flags = RowFlags(layout)
    assert flags.of(raw) == flags.of(raw) == expected


def test_kind_of():
    assert kind_of(TransportError("x", kind="busy")) == "busy"
    assert kind_of("timeout: no answer") == "timeout"
    assert kind_of("/sys/x: gone") == "io"
