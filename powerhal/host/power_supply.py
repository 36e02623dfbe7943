"""Batteries through /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power), a source each.

Voltage in V, current in A and power in W out of the battery (positive = consumed), what is left as charge
in C, energy in J and `soc` 0..1. Chargers and USB negotiation entries are not measurements and are left
out; so are batteries of mice and pens (scope `Device`).
"""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Quality, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.current_sign import CurrentRule
from powerhal.host.rails import channel, product, rail_of
from powerhal.host.rows import Column, RowSource, column
from powerhal.transport import FileRoot

SUPPLIES = "/sys/class/power_supply"
ANDROID = "/system/bin"
AH = 3600.0  # C in an Ah, J in a Wh

# quantity, files in order of preference, SI = number * scale
PROPERTIES: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("voltage", ("voltage_now",), 1e-6),
    ("current", ("current_now",), 1e-6),
    ("power", ("power_now",), 1e-6),
    ("charge", ("charge_counter", "charge_now"), AH * 1e-6),
    ("energy", ("energy_now",), AH * 1e-6),
    ("soc", ("capacity",), 0.01),
)
LEAST_UV = 100_000  # no battery has 0.1 V: a smaller `voltage_now` is in mV


class PowerSupply(RowSource):
    """A RowSource that doubts itself while the sign or unit of its current is not settled."""

    rule: CurrentRule

    def quality(self) -> Quality:
        """UNVERIFIED until status and current have agreed often enough."""
        return Quality.UNVERIFIED if self.rule.doubtful else Quality.OK


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """Every battery that feeds the system."""
    found: list[Source] = []
    for name in tree.names(root, SUPPLIES):
        folder = f"{SUPPLIES}/{name}"
        if tree.text(root, f"{folder}/type") != "Battery" or tree.text(root, f"{folder}/scope") == "Device":
            continue
        supply = source(root, context, name)
        if supply is not None:
            found.append(supply)
    if not found:
        context.note("no battery in /sys/class/power_supply")
    return found


def source(root: FileRoot, context: HostContext, supply: str) -> PowerSupply | None:
    """One battery; None when nothing of it can be read now."""
    folder = f"{SUPPLIES}/{supply}"
    name = f"power_supply.{tree.safe_name(supply)}"
    rail = rail_of(context, name)
    files: dict[str, tuple[str, float]] = {}
    for quantity, candidates, scale in PROPERTIES:
        path = next((p for p in (f"{folder}/{c}" for c in candidates) if tree.integer(root, p) is not None), "")
        if path:
            files[quantity] = (path, scale)
    if not files:
        context.note(f"{name}: nothing can be read")
        return None
    if "current" not in files and "power" not in files:
        context.note(f"{name}: no current and no power, only voltage and charge")
    columns = [_column(name, rail, quantity, scale) for quantity, (_, scale) in files.items()]
    products = [product(name, rail)] if {"voltage", "current"} <= files.keys() and "power" not in files else []
    driver = tree.link_name(root, f"{folder}/device/driver")
    rule = CurrentRule((supply, driver), vendor=root.exists(ANDROID))
    has_status = tree.text(root, f"{folder}/status") is not None
    paths = [path for path, _ in files.values()] + ([f"{folder}/status"] if has_status else [])
    found = PowerSupply(
        name,
        context.period_s("power_supply", name),
        root,
        context.clock,
        paths,
        columns=columns,
        products=products,
        parse=_Row(list(files), rule, has_status),
    )
    found.rule = rule
    return found


class _Row:
    """Turns file contents into the row: unit of voltage, sign and unit of current, sign of power."""

    def __init__(self, quantities: Sequence[str], rule: CurrentRule, has_status: bool) -> None:
        self._quantities = quantities
        self._rule = rule
        self._has_status = has_status
        if "current" not in quantities:
            rule.doubtful = False

    def __call__(self, contents: Sequence[bytes]) -> list[int | None]:
        status = contents[-1].strip().lower().decode("ascii", "replace") if self._has_status else "unknown"
        numbers = [tree.to_int(content) for content in contents[: len(self._quantities)]]
        row = dict(zip(self._quantities, numbers, strict=True))
        voltage, current, power = row.get("voltage"), row.get("current"), row.get("power")
        if voltage is not None and 0 < voltage < LEAST_UV:
            row["voltage"] = voltage * 1000
        if current is not None:
            row["current"] = self._rule.out_ua(current, status)
        if power is not None and status == "charging":
            row["power"] = -abs(power)  # drivers print the magnitude (ACPI) or the kernel's sign
        elif power is not None and status == "discharging":
            row["power"] = abs(power)
        return list(row.values())


def _column(name: str, rail: str, quantity: str, scale: float) -> Column:
    left = quantity in ("charge", "energy", "soc")  # what is left in the battery: falls while it is used
    return column(channel(name, rail, quantity, kind="gauge" if left else "measured"), scale)
