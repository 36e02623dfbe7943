"""Rails of the on-device power meter (ODPM), read from copies of its sysfs files.

A meter is an IIO device with `enabled_rails` (`CH2[VSYS_PWR_RFFE]:Cellular`), `energy_value` (a line `t=MS` or
`MS`, then per rail `CH3(T=MS)[RAIL], UWS`, on older kernels `CH3[RAIL], UWS` or `RAIL, UWS`; MS since boot),
`sampling_rate` in Hz, `measurement_start` (`CH3[RAIL], MS`) and `measurement_stop` (rails no longer measured:
`REGULATOR(RAIL), START, STOP, UWS`). The forms are those of the drivers s2mpg1x-odpm, google_odpm, cros_ec_pwrmon
and pac193x. Energies only grow; one rail name may exist on two meters, so channels are kept by meter, number and name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from powerhal.android.rails.powerstats import Channel, EnergyMeasurement, PowerStats
from powerhal.errors import FileError, Problem

LARGEST = 16 << 20  # bytes of one file; the kernel's own are one page
LOWEST_PERIOD_MS = 50  # the drivers answer the same snapshot again within this time
UNKNOWN = (1 << 64) - 1  # ULLONG_MAX: the driver has nothing

_FILE = re.compile(r"(.*?)(energy_value|enabled_rails)([._-].*)?")
_ENABLED = re.compile(r"(?:CH(\d+)\[([^\]]*)\]|[^\[(]*\(([^)]*)\)):?(.*)")
_TIME = re.compile(r"(?:t=)?(\d{1,19})")
_ENERGY = re.compile(r"(?:CH(\d+)(?:\(T=(\d{1,19})\))?\[([^\]]*)\]|([^,\[\]]+)), *(\d{1,20})")
_START = re.compile(r"CH(\d+)\[([^\]]*)\], *(\d{1,19})")
_STOP = re.compile(r"([^(,]*)\(([^)]*)\), *(\d{1,19}), *(\d{1,19}), *(\d{1,20})")

Key = tuple[str, str, str]  # meter, channel number, rail


@dataclass(slots=True)
class _Rails:
    """Channels by (meter, number, rail) and what was measured on them."""

    channels: dict[Key, Channel] = field(default_factory=dict)
    measurements: list[EnergyMeasurement] = field(default_factory=list)
    starts_ms: dict[Key, int] = field(default_factory=dict)
    issues: list[Problem] = field(default_factory=list)

    def channel(self, key: Key, subsystem: str = "") -> Channel:
        """The channel of that place, made on first sight."""
        if key not in self.channels:
            self.channels[key] = Channel(len(self.channels), key[2], subsystem)
        return self.channels[key]

    def issue(self, where: str, code: str, message: str) -> None:
        """Note what could not be taken or looks wrong."""
        self.issues.append(Problem(where, code, message, "warn"))


def is_energy_value(text: str) -> bool:
    """Whether a text looks like the content of an `energy_value` file."""
    lines = [line.strip() for line in text[:4096].splitlines() if line.strip()]
    return len(lines) > 1 and bool(_TIME.fullmatch(lines[0])) and bool(_ENERGY.fullmatch(lines[1]))


def read_odpm(path: str) -> PowerStats:
    """Rails of a folder of copied files, a copied /sys tree, or one `energy_value` file.

    Files of one meter share what stands before `energy_value` in their names; what stands behind it tells
    several looks apart (`iio_energy_value_0`, `iio_energy_value_1`). Raises FileError when nothing is there.
    """
    place, rails, meters = Path(path), _Rails(), []
    try:
        groups = {"": {"energy_value": [place]}} if place.is_file() else dict(_groups(place))
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", code="PH-N215") from error
    for meter, files in groups.items():
        meters.append(_meter(rails, meter, files))
    if not rails.channels:
        raise FileError(f"{path}: no energy_value or enabled_rails of a power meter", code="PH-N210")
    rails.measurements.sort(key=lambda m: m.timestamp_ms or 0)
    _doubts(rails, path)
    source = {"format": "odpm", "path": path, "devices": meters}
    return PowerStats(source, tuple(rails.channels.values()), tuple(rails.measurements), issues=tuple(rails.issues))


def _groups(folder: Path) -> Iterator[tuple[str, dict[str, list[Path]]]]:
    """(meter, {attribute: files}) of every meter whose files are below a folder."""
    for place in _folders(folder):
        found: dict[str, dict[str, list[Path]]] = {}
        for file in sorted((f for f in place.iterdir() if f.is_file()), key=_natural):
            match = _FILE.fullmatch(file.name)
            if match:
                found.setdefault(match[1], {}).setdefault(match[2], []).append(file)
        for prefix, files in found.items():
            for attribute in ("name", "sampling_rate", "measurement_start", "measurement_stop"):
                if (place / f"{prefix}{attribute}").is_file():
                    files[attribute] = [place / f"{prefix}{attribute}"]
            yield f"{place}/{prefix}", files


def _folders(folder: Path) -> list[Path]:
    """The folder, its sub-folders, and the IIO devices of a copied /sys; nothing outside the folder."""
    found = [folder, *sorted((d for d in folder.iterdir() if d.is_dir() and not d.is_symlink()), key=_natural)]
    inside = folder.resolve()
    for devices in (folder / "sys/bus/iio/devices", folder / "bus/iio/devices"):
        for link in sorted(devices.glob("iio:device*"), key=_natural):
            place = link.resolve()
            if not place.is_relative_to(inside):  # an absolute link means the copy's own root
                place = (inside / str(link.readlink()).lstrip("/")).resolve() if link.is_symlink() else inside
            if place.is_relative_to(inside) and place.is_dir() and place not in (f.resolve() for f in found):
                found.append(place)
    return found


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key: energy_value_2 before energy_value_10."""
    parts = re.split(r"(\d+)", path.name)
    return [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts]


