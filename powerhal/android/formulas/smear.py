"""What Android does with the parts that no app is shown for: smearing, unaccounted and over-counted drain.

BatteryStatsHelper (Android 11 and older) and PowerAttribution of BatteryUsageStats (12 and newer).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Hidden rows whose charge is not spread over the apps.
NOT_SMEARED = frozenset({"over", "scrn", "ambi", "unacc", "blue", "wifi", "idle"})
LEAST = 1e-3  # mAh between the total and the pool below which nothing is spread
FIRST_APP_UID = 10_000


@dataclass(frozen=True, slots=True)
class Smeared:
    """One row after smearing: its own mAh, its share of the screen and of the hidden rows."""

    own_mah: float
    screen_mah: float
    proportional_mah: float

    @property
    def total_mah(self) -> float:
        """What the platform shows for it."""
        return self.own_mah + self.screen_mah + self.proportional_mah


def smear_old(
    rows: Mapping[str, float], hidden: frozenset[str], screen: Mapping[str, float] | None = None
) -> dict[str, Smeared]:
    """Visible rows of Android 11 and older: hidden charge spread in proportion to own charge plus screen share.

    rows: mAh by label, hidden ones included; screen: mAh of the screen that each visible row gets.
    """
    shares = screen or {}
    total = sum(rows.values())
    pool = sum(value for name, value in rows.items() if name in hidden and name not in NOT_SMEARED)
    rest = total - pool
    spread = abs(rest) > LEAST
    return {
        name: Smeared(
            own,
            shares.get(name, 0.0),
            pool * (own + shares.get(name, 0.0)) / rest if spread else 0.0,
        )
        for name, own in rows.items()
        if name not in hidden
    }


def smear_new(uids: Mapping[int, float], computed_mah: float, system: frozenset[int] = frozenset()) -> dict[int, float]:
    """mAh of each app with its part of the system's, Android 12 and newer; 0 for system uids.

    uids: mAh by uid; system: uids of listed system packages beside those below 10000.
    """

    def is_system(uid: int) -> bool:
        return uid % 100_000 < FIRST_APP_UID or uid in system

    theirs = sum(value for uid, value in uids.items() if is_system(uid))
    rest = computed_mah - theirs
    return {
        uid: 0.0 if is_system(uid) else value + (theirs * value / rest if abs(rest) > LEAST else 0.0)
        for uid, value in uids.items()
    }


def balance(computed_mah: float, min_drained_mah: float, max_drained_mah: float) -> tuple[float, float]:
    """(unaccounted, over-counted) mAh: how far the computed drain lies outside what the battery lost."""
    return max(0.0, min_drained_mah - computed_mah), max(0.0, computed_mah - max_drained_mah)
