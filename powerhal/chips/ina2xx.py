"""TI INA219/220 and INA226/230/231: one shunt, 16-bit big-endian registers, no auto-increment.

Sources: INA219 (SBOS448), INA226 (SBOS547), INA231 (SBOS644) data sheets; Linux
drivers/hwmon/ina2xx.c and drivers/iio/adc/ina2xx-adc.c (6.12) for registers and units.

Current comes from the shunt voltage by default: the chip's own CURRENT and POWER need a calibration
register that a brown-out clears. The sign is the chip's: + flows from IN+ to IN-, into the load.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.chips.registers import (
    Bits,
    ChannelRow,
    ChipType,
    Config,
    Evidence,
    Product,
    Ready,
    Register,
    truths,
)

_INA219_TIMES = (84e-6, 148e-6, 276e-6, 532e-6)
_INA219_ADC = (
    *_INA219_TIMES, *_INA219_TIMES, 532e-6, 1.06e-3, 2.13e-3, 4.26e-3, 8.51e-3, 17.02e-3, 34.05e-3, 68.1e-3,
)  # fmt: skip
CONVERSIONS_S = (140e-6, 204e-6, 332e-6, 588e-6, 1.1e-3, 2.116e-3, 4.156e-3, 8.244e-3)
AVERAGES = (1.0, 4.0, 16.0, 64.0, 128.0, 256.0, 512.0, 1024.0)
FULL_SCALE = (0x7FFF, -0x8000)

CHANNELS = (
    ChannelRow("voltage", "V", ("v_bus",)),
    ChannelRow("current", "A", ("i_from_shunt",)),
    ChannelRow("power", "W", ("v_bus", "i_from_shunt")),
)


def channels(accuracy: float, bus_offset_v: float, shunt_offset_v: float) -> tuple[ChannelRow, ...]:
    """Voltage, current and power with the part's greatest gain error over temperature, and its offsets."""
    offsets = {"voltage": bus_offset_v, "current": shunt_offset_v, "power": 0.0}
    return tuple(
        replace(row, accuracy=accuracy * len(row.of), offset=offsets[row.quantity]) for row in CHANNELS
    )  # a product has the error of both factors


def _pga_clamp(config: Config) -> tuple[int, ...]:
    """The shunt register stops at the PGA's range: 10 uV steps."""
    end = round((config.get("shunt_range_v") or 0.32) / 10e-6)
    return (end, -end)


def _bus_clamp(config: Config) -> tuple[int, ...]:
    """4 mV steps up to 16 or 32 V."""
    return (round((config.get("bus_range_v") or 32.0) / 4e-3),)


def _ina219_lsb(config: Config) -> float | None:
    """Amperes per step of CURRENT: given, or from CALIBRATION (SBOS448 equation 1)."""
    return config.get("current_lsb") or _calibrated(0.04096, config)


def ina226_lsb(config: Config) -> float | None:
    """Amperes per step of CURRENT: given, or from CALIBRATION (SBOS547 equation 1)."""
    return config.get("current_lsb") or _calibrated(0.00512, config)


def _calibrated(constant: float, config: Config) -> float | None:
    calibration, shunt = config.get("calibration"), config.get("r_shunt_ohm")
    return constant / (calibration * shunt) if calibration and shunt else None


def times(factor: float, lsb: float | None) -> float | None:
    """`factor` steps of `lsb`; None when that is not known."""
    return None if lsb is None else factor * lsb


INA219 = ChipType(
    name="ina219",
    title="TI INA219, 12-bit shunt and bus monitor",
    addresses=(0x40, 0x4F),
    registers=(
        Register("config", 0x00, (
            Bits("bus_range_v", 13, 1, codes=(16.0, 32.0), unit="V"),
            Bits("shunt_range_v", 11, 2, codes=(0.04, 0.08, 0.16, 0.32), unit="V"),
            Bits("bus_conversion_s", 7, 4, codes=_INA219_ADC, unit="s"),
            Bits("shunt_conversion_s", 3, 4, codes=_INA219_ADC, unit="s"),
            Bits("mode", 0, 3),
        ), role="config", por=0x399F, unused=0xC000),
        Register("shunt", 0x01, (
            Bits("v_shunt", signed=True, lsb=10e-6, unit="V", clamp=_pga_clamp),
            Bits("i_from_shunt", signed=True, lsb=10e-6, per="r_shunt_ohm", unit="A", clamp=_pga_clamp),
        )),
        Register("bus", 0x02, (
            Bits("v_bus", 3, 13, lsb=4e-3, unit="V", clamp=_bus_clamp),
            Bits("conversion_ready", 1, 1, unit="bool"),
            Bits("math_overflow", 0, 1, unit="bool"),
        ), unused=0x0004),
        Register("power", 0x03, (
            Bits("p_reg", lsb=lambda c: times(20, _ina219_lsb(c)), unit="W", formula="20 * current_lsb"),
        )),
        Register("current", 0x04, (Bits("i_reg", signed=True, lsb=_ina219_lsb, unit="A", formula="current_lsb"),)),
        Register("calibration", 0x05, (Bits("calibration"),), role="config", por=0, unused=0x0001),
    ),
    channels=channels(0.01, 8e-3, 100e-6),
    products=(Product("p_from_shunt", ("v_bus", "i_from_shunt")),),
    evidence=(
        Evidence("config", 0x0000, 0xC000),  # INA226 and INA3221 have bit 14 set after power-on
        Evidence("calibration", 0x0000, 0x0001),
    ),
    ready=Ready("bus", "conversion_ready", clear="power"),
    cycle_s=lambda c: (c["bus_conversion_s"] or 0.0) + (c["shunt_conversion_s"] or 0.0),
    default_hz=100.0,
    source_note="SBOS448; Linux drivers/hwmon/ina2xx.c",
)  # fmt: skip

