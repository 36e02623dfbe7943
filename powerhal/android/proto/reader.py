"""`dumpsys batterystats --proto`: a reader of the wire format over the rows of `proto_schema`.

A message that is cut keeps what came before the cut; an unknown field is skipped; a field of another wire
type than its row says is an issue. The platform's writer leaves out every single field that is 0 (root's uid,
a charge of nothing, the first word of an enum): in a message that is there, an absent one means 0.

`adb shell` of old phones and of Windows writes every 0x0a as 0x0d 0x0a; that is undone.
"""

from __future__ import annotations

import io
import re
import struct
from typing import IO, Any

from powerhal.android.issues import Issues
from powerhal.android.proto.schema import SIPPERS, STATES, fields
from powerhal.android.statistics import DeviceUse, Statistics, UidUse

MAX_BYTES = 256 << 20
# field 1 of some length; in it report_version (1 or 2 digits' worth) and parcel_version as varints
HEAD = re.compile(rb"(?:\r\r?)?\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x08[\x01-\x7f]\x10", re.DOTALL)


def looks_like_proto(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a BatteryStatsServiceDumpProto."""
    return HEAD.match(head) is not None


class _Cut(Exception):
    """The bytes end inside a field."""


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise _Cut
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
    raise _Cut


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


class Wire:
    """Decodes messages to dictionaries; `whole` turns False when the bytes end too early."""

    def __init__(self, issues: Issues) -> None:
        self.issues = issues
        self.whole = True

    def message(self, name: str, data: memoryview) -> dict[str, Any]:
        """One message: absent fields have no key, repeated ones are lists."""
        out: dict[str, Any] = {}
        rows = fields(name)
        at = 0
        try:
            while at < len(data):
                tag, at = _varint(data, at)
                raw, at = self._raw(tag & 7, data, at)
                row = rows.get(tag >> 3)
                if row is not None:
                    self._put(out, name, row, raw)
        except _Cut:
            self.whole = False
            self.issues.add(0, "proto", name, f"ends inside a field at byte {at}")
        return out

    def _raw(self, wire: int, data: memoryview, at: int) -> tuple[int | memoryview, int]:
        if wire == 0:
            return _varint(data, at)
        if wire == 2:
            size, at = _varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire, -1)
        if size < 0 or at + size > len(data):
            if wire == 2 and size > 0:
                self.whole = False
                return data[at:], len(data)  # a cut message still holds its first fields
            raise _Cut
        return data[at : at + size], at + size

    def _put(self, out: dict[str, Any], message: str, row: tuple[str, str, bool], raw: int | memoryview) -> None:
        name, kind, repeated = row
        for value in self._values(kind, raw):
            if value is None:
                self.issues.add(0, "proto", f"{message}.{name}", f"is no {kind}")
            elif repeated:
                out.setdefault(name, []).append(value)
            else:
                out[name] = value

    def _values(self, kind: str, raw: int | memoryview) -> list[Any]:
        if kind == "int":
            return [_signed(raw)] if isinstance(raw, int) else self._packed(raw)
        if isinstance(raw, int):
            return [None]
        if kind == "double":
            return [struct.unpack("<d", raw)[0] if len(raw) == 8 else None]
        if kind == "str":
            return [bytes(raw).decode("utf-8", "replace")]
        return [self.message(kind, raw)]

    def _packed(self, raw: memoryview) -> list[int | None]:
        out: list[int | None] = []
        at = 0
        try:
            while at < len(raw):
                value, at = _varint(raw, at)
                out.append(_signed(value))
        except _Cut:
            out.append(None)
        return out


def read_proto(stream: IO[bytes] | io.BytesIO, issues: Issues) -> tuple[Statistics, dict[str, Any], bool]:
    """The statistics, the versions, and whether the message was whole."""
    wire = Wire(issues)
    data = stream.read(MAX_BYTES)
    while data.startswith((b"\r\n", b"\r\r\n")):  # the first byte is the tag 0x0a
        data = data.replace(b"\r\n", b"\n")
        issues.add(0, "proto", "", "every 0x0a was written as 0x0d 0x0a on the way (adb shell): undone")
    body = wire.message("Dump", memoryview(data)).get("batterystats", {})
    stats = Statistics("l")
    _system(stats, body.get("system", {}))
    for row in body.get("uids", ()):
        if row:
            _uid(stats.uid(row.pop("uid", 0)), row)
    versions = {
        name: body[key]
        for name, key in (
            ("checkin", "report_version"),
            ("parcel", "parcel_version"),
            ("start_build", "start_platform_version"),
            ("end_build", "end_platform_version"),
        )
        if key in body
    }
    return stats, versions, wire.whole and "system" in body


def _timer(timer: dict[str, Any], head: str = "") -> dict[str, Any]:
    """A Timer under the summary's names: `duration_ms` is `ms`, `total_duration_ms` is `total_ms`."""
    names = {"duration_ms": "ms"}
    return {head + names.get(k, k.replace("_duration", "")): v for k, v in timer.items()}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its timers spread out: `total` without a head, the others under their names."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            out |= _timer(value, "" if name in ("total", "apportioned") else f"{name}_")
        else:
            out[name.replace("_duration", "")] = value
    return out


def _system(stats: Statistics, system: dict[str, Any]) -> None:
    times, misc = system.pop("battery", {}), system.pop("misc", {})
    for name, value in (times | misc).items():
        if name.endswith("_ms") and "clock" not in name:
            stats.durations_ms[name.removesuffix("_ms").removesuffix("_duration")] = value
    summary = system.pop("power_use_summary", {})
    stats.battery = {k: v for k, v in times.items() if "capacity" in k}
    stats.battery["capacity_mah"] = summary.get("battery_capacity_mah")
    stats.battery["computed_mah"] = summary.get("computed_power_mah")
    low, high = summary.get("min_drained_power_mah"), summary.get("max_drained_power_mah")
    stats.battery["drained_mah"] = {"min": low, "max": high}
    stats.battery["discharge"] = system.pop("battery_discharge", {})
    stats.wakelocks = [_flat(row) for row in system.pop("kernel_wakelock", ())]
    for item in system.pop("power_use_item", ()):
        number = item.get("name", 0)
        name = SIPPERS[number] if 0 <= number < len(SIPPERS) else "unknown"
        more = _power(item)
        if name == "user":
            more["user"] = item.get("uid")
        stats.devices.append(DeviceUse(name, str(number), item.get("computed_power_mah", 0.0), more))
    for name, value in system.items():
        rows = isinstance(value, list) and value and isinstance(value[0], dict)
        stats.totals[name] = [_flat(row) for row in value] if rows else value


def _power(item: dict[str, Any]) -> dict[str, Any]:
    names = {"should_hide": "hidden", "screen_power_mah": "screen_mah", "proportional_smear_mah": "proportional_mah"}
    return {names[k]: v for k, v in item.items() if k in names}


def _uid(use: UidUse, row: dict[str, Any]) -> None:
    power = row.pop("power_use_item", None)
    if power is not None:
        use.mah = power.get("computed_power_mah", 0.0)
    power = power or {}
    use.parts["power"] = _power(power)
    for package in row.pop("packages", ()):
        use.packages.append(package.get("name", ""))
        services = [{"package": package.get("name", "")} | _flat(s) for s in package.get("services", ())]
        if services:
            use.parts.setdefault("services", []).extend(services)
    cpu = row.pop("cpu", {})
    use.parts["cpu_ms"] = {k: cpu[f"{k}_duration_ms"] for k in ("user", "system") if f"{k}_duration_ms" in cpu}
    if "by_frequency" in cpu:
        use.parts["cpu_frequencies"] = [_flat(step) for step in cpu["by_frequency"]]
    for state in row.pop("states", ()):
        number = state.get("state", 0)
        name = STATES[number] if 0 <= number < len(STATES) else str(number)
        use.process_states[name] = {"ms": state.get("duration_ms", 0)}
    for name, value in row.items():
        if isinstance(value, list):
            use.parts[name] = [_flat(entry) for entry in value]
        elif isinstance(value, dict):
            use.parts[name] = _flat(value) if any(isinstance(v, dict) for v in value.values()) else _timer(value)
