"""A made-up table of a phone's runs: known physics, other than the model's, noise, odd runs, unread fields."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

RAILS = (
    "Display", "GPU", "GPU3D", "WLANBT", "CPU_BIG", "CPU_MID", "CPU_LITTLE", "Memory", "S6M_LLDO1", "S8M_LLDO2",
    "S9M_VDD_CPUCL0_M", "INFRASTRUCTURE", "Camera",
)  # fmt: skip
END = "_ENERGY_AVG_UWS"
COLUMNS = [f"{rail}{END}" for rail in RAILS] + [f"Memory{END}.1"]
GROUPS = {
    "display": [f"Display{END}"],
    "gpu": [f"GPU{END}", f"GPU3D{END}"],
    "wifi": [f"WLANBT{END}"],
    "cpu": [
        f"{rail}{END}" for rail in (*RAILS[4:7], "Memory", "S6M_LLDO1", "S8M_LLDO2", "S9M_VDD_CPUCL0_M")
    ] + [f"Memory{END}.1"],
}  # fmt: skip
Row = dict[str, str]


def make_rows(count: int = 120, seed: int = 1, first_id: int = 0, noise: float = 0.03) -> list[Row]:
    """Rows as the file has them, all text."""
    random = np.random.default_rng(seed)
    return [_row(random, str(first_id + 2 * number), noise) for number in range(count)]


def _row(random: np.random.Generator, name: str, noise: float) -> Row:
    colours = random.integers(5, 242, 3)
    brightness = int(random.integers(1, 101))
    load = float(random.choice([35.0, 52.0, 60.0, 78.0]) + random.normal(0, 2))
    little, big, gpu = 0.6 + load / 60 * random.uniform(0.6, 1.2), random.uniform(0.5, 2.8), random.uniform(0.1, 0.87)
    mid = 0.3 + load / 40 * random.uniform(0.5, 1.3)
    memory, sent, soc = random.uniform(0.2, 0.45), random.gamma(1.5, 2.0) + 0.8, random.normal(45.0, 1.0)
    light = np.array([0.22, 0.34, 0.66]) @ (colours / 255) ** 2.2
    share = {
        "Display": 0.09 + brightness / 100 * (0.03 + light),
        "GPU": 0.37 * gpu + 0.08 * gpu**3,
        "GPU3D": 0.09 * gpu,
        "WLANBT": 0.195 + 0.005 * sent,
        "CPU_BIG": 0.05 + 0.17 * big**2,
        "CPU_MID": 0.05 + 0.12 * mid**2 * load / 50,
        "CPU_LITTLE": 0.1 + 0.2 * little**2 * load / 50,
        "Memory": 0.02, "S6M_LLDO1": 0.09 + load / 1500, "S8M_LLDO2": 0.034, "S9M_VDD_CPUCL0_M": 0.02,
        "INFRASTRUCTURE": 0.1 + 0.2 * memory, "Camera": 0.02,
    }  # fmt: skip
    rails = {f"{rail}{END}": watts for rail, watts in share.items()} | {f"Memory{END}.1": 0.1 + 0.1 * gpu}
    rails = {rail: watts * (1 + noise * random.standard_normal()) for rail, watts in rails.items()}
    charge = int(random.integers(20, 101))
    volts = 3.5 + 0.9 * charge / 100
    battery = (1.3 * sum(rails.values()) + 0.1) * (1 + noise * random.standard_normal())
    warming = 1.5 * (sum(rails.values()) - 1.2) + 0.2 * random.standard_normal()
    return {
        "ID": name,
        "RougeMesuré": str(colours[0]), "VertMesuré": str(colours[1]), "BleuMesuré": str(colours[2]),
        "Brightness": str(brightness),
        **{rail: repr(float(watts * 1e6)) for rail, watts in rails.items()},
        "CPU_LITTLE_FREQ_KHz": str(int(little * 1e6)),
        "CPU_MID_FREQ_KHz": "err" if random.random() < 0.1 else str(int(mid * 1e6)),
        "CPU_BIG_FREQ_KHz": str(int(big * 1e6)),
        "GPU0_FREQ": str(int(gpu * 1.1e6)), "GPU_1FREQ": str(int(gpu * 1e6)),
        "BATTERY_DISCHARGE_RATE_UAS": repr(float(battery / volts * 1e6)),
        "TOTAL_DATA_WIFI_BYTES": "0" if random.random() < 0.05 else str(int(sent * 1e6)),
        "AVG_SOC_TEMP": repr(float(soc * 1e3)), "DIFF_SOC_TEMP": str(int(warming * 1e3)),
        "BATTERY__PERCENT": str(charge),
        "C_ID": repr(load - 17), "C_PL": repr(load), "M_ID": repr(float(memory * 1e6)),
    }  # fmt: skip


def write(path: Path, rows: list[Row]) -> Path:
    """Write rows to a file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def component_w(rows: list[Row]) -> Mapping[str, np.ndarray]:
    """The truth of each component, (n,) W."""
    return {
        name: np.array([sum(float(row[r]) for r in rails) * 1e-6 for row in rows]) for name, rails in GROUPS.items()
    }


def blind(rows: list[Row], *, sums: bool = True) -> list[Row]:
    """The same rows with empty rails, their sum in a column of its own."""
    out = []
    for row in rows:
        total = sum(float(row[rail]) for rail in COLUMNS)
        out.append({**row, **dict.fromkeys(COLUMNS, ""), **({"RAIL_SUM_AVG_UWS": repr(total)} if sums else {})})
    return out
