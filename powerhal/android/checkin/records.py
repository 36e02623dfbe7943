"""Every check-in record of Android 5 to 16 as rows: code, first API level, columns with their units.

A row is `(API level, columns)`; columns are `name:unit` words, and a row that starts with `+` appends to the
row before it. The unit fixes how a column is read and printed (`KINDS`). `name*:unit` repeats to the end of
the line. Facts re-entered from the platform's `BatteryStats.java` (dumpCheckinLocked) at API 21 to 34 and
from the change list beside its CHECKIN_VERSION.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

# unit -> (kind, unit as documented). Kinds: int, count (int or N/A), double (Java's Double.toString),
# mah (the platform's formatCharge rule), str, name (may be quoted, may hold commas), letter (a constant).
KINDS: dict[str, tuple[str, str]] = {
    **{u: ("int", u) for u in ("ms", "us", "B", "packets", "n", "%", "kHz", "uAh", "mA-ms", "id", "0/1", "epoch_ms")},
    "mAh": ("mah", "mAh"),
    "mAh.int": ("int", "mAh"),
    "mAh.double": ("double", "mAh"),
    "n/a": ("count", "n"),
    "str": ("str", ""),
    "name": ("name", ""),
    "any": ("any", ""),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its name, its unit as printed on the line, and how it is read (`KINDS`)."""

    name: str
    unit: str
    kind: str


@dataclass(frozen=True, slots=True)
class Row:
    """The columns of one code from an API level on; `rest` repeats after the fixed ones."""

    since: int
    fields: tuple[Field, ...]
    rest: Field | None = None

    @property
    def named(self) -> bool:
        """Whether the first column is a name that may hold commas."""
        return bool(self.fields) and self.fields[0].kind == "name"

    def fits(self, width: int) -> bool:
        """Whether a line with this many columns can be of this row."""
        return width >= len(self.fields) if self.rest else width == len(self.fields)

    def expand(self, width: int) -> tuple[Field, ...]:
        """Exactly `width` columns: cut short, or continued by the rest or by unnamed ones."""
        more = width - len(self.fields)
        if more <= 0:
            return self.fields[:width]
        tail = self.rest or Field("extra", "", "any")
        return self.fields + tuple(Field(f"{tail.name}_{k}", tail.unit, tail.kind) for k in range(more))


def _each(names: str, unit: str) -> str:
    return " ".join(f"{name}:{unit}" for name in names.split())


def _groups(groups: str, columns: str) -> str:
    """Wake lock groups: the time, the group's letter, then `columns`; `full=f` gives `full.time full.letter ...`."""
    words = ["name:name"]
    for group in groups.split():
        name, letter = group.split("=")
        words += [f"{name}.time:ms", f"{name}.letter:={letter}"]
        words += [f"{name}.{column}" for column in columns.split()]
    return " ".join(words)


_TRAFFIC = "mobile_rx:B mobile_tx:B wifi_rx:B wifi_tx:B mobile_rx_packets:packets mobile_tx_packets:packets \
wifi_rx_packets:packets wifi_tx_packets:packets"
_CONTROLLER = (
    (23, "idle:ms rx:ms power:mAh.int tx*:ms"),
    (29, "idle:ms rx:ms power:mAh.double rail:mAh.double tx*:ms"),
)
_TIMER = ((21, "time:ms count:n"),)
_STEP = ((21, "duration:ms level:% screen:str power_save:str"), (23, "+ idle:str"))
_REMAINING = ((21, "remaining:us"),)
_NAMED = ((21, "name:name time:ms count:n"), (26, "+ background_time:ms background_count:n"))
_SIGNAL5 = "none poor moderate good great"
_RAT_15 = "gprs edge umts cdma evdo_0 evdo_a 1xrtt hsdpa hsupa hspa iden evdo_b lte ehrpd hspap"
_RAT_19 = f"{_RAT_15} gsm td_scdma iwlan lte_ca"
_SUPPLICANT = "invalid disconnected interface_disabled inactive scanning authenticating associating associated \
four_way_handshake group_handshake completed dormant uninitialized"
_WIFI_STATE = "off off_scanning on_no_networks on_disconnected on_connected_sta on_connected_p2p \
on_connected_sta_p2p soft_ap"
_BT_STATE = "inactive low medium high"
_STOP_5 = "canceled constraints preempt timeout device_idle"
_STOP_7 = f"{_STOP_5} device_thermal restricted_bucket"
_STOP_11 = f"{_STOP_7} uninstall data_cleared rtc_updated successful_finish"


