from __future__ import annotations

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.issues import Issues
from powerhal.android.proto import wire
from powerhal.android.proto.schema import MESSAGES, fields
from powerhal.android.proto.wire import Broken, Wire, read_bytes, varint, walk

from .wire import double, message, num, text
from .wire import varint as written


def decoded(name: str, data: bytes, most: int = wire.MOST) -> tuple[dict, Wire, list[str]]:
    found = Wire(Issues(), most)
    out = found.message(name, memoryview(data))
    found.settle()
    return out, found, [f"{issue.field}: {issue.why}" for issue in found.issues.kept]


@given(st.integers(-(1 << 63), (1 << 64) - 1))
def test_varints(value: int) -> None:
    data = written(value) + b"rest"
    assert varint(memoryview(data), 0) == (value % (1 << 64), len(data) - 4)


@pytest.mark.parametrize("data, why", [
    (b"", "ends inside"), (b"\x80", "ends inside"), (b"\x80" * 9, "ends inside"), (b"\x80" * 10, "more than ten"),
])  # fmt: skip
def test_broken_varints(data: bytes, why: str) -> None:
    with pytest.raises(Broken) as error:
        varint(memoryview(data), 0, 7)
    assert why in error.value.why and error.value.at == 7


def test_fields_know_their_bytes() -> None:
    data = num(1, 300) + text(2, "ab") + double(3, 1.5) + b"\x25\x01\x00\x00\x00"
    found = list(walk(memoryview(data), 1000))
    assert [(f.number, f.wire, f.at, f.start) for f in found] == [
        (1, 0, 1000, 1001), (2, 2, 1003, 1005), (3, 1, 1007, 1008), (4, 5, 1016, 1017),
    ]  # fmt: skip
    assert bytes(found[1].value) == b"ab" and not any(f.missing for f in found)  # type: ignore[arg-type]


@pytest.mark.parametrize("tag", [b"\x0b", b"\x0c", b"\x0e", b"\x0f", b"\x00", b"\x02", written((1 << 29) * 8)])
def test_what_begins_no_field(tag: bytes) -> None:
    out, found, issues = decoded("HistoryKey", num(1, 5) + tag + b"\x01\x01")
    assert out == {"index": 5} and not found.whole
    assert len(issues) == 1 and "no field begins here" in issues[0] and "at byte 2" in issues[0]


def test_unknown_fields_are_counted_with_their_first_byte() -> None:
    data = num(9, 1) + num(1, 5) + text(9, "x") + double(77, 1.0) + b"\x85\x08abcd"
    out, found, issues = decoded("HistoryKey", data)
    assert out == {"index": 5} and found.whole
    assert issues == [
        "HistoryKey: field 9 (varint) is unknown and not used, 2 times, first at byte 0",
        "HistoryKey: field 77 (fixed64) is unknown and not used, once at byte 7",
        "HistoryKey: field 128 (fixed32) is unknown and not used, once at byte 17",
    ]


def test_unknown_fields_beyond_many_are_one() -> None:
    _, _, issues = decoded("HistoryKey", b"".join(num(n, 1) for n in range(10, 10 + wire.MOST_UNKNOWN + 5)))
    assert len(issues) == wire.MOST_UNKNOWN + 1 and "further fields is unknown and not used, 5 times" in issues[-1]


@pytest.mark.parametrize("name, data, kept", [
    ("HistoryKey", text(1, "no number") + num(2, 7), {"uid": 7}),  # not repeated, so not packed
    ("HistoryKey", num(3, 4) + num(2, 7), {"uid": 7}),
    ("HistoryKey", double(3, 4) + num(2, 7), {"uid": 7}),
    ("PowerSummary", num(1, 4) + double(2, 4.5), {"computed_power_mah": 4.5}),
    ("PowerSummary", b"\x0d\x00\x00\x00\x00" + double(2, 4.5), {"computed_power_mah": 4.5}),
    ("UidConsumed", num(2, 4) + num(1, 7), {"uid": 7}),
    ("UidConsumed", double(1, 4) + num(3, 7), {"foreground_ms": 7}),
])  # fmt: skip
def test_wrong_wire_types(name: str, data: bytes, kept: dict) -> None:
    out, found, issues = decoded(name, data)
    assert out == kept and found.whole
    assert len(issues) == 1 and "and not used, at byte 0" in issues[0]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_charge(value: float) -> None:
    out, _, issues = decoded("PowerSummary", double(1, value) + double(2, 0.0))
    assert out == {"computed_power_mah": 0.0}
    assert issues == [f"PowerSummary.battery_capacity_mah: is {value} and not used, at byte 0"]


def test_packed_numbers() -> None:
    assert decoded("System", text(7, written(300000) + written(-1)) + num(7, 5))[0] == {
        "cpu_frequency": [300000, -1, 5]
    }
    out, _, issues = decoded("System", text(7, written(300000) + b"\x80"))
    assert out == {"cpu_frequency": [300000]} and "is no int" in issues[0]


def test_a_length_beyond_the_end() -> None:
    inner = num(1, 5) + b"\x1a" + written(1 << 62) + b"abc"
    data = b"\x2a" + written(1 << 40) + inner
    out, found, issues = decoded("History", data)
    assert out == {"keys": [{"index": 5, "tag": "abc"}]} and not found.whole
    assert issues == [f"History: keys ends {(1 << 40) - len(inner)} bytes early, at byte 0"]


