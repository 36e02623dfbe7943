"""Lines composed from the print statements of `BatteryStats.java` (dumpLocked); the API level stands beside each."""

from __future__ import annotations

from typing import Any

import pytest

from powerhal.android.human.text import TextReader
from powerhal.android.issues import Issues
from powerhal.android.statistics import Statistics, UidUse

HEAD = "Statistics since last charge:\n"


def reader(text: str) -> TextReader:
    """The text read, every line of which must be understood."""
    out = TextReader(Issues())
    for number, line in enumerate(text.split("\n"), 1):
        assert out.feed(number, line) or not line.strip(), line
    assert not out.issues.total
    return out


def statistics(text: str) -> Statistics:
    return reader(HEAD + text).windows["l"]


def uid(text: str) -> UidUse:
    lines = "\n".join(f"    {line}" for line in text.split("\n"))
    return statistics(f"  u0a12:\n{lines}").uids[10012]


DEVICE: list[tuple[str, str, dict[str, Any]]] = [
    ("21", "  System starts: 3, currently on battery: true", {"battery_time": {"start_count": 3}}),
    ("21", "  Start clock time: 2015-02-03-04-05-06", {"battery_time": {"start_clock_local": "2015-02-03-04-05-06"}}),
    (
        "21",
        "  Mobile total received: 1.50KB, sent: 2B (packets received 7, sent 8)",
        {
            "network": {
                "mobile_rx_bytes": 1536.0, "mobile_tx_bytes": 2.0, "mobile_rx_packets": 7, "mobile_tx_packets": 8,
            }
        },
    ),
    ("24, a phone set to German", "  Wi-Fi total received: 1,50MB, sent: 0B (packets received 1, sent 2)",
     {"network": {"wifi_rx_bytes": 1572864.0, "wifi_tx_bytes": 0.0, "wifi_rx_packets": 1, "wifi_tx_packets": 2}}),
    ("21", "  Phone signal levels:\n    none 1s 0ms (0.5%) 3x\n    great 2m 0s 1ms (99.5%) 1x",
     {"phone_signal_time": {"none_ms": 1000, "great_ms": 120001}}),
    ("24", "  Radio types:\n    evdo_A 1ms (0.0%) 1x\n    1xrtt 2ms (0.0%) 1x",
     {"data_connection_time": {"evdo_a_ms": 1, "1xrtt_ms": 2}}),
    ("24", "  Wifi signal levels:\n    level(0) 1s 0ms (1.0%) 2x\n    level(4) 3ms (0.1%) 1x",
     {"wifi_signal_time": {"none_ms": 1000, "great_ms": 3}}),
    ("21", "  Wifi states:\n    no_net 5ms (0.0%) 1x\n    sta_p2p 6ms (0.0%) 1x",
     {"wifi_state_time": {"on_no_networks_ms": 5, "on_connected_sta_p2p_ms": 6}}),
    ("29", "     Wifi supplicant states:\n       4-way-handshake 7ms (0.0%) \n       uninit 8ms (0.0%) ",
     {"wifi_supplicant_time": {"four_way_handshake_ms": 7, "uninitialized_ms": 8}}),
    ("21", "  Bluetooth states:\n    med 9ms (0.0%) 1x", {"bluetooth_state_time": {"medium_ms": 9}}),
    ("21", "  Screen brightnesses: (no activity)", {}),
    ("23", "  WiFi Idle time: 1s 0ms (5%)\n  WiFi Rx time:   2ms (0%)\n  WiFi Tx time:   3ms (--%)\n"
           "  WiFi Power drain: 0.0123mAh",
     {"wifi_controller": {"idle_ms": 1000, "rx_ms": 2, "tx_0_ms": 3, "power_mah": 0.0123}}),
    ("24", "    Radio Idle time:   1ms (0%)\n    Radio Tx time:     9ms (0%)\n      [0] 4ms (0%)\n      [1] 5ms (0%)",
     {"modem_controller": {"idle_ms": 1, "tx_0_ms": 4, "tx_1_ms": 5}}),
    ("29, sleep below zero", "     WiFi Sleep time:  -56ms (-0.1%)", {"wifi_controller": {"sleep_ms": -56}}),
    ("29", "     Cellular Tx time:     \n       less than 0dBm:  1ms (0.0%)\n       above 20dBm:  2ms (0.0%)\n"
           "     Cellular Battery drain: 1.25mAh\n     Cellular Monitored rail energy drain: 0.5 mAh",
     {"modem_controller": {"tx_0_ms": 1, "tx_4_ms": 2, "power_mah": 1.25, "rail_mah": 0.5}}),
    ("29", "     Cellular data received: 5.00GB\n     Cellular packets sent: 12",
     {"network": {"mobile_rx_bytes": 5368709120.0, "mobile_tx_packets": 12}}),
    ("29", "     Cellular Rx signal strength (RSRP):\n       very poor (less than -128dBm):  3ms (0.0%) \n"
           "       poor (-128dBm to -118dBm):  4ms (0.0%) ",
     {"phone_signal_time": {"none_ms": 3, "poor_ms": 4}}),
    ("29", "     GPS signal quality (Top 4 Average CN0):\n      poor (less than 20 dBHz): 5ms (0.0%) ",
     {"gnss_signal_time": {"poor_ms": 5}}),
    ("29", "     GPS Battery Drain: 1.5mAh", {"gnss": {"power_mah": 1.5}}),
    ("32", "  MULTI-DISPLAY POWER SUMMARY START\n  Display 1 Statistics:\n    Screen on: 3s 0ms (1.0%) \n"
           "    Screen brightness levels:\n      dim 3s 0ms (100.0%)\n    Screen Doze: 4ms (0.0%) \n"
           "  MULTI-DISPLAY POWER SUMMARY END",
     {"display_1": {"screen_on_ms": 3000, "screen_doze_ms": 4}, "display_1_display_brightness": {"dim_ms": 3000}}),
    ("33", "     Active Cellular Radio Access Technology Breakdown:\n       NR:\n"
           "         Mmwave frequency (greater than 6GHz):\n           Signal Strength Time:\n"
           "             unknown:  1ms (0.0%)\n           Tx Time:\n             great:    2ms (0.0%)\n"
           "           Rx Time: 3ms (0.0%)\n     Cellular packets sent: 4",
     {"mobile_radio_breakdown": [
         {"technology": "NR", "band": "mmwave", "active": {"none_ms": 1}, "tx": {"great_ms": 2}, "rx_ms": 3}],
      "network": {"mobile_tx_packets": 4}}),
    ("33", "     Active Cellular Radio Access Technology Breakdown:\n       (no activity)", {}),
    ("26", "  Wakeup reason 57:a: b: 1m 0s 1ms (3 times) max=9 realtime",
     {"wakeup_reasons": [{"name": "57:a: b", "ms": 60001, "count": 3, "max_ms": 9}]}),
    ("26", "  Wake lock u10a3 *alarm*: 5s 0ms (2 times) max=3 actual=9 (running for 3ms) realtime",
     {"partial_wakelocks": [
         {"uid": 1010003, "name": "*alarm*", "ms": 5000, "count": 2, "max_ms": 3, "total_ms": 9}]}),
    ("27", "  Resource Power Manager Stats\n    vlow.sleep: 1m 0s 0ms realtime (12 times)",
     {"resource_power_manager": [{"name": "vlow.sleep", "ms": 60000, "count": 12}]}),
    ("29", "  Memory Stats\n  Bandwidth 3 Time 12345", {"memory_bandwidth": [{"bandwidth": 3, "time_us": 12345}]}),
    ("29", "  CPU freqs: 300000 576000", {"cpu_frequencies": {"frequency_0_khz": 300000, "frequency_1_khz": 576000}}),
    ("35", "  CPU scaling:  policy0: 384000 556800 policy6: 672000",
     {"cpu_frequencies": {"frequency_0_khz": 384000, "frequency_1_khz": 556800, "frequency_2_khz": 672000}}),
]  # fmt: skip


