"""The form of a `.phr` file: its tables, and how layouts and topologies become JSON and come back.

A recording is a SQLite database, so any SQLite tool opens it. Measured rows lie in `chunk` as packed
columns of raw words; the source's layout beside them says how to decode.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, TypeVar

from powerhal.channel import Channel, Cluster, Device, Field, Flag, Layout, Quality, Rail, Topology

APPLICATION_ID = 0x50485231  # "PHR1", in the SQLite header
FORMAT = 1
SUFFIX = ".phr"

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source(id INTEGER PRIMARY KEY, name TEXT NOT NULL, period_s REAL NOT NULL, layout TEXT NOT NULL);
CREATE TABLE chunk(id INTEGER PRIMARY KEY, source INTEGER NOT NULL, n INTEGER NOT NULL, t0_ns INTEGER NOT NULL,
  t1_ns INTEGER NOT NULL, codec INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE process(id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
  ppid INTEGER NOT NULL, uid INTEGER NOT NULL, comm TEXT NOT NULL, cgroup TEXT NOT NULL, kernel INTEGER NOT NULL);
CREATE TABLE activity(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE usage(id INTEGER PRIMARY KEY, scans INTEGER NOT NULL, n INTEGER NOT NULL, t0_ns INTEGER NOT NULL,
  t1_ns INTEGER NOT NULL, codec INTEGER NOT NULL, crc INTEGER NOT NULL, data BLOB NOT NULL);
CREATE TABLE mark(t_ns INTEGER NOT NULL, text TEXT NOT NULL);
CREATE TABLE fault(t_ns INTEGER NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE gap(source TEXT NOT NULL, t0_ns INTEGER NOT NULL, t1_ns INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE clock(boot_ns INTEGER NOT NULL, real_ns INTEGER NOT NULL, suspended_ns INTEGER NOT NULL,
  boot_id TEXT NOT NULL);
CREATE TABLE health(source TEXT PRIMARY KEY, counters TEXT NOT NULL) WITHOUT ROWID;
"""

Row = TypeVar("Row")


def layout_to_json(layout: Layout) -> str:
    """A layout as JSON text; `layout_from_json` is its inverse."""
    return _dump(layout)


def layout_from_json(text: str) -> Layout:
    """The layout that `layout_to_json` wrote; keys of later versions are ignored.

    Raises ValueError or KeyError or TypeError when the text is something else.
    """
    data = json.loads(text)
    channels = tuple(_make(Channel, {**c, "product": tuple(c.get("product", ()))}) for c in data["channels"])
    flags = tuple(
        _make(Flag, {**f, "quality": Quality(f["quality"]), "values": tuple(f.get("values", ()))})
        for f in data.get("flags", ())
    )
    fields = tuple(_make(Field, f) for f in data["fields"])
    return Layout(int(data["row_bytes"]), fields, channels, flags)


def topology_to_json(topology: Topology) -> str:
    """A topology as JSON text; `topology_from_json` is its inverse."""
    return _dump(topology)


def topology_from_json(text: str) -> Topology:
    """The topology that `topology_to_json` wrote; raises ValueError, KeyError or TypeError."""
    data = json.loads(text)
    clusters = tuple(
        _make(
            Cluster,
            {**c, "cpus": tuple(c["cpus"]), "opps": tuple((o[0], o[1]) for o in c.get("opps", ()))},
        )
        for c in data["clusters"]
    )
    return _make(
        Topology,
        {
            **data,
            "rails": tuple(_make(Rail, r) for r in data["rails"]),
            "clusters": clusters,
            "devices": tuple(_make(Device, d) for d in data["devices"]),
        },
    )


def _make(kind: type[Row], data: dict[str, Any]) -> Row:
    """A dataclass from a dict, without the keys that this version does not know."""
    known = {f.name for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in data.items() if key in known})


def _dump(value: Any) -> str:
    return json.dumps(dataclasses.asdict(value), separators=(",", ":"), ensure_ascii=False)
