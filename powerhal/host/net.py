"""Bytes and packets per network interface from /proc/net/dev (proc(5)), a source per interface."""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rows import Parse, RowSource, column
from powerhal.transport import FileRoot

DEV = "/proc/net/dev"


def counters(content: bytes) -> dict[str, tuple[int, int, int]]:
    """Interface -> (bytes received, bytes sent, packets both ways)."""
    table: dict[str, tuple[int, int, int]] = {}
    for line in content.splitlines()[2:]:
        name, colon, rest = line.rpartition(b":")
        words = rest.split()
        if colon and len(words) >= 10:
            n = [int(w) for w in words[:10]]
            table[tree.printable(name.strip())] = (n[0], n[8], n[1] + n[9])
    return table


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """Interfaces with hardware behind them; where no link tells, all that have moved bytes but `lo`."""
    try:
        table = counters(root.read(DEV))
    except (OSError, ValueError):
        context.note(f"{DEV} cannot be read: network traffic is unknown")
        return []
    hardware = [name for name in table if root.exists(f"/sys/class/net/{name}/device")]
    active = [name for name, moved in table.items() if name != "lo" and any(moved)]
    chosen = hardware or active
    if not chosen:
        context.note("no network interface in use")
    return [_source(root, context, name) for name in chosen]


def _source(root: FileRoot, context: HostContext, interface: str) -> RowSource:
    name = f"net.{tree.safe_name(interface)}"
    columns = [
        column(Channel(f"{name}.rx_bytes", "bytes", "B", counter=True, activity=f"{name}.rx_bytes"), 1.0),
        column(Channel(f"{name}.tx_bytes", "bytes", "B", counter=True, activity=f"{name}.tx_bytes"), 1.0),
        column(Channel(f"{name}.packets", "count", "", counter=True, activity=f"{name}.packets"), 1.0),
    ]
    period_s = context.period_s("net", name)
    return RowSource(name, period_s, root, context.clock, [DEV], columns=columns, parse=_parser(interface))


def _parser(interface: str) -> Parse:
    def parse(contents: Sequence[bytes]) -> Sequence[int | None]:
        return counters(contents[0]).get(interface, (None, None, None))

    return parse
