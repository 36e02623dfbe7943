"""Which way a battery driver counts current, and in which unit: learned from `status`, helped by a table.

The kernel's rule is uA, positive while charging (Documentation/ABI/testing/sysfs-class-power), and
drivers break it three ways: positive while discharging, the magnitude only (ACPI), milliamperes. Here
everything becomes uA, positive = out of the battery. The unit is doubted on vendors' Android kernels only:
drivers of the mainline kernel keep to uA, and an idle gauge may well read 2 mA.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Convention(Enum):
    """What a positive number means."""

    KERNEL = "positive while charging"
    INVERTED = "positive while discharging"
    MAGNITUDE = "never negative"


@dataclass(frozen=True, slots=True)
class Trap:
    """A driver or supply known to differ: factor to uA, convention (None: learn it), and who says so."""

    key: str  # supply name or kernel driver name
    factor: int
    convention: Convention | None
    source: str


TRAPS: tuple[Trap, ...] = (
    Trap("MainBattery", 1000, None, "Huawei MediaPad, rmanor/currentwidget issue 54: milliamperes"),
    Trap("sec-battery", 1000, None, "Samsung vendor kernels (Galaxy A52s, dubrowgn/wattz issue 5), not checked"),
    Trap("bms", 1, Convention.INVERTED, "Pixel 5, ARM-software/devlib issue 522: positive when discharging"),
)

# A machine that runs this code draws more than 5 mA from its battery; a smaller number is milliamperes.
LEAST_UA = 5000
# Status lags the current by a second or two when the charger is plugged, so one reading proves nothing.
EVIDENCE = 3


class CurrentRule:
    """Turns the driver's number and the status into uA out of the battery.

    `doubtful` tells of the last value that its sign or unit is not settled yet (flag UNVERIFIED).
    """

    def __init__(self, keys: tuple[str, ...], *, vendor: bool = False) -> None:
        """`keys`: names of the supply and its driver; `vendor`: a vendor's Android kernel."""
        known = next((trap for trap in TRAPS if trap.key in keys), None)
        self.factor: int = known.factor if known else 0 if vendor else 1  # 0: not settled
        self.convention: Convention | None = known.convention if known else None
        self.doubtful = True
        self._small = 0
        self._large = 0
        self._votes = {"discharging+": 0, "discharging-": 0, "charging+": 0, "charging-": 0}

    def out_ua(self, raw: int, status: str) -> int:
        """uA out of the battery; 0 stays 0 whatever the convention."""
        self._learn(raw, status)
        factor = self.factor or (1000 if self._small > self._large else 1)
        direction = self._direction(raw, status)
        self.doubtful = raw != 0 and (not self.factor or direction == 0)
        # undecided and neither charging nor discharging: the kernel's rule
        return raw * factor * (direction or -1)

    def _learn(self, raw: int, status: str) -> None:
        if status == "discharging" and raw and not self.factor:
            if abs(raw) < LEAST_UA:
                self._small += 1
            else:
                self._large += 1
            # one large number settles it: no machine draws 5 A in idle, many draw 5 mA asleep
            if self._large:
                self.factor = 1
            elif self._small >= EVIDENCE:
                self.factor = 1000
        if status in ("charging", "discharging") and raw and self.convention is None:
            self._votes[f"{status}{'+' if raw > 0 else '-'}"] += 1
            self.convention = self._settle()

    def _settle(self) -> Convention | None:
        votes = self._votes
        if votes["discharging-"] >= EVIDENCE > votes["discharging+"]:
            return Convention.KERNEL
        if votes["charging-"] >= EVIDENCE > votes["charging+"]:
            return Convention.INVERTED
        if min(votes["discharging+"], votes["charging+"]) >= EVIDENCE:
            return Convention.MAGNITUDE
        return None

    def _direction(self, raw: int, status: str) -> int:
        """+1: the driver's number is out of the battery, -1: into it, 0: unknown."""
        if self.convention is Convention.KERNEL:
            return -1
        if self.convention is Convention.INVERTED:
            return 1
        # magnitude only, or not settled: status alone tells (and is right under every convention)
        if status == "discharging":
            return 1 if raw > 0 else -1
        if status == "charging":
            return -1 if raw > 0 else 1
        return 0

    def describe(self) -> str:
        """The rule in words, for the notes."""
        unit = {0: "unit not settled", 1: "uA", 1000: "mA"}[self.factor]
        return f"{unit}, {self.convention.value if self.convention else 'sign not settled'}"