INA220 = replace(INA219, name="ina220", title="TI INA220, 12-bit shunt and bus monitor")


def ina226_cycle(config: Config) -> float:
    """One round: averages * (bus + shunt conversion)."""
    both = (config["bus_conversion_s"] or 0.0) + (config["shunt_conversion_s"] or 0.0)
    return (config["averages"] or 1.0) * both


INA226 = ChipType(
    name="ina226",
    title="TI INA226, 16-bit shunt and bus monitor",
    addresses=(0x40, 0x4F),
    registers=(
        Register("config", 0x00, (
            Bits("averages", 9, 3, codes=AVERAGES),
            Bits("bus_conversion_s", 6, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("shunt_conversion_s", 3, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("mode", 0, 3),
        ), role="config", por=0x4127, unused=0x8000),
        Register("shunt", 0x01, (
            Bits("v_shunt", signed=True, lsb=2.5e-6, unit="V", clamp=FULL_SCALE),
            Bits("i_from_shunt", signed=True, lsb=2.5e-6, per="r_shunt_ohm", unit="A", clamp=FULL_SCALE),
        )),
        Register("bus", 0x02, (Bits("v_bus", lsb=1.25e-3, unit="V", clamp=(0x7FFF,)),)),
        Register("power", 0x03, (
            Bits("p_reg", lsb=lambda c: times(25, ina226_lsb(c)), unit="W", formula="25 * current_lsb"),
        )),
        Register("current", 0x04, (Bits("i_reg", signed=True, lsb=ina226_lsb, unit="A", formula="current_lsb"),)),
        Register("calibration", 0x05, (Bits("calibration"),), role="config", por=0, unused=0x8000),
        Register("mask_enable", 0x06, (
            Bits("conversion_ready", 3, 1, unit="bool"),
            Bits("math_overflow", 2, 1, unit="bool"),
            *truths(alert_on_shunt_over=15, alert_on_shunt_under=14, alert_on_bus_over=13, alert_on_bus_under=12,
                    alert_on_power_over=11, alert_on_conversion=10, alert=4, alert_active_high=1, alert_latched=0),
        ), role="status", por=0),
        Register("alert_limit", 0x07, role="limit", por=0),
        Register("manufacturer", 0xFE, role="id"),
        Register("die", 0xFF, role="id"),
    ),
    channels=channels(0.001, 7.5e-3, 10e-6),
    products=(Product("p_from_shunt", ("v_bus", "i_from_shunt")),),
    evidence=(
        Evidence("manufacturer", 0x5449, proof=True),
        Evidence("die", 0x2260, 0xFFF0, proof=True),
        Evidence("config", 0x0000, 0x8000),
    ),
    ready=Ready("mask_enable", "conversion_ready"),
    cycle_s=ina226_cycle,
    default_hz=100.0,
    source_note="SBOS547; Linux drivers/hwmon/ina2xx.c",
    checked="registers, steps: Linux; identities 0x5449 and 0x226x: several open drivers agree, the last digit varies",
)  # fmt: skip

_WITHOUT_IDS = tuple(r for r in INA226.registers if r.role != "id")

# The small packages: 28 V bus; neither answers an identity that the data sheet promises.
INA231 = replace(
    INA226, name="ina231", title="TI INA231, 16-bit shunt and bus monitor, 28 V", registers=_WITHOUT_IDS,
    evidence=(Evidence("config", 0x0000, 0x8000), Evidence("config", 0x399F, differs=True)),
    source_note="SBOS644; Linux drivers/hwmon/ina2xx.c",
)  # fmt: skip
# The INA230 has the die identity alone: an INA226 would say Texas Instruments at 0xFE too.
INA230 = replace(
    INA231, name="ina230", title="TI INA230, 16-bit shunt and bus monitor, 28 V", registers=INA226.registers,
    evidence=(
        Evidence("config", 0x0000, 0x8000), Evidence("config", 0x399F, differs=True),
        Evidence("die", 0x2260, 0xFFF0, required=False, proof=True),
        Evidence("manufacturer", 0x5449, differs=True),
    ),
)  # fmt: skip
