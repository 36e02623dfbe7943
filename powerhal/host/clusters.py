"""Which CPUs share a clock, and what the group is called: the board's clusters, else cpufreq policies."""

from __future__ import annotations

from dataclasses import dataclass

from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.transport import FileRoot

POLICIES = "/sys/devices/system/cpu/cpufreq"
WHOLE = "all"


@dataclass(frozen=True, slots=True)
class CpuGroup:
    """A cluster on this machine: its CPUs and the cpufreq policies ('policy0') that cover them."""

    name: str
    cpus: tuple[int, ...]
    policies: tuple[str, ...] = ()


def present(root: FileRoot) -> tuple[int, ...]:
    """CPU numbers of the per-CPU lines of /proc/stat, else of /sys/devices/system/cpu; may be empty."""
    stat = tree.text(root, "/proc/stat") or ""
    cpus = tree.cpu_list(tree.text(root, "/sys/devices/system/cpu/present"))
    lines = (line.split(" ", 1)[0][3:] for line in stat.splitlines() if line.startswith("cpu"))
    return tuple(sorted({*cpus, *(int(n) for n in lines if n.isdigit())}))


def groups(root: FileRoot, context: HostContext) -> tuple[CpuGroup, ...]:
    """Every CPU in exactly one group, in the order of the CPU numbers.

    The board's clusters come first. CPUs it does not name are grouped by policy; where each CPU has a
    policy of its own (x86), those of equal highest frequency are one group. CPUs without a policy: 'all'.
    """
    policies = {
        name: tree.cpu_list(tree.text(root, f"{POLICIES}/{name}/related_cpus"))
        for name in tree.names(root, POLICIES)
        if name.startswith("policy")
    }
    found: list[CpuGroup] = []
    taken: set[int] = set()
    here = present(root)
    for cluster in context.clusters:
        cpus = tuple(c for c in sorted(cluster.cpus) if c not in taken and (not here or c in here))
        if not cpus:
            context.note(f"cluster {cluster.name}: none of its CPUs is in this machine")
            continue
        taken.update(cpus)
        own = tuple(n for n, covered in policies.items() if covered and set(covered) <= set(cpus))
        found.append(CpuGroup(cluster.name, cpus, own))
    free = {name: cpus for name, cpus in policies.items() if cpus and not taken & set(cpus)}
    for members in _alike(root, free):
        cpus = tuple(sorted(c for name in members for c in free[name]))
        taken.update(cpus)
        found.append(CpuGroup(members[0], cpus, members))
    rest = tuple(c for c in here if c not in taken)
    if rest:
        found.append(CpuGroup(WHOLE, rest))
    return tuple(sorted(found, key=lambda group: group.cpus))


def _alike(root: FileRoot, policies: dict[str, tuple[int, ...]]) -> list[tuple[str, ...]]:
    """Policies that count as one cluster: each alone, or single CPUs of equal highest frequency."""
    if len(policies) < 2 or any(len(cpus) > 1 for cpus in policies.values()):
        return [(name,) for name in policies]
    alike: dict[int | None, list[str]] = {}
    for name in policies:
        alike.setdefault(tree.integer(root, f"{POLICIES}/{name}/cpuinfo_max_freq"), []).append(name)
    return [tuple(members) for members in alike.values()]
