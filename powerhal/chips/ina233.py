"""TI INA233: the INA226's converter behind PMBus commands, so little-endian words.

Sources: Linux drivers/hwmon/pmbus/ina233.c for commands and coefficients (VIN m = 8, R = 2: 1.25 mV; shunt 2.5 uV;
power 25 current steps); INA233 data sheet (SBOS790) for READ_EIN and the identity blocks.
READ_EIN answers its length, then a 16-bit sum of power readings, how often that wrapped, and how many were summed.
"""

from __future__ import annotations

from powerhal.chips.ina2xx import channels, ina226_lsb, times
from powerhal.chips.registers import Bits, ChipType, Evidence, Product, Register

_FULL_SCALE = (0x7FFF, -0x8000)
_MODEL = int.from_bytes(b"\x06INA233", "big")


def _word(name: str, command: int, *bits: Bits, role: str = "data") -> Register:
    return Register(name, command, bits, order="little", role=role)


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
        ), 7, "little", block=True),
        _word("calibration", 0xD4, Bits("calibration"), role="limit"),
        Register("model", 0x9A, nbytes=7, role="id", block=True),
    ),
    channels=channels(0.001, 7.5e-3, 10e-6),
    products=(Product("p_from_shunt", ("v_bus", "i_from_shunt")),),
    evidence=(Evidence("model", _MODEL, (1 << 56) - 1, proof=True), Evidence("read_vin", 0x0000, 0x8000)),
    cycle_s=lambda c: 2.2e-3,
    default_hz=100.0,
    source_note="SBOS790; Linux drivers/hwmon/pmbus/ina233.c",
    checked="commands and steps: Linux; READ_EIN and MFR_MODEL: from memory",
)  # fmt: skip
