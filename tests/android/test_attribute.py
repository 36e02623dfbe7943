"""Ledgers of simulated phones with known truth: accuracy, coverage, conservation, groups, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from powerhal.android.drain.activities import Timeline
from powerhal.android.drain.attribute import Attributed, attribute, uid_name
from powerhal.android.drain.compare import compared, document, uid_lines
from powerhal.android.parse import Dump, read
from powerhal.android.profile.reader import parse_profile
from powerhal.cli import main
from powerhal.errors import NotEnoughData

from .story import APPS, Story

SEEDS = range(2000, 2010)


def dump_of(text: str, folder: Path) -> Dump:
    path = folder / "dump.txt"
    path.write_text(text)
    found = read(path, keep_records=False).main
    assert found is not None
    return found


def spans(found: Attributed) -> list[tuple[int, int]]:
    edges = found.drain.edges_ms
    return [(int(edges[k]), int(edges[k + 1])) for k in np.flatnonzero(found.drain.covered)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Story, Attributed, Dump]]]:
    folder = tmp_path_factory.mktemp("stories")
    out: dict[str, list[tuple[Story, Attributed, Dump]]] = {}
    for gauge, hours in (("charge", 5.0), ("level", 8.0)):
        for seed in SEEDS:
            story = Story(seed, hours, gauge)
            dump = dump_of(story.text(), folder)
            out.setdefault(gauge, []).append((story, attribute(dump), dump))
    return out


def judged(story: Story, found: Attributed) -> list[tuple[str, float, float, float, float]]:
    """(kind, truth, value, low, high) of every row that has a truth, J."""
    truth = story.truth(spans(found))
    out = [("total", truth["total"], found.ledger.total.energy_j, found.ledger.total.low_j, found.ledger.total.high_j)]
    for row in found.ledger.rows:
        if row.kind in ("device", "group", "idle"):
            parts = [p for name in (row.members or (row.name,)) for p in name.split(" + ")]
            known = sum(truth["idle"] if p == "idle" else truth.get(f"device:{p}", 0.0) for p in parts)
            out.append(("device", known, row.energy_j, row.low_j, row.high_j))
        elif row.kind == "process" and row.info and row.info.uid in APPS:
            out.append(("uid", truth[f"uid:{row.info.uid}"], row.energy_j, row.low_j, row.high_j))
    return out


def test_truth_is_inside_the_intervals(told: dict[str, list[tuple[Story, Attributed, Dump]]]) -> None:
    """At least 87 % of 90 % intervals hold their truth: of each kind of row, and with each gauge."""
    rows = [(gauge, *row) for gauge, runs in told.items() for story, found, _ in runs for row in judged(story, found)]
    for kept in (("device", ""), ("uid", ""), ("", "charge"), ("", "level")):
        inside = [
            low <= truth <= high
            for gauge, kind, truth, _, low, high in rows
            if kind != "total" and kept[0] in ("", kind) and kept[1] in ("", gauge)
        ]
        assert np.mean(inside) >= 0.87, f"{kept}: {np.mean(inside):.3f} of {len(inside)}"


@pytest.mark.parametrize("gauge, most", [("charge", 0.01), ("level", 0.02)])
def test_uids_are_found(told: dict[str, list[tuple[Story, Attributed, Dump]]], gauge: str, most: float) -> None:
    """Mean error of a uid, in parts of the whole drain."""
    errors = [
        abs(value - truth) / found.ledger.total.energy_j
        for story, found, _ in told[gauge]
        for kind, truth, value, _, _ in judged(story, found)
        if kind == "uid"
    ]
    assert np.mean(errors) <= most


def test_books_balance(told: dict[str, list[tuple[Story, Attributed, Dump]]]) -> None:
    for _, found, dump in [*told["charge"], *told["level"]]:
        out = document(found, dump.main)
        top = [r for r in out["rows"] if r["kind"] in ("device", "group", "idle", "unattributed")]
        whole = out["total"]["energy_j"]
        assert sum(r["energy_j"] for r in top) == pytest.approx(whole, rel=1e-9)
        assert out["conservation_error"] <= 1e-9
        assert whole == pytest.approx(float(found.drain.energy_j.sum()), rel=1e-12)
        assert sum(line["energy_j"] for line in uid_lines(found, dump.main)) == pytest.approx(whole, rel=1e-9)
        assert sum(r["mah"] for r in top) == pytest.approx(out["drain"]["mah"], rel=1e-6)
        json.dumps(out, allow_nan=False)


def test_charging_is_in_no_row(told: dict[str, list[tuple[Story, Attributed, Dump]]]) -> None:
    for story, found, _ in told["charge"]:
        for start, end in spans(found):
            assert not story.plugged[start // 1000 : end // 1000].any()
        assert any("charging" in note for note in found.notes)


def test_android_stands_beside_and_its_sum_is_judged(
    told: dict[str, list[tuple[Story, Attributed, Dump]]],
) -> None:
    story, found, dump = told["charge"][0]
    out = compared(found, dump.main)
    # The story prints a computed drain of 1.5 times the truth, over a period that charging is part of.
    assert out["sums_mah"]["computed"] == pytest.approx(1.5 * story.drained_mah, abs=1)
    hours = found.drain.covered_ms / 3.6e6
    expected = 1.5 * story.drained_mah / (story.n / 3600) / (found.drain.mah.sum() / hours)
    assert out["over_count"]["computed"] == pytest.approx(expected, rel=0.01)
    assert "over-counts" in out["text"]
    rows = {r["uid"]: r for r in document(found, dump.main)["rows"] if r["kind"] == "process"}
    assert rows[10101]["android_mah"] == pytest.approx(0.1 * story.drained_mah, abs=0.1)
    assert rows[10101]["name"] == "com.example.video"


def test_too_few_steps_are_refused_with_how_many_more(tmp_path: Path) -> None:
    story = Story(5, 1.0, "level", charging=False)
    with pytest.raises(NotEnoughData, match=r"\d more are needed"):
        attribute(dump_of(story.text(), tmp_path))


def test_few_windows_give_one_coefficient_to_several(tmp_path: Path) -> None:
    together, inside = 0, []
    for seed in range(6):
        story = Story(seed, 2.5, "level", charging=False)
        try:
            found = attribute(dump_of(story.text(), tmp_path))
        except NotEnoughData as refusal:
            assert "more are needed" in str(refusal)
            continue
        together += any("one coefficient together" in n and "more are needed" in n for n in found.notes)
        inside += [low <= truth <= high for kind, truth, _, low, high in judged(story, found) if kind == "uid"]
        texts = [g["text"] for g in found.ledger.groups if g["kind"] == "rows"]
        assert all("cannot be told apart" in text for text in texts)
    assert together >= 1
    assert np.mean(inside) >= 0.87


PROFILE = """<device name="Android"><item name="battery.capacity">4000</item><item name="cpu.suspend">15</item>
<item name="cpu.idle">40</item><item name="screen.on">{on}</item><item name="screen.full">{full}</item>
<item name="wifi.active">125</item><item name="radio.active">200</item><item name="gps.on">75</item>
<item name="audio">30</item><item name="camera.avg">325</item>
<array name="cpu.clusters.cores"><value>4</value></array>
<array name="cpu.core_speeds.cluster0"><value>1000000</value></array>
<array name="cpu.core_power.cluster0"><value>175</value></array></device>"""


def test_a_profile_tells_display_from_cpu(tmp_path: Path) -> None:
    """What a battery total cannot tell apart, good knowledge can: and it is said where it is from."""
    better = 0
    errors = np.zeros(2)
    for seed in range(50, 58):
        story = Story(seed, 6.0, "charge")
        dump = dump_of(story.text(), tmp_path)
        volts = 4000.0 / 1000
        text = PROFILE.format(on=story.phone.screen_w / volts * 1e3, full=story.phone.bright_w / volts * 1e3)
        plain, informed = attribute(dump), attribute(dump, parse_profile(text.encode()))
        assert "screen.on" in informed.priors["screen: on"]
        assert "any phone" in plain.priors["screen: on"]

        def error(found: Attributed, story: Story = story) -> float:
            names = [c["name"] for c in found.ledger.model["coefficients"]]
            value = found.ledger.model["coefficients"][names.index("screen: on")]["value"]
            return abs(float(value) - story.phone.screen_w)

        better += error(informed) < error(plain)
        errors += error(informed), error(plain)
        rows = judged(story, informed)
        assert np.mean([low <= truth <= high for _, truth, _, low, high in rows]) >= 0.8
    assert better >= 6
    assert errors[0] < 0.6 * errors[1]


def test_samples_of_cpu_time_are_used(tmp_path: Path) -> None:
    """`Dcpu` details name CPU time of all and of three uids between two steps."""
    lines = ["9,0,i,vers,36,214,A,A", "9,0,i,uid,10001,com.a", "9,0,i,uid,10002,com.b", '9,hsp,0,10001,"com.a"',
             "9,h,0:RESET:TIME:1700000000000", "9,h,0,Bl=100,Bcc=4000,Bv=4000,Bs=d,Bp=n"]  # fmt: skip
    rng = np.random.default_rng(4)
    charge, truth = 4000.0, {10001: 0.0, 10002: 0.0}
    for k in range(240):
        a, b = rng.uniform(0, 60, 2)
        watts = 0.2 + 1.5 * (a + b) / 60
        charge -= watts * 60 / 3.6 / 4
        truth[10001] += 1.5 * a
        truth[10002] += 1.5 * b
        worked = f"Dcpu={round(1000 * (a + b))}:0/10001:{round(1000 * a)}:0/10002:{round(1000 * b)}:0"
        lines += [f"9,h,60000,Bcc={int(charge)}", f"9,h,0,{worked}"]
        if k % 10 == 9:
            lines.append(f"9,h,0,Bl={int(charge / 40)}")
    lines += ["9,0,l,bt,0,1,1,1,1,1,1,1,4000,4000000,4000000,0", "9,10001,l,cpu,1,1,0", "9,10002,l,cpu,1,1,0"]
    found = attribute(dump_of("\n".join([*lines, ""]), tmp_path))
    people = {r.info.uid: r for r in found.ledger.rows if r.kind == "process" and r.info}
    covered = found.drain.covered_ms / (240 * 60_000)
    for uid, joules in truth.items():
        assert people[uid].energy_j == pytest.approx(joules * covered, rel=0.12)
        assert people[uid].low_j <= joules * covered <= people[uid].high_j


def test_names_of_uids() -> None:
    assert uid_name(10123, ["com.a"]) == "com.a"
    assert uid_name(1010123, ["com.a", "com.b"]) == "com.a +1 (user 10)"
    assert uid_name(1000, ["android", "com.b"]) == "system (uid 1000)"
    assert uid_name(39999, []) == "uid 39999"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dump.txt"
    path.write_text(Story(1, 6.0).text())
    assert main(["android", "attribute", str(path)]) == 0
    shown = capsys.readouterr().out
    assert "com.example.video" in shown and "total = battery" in shown and "Android computes" in shown
    assert main(["android", "attribute", str(path), "--by", "device"]) == 0
    assert "unattributed" in capsys.readouterr().out
    assert main(["android", "attribute", str(path), "--json"]) == 0
    out: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert {"total", "rows", "model", "groups", "drain", "android", "split", "priors"} <= out.keys()
    path.write_text("9,0,i,vers,36,214,A,A\n9,0,l,bt,0,1,1,1,1,1,1,1\n")
    assert main(["android", "attribute", str(path)]) == 5
    assert "no battery history" in capsys.readouterr().err


def test_an_empty_timeline_is_all_unknown() -> None:
    assert Timeline(end_ms=10).unknown() == [(0, 10)]
