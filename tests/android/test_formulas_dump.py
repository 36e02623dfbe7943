"""Times collected from check-in lines: units, columns of each era, users apart; the command."""

from __future__ import annotations

import json

import pytest

from powerhal.android.formulas.dump import times_of
from powerhal.android.formulas.inputs import Controller
from powerhal.android.parse import read
from powerhal.cli import main

A13 = """9,0,i,vers,35,208,TP1A,TP1A
9,0,l,bt,0,1000000,600000,1000000,600000,1700000000000,800000,400000,4000,4000000,4000000,5000
9,0,l,gn,1,2,3,4,60,40,7,8,9,10
9,0,l,m,200000,30000,0,0,90000,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
9,0,l,br,1,2,3,4,5
9,0,l,sgt,10,20,30,40,50
9,0,l,sst,77
9,0,l,gcf,300,1000,2000,300,2500
9,10042,l,nt,0,0,0,0,3,4,5,6,2000000,1,0,0,0,0,0,0,0,0,0,0,0,0
9,10042,l,wfl,0,1500,2500,0,0,0,0,0,0,0
9,10042,l,wfcd,11,12,0.0,0.0,13
9,10042,l,wl,tag_a,0,f,0,0,0,0,700,p,1,0,0,900,0,bp,0,0,0,0,0,w,0,0,0,0
9,10042,l,wl,tag_b,0,f,0,0,0,0,300,p,1,0,0,300,0,bp,0,0,0,0,0,w,0,0,0,0
9,10042,l,sr,-10000,4000,1,0,4000,0
9,10042,l,sr,8,5000,1,0,5000,0
9,10042,l,sr,9,6000,1,0,6000,0
9,10042,l,st,650000,1,2,3,4,5,6
9,10042,l,fg,640000,1
9,10042,l,cpu,1000,500,0
9,10042,l,ctf,A,5,1,2,3,4,5,9,9,9,9,9
9,10042,l,ctf,T,5,8,8,8,8,8,0,0,0,0,0
9,10042,l,aud,111,1
9,1010042,l,cpu,7,8,0
9,0,l,pwi,uid,0,0,0,0
9,10042,l,pwi,uid,1.50,0,0,0
"""
PROFILE = """<device><item name="audio">3600</item><item name="cpu.idle">36</item>
<array name="cpu.clusters.cores"><value>4</value><value>4</value></array>
<array name="cpu.core_power.cluster0"><value>1</value><value>2</value><value>3</value></array>
<array name="cpu.core_power.cluster1"><value>4</value><value>5</value></array></device>"""


@pytest.fixture
def dump(tmp_path):
    file = tmp_path / "a13.txt"
    file.write_text(A13)
    return file


def test_units_and_columns(dump):
    found = read(dump).dumps[0]
    device, uids = times_of(found.records, 33)
    assert (device.realtime_ms, device.uptime_ms, device.doze_ms) == (1_000_000, 600_000, 5000)
    assert (device.screen_on_ms, device.phone_on_ms, device.mobile_active_ms) == (200_000, 30_000, 90_000)
    assert device.brightness_ms == (1, 2, 3, 4, 5) and device.signal_ms == (10, 20, 30, 40, 50)
    assert (device.mobile_scanning_ms, device.mobile_packets) == (77, 100)
    assert [u.uid for u in uids] == [10042, 1010042]  # two users of one app stay two
    app = uids[0]
    assert app.cpu_speed_ms == ((1, 2, 3), (4, 5)) and app.cpu_ms == 1500
    assert app.cpu_active_ms is None and app.cpu_cluster_ms is None
    assert app.wakelock_ms == 1000
    assert (app.mobile_active_ms, app.mobile_packets, app.wifi_packets) == (2000, 7, 11)
    assert (app.wifi_scan_ms, app.wifi_running_ms) == (1.5, 2.5)
    assert app.wifi == Controller(11, 12, (13,))
    assert app.gps_ms == 4000 and app.sensors_ms == {8: 5000, 9: 6000}
    assert (app.top_ms, app.foreground_activity_ms, app.audio_ms, app.video_ms) == (650_000, 640_000, 111, None)
    assert uids[1].cpu_ms == 15 and uids[1].cpu_speed_ms is None


def test_another_window_is_another_answer(dump):
    device, uids = times_of(read(dump).dumps[0].records, 33, window="u")
    assert device.realtime_ms is None and uids == []


def test_frequencies_that_do_not_fit_are_left_out(tmp_path):
    file = tmp_path / "d.txt"
    file.write_text(A13.replace("9,10042,l,ctf,A,5,1,2,3,4,5,9,9,9,9,9", "9,10042,l,ctf,A,2,1,2,3,4"))
    _, uids = times_of(read(file).dumps[0].records, 33)
    assert uids[0].cpu_speed_ms is None


def test_the_command_shows_both_numbers(dump, tmp_path, capsys):
    xml = tmp_path / "p.xml"
    xml.write_text(PROFILE)
    assert main(["android", "recompute", str(dump), "--profile", str(xml), "--json"]) == 0
    out = capsys.readouterr()
    found = json.loads(out.out)
    (app,) = [u for u in found["uids"] if u["uid"] == 10042]
    assert found["api"] == 33 and app["printed_mah"] == pytest.approx(1.5)
    assert app["components"]["audio"] == pytest.approx(0.111)
    assert app["components"]["wakelock"] == pytest.approx(0.01)
    assert app["components"]["cpu"] == pytest.approx((1 + 4 + 9 + 16 + 25) / 3.6e6)
    assert {t["status"] for t in found["terms"] if t["part"] == "speeds"} == {"exact"}
    assert "estimated: cpu" in out.err
    assert main(["android", "recompute", str(dump), "--profile", str(xml)]) == 0
    assert "10042" in capsys.readouterr().out
    nothing = tmp_path / "n.txt"
    nothing.write_text("hello\n")
    assert main(["android", "recompute", str(nothing), "--profile", str(xml)]) == 5
    nothing.write_text("Statistics since last charge:\n  Time on battery: 1h 2s 3ms (9%) realtime, 4ms (1%) uptime\n")
    assert main(["android", "recompute", str(nothing), "--profile", str(xml)]) == 5
    assert "PH-N370" in capsys.readouterr().err


@pytest.mark.parametrize("api", [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 33, 34, 35, 36])
def test_every_era_has_terms(shared, api, capsys):
    data = shared / "data" / "android"
    dump, xml = data / "checkin" / f"synth_api{api}_s1.txt", data / "power_profile" / "aosp_a11_test.xml"
    assert main(["android", "recompute", str(dump), "--profile", str(xml), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["uids"]) > 5 and all(u["mah"] >= 0 for u in found["uids"])
    assert {"idle", "screen", "wifi", "mobile_radio", "gnss"} <= {d["name"] for d in found["devices"]}
