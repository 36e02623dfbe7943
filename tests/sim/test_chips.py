"""What single emulators do beyond measuring; `test_emulators.py` walks all of them."""

from __future__ import annotations

import pytest

from powerhal.sim.chips import build
from powerhal.sim.chips.base import FreeRunning
from powerhal.sim.signal import ConstantSignal
from powerhal.transport.clock import VirtualClock

SECOND = 1_000_000_000


class Bench:
    """A chip, a supply that can be turned, and time."""

    def __init__(
        self, compatible: str, amperes: float, volts: float, shunt: float = 0.01, seed: str | None = None
    ) -> None:
        self.clock = VirtualClock(start_ns=SECOND)
        self.signal = ConstantSignal(amperes, volts)
        inputs = 3 if "3221" in compatible else 1
        self.chip = build(
            compatible, [self.signal] * inputs, self.clock.now_ns, shunts_ohms=[shunt] * inputs, seed=seed
        )

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def word(self, register: int) -> int:
        self.chip.write(bytes([register]))
        return int.from_bytes(self.chip.read(2), "big")

    def put(self, register: int, word: int) -> None:
        self.chip.write(bytes([register]) + word.to_bytes(2, "big"))


# Wire words of known inputs. Origins: TI INA219 and INA226 design examples (2 mOhm, 10 A, 11.98 V; from
# memory, every number recomputed), full scales, field reports as named.
GOLDEN = [
    # compatible, shunt, A, V, calibration, register -> word
    ("ti,ina219", 0.002, 10.0, 11.98, 0x5000, {1: 0x07D0, 2: 0x5D9A, 4: 0x2710, 3: 0x1766}),
    ("ti,ina219", 0.1, -0.032, 5.0, 0x1000, {1: 0xFEC0, 2: 0x2712, 4: 0xFEC0, 3: 0x0050}),
    (
        "ti,ina219",
        0.001,
        -5.2,
        25.1,
        0xA000,
        {1: 0xFDF8, 2: 0xC41A, 4: 0xEBB0, 3: 0x197E},
    ),  # johngineer/ArduinoINA219#4
    ("ti,ina226", 0.002, 10.0, 11.98, 0x0A00, {1: 0x1F40, 2: 0x2570, 4: 0x2710, 3: 0x12B8}),
    ("ti,ina226", 0.1, 0.819175, 36.0, 0x0800, {1: 0x7FFF, 2: 0x7080, 4: 0x7FFF, 3: 0xB850}),
    ("ti,ina226", 0.01, -1.0, 5.0, 0x0800, {1: 0xF060, 2: 0x0FA0, 4: 0xF060, 3: 0x0320}),
    ("ti,ina231", 0.01, 0.4, 1.2, 0x0800, {1: 0x0640, 2: 0x03C0, 4: 0x0640, 3: 0x004C}),  # ODROID-XU3 shunt
    ("ti,ina3221", 0.005, 4.0, 5.08, None, {1: 0x0FA0, 2: 0x13D8, 3: 0x0FA0, 6: 0x13D8}),  # Jetson Orin VDD_IN
    ("ti,ina3221", 0.1, 0.328, 4.0, None, {1: 0x19A0, 2: 0x0FA0}),  # meshtastic/firmware#5933
    ("ti,ina3221", 0.1, -1.6384, 0.0, None, {1: 0x8000, 2: 0x0000}),
]


@pytest.mark.parametrize(("compatible", "shunt", "amperes", "volts", "calibration", "words"), GOLDEN)
def test_golden_words(
    compatible: str, shunt: float, amperes: float, volts: float, calibration: int | None, words: dict[int, int]
) -> None:
    bench = Bench(compatible, amperes, volts, shunt)
    if calibration is not None:
        bench.put(5, calibration)
    bench.wait(0.1)
    # the power register of the INA219 clears its ready flag, so it is read last
    assert {r: f"{bench.word(r):04x}" for r in sorted(words, key=lambda r: r == 3)} == {
        r: f"{w:04x}" for r, w in words.items()
    }


def test_max17048_golden_words() -> None:
    clock = VirtualClock(start_ns=SECOND)
    chip = build("maxim,max17048", [ConstantSignal(0.5, 3.90625, fraction=0.725)], clock.now_ns)
    chip.write(b"\x02")
    assert chip.read(4).hex() == "c3504880"  # 3.90625 V, 72.5 % (Linux max17040_battery.c scaling)


def test_bq27441_words_are_little_endian_and_charging_is_positive() -> None:
    clock = VirtualClock(start_ns=SECOND)
    chip = build("ti,bq27441", [ConstantSignal(0.25, 3.7, fraction=0.6, temperature_c=25.0)], clock.now_ns)
    chip.write(b"\x04")
    assert chip.read(2).hex() == "740e"  # 3700 mV
    chip.write(b"\x10")
    assert chip.read(2).hex() == "06ff"  # -250 mA: out of the battery
    chip.write(b"\x02")
    assert int.from_bytes(chip.read(2), "little") in (2981, 2982)
    chip.write(b"\x00\x01\x00")
    chip.write(b"\x00")
    assert chip.read(2).hex() == "2104"  # DEVICE_TYPE 0x0421


