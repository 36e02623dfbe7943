"""Rockchip RK817 and RK818: the gauge of a PMIC that its kernel driver owns (read it through power_supply).

Sources: Linux drivers/power/supply/rk817_charger.c (6.12) and the RK818 gauge drivers of vendor kernels. Volts lie on
the line through two calibration points that the factory stored; currents are + when charging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from powerhal.chips.registers import Bits, ChipType, Config, Derived, Register, Value

_SENSE = "r_shunt_ohm"
Line = Callable[[Mapping[str, int], Mapping[str, Value], Config], Value]


def _on_line(part: str, low_v: float, high_v: float) -> Line:
    """Volts of `part` on the line through (vcalib0, low_v) and (vcalib1, high_v); unknown without the two points."""

    def volts(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
        at = [raw.get(name, config.get(name)) for name in ("vcalib0", "vcalib1")]
        if part not in raw or at[0] is None or at[1] is None or at[0] == at[1]:
            return None
        return low_v + (raw[part] - at[0]) * (high_v - low_v) / (at[1] - at[0])

    return volts


def _state(name: str, address: int) -> Register:
    """A raw word that only means something on the calibration line."""
    return Register(name, address, (Bits(name),), role="state")


RK817 = ChipType(
    name="rk817",
    title="Rockchip RK817 PMIC, battery gauge (through power_supply only)",
    addresses=(0x20, 0x20),
    registers=(
        _state("ocv_raw", 0x63), _state("v_raw", 0x78), _state("usb_raw", 0x7E), _state("sys_raw", 0x80),
        _state("vcalib0", 0x93), _state("vcalib1", 0x95),
        Register("off_count", 0x6F, (Bits("off_count"),), 1),
        Register("charge", 0x74, (Bits("charge_ah", signed=True, lsb=1.72e-6 / 3600, per=_SENSE, unit="Ah"),), 4),
        Register("current", 0x7A, (Bits("i", signed=True, lsb=1.72e-6, per=_SENSE, unit="A"),)),
    ),
    channels=(),
    derived=(
        Derived("v", _on_line("v_raw", 2.3, 4.025)), Derived("ocv_v", _on_line("ocv_raw", 2.3, 4.025)),
    ),
    wired=False,
    autoincrement=True,
    source_note="Linux drivers/power/supply/rk817_charger.c",
    checked="register numbers, 172 uA at 10 mOhm: Linux; the calibration points 2.3 V and 4.025 V: from memory",
)  # fmt: skip
RK818 = replace(
    RK817,
    name="rk818",
    title="Rockchip RK818 PMIC, battery gauge (through power_supply only)",
    addresses=(0x1C, 0x1C),
    registers=(
        _state("ocv_raw", 0xC2), _state("v_raw", 0xC4), _state("vcalib0", 0xD5), _state("vcalib1", 0xD7),
        Register("charge", 0xB8, (Bits("charge_ah", signed=True, lsb=30.12e-6 / 3600, per=_SENSE, unit="Ah"),), 4),
        Register("current", 0xBC, (Bits("i", 0, 12, signed=True, lsb=30.12e-6, per=_SENSE, unit="A"),)),
    ),
    derived=(
        Derived("v", _on_line("v_raw", 3.0, 4.2)), Derived("ocv_v", _on_line("ocv_raw", 3.0, 4.2)),
    ),
    source_note="vendor kernels' rk818_battery.c",
    checked="register numbers, calibration points 3.0 V and 4.2 V: a vendor kernel; 1.506 mA at 20 mOhm: from memory",
)  # fmt: skip
