"""What the running kernel offers: power sensors, and what processes and devices did.

Everything is read through a `FileRoot`, so the same code serves a live board, a copied /sys and /proc
tree and the simulator. The paths are listed in docs/host-sources.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from powerhal.channel import ActivitySource, Source
from powerhal.host.context import HostContext
from powerhal.transport import FileRoot

SENSORS = ("hwmon", "power_supply", "iio", "powercap", "odpm")
ACTIVITIES = ("cpufreq", "cpu", "idle", "thermal", "net", "disk", "display", "gpu")

__all__ = ["ACTIVITIES", "SENSORS", "HostContext", "activity_sources", "detect"]


def detect(root: FileRoot, context: HostContext, modules: Iterable[str] = SENSORS + ACTIVITIES) -> list[Source]:
    """Every source of the named modules that this tree offers, closed; absent things go to `context.notes`."""
    found: list[Source] = []
    for module in modules:
        found += import_module(f"powerhal.host.{module}").detect(root, context)
    return found


def activity_sources(root: FileRoot, context: HostContext) -> list[ActivitySource]:
    """The sources of variable rows: the processes, when there is a /proc to list; closed."""
    from powerhal.host.processes import detect as detect_processes

    return detect_processes(root, context)