@pytest.mark.parametrize(("api", "text", "totals"), DEVICE)
def test_the_whole_device(api: str, text: str, totals: dict[str, Any]) -> None:
    assert statistics(text).totals == totals, api


def test_durations_of_the_device() -> None:
    found = statistics(
        "  Idle mode full time: 1m 0s 0ms (5.0%) 3x -- longest 30s 1ms \n"
        "  Total WiFi Multicast wakelock time: 1m2s3ms\n  Wifi on: 5s 0ms (1٫0%), Wifi running: 4s 0ms (%1)\n"
        "  Mobile radio active unknown time: 7ms (0.0%) 2x\n  Signal scanning time: 8ms"
    )
    assert found.durations_ms == {
        "deep_doze": 60000, "longest_deep_doze": 30001, "wifi_multicast": 62003, "wifi_on": 5000, "wifi_running": 4000,
        "radio_active_unknown": 7, "phone_scanning": 8,
    }  # fmt: skip


def test_charges_of_the_device() -> None:
    found = statistics(
        "    Discharge cycle start level: 90\n    Amount discharged (lower bound): 3\n"
        "  Screen off discharge: 0.0123 mAh"
    )
    assert found.battery == {
        "discharge": {"start_level_percent": 90, "low_percent": 3, "total_screen_off_mah": 0.0123}
    }  # fmt: skip


