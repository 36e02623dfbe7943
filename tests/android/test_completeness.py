"""Whether a dump is whole: cut between lines, of one package, without an end mark."""

from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.android.completeness import ALIKE, ORDER, Blocks, Verdict, of_checkin, of_text
from powerhal.android.parse import read
from powerhal.android.statistics import Statistics
from powerhal.android.summary import document, portrait
from tests.android.test_parse import DUMP, put

HEAD = """9,0,i,vers,36,212,A,A
9,0,l,bt,0,9000,8000,9500,8500,1700000000000,4000,3000,4000,3900000,4000000,10
"""
POWER = "9,0,l,pws,4000,147,400,440\n"
KERNEL = '9,0,l,kwl,"a",5,1,0,2\n'
BLOCK = (
    "9,{0},l,fg,5,1", "9,{0},l,st,1,0,0,0,0,0,0", "9,{0},l,cpu,100,50,0", '9,{0},l,pr,"a.b",5,6,7,1,0,0',
    "9,{0},l,wua,*walarm*:a,1",
)  # fmt: skip
SERVICE = "9,{0},l,apk,1,a.b,a.b.S,5,1,1"


def device(uids: list[int], kernel: str = KERNEL) -> str:
    spent = "".join(f"9,{uid},l,pwi,uid,{20 + k}.5,0,0,0\n" for k, uid in enumerate(uids))
    return HEAD + kernel + POWER + spent


def lines_of(uid: int, *more: str) -> str:
    return "".join(f"{line.format(uid)}\n" for line in (*BLOCK, *more))


UIDS = [1000, *range(10001, 10001 + ALIKE)]
WHOLE = device(UIDS) + "".join(lines_of(uid) for uid in UIDS)


def source(tmp_path: Path, text: str) -> dict:
    return document(read(put(tmp_path, text)))["source"]


def test_a_bare_dump_has_no_end_mark(tmp_path: Path) -> None:
    found = source(tmp_path, WHOLE)
    assert found["complete"]
    assert found["may_miss"] == [f"check-in lines have no end mark: more may be missing behind `wua` of uid {UIDS[-1]}"]
    said = "\n".join(portrait(read(put(tmp_path, WHOLE))))
    assert "complete as far as it shows" in said
    assert "no end mark" in said


def test_a_bugreport_shows_the_end(tmp_path: Path) -> None:
    title = "------ CHECKIN BATTERYSTATS (dumpsys batterystats -c) ------\n"
    ended = title + WHOLE + "------ 0.4s was the duration of 'CHECKIN BATTERYSTATS' ------\n"
    assert (source(tmp_path, ended)["complete"], source(tmp_path, ended)["may_miss"]) == (True, [])
    assert source(tmp_path, title + WHOLE)["incomplete_because"] == ["the section of the bugreport has no end"]


@pytest.mark.parametrize("left", range(1, len(BLOCK)))
def test_a_cut_between_two_lines_of_the_last_uid(tmp_path: Path, left: int) -> None:
    """Every other uid goes on, so this one would, too."""
    lines = WHOLE.splitlines(keepends=True)
    [why] = source(tmp_path, "".join(lines[: left - len(BLOCK)]))["incomplete_because"]
    assert why.startswith(f"uid {UIDS[-1]} ends with `")
    assert f"each of the {ALIKE} other uids goes on with" in why


def test_few_uids_prove_nothing(tmp_path: Path) -> None:
    few = UIDS[:3]
    cut = device(few) + "".join(lines_of(uid) for uid in few[:2]) + lines_of(few[2]).partition("\n")[0] + "\n"
    assert source(tmp_path, cut)["complete"]
    assert "`fg` of uid 10002" in source(tmp_path, cut)["may_miss"][0]


def test_those_that_have_the_same_record_are_asked_too(tmp_path: Path) -> None:
    """Half of the uids have services: one that ends with its alarms may have none, or be cut."""
    text = device(UIDS) + "".join(lines_of(uid, SERVICE) if uid % 2 else lines_of(uid) for uid in UIDS)
    assert source(tmp_path, text)["complete"]
    two = [uid + 10_000 for uid in UIDS]
    bare = "".join(f"9,{uid},l,cpu,1,1,0\n" for uid in UIDS)
    text = device([*UIDS, *two, 99999]) + bare + "".join(lines_of(uid, SERVICE) for uid in two) + lines_of(99999)
    assert "with `wua` goes on with `apk`" in source(tmp_path, text)["incomplete_because"][0]


def test_a_last_uid_without_a_charge(tmp_path: Path) -> None:
    """Right after a reset nobody has drawn anything."""
    text = HEAD + POWER + "9,1000,l,pwi,uid,0,0,0,0\n" + lines_of(1000)
    assert source(tmp_path, text)["complete"]
    assert source(tmp_path, HEAD + POWER)["incomplete_because"] == ["records of the last uids are missing"]


def test_a_window_behind_a_window_shows_its_end(tmp_path: Path) -> None:
    both = WHOLE + WHOLE[len(HEAD.partition("\n")[0]) + 1 :].replace(",l,", ",u,")
    assert "uid 10009" in source(tmp_path, both)["may_miss"][0]
    cut = both[: both.rindex("9,10005,u,fg")]
    assert source(tmp_path, cut)["incomplete_because"] == ["records of the last uids are missing"]


