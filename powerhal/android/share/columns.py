"""What Battery Historian (2017) takes of each check-in record: columns by meaning, in its order, with its types.

Its newest check-in version is 21 (of a preview of Android 8). A column is `name:type` with a name of `records`
(`a+b` is their sum, `*` the rest of the line); types are float32 `f`, int32 `i`, int64 `l`, int64 from a rounded
double `r`, text `s`. Facts re-entered from the parsers and message definitions of google/battery-historian
(checkinparse, batterystats.proto, commit d2356ba4).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

VERSION = 21

_TRAFFIC = "mobile_rx:f mobile_tx:f wifi_rx:f wifi_tx:f mobile_rx_packets:f mobile_tx_packets:f wifi_rx_packets:f \
wifi_tx_packets:f"
_CONTROLLER = "idle:l rx:l power:r tx*:l"
_TIMER = "time:f count:f"
_STEP = "duration:f level:f screen:s power_save:s idle:s"
_SIGNAL = "none:f poor:f moderate:f good:f great:f"
_BACKGROUND = "background_mobile_rx background_mobile_tx background_wifi_rx background_wifi_tx \
background_mobile_rx_packets background_mobile_tx_packets background_wifi_rx_packets background_wifi_tx_packets"
# Android 7 itself counted the radio technologies that got a bin later under `other`
_CONNECTION = "none+oos:f gprs:f edge:f umts:f cdma:f evdo_0:f evdo_a:f 1xrtt:f hsdpa:f hsupa:f hspa:f iden:f \
evdo_b:f lte:f ehrpd:f hspap:f other+gsm+td_scdma+iwlan+lte_ca+nr+emngcy:f"
_SUPPLICANT = "invalid:f disconnected:f interface_disabled:f inactive:f scanning:f authenticating:f associating:f \
associated:f four_way_handshake:f group_handshake:f completed:f dormant:f uninitialized:f"
_WIFI_STATE = "off:f off_scanning:f on_no_networks:f on_disconnected:f on_connected_sta:f on_connected_p2p:f \
on_connected_sta_p2p:f soft_ap:f"
_BT_STATE = "inactive:f low:f medium:f high:f"

_WL_18 = "{0}.time:f {0}.letter:s {0}.count:f"


def _wakelock(group: str) -> str:
    return "name:s " + " ".join(group.format(g) for g in ("full", "partial", "window"))


COLUMNS: dict[str, str] = {
    "uid": "app_id:i package:s",
    "dsd": _STEP, "csd": _STEP, "dtr": "remaining:l", "ctr": "remaining:l",
    "bt": "start_count:f battery_realtime:f battery_uptime:f total_realtime:f total_uptime:f start_clock:l "
    "screen_off_realtime:f screen_off_uptime:f estimated_capacity:l min_learned_capacity:l max_learned_capacity:l",
    "gn": f"{_TRAFFIC} bluetooth_rx:l bluetooth_tx:l",
    "gmcd": _CONTROLLER, "gwfcd": _CONTROLLER, "gble": _CONTROLLER,
    "mcd": _CONTROLLER, "wfcd": _CONTROLLER, "ble": _CONTROLLER,
    "gwfl": "wifi_on:f wifi_running:f idle:f rx:f tx:f power:f",
    "m": "screen_on:f phone_on:f full_wakelock:f partial_wakelock:f radio_active:f radio_active_adjusted:f "
    "interactive:f power_save:f connectivity_changes:f deep_doze:f deep_doze_count:f deep_idling:f "
    "deep_idling_count:f radio_active_count:f radio_active_unknown:f light_doze:l light_doze_count:i "
    "light_idling:l light_idling_count:i longest_light_doze:l longest_deep_doze:l",
    "br": "dark:f dim:f medium:f light:f bright:f",
    "sgt": _SIGNAL, "sgc": _SIGNAL, "wsgt": _SIGNAL, "wsgc": _SIGNAL, "sst": "scanning:f",
    "dct": _CONNECTION, "dcc": _CONNECTION, "wst": _WIFI_STATE, "wsc": _WIFI_STATE,
    "wsst": _SUPPLICANT, "wssc": _SUPPLICANT, "bst": _BT_STATE, "bsc": _BT_STATE,
    "lv": "start_level:f current_level:f",
    "dc": "low:f high:f screen_on:f screen_off:f total:l total_screen_off:l",
    "kwl": "name:s time:f count:f current:l max:l",
    "wr": "name:s time:f count:f",
    "pws": "capacity:f computed:f min_drained:f max_drained:f",
    "pwi": "label:s power:f",
    "nt": f"{_TRAFFIC} radio_active:f radio_active_count:f bluetooth_rx:l bluetooth_tx:l mobile_wakeups:i "
    "wifi_wakeups:i " + " ".join(f"{name}:l" for name in _BACKGROUND.split()),
    "wfl": "full_lock:f scan:f running:f scan_count:f idle:f rx:f tx:f background_scan_count:i scan_actual:l "
    "background_scan_actual:l",
    "blem": "time:l count:i background_count:i actual:l background_actual:l results:i",
    "ua": "other:f button:f touch:f accessibility:f",
    "wl": _wakelock(_WL_18 + " {0}.current:l {0}.max:l {0}.total:l"),
    "sy": "name:s time:f count:f background_time:l background_count:i",
    "jb": "name:s time:f count:f background_time:l background_count:i",
    "fla": _TIMER, "cam": _TIMER, "vid": _TIMER, "aud": _TIMER, "vib": _TIMER, "fg": _TIMER,
    "sr": "sensor:i time:f count:f background_count:i actual:l background_actual:l",
    # a heavy-weight process was one of the background until it got a state of its own
    "st": "top:l foreground_service:l top_sleeping:l foreground:f background+heavy_weight:l cached:f",
    "cpu": "user:f system:f power:f",
    "pr": "name:s user:f system:f foreground:f starts:f anrs:f crashes:f",
    "wua": "name:s count:i",
    "apk": "wakeups:f package:s service:s start_time:f starts:f launches:f",
}  # fmt: skip

_OLD_M = "screen_on phone_on wifi_on wifi_running bluetooth_on mobile_rx mobile_tx wifi_rx wifi_tx full_wakelock \
partial_wakelock reserved radio_active radio_active_adjusted interactive power_save connectivity_changes"

# dumps that are old already keep their version: what it reads there otherwise, below each version
OLDER: tuple[tuple[int, dict[str, str]], ...] = (
    (14, {"m": " ".join(f"{name}:f" for name in _OLD_M.split())}),
    (17, {"st": "foreground_or_above:f active_or_above:f running_or_above:f", "gble": "idle:f rx:f tx:f power:f"}),
    (19, {"wl": _wakelock(_WL_18)}),
    (21, {"wl": _wakelock(_WL_18 + " {0}.current:l {0}.max:l")}),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the old form: the columns it is summed from, its type, whether it takes the rest of the line."""

    parts: tuple[str, ...]
    kind: str
    rest: bool = False