@pytest.mark.parametrize("more", ["", " max=12", " max=12 actual=99", " (running)", " max=3 (running for 7ms)"])
def test_kernel_wake_locks_keep_their_names(more: str) -> None:
    """printWakeLock, API 21 to 34."""
    [row] = statistics(
        f"  Kernel Wake lock PowerManagerService.WakeLocks: 5m 0s 1ms (45 times){more} realtime"
    ).wakelocks
    assert (row["name"], row["ms"], row["count"]) == ("PowerManagerService.WakeLocks", 300001, 45)


UID: list[tuple[str, str, dict[str, Any]]] = [
    ("21", "Wi-Fi network: 1.00KB received, 2B sent (packets 3 received, 4 sent)",
     {"network": {"wifi_rx_bytes": 1024.0, "wifi_tx_bytes": 2.0, "wifi_rx_packets": 3, "wifi_tx_packets": 4}}),
    ("21", "Wifi Scan: 5s 0ms (1.0%)", {"wifi": {"scan_ms": 5000}}),
    ("24", "Wifi Scan: 5s 0ms (1.0%) 6x", {"wifi": {"scan_ms": 5000, "scan_count": 6}}),
    ("26", "Wifi Running: 0ms (0.0%)\nFull Wifi Lock: 1s 0ms (0.1%)\nWifi Scan (blamed): 2ms (0.0%) 3x\n"
           "Wifi Scan (actual): 4ms (0.0%) 3x\nBackground Wifi Scan: 5ms (0.0%) 1x",
     {"wifi": {"running_ms": 0, "full_lock_ms": 1000, "scan_ms": 2, "scan_count": 3, "scan_actual_ms": 4,
               "background_scan_actual_ms": 5, "background_scan_count": 1}}),
    ("25", "Mobile radio AP wakeups: 4\nWiFi AP wakeups: 5", {"network": {"mobile_wakeups": 4, "wifi_wakeups": 5}}),
    ("24", "Mobile radio active: 1m 0s 0ms (100.0%) 3x @ 12.5 mspp",
     {"network": {"radio_active_ms": 60000, "radio_active_count": 3}}),
    ("26", "Bluetooth Scan (total actual realtime): 1s 0ms  (2 times) (currently running)\n"
           "Bluetooth Scan Results: 9 (1 in background)\n"
           "Unoptimized Bluetooth Scan (realtime): 8ms  (max 7ms )\n"
           "Unoptimized Bluetooth Scan (background realtime): 6ms  (max 5ms )",
     {"bluetooth_scan": {"actual_ms": 1000, "count": 2, "ms": 1000, "results": 9, "background_results": 1,
                         "unoptimized_ms": 8, "unoptimized_max_ms": 7, "background_unoptimized_ms": 6,
                         "background_unoptimized_max_ms": 5}}),
    ("34", "User activity: 1 other, 2 faceDown, 3 deviceState",
     {"user_activity": {"other": 1, "face_down": 2, "device_state": 3}}),
    ("21", "Wake lock a: b: 1s 0ms full (1 times), 2s 0ms partial (3 times) (running), 4ms window (1 times) realtime",
     {"wakelocks": [{"name": "a: b", "full_ms": 1000, "full_count": 1, "partial_ms": 2000, "partial_count": 3,
                     "window_ms": 4, "window_count": 1}]}),
    ("26", "TOTAL wake: 4s 862ms full, 28s 384ms blamed partial, 1m 15s 608ms actual partial, "
           "9ms actual background partial,1m 6s 94ms draw realtime",
     {"partial_wakelocks": {"full_ms": 4862, "blamed_partial_ms": 28384, "partial_ms": 75608,
                            "background_partial_ms": 9, "draw_ms": 66094}}),
    ("29", "WiFi Multicast Wakelock count = 2 time = 1m2s3ms", {"wifi_multicast": {"ms": 62003, "count": 2}}),
    ("26", "Job a/.b: 1s 0ms realtime (2 times), 3ms background (1 times)\nJob c/.d: (not used)",
     {"jobs": [{"name": "a/.b", "ms": 1000, "count": 2, "background_time_ms": 3, "background_count": 1},
               {"name": "c/.d", "ms": 0, "count": 0}]}),
    ("21", "Sync com.x/y: z/w: 2s 0ms realtime (1 times)",
     {"syncs": [{"name": "com.x/y: z/w", "ms": 2000, "count": 1}]}),
    ("28", "Job Completions a/.b: canceled(2x) timeout(1x)",
     {"job_stops": [{"name": "a/.b", "canceled": 2, "timeout": 1}]}),
    ("28", "Jobs deferred on launch times=2, count=1, totalLatencyMs=77, <3600000ms=2 <7200000ms=0 ",
     {"deferred_jobs": {"deferred_events": 2, "deferred_jobs": 1, "total_latency_ms": 77, "fresh_0": 2, "fresh_1": 0}}),
    ("21", "Sensor GPS: 1s 0ms realtime (2 times)",
     {"sensors": [{"sensor": -10000, "ms": 1000, "count": 2, "actual_ms": 1000}]}),
    ("26", "Sensor 5: 1s 0ms blamed realtime, 2s 0ms realtime (2 times), 3ms background (1 times)\n"
           "Sensor 6: (not used)",
     {"sensors": [{"sensor": 5, "ms": 1000, "count": 2, "actual_ms": 2000, "background_actual_ms": 3,
                   "background_count": 1}, {"sensor": 6, "ms": 0, "count": 0}]}),
    ("29", "Total cpu time per freq: 1 2\nTotal screen-off cpu time per freq: 3 4\n"
           "Cpu times per freq at state Fg Service: 5 6",
     {"cpu_frequencies": [{"state": "A", "frequencies": 2, "time_0_ms": 1, "time_1_ms": 2, "time_2_ms": 3,
                           "time_3_ms": 4},
                          {"state": "FS", "frequencies": 2, "time_0_ms": 5, "time_1_ms": 6}]}),
    ("21", "Proc a.b:c:\n  CPU: 1s 0ms usr + 2ms krn ; 3ms fg\n  4 proc starts\n"
           "  * Killed for cpu use: +1s over +2s (50%)",
     {"processes": [{"name": "a.b:c", "user_ms": 1000, "system_ms": 2, "foreground_ms": 3, "starts": 4}]}),
    ("23", "Proc p:\n  CPU: 1ms usr + 2ms krn ; 3ms fg\n  4 starts, 5 crashes, 6 anrs",
     {"processes": [{"name": "p", "user_ms": 1, "system_ms": 2, "foreground_ms": 3, "starts": 4, "crashes": 5,
                     "anrs": 6}]}),
    ("21", "Apk a.b:\n  7 wakeup alarms", {"alarms": [{"name": "a.b", "count": 7}]}),
    ("24", "Apk a.b:\n  Wakeup alarm *walarm*:x: 7 times\n  Service a.b.S:\n    Created for: 1s 0ms uptime\n"
           "    Starts: 2, launches: 3",
     {"alarms": [{"name": "*walarm*:x", "count": 7}],
      "services": [{"package": "a.b", "service": "a.b.S", "start_time_ms": 1000, "starts": 2, "launches": 3}]}),
    ("29", "Vibrator: 1s 0ms realtime (2 times) max=5 actual=6 (running)", {"vibrator": {"ms": 1000, "count": 2}}),
    ("21", "(nothing executed)", {}),
]  # fmt: skip


