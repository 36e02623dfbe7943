"""Analog Devices LTC2941 to LTC2944: a 16-bit coulomb counter that starts in the middle of its range.

Sources: Linux drivers/power/supply/ltc2941-battery-gauge.c (6.12) for registers and steps; LTC2943 data sheet for the
prescaler (4^code up to 4096: power-on code 7 is 4096 and not 4^7). Charge is + when charging; it does not wrap by
itself: the counter stops at its ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Derived, Evidence, Register, Value

MIDDLE = 0x7FFF
_REFERENCE_OHMS = 50e-3


def _small(code: int) -> float:
    """Ah per step at 50 mOhm: LTC2941/2942, prescaler 2^code."""
    return 85e-6 * (1 << code) / 128


def _large(code: int) -> float:
    """Ah per step at 50 mOhm: LTC2943/2944, prescaler 4^code, at most 4096."""
    return 0.34e-3 * min(1 << 2 * code, 4096) / 4096


def _step(at_reference: Callable[[int], float], power_on: int) -> Callable[[Config], float | None]:
    """Ah per step of the counter under the shunt and the prescaler."""

    def lsb(config: Config) -> float | None:
        shunt, code = config.get("r_shunt_ohm"), config.get("prescaler_code")
        return at_reference(int(power_on if code is None else code)) * _REFERENCE_OHMS / shunt if shunt else None

    return lsb


def _shown(step: Callable[[Config], float | None]) -> Derived:
    def q_lsb(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
        return step(config)

    return Derived("q_lsb_ah", q_lsb)


def _registers(
    step: Callable[[Config], float | None], words: str, control: int, *more: Register
) -> tuple[Register, ...]:
    return (
        Register("status", 0x00, (
            Bits("is_ltc2941", 7, 1, unit="bool"), Bits("charge_overflow", 5, 1, unit="bool"),
            Bits("undervoltage", 0, 1, unit="bool"),
        ), 1, role="status"),
        Register("control", 0x01, (
            Bits("adc_mode", 6, 2), Bits("prescaler_code", 3, 3), Bits("alert_mode", 1, 2), Bits("shutdown", 0, 1),
        ), 1, role="config", por=control),
        Register("accumulated_charge", 0x02, (
            Bits("charge_ah_from_midscale", lsb=step, zero=MIDDLE, unit="Ah", clamp=(0, 0xFFFF), formula=words),
        )),
        *(
            Register(name, at, (
                Bits(f"charge_ah_{name}", lsb=step, zero=MIDDLE, unit="Ah", formula=words),
            ), role="limit")
            for name, at in (("upper", 0x04), ("lower", 0x06))
        ),
        *more,
    )  # fmt: skip


_CHARGE = ChannelRow(
    "charge",
    "C",
    ("charge_ah_from_midscale",),
    factor=-3600.0,
    quality_class="accumulated",
    accuracy=0.01,
    counter=True,
    both_ways=True,
)
_VOLTAGE = ChannelRow("voltage", "V", ("v",), quality_class="measured", accuracy=0.01)
_TEMPERATURE = ChannelRow("temperature", "degC", ("t_k",), offset=3.0, bias=-273.15)

_STEP_SMALL, _STEP_LARGE = _step(_small, 7), _step(_large, 7)
_WORDS_SMALL = "85e-6 * (50e-3 / r) * 2^prescaler_code / 128"
_WORDS_LARGE = "0.34e-3 * (50e-3 / r) * min(4^prescaler_code, 4096) / 4096"


def _word(name: str, address: int, part: str, lsb: float, unit: str, **more: object) -> Register:
    return Register(name, address, (Bits(part, lsb=lsb, unit=unit, **more),))  # type: ignore[arg-type]


LTC2941 = ChipType(
    name="ltc2941",
    title="Analog Devices LTC2941, coulomb counter",
    addresses=(0x64, 0x64),
    registers=_registers(_STEP_SMALL, _WORDS_SMALL, 0x3C),
    channels=(_CHARGE,),
    derived=(_shown(_STEP_SMALL),),
    evidence=(Evidence("status", 0x80, 0x80),),
    default_hz=1.0,
    autoincrement=True,
    saturates=True,
    source_note="Linux drivers/power/supply/ltc2941-battery-gauge.c",
    checked="registers and steps: Linux 6.12; power-on control: from memory",
)
LTC2942 = replace(
    LTC2941, name="ltc2942", title="Analog Devices LTC2942, coulomb counter with volts and temperature",
    registers=_registers(
        _STEP_SMALL, _WORDS_SMALL, 0x3C, _word("voltage", 0x08, "v", 6 / 65535, "V", clamp=(0xFFFF,)),
        _word("temperature", 0x0C, "t_k", 600 / 65535, "K"),
    ),
    channels=(_CHARGE, _VOLTAGE, _TEMPERATURE),
    evidence=(Evidence("status", 0x00, 0x80),),
)  # fmt: skip


def _with_current(name: str, volts: float, sense_v: float) -> ChipType:
    """The parts that measure the current too: volts at full scale, shunt volts at half of it."""
    return replace(
        LTC2941, name=name,
        title=f"Analog Devices {name.upper()}, coulomb counter with volts, amperes and temperature",
        registers=_registers(
            _STEP_LARGE, _WORDS_LARGE, 0x3C, _word("voltage", 0x08, "v", volts / 65535, "V", clamp=(0xFFFF,)),
            _word("current", 0x0E, "i", sense_v / MIDDLE, "A", zero=MIDDLE, per="r_shunt_ohm",
                  clamp=(0, 0xFFFF)),
            _word("temperature", 0x14, "t_k", 510 / 65535, "K"),
        ),
        channels=(
            _CHARGE, _VOLTAGE, ChannelRow("current", "A", ("i",), factor=-1.0, accuracy=0.01),
            ChannelRow("power", "W", ("v", "i"), accuracy=0.02), _TEMPERATURE,
        ),
        derived=(_shown(_STEP_LARGE),),
        evidence=(Evidence("status", 0x00, 0x80),),
        cycle_s=lambda c: 0.05,
    )  # fmt: skip


LTC2943 = _with_current("ltc2943", 23.6, 60e-3)
LTC2944 = _with_current("ltc2944", 70.8, 64e-3)
