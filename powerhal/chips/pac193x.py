"""Microchip PAC1931 to PAC1934: one to four inputs with volts, amperes, watts and 48-bit energy sums.

Sources: Linux drivers/iio/adc/pac1934.c for registers, widths, identities and modes; data sheet DS20005850. Registers
hold what REFRESH_V (0x1F) latched, 1 ms after it; REFRESH (0x00) also clears the sums and their count. The sums stop
at their end and do not wrap (17 min at 1024 samples a second and full scale). Full scale is 32 V and 100 mV, one bit
less when an input is bipolar. Pointers 0x00, 0x1E and 0x1F are commands: nothing here reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Derived, Evidence, Register, Value

RATES_HZ = (1024.0, 256.0, 64.0, 8.0)
FULL_V, FULL_SENSE_V = 32.0, 0.1
REFRESH, REFRESH_V = b"\x00", b"\x1f"
_FULL_W_OHM = FULL_V * FULL_SENSE_V  # full scale of power times the shunt
ACCURACY = 0.01


def _bipolar(setting: str) -> Callable[[Config], bool]:
    """Whether an input is bipolar: the chip's own bit, else what the configuration says for the whole chip."""
    return lambda config: bool(config.get(setting, config.get("bidirectional")))


def _step(full: float, bits: int, signed: Callable[[Config], bool]) -> Callable[[Config], float]:
    """One step of a result of that many bits, twice as large in bipolar mode."""
    return lambda config: full / (1 << bits - signed(config))


def _per_sample(signed: Callable[[Config], bool]) -> Callable[[Config], float | None]:
    """Joules times ohms for one step of an energy sum."""

    def lsb(config: Config) -> float | None:
        rate = config.get("sample_rate")
        return _FULL_W_OHM / (1 << 28 - signed(config)) / rate if rate else None

    return lsb


def _ends(bits: int, signed: Callable[[Config], bool]) -> Callable[[Config], tuple[int, ...]]:
    """Raw integers at the ends of a result."""

    def clamp(config: Config) -> tuple[int, ...]:
        half = 1 << bits - 1
        return (half - 1, -half) if signed(config) else (2 * half - 1,)

    return clamp


def _input(n: int) -> tuple[Register, ...]:
    amps, volts = _bipolar(f"bidirectional_{n}"), _bipolar(f"bipolar_volts_{n}")
    shunt = "r_shunt_ohm"

    def current(name: str, address: int, value: str) -> Register:
        return Register(name, address, (
            Bits(value, signed=amps, lsb=_step(FULL_SENSE_V, 16, amps), per=shunt, unit="A", clamp=_ends(16, amps),
                 formula="0.1 / 2^16 (2^15 bipolar)"),
        ), channel=n)  # fmt: skip

    def voltage(name: str, address: int, value: str) -> Register:
        return Register(name, address, (
            Bits(value, signed=volts, lsb=_step(FULL_V, 16, volts), unit="V", clamp=_ends(16, volts),
                 formula="32 / 2^16 (2^15 bipolar)"),
        ), channel=n)  # fmt: skip

    return (
        Register(f"energy{n}", 0x02 + n, (
            Bits("energy_j", signed=amps, lsb=_per_sample(amps), per=shunt, unit="J", clamp=_ends(48, amps),
                 formula="3.2 / 2^28 (2^27 bipolar) / sample_rate"),
        ), 6, channel=n),
        voltage(f"vbus{n}", 0x06 + n, "v_bus"),
        current(f"vsense{n}", 0x0A + n, "i"),
        voltage(f"vbus_avg{n}", 0x0E + n, "v_bus_avg"),
        current(f"vsense_avg{n}", 0x12 + n, "i_avg"),
        Register(f"power{n}", 0x16 + n, (
            Bits("p", 4, 28, signed=amps, lsb=_step(_FULL_W_OHM, 28, amps), per=shunt, unit="W",
                 formula="3.2 / 2^28 (2^27 bipolar)"),
        ), 4, channel=n),
    )  # fmt: skip


def _channels(n: int) -> tuple[ChannelRow, ...]:
    return (
        ChannelRow("voltage", "V", ("v_bus",), n, accuracy=0.003),
        ChannelRow("current", "A", ("i",), n, accuracy=ACCURACY),
        ChannelRow("power", "W", ("p",), n, accuracy=ACCURACY),
        ChannelRow(
            "energy", "J", ("energy_j",), n, quality_class="accumulated", accuracy=ACCURACY, counter=True, wrap_bits=48
        ),
    )


def _mean_power(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
    """Watts over the samples that the energy sum is made of."""
    energy, samples, rate = values.get("energy_j"), values.get("samples"), config.get("sample_rate")
    if not isinstance(energy, float) or not isinstance(samples, float) or not rate or not samples:
        return None
    return energy / (samples / rate)


def _settings(inputs: range) -> tuple[Register, ...]:
    return (
        Register("ctrl", 0x01, (
            Bits("sample_rate", 6, 2, codes=RATES_HZ, unit="Hz"), Bits("sleep", 5, 1), Bits("single_shot", 4, 1),
        ), 1, role="config", por=0),
        Register("channel_dis", 0x1C, tuple(Bits(f"disable_{n}", 8 - n, 1) for n in inputs), 1, role="config", por=0),
        Register("neg_pwr", 0x1D, (
            *(Bits(f"bidirectional_{n}", 8 - n, 1) for n in inputs),
            *(Bits(f"bipolar_volts_{n}", 4 - n, 1) for n in inputs),
        ), 1, role="config", por=0),
    )  # fmt: skip


def _part(inputs: int, product: int) -> ChipType:
    each = range(1, inputs + 1)
    return ChipType(
        name=f"pac193{inputs}",
        title=f"Microchip PAC193{inputs}, {inputs} input(s) with power and energy",
        addresses=(0x10, 0x1F),
        registers=(
            *_settings(each),
            Register("acc_count", 0x02, (Bits("samples", clamp=(0xFFFFFF,)),), 3),
            *(register for n in each for register in _input(n)),
            Register("product", 0xFD, nbytes=1, role="id"),
            Register("manufacturer", 0xFE, nbytes=1, role="id"),
            Register("revision", 0xFF, nbytes=1, role="id"),
        ),
        channels=tuple(row for n in each for row in _channels(n)),
        derived=(Derived("p_avg", _mean_power),),
        evidence=(
            Evidence("manufacturer", 0x5D, 0xFF), Evidence("product", product, 0xFF, proof=True),
        ),
        cycle_s=lambda c: 1.0 / (c.get("sample_rate") or 1024.0),
        default_hz=10.0,
        inputs=inputs,
        saturates=True,
        latch=(REFRESH_V, 1e-3),
        clear=REFRESH,
        decode_options=("bidirectional",),
        source_note="DS20005850; Linux drivers/iio/adc/pac1934.c",
        checked="registers, widths, identities, bipolar modes: Linux; addresses: from memory",
    )  # fmt: skip


PAC1931, PAC1932, PAC1933, PAC1934 = (_part(n, 0x57 + n) for n in (1, 2, 3, 4))
