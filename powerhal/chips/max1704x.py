"""Maxim MAX17048/49: voltage and state of charge from the cell voltage alone, no current.

Sources: MAX17048/MAX17049 data sheet; Linux drivers/power/supply/max17040_battery.c
(6.12) for the cell voltage and state of charge; the rate register's 0.208 %/h from the data sheet.
Big-endian words. The converter runs four times a second, once in 45 s when it hibernates.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.channel import Quality
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Evidence, Register, RowFlag


def _registers(cell_v: float) -> tuple[Register, ...]:
    """`cell_v`: volts per step (78.125 uV for one cell, twice that for two)."""
    return (
        Register("vcell", 0x02, (Bits("v", lsb=cell_v, unit="V"),)),
        Register("soc", 0x04, (Bits("soc_pct", lsb=1 / 256, unit="%"),)),
        Register("version", 0x08, role="id"),
        Register("hibernate", 0x0A, role="limit", por=0x8030),
        Register("rcomp", 0x0C, (Bits("rcomp", 8, 8),), role="limit", por=0x971C),
        Register("crate", 0x16, (Bits("crate_pct_per_h", signed=True, lsb=0.208, unit="%/h"),)),
        Register("status", 0x1A, (Bits("reset_indicator", 8, 1, unit="bool"),), role="status", por=0x0100),
    )


MAX17048 = ChipType(
    name="max17048",
    title="Maxim MAX17048, one-cell voltage gauge",
    addresses=(0x36, 0x36),
    registers=_registers(78.125e-6),
    channels=(
        ChannelRow("voltage", "V", ("v",), accuracy=0.002),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
    ),
    evidence=(
        Evidence("version", 0x0010, 0xFFF0, required=False, proof=True),
        Evidence("vcell", 0xFFFF, differs=True),
        Evidence("soc", span=(0, 110 * 256)),
    ),
    flags=(RowFlag("status", "reset_indicator", Quality.RESET, latched=True),),
    cycle_s=lambda c: 0.25,
    max_hz=4.0,
    default_hz=1.0,
    needs_shunt=False,
    source_note="MAX17048/MAX17049 data sheet; Linux drivers/power/supply/max17040_battery.c",
)
MAX17049 = replace(
    MAX17048, name="max17049", title="Maxim MAX17049, two-cell voltage gauge",
    registers=_registers(156.25e-6), _by_name={},
)  # fmt: skip
