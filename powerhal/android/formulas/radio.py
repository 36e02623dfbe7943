"""Wi-Fi, mobile radio, Bluetooth: the calculators of those names, with their fall-backs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from powerhal.android.formulas.inputs import ESTIMATED, EXACT, Controller, DeviceTimes, Term, UidTimes, mah
from powerhal.android.profile.values import PowerProfile

MODEM_BLOCK_API = 33
WIFI_ESTIMATOR_API = 23
SIGNAL_BINS = 5
_WIFI_BPS = 1e6  # rates that the platform assumes for a packet of 2048 bytes
_MOBILE_BPS = 200_000.0
_PACKET_BYTES = 2048


def wifi(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """By the controller's times where profile and dump have them, else by packets, running, scans.

    Android 5 divides a packet's charge by 3600 once too often, as it does for mobile data.
    """
    powers = _controller_ma(profile, "wifi")
    if device.wifi is not None and all(powers):
        yield from _shared("wifi", device.wifi, ((u.uid, u.wifi) for u in uids), powers)
        return
    per_packet = profile.average("wifi.active") / 3600 / (_WIFI_BPS / 8 / _PACKET_BYTES)
    per_packet /= 3600 if api < WIFI_ESTIMATOR_API else 1
    for uid in uids:
        if uid.wifi_packets:
            yield Term(uid.uid, "wifi", "packets", uid.wifi_packets * per_packet)
        for part, name, ms in (("running", "wifi.on", uid.wifi_running_ms), ("scan", "wifi.scan", uid.wifi_scan_ms)):
            if ms:
                yield Term(uid.uid, "wifi", part, mah(profile.average(name), ms))
        if any(uid.wifi_batched_ms):
            batched = (mah(profile.average("wifi.batchedscan", i), ms) for i, ms in enumerate(uid.wifi_batched_ms))
            yield Term(uid.uid, "wifi", "batched scan", sum(batched))


def bluetooth(profile: PowerProfile, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """What the controller reports, else its times."""
    if device.bluetooth is not None:
        shares = ((u.uid, u.bluetooth) for u in uids)
        yield from _shared("bluetooth", device.bluetooth, shares, _controller_ma(profile, "bluetooth"))


def mobile(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """Active time of each uid, then the device's rest, scanning and signal bins (or the modem's sleep and idle)."""
    if api >= 31:
        yield from _mobile_shared(profile, api, device, uids)
    else:
        yield from _mobile_timed(profile, device, uids)
    block = profile.modem if api >= MODEM_BLOCK_API else None
    if block is not None and device.modem is not None:
        if device.modem.sleep_ms is not None:
            yield Term(None, "mobile_radio", "sleep", mah(block.sleep_ma or 0.0, device.modem.sleep_ms))
        yield Term(None, "mobile_radio", "idle", mah(block.idle_ma or 0.0, device.modem.idle_ms))
        return
    if device.mobile_scanning_ms:
        scanning = mah(profile.average("radio.scanning"), device.mobile_scanning_ms)
        yield Term(None, "mobile_radio", "scanning", scanning)
    if device.signal_ms:
        bins = signal_ma(profile)
        by_bin = (mah(bins[min(i, len(bins) - 1)], ms) for i, ms in enumerate(device.signal_ms))
        yield Term(None, "mobile_radio", "signal", sum(by_bin))


def active_ma(profile: PowerProfile) -> float:
    """`radio.active`, else the mean of the modem controller's receive and transmit powers."""
    given = profile.get("radio.active")
    if given is not None:
        return given
    transmit = profile.arrays.get("modem.controller.tx") or (profile.average("modem.controller.tx"),) * SIGNAL_BINS
    return (profile.average("modem.controller.rx") + sum(transmit)) / (len(transmit) + 1)


def signal_ma(profile: PowerProfile) -> tuple[float, ...]:
    """`radio.on` by signal bin, else fractions of the controller's idle power (bin 0: no signal)."""
    if profile.has("radio.on"):
        return tuple(profile.average("radio.on", i) for i in range(SIGNAL_BINS))
    idle = profile.average("modem.controller.idle")
    return (idle * 25 / 180, *(max(1.0, idle / 256),) * (SIGNAL_BINS - 1))


