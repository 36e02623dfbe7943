"""Power sensors that a kernel driver owns, through hwmon (Documentation/hwmon/sysfs-interface.rst).

Sources are called `hwmon.NAME` by the driver's name, never by `hwmonN`, which changes from boot to boot;
chips on I2C carry their address (`hwmon.ina231@2-0040`). Each feature (a voltage, current and power that
belong together by label, else by index) of a chip with several is a source `hwmon.NAME.FEATURE`. Units in
sysfs: mV, mA, uW, uJ; whole numbers, so a current LSB is 1 mA however fine the chip is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from powerhal.channel import Channel, Source
from powerhal.host import kernel_devices, tree
from powerhal.host.context import HostContext
from powerhal.host.kernel_devices import KernelDevice, named
from powerhal.host.rails import channel, product
from powerhal.host.rows import Column, RowSource, column
from powerhal.transport import FileRoot

HWMON = "/sys/class/hwmon"
SUPPLIES = "/sys/class/power_supply"
_ATTRIBUTE = re.compile(r"(in|curr|power|energy)(\d+)_(average|input)")
_LABEL = re.compile(r"(in|curr|power|energy)(\d+)_label")
QUANTITY = {"in": ("voltage", 1e-3), "curr": ("current", 1e-3), "power": ("power", 1e-6), "energy": ("energy", 1e-6)}
# drivers whose input of lowest index is the voltage across the shunt, not of the rail
SHUNT_FIRST = ("ina219", "ina220", "ina226", "ina230", "ina231", "ina260", "ina234", "ina209", "ina238",
               "ina237", "ina228", "sq52206", "ina700", "ina780")  # fmt: skip
PMBUS_LABEL = re.compile(r"[vip]((?:in|out|cap|mon)\d*)")


@dataclass(frozen=True, slots=True)
class Chip(KernelDevice):
    """One hwmon device, with the shunts in ohms that its driver was told, by attribute."""

    shunt_ohms: dict[str, float] = field(default_factory=dict)


def chips(root: FileRoot) -> list[Chip]:
    """Every hwmon device with a name, in the kernel's order.

    The mirror that the power_supply core makes of each battery is left out: `power_supply` reads the original.
    """
    seen: list[tuple[str, str, str]] = []
    mirrors = set(tree.names(root, SUPPLIES))
    for entry in tree.names(root, HWMON):
        folder = f"{HWMON}/{entry}"
        driver = tree.text(root, f"{folder}/name")
        device = tree.link_name(root, f"{folder}/device")
        if driver and device not in mirrors:
            seen.append((folder, tree.safe_name(driver), device))
    return [
        Chip(d.folder, d.driver, d.name, d.alias, d.i2c_bus, d.i2c_address, _shunts(root, d.folder))
        for d in named("hwmon", seen)
    ]


def at_i2c(root: FileRoot, bus: int, address: int) -> Chip | None:
    """The hwmon device of the chip at that 7-bit address, None when no hwmon driver owns it."""
    return kernel_devices.at_i2c(chips(root), bus, address)


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source per feature that has a current, power or energy, or a rail in the board."""
    found: list[Source] = []
    for chip in chips(root):
        found += sources(root, context, chip)
    if not found:
        context.note("no hwmon device measures power, current or energy")
    return found


def sources(root: FileRoot, context: HostContext, chip: Chip) -> list[RowSource]:
    """The features of one chip; those that cannot be read now are left out with a note."""
    groups = features(root, chip)
    found = []
    for feature, attributes in groups.items():
        name, rail = chip.source_of(context, feature, alone=len(groups) == 1)
        if not rail and not attributes.keys() & {"curr", "power", "energy"}:
            continue  # a supply voltage alone is no power sensor
        readable = {
            kind: attribute
            for kind, attribute in attributes.items()
            if tree.integer(root, f"{chip.folder}/{attribute}") is not None
        }
        if len(readable) < len(attributes):
            silent = ", ".join(sorted(set(attributes.values()) - set(readable.values())))
            context.note(f"{name}: {silent} cannot be read")
        if readable:
            found.append(_source(root, context, chip, name, readable, rail=rail))
    return found


def features(root: FileRoot, chip: Chip) -> dict[str, dict[str, str]]:
    """FEATURE -> {'in' | 'curr' | 'power' | 'energy': attribute file}, in order of first appearance.

    Of `powerN_average` and `powerN_input` the average is taken. Shunt voltages (the first input of
    INA2xx drivers, inputs 4 to 7 of the INA3221) are no rail voltages and are left out.
    """
    listing = tree.names(root, chip.folder)
    groups: dict[str, dict[str, str]] = {}
    bus_input = _bus_input(chip, listing)
    labels = _labels(root, chip.folder, listing)
    for attribute in listing:
        match = _ATTRIBUTE.fullmatch(attribute)
        if not match or _is_shunt(chip, match[1], int(match[2]), bus_input):
            continue
        kind, index = match[1], match[2]
        label = labels.get(kind, {}).get(index) if kind in labels else labels.get("in", {}).get(index)
        group = groups.setdefault(_feature(label, index), {})
        if match[3] == "average" or kind not in group:
            group[kind] = attribute
    return groups


def _labels(root: FileRoot, folder: str, listing: list[str]) -> dict[str, dict[str, str]]:
    """Kind -> index -> label. A kind without any label (INA3221 currents) goes by the voltages' labels."""
    labels: dict[str, dict[str, str]] = {}
    for attribute in listing:
        match = _LABEL.fullmatch(attribute)
        label = tree.text(root, f"{folder}/{attribute}") if match else None
        if match and label:
            labels.setdefault(match[1], {})[match[2]] = label
    return labels


def _feature(label: str | None, index: str) -> str:
    if not label:
        return index
    pmbus = PMBUS_LABEL.fullmatch(label)
    return tree.safe_name(pmbus[1] if pmbus else label)


def _bus_input(chip: Chip, listing: list[str]) -> str:
    """Index of the rail's voltage where the driver also shows the shunt's, else ''."""
    inputs = [a for a in listing if a.startswith("in") and a.endswith("_input")]
    return "1" if chip.driver in SHUNT_FIRST and "in1_input" in inputs else ""


def _is_shunt(chip: Chip, kind: str, index: int, bus_input: str) -> bool:
    if kind != "in":
        return False
    return (chip.driver == "ina3221" and index >= 4) or (bool(bus_input) and index == 0)


def _shunts(root: FileRoot, folder: str) -> dict[str, float]:
    """'shunt_resistor' (index '1') and 'shuntN_resistor', micro-ohms in sysfs, as Ohm by index."""
    found = {}
    for index, attribute in (("1", "shunt_resistor"), *((str(n), f"shunt{n}_resistor") for n in (1, 2, 3))):
        micro_ohms = tree.integer(root, f"{folder}/{attribute}")
        if micro_ohms:
            found[index] = micro_ohms * 1e-6
    return found


def _source(
    root: FileRoot, context: HostContext, chip: Chip, name: str, attributes: dict[str, str], *, rail: str
) -> RowSource:
    columns: list[Column] = []
    for kind, (quantity, scale) in QUANTITY.items():
        if kind in attributes:
            columns.append(column(channel(name, rail, quantity, counter=kind == "energy"), scale))
    products: list[Channel] = []
    if {"in", "curr"} <= attributes.keys() and "power" not in attributes:
        products.append(product(name, rail))
    paths = [f"{chip.folder}/{attributes[kind]}" for kind in QUANTITY if kind in attributes]
    period_s = context.period_s("hwmon", name)
    return RowSource(name, period_s, root, context.clock, paths, columns=columns, products=products)
