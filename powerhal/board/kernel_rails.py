"""Which rail a kernel source measures: the board's patterns, chips that a driver owns, rails made as found."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from powerhal.channel import Rail, Source
from powerhal.host.rows import RowSource

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_+-]+")


class RailPatterns(Mapping[str, str]):
    """Source name -> rail by the first pattern that fits (`hwmon.ina231@*-0040`); a mapping for the host rooms.

    Iteration gives the patterns; looking up any source name finds what fits.
    """

    def __init__(self, patterns: Mapping[str, str]) -> None:
        self._patterns = dict(patterns)

    def __getitem__(self, name: str) -> str:
        if name in self._patterns:
            return self._patterns[name]
        for pattern, rail in self._patterns.items():
            if fnmatchcase(name, pattern):
                return rail
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._patterns)

    def __len__(self) -> int:
        return len(self._patterns)


def ignored(name: str, patterns: Iterable[str]) -> bool:
    """Whether the board says that this source is no measurement."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def crowded(sources: Iterable[Source]) -> frozenset[str]:
    """Names of sources that share one rail with another of their kind: two batteries are two rails, not one."""
    groups: dict[tuple[str, str], set[str]] = {}
    for source in sources:
        for channel in source.layout.channels:
            if channel.rail:
                groups.setdefault((source.name.partition(".")[0], channel.rail), set()).add(source.name)
    return frozenset(name for names in groups.values() if len(names) > 1 for name in names)


def unique(sources: Iterable[Source]) -> None:
    """Rename channels of kernel sources whose names are used already: `RAIL.power` to `SOURCE.power`."""
    used: set[str] = set()
    for source in sources:
        channels = source.layout.channels
        if isinstance(source, RowSource) and any(channel.name in used for channel in channels):
            renamed = (replace(c, name=f"{source.name}.{c.name.rpartition('.')[2]}") for c in channels)
            source.layout = replace(source.layout, channels=tuple(renamed))
        used.update(channel.name for channel in source.layout.channels)


def invented(sources: Iterable[Source], taken: Iterable[str], also: Collection[str] = ()) -> dict[str, str]:
    """Source name -> a rail name for sources without a rail and those in `also`, unique against `taken`.

    `hwmon.ina226@1-0040.CH1` becomes `ina226_1-0040_CH1`: the kind is left out, as channel names show it.
    """
    used = set(taken)
    found: dict[str, str] = {}
    for source in sources:
        if source.name not in also and any(channel.rail for channel in source.layout.channels):
            continue
        plain = _NOT_A_NAME.sub("_", source.name.partition(".")[2] or source.name).strip("_+-")[:56] or "rail"
        name, number = plain, 2
        while name in used:
            name, number = f"{plain}_{number}", number + 1
        used.add(name)
        found[source.name] = name
    return found


def tree(names: Mapping[str, str], root: str) -> tuple[Rail, ...]:
    """Rails for invented names: below `root`, but a powercap zone inside another below that one.

    The kernel names zones along the way (`package-0-core`), so the longest other name that is followed by
    a dash is the parent.
    """
    zones = [rail for source, rail in names.items() if source.startswith("powercap.")]

    def parent(source: str, rail: str) -> str:
        outer = [zone for zone in zones if rail.startswith(f"{zone}-")] if source.startswith("powercap.") else []
        return max(outer, key=len, default=root)

    return tuple(Rail(rail, parent(source, rail), source.partition(".")[0]) for source, rail in names.items())
