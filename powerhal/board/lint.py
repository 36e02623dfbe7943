"""What a valid board file may still get wrong: wiring, ranges, rates, rails that nobody looks at.

Each check is one row of `CHECKS`. Errors are promises that cannot be kept or numbers that would be wrong; warnings
are things worth a second look.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

from powerhal.board import budget
from powerhal.board.catalogue import find, read_text
from powerhal.board.document import Path
from powerhal.board.kinds import KINDS
from powerhal.board.problems import by_place, did_you_mean
from powerhal.board.schema import BoardDescription, MeterSensor, Sensor, SensorChannel
from powerhal.board.settings import config_si, sensor_options, unknown_setting
from powerhal.chips import load as load_chip
from powerhal.chips.layout import channel_config, expected_config, fastest_hz, settings_of
from powerhal.chips.registers import ChipType
from powerhal.errors import BoardError, Problem
from powerhal.units import format_quantity

LEAST_SHUNT_OHMS, MOST_SHUNT_OHMS = 100e-6, 1.0
RECORDED = ("cpu", "idle", "thermal", "net", "disk", "display", "gpu")
KERNEL_KINDS = ("hwmon", "power_supply", "iio", "powercap", "odpm")
LEAST_OPP_V, MOST_OPP_V = 0.3, 2.0

Place = tuple[Path, Sensor | MeterSensor, ChipType]
Check = Callable[[BoardDescription], Iterator[Problem]]


def lint_file(name_or_path: str | os.PathLike[str]) -> list[Problem]:
    """Everything wrong with a board file, also when it does not load; raises UsageError when there is none."""
    from powerhal.board.door import describe

    path = find(name_or_path)
    try:
        board = describe(read_text(path), str(path))
    except BoardError as error:
        return list(error.problems)
    return lint(board)


def lint(board: BoardDescription) -> list[Problem]:
    """Errors and warnings about a board that loads, in the order of the file."""
    return sorted((problem for check in CHECKS for problem in check(board)), key=by_place)


def _say(
    board: BoardDescription, path: Path, code: str, message: str, severity: str = "error", *, key: bool = False
) -> Problem:
    return Problem(board.document.where(path, key=key), code, message, severity)


def _sensors(board: BoardDescription) -> Iterator[Place]:
    """Every chip with its path, on a bus or behind a meter."""
    for name, sensor in board.sensors.items():
        yield ("sensors", name), sensor, load_chip(sensor.chip)
    for meter, spec in board.meters.items():
        for name, inner in spec.sensors.items():
            yield ("meters", meter, "sensors", name), inner, load_chip(inner.chip)


def _channels(path: Path, sensor: Sensor | MeterSensor) -> Iterator[tuple[int, Path, SensorChannel]]:
    """Number, path and wiring of each channel; the short form's path is the sensor's own."""
    for number, wired in sensor.wired().items():
        yield number, path if sensor.rail is not None else (*path, "channels", str(number)), wired


def _shunts(board: BoardDescription) -> Iterator[Problem]:
    for path, sensor, chip in _sensors(board):
        for number, place, wired in _channels(path, sensor):
            if number > chip.inputs or number < 1:
                text = f"{chip.name} has {chip.inputs} channel{'s' * (chip.inputs != 1)}, no channel {number}"
                yield _say(board, place, "PH-B043", text, key=True)
            if wired.shunt_ohms is None:
                if chip.needs_shunt:
                    text = f"{chip.name} needs the shunt's value; write for example `shunt: 10 mOhm`"
                    yield _say(board, place, "PH-B013", text, key=True)
                continue
            shown = format_quantity(wired.shunt_ohms, "Ohm")
            if wired.shunt_ohms < LEAST_SHUNT_OHMS:
                text = f"a shunt of {shown} is not plausible: below 100 µOhm; was a factor of 1000 lost?"
                yield _say(board, (*place, "shunt"), "PH-B041", text)
            elif wired.shunt_ohms > MOST_SHUNT_OHMS:
                text = f"a shunt of {shown} is unusual: above 1 Ohm it takes volts from the load"
                yield _say(board, (*place, "shunt"), "PH-B041", text, "warn")


def _addresses(board: BoardDescription) -> Iterator[Problem]:
    taken: dict[tuple[str, int], tuple[str, bool]] = {}
    for name, bus in board.buses.items():
        if bus.kind == "mux" and bus.parent is not None and bus.address is not None:
            taken.setdefault((bus.parent, bus.address), (f"the multiplexer of {name}", False))
    for name, sensor in board.sensors.items():
        chip = load_chip(sensor.chip)
        path: Path = ("sensors", name, "address")
        if not 0x08 <= sensor.address <= 0x77:
            text = f"0x{sensor.address:02x} is reserved by the I2C specification"
            yield _say(board, path, "PH-B051", text)
        elif not chip.addresses[0] <= sensor.address <= chip.addresses[1]:
            low, high = chip.addresses
            span = f"0x{low:02x}" if low == high else f"0x{low:02x} to 0x{high:02x}"
            yield _say(board, path, "PH-B055", f"{chip.name} answers at {span}, not at 0x{sensor.address:02x}")
        fixed = chip.addresses[0] == chip.addresses[1]
        for reach in _reaches(board, sensor.bus):
            other = taken.get((reach, sensor.address))
            if other is not None:
                yield _clash(board, path, sensor, other, fixed=fixed)
                break
        taken.setdefault((sensor.bus, sensor.address), (f"{name} ({sensor.chip})", fixed))


def _clash(board: BoardDescription, path: Path, sensor: Sensor, other: tuple[str, bool], *, fixed: bool) -> Problem:
    where = f"0x{sensor.address:02x} on {sensor.bus} is already {other[0]}"
    if fixed and other[1]:
        text = f"{where}; both addresses are fixed: put one behind a multiplexer or on another bus"
        return _say(board, path, "PH-B050", text)
    return _say(board, path, "PH-B042", where)


def _reaches(board: BoardDescription, bus: str | None) -> Iterator[str]:
    """The bus and what it sits on: all of them hear its addresses."""
    while bus is not None:
        yield bus
        bus = board.buses[bus].parent


def _settings(board: BoardDescription) -> Iterator[Problem]:
    for name, sensor in board.sensors.items():
        chip = load_chip(sensor.chip)
        for key in sensor.config:
            path: Path = ("sensors", name, "config", key)
            try:
                one = config_si(replace(sensor, config={key: sensor.config[key]}))
                expected_config(chip, one)
            except (BoardError, ValueError) as error:
                text = unknown_setting(chip, key) if "no setting" in str(error) else str(error)
                yield _say(board, path, "PH-B052", text)


def _usable(sensor: Sensor, chip: ChipType) -> dict[str, float] | None:
    """The sensor's settings in SI after power-on; None when they are wrong (told elsewhere)."""
    try:
        return settings_of(chip, expected_config(chip, config_si(sensor)))
    except (BoardError, ValueError):
        return None