@pytest.mark.parametrize(("api", "text", "parts"), UID)
def test_one_uid(api: str, text: str, parts: dict[str, Any]) -> None:
    assert uid(text).parts == parts, api


def test_process_states_of_android_5_include_the_ones_before() -> None:
    assert uid("Foreground for: 1s 0ms\nActive for: 2s 0ms\nRunning for: 3s 0ms").process_states == {
        "foreground_or_above": {"ms": 1000}, "active_or_above": {"ms": 2000}, "running_or_above": {"ms": 3000},
    }  # fmt: skip


ANDROID_12 = """  Estimated power use (mAh):
    Capacity: 5000, Computed drain: 20.0, actual drain: 0-NaN
    Global
      screen: 10.0 [custom] apps: 10.0 duration: 1s 0ms
    UID u0a12: 7.00 ( cpu=7.00 )
    User 10: 3.00 ( cpu=3.00 )
  Per-app mobile ms per packet:
    Uid u0a12: 91.4 (126 packets over 11s519ms) 5x
    TOTAL TIME: 11s 519ms (0.3%)

"""


def test_what_follows_the_table_of_android_12_without_a_blank_line_is_no_power() -> None:
    """BatteryUsageStats.dump at API 31 and 32 ends without a line of its own."""
    found = statistics(ANDROID_12)
    assert found.uids[10012].mah == 7
    assert found.uids[10012].parts["network"] == {"radio_active_ms": 11519, "radio_active_count": 5}
    assert found.battery["drained_mah"] == {"min": 0, "max": None}
    assert [(d.name, d.mah) for d in found.devices] == [("screen", 10), ("user", 3)]


