"""Power profiles: read as the platform reads them, every mistake with its line, hostile XML refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.profile.keys import key_of, meant
from powerhal.android.profile.reader import LARGEST, parse_profile, read_profile
from powerhal.android.profile.values import PowerProfile
from powerhal.cli import main
from powerhal.errors import FileError

BAD = """<?xml version="1.0" encoding="utf-8"?>
<device name="Android">
 <item name="battery.capacity">4000</item>
 <item name="battery.capacity">4500</item>
 <item name="ambient on">12</item>
 <item name="screen.on">abc</item>
 <item name="screen.full"/>
 <item name="ext_gpu_power">3</item>
 <array name="cpu.clusters.cores"><value>4</value><value>3</value><value>1</value></array>
 <array name="cpu.core_speeds.cluster0"><value>1</value><value>2</value></array>
 <array name="cpu.core_power.cluster0"><value>1</value><value/><value>3</value><value>4</value></array>
 <array name="cpu.core_speeds.cluster4"><value>1</value></array>
 <array name="cpu.core_power.cluster4"><value>1</value></array>
 <modem>
  <sleep>1</sleep>
  <active rat="LTE"><receive>3</receive><transmit level="0">4</transmit><transmit level="7">4</transmit></active>
 </modem>
 <item name="wifi.controller.rx">-3</item>
