"""What Android's power formulas are computed from, as a dump shows it, and what they answer.

Times are ms, powers mA, answers mAh. None means that this dump does not say; 0 means that it says 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

EXACT = "exact"  # every input is in the dump and the formula is Android's own
ESTIMATED = "estimated"  # an input is not printed and something else stands for it


@dataclass(frozen=True, slots=True)
class Controller:
    """Activity of a radio's controller: idle, receive, transmit by level, ms; mAh where the firmware reports it."""

    idle_ms: float = 0.0
    rx_ms: float = 0.0
    tx_ms: tuple[float, ...] = ()
    reported_mah: float | None = None
    sleep_ms: float | None = None  # modem only


@dataclass(frozen=True, slots=True)
class UidTimes:
    """What one uid did.

    cpu_ms: user + system; cpu_foreground_ms: `pr` records (Android 6 and older); cpu_active_ms, cpu_cluster_ms,
    cpu_speed_ms[cluster][speed]: kernel times, of which check-in dumps print only the last (`ctf`).
    top_ms, foreground_activity_ms: process state and `fg` timer. wifi_batched_ms: by bin.
    sensors_ms: by sensor handle, without GPS.
    """

    uid: int
    cpu_ms: float | None = None
    cpu_foreground_ms: float | None = None
    cpu_active_ms: float | None = None
    cpu_cluster_ms: tuple[float, ...] | None = None
    cpu_speed_ms: tuple[tuple[float, ...], ...] | None = None
    wakelock_ms: float | None = None
    top_ms: float | None = None
    foreground_activity_ms: float | None = None
    wifi: Controller | None = None
    wifi_packets: int | None = None
    wifi_running_ms: float | None = None
    wifi_scan_ms: float | None = None
    wifi_batched_ms: tuple[float, ...] = ()
    mobile_active_ms: float | None = None
    mobile_packets: int | None = None
    bluetooth: Controller | None = None
    gps_ms: float | None = None
    sensors_ms: Mapping[int, float] = field(default_factory=dict)
    audio_ms: float | None = None
    video_ms: float | None = None
    camera_ms: float | None = None
    flashlight_ms: float | None = None


@dataclass(frozen=True, slots=True)
class DeviceTimes:
    """What the whole device did while it ran on battery.

    brightness_ms: screen on by bin 0-4 (of display 0); signal_ms: by mobile signal bin; memory_ms: by bandwidth
    bucket; gps_quality_ms: by signal quality; sensors_ma: current of each sensor handle (of a bugreport).
    mobile_packets: received and sent by the whole device.
    """

    realtime_ms: float | None = None
    uptime_ms: float | None = None
    screen_on_ms: float | None = None
    brightness_ms: tuple[float, ...] = ()
    doze_ms: float | None = None
    phone_on_ms: float | None = None
    wifi: Controller | None = None
    bluetooth: Controller | None = None
    modem: Controller | None = None
    mobile_active_ms: float | None = None
    mobile_scanning_ms: float | None = None
    mobile_packets: int | None = None
    signal_ms: tuple[float, ...] = ()
    memory_ms: tuple[float, ...] = ()
    gps_quality_ms: tuple[float, ...] = ()
    sensors_ma: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Term:
    """One summand: whose (None: the device's own), component by Android's name, part of it, mAh, how sure, why."""

    uid: int | None
    component: str
    part: str
    mah: float
    status: str = EXACT
    why: str = ""


def mah(ma: float, ms: float) -> float:
    """Charge of a current over a time (UsageBasedPowerEstimator)."""
    return ma * ms / 3.6e6
