"""One row of raw bytes to channels, in plain Python: what the bulk kernels must agree with."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, prod

from powerhal.channel import Flag, Layout, Quality


def field_integers(layout: Layout, raw: bytes) -> dict[str, int]:
    """Raw integer of every field of one row; raises ValueError when the row has another width."""
    if len(raw) != layout.row_bytes:
        raise ValueError(f"a row of this layout has {layout.row_bytes} bytes, not {len(raw)}")
    return {field.name: field.integer(raw) for field in layout.fields}


def decode_row(layout: Layout, raw: bytes) -> dict[str, float]:
    """Channel name -> value in SI of one row, NaN for a channel whose field the layout lacks.

    value = integer * scale + bias; a product channel multiplies its fields' values. Counters are given as
    they stand: only differences mean anything. Raises ValueError for a row of the wrong width.
    """
    integers = field_integers(layout, raw)
    values = {f.name: integers[f.name] * f.scale + f.bias for f in layout.fields}
    return {c.name: prod(values.get(part, nan) for part in c.product or (c.field,)) for c in layout.channels}


def row_quality(layout: Layout, raw: bytes) -> Quality:
    """What the row says of itself: the flags of its layout. A field of zeros in a MISSING row means nothing."""
    return flags_quality(layout.flags, field_integers(layout, raw)) if layout.flags else Quality.OK


def flags_quality(flags: tuple[Flag, ...], integers: Mapping[str, int]) -> Quality:
    """The qualities that the raw integers raise."""
    quality = Quality.OK
    for flag in flags:
        raw = integers[flag.field]
        raised = raw in flag.values if flag.values else bool(raw)
        if raised != flag.when_zero:
            quality |= flag.quality
    return quality