def _meter(rails: _Rails, meter: str, files: dict[str, list[Path]]) -> dict[str, Any]:
    """Read one meter; returns its entry in `source.devices`."""
    for file in files.get("enabled_rails", ()):
        for where, line in _lines(file):
            _enabled(rails, meter, where, line)
    for file in files.get("measurement_start", ()):
        for where, line in _lines(file):
            if match := _START.fullmatch(line):
                rails.starts_ms[meter, match[1], match[2]] = int(match[3])
            else:
                rails.issue(where, "PH-N211", f"not understood: {line[:80]!r}")
    for file in files.get("energy_value", ()):
        _energy(rails, meter, file)
    for file in files.get("measurement_stop", ()):
        for where, line in _lines(file):
            _stopped(rails, meter, where, line)
    ids = [channel.id for key, channel in rails.channels.items() if key[0] == meter]
    return {"name": _first(files, "name"), "sampling_rate_hz": _rate(_first(files, "sampling_rate")), "channels": ids}


def _enabled(rails: _Rails, meter: str, where: str, line: str) -> None:
    match = _ENABLED.fullmatch(line)
    if match:
        rail = match[2] if match[2] is not None else match[3]
        rails.channel((meter, match[1] or "", rail), match[4].strip())
    else:
        rails.issue(where, "PH-N211", f"not understood: {line[:80]!r}")


def _energy(rails: _Rails, meter: str, file: Path) -> None:
    """Every snapshot in a file: a time, then its rails; several may follow one another."""
    t_ms: int | None = None
    for where, line in _lines(file):
        if time := _TIME.fullmatch(line):
            t_ms = int(time[1])
        elif (match := _ENERGY.fullmatch(line)) and t_ms is not None:
            key = (meter, match[1] or "", (match[3] if match[3] is not None else match[4]).strip())
            uws, start = int(match[5]), rails.starts_ms.get(key)
            duration = int(match[2]) if match[2] else None if start is None else max(0, t_ms - start)
            channel = rails.channel(key)
            if uws == UNKNOWN:
                rails.issue(where, "PH-N212", f"{channel.name}: the meter has no value (all bits set); left out")
            else:
                rails.measurements.append(EnergyMeasurement(channel.id, t_ms, duration, uws))
        else:
            why = "stands before any time" if match else "not understood"
            rails.issue(where, "PH-N211", f"{why}: {line[:80]!r}")


def _stopped(rails: _Rails, meter: str, where: str, line: str) -> None:
    """A rail that is no longer measured: its energy from start to stop."""
    if match := _STOP.fullmatch(line):
        known = [key for key in rails.channels if key[0] == meter and key[2] == match[2]]
        channel = rails.channel(known[0] if known else (meter, "", match[2]))
        start_ms, stop_ms, uws = (int(n) for n in match.groups()[2:])
        rails.measurements.append(EnergyMeasurement(channel.id, stop_ms, max(0, stop_ms - start_ms), uws))
    else:
        rails.issue(where, "PH-N211", f"not understood: {line[:80]!r}")


def _doubts(rails: _Rails, path: str) -> None:
    """Counters that stand at 0 or fell (boot, or a rail measured anew)."""
    by_channel: dict[int, list[EnergyMeasurement]] = {}
    for row in rails.measurements:
        by_channel.setdefault(row.id, []).append(row)
    for channel in rails.channels.values():
        energies = [m.energy_uws for m in by_channel.get(channel.id, ())]
        if energies and not any(energies):
            rails.issue(path, "PH-N213", f"{channel.name}: always 0: off, or not measured")
        if any(later < before for before, later in pairwise(energies)):
            rails.issue(path, "PH-N214", f"{channel.name}: its counter fell: booted in between, or measured anew")


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """(file:line, text) of the lines with something in them; raises FileError for what cannot be read."""
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}", code="PH-N215") from error
    if len(content) > LARGEST:
        raise FileError(f"{file}: larger than {LARGEST >> 20} MiB: not a file of a power meter", code="PH-N215")
    text = content.decode("utf-8-sig", "replace").replace("\0", "")
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"{file}:{number}", line.strip()


def _first(files: dict[str, list[Path]], attribute: str) -> str | None:
    return next((line for file in files.get(attribute, ()) for _, line in _lines(file)), None)


def _rate(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
