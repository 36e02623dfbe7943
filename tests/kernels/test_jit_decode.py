"""Decoding kernels: every tier against binary digits and clock faces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import kernels
from powerhal.channel import Field
from tests.kernels import twins

SETTINGS = settings(max_examples=60, deadline=None)


@st.composite
def plans(draw):
    width = draw(st.integers(1, 16))
    fields = []
    for _ in range(draw(st.integers(0, 5))):
        nbytes = draw(st.integers(1, min(8, width)))
        shift = draw(st.integers(0, 8 * nbytes - 1))
        bits = draw(st.integers(0, 8 * nbytes - shift))
        offset = draw(st.integers(0, width - nbytes))
        fields.append((offset, nbytes, draw(st.integers(0, 1)), draw(st.integers(0, 1)), shift, bits))
    rows = draw(st.lists(st.binary(min_size=width, max_size=width), min_size=1, max_size=6))
    return np.array([list(row) for row in rows], dtype=np.uint8), fields


@given(plan=plans())
@SETTINGS
def test_any_field_of_any_row(tier, plan):
    raw, layout = plan
    got = np.asarray(tier.decode_fields(raw, layout)).reshape(len(raw), len(layout))
    want = [[twins.field(row, *field) for field in layout] for row in raw.tolist()]
    assert got.tolist() == want


# The words of the parts' datasheets: INA226 shunt register (16-bit two's complement, section 7.6.3),
# INA219 bus register (13 bits above 3 flags), INA228 VSHUNT (20 bits left-aligned in 24, two's
# complement) and ENERGY (40 bits unsigned), a MAX17048 VCELL word, a little-endian BQ27441 current.
EXAMPLES = [
    ("8300", (0, 2, 0, 1, 0, 0), -32000),
    ("7fff", (0, 2, 0, 1, 0, 0), 32767),
    ("5d9a", (0, 2, 0, 0, 3, 13), 2995),
    ("fffff0", (0, 3, 0, 1, 4, 20), -1),
    ("800000", (0, 3, 0, 1, 4, 20), -524288),
    ("7fffff", (0, 3, 0, 1, 4, 20), 524287),
    ("ffffffffff", (0, 5, 0, 0, 0, 40), 2**40 - 1),
    ("ffffffffff", (0, 5, 0, 1, 0, 40), -1),
    ("00d030", (1, 2, 0, 0, 0, 0), 53296),
    ("18fc", (0, 2, 1, 1, 0, 0), -1000),
    ("ffffffffffffffff", (0, 8, 1, 0, 0, 0), -1),
    ("0000000000000080", (0, 8, 1, 1, 0, 64), -(2**63)),
]


@pytest.mark.parametrize(("word", "field", "want"), EXAMPLES)
def test_words_of_real_parts(tier, word, field, want):
    raw = np.frombuffer(bytes.fromhex(word), dtype=np.uint8)[None, :]
    assert np.asarray(tier.decode_fields(raw, [field])).tolist() == [[want]]


def test_no_rows_and_no_fields(tier):
    assert len(tier.decode_fields(np.empty((0, 4), dtype=np.uint8), [(0, 2, 0, 0, 0, 0)])) == 0
    assert len(tier.decode_fields(np.zeros((3, 4), dtype=np.uint8), [])) == 3


BAD_FIELDS = [
    (3, 2, 0, 0, 0, 0), (-1, 1, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0), (0, 9, 0, 0, 0, 0), (0, 1, 0, 0, 8, 0),
    (0, 1, 0, 0, -1, 0), (0, 1, 0, 0, 0, 65), (0, 1, 0, 0, 0, -1),
]  # fmt: skip


@pytest.mark.parametrize("field", BAD_FIELDS)
def test_a_field_outside_its_row_is_refused(tier, field):
    with pytest.raises(ValueError, match="field 0"):
        tier.decode_fields(np.zeros((2, 4), dtype=np.uint8), [field])


def test_field_table_reads_channel_fields():
    fields = [Field("a", 0, 2), Field("b", 2, 3, order="little", signed=True, shift=4, bits=20)]
    assert kernels.field_table(fields) == [(0, 2, 0, 0, 0, 0), (2, 3, 1, 1, 4, 20)]


@given(
    values=st.lists(st.lists(st.integers(-(2**40), 2**40), min_size=2, max_size=2), min_size=1, max_size=5),
    scale=st.floats(1e-9, 1e3),
    bias=st.floats(-300.0, 300.0),
)
@SETTINGS
def test_scaling(tier, values, scale, bias):
    got = np.asarray(tier.scale_fields(np.array(values), [scale, 1.0], [bias, 0.0]))
    assert got[:, 0].tolist() == [v[0] * scale + bias for v in values]
    assert got[:, 1].tolist() == [float(v[1]) for v in values]


@given(
    width=st.integers(1, 64),
    start=st.integers(0, 2**64 - 1),
    steps=st.lists(st.integers(0, 2**63 - 1), max_size=6),
)
@SETTINGS
def test_counters_wrap(tier, width, start, steps):
    """The sum of steps goes round; every step comes back (modulo the width of the counter)."""
    counts = [start % (1 << width)]
    for step in steps:
        counts.append((counts[-1] + step) % (1 << width))
    words = np.array(counts, dtype=np.uint64).view(np.int64)
    got = np.asarray(tier.counter_delta(words, width)).tolist()
    assert got == [twins.delta(0, step, width) for step in steps]
    assert got == [twins.delta(a, b, width) for a, b in pairwise(counts)]


def test_counters_side_by_side(tier):
    counts = np.array([[250, 2**40 - 5, 7], [4, 10, 5], [5, 11, 5]], dtype=np.int64)
    assert np.asarray(tier.counter_delta(counts, [8, 40, 64])).tolist() == [[10, 15, -2], [1, 1, 0]]
    assert np.asarray(tier.counter_delta(np.array([5]), 8)).tolist() == []


@pytest.mark.parametrize("width", [0, 65, [8, 8]])
def test_impossible_counters_are_refused(tier, width):
    with pytest.raises(ValueError, match=r"bit|width|shape"):
        tier.counter_delta(np.array([1, 2, 3]), width)