def _rates(board: BoardDescription) -> Iterator[Problem]:
    for name, sensor in board.sensors.items():
        chip = load_chip(sensor.chip)
        if sensor.rate_hz is None or _usable(sensor, chip) is None:
            continue
        fastest = fastest_hz(chip, config_si(sensor))
        if sensor.rate_hz > fastest:
            text = (
                f"{chip.name} makes {fastest:.4g} new readings a second with these settings, not {sensor.rate_hz:g}; "
                f"write at most '{math.floor(fastest * 10) / 10:g} Hz', or fewer averages or shorter conversions"
            )
            yield _say(board, ("sensors", name, "rate"), "PH-B045", text)


def _ranges(board: BoardDescription) -> Iterator[Problem]:
    """Full scale against what the rail may carry."""
    for name, sensor in board.sensors.items():
        chip = load_chip(sensor.chip)
        settings = _usable(sensor, chip)
        if settings is None:
            continue
        for option in sensor_options(name, sensor).channels:
            spec = board.rails[option.rail]
            ends = budget.full_scale(chip, option.index, channel_config(option, settings))
            path = next(place for number, place, _ in _channels(("sensors", name), sensor) if number == option.index)
            most_a = ends.get("A")
            if most_a and spec.limit_a and most_a < spec.limit_a:
                shunt, allowed = format_quantity(option.shunt_ohms, "Ohm"), format_quantity(spec.limit_a, "A")
                text = (
                    f"{chip.name} with {shunt} saturates at {format_quantity(most_a, 'A')}, "
                    f"but rail {option.rail!r} allows {allowed}"
                )
                yield _say(board, path, "PH-B044", text, "warn", key=True)
            most_v = ends.get("V")
            if most_v and spec.nominal_v and most_v < spec.nominal_v:
                text = (
                    f"{chip.name} measures at most {format_quantity(most_v, 'V')}, but rail {option.rail!r} has "
                    f"{format_quantity(spec.nominal_v, 'V')}"
                )
                yield _say(board, path, "PH-B044", text, key=True)


def _bus_time(board: BoardDescription) -> Iterator[Problem]:
    for bus, share in budget.bus_shares(board).items():
        speed = format_quantity(board.buses[bus].speed_hz, "Hz")
        if share > budget.FULL:
            text = (
                f"the sensors ask for {share:.0%} of the time of {bus} at {speed}: lower their rates or raise `speed`"
            )
            yield _say(board, ("buses", bus), "PH-B046", text, key=True)
        elif share > budget.BUSY:
            text = f"the sensors take {share:.0%} of the time of {bus} at {speed}; retries may not fit"
            yield _say(board, ("buses", bus), "PH-B046", text, "warn", key=True)


