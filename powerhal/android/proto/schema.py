"""Messages of a phone's protobuf dumps as rows: field number, name, type; `*` marks a repeated field.

Facts re-entered from the platform's protocol definitions under `core/proto/android`: `os/batterystats.proto` (as of
Android 11; what Android 9 and 16 write has the same numbers), `service/batterystats.proto` (Dump, History, HistoryKey;
9 to 16), `os/batteryusagestats.proto` (Usage and below: Android 12 has the fields 1 to 6 and no slices, later ones have
all) and `server/powerstatsservice.proto` (Meter, Model, Residency and below, and the numbers of Incident).
Types are int, double, str or the name of another message; enums are ints, their words are the tuples below.
"""

from __future__ import annotations

from functools import cache

_TIMED = "2 total Timer"
_NAMED = f"1 name str, {_TIMED}"
_BY_NUMBER = f"1 name int, {_TIMED}"
_POWER = (
    "computed_power_mah double, {1} should_hide int, {2} screen_power_mah double, {3} proportional_smear_mah double"
)

MESSAGES: dict[str, str] = {
    "Dump": "1 batterystats BatteryStats",
    "BatteryStats": "1 report_version int, 2 parcel_version int, 3 start_platform_version str, "
    "4 end_platform_version str, 5 uids Uid*, 6 system System",
    "Controller": "1 idle_duration_ms int, 2 rx_duration_ms int, 3 power_mah int, 4 tx TxLevel*, "
    "5 monitored_rail_charge_mah double",
    "TxLevel": "1 level int, 2 duration_ms int",
    "Timer": "1 duration_ms int, 2 count int, 3 max_duration_ms int, 4 current_duration_ms int, "
    "5 total_duration_ms int",
    "System": "1 battery Battery, 2 battery_discharge Discharge, 3 charge_time_remaining_ms int, "
    "4 discharge_time_remaining_ms int, 5 charge_step Step*, 6 discharge_step Step*, 7 cpu_frequency int*, "
    "8 data_connection Connection*, 9 global_bluetooth_controller Controller, 10 global_modem_controller Controller, "
    "11 global_wifi_controller Controller, 12 global_network Traffic, 13 global_wifi GlobalWifi, "
    "14 kernel_wakelock Named*, 15 misc Misc, 16 phone_signal_strength ByNumber*, 17 power_use_item PowerItem*, "
    "18 power_use_summary PowerSummary, 19 resource_power_manager Resource*, 20 screen_brightness ByNumber*, "
    "21 signal_scanning Timer, 22 wakeup_reason Named*, 23 wifi_multicast_wakelock_total Timer, "
    "24 wifi_signal_strength ByNumber*, 25 wifi_state ByNumber*, 26 wifi_supplicant_state ByNumber*",
    "Battery": "1 start_clock_time_ms int, 2 start_count int, 3 total_realtime_ms int, 4 total_uptime_ms int, "
    "5 battery_realtime_ms int, 6 battery_uptime_ms int, 7 screen_off_realtime_ms int, 8 screen_off_uptime_ms int, "
    "9 screen_doze_duration_ms int, 10 estimated_battery_capacity_mah int, 11 min_learned_battery_capacity_uah int, "
    "12 max_learned_battery_capacity_uah int",
    "Discharge": "1 low_percent int, 2 high_percent int, 3 screen_on_percent int, 4 screen_off_percent int, "
    "5 screen_doze_percent int, 6 total_mah int, 7 total_screen_off_mah int, 8 total_screen_doze_mah int, "
    "9 total_light_doze_mah int, 10 total_deep_doze_mah int",
    "Step": "1 duration_ms int, 2 level int, 3 display_state int, 4 power_save_mode int, 5 idle_mode int",
    "Connection": "1 name int, 2 is_none int, 3 total Timer",
    "Traffic": "1 mobile_rx_bytes int, 2 mobile_tx_bytes int, 3 wifi_rx_bytes int, 4 wifi_tx_bytes int, "
    "5 mobile_rx_packets int, 6 mobile_tx_packets int, 7 wifi_rx_packets int, 8 wifi_tx_packets int, "
    "9 bluetooth_rx_bytes int, 10 bluetooth_tx_bytes int",
    "GlobalWifi": "1 on_duration_ms int, 2 running_duration_ms int",
    "Named": _NAMED,
    "ByNumber": _BY_NUMBER,
    "Resource": f"{_NAMED}, 3 screen_off Timer",
    "Misc": "1 screen_on_ms int, 2 phone_on_ms int, 3 full_wakelock_ms int, 4 partial_wakelock_ms int, "
    "5 radio_active_ms int, 6 radio_active_adjusted_ms int, 7 radio_active_count int, 8 radio_active_unknown_ms int, "
    "9 interactive_ms int, 10 power_save_ms int, 11 connectivity_changes int, 12 deep_doze_ms int, "
    "13 deep_doze_count int, 14 deep_idling_ms int, 15 deep_idling_count int, 16 longest_deep_doze_ms int, "
    "17 light_doze_ms int, 18 light_doze_count int, 19 light_idling_ms int, 20 light_idling_count int, "
    "21 longest_light_doze_ms int",
    "PowerItem": "1 name int, 2 uid int, 3 " + _POWER.format("", 4, 5, 6),
    "PowerSummary": "1 battery_capacity_mah double, 2 computed_power_mah double, 3 min_drained_power_mah double, "
    "4 max_drained_power_mah double",
    "Uid": "1 uid int, 2 packages Package*, 3 bluetooth_controller Controller, 4 modem_controller Controller, "
    "5 wifi_controller Controller, 6 bluetooth_scan BluetoothScan, 7 cpu Cpu, 8 audio Timer, 9 camera Timer, "
    "10 flashlight Timer, 11 foreground_activity Timer, 12 foreground_service Timer, 13 vibrator Timer, "
    "14 video Timer, 15 jobs Background*, 16 job_stops JobStops*, 17 network UidTraffic, 18 power_use_item UidPower, "
    "19 processes Process*, 20 states StateTime*, 21 sensors Sensor*, 22 syncs Background*, "
    "23 user_activity Count*, 24 partial_wakelocks Aggregated, 25 wakelocks Wakelock*, 26 alarms NamedCount*, "
    "27 wifi Wifi, 28 wifi_multicast Timer",
    "Package": "1 name str, 2 services Service*",
    "Service": "1 name str, 2 start_duration_ms int, 3 start_count int, 4 launch_count int",
    "BluetoothScan": "1 apportioned Timer, 2 background Timer, 3 unoptimized Timer, 4 background_unoptimized Timer, "
    "5 results int, 6 background_results int",
    "Cpu": "1 user_duration_ms int, 2 system_duration_ms int, 3 by_frequency Frequency*, 4 by_process_state StateCpu*",
    "Frequency": "1 frequency_index int, 2 total_duration_ms int, 3 screen_off_duration_ms int",
    "StateCpu": "1 process_state int, 2 by_frequency Frequency*",
    "Background": f"{_NAMED}, 3 background Timer",
    "JobStops": "1 name str, 2 reason_count Count*",
    "Count": "1 name int, 2 count int",
    "NamedCount": "1 name str, 2 count int",
    "UidTraffic": "1 mobile_rx_bytes int, 2 mobile_tx_bytes int, 3 wifi_rx_bytes int, 4 wifi_tx_bytes int, "
    "5 bluetooth_rx_bytes int, 6 bluetooth_tx_bytes int, 7 mobile_rx_packets int, 8 mobile_tx_packets int, "
    "9 wifi_rx_packets int, 10 wifi_tx_packets int, 11 radio_active_ms int, 12 radio_active_count int, "
    "13 mobile_wakeups int, 14 wifi_wakeups int, 15 background_mobile_rx_bytes int, 16 background_mobile_tx_bytes int, "
    "17 background_wifi_rx_bytes int, 18 background_wifi_tx_bytes int, 19 background_mobile_rx_packets int, "
    "20 background_mobile_tx_packets int, 21 background_wifi_rx_packets int, 22 background_wifi_tx_packets int",
    "UidPower": "1 " + _POWER.format("", 2, 3, 4),
    "Process": "1 name str, 2 user_ms int, 3 system_ms int, 4 foreground_ms int, 5 starts int, 6 anrs int, "
    "7 crashes int",
    "StateTime": "1 state int, 2 duration_ms int",
    "Sensor": "1 sensor int, 2 apportioned Timer, 3 background Timer",
    "Aggregated": "1 partial_ms int, 2 background_partial_ms int",
    "Wakelock": "1 name str, 2 full Timer, 3 partial Timer, 4 background_partial Timer, 5 window Timer",
    "Wifi": "1 full_lock_ms int, 2 running_ms int, 3 apportioned_scan Timer, 4 background_scan Timer",
    "History": "1 report_version int, 2 parcel_version int, 3 start_platform_version str, "
    "4 end_platform_version str, 5 keys HistoryKey*, 6 csv_lines str*",
    "HistoryKey": "1 index int, 2 uid int, 3 tag str",
    "Usage": "1 session_start_ms int, 2 session_end_ms int, 3 session_duration_ms int, 4 device Consumed, "
    "5 uids UidConsumed*, 6 session_discharge_percent int, 7 discharge_duration_ms int, 8 models ComponentModel*",
    "UidConsumed": "1 uid int, 2 consumed Consumed, 3 foreground_ms int, 4 background_ms int",
    "Consumed": "1 total_dc int, 2 components ComponentUse*, 3 slices Slice*",
    "ComponentUse": "1 component int, 2 power_dc int, 3 duration_ms int",
    "Slice": "1 use ComponentUse, 2 process_state int",
    "ComponentModel": "1 component int, 2 power_model int",
    "Meter": "1 channel Channel*, 2 energy_measurement EnergyMeasurement*",
    "Channel": "1 id int, 2 name str, 3 subsystem str",
    "EnergyMeasurement": "1 id int, 2 timestamp_ms int, 3 energy_uws int, 4 duration_ms int",
    "Model": "1 energy_consumer EnergyConsumer*, 2 energy_consumer_result EnergyConsumerResult*",
    "EnergyConsumer": "1 id int, 2 ordinal int, 3 type int, 4 name str",
    "EnergyConsumerResult": "1 id int, 2 timestamp_ms int, 3 energy_uws int, 4 attribution Attribution*",
    "Attribution": "1 uid int, 2 energy_uws int",
    "Residency": "1 power_entity PowerEntity*, 2 state_residency_result StateResidencyResult*",
    "PowerEntity": "1 id int, 2 name str, 3 states State*",
    "State": "1 id int, 2 name str",
    "StateResidencyResult": "1 id int, 2 state_residency_data StateResidency*",
    "StateResidency": "1 id int, 2 total_time_in_state_ms int, 3 total_state_entry_count int, "
    "4 last_entry_timestamp_ms int",
    "Incident": "3054 meter Meter, 3055 model Model, 3056 residency Residency",
}
SIPPERS = (
    "unknown", "idle", "mobile_radio", "phone", "wifi", "bluetooth", "flashlight", "screen", "user", "unaccounted",
    "overcounted", "camera", "memory", "ambient_display",
)  # fmt: skip
# of Usage: Slice.process_state as `dumpsys batterystats --usage` prints them, ComponentModel.power_model
USAGE_STATES = ("unspecified", "fg", "bg", "fgs", "cached")
POWER_MODELS = ("undefined", "power profile", "measured energy")
STATES = ("top", "foreground_service", "foreground", "background", "top_sleeping", "heavy_weight", "cached")


@cache
def fields(message: str) -> dict[int, tuple[str, str, bool]]:
    """Field number to (name, type, repeated) of a message."""
    out = {}
    for part in MESSAGES[message].split(","):
        number, name, kind = part.split()
        out[int(number)] = (name, kind.rstrip("*"), kind.endswith("*"))
    return out