</device>
"""


def profile(body: str) -> PowerProfile:
    return parse_profile(f"<device>{body}</device>".encode(), "p.xml")


def codes(found: PowerProfile) -> list[str]:
    return [p.code for p in found.problems]


def test_every_mistake_at_once_with_its_line():
    found = parse_profile(BAD.encode(), "bad.xml")
    told = {(int(p.where.rpartition(":")[2]), p.code) for p in found.problems}
    assert all(p.where.startswith("bad.xml:") for p in found.problems)
    assert told >= {
        (4, "PH-N314"),  # duplicate
        (5, "PH-N330"),  # misspelt
        (6, "PH-N318"),  # no number
        (7, "PH-N317"),  # empty
        (11, "PH-N317"),
        (11, "PH-N354"),  # lengths
        (13, "PH-N351"),  # cluster 4 of 0..2
        (9, "PH-N353"),  # clusters 1 and 2 missing
        (14, "PH-N360"),  # no DEFAULT
        (14, "PH-N361"),  # no idle
        (16, "PH-N321"),  # level 7
        (16, "PH-N322"),  # levels 1-4 missing
        (18, "PH-N319"),  # negative
    }
    assert [p.where for p in found.problems] == sorted((p.where for p in found.problems), key=lambda w: int(w[8:]))


def test_values_are_those_the_platform_takes():
    found = parse_profile(BAD.encode(), "bad.xml")
    assert found.capacity_mah == 4500.0  # the last one
    assert found.get("screen.on") == 0.0 and found.get("screen.full") is None
    assert found.arrays["cpu.core_power.cluster0"] == (1.0, 3.0, 4.0)  # the empty one is not there at all
    assert found.average("ext_gpu_power") == 3.0
    assert [c.cores for c in found.clusters()] == [4, 3, 1] and found.clusters()[1].core_ma == ()
    assert found.modem and found.modem.active[0].transmit_ma == (4.0, None, None, None, None)


def test_average_is_get_average_power():
    found = profile('<item name="a">5</item><array name="a"><value>7</value></array>'
                    '<array name="b"><value>1</value><value>2</value></array><array name="c"></array>')  # fmt: skip
    assert found.average("a") == found.average("a", 3) == 5.0
    assert [found.average("b", i) for i in (0, 1, 9, -1)] == [1.0, 2.0, 2.0, 0.0]
    assert found.average("b") == 1.0
    assert found.average("c") == 0.0 and found.get("c") == 0.0 and not found.has("c")
    assert found.average("none") == 0.0 and found.get("none") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1.0), (" 2.5 ", 2.5), (".0002", 2e-4), ("1e2", 100.0), ("3f", 3.0), ("4D", 4.0), ("5.", 5.0), ("+6", 6.0)],
)
def test_numbers_as_java_reads_them(text, value):
    found = profile(f'<item name="x">{text}</item>')
    assert found.items["x"] == value and "PH-N318" not in codes(found)


@pytest.mark.parametrize("text", ["1_000", "abc", "1,5", "0x10", "1e999", "--1", "NaN", "①"])
def test_what_is_no_number_counts_as_zero_and_is_said(text):
    found = profile(f'<item name="x">{text}</item>')
    assert found.items["x"] == 0.0 and "PH-N318" in codes(found)


def test_the_modem_block_of_android_13():
    levels = "".join(f'<transmit level="{i}">{10 * i}</transmit>' for i in range(5))
    found = profile(
        f'<modem><sleep>1</sleep><idle>2</idle><active rat="DEFAULT"><receive>3</receive>{levels}</active>'
        f'<active rat="NR" nrFrequency="MMWAVE"><receive>9</receive>{levels}</active>'
        f'<active rat="NR" nrFrequency="DEFAULT"><receive>7</receive>{levels}</active></modem>'
    )
    modem = found.modem
    assert modem and (modem.sleep_ma, modem.idle_ma) == (1.0, 2.0)
    wanted = {("NR", "MMWAVE"): 9.0, ("NR", "LOW"): 7.0, ("LTE", "DEFAULT"): 3.0, ("DEFAULT", "DEFAULT"): 3.0}
    for key, receive in wanted.items():
        block = modem.find(*key)
        assert block and block.receive_ma == receive and block.transmit_ma == (0.0, 10.0, 20.0, 30.0, 40.0)
    assert not [c for c in codes(found) if c.startswith(("PH-N32", "PH-N36")) and c != "PH-N363"]


def test_unknown_technologies_and_frequencies_are_said():
    found = profile('<modem><active rat="6G" nrFrequency="SUB"><receive>1</receive></active></modem>')
    assert codes(found).count("PH-N320") >= 2


def test_cpu_keys_of_older_androids():
    flat = profile('<array name="cpu.speeds"><value>1</value><value>2</value></array>'
                   '<array name="cpu.active"><value>10</value><value>20</value></array>')  # fmt: skip
    assert flat.cpu_api() == 21 and flat.clusters()[0].core_ma == (10.0, 20.0)
    old = profile('<array name="cpu.clusters.cores"><value>2</value></array>'
                  '<array name="cpu.speeds.cluster0"><value>1</value></array>'
                  '<array name="cpu.active.cluster0"><value>10</value></array>')  # fmt: skip
    assert old.cpu_api() == 24 and old.clusters(24)[0].core_ma == (10.0,) and old.clusters(28)[0].core_ma == ()
    assert "PH-N352" in codes(old)


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("ambient on", "ambient.on"), ("Screen.On", "screen.on"), ("wifi.controler.idle", "wifi.controller.idle"),
        ("cpu.core_power.Cluster2", "cpu.core_power.cluster2"), ("cpu.core_speed.cluster1", "cpu.core_speeds.cluster1"),
        ("dsp.audio", ""), ("gpu.active", ""), ("wifi.ap", ""), ("battery.typical.capacity", ""), ("ext_foo", ""),
    ],
)  # fmt: skip
def test_misspelt_keys_are_told_from_vendor_keys(name, better):
    assert key_of(name) is None and meant(name) == better


def test_units_slipped_by_a_thousand_and_dummies():
    found = profile('<item name="battery.capacity">1000</item><item name="wifi.active">120000</item>')
    assert {"PH-N341", "PH-N343"} <= set(codes(found))
    assert "PH-N340" in codes(profile("")) and "PH-N342" in codes(profile('<item name="battery.capacity">3</item>'))


HOSTILE = {
    "doctype": "<!DOCTYPE d><device/>",
    "entity bomb": '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><device>&b;</device>',
    "outer file": '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><device><item name="x">&a;</item></device>',
    "depth": "<device>" + "<item>" * 60 + "</item>" * 60 + "</device>",
    "long value": f'<device><item name="x">{"1" * 5000}</item></device>',
    "elements": "<device>" + "<item/>" * 60_000 + "</device>",
    "cut off": '<device><item name="x">1',
    "empty": "",
    "no xml": "battery.capacity=4000",
    "undefined entity": "<device>&a;</device>",
    "unknown encoding": '<?xml version="1.0" encoding="ebcdic-xyz"?><device/>',
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_and_damaged_files_are_refused_with_a_line(text):
    with pytest.raises(FileError) as caught:
        parse_profile(text.encode(), "h.xml")
    assert caught.value.problems and all(p.where.startswith("h.xml:") for p in caught.value.problems)
    assert "root:" not in str(caught.value)


def test_too_large_compiled_and_absent(tmp_path):
    with pytest.raises(FileError, match="larger"):
        parse_profile(b" " * (LARGEST + 1))
    with pytest.raises(FileError, match="compiled") as caught:
        parse_profile(b"\x03\x00\x08\x00\x10\x00")
    assert "apktool" in caught.value.hint
    with pytest.raises(FileError, match="No such file"):
        read_profile(str(tmp_path / "absent.xml"))


def test_encodings():
    text = '<?xml version="1.0" encoding="{}"?>\r\n<device><item name="audio">3</item></device>\r\n'
    for name in ("utf-8", "utf-16", "iso-8859-1"):
        assert parse_profile(text.format(name).encode(name)).items == {"audio": 3.0}


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/=\" abc123&!-[]'devicitmarnvlu.\n", max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        parse_profile(text.encode(), "f")
    except FileError as error:
        assert error.problems


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["audio", "video", "x.y", "cpu.idle"]), st.floats(0, 1e4), max_size=4))
def test_what_is_written_is_read(values):
    body = "".join(f'<item name="{k}">{v!r}</item>' for k, v in values.items())
    assert profile(body).items == values


@pytest.mark.parametrize("name", ["aosp_a11_default", "aosp_a11_test", "aosp_powermodel"])
def test_platform_profiles_have_no_errors(shared, name, capsys):
    path = shared / "data" / "android" / "power_profile" / f"{name}.xml"
    assert main(["android", "profile", "--json", "--strict", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    text = path.read_text()
    for key, value in found["items"].items():
        assert f'name="{key}">' in text and isinstance(value, float)
    assert found["vendor_keys"] == [] and found["capacity_mah"] in (1000.0, 3000.0, 2915.0)
    assert not [p for p in found["problems"] if p["severity"] == "error"]
    assert [len(c["core_ma"]) == len(c["speeds_khz"]) > 0 for c in found["clusters"]] == [True] * len(found["clusters"])


def test_command(tmp_path, capsys):
    file = tmp_path / "p.xml"
    file.write_text(BAD)
    assert main(["android", "profile", str(file)]) == 0
    out = capsys.readouterr()
    assert "4500 mAh" in out.out and "did you mean 'ambient.on'" in out.err
    assert main(["android", "profile", "--strict", str(file)]) == 1
    file.write_text("<!DOCTYPE a><device/>")
    assert main(["android", "profile", str(file)]) == 3
    assert f"{file}:1" in capsys.readouterr().err


BOTH_ERAS = """<device name="Android"><item name="battery.capacity">4980</item>
  <item name="screen.on">83</item><item name="screen.full">412</item><item name="cpu.idle">3</item>
  <item name="radio.active">80</item>
  <array name="cpu.clusters.cores"><value>4</value><value>4</value></array>
  <array name="cpu.speeds.cluster0"><value>400000</value></array>
  <array name="cpu.active.cluster0"><value>0.1</value></array>
  <array name="cpu.core_speeds.cluster0"><value>900000</value><value>979000</value></array>
  <array name="cpu.core_power.cluster0"><value>11</value><value>16</value></array>
  <array name="cpu.core_speeds.cluster1"><value>400000</value><value>501000</value></array>
  <array name="cpu.core_power.cluster1"><value>5</value><value>9</value></array>
</device>"""


def test_what_is_left_over_of_an_older_era_is_no_mistake(tmp_path: Path) -> None:
    """Many vendors keep the default's one-speed `cpu.speeds.cluster0` beside complete newer arrays."""
    path = tmp_path / "power_profile.xml"
    path.write_text(BOTH_ERAS)
    assert not [p for p in read_profile(str(path)).problems if p.severity == "error"]
    path.write_text(BOTH_ERAS.replace("core_power.cluster1", "core_power.cluster7"))
    assert {p.code for p in read_profile(str(path)).problems} >= {"PH-N351", "PH-N353"}
