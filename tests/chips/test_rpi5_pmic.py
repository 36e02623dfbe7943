from __future__ import annotations

import pytest

from powerhal.chips.rpi5_pmic import decode, parse
from powerhal.errors import UsageError


def test_both_shapes_of_lines() -> None:
    volts, amperes = parse(
        "VDD_CORE_A=1.5A\nVDD_CORE_V=0.875V\n   HDMI_A current(12)=0.01A\nnoise\nEXT5V_V volt(24)=5.1V"
    )
    assert volts == {"VDD_CORE": 0.875, "EXT5V": 5.1}
    assert amperes == {"VDD_CORE": 1.5, "HDMI": 0.01}


def test_what_has_no_partner_stands_alone() -> None:
    got = decode({}, {"text": b"HDMI_A current(12)=0.01A\nEXT5V_V volt(24)=5.1V\n"})
    assert got == {"rails": {}, "voltages": {"EXT5V": 5.1}, "currents": {"HDMI": 0.01}}


def test_another_text_is_refused() -> None:
    with pytest.raises(UsageError):
        decode({}, {"text": b"Command not registered"})
