"""Energy counters of /sys/class/powercap (Documentation/power/powercap/powercap.rst), a source per zone.

`NAME.energy` in J, wrapping at `max_energy_range_uj`. A zone inside another is called `OUTER-NAME`
(`package-0-core`); the same package offered twice (intel-rapl and intel-rapl-mmio) is taken once.
"""

from __future__ import annotations

from powerhal.channel import Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rails import channel, rail_of
from powerhal.host.rows import RowSource, column
from powerhal.transport import FileRoot

ZONES = "/sys/class/powercap"


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """Every zone with a readable energy counter."""
    found: dict[str, Source] = {}
    refused: list[str] = []
    for zone in sorted(tree.names(root, ZONES), key=lambda z: "mmio" in z):
        folder = f"{ZONES}/{zone}"
        if ":" not in zone or not root.exists(f"{folder}/energy_uj"):
            continue
        name = f"powercap.{_zone_name(root, zone)}"
        span_uj = tree.integer(root, f"{folder}/max_energy_range_uj")
        if tree.integer(root, f"{folder}/energy_uj") is None:
            refused.append(name)
        elif name not in found:
            # the counter goes from 0 to the range inclusive, so the modulus is one more
            span_j = (span_uj + 1) * 1e-6 if span_uj else 0.0
            what = channel(name, rail_of(context, name), "energy", counter=True, wrap_span=span_j)
            period_s = context.period_s("powercap", name)
            paths = [f"{folder}/energy_uj"]
            found[name] = RowSource(name, period_s, root, context.clock, paths, columns=[column(what, 1e-6)])
    refused = [name for name in refused if name not in found]
    if refused:
        context.note(f"{', '.join(refused)}: reading energy needs root (CVE-2020-8694)")
    elif not found:
        context.note("no energy counters in /sys/class/powercap")
    return list(found.values())


def _zone_name(root: FileRoot, zone: str) -> str:
    """Names along 'intel-rapl:0:1': 'package-0-uncore'."""
    parts = zone.split(":")
    names = []
    for depth in range(2, len(parts) + 1):
        name = tree.text(root, f"{ZONES}/{':'.join(parts[:depth])}/name")
        names.append(tree.safe_name(name or parts[depth - 1]))
    return "-".join(names)
