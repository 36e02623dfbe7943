"""The one-row decoder against a decoder that works on strings of bits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Channel, Field, Flag, Layout, Quality
from powerhal.recording.decode import decode_row, field_integers, row_quality


@st.composite
def fields(draw: st.DrawFn) -> tuple[Field, bytes]:
    nbytes = draw(st.integers(1, 8))
    shift = draw(st.integers(0, 8 * nbytes - 1))
    bits = draw(st.integers(0, 8 * nbytes - shift))
    offset = draw(st.integers(0, 5))
    field = Field(
        "f", offset, nbytes, draw(st.sampled_from(["big", "little"])), draw(st.booleans()), shift, bits,
        draw(st.floats(-10, 10)), draw(st.floats(-10, 10)),
    )  # fmt: skip
    return field, draw(st.binary(min_size=offset + nbytes + 2, max_size=offset + nbytes + 2))


def by_bit_string(field: Field, row: bytes) -> int:
    part = list(row[field.offset : field.offset + field.nbytes])
    if field.order == "little":
        part.reverse()
    text = "".join(f"{byte:08b}" for byte in part)
    text = text[: len(text) - field.shift]
    if field.bits:
        text = text[-field.bits :]
    if field.signed and text[0] == "1":
        return -sum((b == "0") << i for i, b in enumerate(reversed(text))) - 1
    return sum((b == "1") << i for i, b in enumerate(reversed(text)))


@given(fields())
def test_any_field_of_any_row(case: tuple[Field, bytes]) -> None:
    field, row = case
    layout = Layout(len(row), (field,), (Channel("c", "voltage", "V", "f"),))
    want = by_bit_string(field, row)
    assert field_integers(layout, row) == {"f": want}
    assert decode_row(layout, row)["c"] == pytest.approx(want * field.scale + field.bias, rel=1e-12, abs=1e-300)


def two_words(**flag: object) -> Layout:
    parts = (
        Field("v", 0, 2, scale=1.25e-3),
        Field("i", 2, 2, signed=True, scale=2.5e-4),
        Field("ready", 4, 1, shift=3, bits=1),
    )
    channels = (Channel("r.voltage", "voltage", "V", "v"), Channel("r.power", "power", "W", product=("v", "i")))
    return Layout(5, parts, channels, (Flag(**flag),) if flag else ())  # type: ignore[arg-type]


def test_products_keep_the_sign() -> None:
    values = decode_row(two_words(), bytes.fromhex("0fa0f06000"))
    assert values == {"r.voltage": pytest.approx(5.0), "r.power": pytest.approx(-5.0)}


@pytest.mark.parametrize(
    ("flag", "row", "raised"),
    [
        ({"field": "ready", "quality": Quality.STALE, "when_zero": True}, "0000000000", True),
        ({"field": "ready", "quality": Quality.STALE, "when_zero": True}, "00000000ff", False),
        ({"field": "ready", "quality": Quality.STALE}, "0000000008", True),
        ({"field": "ready", "quality": Quality.STALE}, "00000000f7", False),
        ({"field": "i", "quality": Quality.STALE, "values": (0x7FFF, -0x8000)}, "0000800000", True),
        ({"field": "i", "quality": Quality.STALE, "values": (0x7FFF, -0x8000)}, "00007fff00", True),
        ({"field": "i", "quality": Quality.STALE, "values": (0x7FFF, -0x8000)}, "00007ffe00", False),
    ],
)
def test_flags(flag: dict[str, object], row: str, raised: bool) -> None:
    assert bool(row_quality(two_words(**flag), bytes.fromhex(row)) & Quality.STALE) is raised


def test_a_layout_without_flags_is_fine() -> None:
    assert row_quality(two_words(), bytes(5)) is Quality.OK


def test_unknown_field_is_unknown_not_zero() -> None:
    layout = Layout(1, (), (Channel("c", "voltage", "V", "gone"),))
    assert math.isnan(decode_row(layout, b"\0")["c"])


@pytest.mark.parametrize("width", [0, 4, 6])
def test_rows_of_another_width_are_refused(width: int) -> None:
    with pytest.raises(ValueError, match="5 bytes"):
        decode_row(two_words(), bytes(width))
