"""Android's formulas: figures of the platform's own calculator tests (AOSP, Apache-2.0), then each rule by itself.

The names AOSP `...PowerCalculatorTest` say which test a figure is from (core/tests/coretests, API 31-33).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.android.formulas.cpu import by_cluster, split_speeds
from powerhal.android.formulas.inputs import ESTIMATED, EXACT, Controller, DeviceTimes, UidTimes
from powerhal.android.formulas.model import measured_mah, recompute, share_measured
from powerhal.android.formulas.radio import active_ma, signal_ma
from powerhal.android.formulas.smear import balance, smear_new, smear_old
from powerhal.android.profile.values import Active, Modem, PowerProfile

APP, APP2 = 10_042, 10_272
AOSP = 1e-5  # the tests' own tolerance
NOTHING = DeviceTimes()


def profile(modem: Modem | None = None, **values: object) -> PowerProfile:
    """Keys with '__' for '.'; a number is an item, a list an array."""
    named = {k.replace("__", "."): v for k, v in values.items()}
    items = {k: float(v) for k, v in named.items() if isinstance(v, int | float)}
    return PowerProfile("p", items, {k: tuple(map(float, v)) for k, v in named.items() if isinstance(v, list)}, modem)


CPU = profile(
    cpu__active=720, cpu__clusters__cores=[1, 1], cpu__cluster_power__cluster0=360, cpu__cluster_power__cluster1=480,
    cpu__core_speeds__cluster0=[1, 2], cpu__core_speeds__cluster1=[1, 2],
    cpu__core_power__cluster0=[300, 400], cpu__core_power__cluster1=[500, 600],
)  # fmt: skip


@pytest.mark.parametrize(
    ("active", "clusters", "speeds", "wanted"),
    [
        (1111, (1111, 2222), ((333, 666), (999, 1333)), 1.092233),
        (3333, (3333, 4444), ((777, 1555), (2333, 3110)), 2.672322),
    ],
)
def test_aosp_cpu(active, clusters, speeds, wanted):
    uid = UidTimes(APP, cpu_active_ms=active, cpu_cluster_ms=clusters, cpu_speed_ms=speeds)
    found = recompute(CPU, 33, NOTHING, [uid])
    assert found.by_uid()[APP] == pytest.approx(wanted, abs=AOSP)
    assert {t.status for t in found.terms} == {EXACT} and found.exact_share(APP) == 1.0


def test_aosp_idle():
    found = recompute(profile(cpu__idle=720, cpu__suspend=360), 33, DeviceTimes(realtime_ms=3000, uptime_ms=2000), [])
    assert found.devices() == {"idle": pytest.approx(0.7, abs=AOSP)}


def test_aosp_wakelock():
    device = DeviceTimes(uptime_ms=6000, screen_on_ms=0)
    found = recompute(profile(cpu__idle=360), 33, device, [UidTimes(APP, wakelock_ms=1000), UidTimes(0)])
    assert found.components(APP) == {"wakelock": pytest.approx(0.1, abs=AOSP)}
    assert found.components(0) == {"wakelock": pytest.approx(0.5, abs=AOSP)}


def test_aosp_screen():
    minute = 60_000
    device = DeviceTimes(screen_on_ms=80 * minute, brightness_ms=(0, 5 * minute, 0, 70 * minute, 0))
    uids = [UidTimes(APP, top_ms=18 * minute, foreground_activity_ms=18 * minute),
            UidTimes(APP2, top_ms=90 * minute, foreground_activity_ms=95 * minute)]  # fmt: skip
    found = recompute(profile(screen__on=36, screen__full=48), 31, device, uids)
    assert found.devices()["screen"] == pytest.approx(88.4, abs=AOSP)
    assert found.by_uid() == {APP: pytest.approx(14.73333, abs=AOSP), APP2: pytest.approx(73.66666, abs=AOSP)}


WIFI = profile(
    wifi__controller__idle=360, wifi__controller__rx=480, wifi__controller__tx=720,
    wifi__on=360, wifi__scan=480, wifi__batchedscan=720, wifi__active=1080,
)  # fmt: skip


def test_aosp_wifi_by_controller_and_by_packets():
    device = DeviceTimes(wifi=Controller(4000, 2000, (1000,)))
    assert recompute(WIFI, 33, device, []).devices()["wifi"] == pytest.approx(0.86666, abs=AOSP)
    uid = UidTimes(APP, wifi_packets=120, wifi_running_ms=1000, wifi_scan_ms=1000)
    assert recompute(WIFI, 33, NOTHING, [uid]).by_uid()[APP] == pytest.approx(0.8231573, abs=AOSP)


def test_aosp_bluetooth_by_times_and_as_reported():
    given = profile(bluetooth__controller__idle=10, bluetooth__controller__rx=50, bluetooth__controller__tx=100)
    device = DeviceTimes(bluetooth=Controller(6000, 8000, (10_000,)))
    uid = UidTimes(APP, bluetooth=Controller(4000, 5000, (6000,)))
    found = recompute(given, 31, device, [uid])
    assert found.by_uid()[APP] == pytest.approx(0.24722, abs=AOSP)
    assert found.devices()["bluetooth"] == pytest.approx((60 + 400 + 1000) / 3600)
    reported = UidTimes(APP, bluetooth=Controller(4000, 5000, (6000,), reported_mah=720_000 / 3.6e6))
    assert recompute(given, 31, device, [reported]).by_uid()[APP] == pytest.approx(0.2, abs=AOSP)


RADIO = profile(
    modem__controller__idle=360, radio__scanning=720, modem__controller__rx=1440,
    modem__controller__tx=[720, 1080, 1440, 1800, 2160],
)  # fmt: skip


def test_aosp_mobile_radio():
    device = DeviceTimes(mobile_active_ms=4000, mobile_scanning_ms=3000, signal_ms=(3000, 0, 7000, 0, 0))
    found = recompute(RADIO, 33, device, [UidTimes(APP, mobile_active_ms=2000)])
    assert found.by_uid()[APP] == pytest.approx(0.8, abs=AOSP)
    assert found.devices()["mobile_radio"] == pytest.approx(2.2444, abs=1e-4)
    assert active_ma(RADIO) == 1440.0
    assert signal_ma(RADIO) == (50.0, 1.40625, 1.40625, 1.40625, 1.40625)


def test_aosp_gnss():
    given = profile(gps__on=360, gps__signalqualitybased=[720, 1440, 1800])
    assert recompute(given, 33, NOTHING, [UidTimes(APP, gps_ms=1000)]).by_uid()[APP] == pytest.approx(0.1, abs=AOSP)
    weighed = profile(gps__signalqualitybased=[720, 1440])
    device = DeviceTimes(gps_quality_ms=(1000, 3000))
    found = recompute(weighed, 33, device, [UidTimes(APP, gps_ms=1000)])
    assert found.by_uid()[APP] == pytest.approx((720 + 3 * 1440) / 4 / 3600)


def test_what_a_dump_does_not_print_is_estimated_and_said():
    uid = UidTimes(APP, cpu_speed_ms=((100, 200), (300, 400)))
    found = recompute(CPU, 33, NOTHING, [uid])
    parts = {t.part: t for t in found.terms}
    assert parts["speeds"].status == EXACT and parts["active"].status == ESTIMATED
    assert parts["active"].mah == pytest.approx(720 * 1000 / 3.6e6)
    assert parts["cluster1"].mah == pytest.approx(480 * 700 / 3.6e6) and "not print" in parts["cluster1"].why
    assert 0 < found.exact_share(APP) < 1


def test_times_that_do_not_fit_the_profile_are_dropped():
    uid = UidTimes(APP, cpu_active_ms=10, cpu_cluster_ms=(1, 2, 3), cpu_speed_ms=((1, 2, 3), (4, 5)))
    assert [t.part for t in recompute(CPU, 33, NOTHING, [uid]).terms] == ["active"]


def test_cpu_of_android_8_and_6():
    eight = profile(cpu__clusters__cores=[2, 2], cpu__active__cluster0=[10, 20], cpu__active__cluster1=[30])
    uid = UidTimes(APP, cpu_speed_ms=((1000, 2000), (3000,)))
    assert recompute(eight, 26, NOTHING, [uid]).by_uid()[APP] == pytest.approx((10 + 40 + 90) * 1000 / 3.6e6)
    six = profile(cpu__speeds=[1, 2], cpu__active=[100, 200])
    shares = UidTimes(APP, cpu_ms=1000, cpu_foreground_ms=4000, cpu_speed_ms=((1, 3),))
    assert recompute(six, 23, NOTHING, [shares]).by_uid()[APP] == pytest.approx(175 * 4000 / 3.6e6)
    unknown = recompute(six, 23, NOTHING, [UidTimes(APP, cpu_ms=1000)])
    assert unknown.terms[0].status == ESTIMATED and unknown.by_uid()[APP] == pytest.approx(150 * 1000 / 3.6e6)


def test_idle_and_wake_locks_have_other_names_before_android_9():
    given = profile(cpu__idle=36, cpu__awake=72, cpu__suspend=1)
    device = DeviceTimes(realtime_ms=100_000, uptime_ms=50_000, screen_on_ms=20_000)
    found = recompute(given, 26, device, [UidTimes(APP, wakelock_ms=10_000)])
    assert found.devices()["idle"] == pytest.approx((36 * 100 + 72 * 50) / 3600)
    assert found.components(APP)["wakelock"] == pytest.approx(0.2)
    assert found.components(0)["wakelock"] == pytest.approx(72 * 20 / 3600)


def test_mobile_radio_of_android_11_by_time_and_packets():
    given = profile(radio__active=360, radio__on=[10, 5], radio__scanning=20)
    uids = [UidTimes(APP, mobile_active_ms=1000), UidTimes(APP2, mobile_packets=100)]
    device = DeviceTimes(mobile_active_ms=3000, signal_ms=(0, 3600_000, 3600_000))
    found = recompute(given, 30, device, uids)
    assert found.by_uid()[APP] == pytest.approx(0.1)
    assert found.by_uid()[APP2] == pytest.approx(100 * (360 / 3600 / (200_000 / 8 / 2048)) / 3600)
    assert [t.status for t in found.terms if t.part == "packets"] == [ESTIMATED]
    assert found.components(None)["mobile_radio"] == pytest.approx(0.2 + 5 + 5)  # the last bin's power goes on
    device = DeviceTimes(mobile_packets=600, mobile_active_ms=3000)  # 0.2 a millisecond
    measured = recompute(given, 30, device, uids[1:])
    assert measured.terms[0].status == EXACT
    assert measured.by_uid()[APP2] == pytest.approx(100 * (360 / 3600 / 0.2) / 3600)


def test_the_modem_block_replaces_active_power_and_bins():
    levels = tuple(float(10 * (i + 1)) for i in range(5))
    modem = Modem(1.0, 2.0, (Active("DEFAULT", "DEFAULT", 36.0, levels),))
    device = DeviceTimes(
        mobile_active_ms=9000, signal_ms=(5, 5, 5, 5, 5),
        modem=Controller(idle_ms=3600, rx_ms=1000, tx_ms=(100, 0, 0, 0, 200), sleep_ms=7200),
    )  # fmt: skip
    found = recompute(profile(modem), 34, device, [UidTimes(APP, mobile_active_ms=3000)])
    active = (36_000 + 1000 + 10_000) / 3.6e6
    assert found.by_uid()[APP] == pytest.approx(active / 3)
    assert found.devices()["mobile_radio"] == pytest.approx(active + 0.002 + 0.002)
    two = Modem(1.0, 2.0, (*modem.active, Active("LTE", "DEFAULT", 36.0, levels)))
    assert ESTIMATED in {t.status for t in recompute(profile(two), 34, device, []).terms}


def test_displays_of_android_12_and_the_ten_minutes():
    two = profile(screen__on__display0=36, screen__on__display1=36, screen__on=99, ambient__on=360)
    device = DeviceTimes(screen_on_ms=3_600_000, doze_ms=1000)
    uids = [UidTimes(APP, top_ms=599_999)]
    found = recompute(two, 34, device, uids)
    assert found.devices() == {"screen": pytest.approx(72.0), "ambient_display": pytest.approx(0.1)}
    assert APP not in found.by_uid()
    assert recompute(two, 30, device, uids).devices()["screen"] == pytest.approx(99.0)
    uids = [UidTimes(APP, top_ms=600_000)]
    assert recompute(two, 30, device, uids).by_uid()[APP] == pytest.approx(99.0)


def test_timers_sensors_memory_and_calls():
    given = profile(audio=360, video=720, camera__avg=36, camera__flashlight=3.6, radio__active=180,
                    memory__bandwidths=[10, 20])  # fmt: skip
    device = DeviceTimes(phone_on_ms=20_000, memory_ms=(3600, 3600, 3600), sensors_ma={1: 360.0})
    uid = UidTimes(APP, audio_ms=1000, video_ms=1000, camera_ms=1000, flashlight_ms=1000, sensors_ms={1: 1000, 7: 5})
    found = recompute(given, 33, device, [uid])
    assert found.components(APP) == {
        "audio": pytest.approx(0.1), "video": pytest.approx(0.2), "camera": pytest.approx(0.01),
        "flashlight": pytest.approx(0.001), "sensors": pytest.approx(0.1),
    }  # fmt: skip
    assert found.components(None) == {"phone": pytest.approx(1.0), "memory": pytest.approx(0.05)}
    assert [t.status for t in found.terms if t.component == "sensors"] == [ESTIMATED]


def test_measured_energy_and_its_shares():
    assert measured_mah(1_000_000, 4000, 4001) == pytest.approx(250_000 / 3.6e6)
    assert measured_mah(1, 0, 0) == 0.0
    # AOSP GnssPowerCalculatorTest: 30 C over 1 s and 2 s
    found = share_measured(30_000_000 / 3.6e6, {APP: 1000.0, APP2: 2000.0})
    assert found == {APP: pytest.approx(2.77777, abs=AOSP), APP2: pytest.approx(5.55555, abs=AOSP)}
    assert share_measured(5.0, {APP: 0.0}) == {}


def test_speeds_of_one_line_are_split_where_they_fall():
    assert split_speeds([300, 1000, 2000, 300, 1000, 2500, 3000]) == [3, 4]
    assert split_speeds([]) == [] and split_speeds([5]) == [1] and split_speeds([5, 5]) == [1, 1]
    assert by_cluster([1, 2, 3], [2, 1]) == ((1, 2), (3,)) and by_cluster([1, 2], [2, 1]) is None


def test_smearing_spreads_hidden_rows_in_proportion():
    rows = {"uid a": 30.0, "uid b": 10.0, "cell": 8.0, "scrn": 50.0, "idle": 2.0}
    hidden = frozenset({"cell", "scrn", "idle"})
    found = smear_old(rows, hidden, {"uid a": 40.0, "uid b": 10.0})
    assert found["uid a"].proportional_mah == pytest.approx(8.0 * 70 / 92)
    assert found["uid b"].total_mah == pytest.approx(20 + 8.0 * 20 / 92)
    assert set(found) == {"uid a", "uid b"}


def test_the_systems_part_of_android_12():
    found = smear_new({1000: 20.0, 10_001: 30.0, 1_010_001: 50.0}, 100.0)
    assert found == {1000: 0.0, 10_001: pytest.approx(37.5), 1_010_001: pytest.approx(62.5)}


def test_unaccounted_and_over_counted():
    assert balance(80, 100, 120) == (20, 0) and balance(130, 100, 120) == (0, 10) and balance(110, 100, 120) == (0, 0)


@given(
    st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 1e7)), max_size=5), st.floats(0, 1e8), st.sampled_from([30, 33])
)
def test_the_device_is_never_less_than_its_apps(times, whole, api):
    uids = [UidTimes(10_000 + i, mobile_active_ms=a, wifi=Controller(a, b, (b,))) for i, (a, b) in enumerate(times)]
    device = DeviceTimes(mobile_active_ms=whole, wifi=Controller(whole, whole, (whole,)))
    found = recompute(PowerProfile("p", WIFI.items | RADIO.items, RADIO.arrays), api, device, uids)
    for component in ("mobile_radio", "wifi"):
        apps = sum(found.components(u.uid).get(component, 0.0) for u in uids)
        assert found.devices().get(component, 0.0) >= apps * (1 - 1e-12)
        assert all(t.mah >= 0 for t in found.terms)


def test_the_document_names_every_term():
    uid = UidTimes(APP, audio_ms=1000)
    found = recompute(profile(audio=360), 33, NOTHING, [uid]).document()
    assert found["uids"] == [
        {"uid": APP, "mah": pytest.approx(0.1), "components": {"audio": pytest.approx(0.1)}, "exact_share": 1.0}
    ]
    assert found["terms"][0]["status"] == EXACT and found["devices"] == [{"name": "audio", "mah": pytest.approx(0.1)}]


@pytest.mark.parametrize(("api", "parts"), [(22, set()), (27, {"camera"}), (33, {"camera", "audio"})])
def test_timers_are_computed_from_the_level_on_that_computes_them(api: int, parts: set[str]) -> None:
    """BatteryStatsHelper: no MediaPowerCalculator up to API 27, no CameraPowerCalculator up to 22."""
    given = profile(audio=360, camera__avg=36)
    found = recompute(given, api, NOTHING, [UidTimes(APP, audio_ms=1000, camera_ms=1000)])
    assert set(found.components(APP)) == parts
