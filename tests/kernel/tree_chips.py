"""What stands in the device tree of the rig, and what the chips look at: shared by model, guest and test."""

from __future__ import annotations

# address, compatible, sense resistor in ohms, prescaler exponent
GAUGES = (
    (0x60, "lltc,ltc2941", 0.05, 7),
    (0x61, "lltc,ltc2942", 0.05, 5),
    (0x62, "lltc,ltc2943", 0.02, 6),
    (0x63, "lltc,ltc2944", 0.02, 6),
)
CELL = {"current_a": 0.6, "voltage_v": 3.9, "fraction": 0.72, "temperature_c": 31.0}
MONITOR = (0x48, "ti,ina237", 0.01)
PMBUS = (0x4B, "ti,ina233", 0.01)
SENSE = 0x7C
SENSE_OHMS, SENSE_STEPS, VOLT_STEPS = 0.005, 1000, 857  # MAX9611: 107.5 uV and 14 mV a step
RAIL = {"current_a": 1.5, "voltage_v": 5.0, "temperature_c": 31.0}


def tree(socket: str) -> dict[str, object]:
    """The tree: one virtual adapter with the chips below it."""
    i2c: dict[str, object] = {"compatible": "virtio,device22", "#address-cells": 1, "#size-cells": 0}
    for address, compatible, ohms, exponent in GAUGES:
        name = compatible.partition(",")[2]
        i2c[f"{name}@{address:x}"] = {
            "compatible": compatible, "reg": address, "lltc,resistor-sense": round(ohms * 1000),
            "lltc,prescaler-exponent": exponent,
        }  # fmt: skip
    i2c[f"ina237@{MONITOR[0]:x}"] = {
        "compatible": ("ti,ina237", "ti,ina238"), "reg": MONITOR[0], "shunt-resistor": round(MONITOR[2] * 1e6),
    }  # fmt: skip
    i2c[f"csa@{SENSE:x}"] = {
        "compatible": "maxim,max9611", "reg": SENSE, "shunt-resistor-micro-ohms": round(SENSE_OHMS * 1e6),
    }  # fmt: skip
    bus = {"compatible": "virtio,uml", "socket-path": socket, "virtio-device-id": 34, "i2c": i2c}
    return {"#address-cells": 1, "#size-cells": 1, "compatible": "powerhal,test", "model": "test", "virtio": bus}