def measured_rails(board: BoardDescription) -> dict[str, list[str]]:
    """Rail -> what measures it: sensors, meters, kernel sources."""
    found: dict[str, list[str]] = {}
    for path, sensor, _ in _sensors(board):
        for wired in sensor.wired().values():
            found.setdefault(wired.rail, []).append(str(path[-1]))
    for meter, spec in board.meters.items():
        if spec.rail is not None:
            found.setdefault(spec.rail, []).append(meter)
    for pattern, rail in board.kernel.rails.items():
        found.setdefault(rail, []).append(pattern)
    return found


def _unseen(board: BoardDescription) -> Iterator[Problem]:
    measured = measured_rails(board)
    for rail, spec in board.rails.items():
        if spec.measured and rail not in measured:
            text = f"nothing measures rail {rail!r}; say `measured: false` if that is so"
            yield _say(board, ("rails", rail), "PH-B047", text, "warn", key=True)


def _twice(board: BoardDescription) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for path, sensor, chip in _sensors(board):
        for _, place, wired in _channels(path, sensor):
            if not chip.needs_shunt:
                continue  # a gauge beside a shunt monitor is a second opinion
            if wired.rail in seen:
                text = f"rail {wired.rail!r} is already measured by {seen[wired.rail]}"
                yield _say(board, (*place, "rail"), "PH-B049", text, "warn")
            seen.setdefault(wired.rail, str(path[-1]))


def _explained(board: BoardDescription) -> Iterator[Problem]:
    for name, device in board.devices.items():
        kind = KINDS[device.kind]
        silent = kind.needs and not set(kind.needs) & set(device.activities)
        if silent or (kind.open and not device.activities):
            wanted = f" (one of {', '.join(kind.needs)})" if kind.needs else ""
            text = f"no activity explains device {name!r}{wanted}: its energy will land in `unattributed`"
            yield _say(board, ("devices", name), "PH-B048", text, "warn", key=True)
    used = {device.cluster for device in board.devices.values()}
    for cluster in board.clusters:
        if cluster not in used and not board.activity.auto:
            text = f"no device uses cluster {cluster!r}: its energy will land in `unattributed`"
            yield _say(board, ("clusters", cluster), "PH-B048", text, "warn", key=True)


def _names_of_sources(board: BoardDescription) -> Iterator[Problem]:
    own = (*RECORDED, *board.rails, *board.sensors, *board.meters)
    for name, device in board.devices.items():
        for role, activity in device.activities.items():
            first, _, rest = activity.partition(".")
            path: Path = ("devices", name, "activities", role)
            if first not in own:
                text = f"nothing called {activity!r} is recorded{did_you_mean(first, RECORDED, what='recorded')}"
                yield _say(board, path, "PH-B056", text)
            cluster = rest.partition(".")[0]
            if first == "cpu" and board.clusters and cluster not in board.clusters:
                text = f"no cluster {cluster!r} for activity {activity!r}{did_you_mean(cluster, board.clusters)}"
                yield _say(board, path, "PH-B056", text)
    for pattern in (*board.kernel.rails, *board.kernel.ignore):
        kind = pattern.partition(".")[0]
        if kind not in KERNEL_KINDS and not set(kind) & set("*?["):
            path = ("kernel", "rails", pattern) if pattern in board.kernel.rails else ("kernel", "ignore")
            near = did_you_mean(kind, KERNEL_KINDS, what="kinds")
            yield _say(board, path, "PH-B056", f"no kernel source is called {pattern!r}{near}", key=True)


def _clusters(board: BoardDescription) -> Iterator[Problem]:
    owner: dict[int, str] = {}
    for name, cluster in board.clusters.items():
        for index, cpu in enumerate(cluster.cpus):
            if cpu in owner:
                text = f"CPU {cpu} is already in cluster {owner[cpu]!r}"
                yield _say(board, ("clusters", name, "cpus", index), "PH-B053", text)
            owner.setdefault(cpu, name)
        before = 0.0
        for index, opp in enumerate(cluster.opps):
            path: Path = ("clusters", name, "opps", index)
            if opp.frequency_hz <= before:
                yield _say(board, (*path, "frequency"), "PH-B054", "frequencies must rise from point to point")
            before = opp.frequency_hz
            if opp.voltage_v is not None and not LEAST_OPP_V <= opp.voltage_v <= MOST_OPP_V:
                text = f"{format_quantity(opp.voltage_v, 'V')} is not a usual core voltage"
                yield _say(board, (*path, "voltage"), "PH-B054", text, "warn")


CHECKS: tuple[Check, ...] = (
    _shunts,
    _addresses,
    _settings,
    _rates,
    _ranges,
    _bus_time,
    _unseen,
    _twice,
    _explained,
    _names_of_sources,
    _clusters,
)