def test_every_cut_is_said_once_or_lies_between_fields() -> None:
    parts = [message(5, num(1, 1), num(2, 1000), text(3, "abc")), text(6, "9,h,0"), num(1, 35)]
    edges = {0, len(parts[0]), len(parts[0]) + len(parts[1])}
    for cut in range(sum(map(len, parts))):
        _, found, issues = decoded("History", b"".join(parts)[:cut])
        assert len(issues) == (cut not in edges) and found.whole == (cut in edges)


def test_too_many_values_end_the_reading() -> None:
    out, found, issues = decoded("History", text(6, "") * 50, most=10)
    assert len(out["csv_lines"]) == 10 and not found.whole
    assert issues == ["History: more than 10 values, the rest is not read, at byte 20"]
    _, found, issues = decoded("History", message(5, num(1, 1)) * 50, most=10)
    assert not found.whole and len(issues) == 1


def test_too_many_packed_numbers() -> None:
    out, found, issues = decoded("System", text(7, b"\x01" * 50), most=10)
    assert len(out["cpu_frequency"]) == 9 and not found.whole
    assert issues == ["numbers: more than 10 values, the rest is not read, at byte 0"]


def test_a_dump_larger_than_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BYTES", 4)
    issues = Issues()
    data, whole = read_bytes(io.BytesIO(b"12345"), issues)
    assert bytes(data) == b"1234" and not whole and issues.total == 1
    assert read_bytes(io.BytesIO(b"1234"), Issues())[1]


LINE = "9,h,5,+S,1"  # ten bytes long: its length is a line end


@pytest.mark.parametrize("times", [0, 1, 2])
@pytest.mark.parametrize("data", [
    num(1, 35) + num(2, 208) + text(6, LINE), num(1, 35) + num(2, 208) + text(6, LINE) * 9, message(1, text(2, LINE)),
])  # fmt: skip
def test_line_ends_of_adb_are_undone(data: bytes, times: int) -> None:
    sent = data
    for _ in range(times):
        sent = sent.replace(b"\n", b"\r\n")
    issues = Issues()
    assert bytes(read_bytes(io.BytesIO(sent), issues)[0]) == data
    assert issues.total == times


def test_line_ends_of_the_phone_stay() -> None:
    data = num(1, 35) + text(6, "a\r\nb")
    assert bytes(read_bytes(io.BytesIO(data), Issues())[0]) == data


def _random(rng: random.Random, name: str, depth: int) -> tuple[bytes, dict]:
    """A random message with all sorts of fields, and what it says."""
    out, said = b"", {}
    for number, (key, kind, repeated) in sorted(fields(name).items()):
        if rng.random() < 0.4 or (kind in MESSAGES and not depth):
            continue
        values = []
        for _ in range(rng.randrange(1, 4) if repeated else 1):
            if kind == "int":
                value = rng.choice([1, -1, 127, 128, 2**31, -(2**63), 2**63 - 1])
                out += num(number, value)
            elif kind == "double":
                value = rng.choice([0.0, 1.5, -1e300])
                out += double(number, value)
            elif kind == "str":
                value = rng.choice(["", "a", "\u00e9\u4e2d", "x" * 200])
                out += text(number, value)
            else:
                data, value = _random(rng, kind, depth - 1)
                out += text(number, data)
            values.append(value)
        said[key] = values if repeated else values[0]
    return out, said


@given(st.integers(0, 1 << 30), st.sampled_from(sorted(MESSAGES)))
@settings(max_examples=150, deadline=None)
def test_messages_say_what_was_written(seed: int, name: str) -> None:
    data, said = _random(random.Random(seed), name, 4)
    out, found, issues = decoded(name, data)
    assert out == said and found.whole and not issues


def test_against_googles_reader() -> None:
    """Google's own library writes a history message (field numbers from service/batterystats.proto)."""
    descriptor = pytest.importorskip("google.protobuf.descriptor_pb2")
    from google.protobuf import descriptor_pool, message_factory

    file = descriptor.FileDescriptorProto(name="h.proto", syntax="proto2")
    key = file.message_type.add(name="Key")
    top = file.message_type.add(name="History")
    rows = [(key, "index", 1, 5, 1, ""), (key, "uid", 2, 5, 1, ""), (key, "tag", 3, 9, 1, ""),
            (top, "report_version", 1, 5, 1, ""), (top, "parcel_version", 2, 3, 1, ""),
            (top, "keys", 5, 11, 3, ".Key"), (top, "csv_lines", 6, 9, 3, "")]  # fmt: skip
    for holder, name, number, kind, label, of in rows:
        holder.field.add(name=name, number=number, type=kind, label=label, type_name=of or None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName("History"))(
        report_version=35, parcel_version=1 << 40, csv_lines=["9,h,0", "\u00e9"]
    )
    made.keys.add(index=3, uid=-5, tag='a"b')
    out, found, issues = decoded("History", made.SerializeToString())
    assert found.whole and not issues
    assert out == {"report_version": 35, "parcel_version": 1 << 40, "csv_lines": ["9,h,0", "\u00e9"],
                   "keys": [{"index": 3, "uid": -5, "tag": 'a"b'}]}  # fmt: skip
