"""Power sensors and ADCs that an IIO driver owns (Documentation/ABI/testing/sysfs-bus-iio).

The raw number is recorded; scale and offset go into the layout: mV, mA, mW and J are
(raw + offset) * scale. A source `iio.NAME` per device, `iio.NAME.FEATURE` per feature of several. Debian's
`ina2xx-adc` numbers its channels 0 (shunt), 1 (bus), 2 (power), 3 (current): one feature.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass

from powerhal.channel import Source
from powerhal.host import kernel_devices, tree
from powerhal.host.context import HostContext
from powerhal.host.kernel_devices import KernelDevice, named
from powerhal.host.rails import channel, product
from powerhal.host.rows import Column, RowSource, column
from powerhal.transport import FileRoot

DEVICES = "/sys/bus/iio/devices"
_ATTRIBUTE = re.compile(r"in_(voltage|current|power|energy)(\d*)_(raw|input)")
TO_SI = {"voltage": 1e-3, "current": 1e-3, "power": 1e-3, "energy": 1.0}
INA2XX = ("ina219", "ina220", "ina226", "ina230", "ina231")
SUB_UNIT = 1_000_000  # `_input` may have decimals: recorded as millionths


@dataclass(frozen=True, slots=True)
class Attribute:
    """One IIO channel's value file, SI = integer * scale + bias; `decimal`: an `_input` with a point."""

    path: str
    scale: float
    bias: float
    decimal: bool


class Device(KernelDevice):
    """One IIO device."""

    __slots__ = ()


def devices(root: FileRoot) -> list[Device]:
    """Every IIO device with a name, in the kernel's order."""
    seen: list[tuple[str, str, str]] = []
    for entry in tree.names(root, DEVICES):
        folder = f"{DEVICES}/{entry}"
        driver = tree.text(root, f"{folder}/name")
        if entry.startswith("iio:device") and driver:
            seen.append((folder, tree.safe_name(driver), _parent(root, folder)))
    return [Device(*astuple(device)) for device in named("iio", seen)]


def at_i2c(root: FileRoot, bus: int, address: int) -> Device | None:
    """The IIO device of the chip at that 7-bit address, None when no IIO driver owns it."""
    return kernel_devices.at_i2c(devices(root), bus, address)


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source per feature that has a current, power or energy, or a rail in the board."""
    found: list[Source] = []
    for device in devices(root):
        found += sources(root, context, device)
    if not found:
        context.note("no IIO device measures power, current or energy")
    return found


def sources(root: FileRoot, context: HostContext, device: Device) -> list[RowSource]:
    """The features of one device."""
    groups = features(root, device)
    found = []
    for feature, attributes in groups.items():
        name, rail = device.source_of(context, feature, alone=len(groups) == 1)
        if rail or attributes.keys() & {"current", "power", "energy"}:
            found.append(_source(root, context, name, rail, attributes))
    return found


def features(root: FileRoot, device: Device) -> dict[str, dict[str, Attribute]]:
    """FEATURE -> {quantity: Attribute}; what cannot be read now or has no scale is left out."""
    groups: dict[str, dict[str, Attribute]] = {}
    for file in tree.names(root, device.folder):
        match = _ATTRIBUTE.fullmatch(file)
        if not match:
            continue
        quantity, index, form = match[1], match[2], match[3]
        shunt = device.driver in INA2XX and quantity == "voltage" and index == "0"
        attribute = None if shunt else _attribute(root, device.folder, quantity, index, form)
        if attribute is not None:
            label = tree.text(root, f"{device.folder}/in_{quantity}{index}_label")
            feature = "1" if device.driver in INA2XX else tree.safe_name(label or index or "0")
            groups.setdefault(feature, {})[quantity] = attribute
    return groups


def _attribute(root: FileRoot, folder: str, quantity: str, index: str, form: str) -> Attribute | None:
    path = f"{folder}/in_{quantity}{index}_{form}"
    if tree.number(root, path) is None:
        return None
    if form == "input":
        return Attribute(path, TO_SI[quantity] / SUB_UNIT, 0.0, True)
    scale = _shared(root, folder, quantity, index, "scale")
    if scale is None:
        return None
    offset = _shared(root, folder, quantity, index, "offset") or 0.0
    si = scale * TO_SI[quantity]
    return Attribute(path, si, offset * si, False)


def _shared(root: FileRoot, folder: str, quantity: str, index: str, what: str) -> float | None:
    """`in_voltage1_scale`, else what all voltages share, `in_voltage_scale`."""
    own = tree.number(root, f"{folder}/in_{quantity}{index}_{what}")
    return own if own is not None else tree.number(root, f"{folder}/in_{quantity}_{what}")


def _source(root: FileRoot, context: HostContext, name: str, rail: str, attributes: dict[str, Attribute]) -> RowSource:
    columns: list[Column] = []
    for quantity, found in attributes.items():
        what = channel(name, rail, quantity, counter=quantity == "energy")
        columns.append(column(what, found.scale, found.bias))
    paired = {"voltage", "current"} <= attributes.keys() and "power" not in attributes
    return RowSource(
        name,
        context.period_s("iio", name),
        root,
        context.clock,
        [a.path for a in attributes.values()],
        columns=columns,
        products=[product(name, rail)] if paired else [],
        parse=_parser([a.decimal for a in attributes.values()]),
    )


def _parser(decimal: Sequence[bool]) -> Callable[[Sequence[bytes]], list[int | None]]:
    def parse(contents: Sequence[bytes]) -> list[int | None]:
        return [
            _millionths(content) if d else tree.to_int(content) for content, d in zip(contents, decimal, strict=True)
        ]

    return parse


def _millionths(content: bytes) -> int | None:
    try:
        return round(float(content) * SUB_UNIT)
    except (ValueError, OverflowError):
        return None


def _parent(root: FileRoot, folder: str) -> str:
    """The device above 'iio:deviceN' in its link, such as '1-0040'."""
    try:
        return root.readlink(folder).rstrip("/").split("/")[-2]
    except (OSError, IndexError):
        return ""
