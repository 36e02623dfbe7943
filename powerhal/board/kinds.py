"""Kinds of devices a board may have: the roles of their activities and their parameters, one row each.

A role names what an activity means to the device's power model; its value is a recorded activity or a
prefix of recorded channels (`net.wlan0` stands for `net.wlan0.rx_bytes`, `.tx_bytes`, `.packets`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: `roles` it may have, `needs` at least one of these to be explained, `parameters`.

    `parameters` maps the name in the file to its dimension; in `channel.Device.parameters` the name gets
    the ending of its SI unit (`tail` -> `tail_s`). `clustered`: a CPU cluster explains it. `open`: any role
    name is taken.
    """

    title: str
    roles: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    parameters: dict[str, str] = field(default_factory=dict)
    clustered: bool = False
    open: bool = False


KINDS: Final[dict[str, Kind]] = {
    "cpu": Kind("CPU cluster", ("temperature",), clustered=True),
    "gpu": Kind("graphics", ("busy", "frequency", "temperature"), ("busy",)),
    "display": Kind("display", ("on", "brightness", "luminance"), ("on", "brightness")),
    "radio": Kind(
        "radio",
        ("bytes", "rx_bytes", "tx_bytes", "packets", "on"),
        ("bytes", "rx_bytes", "tx_bytes", "packets"),
        {"tail": "time"},
    ),
    "storage": Kind(
        "storage", ("bytes", "read_bytes", "write_bytes", "busy"), ("bytes", "read_bytes", "write_bytes", "busy")
    ),
    "memory": Kind("memory", ("bytes", "refills", "busy"), ("bytes", "refills", "busy")),
    "base": Kind("what is always on"),
    "custom": Kind("anything else", open=True),
}
