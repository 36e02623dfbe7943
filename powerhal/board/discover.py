"""For boards that say `auto`: clusters and devices from the sources that were found on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from powerhal.channel import Cluster, Device, Rail, Source, Topology

# first part of a source name -> kind of device and the roles of its channels ({} = the source's name)
_KINDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "net": ("radio", {"bytes": "{}"}),
    "disk": ("storage", {"bytes": "{}"}),
    "display": ("display", {"on": "display.on", "brightness": "display.brightness"}),
    "gpu": ("gpu", {"busy": "gpu.busy", "frequency": "gpu.frequency"}),
}
# thermal zones that are the CPU's, best first
_CPU_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "cpu", "soc-thermal", "soc_thermal", "acpitz")


def clusters(groups: Iterable[tuple[str, tuple[int, ...]]], sources: Iterable[Source]) -> tuple[Cluster, ...]:
    """A Cluster per (name, CPUs), with the frequencies that its `cpu.NAME.time@HZ` channels show."""
    channels = [c.name for source in sources for c in source.layout.channels]
    found = []
    for name, cpus in groups:
        prefix = f"cpu.{name}.time@"
        hertz = sorted({float(c.removeprefix(prefix)) for c in channels if c.startswith(prefix)})
        found.append(Cluster(name, cpus, tuple((hz, None) for hz in hertz)))
    return tuple(found)


def devices(topology: Topology, sources: Iterable[Source]) -> tuple[Device, ...]:
    """A cpu per cluster and a device per network, disk, display and GPU source, on the root or package rail."""
    names = [source.name for source in sources]
    channels = {c.name for source in sources for c in source.layout.channels}
    root = topology.root().name
    heat = next((f"thermal.{z}.temperature" for z in _CPU_ZONES if f"thermal.{z}.temperature" in channels), "")
    temperature = {"temperature": heat} if heat else {}
    found = [
        Device(f"cpu.{c.name}", "cpu", _package(topology.rails) or root, c.name, temperature) for c in topology.clusters
    ]
    for name in names:
        kind, roles = _KINDS.get(name.partition(".")[0], ("", {}))
        activities = {role: text.format(name) for role, text in roles.items()}
        known = {r: a for r, a in activities.items() if a in channels or a == name}
        if kind and known:
            found.append(Device(name, kind, root, activities=known))
    return tuple(found)


def _package(rails: Iterable[Rail]) -> str:
    """The one rail of a CPU package; '' where there is none or several."""
    packages = [r.name for r in rails if r.subsystem == "powercap" and r.name.startswith("package")]
    outer = [name for name in packages if not any(name.startswith(f"{other}-") for other in packages)]
    return outer[0] if len(outer) == 1 else ""


def complete(topology: Topology, groups: Iterable[tuple[str, tuple[int, ...]]], sources: Iterable[Source]) -> Topology:
    """The topology with clusters and devices added that the board does not name itself."""
    sources = list(sources)
    named = {cpu for cluster in topology.clusters for cpu in cluster.cpus}
    fresh = [(name, cpus) for name, cpus in groups if not named & set(cpus)]
    topology = replace(topology, clusters=(*topology.clusters, *clusters(fresh, sources)))
    own = {device.name for device in topology.devices} | {d.cluster for d in topology.devices if d.cluster}
    more = tuple(d for d in devices(topology, sources) if d.name not in own and d.cluster not in own)
    return replace(topology, devices=(*topology.devices, *more))