@pytest.mark.parametrize(("compatible", "por"), [("ti,ina219", 0x399F), ("ti,ina226", 0x4127), ("ti,ina3221", 0x7127)])
def test_power_on_and_reset(compatible: str, por: int) -> None:
    bench = Bench(compatible, 1.0, 5.0)
    assert bench.word(0) == por
    bench.wait(0.1)
    assert bench.word(1) != 0
    bench.put(0, por ^ 0x0010)
    assert bench.word(0) == por ^ 0x0010
    bench.put(0, 0x8000)
    assert bench.word(0) == por
    assert bench.word(1) == 0


@pytest.mark.parametrize("compatible", ["ti,ina226", "ti,ina3221"])
def test_ready_flag_follows_the_conversion_and_is_cleared_by_reading(compatible: str) -> None:
    bench = Bench(compatible, 1.0, 5.0)
    register, bit = (6, 8) if compatible == "ti,ina226" else (15, 1)
    assert not bench.word(register) & bit
    bench.wait(0.0023 if compatible == "ti,ina226" else 0.0067)
    assert bench.word(register) & bit
    assert not bench.word(register) & bit
    bench.wait(0.01)
    assert bench.word(register) & bit


def test_ina219_ready_flag_is_cleared_by_the_power_register() -> None:
    bench = Bench("ti,ina219", 1.0, 5.0)
    assert bench.word(2) & 2 == 0
    bench.wait(0.002)
    assert bench.word(2) & 2
    assert bench.word(2) & 2
    bench.word(3)
    assert not bench.word(2) & 2


def test_ina219_overflow_is_only_arithmetic() -> None:
    bench = Bench("ti,ina219", 3.2, 32.0, 0.1)
    bench.put(5, 0xFFFE)
    bench.wait(0.01)
    assert bench.word(2) & 1
    assert bench.word(1) == 0x7D00
    assert bench.word(2) >> 3 == 8000


def test_a_longer_average_takes_longer_and_is_a_mean() -> None:
    class Ramp:
        def amperes(self, start_ns: int, end_ns: int) -> float:
            return (start_ns + end_ns) / 2e9 - 1.0  # one ampere a second

        def volts(self, start_ns: int, end_ns: int) -> float:
            return 4.0

    clock = VirtualClock(start_ns=SECOND)
    chip = build("ti,ina226", [Ramp()], clock.now_ns, shunts_ohms=[0.01])
    chip.write(b"\x00\x49\x27")  # 128 averages of 1.1 + 1.1 ms: 281.6 ms
    clock.sleep_until(SECOND + 281_000_000)
    chip.write(b"\x01")
    assert chip.read(2) == b"\0\0"
    clock.sleep_until(SECOND + 300_000_000)
    assert int.from_bytes(chip.read(2), "big") == round(0.1408 * 0.01 / 2.5e-6)


def test_single_conversion_stops() -> None:
    bench = Bench("ti,ina226", 1.0, 5.0)
    bench.put(0, 0x4123)
    bench.wait(1.0)
    assert bench.word(6) & 8
    bench.wait(1.0)
    assert not bench.word(6) & 8


def test_ina3221_switched_off_inputs_keep_their_value_and_sum_counts_the_chosen() -> None:
    bench = Bench("ti,ina3221", 2.0, 5.0)
    bench.put(15, 0x6000)
    bench.wait(0.1)
    one = bench.word(1) >> 3
    assert bench.word(13) >> 1 == 2 * one
    bench.put(0, 0x4127)
    bench.wait(0.1)
    assert bench.word(3) >> 3 == one


def test_max17048_quick_start_and_reset_need_the_right_byte_order() -> None:
    bench = Bench("maxim,max17048", 0.5, 3.8)
    bench.put(0x0C, 0x1234)
    bench.put(0xFE, 0x0054)  # a MAX17043's reset: not this chip's
    assert bench.word(0x0C) == 0x1234
    bench.put(0xFE, 0x5400)
    assert bench.word(0x0C) == 0x971C
    assert bench.word(0x1A) & 0x0100


def test_converter_tells_each_cycle_once() -> None:
    adc = FreeRunning()
    adc.start(0, 100)
    assert adc.finished(99) is None
    assert adc.finished(250) == (100, 200)
    assert adc.finished(299) is None
    adc.start(250, 0)
    assert adc.finished(10_000) is None


def test_unknown_chip_is_refused_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match="ti,ina226"):
        build("ti,ina9999", [], lambda: 0)
