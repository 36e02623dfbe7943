"""Golden wire bytes hold the emulators too: set to the state that a vector describes, they send its bytes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from powerhal import chips
from powerhal.sim.chips import build
from powerhal.transport.clock import VirtualClock
from tests.chips.golden import Vector, vectors
from tests.sim.test_emulators import SECOND, Supply

COMPATIBLE = {c.partition(",")[2]: c for c in chips.CHIPS} | {"sbs": "sbs,sbs-battery"}
# what a vector says -> attribute of the supply and factor (gauges count into the battery as positive)
STATE = {
    "v_bus": ("voltage_v", 1.0), "v": ("voltage_v", 1.0), "v_in": ("voltage_v", 1.0),
    "i_reg": ("current_a", 1.0), "i_from_shunt": ("current_a", 1.0), "i": ("current_a", 1.0),
    "t_c": ("temperature_c", 1.0), "t_die": ("temperature_c", 1.0), "t_k": ("temperature_c", 1.0),
    "soc_pct": ("fraction", 0.01), "charge_full_ah": ("capacity_ah", 1.0),
}  # fmt: skip
GAUGES = ("bq", "sbs", "max", "lc7", "cw", "stc", "ds", "ltc2941", "ltc2942", "ltc2943", "ltc2944")
# settings of a vector's configuration -> what is written to the chip
SETTINGS: dict[tuple[str, str], Any] = {
    ("ina228", "adcrange"): lambda n: bytes((0, 0, n << 4)), ("ina238", "adcrange"): lambda n: bytes((0, 0, n << 4)),
    ("ina237", "adcrange"): lambda n: bytes((0, 0, n << 4)),
    ("ltc2945", "control_mult_select"): lambda n: bytes((0, 4 | n)),
    **{(f"ltc294{n}", "prescaler_code"): lambda n: bytes((1, 0xC4 | n << 3)) for n in (1, 2, 3, 4)},
    ("pac1934", "sample_rate"): lambda n: bytes((1, {1024: 0, 256: 0x40, 64: 0x80, 8: 0xC0}[int(n)])),
    ("pac1934", "bidirectional"): lambda on: bytes((0x1D, 0x88 if on else 0)),
    ("cw2015", ""): lambda _: b"\x0a\x00",
}  # fmt: skip
ACCUMULATED = ("energy_j", "charge_c", "charge_ah_from_midscale", "charge_counter_ah", "samples")


def physical(vector: Vector, by_charge: bool) -> tuple[Supply, float]:
    """The supply and the shunt (Ohm, 0: the chip's own) that the vector describes."""
    expect, config = vector.expect, vector.config
    supply, sign = Supply(), -1.0 if vector.chip.startswith(GAUGES) else 1.0
    for name, (attribute, factor) in STATE.items():
        if isinstance(expect.get(name), int | float):
            setattr(supply, attribute, expect[name] * (factor * sign if attribute == "current_a" else factor))
    if "t_k" in expect:
        supply.temperature_c = expect["t_k"] - 273.15
    if "energy_full_wh" in expect:
        supply.capacity_ah = expect["energy_full_wh"] / supply.voltage_v
    if by_charge and "energy_wh" in expect:
        supply.fraction = expect["energy_wh"] / expect["energy_full_wh"]
    elif by_charge:
        supply.fraction = expect["charge_ah"] / supply.capacity_ah
    shunt = next((float(v) * f for k, f in SHUNTS.items() if (v := config.get(k))), 0.0)
    if "0x69" in vector.raw:
        shunt = 1.0 / vector.raw["0x69"][0]
    if not shunt and "v_shunt" in expect:
        shunt = expect["v_shunt"] / supply.current_a
    return supply, shunt


SHUNTS = {"r_shunt_ohm": 1.0, "r_sense_ohm": 1.0, "rs_ohm": 1.0, "r_sense_mohm": 1e-3}
# where a calibration goes, and the data sheet's equation for it from the current step and the shunt
CALIBRATION: dict[str, tuple[int, str, Any]] = {
    "ina219": (5, "big", lambda volts, fine: 0.04096 / volts),
    "ina226": (5, "big", lambda volts, fine: 0.00512 / volts),
    "ina231": (5, "big", lambda volts, fine: 0.00512 / volts),
    "ina233": (0xD4, "little", lambda volts, fine: 0.00512 / volts),
    "ina228": (2, "big", lambda volts, fine: 13107.2e6 * volts * fine),
    "ina237": (2, "big", lambda volts, fine: 819.2e6 * volts * fine),
    "ina238": (2, "big", lambda volts, fine: 819.2e6 * volts * fine),
}  # fmt: skip


def calibrate(chip: Any, vector: Vector, ohms: float) -> None:
    """Write what the vector says, or what its current step and shunt ask for."""
    if vector.chip not in CALIBRATION or not vector.config.get("current_lsb"):
        return
    pointer, order, equation = CALIBRATION[vector.chip]
    config = vector.config
    word = round(equation(config["current_lsb"] * ohms, 4 if config.get("adcrange") else 1))
    word = int(config.get("cal") or config.get("shunt_cal") or word)
    chip.write(bytes((pointer,)) + word.to_bytes(2, "big" if order == "big" else "little"))


def emulated(vector: Vector, by_charge: bool) -> tuple[Any, VirtualClock]:
    """The chip in the vector's state; `by_charge`: the state of charge is what its capacities say."""
    supply, shunt = physical(vector, by_charge)
    clock = VirtualClock(start_ns=SECOND)
    chip: Any = build(COMPATIBLE[vector.chip], [supply] * 4, clock.now_ns, shunts_ohms=[shunt] * 4 if shunt else ())
    for (name, key), message in SETTINGS.items():
        if name == vector.chip and (not key or key in vector.config):
            chip.write(message(vector.config.get(key)))
    calibrate(chip, vector, shunt)
    for pointer in ("0x05", "0x03", "0x69"):  # CALIBRATION, BatteryMode, sense resistor: kept by the chip
        if pointer in vector.raw and vector.chip in ("ina219", "ina226", "ina231", "sbs", "ds2782"):
            chip.write(bytes((int(pointer, 16),)) + vector.raw[pointer])
    clock.sleep_until(clock.now_ns() + 5 * SECOND)
    return chip, clock


def answered(vector: Vector, pointer: str, bits: tuple[str, ...]) -> bytes:
    """What the emulator sends for one register of the vector."""
    chip, clock = emulated(vector, any(name in bits and name in vector.expect for name in ("charge_ah", "energy_wh")))
    for name in ACCUMULATED:
        if name in bits and name in vector.expect:
            chip.convert()
            chip.preset(int(pointer, 16), Fraction(vector.expect[name]))
    if vector.chip.startswith("pac"):
        chip.write(b"\x1f")
        clock.sleep_until(clock.now_ns() + 2_000_000)
    chip.write(bytes((int(pointer, 16),)))
    sent: bytes = chip.read(len(vector.raw[pointer]))
    return sent


# Why a register's bytes do not follow from the state that the vector describes.
NOT_TOLD = {
    "p_avg": "a mean over the past", "crate_pct_per_h": "a rate over the past", "v_max": "extremes of the past",
    "v_shunt_sum": "a sum does not tell its parts", "discharging": "flags set by hand", "tte_min": "a forecast",
    "discharge_final": "flags set by hand", "fully_discharged": "flags set by hand", "tte_s": "a forecast",
    "date": "made once", "ocv_v": "a model's voltage",
}  # fmt: skip
NOT_A_STATE = {
    ("ina228-02", "0x07"): "without the shunt nobody knows the calibration",
    ("ds2782-03", "0x0c"): "a bit below the converter's",
    ("ds2782-03", "0x0a"): "a bit below the converter's",
    ("ina228-04", "0x08"): "more than the volts times the amperes beside it",
    ("pac1934-01", "0x17"): "a product of numbers before they were rounded",
    ("pac1934-02", "0x17"): "more than the volts times the amperes beside it",
}
FLAG_BITS = {("ina219", "0x02"): 0x07}  # conversion ready and overflow: the vectors set them freely


def contradicts(vector: Vector, names: tuple[str, ...]) -> bool:
    """Whether the vector's product is not the product of its factors: bytes chosen one by one."""
    expect = vector.expect
    volts = next((expect[n] for n in ("v_bus", "v_in") if n in expect), None)
    amps = next((expect[n] for n in ("i_from_shunt", "i", "i_reg") if n in expect), None)
    for name in names:
        want = {"p_reg": (volts or 0.0) * abs(amps or 0.0), "p": (volts or 0.0) * (amps or 0.0), "i_reg": amps or 0.0}
        if name in want and name in expect and abs(expect[name] - want[name]) > 1e-3 * abs(want[name]) + 1e-9:
            return True
    return False


def cases() -> list[Any]:
    found = []
    for vector in vectors():
        if vector.chip not in COMPATIBLE or "op" in vector.config:
            continue
        kind = chips.find(vector.chip)
        for pointer in vector.raw:
            register = next(r for r in kind.registers if r.address == int(pointer, 16))
            names = tuple(b.name for b in register.bits)
            free = (vector.id, pointer) in NOT_A_STATE or any(name in NOT_TOLD for name in names)
            if free or contradicts(vector, names):
                continue
            found.append(pytest.param(vector, pointer, names, id=f"{vector.id}-{pointer}"))
    return found


@pytest.mark.parametrize(("vector", "pointer", "bits"), cases())
def test_an_emulator_in_the_vectors_state_sends_its_bytes(vector: Vector, pointer: str, bits: tuple[str, ...]) -> None:
    sent, free = answered(vector, pointer, bits), FLAG_BITS.get((vector.chip, pointer), 0)
    want = vector.raw[pointer]
    assert int.from_bytes(sent, "big") & ~free == int.from_bytes(want, "big") & ~free, (sent.hex(), want.hex())
