"""Chips as data: one file a family, one table here, resolved on use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from powerhal.errors import BoardError

if TYPE_CHECKING:
    from powerhal.chips.registers import ChipType


def _rows(vendor: str, module: str, names: str) -> dict[str, str]:
    """One row a part whose map is named after it."""
    return {f"{vendor},{name}": f"{module}:{name.upper()}" for name in names.split()}


def _same(row: str, names: str) -> dict[str, str]:
    """Parts of TI that share one map."""
    return {f"ti,{name}": row for name in names.split()}


CHIPS: dict[str, str] = {
    **_rows("ti", "ina2xx", "ina219 ina220 ina226 ina230 ina231"),
    **_rows("ti", "ina209", "ina209"),
    **_rows("ti", "ina23x", "ina232 ina234 ina236 ina260"),
    **_rows("ti", "ina228", "ina228 ina237 ina238"),
    **_rows("ti", "ina233", "ina233"),
    **_rows("ti", "ina7xx", "ina700 ina745 ina780"),
    **_rows("ti", "ina3221", "ina3221"),
    **_rows("microchip", "pac193x", "pac1931 pac1932 pac1933 pac1934"),
    **_rows("adi", "ltc2945", "ltc2945"),
    **_rows("lltc", "ltc294x", "ltc2941 ltc2942 ltc2943 ltc2944"),
    **_rows("maxim", "max1704x", "max17040 max17041 max17043 max17044 max17048 max17049 max17058 max17059"),
    **_rows("maxim", "max17042", "max17042 max17047 max17050 max17055"),
    **_rows("ti", "bq27000", "bq27000 bq27010"),
    **_rows("ti", "bq27xxx", "bq27421 bq27426 bq27500 bq27510g3 bq27520g4 bq27530 bq27541 bq27545"),
    **_rows("ti", "bq27xxx", "bq27z561 bq34z100 bq78z100"),
    **_same("bq27000:BQ27000", "bq27200"),
    **_same("bq27000:BQ27010", "bq27210"),
    **_same("bq27xxx:BQ27421", "bq27411 bq27425 bq27441 bq27621"),
    **_same("bq27xxx:BQ27510G3", "bq27510"),
    **_same("bq27xxx:BQ27500", "bq27510g1 bq27510g2 bq27520g1 bq27520g2 bq27520g3"),
    **_same("bq27xxx:BQ27530", "bq27531"),
    **_same("bq27xxx:BQ27541", "bq27542 bq27546 bq27742"),
    **_same("bq27xxx:BQ27Z561", "bq28z610"),
    "sbs,sbs-battery": "sbs:SBS",
    "onnn,lc709203f": "lc709203f:LC709203F",
    "cellwise,cw2015": "cw2015:CW2015",
    "st,stc3117": "stc3117:STC3117",
    "maxim,ds2782": "ds2782:DS2782",
}
"""Device-tree `compatible` -> `module:NAME` in this package: the chips that a board may put on a bus."""

UNWIRED: dict[str, str] = {
    **_rows("ti", "ina228", "ina229 ina239"),
    **_rows("x-powers", "axp20x", "axp209 axp803"),
    **_rows("rockchip", "rk8xx", "rk817 rk818"),
}
"""Maps of chips that only their kernel driver reaches: for logs and dumps."""

_NAMES = {
    **dict.fromkeys(["sbs", "bq40z50", "bq40z80", "bq20z65", "bq20z75", "bq4050"], "sbs,sbs-battery"),
    **dict.fromkeys(("axp20x", "axp202"), "x-powers,axp209"), **dict.fromkeys(("axp22x", "axp813"), "x-powers,axp803"),
    "max77693-fg": "maxim,max17047", "max17260": "maxim,max17055",
}  # fmt: skip
"""Other names of parts, of packs that speak their words, of the families in Linux."""


def load(compatible: str) -> ChipType:
    """The chip of that device-tree `compatible`; raises BoardError for one we do not know."""
    rows = CHIPS if compatible in CHIPS else UNWIRED
    if compatible not in rows:
        from difflib import get_close_matches

        near = get_close_matches(compatible, CHIPS, 4)
        hint = f"did you mean {' or '.join(near)}?" if near else "see `powerhal chips list` for the chips"
        raise BoardError(f"no chip {compatible!r} is known", hint=hint)
    module, _, name = rows[compatible].partition(":")
    chip: ChipType = getattr(import_module(f"powerhal.chips.{module}"), name)
    return chip


def find(name: str) -> ChipType:
    """The chip of a bare part name (`ina226`) or a `compatible`; raises BoardError."""
    by_part = {c.partition(",")[2]: c for c in (*CHIPS, *UNWIRED)} | _NAMES
    return load(by_part.get(name.lower(), name))
