"""What is wrong with a power profile as a whole: each check is a row; all of them run on every file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, pairwise

from powerhal.android.profile.keys import key_of, meant, numbered
from powerhal.android.profile.values import CPU_ERAS, PowerProfile
from powerhal.errors import Problem

DUMMY_CAPACITY_MAH = 1000.0  # of the platform's default file
LEAST_MAH, MOST_MAH = 100.0, 50_000.0
MOST_NAMES = 500  # foreign keys that are compared with the platform's
MOST_MA = 20_000.0  # one part of a phone; more is a slipped unit (uA for mA)


def check(profile: PowerProfile) -> list[Problem]:
    """Every problem between the values of a profile, with the line of the key that is at fault."""
    return [
        Problem(f"{profile.path}:{profile.lines.get(name, 1)}", code, message, severity)
        for checked in _CHECKS
        for name, code, severity, message in checked(profile)
    ]


Finding = tuple[str, str, str, str]  # key, code, severity, message
Check = Callable[[PowerProfile], Iterator[Finding]]


def _names(profile: PowerProfile) -> Iterator[Finding]:
    """Keys that nobody reads because of their spelling."""
    foreign = (name for name in (*profile.items, *profile.arrays) if key_of(name) is None)
    for name in islice(foreign, MOST_NAMES):
        if better := meant(name):
            yield name, "PH-N330", "error", f"{name!r} is read by nothing; did you mean {better!r}?"


def _forms(profile: PowerProfile) -> Iterator[Finding]:
    """Arrays where one number belongs, arrays of another length than the platform has levels."""
    for name, values in profile.arrays.items():
        key = key_of(name)
        if key is None:
            continue
        if not key.array and len(values) > 1 and name != "cpu.active":
            yield name, "PH-N331", "warn", f"{name!r} is one number to the platform: the first of {len(values)} counts"
        if key.length and values and len(values) != key.length:
            what = f"the last one counts for levels {len(values)} to {key.length - 1}"
            what = what if len(values) < key.length else f"only the first {key.length} count"
            yield name, "PH-N332", "warn", f"{name!r} has {len(values)} values for {key.length} levels: {what}"
    for name in profile.items.keys() & profile.arrays.keys():
        yield name, "PH-N333", "warn", f"{name!r} is an item and an array: the item counts"


def _capacity(profile: PowerProfile) -> Iterator[Finding]:
    """The capacity that every percentage is computed with."""
    mah = profile.capacity_mah
    if mah is None or mah == 0:
        yield (
            "battery.capacity",
            "PH-N340",
            "error",
            "no battery.capacity: the drain in mAh cannot be told from percent",
        )
    elif mah == DUMMY_CAPACITY_MAH:
        yield "battery.capacity", "PH-N341", "warn", "battery.capacity 1000 is the platform's dummy, not this phone's"
    elif not LEAST_MAH <= mah <= MOST_MAH:
        yield "battery.capacity", "PH-N342", "warn", f"battery.capacity {mah:g} is no mAh of a phone"


def _sizes(profile: PowerProfile) -> Iterator[Finding]:
    """Currents that cannot be mA."""
    values = {name: (value,) for name, value in profile.items.items()} | dict(profile.arrays)
    for name, numbers in values.items():
        key = key_of(name)
        if key is not None and key.unit == "mA" and any(value > MOST_MA for value in numbers):
            yield name, "PH-N343", "error", f"{name!r}: {max(numbers):g} mA is more than a phone can draw; is it uA?"


def _clusters(profile: PowerProfile) -> Iterator[Finding]:
    """Clusters that are missing or never read, speeds and powers of different length."""
    cores = profile.arrays.get("cpu.clusters.cores")
    for api, speeds, power, _ in CPU_ERAS[:2]:
        there = _numbers(profile, speeds) | _numbers(profile, power)
        if not there or (api < CPU_ERAS[0][0] and _numbers(profile, CPU_ERAS[0][2])):
            continue  # what vendors leave over beside the newer keys: no Android that has both reads it
        count = len(cores) if cores else 1
        if cores is None and "cpu.clusters.cores" not in profile.items:
            yield (
                f"{power}{min(there)}",
                "PH-N350",
                "warn",
                "no cpu.clusters.cores: the platform takes one cluster of one core",
            )
        for number in sorted(n for n in there if n >= count):
            name = f"{power}{number}" if number in _numbers(profile, power) else f"{speeds}{number}"
            gap = f"clusters count from 0 to {count - 1} without gaps"
            yield name, "PH-N351", "error", f"{name!r} is never read: {gap}"
        for number in range(count):
            yield from _lengths(profile, f"{speeds}{number}", f"{power}{number}")
        if api < CPU_ERAS[0][0]:
            new = CPU_ERAS[0][2]
            yield (
                f"{power}{min(there)}",
                "PH-N352",
                "warn",
                f"Android 9 and newer read {new}N, not {power}N: CPU use costs nothing there",
            )
    if "cpu.speeds" in profile.arrays:
        yield from _lengths(profile, "cpu.speeds", "cpu.active")


def _lengths(profile: PowerProfile, speeds: str, power: str) -> Iterator[Finding]:
    one, two = (profile.arrays.get(n) or ((profile.items[n],) if n in profile.items else None) for n in (speeds, power))
    if one is None or two is None:
        absent, other = (speeds, power) if one is None else (power, speeds)
        anchor = other if one is not None or two is not None else "cpu.clusters.cores"
        yield anchor, "PH-N353", "error", f"no {absent!r}: this cluster's speeds cost nothing"
    elif len(one) != len(two):
        text = f"{power!r} has {len(two)} values for {len(one)} speeds: the platform drops the whole term"
        yield power, "PH-N354", "error", text
    elif any(later <= before for before, later in pairwise(one)):
        text = f"{speeds!r} does not rise, by which Android up to 13 tells clusters: times at its speeds are left out"
        yield speeds, "PH-N355", "warn", text


def _numbers(profile: PowerProfile, prefix: str) -> set[int]:
    keys = (numbered(name) for name in (*profile.items, *profile.arrays))
    return {found[1] for found in keys if found is not None and found[0] == prefix}


def _modem(profile: PowerProfile) -> Iterator[Finding]:
    """Modem blocks without the technology that everything falls back on; nothing at all for the radio."""
    modem = profile.modem
    if modem is not None:
        if modem.active and modem.find("DEFAULT") is None:
            yield (
                "<modem>",
                "PH-N360",
                "error",
                '<modem> has no <active rat="DEFAULT">: other technologies cost nothing',
            )
        for what, value in (("sleep", modem.sleep_ma), ("idle", modem.idle_ma)):
            if value is None:
                yield "<modem>", "PH-N361", "warn", f"<modem> has no <{what}>: counts as 0"
    controller = profile.get("modem.controller.rx")
    if modem is None and not profile.average("radio.active") and not controller:
        yield "", "PH-N362", "warn", "neither radio.active nor modem values: mobile data costs nothing"


def _missing(profile: PowerProfile) -> Iterator[Finding]:
    """Parts that every phone has and this file gives no current for."""
    for name in ("screen.on", "screen.full"):
        if not profile.has(name) and not profile.has(f"{name}.display0"):
            yield "", "PH-N363", "warn", f"no {name}: the screen costs nothing"
    if not profile.has("cpu.idle"):
        yield "", "PH-N363", "warn", "no cpu.idle: a phone that is awake costs nothing"


_CHECKS: tuple[Check, ...] = (_names, _forms, _capacity, _sizes, _clusters, _modem, _missing)
