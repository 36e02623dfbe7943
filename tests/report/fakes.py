"""A small recording and ledger document with hostile names, for the views."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from powerhal.channel import Channel, Device, Layout, ProcessInfo, Rail, Topology

HOSTILE = '</script><img src=x onerror="document.title=1">\x1b[31m=cmd'


def recording(seconds: int = 60, rate: int = 100) -> Any:
    rails = (Rail("VBAT"), Rail("VDD_CPU", "VBAT"), Rail("VSYS", "VBAT"))
    devices = (Device("cpu", "cpu", "VDD_CPU"), Device("display", "display", "VSYS"))
    topology = Topology("fake", "A fake board", rails, (), devices)
    t_ns = 10**12 + np.arange(seconds * rate) * (10**9 // rate)
    phase = np.arange(len(t_ns)) / rate
    power = {
        "VDD_CPU": 0.8 + 0.7 * (np.sin(phase / 4) > 0),
        "VSYS": 0.5 + 0.3 * (phase > 20),
    }
    power["VDD_CPU"][len(t_ns) // 5] = 9.5
    power["VBAT"] = 1.1 * sum(power.values())
    channels = {f"{r}.power": Channel(f"{r}.power", "power", "W", rail=r) for r in ("VBAT", "VDD_CPU", "VSYS")}
    return SimpleNamespace(
        topology=topology,
        channels=channels,
        series=lambda name: SimpleNamespace(
            t_ns=t_ns, value=power[name.removesuffix(".power")], quality=np.zeros(len(t_ns), np.uint16)
        ),
        start_ns=10**12,
        end_ns=int(t_ns[-1]),
        duration_s=float(seconds),
        marks=[SimpleNamespace(t_ns=10**12 + 20 * 10**9, text="display on")],
        meta={
            "started": {"boot_ns": 10**12, "real_ns": 1767323045 * 10**9},
            "command": "make",
            "powerhal": "0.1.0",
            "board": {"sha256": "ab" * 32},
        },
        health={"supply": {"samples": len(t_ns), "missing": 2, "missed": 1, "late": 0}},
        sources=[SimpleNamespace(name="supply", layout=Layout(4, (), ()), period_s=1 / rate)],
        processes=[ProcessInfo(7, 1, 1, 1000, HOSTILE), ProcessInfo(8, 1, 1, 1000, "make")],
        activities=["cpu.cpu.time"],
        usages=lambda: SimpleNamespace(
            t_ns=np.array([10**12 + 10**9] * 2),
            process=np.array([0, 1]),
            activity=np.array([0, 0]),
            amount=np.array([0.25, 0.5]),
        ),
    )


def row(name: str, kind: str, joules: float, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "energy_j": joules, "low_j": 0.9 * joules, "high_j": 1.1 * joules,
        "mean_w": joules / 60, "share": joules / 100, "self": False, **more,
    }  # fmt: skip


def document() -> dict[str, Any]:
    t_s = list(range(1, 61))
    return {
        "schema": 1,
        "total": {"rail": "VBAT", "energy_j": 100.0, "low_j": 99.0, "high_j": 101.0,
                  "duration_s": 60.0, "missing_s": 0.0},
        "rows": [
            row("cpu", "device", 50.0), row("display", "device", 20.0), row("idle", "idle", 25.0),
            row("unattributed", "unattributed", 5.0),
            row(HOSTILE, "process", 30.0, pid=7, devices={"cpu": 30.0}),
            row("make", "process", 15.0, pid=8, devices={"cpu": 15.0}),
            row("powerhal", "process", 1.0, pid=9, devices={"cpu": 1.0}, self=True),
        ],
        "policy": "separate", "conservation_error": 1e-15, "groups": [],
        "groups_text": ["display and gpu cannot be told apart"],
        "notes": [], "model": {"r2": 0.98, "condition": 34.0, "coefficients": [
            {"name": "cpu V²f", "device": "cpu", "unit": "W/(V²·GHz)", "value": 0.31, "low": 0.29, "high": 0.33}]},
        "series": {"t_s": t_s, "measured_w": [1.5] * 60, "predicted_w": [1.4] * 59 + [None], "devices_w": {}},
    }  # fmt: skip
