"""Which emulated chip sits where on the rig's bus, and what it looks at: shared by model, guest and test."""

from __future__ import annotations

AMPERES = 1.5
RAIL = {"current_a": AMPERES, "voltage_v": 5.0, "temperature_c": 31.0}
CELL = {"current_a": 0.35, "voltage_v": 3.9, "fraction": 0.72, "temperature_c": 31.0, "capacity_ah": 1.34}
SHUNTS = {"maxim,ds2782": 0.02, "ti,bq27000": 0.02, "ti,bq27200": 0.02, "ti,bq27210": 0.02, "adi,ltc2945": 0.001}

# address, compatible, the kernel's name for it: each at a place of its own
MONITORS = (
    (0x40, "ti,ina219", "ina219"),
    (0x41, "ti,ina220", "ina220"),
    (0x42, "ti,ina226", "ina226"),
    (0x47, "ti,ina230", "ina230"),
    (0x44, "ti,ina231", "ina231"),
    (0x45, "ti,ina209", "ina209"),
    (0x46, "ti,ina238", "ina238"),
    (0x43, "ti,ina3221", "ina3221"),
    (0x68, "adi,ltc2945", "ltc2945"),
)
_BQ = (
    "bq27200 bq27210 bq27411 bq27421 bq27425 bq27426 bq27441 bq27500 bq27510 bq27510g1 bq27510g2 bq27510g3 "
    "bq27520g1 bq27520g2 bq27520g3 bq27520g4 bq27530 bq27531 bq27541 bq27542 bq27545 bq27546 bq27742 "
    "bq27621 bq27z561 bq28z610 bq34z100 bq78z100"
)
# all at one address: they take turns
VARIANTS = (
    *((0x55, f"ti,{name}", name) for name in _BQ.split()),
    *((0x36, f"maxim,max{n}", f"max{n}") for n in (17040, 17041, 17043, 17044, 17048, 17049, 17058, 17059)),
    *((0x36, f"maxim,max{n}", f"max{n}") for n in (17042, 17047, 17050, 17055)),
    (0x0B, "sbs,sbs-battery", "sbs-battery"),
    (0x62, "cellwise,cw2015", "cw2015"),
    (0x34, "maxim,ds2782", "ds2782"),
)
