"""TI INA233: the INA226's converter behind PMBus commands, so little-endian words.

Sources: Linux drivers/hwmon/pmbus/ina233.c for commands and coefficients (VIN m = 8, R = 2: 1.25 mV; shunt 2.5 uV;
power 25 current steps); INA233 data sheet (SBOS790) for READ_EIN and the identity blocks.
There is no VOUT_MODE (0x20): SBOS790A table 6-4 lists no such command, and its words are DIRECT throughout. Linux's
driver therefore sets DIRECT for every class itself; a driver that asks first must take the missing answer for it.
READ_EIN answers its length, then a 16-bit sum of power readings, how often that wrapped, and how many were summed.
The sum's 24 bits run on, by the chip's own clock (within 10 %), while CALIBRATION is set and MFR_DEVICE_CONFIG does
not clear them at every read. At full power they are through in half a second: read ten times a second or faster.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.chips.ina2xx import INA226, channels, ina226_cycle, ina226_lsb, times
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Evidence, Product, Register

_FULL_SCALE = (0x7FFF, -0x8000)
_MODEL = int.from_bytes(b"\x06INA233", "big")


def _word(name: str, command: int, *bits: Bits, role: str = "data") -> Register:
    return Register(name, command, bits, order="little", role=role)


def _energy_lsb(config: Config) -> float | None:
    """Joules for one step of the sum: a power step times one round; unknown where reading clears it."""
    if config.get("ein_auto_clear") or "averages" not in config:
        return None
    return times(25 * ina226_cycle(config), ina226_lsb(config))


INA233 = ChipType(
    name="ina233",
    title="TI INA233, shunt and bus monitor on PMBus",
    addresses=(0x40, 0x4F),
    registers=(
        _word("read_vin", 0x88, Bits("v_bus", lsb=1.25e-3, unit="V", clamp=(0x7FFF,))),
        _word("read_iin", 0x89, Bits("i_reg", signed=True, lsb=ina226_lsb, unit="A", formula="current_lsb")),
        _word("read_vout", 0x8B, Bits("v_out", lsb=1.25e-3, unit="V")),
        _word("read_iout", 0x8C, Bits("i_out", signed=True, lsb=ina226_lsb, unit="A", formula="current_lsb")),
        _word("read_pout", 0x96, Bits("p_out", lsb=lambda c: times(25, ina226_lsb(c)), unit="W",
                                      formula="25 * current_lsb")),
        _word("read_pin", 0x97, Bits("p_reg", lsb=lambda c: times(25, ina226_lsb(c)), unit="W",
                                     formula="25 * current_lsb")),
        _word("read_vshunt", 0xD1,
              Bits("v_shunt", signed=True, lsb=2.5e-6, unit="V", clamp=_FULL_SCALE),
              Bits("i_from_shunt", signed=True, lsb=2.5e-6, per="r_shunt_ohm", unit="A", clamp=_FULL_SCALE)),
        Register("read_ein", 0x86, (
            Bits("power_sum", 8, 16), Bits("power_sum_wraps", 24, 8), Bits("samples", 32, 24),
            Bits("energy_j", 8, 24, lsb=_energy_lsb, unit="J", formula="25 * current_lsb * time of a round"),
        ), 7, "little", block=True),
        replace(INA226.register("config"), name="adc_config", address=0xD0, order="little", unused=0xF000),
        replace(INA226.register("calibration"), address=0xD4, order="little", bits=(Bits("calibration", 0, 15),)),
        Register("device_config", 0xD5, (
            Bits("ein_polarity", 4, 2), Bits("ein_auto_clear", 2, 1),
        ), 1, role="config", por=0x02, unused=0x80),
        Register("model", 0x9A, nbytes=7, role="id", block=True),
    ),
    channels=(
        *channels(0.001, 7.5e-3, 10e-6),
        ChannelRow("energy", "J", ("energy_j",), quality_class="accumulated", accuracy=0.1, counter=True, wrap_bits=24,
                   optional=True),
    ),
    products=(Product("p_from_shunt", ("v_bus", "i_from_shunt")),),
    evidence=(Evidence("model", _MODEL, (1 << 56) - 1, proof=True), Evidence("read_vin", 0x0000, 0x8000)),
    cycle_s=ina226_cycle,
    default_hz=100.0,
    source_note="SBOS790; Linux drivers/hwmon/pmbus/ina233.c",
    checked="commands and steps: Linux; READ_EIN, MFR_MODEL, MFR_DEVICE_CONFIG: an open ECMA-419 driver",
)  # fmt: skip
