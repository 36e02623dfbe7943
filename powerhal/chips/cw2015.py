"""CellWise CW2015: voltage and state of charge of one cell, no current; it wakes asleep.

Sources: Linux drivers/power/supply/cw2015_battery.c (6.12) for registers and units; 305 uV a step of 14 bits
(the driver multiplies by 312/1024, 0.1 % less).
"""

from __future__ import annotations

from powerhal.channel import Quality
from powerhal.chips.inferred import FROM_CHARGE
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Evidence, Register, RowFlag

CW2015 = ChipType(
    name="cw2015",
    title="CellWise CW2015, one-cell voltage gauge",
    addresses=(0x62, 0x62),
    registers=(
        Register("version", 0x00, nbytes=1, role="id"),
        Register("vcell", 0x02, (Bits("v", 0, 14, lsb=305e-6, unit="V"),)),
        Register("soc", 0x04, (Bits("soc_pct", lsb=1 / 256, unit="%"),)),
        Register("rrt_alert", 0x06, (Bits("tte_min", 0, 13, unit="min"),)),
        Register("config", 0x08, (Bits("alert_pct", 3, 5), Bits("profile_loaded", 1, 1)), 1, role="limit"),
        Register("mode", 0x0A, (Bits("sleep", 6, 2),), 1, role="limit", por=0xC0),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge", accuracy=0.005),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
    ),
    inferred=FROM_CHARGE,
    evidence=(Evidence("vcell", 0x0000, 0xC000), Evidence("soc", span=(0, 101 * 256))),
    flags=(RowFlag("mode", "sleep", Quality.STALE),),
    cycle_s=lambda c: 1.0,
    max_hz=1.0,
    default_hz=1.0,
    needs_shunt=False,
    autoincrement=True,
    source_note="Linux drivers/power/supply/cw2015_battery.c",
    checked="registers and units: Linux 6.12",
)
