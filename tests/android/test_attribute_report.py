"""From a dump to its page: pseudonyms by default, names on request, refusals that still show what there is."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from powerhal.android.drain.report import pseudonyms, report
from powerhal.android.parse import read
from powerhal.cli import main

from .story import APPS, Story


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dump") / "my-secret-name.txt"
    path.write_text(Story(21, 5.0).text())
    return path


def test_names_are_pseudonyms_unless_asked(dump: Path) -> None:
    shared_page, refused = report(read(dump, keep_records=False))
    assert refused is None
    for secret in (*APPS.values(), "my-secret-name", "com.example"):
        assert secret not in shared_page
    assert "app.x" in shared_page
    own, _ = report(read(dump, keep_records=False), redact=False)
    assert all(name in own for name in APPS.values())
    assert "my-secret-name" in own


def test_pseudonyms_follow_their_key() -> None:
    one, again, other = pseudonyms(b"k" * 32), pseudonyms(b"k" * 32), pseudonyms()
    assert one(10_001, ["com.a"]) == again(10_001, ["com.a"]) != other(10_001, ["com.a"])
    assert one(1000, ["com.a"]) == "system (uid 1000)"
    assert one(1_010_001, ["com.a"]).endswith("(user 10)")


def test_the_page_is_small_and_complete(dump: Path) -> None:
    page, _ = report(read(dump, keep_records=False))
    assert len(page) < 3_000_000
    for text in ("How the battery went down", "What used it", "Who used it", "Can I trust it?", "90 % low",
                 "of the dump understood", "Android / here", "left out, charging"):  # fmt: skip
        assert text in page


def test_a_dump_without_history_shows_what_android_printed(tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("9,0,i,vers,36,214,A,A\n9,0,l,pws,4000,147,400,440\n9,0,l,pwi,scrn,56.9,1,0,0\n")
    page, refused = report(read(path, keep_records=False))
    assert refused and "no battery history" in refused
    assert "What Android printed" in page and "Nothing is attributed" in page
    assert "This dump is not complete" in page


def test_the_command(dump: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "page.html"
    assert main(["android", "report", str(dump), "-o", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "path": str(target), "refused": None}
    assert "com.example" not in target.read_text()
    assert main(["android", "report", str(dump), "-o", str(target), "--no-redact"]) == 0
    assert "com.example" in target.read_text()
    assert main(["android", "report", str(dump), "-o", str(dump)]) == 2
    assert "is the dump itself" in capsys.readouterr().err
    assert main(["android", "report", "-"]) == 2
    (tmp_path / "none.txt").write_text("hello\n")
    assert main(["android", "report", str(tmp_path / "none.txt"), "-o", str(target)]) == 5
    key = tmp_path / "key"
    pages = []
    for _ in range(2):
        assert main(["android", "report", str(dump), "-o", str(target), "--key", str(key)]) == 0
        pages.append(target.read_text())
    assert pages[0] == pages[1]


STATES = ("+S", "-S", "+BP", "-BP", "+w=1", "+r", "-r", "+Pr", "-Pr", "+Wr", "+di", "di=full", "Bs=c", "Bs=d", "Bp=u",
          "Bp=n")  # fmt: skip
EVENTS = ("+Etp=1", "-Etp=1", "+Etp=2", "+Ejb=2", "Dcpu={}:3/1:2:3", "XE,{}=5")
TOKENS = (*STATES, *EVENTS, "Mrc={}", "Wrc={}.5", "Bl={}", "Bcc={}", "Sb={}", "Pss={}", "Bv={}")
COMMANDS = ("9,h,5:*OVERFLOW*", "9,h,7:START", "9,h,9:SHUTDOWN", "9,h,0:RESET:TIME:1700000000000")
NUMBERS = (0, 1, 4, 50, 51, 99, 3000, 4000, -7, 10**17)


def test_no_history_breaks_the_page(tmp_path: Path) -> None:
    """Random histories, sensible and not: a page or a refusal, never anything else."""
    rng = random.Random(11)
    path = tmp_path / "dump.txt"
    for _ in range(60):
        rows = ['9,hsp,1,10001,"a"', '9,hsp,2,99999999999999999999,"b"']
        for _ in range(rng.randrange(5, 90)):
            tokens = ",".join(t.format(rng.choice(NUMBERS)) for t in rng.sample(TOKENS, rng.randrange(1, 5)))
            moment = f"9,h,{rng.choice((0, 10, 30_000, 400_000))},{tokens}"
            rows.append(moment if rng.random() < 0.92 else rng.choice(COMMANDS))
        rows += ["9,0,l,bt,0,1,1,1,1,1,1,1,4000,4000000,4000000,0", ""]
        path.write_text("\n".join(["9,0,i,vers,36,214,A,A", *rows]))
        page, refused = report(read(path, keep_records=False))
        assert page.endswith("</html>\n")
        assert ("Nothing is attributed" in page) == (refused is not None)


def test_real_dumps_make_pages_without_names(shared: Path) -> None:
    page, refused = report(read(shared / "data/android/human/xiaomi_miro_a15_1h.crlf.txt", keep_records=False))
    assert refused is None
    for secret in ("tencent", "danmaku", "miui", "xiaomi"):
        assert secret not in page
