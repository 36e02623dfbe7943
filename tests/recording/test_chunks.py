from __future__ import annotations

from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.recording.chunks import (
    DamagedChunk,
    empty_usage,
    pack_rows,
    pack_usage,
    unpack_rows,
    unpack_usage,
)

T = st.integers(0, 2**62)


@given(st.data(), st.integers(1, 9))
def test_rows_come_back(data, width):
    t_ns = data.draw(st.lists(T, min_size=1, max_size=40))
    n = len(t_ns)
    quality = data.draw(st.lists(st.integers(0, 65535), min_size=n, max_size=n))
    raw = data.draw(st.binary(min_size=n * width, max_size=n * width))
    chunk = pack_rows(3, array("q", t_ns), array("H", quality), raw, width)
    steps, got_quality, got_raw = unpack_rows(chunk, width)
    times, at = [], chunk.t0_ns
    for step in steps:
        at += step
        times.append(at)
    assert (times, list(got_quality), got_raw) == (t_ns, quality, raw)


@given(st.lists(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9), st.floats(0, 1e9)), max_size=6), min_size=1))
def test_usage_comes_back(scans):
    usage = empty_usage()
    for i, rows in enumerate(scans):
        usage.t_ns.append(i)
        usage.count.append(len(rows))
        for process, activity, amount in rows:
            usage.process.append(process)
            usage.activity.append(activity)
            usage.amount.append(amount)
    assert unpack_usage(pack_usage(usage)) == usage


@given(st.data())
def test_every_flipped_bit_is_noticed(data):
    chunk = pack_rows(1, array("q", [5, 6, 9]), array("H", [0, 1, 0]), bytes(range(12)), 4)
    at = data.draw(st.integers(0, len(chunk.data) * 8 - 1))
    flipped = bytearray(chunk.data)
    flipped[at // 8] ^= 1 << at % 8
    with pytest.raises(DamagedChunk):
        unpack_rows(replace(chunk, data=bytes(flipped)), 4)


@pytest.mark.parametrize("change", [{"n": 2}, {"t0_ns": 4}, {"t1_ns": 7}, {"codec": 0}, {"source": 2}, {"crc": 1}])
def test_the_header_is_part_of_the_checksum(change):
    chunk = pack_rows(1, array("q", [5, 6, 9]), array("H", [0, 1, 0]), bytes(1200), 400)
    with pytest.raises(DamagedChunk):
        unpack_rows(replace(chunk, **change), 400)


def test_a_huge_claim_is_refused_before_memory_is_used():
    chunk = pack_rows(1, array("q", [5]), array("H", [0]), bytes(100), 100)
    with pytest.raises(DamagedChunk):
        unpack_rows(replace(chunk, n=1 << 40), 100)


def test_steady_rows_shrink():
    n = 1000
    chunk = pack_rows(0, array("q", range(0, n * 1000, 1000)), array("H", bytes(2 * n)), bytes(8 * n), 8)
    assert len(chunk.data) < n
