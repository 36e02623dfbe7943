"""Recorded rows of every chip: the kernels' integers and values are the one-by-one decoder's, in every tier."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from powerhal import chips, kernels
from powerhal.chips.layout import build_row, expected_config, settings_of
from powerhal.chips.registers import ChipType
from powerhal.recording.decode import field_integers
from tests.chips.test_layout import options
from tests.kernels.conftest import tier  # noqa: F401

ROWS = 64


@pytest.mark.parametrize("chip", [chips.load(c) for c in chips.CHIPS], ids=lambda c: c.name)
def test_blocks_decode_as_single_rows(chip: ChipType, tier: Any) -> None:  # noqa: F811
    config = settings_of(chip, expected_config(chip, {}))
    layout = build_row(chip, chip.addresses[0], options(chip), config, period_s=1e-3).layout
    random_bytes = random.Random(chip.name)
    ends = [bytes(layout.row_bytes), b"\xff" * layout.row_bytes, b"\x80" * layout.row_bytes]
    rows = [*ends, *(random_bytes.randbytes(layout.row_bytes) for _ in range(ROWS))]
    block = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), layout.row_bytes)
    found = np.asarray(tier.decode_fields(block, kernels.field_table(layout.fields))).reshape(len(rows), -1)
    scales, biases = [f.scale for f in layout.fields], [f.bias for f in layout.fields]
    values = np.asarray(tier.scale_fields(found, np.array(scales), np.array(biases))).reshape(len(rows), -1)
    for row, integers, si in zip(rows, found, values, strict=True):
        want = field_integers(layout, row)
        assert integers.tolist() == list(want.values())
        assert si.tolist() == [want[f.name] * f.scale + f.bias for f in layout.fields]
