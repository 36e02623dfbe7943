"""What a dump sums up, whatever form it was printed in: battery, durations, devices, uids, wake locks.

Check-in lines, human text and protobuf all fill a `Statistics`; names and units are those of docs/android.md.
A key that is absent was not printed; it is never filled with 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# label in a check-in line or in the old text -> the platform's later component name
DEVICE_NAMES: dict[str, str] = {
    "scrn": "screen", "Screen": "screen", "blue": "bluetooth", "Bluetooth": "bluetooth", "bt": "bluetooth",
    "cell": "mobile_radio", "Cell standby": "mobile_radio", "radio": "mobile_radio", "Wifi": "wifi",
    "Phone calls": "phone", "ambi": "ambient_display", "Ambient display": "ambient_display", "Idle": "idle",
    "Flashlight": "flashlight", "flash": "flashlight", "Camera": "camera", "Memory": "memory", "gps": "gnss",
    "sensor": "sensors", "wake": "wakelock", "unacc": "unaccounted", "Unaccounted": "unaccounted",
    "over": "overcounted", "Over-counted": "overcounted", "user": "user", "base": "base",
    "power_sharing": "power_sharing",
}  # fmt: skip
# components in the order of their ids (API 33 on)
COMPONENTS = (
    "screen", "cpu", "bluetooth", "camera", "audio", "video", "flashlight", "system_services", "mobile_radio",
    "sensors", "gnss", "wifi", "wakelock", "memory", "phone", "ambient_display", "idle", "reattributed",
)  # fmt: skip
# (first API level, last, id) -> components behind those: of the platform from Android 16 on, and of Samsung, whose
# BatteryConsumer has one more (wireless power sharing), which stands behind `base` where there is that
LATER: tuple[tuple[int, int, int, str], ...] = (
    (33, 34, 18, "power_sharing"),
    (36, 99, 18, "base"),
    (36, 99, 19, "power_sharing"),
)
PLACED = 33  # from this API level on the device lines have an order; before they are sorted by charge
UNLABELLED = "???"
WITHOUT_LABEL = ("system_services", "wakelock", "reattributed")  # of `COMPONENTS`


def component_at(place: int, api: int | None) -> str:
    """The component that check-in lines print at a place (from 0) of the device lines; '' when not known.

    A dump of no known version counts as one of API 33.
    """
    if (api or PLACED) < PLACED:
        return ""
    if place < len(COMPONENTS):
        return COMPONENTS[place]
    return next((name for first, last, at, name in LATER if at == place and first <= (api or 0) <= last), "")


@dataclass(slots=True)
class DeviceUse:
    """Charge of one device: `mah` as printed, the printed `label`, and what else the line says."""

    name: str
    label: str
    mah: float | None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class UidUse:
    """Everything about one uid (user and app id together); `parts` are named groups of figures."""

    uid: int
    mah: float | None = None
    packages: list[str] = field(default_factory=list)
    components: dict[str, float] = field(default_factory=dict)
    component_ms: dict[str, int] = field(default_factory=dict)
    process_states: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Statistics:
    """The sums of one window (`l` since charged, `u` since unplugged, ...) of one dump."""

    window: str
    battery: dict[str, Any] = field(default_factory=dict)
    durations_ms: dict[str, int | float] = field(default_factory=dict)
    devices: list[DeviceUse] = field(default_factory=list)
    uids: dict[int, UidUse] = field(default_factory=dict)
    wakelocks: list[dict[str, Any]] = field(default_factory=list)
    totals: dict[str, Any] = field(default_factory=dict)

    def uid(self, number: int) -> UidUse:
        """The row of a uid, made when it is new."""
        found = self.uids.get(number)
        if found is None:
            found = self.uids[number] = UidUse(number)
        return found


def name_unlabelled(stats: Statistics, api: int | None) -> None:
    """Give the devices that check-in prints as `???` the names of their places in that version, or `unknown`."""
    for place, device in enumerate(stats.devices):
        if device.label == UNLABELLED:
            name = component_at(place, api) or "unknown"
            device.name = name if place >= len(COMPONENTS) or name in WITHOUT_LABEL else "unknown"
