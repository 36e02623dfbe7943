"""The simulated phone as a type: what its maker knows. Every phone of the type differs (`parts.py`).

Figures are those of a mid-range phone: four small and four large cores, a GPU, an OLED panel, Wi-Fi and
a cellular modem that share a supply with the flash storage. SI units throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

STEP_NS = 10_000_000  # the scheduler's tick: the physics is constant inside it
STEP_S = STEP_NS / 1e9


@dataclass(frozen=True, slots=True)
class CpuDesign:
    """A CPU cluster: operating points (Hz, V), work per cycle against the large core, switched farads."""

    name: str
    cpus: tuple[int, ...]
    opps: tuple[tuple[float, float], ...]
    work_per_cycle: float
    farads: float  # per core at full activity
    shared_farads: float  # clock tree and cache, while any core runs
    leak_w: float  # at 0.8 V and 40 degC
    load_line_ohms: float


@dataclass(frozen=True, slots=True)
class GpuDesign:
    """A GPU: operating points (Hz, V), switched farads, leakage (W at 0.8 V, 40 degC)."""

    opps: tuple[tuple[float, float], ...]
    farads: float
    leak_w: float


@dataclass(frozen=True, slots=True)
class RadioDesign:
    """A radio: watts by state, joules per byte, link rates (B/s), ramp and tails (s)."""

    name: str
    interface: str
    idle_w: float
    ramp_w: float
    ramp_s: float
    active_w: float
    receive_j: float
    send_j: float
    receive_rate: float
    send_rate: float
    tails: tuple[tuple[float, float], ...]  # (seconds, watts)


@dataclass(frozen=True, slots=True)
class ConverterDesign:
    """A converter: input = quiescent + output * (1 + proportional + conduction * output), in watts."""

    rail: str
    volts: float
    quiescent_w: float
    proportional: float
    conduction: float  # 1/W


LITTLE = CpuDesign(
    "little",
    (0, 1, 2, 3),
    ((300e6, 0.575), (576e6, 0.6), (864e6, 0.65), (1152e6, 0.7), (1440e6, 0.75), (1708.8e6, 0.825)),
    work_per_cycle=0.5,
    farads=1.4e-10,
    shared_farads=0.5e-10,
    leak_w=0.022,
    load_line_ohms=0.006,
)
BIG = CpuDesign(
    "big",
    (4, 5, 6, 7),
    ((499.2e6, 0.6), (825.6e6, 0.65), (1132.8e6, 0.7), (1478.4e6, 0.775), (1804.8e6, 0.86), (2208e6, 0.98)),
    work_per_cycle=1.0,
    farads=4.7e-10,
    shared_farads=1.1e-10,
    leak_w=0.085,
    load_line_ohms=0.005,
)
GPU = GpuDesign(
    ((180e6, 0.6), (267e6, 0.625), (355e6, 0.66), (430e6, 0.7), (565e6, 0.77), (710e6, 0.86)),
    farads=4.0e-9,
    leak_w=0.045,
)
WIFI = RadioDesign("wifi", "wlan0", 0.011, 0.24, 0.02, 0.26, 0.85e-7, 1.9e-7, 6.5e6, 4.0e6, ((0.22, 0.21),))
MODEM = RadioDesign(
    "modem", "rmnet_data0", 0.016, 0.58, 0.32, 0.62, 2.3e-7, 6.5e-7, 2.6e6, 0.9e6, ((2.2, 0.45), (1.4, 0.19))
)
CONVERTERS = (
    ConverterDesign("vdd_little", 0.0, 4e-3, 0.085, 0.060),
    ConverterDesign("vdd_big", 0.0, 7e-3, 0.080, 0.024),
    ConverterDesign("vdd_gpu", 0.0, 5e-3, 0.080, 0.028),
    ConverterDesign("vdd_display", 4.6, 4e-3, 0.090, 0.030),
    ConverterDesign("vdd_io", 3.3, 3e-3, 0.060, 0.030),
)
VSYS = ConverterDesign("vsys", 3.85, 0.0, 0.0, 0.0025)

DISPLAY_ON_W, DISPLAY_BRIGHT_W, DISPLAY_CONTENT_W, DISPLAY_OFF_W = 0.16, 0.24, 1.05, 2.5e-3
STORAGE_IDLE_W, STORAGE_READ_W, STORAGE_WRITE_W = 5e-3, 0.24, 0.42
STORAGE_READ_J, STORAGE_WRITE_J = 0.8e-9, 2.6e-9  # per byte
STORAGE_READ_RATE, STORAGE_WRITE_RATE = 170e6, 62e6  # B/s
BASE_W = 0.145
BATTERY_AH, BATTERY_OHMS = 4.0, 0.085
AMBIENT_C = 24.0

DEVICES = ("cpu-little", "cpu-big", "gpu", "display", "wifi", "modem", "storage", "base")
DEVICE_RAIL = ("vdd_little", "vdd_big", "vdd_gpu", "vdd_display", "vdd_io", "vdd_io", "vdd_io", "vsys")
RAILS = ("vdd_little", "vdd_big", "vdd_gpu", "vdd_display", "vdd_io", "vsys", "battery")