@pytest.mark.parametrize("end", ["", "------ 0.4s was the duration of 'CHECKIN BATTERYSTATS' ------\n"])
def test_check_in_lines_of_one_package(tmp_path: Path, end: str) -> None:
    text = device(UIDS, "") + lines_of(UIDS[4])
    if end:
        text = "------ CHECKIN BATTERYSTATS (dumpsys batterystats -c) ------\n" + text + end
    [why] = source(tmp_path, text)["incomplete_because"]
    assert why.startswith(f"of one package only: uid {UIDS[4]}, and {len(UIDS) - 1 if end else 4} uids")


def test_uids_in_another_order_must_all_be_there(tmp_path: Path) -> None:
    order = [10009, 1000, 10005, 10002]
    text = device(order) + "".join(lines_of(uid) for uid in order)
    assert source(tmp_path, text)["complete"]
    cut = text[: text.index("9,10002,l,fg")]
    assert source(tmp_path, cut)["incomplete_because"] == ["records of the last uids are missing"]


TEXT = """Statistics since last charge:
  System starts: 0, currently on battery: true
  Time on battery: 3h 53m 10s 1ms (100%) realtime, 1h 2m 3s 4ms (26%) uptime
  Estimated power use (mAh):
    Capacity: 5000, Computed drain: 120, actual drain: 50-50
    Global
      screen: 53.5 apps: 53.5 duration: 42m 5s 987ms
{spent}
{blocks}"""
TAIL = "Per process state tracking available: true\nTotal cpu time reads: 5\n"


def text_of(spenders: list[int], blocks: list[int], tail: str = TAIL) -> str:
    name = {uid: str(uid) if uid < 10_000 else f"u0a{uid - 10_000}" for uid in (*spenders, *blocks)}
    return TEXT.format(
        spent="".join(f"    UID {name[uid]}: 5.5 ( cpu=5.5 (1s 2ms) )\n" for uid in spenders),
        blocks="".join(f"  {name[uid]}:\n    Total cpu time: u=23s 46ms s=7s 547ms\n" for uid in blocks) + tail,
    )


@pytest.mark.parametrize(("blocks", "asked"), [([1000, 10009], 10009), ([1000, 10001], 10001), ([10009], 10009)])
def test_the_text_of_one_package(tmp_path: Path, blocks: list[int], asked: int) -> None:
    """The system's block stands beside that of the package."""
    [why] = source(tmp_path, text_of(UIDS, blocks))["incomplete_because"]
    assert why.startswith(f"of one package only: uid {asked}, and {len(UIDS) - len(blocks)} uids")


def test_the_end_of_a_text(tmp_path: Path) -> None:
    """What the service prints behind it shows it; versions before Android 9 print nothing there."""
    whole = source(tmp_path, text_of(UIDS, UIDS))
    assert (whole["complete"], whole["may_miss"]) == (True, [])
    bare = source(tmp_path, text_of(UIDS, UIDS, ""))
    assert bare["complete"]
    assert "nothing shows the end" in bare["may_miss"][0]
    assert source(tmp_path, text_of(UIDS, UIDS[:4], ""))["incomplete_because"] == [
        "blocks of the last uids are missing"
    ]


def test_records_that_say_nothing(tmp_path: Path) -> None:
    """A record of a uid in a window of its own, or without one readable column, is no last uid."""
    assert source(tmp_path, WHOLE + "9,0,i,pr,a\n")["complete"]
    assert source(tmp_path, device([1000]) + lines_of(1000) + "9,2000,l,st,x,x,x,x,x,x,x\n")["may_miss"]


def test_the_rules_alone() -> None:
    assert Blocks([1, 2, 3], [1]).unreached(1) == [2, 3]
    assert Blocks([1, 2, 3], [3]).unreached(3) == []
    assert not Blocks([1, 2], [1, 2]).package(end_shown=True)
    assert of_checkin({}, False, "", None) == Verdict(("no version line", "no statistics"))
    assert of_text(Statistics("l"), [], False).missing == ("no blocks of uids after the power table",)


def test_the_order_of_records(shared: Path) -> None:
    """Real order: as in every dump at hand, but for the two of Bluetooth."""
    place = {code: k for k, code in enumerate(ORDER)}
    for file in sorted((shared / "data/android/checkin").glob("synth_*_s1.txt")):
        blocks: dict[str, list[int]] = {}
        for line in file.read_text().splitlines():
            _, uid, _, code, *_ = [*line.split(","), "", ""]
            if code in place and code not in ("ble", "blem"):
                blocks.setdefault(uid, []).append(place[code])
        whole = [b for b in blocks.values() if b.count(place["st"]) == 1]
        assert whole
        assert all(block == sorted(block) for block in whole), file.name


def test_whole_dumps_are_complete(shared: Path) -> None:
    for file in sorted((shared / "data/android/checkin").glob("synth_*")):
        if file.suffix in (".txt", ".gz"):
            main = read(file).main
            assert main is not None
            assert main.complete, (file.name, main.incomplete)
            assert main.may_miss


def test_the_version_of_the_sample(tmp_path: Path) -> None:
    assert source(tmp_path, DUMP)["complete"]
