from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Field, Quality, Rail, Topology


@given(st.integers(1, 8), st.integers(0, 7), st.booleans(), st.booleans(), st.data())
def test_a_field_reads_back_what_was_put_there(
    nbytes: int, shift: int, signed: bool, little: bool, data: st.DataObject
) -> None:
    width = data.draw(st.integers(1, 8 * nbytes - shift))
    low, high = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
    value = data.draw(st.integers(low, high))
    noise = data.draw(st.integers(0, (1 << 8 * nbytes) - 1))
    mask = ((1 << width) - 1) << shift
    word = (noise & ~mask) | ((value & ((1 << width) - 1)) << shift)
    order = "little" if little else "big"
    row = b"\xa5\x5a" + word.to_bytes(nbytes, order) + b"\xff"
    field = Field("x", 2, nbytes, order, signed, shift, width)
    assert field.integer(row) == value


def test_quality_bits_are_distinct_and_fit_sixteen_bits() -> None:
    values = [int(q) for q in Quality if q]
    assert len(set(values)) == len(values) and sum(values) < 1 << 16


def test_rail_tree() -> None:
    tree = Topology("b", "", (Rail("A", "ROOT"), Rail("ROOT"), Rail("B", "A")), (), ())
    assert tree.root().name == "ROOT"
    assert [r.name for r in tree.children("ROOT")] == ["A"]
    with pytest.raises(LookupError):
        Topology("b", "", (Rail("A", "B"), Rail("B", "A")), (), ()).root()
