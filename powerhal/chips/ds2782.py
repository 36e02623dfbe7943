"""Maxim DS2782: stand-alone gauge, big-endian; the sense resistor is in the chip's own memory, as a conductance.

Sources: Linux drivers/power/supply/ds2782_battery.c (6.12) for registers and the conductance; 4.88 mV a step of 11
bits from the data sheet (the driver multiplies by 4.80, 1.6 % less). The gauge's own current is + when charging.
"""

from __future__ import annotations

from collections.abc import Callable

from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Evidence, Register


def _per_ohm(step: float) -> Callable[[Config], float | None]:
    """`step` over the sense resistor: the conductance in the chip's memory, else the resistor that a board gives."""

    def lsb(config: Config) -> float | None:
        siemens, ohms = config.get("sense_siemens"), config.get("r_shunt_ohm")
        if siemens:
            return step * siemens
        return step / ohms if ohms else None

    return lsb


DS2782 = ChipType(
    name="ds2782",
    title="Maxim DS2782, gauge with coulomb counter",
    addresses=(0x34, 0x34),
    registers=(
        Register("status", 0x01, (Bits("undervoltage", 2, 1, unit="bool"), Bits("power_on_reset", 1, 1, unit="bool")),
                 1, role="status"),
        Register("remaining", 0x06, (Bits("soc_pct", unit="%"),), 1),
        Register("temperature", 0x0A, (Bits("t_c", 5, 11, signed=True, lsb=0.125, unit="degC"),)),
        Register("voltage", 0x0C, (Bits("v", 5, 11, signed=True, lsb=4.88e-3, unit="V"),)),
        Register("current", 0x0E, (
            Bits("i", signed=True, lsb=_per_ohm(1.5625e-6), unit="A", clamp=(0x7FFF, -0x8000),
                 formula="1.5625e-6 * sense_siemens"),
        )),
        Register("accumulated", 0x10, (
            Bits("charge_ah", lsb=_per_ohm(6.25e-6), unit="Ah", formula="6.25e-6 * sense_siemens"),
        )),
        Register("sense", 0x69, (Bits("sense_siemens"),), 1, role="config", por=0x32),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge", accuracy=0.01),
        ChannelRow("current", "A", ("i",), factor=-1.0, quality_class="gauge", accuracy=0.01),
        ChannelRow("power", "W", ("v", "i"), quality_class="gauge", accuracy=0.02),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
        ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
    ),
    evidence=(
        Evidence("remaining", span=(0, 100)), Evidence("voltage", 0x0000, 0x8000),
        Evidence("sense", 0x00, 0xFF, differs=True),
    ),
    cycle_s=lambda c: 0.44,
    max_hz=2.0,
    default_hz=1.0,
    needs_shunt=False,
    autoincrement=True,
    source_note="Linux drivers/power/supply/ds2782_battery.c",
    checked="registers, current, temperature, conductance: Linux 6.12; address, status bits: from memory",
)  # fmt: skip
