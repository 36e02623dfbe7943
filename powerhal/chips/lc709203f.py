"""ON Semiconductor LC709203F: one-cell gauge without current; every answer ends in a CRC-8.

Sources: LC709203F data sheet; units as in the open Adafruit driver (mV, 0.1 %, 0.1 K). The address is that of SBS
batteries. The first access after sleep is not acknowledged.
"""

from __future__ import annotations

from powerhal.chips.inferred import FROM_CHARGE
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Evidence, Register


def _word(name: str, command: int, *bits: Bits, role: str = "data") -> Register:
    return Register(name, command, bits, 3, "little", role, check=True)


LC709203F = ChipType(
    name="lc709203f",
    title="ON Semiconductor LC709203F, one-cell voltage gauge with CRC",
    addresses=(0x0B, 0x0B),
    registers=(
        _word("thermistor_b", 0x06, Bits("thermistor_b", 0, 16), role="limit"),
        _word("temperature", 0x08, Bits("t_c", 0, 16, lsb=0.1, zero=2731.5, unit="degC")),
        _word("voltage", 0x09, Bits("v", 0, 16, lsb=1e-3, unit="V")),
        _word("current_direction", 0x0A, Bits("current_direction", 0, 16, signed=True), role="limit"),
        _word("adjustment", 0x0B, Bits("adjustment", 0, 16), role="limit"),
        _word("rsoc", 0x0D, Bits("rsoc_pct", 0, 16, unit="%")),
        _word("ite", 0x0F, Bits("soc_pct", 0, 16, lsb=0.1, unit="%")),
        _word("version", 0x11, Bits("version", 0, 16), role="id"),
        _word("profile", 0x12, Bits("profile", 0, 16), role="limit"),
        _word("power_mode", 0x15, Bits("power_mode", 0, 16), role="limit"),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge", accuracy=0.002),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
        ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
    ),
    inferred=FROM_CHARGE,
    evidence=(
        Evidence("voltage", span=(2000, 5500)),
        Evidence("ite", span=(0, 1000)),
    ),
    cycle_s=lambda c: 1.0,
    max_hz=1.0,
    stretches_clock=True,
    default_hz=1.0,
    needs_shunt=False,
    source_note="LC709203F data sheet; open Adafruit driver",
    checked="units and CRC: an open driver",
)
