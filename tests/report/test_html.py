from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from powerhal.report import html

from .fakes import HOSTILE, document, recording


@pytest.fixture(scope="module")
def page() -> str:
    return html.render(recording(), document(), truth={("device", "cpu"): 51.0, ("process", "make"): 14.0})


class Collector(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.tables = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [v for k, v in attrs if k == "id" and v]
        self.tables += tag == "table"


def test_nothing_is_fetched(page: str) -> None:
    seen = Collector()
    seen.feed(page)
    fetching = [
        (t, a) for t, a in seen.tags if {"src", "href", "srcset", "action"} & set(a) or t in ("link", "img", "iframe")
    ]
    assert not fetching
    assert "default-src 'none'" in page
    assert "@import" not in page and "url(" not in html._asset("report/page.css")


def test_hostile_names_stay_text(page: str) -> None:
    assert HOSTILE not in page
    assert "onerror=&quot;" in page or "onerror=" not in page.split("<script", 1)[0]
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert data
    charts = {c["id"]: c for c in json.loads(data[1])["charts"]}
    assert any(r["name"] == HOSTILE for r in charts["processes"]["data"]["rows"])
    assert "\x1b" not in page


def test_every_chart_has_a_table_and_a_question(page: str) -> None:
    seen = Collector()
    seen.feed(page)
    charts = [i for i in seen.ids if i != "data"]
    assert charts == ["rails", "sankey", "processes", "devices", "coefficients", "fit"]
    assert seen.tables == len(charts)


def test_tables_can_be_read_aloud_and_scrolled_with_keys(page: str) -> None:
    seen = Collector()
    seen.feed(page)
    regions = [a for t, a in seen.tags if t == "div" and a.get("class") == "scroll"]
    assert len(regions) == seen.tables
    assert all(a.get("tabindex") == "0" and a.get("role") == "region" and a.get("aria-label") for a in regions)
    rows = page.count("<tr>")
    assert page.count("<th scope=row>") == rows - seen.tables  # every line but the headers


def test_small_numbers_get_a_prefix() -> None:
    tiny = document()
    for row in tiny["rows"]:
        row["gco2e"] = 3.03e-8
    tiny["model"]["coefficients"] = [
        {"name": "cpu: V²f", "device": "cpu", "unit": "W/(Hz V²)", "value": 1.153e-10, "low": 6.9e-11, "high": 1.6e-10}
    ]
    page = html.render(recording(), tiny)
    assert "<th scope=col>ngCO2e</th>" in page and "<td>30.3</td>" in page
    assert "<td>115</td><td>69.0</td><td>160</td><td>pW/(Hz V²)</td>" in page
    assert not re.search(r"<td>-?0\.0{6}", page)


def test_spikes_survive(page: str) -> None:
    data = re.search(r'id="data">(.*?)</script>', page, re.S)
    assert data
    charts = {c["id"]: c for c in json.loads(data[1])["charts"]}
    cpu = next(s for s in charts["rails"]["data"]["series"] if s["name"] == "VDD_CPU")
    assert max(v for _, v in cpu["points"]) == 9.5
    assert len(cpu["points"]) <= 4000
    assert next(s for s in charts["rails"]["data"]["series"] if s["name"] == "VBAT")["line"]


def test_refusal_is_on_the_page() -> None:
    page = html.render(recording(), {"refused": "no power sensor", "total": {}, "rows": []})
    assert "Nothing is attributed: no power sensor" in page
    assert "Power over time" in page


@pytest.mark.browser
def test_the_page_draws_in_a_browser(page: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("chromium is not installed")
    target = tmp_path / "report.html"
    target.write_text(page, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--dump-dom"]
    done = subprocess.run([chromium, *flags, target.as_uri()], capture_output=True, text=True, timeout=90, check=True)
    assert 'data-drawn="6"' in done.stdout
    assert done.stdout.count("<canvas") == 6
    assert "<title>1</title>" not in done.stdout


def test_paper_needs_no_hands(page: str) -> None:
    """What only a screen can do is left out of the print, and short tables stay on one sheet."""
    assert "<span class=hint>Drag in the picture to look closer.</span>" in page
    style = html._asset("report/page.css")
    paper = style[style.index("@media print") :]
    assert re.search(r"\.hint[^{]*\{ display: none; \}", paper)
    assert "if (printing) delete option.dataZoom" in html._asset("report/page.js")
    rows = [("a", "1")]
    assert "<table class=short>" in html.table(("x", "y"), rows * html.SHORT, "t")
    assert "<table>" in html.table(("x", "y"), rows * (html.SHORT + 1), "t")


def test_the_page_prints(page: str, tmp_path: Path) -> None:
    """A browser that is asked for a PDF gives one of a few sheets, with the pictures drawn for paper."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no browser here")
    file, out = tmp_path / "page.html", tmp_path / "page.pdf"
    file.write_text(page)
    words = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    words += ["--virtual-time-budget=5000", f"--print-to-pdf={out}"]
    subprocess.run([browser, *words, file.as_uri()], check=True, capture_output=True, timeout=100)
    data = out.read_bytes()
    assert data.startswith(b"%PDF-")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 12