ANDROID_16 = """  Estimated power use (mAh):
    Capacity: 5000, Computed drain: 20.0, actual drain: 0-50.0
    Global
      screen: 10.0 apps: 10.0 duration: 1s 0ms
      cpu: 8.00 apps: 7.00
      (on battery, screen on)
        screen: 9.00 apps: 9.00 duration: 900ms
        cpu: 3.00 apps: 2.00
      (not on battery, screen off)
        cpu: 1.00 apps: 1.00
    UID u0a12: 17.0 fg: 5.00 bg: 1.00
      screen=10.0 (1s0ms) cpu=7.00 (2s0ms) cpu:fg=5.00 MY RAIL=0.500
      (on battery, screen on) screen=9.00 cpu=2.00 (1s0ms) cpu:fg=1.00

    UID 1000: 3.00
      cpu=3.00 (5s0ms)

    UID u0a13: 0.0100
      wifi=0.0100

  CPU freqs: 1 2
  1000:
    Phone active: 1s 0ms realtime (1 times)
"""


def test_states_of_android_16_are_parts_of_the_sums() -> None:
    """BatteryUsageStats.dump and UidBatteryConsumer.dump of Android 16, with states of power and screen."""
    found = statistics(ANDROID_16)
    assert [(d.name, d.mah) for d in found.devices] == [("screen", 10), ("cpu", 8)]
    assert found.devices[1].more["power_states"] == {
        "on battery, screen on": {"mah": 3, "apps_mah": 2},
        "not on battery, screen off": {"mah": 1, "apps_mah": 1},
    }
    assert {u.uid: u.mah for u in found.uids.values()} == {10012: 17, 1000: 3, 10013: 0.01}
    app = found.uids[10012]
    assert app.components == {"screen": 10, "cpu": 7, "MY RAIL": 0.5}
    assert app.component_ms == {"screen": 1000, "cpu": 2000}
    assert app.process_states == {"fg": {"mah": 5, "components": {"cpu": 5}}, "bg": {"mah": 1}}
    assert app.parts["power_states"]["on battery, screen on"] == {
        "components": {"screen": 9, "cpu": 2, "cpu:fg": 1}, "component_ms": {"cpu": 1000},
    }  # fmt: skip
    assert found.uids[1000].components == {"cpu": 3}


