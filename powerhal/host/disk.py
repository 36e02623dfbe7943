"""Bytes and busy time per disk from /sys/block/NAME/stat (Documentation/block/stat.rst)."""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rows import RowSource, column
from powerhal.transport import FileRoot

BLOCK = "/sys/block"
# not disks, or made of disks that are counted themselves
VIRTUAL = ("loop", "ram", "zram", "dm-", "md", "nbd", "sr", "fd")


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source per physical disk."""
    found: list[Source] = []
    for disk in tree.names(root, BLOCK):
        path = f"{BLOCK}/{disk}/stat"
        if disk.startswith(VIRTUAL) or not root.exists(path):
            continue
        name = f"disk.{tree.safe_name(disk)}"
        columns = [
            column(_channel(f"{name}.read_bytes", "bytes", "B"), 512.0),
            column(_channel(f"{name}.write_bytes", "bytes", "B"), 512.0),
            column(_channel(f"{name}.busy", "time", "s"), 1e-3),
        ]
        period_s = context.period_s("disk", name)
        found.append(RowSource(name, period_s, root, context.clock, [path], columns=columns, parse=_parse))
    if not found:
        context.note("no disk in /sys/block: storage activity is unknown")
    return found


def _parse(contents: Sequence[bytes]) -> list[int | None]:
    words = contents[0].split()
    if len(words) < 10:
        return [None, None, None]
    return [tree.to_int(words[2]), tree.to_int(words[6]), tree.to_int(words[9])]


def _channel(name: str, quantity: str, unit: str) -> Channel:
    return Channel(name, quantity, unit, counter=True, activity=name, quality_class="accumulated")
