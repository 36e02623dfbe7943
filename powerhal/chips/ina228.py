"""TI INA228/237/238 and, through hwmon only, INA229/239 (SPI): one address map, results of 16 or 20 bits.

Sources: INA228 (SBOSA20), INA237 (SBOSA50), INA238 (SBOSA15) data sheets; Linux drivers/hwmon/ina238.c for the
16-bit parts' registers and steps. ADCRANGE = 1 divides the shunt's range and step by four.

ENERGY and CHARGE run freely and are differenced modulo 2^40, never reset: a reset loses what came between it and
the last read. ENERGY counts magnitude, CHARGE is a two's complement. POWER has no sign, so the channel is the
product of volts and amperes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from powerhal.chips.ina2xx import AVERAGES, times
from powerhal.chips.registers import (
    Bits,
    ChannelRow,
    ChipType,
    Config,
    Evidence,
    Ready,
    Register,
    truths,
)

CONVERSIONS_S = (50e-6, 84e-6, 150e-6, 280e-6, 540e-6, 1.052e-3, 2.074e-3, 4.12e-3)
SHUNT_CAL_20, SHUNT_CAL_16 = 13107.2e6, 819.2e6  # SHUNT_CAL = constant * current_lsb * shunt (data sheets)
DIES = (0x2280, 0x2290, 0x2380, 0x2390)  # upper twelve bits of DEVICE_ID: INA228, 229, 238, 239; INA237 may say 0x237x


def _current_lsb(constant: float) -> Callable[[Config], float | None]:
    """Amperes per step of CURRENT: given, or from SHUNT_CAL and the shunt."""

    def lsb(config: Config) -> float | None:
        calibration, shunt = config.get("calibration"), config.get("r_shunt_ohm")
        if known := config.get("current_lsb"):
            return known
        return (
            calibration / (constant * shunt * (4 if config.get("adcrange") else 1)) if calibration and shunt else None
        )

    return lsb


def cycle_s(config: Config) -> float:
    """One round: averages * (bus + shunt + temperature conversion)."""
    parts = ("bus_conversion_s", "shunt_conversion_s", "temperature_conversion_s")
    return (config.get("averages") or 1.0) * sum(config.get(part) or 0.0 for part in parts)


def config_registers(calibrated: bool = True) -> tuple[Register, ...]:
    """CONFIG and ADC_CONFIG; SHUNT_CAL of the parts with a shunt outside."""
    ranged = (Bits("adcrange", 4, 1),) if calibrated else ()
    rows = (
        Register("config", 0x00, (Bits("conversion_delay", 6, 8), *ranged), role="config", por=0, unused=0xC000),
        Register("adc_config", 0x01, (
            Bits("mode", 12, 4),
            Bits("bus_conversion_s", 9, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("shunt_conversion_s", 6, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("temperature_conversion_s", 3, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("averages", 0, 3, codes=AVERAGES),
        ), role="config", por=0xFB68),
    )  # fmt: skip
    shunt_cal = Register("shunt_cal", 0x02, (Bits("calibration", 0, 15),), role="config", por=0x1000, unused=0x8000)
    return (*rows, shunt_cal) if calibrated else rows


def status(*more: Bits) -> Register:
    """DIAG_ALRT; reading it clears the conversion-ready bit."""
    return Register("diag_alrt", 0x0B, (
        Bits("conversion_ready", 1, 1, unit="bool"), Bits("math_overflow", 9, 1, unit="bool"), *more,
        *truths(memory_sound=0, power_over=2, bus_under=3, bus_over=4, shunt_under=5, shunt_over=6, temperature_over=7,
                alert_active_high=12, alert_on_average=13, alert_on_conversion=14, alert_latched=15),
    ), role="status", por=0x0001)  # fmt: skip


def limits(first: str, step: float | Callable[[Config], float], temperature: Bits, power: Bits) -> tuple[Register, ...]:
    """Alert limits 0x0C to 0x11; the first two are of `first`, `step` a raw step."""
    rows = (
        ("over", 0x0C, Bits(f"{first}_over_limit", signed=True, lsb=step, unit=_UNITS[first]), 0x7FFF),
        ("under", 0x0D, Bits(f"{first}_under_limit", signed=True, lsb=step, unit=_UNITS[first]), 0x8000),
        ("bus_over", 0x0E, Bits("v_bus_over_limit", 0, 15, lsb=3.125e-3, unit="V"), 0x7FFF),
        ("bus_under", 0x0F, Bits("v_bus_under_limit", 0, 15, lsb=3.125e-3, unit="V"), 0),
        ("temperature_limit", 0x10, replace(temperature, name="t_die_limit"), 0x7FFF),
        ("power_limit", 0x11, power, 0xFFFF),
    )
    return tuple(Register(name, at, (bits,), role="limit", por=por) for name, at, bits, por in rows)


_UNITS = {"v_shunt": "V", "i": "A"}
IDS = (Register("manufacturer", 0x3E, role="id"), Register("device", 0x3F, role="id"))
OVERFLOWS = (Bits("energy_overflow", 11, 1, unit="bool"), Bits("charge_overflow", 10, 1, unit="bool"))


def _results(wide: bool, temperature: Bits) -> tuple[Register, ...]:
    """The result registers: 16 bits, or 20 in 24; steps of the shunt and bus in volts, of power in current steps."""
    nbytes, shift, shunt_v, bus_v, power = (3, 4, 312.5e-9, 195.3125e-6, 3.2) if wide else (2, 0, 5e-6, 3.125e-3, 0.2)
    end = (1 << 8 * nbytes - shift - 1) - 1
    ends = (end, -end - 1)
    lsb = _current_lsb(SHUNT_CAL_20 if wide else SHUNT_CAL_16)

    def step(config: Config) -> float:
        return shunt_v / 4 if config.get("adcrange") else shunt_v

    words = f"{shunt_v:g}, a quarter of it with adcrange 1"
    wide_power = Bits(
        "p_limit", lsb=lambda c: times(256 * power, lsb(c)), unit="W", formula=f"{256 * power:g} * current_lsb"
    )
    return (
        *limits("v_shunt", lambda c: 1.25e-6 if c.get("adcrange") else 5e-6, temperature, wide_power),
        Register("shunt", 0x04, (
            Bits("v_shunt", shift, signed=True, lsb=step, unit="V", clamp=ends, formula=words),
            Bits("i_from_shunt", shift, signed=True, lsb=step, per="r_shunt_ohm", unit="A", clamp=ends, formula=words),
        ), nbytes),
        Register("bus", 0x05, (Bits("v_bus", shift, signed=True, lsb=bus_v, unit="V", clamp=(end,)),), nbytes),
        Register("temperature", 0x06, (temperature,)),
        Register("current", 0x07, (
            Bits("i_reg", shift, signed=True, lsb=lsb, unit="A", formula="current_lsb"),
        ), nbytes),
        Register("power", 0x08, (
            Bits("p_reg", lsb=lambda c: times(power, lsb(c)), unit="W", formula=f"{power:g} * current_lsb"),
        ), 3),
    )  # fmt: skip


_LSB20 = _current_lsb(SHUNT_CAL_20)
ACCUMULATORS = (
    Register("energy", 0x09, (
        Bits("energy_j", lsb=lambda c: times(51.2, _LSB20(c)), unit="J", formula="51.2 * current_lsb"),
    ), 5),
    Register("charge", 0x0A, (Bits("charge_c", signed=True, lsb=_LSB20, unit="C", formula="current_lsb"),), 5),
)  # fmt: skip


def _channels(accuracy: float, bus_offset_v: float, shunt_offset_v: float) -> tuple[ChannelRow, ...]:
    return (
        ChannelRow("voltage", "V", ("v_bus",), accuracy=accuracy, offset=bus_offset_v),
        ChannelRow("current", "A", ("i_from_shunt",), accuracy=accuracy, offset=shunt_offset_v),
        ChannelRow("power", "W", ("v_bus", "i_from_shunt"), accuracy=2 * accuracy),
        ChannelRow("temperature", "degC", ("t_die",), offset=2.0),
    )


ENERGY_ROW = ChannelRow(
    "energy", "J", ("energy_j",), quality_class="accumulated", accuracy=0.005, counter=True, wrap_bits=40
)
CHARGE_ROW = ChannelRow(
    "charge",
    "C",
    ("charge_c",),
    quality_class="accumulated",
    accuracy=0.005,
    counter=True,
    wrap_bits=40,
    both_ways=True,
)

INA238 = ChipType(
    name="ina238",
    title="TI INA238, 16-bit shunt, bus, power and temperature monitor, 85 V",
    addresses=(0x40, 0x4F),
    registers=(
        *config_registers(),
        *_results(False, Bits("t_die", 4, 12, signed=True, lsb=0.125, unit="degC")),
        status(), *IDS,
    ),
    channels=_channels(0.001, 5e-3, 5e-6),
    evidence=(
        Evidence("manufacturer", 0x5449), Evidence("device", 0x2380, 0xFFF0, proof=True),
        Evidence("config", 0x0000, 0xC00F),
    ),
    ready=Ready("diag_alrt", "conversion_ready"),
    cycle_s=cycle_s,
    default_hz=100.0,
    source_note="SBOSA15; Linux drivers/hwmon/ina238.c",
    checked="registers, steps, power-on values: Linux; device identity 0x238x: Adafruit_INA237_INA238",
)  # fmt: skip
INA237 = replace(
    INA238, name="ina237", title="TI INA237, 16-bit shunt, bus, power and temperature monitor, 85 V",
    evidence=(
        Evidence("manufacturer", 0x5449), Evidence("config", 0x0000, 0xC00F),
        Evidence("device", 0x2370, 0xFFF0, required=False, proof=True),
        *(Evidence("device", die, 0xFFF0, differs=True) for die in (*DIES, 0xA080, 0xA480)),
    ),
    channels=_channels(0.003, 5e-3, 50e-6),
    source_note="SBOSA50; Linux drivers/hwmon/ina238.c",
    checked="device identity 0x237x: Adafruit_INA237_INA238; Linux: not on every part",
)  # fmt: skip
INA228 = replace(
    INA238,
    name="ina228",
    title="TI INA228, 20-bit shunt, bus, power, energy, charge and temperature monitor, 85 V",
    registers=(
        *config_registers(),
        *_results(True, Bits("t_die", signed=True, lsb=7.8125e-3, unit="degC")),
        *ACCUMULATORS, status(*OVERFLOWS),
        Register("shunt_tempco", 0x03, (Bits("shunt_tempco_ppm_per_k", 0, 14),), role="limit", por=0),
        *IDS,
    ),
    channels=(*_channels(0.0005, 2.5e-3, 1e-6), ENERGY_ROW, CHARGE_ROW),
    evidence=(
        Evidence("manufacturer", 0x5449), Evidence("device", 0x2280, 0xFFF0, proof=True),
        Evidence("config", 0x0000, 0x800F),
    ),
    source_note="SBOSA20",
    checked="widths: open drivers; device identity 0x228x: several open drivers agree",
)  # fmt: skip
INA229 = replace(INA228, name="ina229", title="TI INA229, the INA228 on SPI (through hwmon only)", wired=False)
INA239 = replace(INA238, name="ina239", title="TI INA239, the INA238 on SPI (through hwmon only)", wired=False)