def _mobile_shared(profile: PowerProfile, api: int, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """Android 12 and newer: the device's active charge, shared by active time."""
    own_ms = sum(u.mobile_active_ms or 0.0 for u in uids)
    if device.mobile_active_ms is None and not own_ms:
        return
    total_ms = max(device.mobile_active_ms or 0.0, own_ms)
    total, status, why = _active_mah(profile, api, device)
    if total is None:
        total = mah(active_ma(profile), device.mobile_active_ms or own_ms)
    given = 0.0
    for uid in uids:
        if uid.mobile_active_ms:
            share = total * uid.mobile_active_ms / total_ms
            given += share
            yield Term(uid.uid, "mobile_radio", "active", share, status, why)
    yield Term(None, "mobile_radio", "active rest", max(0.0, total - given), status, why)


def _active_mah(profile: PowerProfile, api: int, device: DeviceTimes) -> tuple[float | None, str, str]:
    """Charge of the modem's receive and transmit times by the `<modem>` block; None without them."""
    block = profile.modem.find("DEFAULT") if profile.modem is not None and api >= MODEM_BLOCK_API else None
    if block is None or device.modem is None:
        return None, EXACT, ""
    receive = mah(block.receive_ma or 0.0, device.modem.rx_ms)
    transmit = sum(mah(ma or 0.0, ms) for ma, ms in zip(block.transmit_ma, device.modem.tx_ms, strict=False))
    others = profile.modem is not None and len(profile.modem.active) > 1
    why = "the dump does not tell the radio technologies apart; all counts as DEFAULT" if others else ""
    return receive + transmit, ESTIMATED if others else EXACT, why


def _mobile_timed(profile: PowerProfile, device: DeviceTimes, uids: Sequence[UidTimes]) -> Iterator[Term]:
    """Android 11 and older: active time of a uid, by packets where no active time was kept."""
    ma = active_ma(profile)
    rate, measured = _packet_rate(device, uids)
    why = "" if measured else "the device's packets are not in the dump; the platform's default rate stands for them"
    given_ms = 0.0
    for uid in uids:
        if uid.mobile_active_ms:
            given_ms += uid.mobile_active_ms
            yield Term(uid.uid, "mobile_radio", "active", mah(ma, uid.mobile_active_ms))
        elif uid.mobile_packets:
            used = uid.mobile_packets * (ma / 3600 / rate) / 3600
            yield Term(uid.uid, "mobile_radio", "packets", used, EXACT if measured else ESTIMATED, why)
    if device.mobile_active_ms is not None:
        rest_ms = max(0.0, device.mobile_active_ms - given_ms)
        yield Term(None, "mobile_radio", "active rest", mah(ma, rest_ms))


def _packet_rate(device: DeviceTimes, uids: Sequence[UidTimes]) -> tuple[float, bool]:
    """What the platform divides by, and whether it is what this device had.

    MobileRadioPowerCalculator takes packets per *millisecond* of active time where it has both, else a default per
    second, and divides by 3600 once too often; so does this, or the numbers would not be the platform's.
    """
    if device.mobile_packets and device.mobile_active_ms:
        return device.mobile_packets / device.mobile_active_ms, True
    known = device.mobile_packets is not None and device.mobile_active_ms is not None
    return _MOBILE_BPS / 8 / _PACKET_BYTES, known


def _controller_ma(profile: PowerProfile, radio: str) -> tuple[float, float, float]:
    idle, rx, tx = (profile.average(f"{radio}.controller.{state}") for state in ("idle", "rx", "tx"))
    return idle, rx, tx


def _controller_mah(controller: Controller, powers: tuple[float, float, float]) -> float:
    """Reported charge where there is one, else times and powers."""
    if controller.reported_mah:
        return controller.reported_mah
    idle, rx, tx = powers
    return mah(idle, controller.idle_ms) + mah(rx, controller.rx_ms) + mah(tx, sum(controller.tx_ms))


def _shared(
    component: str,
    device: Controller,
    uids: Iterator[tuple[int, Controller | None]],
    powers: tuple[float, float, float],
) -> Iterator[Term]:
    given = 0.0
    for uid, controller in uids:
        if controller is not None:
            used = _controller_mah(controller, powers)
            given += used
            yield Term(uid, component, "controller", used)
    yield Term(None, component, "controller rest", max(0.0, _controller_mah(device, powers) - given))
