"""Batteries through /sys/class/power_supply (Documentation/ABI/testing/sysfs-class-power), a source each.

Voltage in V, current in A and power in W out of the battery (positive = consumed), what is left as charge
in C, energy in J and `soc` 0..1. Where a charger can be online, power is the load's: what the charger feeds in, if
it is measured, plus what comes out of the battery; unmeasured, such rows are flagged and no energy is made of them.
Chargers and USB negotiation entries are no sources of their own; so are batteries of mice and pens (scope `Device`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
INPUTS = (("power_now",), ("voltage_now", "current_now"), ("input_voltage_now", "input_current_now"))
LEAST_UV = 100_000  # no battery has 0.1 V: a smaller `voltage_now` is in mV


class PowerSupply(RowSource):
    """A RowSource that doubts itself while the sign or unit of its current is not settled."""

    rule: CurrentRule
    row: _Row

    def quality(self) -> Quality:
        """UNVERIFIED until status and current have agreed often enough; ESTIMATED, of which no energy is made, while
        a charger feeds the system that nobody measures."""
        doubt = Quality.UNVERIFIED if self.rule.doubtful else Quality.OK
        return doubt | (Quality.ESTIMATED if self.row.hidden else Quality.OK)


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
    chargers = _chargers(root, context, name)
    columns = [_column(name, rail, quantity, scale) for quantity, (_, scale) in files.items()]
    both = {"voltage", "current"} <= files.keys()
    products = [product(name, rail)] if both and "power" not in files and not chargers else []
    if chargers and both and "power" not in files:
        columns.append(_column(name, rail, "power", 1e-6))
    driver = tree.link_name(root, f"{folder}/device/driver")
    rule = CurrentRule((supply, driver), vendor=root.exists(ANDROID))
    has_status = tree.text(root, f"{folder}/status") is not None
    paths = [path for path, _ in files.values()] + ([f"{folder}/status"] if has_status else [])
    paths += [path for charger in chargers for path in charger.paths]
    row = _Row(list(files), rule, has_status, chargers, whole=bool(chargers) and (both or "power" in files))
    found = PowerSupply(
        name,
        context.period_s("power_supply", name),
        root,
        context.clock,
        paths,
        columns=columns,
        products=products,
        parse=row,
    )
    found.rule, found.row = rule, row
    return found


@dataclass(frozen=True, slots=True)
class Charger:
    """A supply from outside: its `online` file, and those that give its input in uW or in uV and uA (may be none)."""

    paths: tuple[str, ...]

    def microwatts(self, contents: Sequence[bytes]) -> int | None:
        """What it feeds in now; None when it is there and does not say."""
        numbers = [tree.to_int(content) for content in contents]
        if not numbers[0]:
            return 0 if numbers[0] == 0 else None
        if len(numbers) < 2 or None in numbers:
            return None
        return numbers[1] if len(numbers) == 2 else (numbers[1] or 0) * (numbers[2] or 0) // 1_000_000


def _chargers(root: FileRoot, context: HostContext, battery: str) -> list[Charger]:
    """Supplies that can be online and feed the system."""
    found: list[Charger] = []
    for name in tree.names(root, SUPPLIES):
        folder = f"{SUPPLIES}/{name}"
        kind, scope = tree.text(root, f"{folder}/type"), tree.text(root, f"{folder}/scope")
        if kind in (None, "Battery", "UPS") or scope == "Device" or tree.integer(root, f"{folder}/online") is None:
            continue
        measured = next((m for m in INPUTS if all(tree.integer(root, f"{folder}/{f}") is not None for f in m)), ())
        found.append(Charger(tuple(f"{folder}/{f}" for f in ("online", *measured))))
        if not measured:
            context.note(f"{battery}: while {name} is online nobody measures what it feeds in: no energy is attributed")
    return found


class _Row:
    """Turns file contents into the row: unit of voltage, sign and unit of current, sign of power.

    With chargers, power is that of the load: what they feed in plus what comes out of the battery. `hidden`: one of
    them is online and does not say how much.
    """

    def __init__(
        self,
        quantities: Sequence[str],
        rule: CurrentRule,
        has_status: bool,
        chargers: Sequence[Charger] = (),
        *,
        whole: bool = False,
    ) -> None:
        self.hidden = False
        self._chargers, self._whole = tuple(chargers), whole
        self._quantities = quantities
        self._rule = rule
        self._has_status = has_status
        if "current" not in quantities:
            rule.doubtful = False

    def __call__(self, contents: Sequence[bytes]) -> list[int | None]:
        own = len(contents) - sum(len(charger.paths) for charger in self._chargers)
        contents, fed = contents[:own], contents[own:]
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
        load = self._load(row, fed)
        if self._whole:
            row["power"] = load
        return list(row.values())

    def _load(self, row: dict[str, int | None], fed: Sequence[bytes]) -> int | None:
        """Microwatts of the load; notes whether a charger hides some of it."""
        volts, amperes, own = row.get("voltage"), row.get("current"), row.get("power")
        if own is None and volts is not None and amperes is not None:
            own = volts * amperes // 1_000_000
        inputs = []
        for charger in self._chargers:
            inputs.append(charger.microwatts(fed[: len(charger.paths)]))
            fed = fed[len(charger.paths) :]
        self.hidden = None in inputs
        return None if own is None else own + sum(watts or 0 for watts in inputs)


def _column(name: str, rail: str, quantity: str, scale: float) -> Column:
    left = quantity in ("charge", "energy", "soc")  # what is left in the battery: falls while it is used
    return column(channel(name, rail, quantity, kind="gauge" if left else "measured"), scale)
