"""Names that people know for rails, and the track names that Perfetto's trace processor gives them."""

from __future__ import annotations

#: Rail as the schematic calls it -> short name (Perfetto, android_probes_module.cc, Apache-2.0: names as facts).
FRIENDLY: dict[str, str] = {
    "S4M_VDD_CPUCL0": "cpu.little",
    "S3M_VDD_CPUCL1": "cpu.mid",
    "S2M_VDD_CPUCL2": "cpu.big",
    "S5M_VDD_INT": "system.fabric",
    "S10M_VDD_TPU": "tpu",
    "PPVAR_VSYS_PWR_DISP": "display",
    "VSYS_PWR_DISPLAY": "display",
    "VSYS_PWR_MODEM": "modem",
    "S1M_VDD_MIF": "memory.interface",
    "VSYS_PWR_WLAN_BT": "wifi.bt",
    "L2S_VDD_AOC_RET": "aoc.memory",
    "S9S_VDD_AOC": "aoc.logic",
    "S5S_VDDQ_MEM": "ddr.a",
    "S10S_VDD2L": "ddr.b",
    "S4S_VDD2H_MEM": "ddr.c",
    "S2S_VDD_G3D": "gpu",
    "L9S_GNSS_CORE": "gps",
    "VSYS_PWR_RFFE": "radio.frontend",
}


def track_name(rail: str) -> str:
    """`power.rails.gpu` for a well-known rail, else `power.RAIL_uws`."""
    friendly = FRIENDLY.get(rail)
    return f"power.rails.{friendly}" if friendly else f"power.{rail}_uws"
