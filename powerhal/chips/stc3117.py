"""ST STC3117: one-cell gauge with coulomb counter, little-endian, + when charging.

Sources: Linux drivers/power/supply/stc3117_fuel_gauge.c for registers, steps and identity (0x16). The current is 14
bits two's complement: that driver reads it unsigned, so it is no reference for a discharge.
"""

from __future__ import annotations

from powerhal.channel import Quality
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Evidence, Register, RowFlag

VOLT = 9011 / 4096 * 1e-3
SENSE_VOLT = 24084 / 4096 * 1e-6


def _word(name: str, address: int, bits: Bits) -> Register:
    return Register(name, address, (bits,), order="little")


STC3117 = ChipType(
    name="stc3117",
    title="ST STC3117, one-cell gauge with coulomb counter",
    addresses=(0x70, 0x70),
    registers=(
        Register("mode", 0x00, (Bits("voltage_mode", 0, 1), Bits("running", 4, 1)), 1, role="config", por=0x09),
        Register("ctrl", 0x01, (
            Bits("battery_removed", 3, 1, unit="bool"), Bits("power_on_reset", 4, 1, unit="bool"),
        ), 1, role="status"),
        _word("soc", 0x02, Bits("soc_pct", lsb=1 / 512, unit="%")),
        _word("counter", 0x04, Bits("conversions")),
        _word("current", 0x06, Bits("i", 0, 14, signed=True, lsb=SENSE_VOLT, per="r_shunt_ohm", unit="A",
                                    clamp=(0x1FFF, -0x2000))),
        _word("voltage", 0x08, Bits("v", lsb=VOLT, unit="V")),
        Register("temperature", 0x0A, (Bits("t_c", signed=True, unit="degC"),), 1),
        _word("avg_current", 0x0B, Bits("i_avg", signed=True, lsb=SENSE_VOLT / 4, per="r_shunt_ohm", unit="A")),
        _word("ocv", 0x0D, Bits("ocv_v", lsb=VOLT / 4, unit="V")),
        Register("id", 0x18, nbytes=1, role="id"),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge", accuracy=0.005),
        ChannelRow("current", "A", ("i",), factor=-1.0, quality_class="gauge", accuracy=0.01),
        ChannelRow("power", "W", ("v", "i"), quality_class="gauge", accuracy=0.015),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
        ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
    ),
    evidence=(Evidence("id", 0x16, 0xFF, proof=True), Evidence("soc", span=(0, 51200))),
    flags=(RowFlag("ctrl", "power_on_reset", Quality.RESET, latched=True),),
    cycle_s=lambda c: 0.5,
    max_hz=2.0,
    default_hz=1.0,
    autoincrement=True,
    source_note="Linux drivers/power/supply/stc3117_fuel_gauge.c",
    checked="registers, steps, identity, quarter step of the average: Linux; address: from memory",
)  # fmt: skip
