"""Names of everything the battery history says: check-in token, long name of the text form, kind and unit.

Facts re-entered from the platform's `BatteryStats.java` (HISTORY_STATE_DESCRIPTIONS, HISTORY_EVENT_NAMES) at
API 21 to 34. One vocabulary serves both forms: the long names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """One token: `kind` is bit, event, number or enum; `unit` of a number; `values` short to long of an enum."""

    name: str
    kind: str
    unit: str = ""
    values: tuple[tuple[str, str], ...] = ()


def _enum(name: str, pairs: str = "") -> Word:
    return Word(name, "enum", "", tuple((p.split(":")[0], p.split(":")[1]) for p in pairs.split()))


_BITS = """r:running w:wake_lock s:sensor g:gps Wl:wifi_full_lock Ws:wifi_scan Wm:wifi_multicast Wr:wifi_radio
Pr:mobile_radio Psc:phone_scanning a:audio S:screen BP:plugged Sd:screen_doze ps:power_save lp:low_power v:video
Ww:wifi_running W:wifi fl:flashlight ch:charging Ud:usb_data Pcl:phone_in_call b:bluetooth ca:camera bles:ble_scan
Chtp:cellular_high_tx_power"""
_EVENTS = """Enl:null Epr:proc Efg:fg Etp:top Esy:sync Ewl:wake_lock_in Ejb:job Eur:user Euf:userfg Ecn:conn
Eac:active Epi:pkginst Epu:pkgunin Eal:alarm Est:stats Esm:motion Eai:pkginactive Eaa:pkgactive Etw:tmpwhitelist
Esw:screenwake Ewa:wakeupap Elw:longwake Eec:est_capacity"""
_LEVELS = "0:none 1:poor 2:moderate 3:good 4:great"

WORDS: dict[str, Word] = {
    **{short: Word(name, "bit") for short, name in (pair.split(":") for pair in _BITS.split())},
    **{short: Word(name, "event") for short, name in (pair.split(":") for pair in _EVENTS.split())},
    "Bl": Word("battery_level", "number", "%"),
    "Bs": _enum("status", "?:unknown c:charging d:discharging n:not-charging f:full"),
    "Bh": _enum("health", "?:unknown g:good h:overheat d:dead v:over-voltage f:failure c:cold"),
    "Bp": _enum("plug", "n:none a:ac u:usb w:wireless d:dock"),
    "Bt": Word("temp", "number", "0.1 degC"),
    "Bv": Word("volt", "number", "mV"),
    "Bcc": Word("charge", "number", "mAh"),
    "Mrc": Word("modemRailChargemAh", "number", "mAh"),
    "Wrc": Word("wifiRailChargemAh", "number", "mAh"),
    "Pcn": _enum("data_conn"),
    "Pst": _enum("phone_state", "in:in out:out em:emergency off:off"),
    "Pss": _enum("phone_signal_strength", _LEVELS),
    "Sb": _enum("brightness", "0:dark 1:dim 2:medium 3:light 4:bright"),
    "di": _enum("device_idle"),
    "Wss": _enum("wifi_signal_strength"),
    "Wsp": _enum("wifi_suppl"),
    "Gss": _enum("gps_signal_quality"),
    "wr": Word("wake_reason", "event"),
    "Dcpu": Word("cpu_times", "detail"),
    "Dpst": Word("proc_stat", "detail"),
    "XE": Word("energy_consumers", "detail"),
    "XB": Word("power_bracket", "detail"),
    "XC": Word("uid_cpu_brackets", "detail"),
}
# words that only the text form has
TEXT_WORDS = {"cpu", "/proc/stat", "ext"}
BY_NAME: dict[str, Word] = {word.name: word for word in WORDS.values()}
LONG: dict[str, dict[str, str]] = {short: dict(word.values) for short, word in WORDS.items()}
COMMANDS = ("RESET", "TIME", "START", "SHUTDOWN", "*OVERFLOW*")
