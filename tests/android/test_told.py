"""Protobuf dumps told by their first bytes, and by nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.proto.told import described, form_of

from .test_rails_proto import METER, MODEL, RESIDENCY, channel, consumer, entity
from .test_usage import WHOLE
from .wire import double, history, message, num, text

STATS = message(1, num(1, 36), num(2, 215), text(3, "AP1A"), text(4, "AP1A"))
FORMS = {
    "stats": [STATS, message(1, num(1, 11), num(2, 116))],
    "history": [history(["9,h,0"], [(0, 0, "x")]), num(1, 32) + num(2, 177) + text(6, "9,h,0"),
                num(1, 35) + num(2, 1310906) + text(3, "A")],
    "usage": [WHOLE, num(2, 1_700_000_000_000) + num(3, 5) + num(7, 5)],
    "powerstats": [METER, MODEL, RESIDENCY, message(3054, METER), message(3056, RESIDENCY), channel(0, "A"),
                   consumer(3, 1, 6, "WIFI"), consumer(1, 36, 200, "x"), entity(4, "E", "S")],
}  # fmt: skip
CASES = [(form, data) for form, rows in FORMS.items() for data in rows]
OTHERS = [
    b"", b"9,0,i,vers,36,214,A,A\n", b"\n\n\n", b"\x0a\x00", b"\x0a\x05hello", b"\x08\x01\x10\x02", b"\x08\x24",
    bytes(range(1, 256)), bytes(range(256)), b"SQLite format 3\0", b"PK\x03\x04", b"\x1f\x8b\x08\x00",
    bytes.fromhex("0a1fc2021c0a1a0804120e53334d5f5644445f435055434c311a0363707520ff07"),  # a packet of a trace
    message(1, num(3, 5), num(8, 77), num(10, 1)),  # another: uid, time, sequence
    message(1, text(2, b"\x0a\x04\x08\x01\x10\x02")),  # another: a process tree
    num(1, 1_700_000_000_000) + num(2, 5), num(1, 1_700_000_000_000), double(1, 5.0) + double(2, 5.0),
]  # fmt: skip


@pytest.mark.parametrize("form, data", CASES)
def test_forms(form: str, data: bytes) -> None:
    assert form_of(data[:4096]) == form
    assert form_of(re.sub(b"\n", b"\r\n", data)) == form
    assert form_of(re.sub(b"\n", b"\r\r\n", data)) == form
    assert form_of(data + bytes(range(200))) == form  # damage further on keeps no file out


@pytest.mark.parametrize("data", OTHERS)
def test_others(data: bytes) -> None:
    assert form_of(data) == ""


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "latin-1"]))
@settings(max_examples=200, deadline=None)
def test_no_text_is_taken_for_one(words: str, encoding: str) -> None:
    plain = "".join(c for c in words if c.isprintable() or c in "\t\r\n")
    assert form_of(("a" + plain).encode(encoding, "ignore")) == ""


@given(st.binary(max_size=64))
@settings(max_examples=300, deadline=None)
def test_any_bytes(data: bytes) -> None:
    assert form_of(data) in ("", *FORMS)


def test_traces_are_none(shared: Path) -> None:
    traces = [p for p in (shared / "data" / "android").rglob("*") if p.suffix in (".pftrace", ".perfetto-trace", ".pb")]
    for path in traces:
        with path.open("rb") as stream:
            assert form_of(stream.read(4096)) != "powerstats", path


@pytest.mark.parametrize("data, kinds", [
    (channel(0, "A", "sub (5G)"), {"channel"}), (channel(0, "A"), {"channel", "entity"}),
    (entity(0, "A", "S"), {"entity"}), (consumer(1, 1, 1, "x"), {"consumer"}),
    (message(1), {"channel", "consumer", "entity"}), (message(1, text(2, b"\x01")), set()),
    (message(1, b"\xff\xff"), set()), (message(1, num(4, 5)), set()),
])  # fmt: skip
def test_described(data: bytes, kinds: set[str]) -> None:
    assert described(memoryview(data)[2:]) == kinds
