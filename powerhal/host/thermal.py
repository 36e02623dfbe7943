"""Temperatures of the thermal zones, a source per zone (Documentation/ABI/testing/sysfs-class-thermal)."""

from __future__ import annotations

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rows import RowSource, column
from powerhal.transport import FileRoot

ZONES = "/sys/class/thermal"


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """Zones that answer now; zones of switched-off parts (modems) do not, and are named in a note."""
    found: list[Source] = []
    silent: list[str] = []
    used: set[str] = set()
    for zone in tree.names(root, ZONES):
        if not zone.startswith("thermal_zone"):
            continue
        name = tree.safe_name(tree.text(root, f"{ZONES}/{zone}/type") or zone)
        if name in used:
            name = f"{name}-{zone.removeprefix('thermal_zone')}"
        used.add(name)
        if tree.integer(root, f"{ZONES}/{zone}/temp") is None:
            silent.append(name)
            continue
        what = f"thermal.{name}.temperature"
        channel = Channel(what, "temperature", "degC", activity=what, quality_class="gauge")
        period_s = context.period_s("thermal", f"thermal.{name}")
        paths = [f"{ZONES}/{zone}/temp"]
        found.append(
            RowSource(f"thermal.{name}", period_s, root, context.clock, paths, columns=[column(channel, 1e-3)])
        )
    if silent:
        context.note(f"thermal zones without a reading: {', '.join(silent)}")
    if not found:
        context.note("no thermal zone: temperatures are unknown")
    return found
