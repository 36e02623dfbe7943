"""The keys that Android itself reads from `power_profile.xml`, with their units, and what near misses mean.

Source: com.android.internal.os.PowerProfile of API 21-34 (constants) and the default power_profile.xml. Vendors
add keys of their own freely; those are kept and are no mistake.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher


@dataclass(frozen=True, slots=True)
class Key:
    """One key: unit of its values, whether it is an `<array>` (and of how many values, 0: any), API it is read from."""

    name: str
    unit: str = "mA"
    array: bool = False
    length: int = 0
    since: int = 21
    until: int = 99


def _keys(unit: str, *names: str, since: int = 21, until: int = 99) -> tuple[Key, ...]:
    return tuple(Key(name, unit, since=since, until=until) for name in names)


#: Every key without a cluster or display number.
KEYS: dict[str, Key] = {
    key.name: key
    for key in (
        *_keys("mAh", "battery.capacity"),
        *_keys("mA", "screen.on", "screen.full", "audio", "video", "gps.on", "radio.active", "radio.scanning"),
        *_keys("mA", "wifi.on", "wifi.active", "wifi.scan", "bluetooth.on", "bluetooth.active", "bluetooth.at"),
        *_keys("mA", "cpu.idle", "camera.flashlight", "camera.avg"),
        *_keys("mA", "cpu.awake", until=27),
        *_keys("mA", "cpu.suspend", since=28),
        *_keys("mA", "ambient.on", since=26),
        *(
            key
            for radio in ("wifi", "bluetooth")
            for key in (
                *_keys("mA", *(f"{radio}.controller.{state}" for state in ("idle", "rx", "tx"))),
                Key(f"{radio}.controller.voltage", "mV"),
            )
        ),
        Key("wifi.controller.tx_levels", array=True),
        *_keys("mA", "modem.controller.sleep", "modem.controller.idle", "modem.controller.rx"),
        Key("modem.controller.tx", array=True, length=5),
        Key("modem.controller.voltage", "mV"),
        Key("gps.signalqualitybased", array=True, length=2, since=28),
        Key("gps.voltage", "mV", since=28),
        Key("radio.on", array=True),
        Key("wifi.batchedscan", array=True, length=5),
        Key("memory.bandwidths", array=True, since=26),
        Key("cpu.active"),
        Key("cpu.speeds", "kHz", array=True, until=23),
        Key("cpu.clusters.cores", "cores", array=True, since=24),
        Key("none"),
    )
}

#: Keys with a number: prefix -> what stands behind it.
NUMBERED: dict[str, Key] = {
    "cpu.speeds.cluster": Key("cpu.speeds.cluster", "kHz", array=True, since=24, until=27),
    "cpu.active.cluster": Key("cpu.active.cluster", array=True, since=24, until=27),
    "cpu.core_speeds.cluster": Key("cpu.core_speeds.cluster", "kHz", array=True, since=28),
    "cpu.core_power.cluster": Key("cpu.core_power.cluster", array=True, since=28),
    "cpu.cluster_power.cluster": Key("cpu.cluster_power.cluster", since=28),
    "cpu.power_brackets.cluster": Key("cpu.power_brackets.cluster", "bracket", array=True, since=34),
    "cpu.scaling_policy_power.policy": Key("cpu.scaling_policy_power.policy", since=34),
    "cpu.scaling_step_power.policy": Key("cpu.scaling_step_power.policy", array=True, since=34),
    "cpu.power_brackets.policy": Key("cpu.power_brackets.policy", "bracket", array=True, since=34),
    "screen.on.display": Key("screen.on.display", since=31),
    "screen.full.display": Key("screen.full.display", since=31),
    "ambient.on.display": Key("ambient.on.display", since=31),
}
_NUMBER = re.compile(r"(.*?)(\d{1,4})")


def key_of(name: str) -> Key | None:
    """The platform's key of that name, None for a vendor's."""
    if name in KEYS:
        return KEYS[name]
    match = _NUMBER.fullmatch(name)
    return NUMBERED.get(match[1]) if match else None


def numbered(name: str) -> tuple[str, int] | None:
    """('cpu.core_power.cluster', 3) of 'cpu.core_power.cluster3', None for a key without a number."""
    match = _NUMBER.fullmatch(name)
    return (match[1], int(match[2])) if match and match[1] in NUMBERED else None


def meant(name: str) -> str:
    """The platform's key that a misspelt one stands for, '' when nothing is close enough.

    Case, blanks, dashes and underscores do not count; words of five or more letters may differ in a letter or
    two, short ones not at all (`gpu.active` is a vendor's key, not `cpu.active`).
    """
    plain = _plain(name)
    match = _NUMBER.fullmatch(plain)
    number = match[2] if match else ""
    known = {_plain(k): k for k in KEYS} | {_plain(p) + number: p + number for p in NUMBERED if number}
    if plain in known:
        return known[plain]
    return next((key for other, key in known.items() if _alike(plain.split("."), other.split("."))), "")


def _alike(words: list[str], others: list[str]) -> bool:
    """Whether two names differ only by letters in long words."""
    return len(words) == len(others) and all(
        one == two or (min(len(one), len(two)) >= 5 and SequenceMatcher(None, one, two).ratio() >= 0.85)
        for one, two in zip(words, others, strict=True)
    )


def _plain(name: str) -> str:
    return re.sub(r"[\s._\-]+", ".", name.strip().lower())
