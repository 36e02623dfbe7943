"""The page of a dump from plain data: every chart with its table, lanes that keep on-time, nothing from outside."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from powerhal.report.decimate import cover
from powerhal.report.dump_page import Lane, Story, render, spoken_time

from .fakes import HOSTILE
from .test_html import Collector


def story(spans: int = 5000) -> Story:
    end = 36_000.0
    many = [(k * end / spans, (k + 0.25) * end / spans) for k in range(spans)]
    three = [(0.0, 9000.0), (9000.0, 12_000.0), (20_000.0, 30_000.0)]
    return Story(
        "a phone", "a lead", end, [(0.0, 100.0), (18_000.0, 60.0), (end, 40.0)], [(0.0, 4000.0), (end, 1600.0)],
        [(12_000.0, 15_000.0)], [Lane("screen", many), Lane("app in front", three, [0, 1, 0], [HOSTILE, "app b"])],
        {"file": "left out"}, ["This dump is not complete: the last line is cut."],
    )  # fmt: skip


def row(name: str, kind: str, joules: float, **more: Any) -> dict[str, Any]:
    low, high = 0.8 * joules, 1.2 * joules
    charge = {"mah": joules / 14.4, "low_mah": low / 14.4, "high_mah": high / 14.4}
    return {"name": name, "kind": kind, "energy_j": joules, "low_j": low, "high_j": high, **charge, **more}


def document() -> dict[str, Any]:
    return {
        "total": row("battery", "total", 1000.0, duration_s=36_000.0, missing_s=3000.0),
        "rows": [
            row("cpu + screen", "group", 700.0, members=["cpu", "screen"]), row("wifi", "device", 100.0),
            row("idle", "idle", 190.0), row("unattributed", "unattributed", 10.0),
            row(HOSTILE, "process", 600.0, uid=10_001, android_mah=90.0), row("app b", "process", 50.0, uid=10_002),
        ],
        "drain": {"way": "level steps", "quantum_mah": 40.0, "windows": 60, "gain_sd": 0.04, "covered_s": 33_000.0,
                  "mean_v": 4.0},
        "android": {"over_count": {"computed": 1.5}, "text": "Android computes 104 mAh",
                    "devices": [{"name": "screen", "android_mah": 30.0}, {"name": "gnss", "android_mah": 2.0},
                                {"name": "wifi", "android_mah": 14.0}]},
        "model": {"activities": 2, "r2": 0.9, "condition": 3.0, "coefficients": [
            {"name": "wifi: active", "device": "wifi", "value": 0.5, "low": 0.1, "high": 0.9, "unit": "W"}]},
        "priors": {"wifi: active": "0 to about 1.5 W, any phone"}, "split": {"top": "time in front, by the history"},
        "groups_text": ["cpu + screen cannot be told apart here"], "notes": ["left out, charging: 50 min"],
        "conservation_error": 1e-15,
        "series": {"t_s": [0, 600, 1200, 1800], "measured_w": [1, None, 1, 2], "predicted_w": [1, None, 1.2, 2]},
    }  # fmt: skip


def charts(page: str) -> dict[str, Any]:
    found = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert found
    return {c["id"]: c for c in json.loads(found[1])["charts"]}


def test_every_chart_has_its_table_and_nothing_is_fetched() -> None:
    page = render(story(), document())
    seen = Collector()
    seen.feed(page)
    drawn = [i for i in seen.ids if i != "data"]
    assert drawn == ["drain", "components", "apps", "fit"] == list(charts(page))
    assert seen.tables == len(drawn) + 1  # the coefficients are a table without a picture
    assert not [t for t, a in seen.tags if {"src", "href", "srcset"} & set(a) or t in ("link", "img", "iframe")]
    assert HOSTILE not in page and "\x1b" not in page
    for text in ("not complete", "Android computes 104 mAh.", "Cpu + screen cannot be told apart here", "50 min"):
        assert text in page


def test_android_stands_beside_and_a_part_of_a_group_is_no_ratio() -> None:
    page = render(story(), document())
    assert "30.0 without cpu" in page
    assert "gnss (Android only)" in page
    wifi = next(r for r in charts(page)["components"]["data"]["rows"] if r["name"] == "wifi")
    assert wifi["truth"] == 14.0
    assert charts(page)["apps"]["data"]["other"] == "Android's own estimate"


def test_many_spans_become_shades_that_keep_the_on_time() -> None:
    drain = charts(render(story(), document()))["drain"]["data"]
    screen, front = drain["lanes"]
    assert len(screen["bars"]) <= 1000
    assert sum((b - a) * on for a, b, on, _ in screen["bars"]) == pytest.approx(9000.0, rel=0.05)
    assert [b[3] for b in front["bars"]] == [0, 0, 1]  # the app that was longest in front comes first
    assert front["names"] == [HOSTILE, "app b"]
    assert drain["plugged"] == [[12_000.0, 15_000.0]]


def test_no_line_crosses_a_hole() -> None:
    points = charts(render(story(), document()))["fit"]["data"]["series"][0]["points"]
    assert points == [[0.0, 1.0], [600.0, None], [1200.0, 1.0], [1800.0, 2.0]]


def test_without_a_ledger_android_stands_alone() -> None:
    page = render(story(), {"refused": "no drain", "printed": [("device", "screen", 56.9), ("uid", "app b", 3.0)]})
    assert "Nothing is attributed: no drain" in page
    assert list(charts(page)) == ["drain", "printed"]
    assert "What used it" not in page


def test_a_page_of_nothing_is_still_a_page() -> None:
    page = render(Story("t", "l", 0.0, [], [], [], []), {"refused": "no history"})
    assert charts(page) == {}
    assert "no history" in page


def test_cover_and_durations() -> None:
    assert cover([(1.0, 2.0), (3.0, 3.0)], 10.0) == [(1.0, 2.0, 1.0)]
    shaded = cover([(k, k + 0.5) for k in range(100)], 100.0, 10)
    assert shaded == [(0.0, 100.0, 0.5)]
    assert [spoken_time(s) for s in (24, 600, 3600, 36_300)] == ["24 s", "10 min", "1 h 00 min", "10 h 05 min"]


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_draws_in_a_browser(tmp_path: Path, dark: bool) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("chromium is not installed")
    full = story()
    busy = Story(full.title, full.lead, full.duration_s, full.level, full.charge, full.plugged, [
        *(Lane(f"lane {k}", full.lanes[0].spans) for k in range(6)), full.lanes[1]])  # fmt: skip
    target = tmp_path / "report.html"
    target.write_text(render(busy, document()), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--dump-dom"]
    flags += ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run([chromium, *flags, target.as_uri()], capture_output=True, text=True, timeout=90, check=True)
    assert 'data-drawn="4"' in done.stdout
    assert done.stdout.count("<canvas") == 4
    assert "<title>1</title>" not in done.stdout