def _both(names: str) -> dict[str, str]:
    return {"ms": _each(names, "ms"), "n": _each(names, "n")}


def _connections(unit: str) -> tuple[tuple[int, str], ...]:
    return (
        (21, _each(f"none {_RAT_15} other", unit)),
        (28, _each(f"none {_RAT_19} other", unit)),
        (29, _each(f"none {_RAT_19} nr other", unit)),
        (30, _each(f"oos {_RAT_19} nr emngcy other", unit)),
    )


SPECS: dict[str, tuple[tuple[int, str], ...]] = {
    # about the dump
    "vers": ((21, "checkin:n parcel:n start_build:str end_build:str"),),
    "uid": ((21, "app_id:id package:str"),),
    "dsd": _STEP,
    "csd": _STEP,
    "dtr": _REMAINING,
    "ctr": _REMAINING,
    # the whole device
    "bt": (
        (
            21,
            "start_count:n/a battery_realtime:ms battery_uptime:ms total_realtime:ms total_uptime:ms "
            "start_clock:epoch_ms screen_off_realtime:ms screen_off_uptime:ms",
        ),
        (24, "+ estimated_capacity:mAh.int"),
        (26, "+ min_learned_capacity:uAh max_learned_capacity:uAh"),
        (27, "+ screen_doze:ms"),
    ),
    "gn": ((21, _TRAFFIC), (24, "+ bluetooth_rx:B bluetooth_tx:B")),
    "gmcd": _CONTROLLER,
    "gwfcd": _CONTROLLER,
    "gble": ((23, "idle:ms rx:ms tx:ms power:mAh.int"), (24, _CONTROLLER[0][1]), (29, _CONTROLLER[1][1])),
    "gwfl": (
        (21, "wifi_on:ms wifi_running:ms"),
        (23, "+ idle:ms rx:ms tx:ms power:mAh.int"),
        (24, "wifi_on:ms wifi_running:ms idle:ms rx:ms tx:ms"),
    ),
    "m": (
        (
            21,
            "screen_on:ms phone_on:ms wifi_on:ms wifi_running:ms bluetooth_on:ms mobile_rx:B mobile_tx:B "
            "wifi_rx:B wifi_tx:B full_wakelock:ms partial_wakelock:ms reserved:n radio_active:ms "
            "radio_active_adjusted:ms interactive:ms power_save:ms",
        ),
        (22, "+ connectivity_changes:n"),
        (
            23,
            "screen_on:ms phone_on:ms full_wakelock:ms partial_wakelock:ms radio_active:ms "
            "radio_active_adjusted:ms interactive:ms power_save:ms connectivity_changes:n deep_doze:ms "
            "deep_doze_count:n deep_idling:ms deep_idling_count:n radio_active_count:n radio_active_unknown:ms",
        ),
        (
            24,
            "+ light_doze:ms light_doze_count:n light_idling:ms light_idling_count:n longest_light_doze:ms "
            "longest_deep_doze:ms",
        ),
    ),
    "br": ((21, _each("dark dim medium light bright", "ms")),),
    "sgt": ((21, _both(_SIGNAL5)["ms"]),),
    "sgc": ((21, _both(_SIGNAL5)["n"]),),
    "sst": ((21, "scanning:ms"),),
    "dct": _connections("ms"),
    "dcc": _connections("n"),
    "wst": ((21, _both(_WIFI_STATE)["ms"]),),
    "wsc": ((21, _both(_WIFI_STATE)["n"]),),
    "wsst": ((21, _both(_SUPPLICANT)["ms"]),),
    "wssc": ((21, _both(_SUPPLICANT)["n"]),),
    "wsgt": ((21, _both(_SIGNAL5)["ms"]),),
    "wsgc": ((21, _both(_SIGNAL5)["n"]),),
    "bst": ((21, _both(_BT_STATE)["ms"]),),
    "bsc": ((21, _both(_BT_STATE)["n"]),),
    "wmct": _TIMER,
    "lv": ((21, "start_level:% current_level:%"),),
    "dc": (
        (21, "low:% high:% screen_on:% screen_off:%"),
        (24, "+ total:mAh.int total_screen_off:mAh.int"),
        (27, "+ screen_doze:% total_screen_doze:mAh.int"),
        (28, "+ total_light_doze:mAh.int total_deep_doze:mAh.int"),
    ),
    "kwl": ((21, "name:name time:ms count:n"), (25, "+ current:ms max:ms")),
    "wr": ((21, "name:name time:ms count:n"),),
    "rpm": ((27, "name:name time:ms count:n"), (28, "+ screen_off_time:ms screen_off_count:n")),
    "pws": ((21, "capacity:mAh computed:mAh min_drained:mAh max_drained:mAh"),),
    "pwi": ((21, "label:str power:mAh"), (26, "+ hidden:0/1 screen:mAh proportional:mAh")),
    "gcf": ((26, "frequency*:kHz"),),
    # one uid
    "nt": (
        (21, f"{_TRAFFIC} radio_active:us radio_active_count:n"),
        (24, "+ bluetooth_rx:B bluetooth_tx:B"),
        (25, "+ mobile_wakeups:n wifi_wakeups:n"),
        (26, "+ " + " ".join(f"background_{word}" for word in _TRAFFIC.split())),
    ),
    "wfl": (
        (21, "full_lock:us scan:us running:us"),
        (23, "+ scan_count:n idle:ms rx:ms tx:ms"),
        (26, "+ background_scan_count:n scan_actual:ms background_scan_actual:ms"),
    ),
    "mcd": _CONTROLLER,
    "wfcd": _CONTROLLER,
    "ble": _CONTROLLER,
    "wmc": _TIMER,
    "blem": (
        (
            26,
            "time:ms count:n background_count:n actual:ms background_actual:ms results:n background_results:n "
            "unoptimized:ms background_unoptimized:ms unoptimized_max:ms background_unoptimized_max:ms",
        ),
    ),
    "ua": (
        (21, _each("other button touch", "n")),
        (24, "+ accessibility:n"),
        (28, "+ attention:n"),
        (34, "+ face_down:n device_state:n"),
    ),
    "awl": ((26, "partial:ms background_partial:ms"),),
    "wl": (
        (21, _groups("full=f partial=p window=w", "count:n")),
        (25, _groups("full=f partial=p window=w", "count:n current:ms max:ms")),
        (26, _groups("full=f partial=p background_partial=bp window=w", "count:n current:ms max:ms total:ms")),
    ),
    "sy": _NAMED,
    "jb": _NAMED,
    "jbc": (
        (27, "name:name " + _each(_STOP_5, "n")),
        (30, "name:name " + _each(_STOP_7, "n")),
        (31, "name:name " + _each(_STOP_11, "n")),
        (33, "name:name " + _each(f"unknown {_STOP_11}", "n")),
        (34, "name:name " + _each(f"unknown {_STOP_11} user_ui_stop anr", "n")),
    ),
    "jbd": ((28, "deferred_events:n deferred_jobs:n total_latency:ms fresh*:n"),),
    "fla": _TIMER,
    "cam": _TIMER,
    "vid": _TIMER,
    "aud": _TIMER,
    "vib": _TIMER,
    "fg": _TIMER,
    "fgs": _TIMER,
    "sr": ((21, "sensor:id time:ms count:n"), (26, "+ background_count:n actual:ms background_actual:ms")),
    "st": (
        (21, _each("foreground_or_above active_or_above running_or_above", "ms")),
        (24, _each("top foreground_service top_sleeping foreground background cached", "ms")),
        (28, _each("top foreground_service foreground background top_sleeping heavy_weight cached", "ms")),
    ),
    "cpu": ((23, "user:ms system:ms power:mA-ms"),),
    "ctf": ((26, "state:str frequencies:n time*:ms"),),
    "pr": ((21, "name:name user:ms system:ms foreground:ms starts:n"), (22, "+ anrs:n crashes:n")),
    "wua": ((24, "name:name count:n"),),
    "apk": ((21, "wakeups:n package:str service:str start_time:ms starts:n launches:n"),),
}

