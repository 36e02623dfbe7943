"""Copied /sys and /proc trees for the tests, from a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from powerhal.transport.files import CopiedRoot

PROC = {
    "proc/stat": "cpu  10 0 10 100 0 0 0 0 0 0\ncpu0 5 0 5 50 0 0 0 0 0 0\ncpu1 5 0 5 50 0 0 0 0 0 0\nprocesses 5\n",
    "proc/net/dev": "h\nh\n  eth0: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n",
    "sys/class/net/eth0/device": None,
}


def tree(place: Path, files: Mapping[str, str | None], links: Mapping[str, str] | None = None) -> CopiedRoot:
    """A tree with these files (None: a folder) and symbolic links."""
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_text(content)
    for name, target in (links or {}).items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    return CopiedRoot(str(place))


def hwmon_ina231(
    number: int, bus: int, address: int, *, micro_ohms: int
) -> tuple[dict[str, str | None], dict[str, str]]:
    """Files and links of one INA231 as Linux's ina2xx driver shows it: 1.25 V, 2 A, 2.5 W."""
    folder = f"sys/class/hwmon/hwmon{number}"
    device = f"{bus}-{address:04x}"
    files: dict[str, str | None] = {
        f"{folder}/name": "ina231\n", f"{folder}/in0_input": "20\n", f"{folder}/in1_input": "1250\n",
        f"{folder}/curr1_input": "2000\n", f"{folder}/power1_input": "2500000\n",
        f"{folder}/shunt_resistor": f"{micro_ohms}\n", f"sys/bus/i2c/devices/{device}/name": "ina231\n",
    }  # fmt: skip
    return files, {f"{folder}/device": f"../../../bus/i2c/devices/{device}"}
