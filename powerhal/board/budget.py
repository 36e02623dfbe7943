"""What a board's chips can measure, and how much of a bus's time they take."""

from __future__ import annotations

from powerhal.board.schema import BoardDescription
from powerhal.board.settings import battery_label, config_si, sensor_options
from powerhal.chips import load as load_chip
from powerhal.chips.layout import build_row, expected_config, settings_of
from powerhal.chips.registers import ChipType, Config
from powerhal.errors import BoardError
from powerhal.transport import Xfer

BUSY, FULL = 0.7, 0.95  # shares of bus time: a warning, an error
START_STOP = 3  # clocks of start, repeated start and stop together


def full_scale(chip: ChipType, index: int, config: Config) -> dict[str, float]:
    """Unit ('A', 'V') -> the greatest value that input `index` can show; units without a clamp are left out."""
    used = {part for row in chip.channels if row.channel in (0, index) for part in row.of}
    found: dict[str, float] = {}
    for register in chip.registers:
        for bits in register.bits:
            scale = bits.scale(config) if bits.name in used and register.channel in (0, index) else None
            clamps = _shunt_clamps(chip, index, config) if bits.per == "r_shunt_ohm" else bits.clamps(config)
            if scale and clamps and bits.unit in ("A", "V"):
                found.setdefault(bits.unit, max(clamps) * scale)
    return found


def _shunt_clamps(chip: ChipType, index: int, config: Config) -> tuple[int, ...]:
    """Clamps of the shunt voltage's bits, which the current shares."""
    for register in chip.registers:
        for bits in register.bits:
            if bits.name.startswith("v_shunt") and register.channel in (0, index) and bits.clamps(config):
                return bits.clamps(config)
    return ()


def clocks(xfer: Xfer) -> int:
    """SCL clocks of one transfer: nine a byte with its address bytes (48 for a 16-bit register)."""
    parts = bool(xfer.write) + bool(xfer.read)
    return 9 * (parts + len(xfer.write) + xfer.read) + START_STOP


def bus_shares(board: BoardDescription) -> dict[str, float]:
    """Adapter -> share of its time that the sensors' rates take, the selections of multiplexers included."""
    shares: dict[str, float] = {}
    for name, sensor in board.sensors.items():
        chip = load_chip(sensor.chip)
        try:
            options = sensor_options(name, sensor, sensor.rate_hz, battery=battery_label(board, sensor))
            settings = settings_of(chip, expected_config(chip, config_si(sensor)))
            rate_hz = options.rate_hz or chip.default_hz
            row = build_row(chip, sensor.address, options, settings, period_s=1.0 / rate_hz)
        except (BoardError, ValueError, KeyError):
            continue  # told by other checks
        total = sum(clocks(xfer) for xfer in row.xfers)
        bus, selects = sensor.bus, 0
        while (parent := board.buses[bus].parent) is not None:
            bus, selects = parent, selects + 1
        total += selects * clocks(Xfer(0, b"\0"))
        shares[bus] = shares.get(bus, 0.0) + total * rate_hz / board.buses[bus].speed_hz
    return shares