def test_the_usage_table_alone() -> None:
    """`dumpsys batterystats --usage`, from Android 12 on."""
    found = reader(ANDROID_16).windows["l"]
    assert found.battery["computed_mah"] == 20
    assert found.uids[10013].components == {"wifi": 0.01}


def test_what_the_service_prints_after_the_statistics() -> None:
    found = reader(
        HEAD + "  1000:\n    Phone active: 1s 0ms realtime (1 times)\n\nPer process state tracking available: true\n"
        "Currently mapped isolated uids:\n  99000->10169 (ref count = 1)\n  1037->1000\n\n"
        "BatteryStats constants:\n    a=b\n"
    ).windows["l"]
    assert found.totals["isolated_uids"] == {"99000": 10169, "1037": 1000}


def test_steps_are_typed_as_in_the_check_in_records() -> None:
    """dumpDurationSteps, API 21 to 36."""
    found = reader(
        "Discharge step durations:\n  #0: +3m1s0ms to 96 (screen-doze-suspend, power-save-off, device-idle-on)\n"
        "  #1: +5s0ms to 95\n  Estimated discharge time remaining: +1h0m0s0ms\n"
        "  Estimated screen off time: 1h 0m 0s 0ms \n"
    )
    conditions = "screen-doze-suspend, power-save-off, device-idle-on"
    assert found.steps["discharge"] == [
        {"duration_ms": 181000, "level_percent": 96, "conditions": conditions, "screen": "sds", "power_save": "p-",
         "idle": "i+"},
        {"duration_ms": 5000, "level_percent": 95, "conditions": ""},
    ]  # fmt: skip


def test_the_history_before_the_last_one_is_not_mixed_in() -> None:
    """`Old battery History:` (API 21 to 30) counts from another start."""
    found = reader(
        "Battery History (1% used):\n    +5s000ms (2) 099 +screen\n\n"
        "Old battery History:\n    +9h0m0s0ms (2) 012 -screen\n"
    )
    assert found.history.now_ms == 5000
    assert found.history.levels == [(5000, 99)]


def test_nothing_of_the_owner_gets_into_names_that_are_kept() -> None:
    """What a document that may be shared keeps as it is are words of the platform, whatever a line says."""
    found = uid("Job Completions a/.b: com.secret(2x) timeout(1x) unknown:13(4x)")
    assert found.parts == {"job_stops": [{"name": "a/.b", "timeout": 1, "unknown": 4}]}
    text = "     Active Cellular Radio Access Technology Breakdown:\n       SECRET:\n  Start clock time: secret"
    out = TextReader(Issues())
    for number, line in enumerate((HEAD + text).split("\n"), 1):
        out.feed(number, line)
    assert not out.windows["l"].totals