# codes that keep a name unquoted at every API level; the others quote from API 26 on, `wr` always
UNQUOTED = frozenset({"wl", "wua"})

WAKELOCK_LETTERS = {"f": "full", "p": "partial", "bp": "background_partial", "w": "window"}
WAKELOCK_COLUMNS = ("count:n", "current:ms", "max:ms", "total:ms")


def field(word: str) -> Field:
    """One `name:unit` word as a column."""
    name, _, unit = word.partition(":")
    kind, documented = ("letter", unit[1:]) if unit.startswith("=") else KINDS[unit]
    return Field(name, documented, kind)


@lru_cache(maxsize=512)
def rows(code: str) -> tuple[Row, ...]:
    """The rows of a code, oldest first; empty for a code of a vendor."""
    out: list[Row] = []
    for since, spec in SPECS.get(code, ()):
        words = spec.split()
        before = out[-1].fields if words[0] == "+" else ()
        words = words[words[0] == "+" :]
        star = [w for w in words if "*:" in w]
        fields = before + tuple(field(w) for w in words if w not in star)
        out.append(Row(since, fields, field(star[0].replace("*", "")) if star else None))
    return tuple(out)


@lru_cache(maxsize=4096)
def row_for(code: str, width: int, api: int) -> Row | None:
    """The row of a line: its width decides, the API level only where several rows have that width.

    `api` 0 is unknown: the newest fitting row. No row fits: the widest narrower one (a vendor's or a newer
    version's columns follow), or else the narrowest (the line is cut). None for an unknown code.
    """
    known = rows(code)
    if not known:
        return None
    fitting = [row for row in known if row.fits(width)]
    if fitting:
        return max((r for r in fitting if r.since <= (api or 99)), key=lambda r: r.since, default=fitting[0])
    narrower = [row for row in known if len(row.fields) < width]
    if not narrower:
        return min(known, key=lambda r: len(r.fields))
    return max(narrower, key=lambda r: len(r.fields))


