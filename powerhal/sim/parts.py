"""One phone of the type: the design's figures with the spread that a production line leaves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from powerhal.sim import design as d


@dataclass(frozen=True, slots=True)
class Parts:
    """What is hidden in one phone; same fields as the design, other numbers."""

    little: d.CpuDesign
    big: d.CpuDesign
    gpu: d.GpuDesign
    wifi: d.RadioDesign
    modem: d.RadioDesign
    converters: tuple[d.ConverterDesign, ...]
    vsys: d.ConverterDesign
    display_on_w: float
    display_bright_w: float
    display_content_w: float
    display_gamma: float
    display_off_w: float
    storage_idle_w: float
    storage_read_w: float
    storage_write_w: float
    storage_read_j: float
    storage_write_j: float
    base_w: float
    leak_per_kelvin: float  # 1/K
    leak_volts_power: float
    die_kelvin_per_watt: float
    die_s: float
    skin_kelvin_per_watt: float
    skin_s: float
    ambient_c: float
    battery_fraction: float
    battery_ohms: float


def spread(rng: Random, value: float, ratio: float) -> float:
    """`value` with a relative normal spread `ratio` (1 sigma), never beyond 2.5 sigma."""
    return value * (1.0 + max(-2.5, min(2.5, rng.gauss(0.0, 1.0))) * ratio)


def draw(seed: int) -> Parts:
    """The phone with this serial number; the same seed is always the same phone."""
    rng = Random(f"{seed}/parts")

    def s(value: float, ratio: float) -> float:
        return spread(rng, value, ratio)

    return Parts(
        little=_cpu(rng, d.LITTLE),
        big=_cpu(rng, d.BIG),
        gpu=replace(
            d.GPU,
            opps=tuple((hz, v * (1 + rng.gauss(0, 0.004))) for hz, v in d.GPU.opps),
            farads=s(d.GPU.farads, 0.05),
            leak_w=s(d.GPU.leak_w, 0.2),
        ),
        wifi=_radio(rng, d.WIFI),
        modem=_radio(rng, d.MODEM),
        converters=tuple(_converter(rng, c) for c in d.CONVERTERS),
        vsys=_converter(rng, d.VSYS),
        display_on_w=s(d.DISPLAY_ON_W, 0.06),
        display_bright_w=s(d.DISPLAY_BRIGHT_W, 0.06),
        display_content_w=s(d.DISPLAY_CONTENT_W, 0.06),
        display_gamma=s(1.15, 0.04),
        display_off_w=s(d.DISPLAY_OFF_W, 0.2),
        storage_idle_w=s(d.STORAGE_IDLE_W, 0.15),
        storage_read_w=s(d.STORAGE_READ_W, 0.08),
        storage_write_w=s(d.STORAGE_WRITE_W, 0.08),
        storage_read_j=s(d.STORAGE_READ_J, 0.1),
        storage_write_j=s(d.STORAGE_WRITE_J, 0.1),
        base_w=s(d.BASE_W, 0.06),
        leak_per_kelvin=s(0.021, 0.08),
        leak_volts_power=s(2.6, 0.06),
        die_kelvin_per_watt=s(7.0, 0.1),
        die_s=s(3.5, 0.15),
        skin_kelvin_per_watt=s(5.0, 0.1),
        skin_s=s(110.0, 0.1),
        ambient_c=d.AMBIENT_C + rng.uniform(-4.0, 4.0),
        battery_fraction=rng.uniform(0.35, 0.9),
        battery_ohms=s(d.BATTERY_OHMS, 0.12),
    )


def _cpu(rng: Random, cpu: d.CpuDesign) -> d.CpuDesign:
    bin_ratio = rng.gauss(0.0, 0.008)  # the voltage bin of the die, then each point's own trim
    return replace(
        cpu,
        opps=tuple((hz, v * (1 + bin_ratio + rng.gauss(0, 0.003))) for hz, v in cpu.opps),
        farads=spread(rng, cpu.farads, 0.05),
        shared_farads=spread(rng, cpu.shared_farads, 0.1),
        leak_w=spread(rng, cpu.leak_w, 0.2),
        load_line_ohms=spread(rng, cpu.load_line_ohms, 0.1),
    )


def _radio(rng: Random, radio: d.RadioDesign) -> d.RadioDesign:
    signal = spread(rng, 1.0, 0.08)  # distance to the cell or access point moves them together
    return replace(
        radio,
        idle_w=spread(rng, radio.idle_w, 0.12),
        ramp_w=spread(rng, radio.ramp_w, 0.05) * signal,
        active_w=spread(rng, radio.active_w, 0.04) * signal,
        receive_j=spread(rng, radio.receive_j, 0.06),
        send_j=spread(rng, radio.send_j, 0.06) * signal,
        tails=tuple((spread(rng, s, 0.05), spread(rng, w, 0.05)) for s, w in radio.tails),
    )


def _converter(rng: Random, converter: d.ConverterDesign) -> d.ConverterDesign:
    return replace(
        converter,
        quiescent_w=spread(rng, converter.quiescent_w, 0.15),
        proportional=spread(rng, converter.proportional, 0.12),
        conduction=spread(rng, converter.conduction, 0.12),
    )
