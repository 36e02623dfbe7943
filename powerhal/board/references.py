"""Names that point elsewhere in the same file: rails, buses, clusters, roles; and the shape of the trees.

Works on the plain data, not on the models, so that these mistakes are told together with those of the schema;
whatever has the wrong kind is left to the schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from powerhal.board.document import Document, Path
from powerhal.board.kinds import KINDS
from powerhal.board.problems import did_you_mean
from powerhal.chips import CHIPS
from powerhal.errors import Problem
from powerhal.meters import METERS
from powerhal.units import parse_any, parse_quantity

#: Keys that a bus of each kind must have, and no other kind may.
_BUS_KEYS = {"i2c": ("device",), "mux": ("parent", "address", "channel")}


def check(document: Document) -> list[Problem]:
    """Every dangling name, circle and misplaced key of a parsed board file."""
    found = _Finder(document)
    for path, name in _rail_uses(found):
        found.name(path, name, "rails", "rail", "PH-B022")
    for path, name in _bus_uses(found):
        found.name(path, name, "buses", "bus", "PH-B023")
    _rail_tree(found)
    _buses(found)
    _sensors(found)
    _chips(found)
    _devices(found)
    return found.problems


class _Finder:
    """The data, and what is wrong with it."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def table(self, *path: str | int) -> dict[str, Any]:
        """The map at `path`, or {} where the file has something else."""
        node = self.document.data
        for part in path:
            node = node.get(part) if isinstance(node, dict) else None
        return node if isinstance(node, dict) else {}

    def maps(self, *path: str | int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Entries of a map that are maps themselves."""
        for key, value in self.table(*path).items():
            if isinstance(value, dict):
                yield key, value

    def say(self, path: Path, code: str, message: str, *, key: bool = False) -> None:
        """Note one mistake."""
        self.problems.append(Problem(self.document.where(path, key=key), code, message))

    def name(self, path: Path, name: Any, table: str, what: str, code: str) -> None:
        """A name must be a key of the top-level `table`."""
        known = self.table(table)
        if isinstance(name, str) and name not in known:
            self.say(path, code, f"unknown {what} {name!r}{did_you_mean(name, known, what=table)}")


def _rail_uses(found: _Finder) -> Iterator[tuple[Path, Any]]:
    """Every place that names a rail."""
    for rail, spec in found.maps("rails"):
        if "parent" in spec:
            yield ("rails", rail, "parent"), spec["parent"]
    for device, spec in found.maps("devices"):
        yield ("devices", device, "rail"), spec.get("rail")
    yield ("battery", "rail"), found.table("battery").get("rail")
    for sensor, spec in found.maps("sensors"):
        yield from _sensor_rails(("sensors", sensor), spec)
    for meter, spec in found.maps("meters"):
        yield ("meters", meter, "rail"), spec.get("rail")
        for sensor, inner in found.maps("meters", meter, "sensors"):
            yield from _sensor_rails(("meters", meter, "sensors", sensor), inner)
    for pattern, rail in found.table("kernel", "rails").items():
        yield ("kernel", "rails", pattern), rail


def _sensor_rails(path: Path, spec: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    yield (*path, "rail"), spec.get("rail")
    channels = spec.get("channels")
    for number, channel in channels.items() if isinstance(channels, dict) else ():
        if isinstance(channel, dict):
            yield (*path, "channels", number, "rail"), channel.get("rail")


def _bus_uses(found: _Finder) -> Iterator[tuple[Path, Any]]:
    for bus, spec in found.maps("buses"):
        if "parent" in spec:
            yield ("buses", bus, "parent"), spec["parent"]
    for place in (("sensors",), ("simulation", "chips")):
        for chip, spec in found.maps(*place):
            yield (*place, chip, "bus"), spec.get("bus")


def circle(parents: dict[str, str]) -> list[str]:
    """One circle in a child -> parent map, as the names along it, or []."""
    done: set[str] = set()
    for start in parents:
        trail: list[str] = []
        here: str | None = start
        while here is not None and here not in done and here not in trail:
            trail.append(here)
            here = parents.get(here)
        if here in trail:
            return trail[trail.index(here) :]
        done.update(trail)
    return []


def _ring(names: list[str]) -> str:
    return " <- ".join([*names, names[0]])


def _rail_tree(found: _Finder) -> None:
    rails = found.table("rails")
    parents = {rail: spec["parent"] for rail, spec in found.maps("rails") if isinstance(spec.get("parent"), str)}
    ring = circle(parents)
    if ring:
        found.say(("rails", ring[0], "parent"), "PH-B026", f"rails feed each other in a circle: {_ring(ring)}")
        return
    roots = [rail for rail in rails if rail not in parents]
    if rails and len(roots) != 1:
        others = ", ".join(roots)
        found.say(
            ("rails", roots[1]) if len(roots) > 1 else ("rails",),
            "PH-B027",
            f"{len(roots)} rails have no parent ({others}); a board has one root, and a root without a sensor "
            "says `measured: false`",
            key=True,
        )
    elif "rails" in found.table() and not rails and isinstance(found.document.data.get("rails"), dict):
        found.say(("rails",), "PH-B027", "a board has at least one rail, its root")


def _buses(found: _Finder) -> None:
    """Keys that belong to one kind of bus, and muxes on muxes in a circle."""
    parents = {}
    for bus, spec in found.maps("buses"):
        kind = spec.get("kind")
        if isinstance(kind, str) and kind in _BUS_KEYS:
            _bus_keys(found, bus, kind, spec)
        if isinstance(spec.get("parent"), str):
            parents[bus] = spec["parent"]
    ring = circle(parents)
    if ring:
        found.say(("buses", ring[0], "parent"), "PH-B026", f"buses sit on each other in a circle: {_ring(ring)}")


def _bus_keys(found: _Finder, bus: str, kind: str, spec: dict[str, Any]) -> None:
    for key in _BUS_KEYS[kind]:
        if key not in spec:
            found.say(("buses", bus), "PH-B013", f"bus {bus!r} of kind {kind} needs the key {key!r}", key=True)
    foreign = {key: other for other, keys in _BUS_KEYS.items() for key in keys if key not in _BUS_KEYS[kind]}
    for key, other in foreign.items():
        if key in spec:
            found.say(("buses", bus, key), "PH-B012", f"key {key!r} belongs to kind {other}, not {kind}", key=True)


def _sensor_places(found: _Finder) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every sensor, on a bus or behind a meter."""
    for name, spec in found.maps("sensors"):
        yield ("sensors", name), spec
    for meter, _ in found.maps("meters"):
        for name, spec in found.maps("meters", meter, "sensors"):
            yield ("meters", meter, "sensors", name), spec


def _sensors(found: _Finder) -> None:
    for path, spec in _sensor_places(found):
        if "channels" in spec and ("rail" in spec or "shunt" in spec):
            message = "give either `channels` or the short form `rail` and `shunt`"
            found.say((*path, "channels"), "PH-B012", message, key=True)
        if "channels" not in spec and "rail" not in spec:
            found.say(path, "PH-B013", f"sensor {path[-1]!r} watches nothing: give `rail` or `channels`", key=True)


def _chips(found: _Finder) -> None:
    """Names of chips and of meter protocols, which other rooms keep in tables."""
    extras = ((("simulation", "chips", name), spec) for name, spec in found.maps("simulation", "chips"))
    for path, spec in (*_sensor_places(found), *extras):
        chip = spec.get("chip")
        if isinstance(chip, str) and chip not in CHIPS:
            found.say((*path, "chip"), "PH-B021", f"unknown chip {chip!r}{did_you_mean(chip, CHIPS, what='chips')}")

    for meter, spec in found.maps("meters"):
        protocol = spec.get("protocol")
        if isinstance(protocol, str) and protocol not in METERS:
            near = did_you_mean(protocol, METERS, what="protocols")
            found.say(("meters", meter, "protocol"), "PH-B028", f"unknown protocol {protocol!r}{near}")


def _devices(found: _Finder) -> None:
    for device, spec in found.maps("devices"):
        path: Path = ("devices", device)
        kind = KINDS.get(spec["kind"]) if isinstance(spec.get("kind"), str) else None
        if "cluster" in spec:
            found.name((*path, "cluster"), spec["cluster"], "clusters", "cluster", "PH-B024")
        if kind is None:
            continue
        if kind.clustered and "cluster" not in spec:
            found.say(path, "PH-B013", f"device {device!r} of kind {spec['kind']} needs `cluster`", key=True)
        if "cluster" in spec and not kind.clustered:
            found.say((*path, "cluster"), "PH-B012", f"only a cpu has a `cluster`, not a {spec['kind']}", key=True)
        if not kind.open:
            _known(found, (*path, "activities"), kind.roles, "role")
            _known(found, (*path, "parameters"), kind.parameters, "parameter")
        _parameter_values(found, path, kind.parameters)


def _known(found: _Finder, path: Path, known: Any, what: str) -> None:
    for name in found.table(*path):
        if name not in known:
            near = did_you_mean(name, known, what=f"{what}s") or f"; it takes no {what}s"
            found.say((*path, name), "PH-B025", f"unknown {what} {name!r}{near}", key=True)


def _parameter_values(found: _Finder, path: Path, dimensions: dict[str, str]) -> None:
    for name, value in found.table(*path, "parameters").items():
        place = (*path, "parameters", name)
        try:
            if isinstance(value, str) and name in dimensions:
                parse_quantity(value, dimensions[name])
            elif isinstance(value, str):
                parse_any(value)
            elif name in dimensions and isinstance(value, int | float):
                parse_quantity(str(value), dimensions[name])
        except ValueError as exc:
            found.say(place, "PH-B031", f"{name} {exc}")
