from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.checkin.lines import Reader, Record, emit
from powerhal.android.checkin.records import SPECS, UNQUOTED, rows
from powerhal.android.checkin.values import Malformed
from powerhal.android.history.lines import emit_history, is_history, read_history
from powerhal.android.history.tokens import WORDS
from powerhal.android.issues import Issues
from powerhal.android.parse import read
from powerhal.android.share.document import redact_document
from powerhal.android.share.lines import LineRedactor
from powerhal.android.share.redact import KEY_BYTES, Pseudonyms, load_key
from powerhal.android.share.source import CheckinLine
from powerhal.android.summary import document
from powerhal.cli import main
from powerhal.errors import FileError

NAMES = Pseudonyms(b"k" * KEY_BYTES)
# what is planted, and every part of it that must be gone
SECRETS = {
    "com.android.zyxapp": ("zyxapp",), "org.zyxfirm.mail:zyxworker": ("zyxfirm", "zyxworker"),
    "*job*/com.zyxcorp/.ZyxJob": ("zyxcorp", "zyxjob"), "gmail-ls/com.zyx.type/zyx.bob@zyxmail.org": ("zyx", "bob"),
    "aa:bb:cc:dd:ee:0f": ("aa:bb", "ee:0f"), "+49 170 1234567": ("1234567", "170"), "356938035643809": ("35693803",),
    "Zyx Home WLAN": ("zyx", "home"), "zyx_9f3c1a2b7": ("zyx", "9f3c1a2b7"), "żółw": ("żółw", "żół"),
    "*sync*/auth/Herr. Zyx": ("zyx", "herr"), "*alarm*": (),
}  # fmt: skip


def again(lines: list[str], names: Pseudonyms = NAMES) -> list[str]:
    """Lines through the redactor."""
    issues = Issues()
    reader = Reader(issues)
    typed: list[CheckinLine] = []
    for number, line in enumerate(lines, 1):
        found = read_history(number, line, issues) if is_history(line) else reader.read(number, line)
        assert found is not None
        typed.append(found)
    return [emit(x) if isinstance(x, Record) else emit_history(x) for x in LineRedactor(names).lines(typed)]


def clean(text: str, secret: str) -> None:
    for part in SECRETS[secret]:
        assert part.lower() not in text.lower(), text


def numbers(line: str) -> list[Any]:
    record = Reader(Issues(), api=36).read(1, line)
    assert record is not None
    return [v for v in record.values if not isinstance(v, str | Malformed)]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("code", sorted(SPECS))
def test_every_column_of_every_record(code: str, secret: str) -> None:
    for row in rows(code):
        fields = row.expand(len(row.fields) + (2 if row.rest else 0))
        for at, field in enumerate(fields):
            quotable = at == 0 and row.named and code not in UNQUOTED
            texts = [f.unit if f.kind == "letter" else "name" if f.kind in ("str", "name") else "7" for f in fields]
            texts[at] = f'"{secret}"' if quotable and (row.since >= 26 or code == "wr") else secret.replace(",", "_")
            line = ",".join(["9,10010,l", code, *texts])
            (out,) = again(["9,0,i,vers,36,212,A,A", line])[1:]
            if field.kind not in ("str", "name") and secret.isdigit():
                continue  # a number in a column of numbers is a number
            clean(out, secret)
            if field.kind in ("str", "name"):
                assert numbers(out) == numbers(line)


@pytest.mark.parametrize("secret", SECRETS)
def test_every_place_of_the_history(secret: str) -> None:
    quoted = secret.replace('"', '\\"')
    word = secret.replace(",", " ")
    lines = [
        f'9,hsp,0,10010,"{quoted}"', f'9,hsp,1,0,"{quoted}"', f"9,hsp,2,10,{quoted}", f"9,hsp,x{word},1,{word}",
        "9,h,5,wr=1", f"9,h,{word}", f"9,h,0:{word}", f"9,h,1,+{word}", f"9,h,1,{word}=5", f"9,h,1,ssid={word}",
        *(f"9,h,2,{key}={word}" for key in WORDS), *(f"9,h,3,+{key}={word}" for key in WORDS),
        f"9,h,0,Dpst=1,2,3,4,5,6,{word},x", f"9,h,0,Dcpu=1:2/{word}:3:4", f"9,h,0,XB,0,0,{word}",
        f"9,h,0,XE,{word}=5", f"9,h,0,XC,10010,{word}",
    ]  # fmt: skip
    if secret.isdigit():  # a number in a place for numbers is a number
        lines = [*lines[:4], f"9,h,0:{word}", f"9,h,1,+{word}", f"9,h,1,{word}=5", f"9,h,1,ssid={word}"]
    clean("\n".join(again(lines)), secret)


def test_vendor_records_are_left_out() -> None:
    assert again(["9,0,l,zyx,com.secret,1"]) == []


@given(st.text(max_size=30))
@settings(max_examples=200)
def test_any_text(text: str) -> None:
    """Only known words and short numbers get through; the same text always gives the same pseudonym."""
    out = NAMES.tag("zq" + text.replace(",", " "))
    assert "zq" not in out.replace("tag.x", "").lower() or not any(c.isalpha() for c in text)
    assert out == NAMES.tag("zq" + text.replace(",", " "))


def test_pseudonyms() -> None:
    assert NAMES.package("com.a") == Pseudonyms(b"k" * KEY_BYTES).package("com.a")
    assert NAMES.package("com.a") != Pseudonyms.fresh().package("com.a")
    assert NAMES.package("com.a") in NAMES.tag("*job*/com.a/.S")
    assert NAMES.package(NAMES.package("com.a")) == NAMES.package("com.a")
    assert NAMES.package("com.google.android.gms") == "com.google.android.gms"
    assert NAMES.account("com.a") != NAMES.package("com.a")
    wake = "200:qcom,smd-rpm:222"
    assert NAMES.kernel(wake) == wake
    assert NAMES.tag("AudioMix") == "AudioMix"
    with pytest.raises(ValueError, match="32 bytes"):
        Pseudonyms(b"short")


def test_key_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    key = load_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path) == key
    path.chmod(0o644)
    with pytest.raises(FileError, match="others"):
        load_key(path)
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(FileError, match="no key"):
        load_key(path)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(FileError):
        load_key(tmp_path / "link")


def values(found: Any) -> list[Any]:
    """Every number of a document, in order."""
    if isinstance(found, dict):
        return [v for k, part in found.items() if k != "first_line" for v in values(part)]
    if isinstance(found, list):
        return [v for part in found for v in values(part)]
    return [found] if isinstance(found, int | float) else []


def test_reference_dumps_keep_every_number(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "android" / "checkin"
    for path in (folder / "synth_api21_s1.txt", folder / "synth_api29_s1.txt", folder / "synth_api36_s1.txt"):
        out = tmp_path / path.name
        assert main(["android", "redact", str(path), "-o", str(out)]) == 0
        before, after = document(read(path)), document(read(out))
        assert values(after) == values(before)
        assert values(redact_document(before, NAMES)) == values(before)
        text = out.read_text() + json.dumps(redact_document(before, NAMES))
        for secret in ("example", "sample", "Say", "NlpWakeLock_x"):
            assert secret not in text


def test_text_form_document(shared: Path) -> None:
    for path in sorted((shared / "data" / "android" / "human").iterdir()):
        before = document(read(path))
        after = redact_document(before, NAMES)
        assert values(after) == values(before)
        text = json.dumps(after)
        private = {p for use in before["uids"] for p in use["packages"]} - {"android"}
        for name in [p for p in private if NAMES.package(p) != p]:
            assert f'"{name}"' not in text