@lru_cache(maxsize=512)
def columns(code: str, version: int = VERSION) -> tuple[Column, ...]:
    """The form of a code in a version of at most `VERSION`; empty for a code that is not read there."""
    older = next((table[code] for below, table in OLDER if version < below and code in table), None)
    out = []
    for word in (older or COLUMNS.get(code, "")).split():
        name, kind = word.rsplit(":", 1)
        out.append(Column(tuple(name.rstrip("*").split("+")), kind, name.endswith("*")))
    return tuple(out)


# all columns must be there; a shorter line of another code is taken as far as it goes
WHOLE = frozenset(
    ["br", "sgt", "sgc", "wsgt", "wsgc", "dct", "dcc", "wst", "wsc", "wsst", "wssc", "bst", "bsc", "st", "wl", "sst"]
)
CONTROLLERS = frozenset(["gmcd", "gwfcd", "gble", "mcd", "wfcd", "ble"])
# columns below which it gives up
LEAST = {"uid": 2, "pwi": 2, "apk": 2, "wfl": 3, "m": 2, **dict.fromkeys(CONTROLLERS, 4)}
# a second line of these is an error there
ONCE = frozenset(
    [
        "bt",
        "gn",
        "m",
        "br",
        "sst",
        "lv",
        "dc",
        "pws",
        "dtr",
        "ctr",
        "sgt",
        "sgc",
        "wsgt",
        "wsgc",
        "dct",
        "dcc",
        "wst",
        "wsc",
        "wsst",
        "wssc",
        "bst",
        "bsc",
    ]
)
NOT_TRACKED = -1  # what the platform prints for a wake lock time that nobody counts
POWER_ITEMS = frozenset(
    ["idle", "cell", "phone", "wifi", "blue", "scrn", "uid", "user", "unacc", "over", "???", "flashlight"]
)
STEP_WORDS = {
    "screen": ("s+", "s-", "sd", "sds", ""), "power_save": ("p+", "p-", "", "i+", "i-"), "idle": ("i+", "i-", ""),
}  # fmt: skip

# app ids that it names itself (system/core android_filesystem_config.h of 2017)
KNOWN_APP_IDS = frozenset(
    {0, 9997, 9998, 9999, *range(1000, 1062), *range(2000, 2003), *range(3001, 3011)} - {1022, 1025}
)


def app_id_there(uid: int) -> int:
    """The app id that it files a uid under: without the user, shared group ids folded onto their apps."""
    app = uid % 100_000 if uid >= 0 else -(-uid % 100_000)
    return app - 40_000 if 50_000 <= app <= 59_999 else app
