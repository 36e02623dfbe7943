"""Maxim MAX17040/41/43/44/48/49/58/59: voltage and state of charge from the cell voltage alone, no current.

Sources: MAX17048/MAX17049 data sheet; Linux drivers/power/supply/max17040_battery.c (6.12) for every part's cell
voltage and for the state of charge (half of it with a 19-bit model: `double_soc`); the rate register's 0.208 %/h from
the data sheet. Big-endian words. The converter runs four times a second (MAX17040: twice), once in 45 s when it
hibernates. Nothing tells the parts apart: their version numbers name a production step.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.channel import Quality
from powerhal.chips.inferred import FROM_CHARGE, from_rate
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Evidence, Register, RowFlag

OTHERS = (0x9200, 0xAC00, 0x1040, 0x0040)  # DevName 0x21 of MAX17042, MAX17047/50, MAX17055 as a big-endian word


def _soc_lsb(config: Config) -> float:
    """Percent per step."""
    return 1 / 512 if config.get("double_soc") else 1 / 256


_SOC = Register("soc", 0x04, (Bits("soc_pct", lsb=_soc_lsb, unit="%", formula="1/256 (1/512 with double_soc)"),))
_VERSION = Register("version", 0x08, role="id")
_FOREIGN = Register("foreign_name", 0x21, role="id")


def _vcell(cell_v: float, shift: int = 0) -> Register:
    return Register("vcell", 0x02, (Bits("v", shift, lsb=cell_v, unit="V", clamp=(0xFFFF >> shift,)),))


def _modern(cell_v: float, *more: Register) -> tuple[Register, ...]:
    """`cell_v`: volts per step (78.125 uV for one cell, twice that for two)."""
    return (
        _vcell(cell_v), _SOC, _VERSION, _FOREIGN,
        Register("mode", 0x06, (Bits("hibernating", 12, 1, unit="bool"),), role="status", por=0),
        Register("hibernate", 0x0A, role="limit", por=0x8030),
        Register("rcomp", 0x0C, (Bits("rcomp", 8, 8),), role="limit", por=0x971C),
        *more,
        Register("status", 0x1A, (Bits("reset_indicator", 8, 1, unit="bool"),), role="status", por=0x0100),
    )  # fmt: skip


def _classic(cell_v: float) -> tuple[Register, ...]:
    """12-bit cell voltage; no status, no rate."""
    rcomp = Register("rcomp", 0x0C, (Bits("rcomp", 8, 8),), role="limit", por=0x9700)
    return (_vcell(cell_v, 4), _SOC, _VERSION, _FOREIGN, rcomp)


_RATE_STEP = 0.208  # %/h; + = charging
_CRATE = Register("crate", 0x16, (Bits("crate_pct_per_h", signed=True, lsb=_RATE_STEP, unit="%/h"),))
_NOT_ANOTHER = tuple(Evidence("foreign_name", name, differs=True) for name in OTHERS)
_PLAUSIBLE = (
    Evidence("vcell", 0xFFFF, differs=True),
    Evidence("soc", span=(0, 110 * 256)),
    *_NOT_ANOTHER,
)

MAX17048 = ChipType(
    name="max17048",
    title="Maxim MAX17048, one-cell voltage gauge",
    addresses=(0x36, 0x36),
    registers=_modern(78.125e-6, _CRATE),
    channels=(
        ChannelRow("voltage", "V", ("v",), accuracy=0.002),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
    ),
    inferred=from_rate("v", "crate_pct_per_h", _RATE_STEP),
    evidence=(Evidence("version", 0x0010, 0xFFF0, required=False, proof=True), *_PLAUSIBLE),
    flags=(
        RowFlag("status", "reset_indicator", Quality.RESET, latched=True),
        RowFlag("mode", "hibernating", Quality.STALE),  # a conversion in 45 s
    ),
    cycle_s=lambda c: 0.25,
    max_hz=4.0,
    default_hz=1.0,
    needs_shunt=False,
    autoincrement=True,
    decode_options=("double_soc",),
    source_note="MAX17048/MAX17049 data sheet; Linux drivers/power/supply/max17040_battery.c",
    checked="cell voltage of every part, state of charge: Linux 6.12; 0.208 %/h: open Adafruit driver",
)


def _like(name: str, title: str, registers: tuple[Register, ...]) -> ChipType:
    """A part that differs in its registers alone."""
    return replace(MAX17048, name=name, title=f"Maxim {name.upper()}, {title}", registers=registers)


MAX17049 = _like("max17049", "two-cell voltage gauge", _modern(156.25e-6, _CRATE))
MAX17058 = replace(_like("max17058", "one-cell voltage gauge", _modern(78.125e-6)), inferred=FROM_CHARGE)
MAX17059 = replace(_like("max17059", "two-cell voltage gauge", _modern(156.25e-6)), inferred=FROM_CHARGE)


def _first(name: str, cells: str, cell_v: float) -> ChipType:
    """The first generation: its version number proves nothing."""
    return replace(
        _like(name, f"{cells} voltage gauge, first generation", _classic(cell_v)), evidence=(
            Evidence("vcell", 0x0000, 0x000F), Evidence("version", 0x0010, 0xFFF0, differs=True), *_PLAUSIBLE,
        ), flags=(), cycle_s=lambda c: 0.5, max_hz=2.0, inferred=FROM_CHARGE,
    )  # fmt: skip


MAX17040 = _first("max17040", "one-cell", 1.25e-3)
MAX17041 = _first("max17041", "two-cell", 2.5e-3)
MAX17043 = _first("max17043", "one-cell", 1.25e-3)
MAX17044 = _first("max17044", "two-cell", 2.5e-3)
