"""TI INA232, INA234, INA236, INA260: what became of the INA226.

Sources: Linux drivers/hwmon/ina2xx.c (6.12) for INA234 and INA260; SBOSA81 (INA236) as quoted in open drivers.
The INA234 has 12-bit results left-aligned: without the shift by four they are sixteen times too large. The
INA260 has its shunt inside (2 mOhm) and no calibration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from powerhal.chips.ina2xx import FULL_SCALE, INA226, channels, ina226_lsb, times
from powerhal.chips.registers import Bits, Config, Evidence, Register

_CONFIG, _SHUNT, _BUS, _POWER, _CURRENT, _CALIBRATION, _MASK, _LIMIT, _MANUFACTURER, _DIE = INA226.registers
_RANGED = replace(_CONFIG, bits=(*_CONFIG.bits, Bits("adcrange", 12, 1)))


def _ranged(step_v: float) -> Callable[[Config], float]:
    """ADCRANGE = 1 measures a quarter of the range in quarter steps."""
    return lambda config: step_v / 4 if config.get("adcrange") else step_v


def _shunt(step_v: float, shift: int, ends: tuple[int, ...]) -> Register:
    words = f"{step_v:g}, a quarter of it with adcrange 1"
    return replace(_SHUNT, bits=(
        Bits("v_shunt", shift, signed=True, lsb=_ranged(step_v), unit="V", clamp=ends, formula=words),
        Bits("i_from_shunt", shift, signed=True, lsb=_ranged(step_v), per="r_shunt_ohm", unit="A", clamp=ends,
             formula=words),
    ))  # fmt: skip


def _ina234_lsb(config: Config) -> float | None:
    """Amperes per step of the 12-bit CURRENT: given, or sixteen of the 16-bit steps that CALIBRATION sets."""
    return config.get("current_lsb") or times(16, ina226_lsb(config))


def _products(shift: int, lsb: Callable[[Config], float | None]) -> tuple[Register, ...]:
    return (
        replace(_POWER, bits=(Bits("p_reg", lsb=lambda c: times(32, lsb(c)), unit="W", formula="32 * current_lsb"),)),
        replace(_CURRENT, bits=(replace(_CURRENT.bits[0], shift=shift, lsb=lsb),)),
    )


_IDS = (replace(_MANUFACTURER, address=0x3E), replace(_DIE, address=0x3F))

INA236 = replace(
    INA226, name="ina236", title="TI INA236, 16-bit shunt and bus monitor, 48 V", addresses=(0x40, 0x4B),
    registers=(
        _RANGED, _shunt(2.5e-6, 0, FULL_SCALE), replace(_BUS, bits=(replace(_BUS.bits[0], lsb=1.6e-3),)),
        *_products(0, ina226_lsb), _CALIBRATION, _MASK, _LIMIT, *_IDS,
    ),
    evidence=(
        Evidence("manufacturer", 0x5449), Evidence("die", 0xA080, 0xFFF0, proof=True),
        Evidence("config", 0x0000, 0x8000),
    ),
    source_note="SBOSA81 as quoted", checked="identities: SBOSA81 as quoted; addresses: an open driver",
)  # fmt: skip
INA232 = replace(
    INA236, name="ina232", title="TI INA232, 16-bit shunt and bus monitor, 48 V",
    evidence=(
        Evidence("manufacturer", 0x5449), Evidence("config", 0x4000, 0xE000),
        Evidence("die", 0xA080, 0xFFF0, differs=True), Evidence("die", 0xA480, 0xFFF0, differs=True),
    ),
    source_note="SBOSAA2", checked="steps and addresses: an open driver",
)  # fmt: skip
INA234 = replace(
    INA236, name="ina234", title="TI INA234, 12-bit shunt and bus monitor, 28 V",
    registers=(
        _RANGED, _shunt(40e-6, 4, (0x7FF, -0x800)),
        replace(_BUS, bits=(Bits("v_bus", 4, lsb=25.6e-3, unit="V", clamp=(0x7FF,)),)),
        *_products(4, _ina234_lsb), _CALIBRATION, _MASK, _LIMIT, *_IDS,
    ),
    channels=channels(0.005, 25.6e-3, 40e-6), products=(),
    evidence=(
        Evidence("config", 0x399F, differs=True), Evidence("config", 0x0000, 0x8000),
        Evidence("die", 0xA480, 0xFFF0, required=False, proof=True),
        Evidence("die", 0xA080, 0xFFF0, differs=True),
    ),
    source_note="Linux drivers/hwmon/ina2xx.c (6.12)", checked="steps: Linux 6.12; identity: two open drivers",
)  # fmt: skip

INA260 = replace(
    INA226, name="ina260", title="TI INA260, shunt of 2 mOhm and monitor in one",
    registers=(
        replace(_CONFIG, por=0x6127),
        Register("current", 0x01, (Bits("i", signed=True, lsb=1.25e-3, unit="A", clamp=FULL_SCALE),)),
        _BUS,
        Register("power", 0x03, (Bits("p_reg", lsb=10e-3, unit="W"),)),
        _MASK, _LIMIT, _MANUFACTURER, _DIE,
    ),
    channels=tuple(
        replace(row, of=tuple("i" if part == "i_from_shunt" else part for part in row.of))
        for row in channels(0.005, 7.5e-3, 0.0)
    ),
    products=(),
    evidence=(
        Evidence("manufacturer", 0x5449), Evidence("die", 0x2270, 0xFFF0, proof=True),
        Evidence("config", 0x0000, 0x8000),
    ),
    needs_shunt=False,
    source_note="SBOS656; Linux drivers/hwmon/ina2xx.c (6.12)",
    checked="steps: Linux 6.12; die identity 0x2270, revision in the last digit: open drivers agree",
)  # fmt: skip