@dataclass(frozen=True, slots=True)
class Version:
    """What a `vers` line means: API levels that print it, oldest to newest."""

    checkin: int
    parcel: int
    apis: tuple[int, ...]


VERSIONS = (
    Version(11, 114, (21,)),
    Version(12, 116, (22,)),
    Version(14, 130, (23,)),
    Version(15, 130, (23,)),
    Version(18, 147, (24,)),
    Version(19, 150, (25,)),
    Version(23, 159, (26,)),
    Version(27, 167, (27,)),
    Version(32, 177, (28,)),
    Version(34, 186, (29,)),
    Version(35, 186, (30,)),
    Version(35, 200, (31, 32)),
    Version(35, 208, (33,)),
    Version(36, 212, (34,)),
    Version(36, 214, (35, 34)),
    Version(36, 215, (36,)),
)


def api_levels(checkin: int, parcel: int) -> tuple[int, ...]:
    """API levels that print these versions, the likeliest first; vendors OR a revision into the high half.

    Versions between the known ones (previews) belong to the oldest release that is at least as new.
    """
    low = parcel & 0xFFFF
    same = [v for v in VERSIONS if v.checkin == checkin]
    pool = same or [v for v in VERSIONS if v.checkin > checkin] or VERSIONS[-1:]
    return min(pool, key=lambda v: (v.checkin, abs(v.parcel - low))).apis
