"""X-Powers AXP209 and AXP803: converters of a PMIC whose registers the kernel's driver owns (read them through IIO).

Sources: Linux drivers/iio/adc/axp20x_adc.c and include/linux/mfd/axp20x.h (6.12). Results are split: eight high bits in
one register, four (five for the AXP209's discharge current) low bits in the next. The map is for dumps and logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from powerhal.chips.registers import Bits, ChipType, Config, Derived, Register, Value


@dataclass(frozen=True, slots=True)
class Split:
    """A result in two registers: the first one's number, bits in the second, SI per step, steps at zero."""

    name: str
    address: int
    lsb: float
    unit: str
    low: int = 4
    zero: float = 0.0

    def register(self) -> Register:
        """Both registers as one word."""
        return Register(self.name, self.address, (
            Bits(f"{self.name}_high", 8, 8), Bits(f"{self.name}_low", 0, self.low),
        ), role="state")  # fmt: skip

    def value(self) -> Derived:
        """The result in SI."""

        def put_together(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
            high = raw.get(f"{self.name}_high")
            if high is None:
                return None
            return ((high << self.low | raw[f"{self.name}_low"]) - self.zero) * self.lsb

        return Derived(self.name, put_together)


def _pmic(name: str, title: str, results: tuple[Split, ...], *more: Register, checked: str) -> ChipType:
    return ChipType(
        name=name, title=title, addresses=(0x34, 0x34), registers=(*(s.register() for s in results), *more),
        channels=(), derived=tuple(s.value() for s in results), needs_shunt=False, wired=False, autoincrement=True,
        source_note="Linux drivers/iio/adc/axp20x_adc.c", checked=checked,
    )  # fmt: skip


def _counters() -> tuple[Register, ...]:
    """Coulomb counters in raw steps: their scale depends on the converter's rate."""
    return (
        Register("charge_counter", 0xB0, (Bits("charge_counter"),), 4),
        Register("discharge_counter", 0xB4, (Bits("discharge_counter"),), 4),
    )


AXP209 = _pmic(
    "axp209", "X-Powers AXP209 PMIC, inputs, battery, temperature (through IIO only)",
    (
        Split("acin_v", 0x56, 1.7e-3, "V"), Split("acin_i", 0x58, 0.625e-3, "A"),
        Split("vbus_v", 0x5A, 1.7e-3, "V"), Split("vbus_i", 0x5C, 0.375e-3, "A"),
        Split("t_c", 0x5E, 0.1, "degC", zero=1447),
        Split("batt_v", 0x78, 1.1e-3, "V"), Split("batt_chrg_i", 0x7A, 0.5e-3, "A"),
        Split("batt_dischrg_i", 0x7C, 0.5e-3, "A", low=5), Split("ipsout_v", 0x7E, 1.4e-3, "V"),
    ),
    *_counters(), checked="registers, widths, steps: Linux 6.12",
)  # fmt: skip
AXP803 = _pmic(
    "axp803", "X-Powers AXP803 PMIC, battery and temperature (through IIO only)",
    (
        Split("t_c", 0x56, 0.1, "degC", zero=2667), Split("ts_v", 0x58, 0.8e-3, "V"),
        Split("batt_v", 0x78, 1.1e-3, "V"), Split("batt_chrg_i", 0x7A, 1e-3, "A"),
        Split("batt_dischrg_i", 0x7C, 1e-3, "A"),
    ),
    *_counters(), checked="battery steps: Linux 6.12; temperature: from memory",
)  # fmt: skip
