from __future__ import annotations

import math
import re
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from powerhal.board import strict_yaml
from powerhal.board.document import Document
from powerhal.board.problems import CODES
from powerhal.board.strict_yaml import loads, scalar
from powerhal.errors import BoardError

LOADERS = [yaml.SafeLoader] + ([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def each_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a test with PyYAML's parser and, where it is built, with libyaml's."""
    monkeypatch.setattr(strict_yaml, "_LOADER", request.param)


def refused(text: bytes | str) -> list[str]:
    with pytest.raises(BoardError) as caught:
        loads(text, "b.yaml")
    assert caught.value.problems
    assert caught.value.exit_code == 3
    return [str(p) for p in caught.value.problems]


@pytest.mark.usefixtures("each_parser")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("null", None), ("~", None),
        ("", None), ("010", 10), ("0o17", 15), ("0x40", 64), ("1e-3", 0.001), (".5", 0.5), ("5.", 5.0), ("+5", 5),
        ("-0", 0), ("12:30", "12:30"), ("1_000", "1_000"), ("2024-01-01", "2024-01-01"), ("0b1", "0b1"),
        ("10 mOhm", "10 mOhm"), ("ti,ina226", "ti,ina226"), ("1.2.3", "1.2.3"), ("0x", "0x"), ("e3", "e3"),
        ("'0x40'", "0x40"), ('"1"', "1"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    data = loads(f"a: {text}\n").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


@pytest.mark.usefixtures("each_parser")
def test_places_of_keys_and_values() -> None:
    document = loads("a: 1\nb:\n  - x\n  - {c: y}\n", "b.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c": "y"}]}
    assert document.where(("a",)) == "b.yaml:1:4"
    assert document.where(("b", 1, "c")) == "b.yaml:4:9"
    assert document.where(("b", 1, "c"), key=True) == "b.yaml:4:6"
    assert document.where(("b", 1, "missing")) == "b.yaml:4:5"


@pytest.mark.usefixtures("each_parser")
def test_keys_are_text_as_written() -> None:
    assert loads("1: a\nNO: b\n0x2: c\n").data == {"1": "a", "NO": "b", "0x2": "c"}


@pytest.mark.usefixtures("each_parser")
@pytest.mark.parametrize(
    ("text", "where", "code"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1", "PH-B006"),
        ("a: &x 1\n", "1:4", "PH-B004"),
        ("a: *x\n", "1:4", "PH-B004"),
        ("a: !!python/object:os.system x\n", "1:4", "PH-B005"),
        ("a: ! x\n", "1:4", "PH-B005"),
        ("a: {<<: {b: 1}}\n", "1:5", "PH-B010"),
        ("? [1]\n: 2\n", "1:3", "PH-B010"),
        ("? {a: 1}\n: 2\n", "1:3", "PH-B010"),
        ("~: 1\n", "1:1", "PH-B010"),
        ("a: 99999999999999999999\n", "1:4", "PH-B009"),
        ("a: 1e400\n", "1:4", "PH-B009"),
        ("a: .inf\n", "1:4", "PH-B009"),
        ("a: .NaN\n", "1:4", "PH-B009"),
        ("a: 1\n--- \nb: 1\n", "2:1", "PH-B011"),
        ("%TAG ! tag:x,2000:\n--- \na: 1\n", None, "PH-B005"),
        ("", "1:1", "PH-B011"),
        ("# nothing\n", "1:1", "PH-B011"),
        ("a: [1, 2\n", None, "PH-B001"),
        ("\ta: 1\n", "1:1", "PH-B001"),
        ("a: 1\nb: \x00\n", "2:4", "PH-B001"),
        ("a: " + "[" * 13 + "]" * 13, "1:15", "PH-B007"),
        (b"a: 1\nb: \xff\n", "2:4", "PH-B003"),
    ],
)  # fmt: skip
def test_refusals_say_where(text: bytes | str, where: str | None, code: str) -> None:
    problems = refused(text)
    assert any(code in p for p in problems)
    if where:
        assert any(p.startswith(f"b.yaml:{where} ") and code in p for p in problems), problems


@pytest.mark.usefixtures("each_parser")
def test_all_mistakes_at_once() -> None:
    problems = refused("a: &x 1\nb: *x\nc: !t 1\nc: 2\nd: .inf\n<<: 1\n")
    codes = [re.search(r"PH-B\d{3}", p)[0] for p in problems]  # type: ignore[index]
    assert codes == ["PH-B004", "PH-B004", "PH-B005", "PH-B006", "PH-B009", "PH-B010"]


def test_depth_and_size_limits_are_the_stated_ones() -> None:
    assert loads("[" * 12 + "1" + "]" * 12).data
    assert len(loads("[" + "1," * 19_998 + "1]").data) == 19_999
    assert "PH-B008" in refused("[" + "1," * 20_000 + "1]")[0]
    assert loads(b"a: " + b"x" * (strict_yaml.MAX_BYTES - 3)).data
    assert "PH-B002" in refused(b"a: " + b"x" * (strict_yaml.MAX_BYTES - 2))[0]


HOSTILE = {
    "merge bomb": "a: &a {x: 1}\n" + "".join(f"b{i}: &b{i} {{<<: [{'*a,' * 9}]}}\n" for i in range(30)),
    "open lists": "[" * 200_000,
    "open maps": "{" * 200_000,
    "dashes": "- " * 100_000,
    "questions": "? " * 100_000,
    "maps in lists": "[{a: " * 40_000,
    "keys in keys": "{? " * 80_000,
    "indentation": "\n".join(" " * i + "a:" for i in range(600)),
    "tags": "!a " * 80_000,
    "directives": "%YAML 1.1\n" * 20_000,
    "documents": "---\n" * 60_000,
    "anchors": "a: &a 1\n" * 30_000,
    "long integer": "a: " + "9" * 250_000,
    "long hex": "a: 0x" + "f" * 250_000,
    "long exponent": "a: 1e" + "9" * 250_000,
    "many keys": "".join(f"k{i}: 1\n" for i in range(20_000)),
    "same keys": "k: 1\n" * 50_000,
    "open quote": '"' + "\\n" * 120_000,
    "many lines": "a:\n" + "  b\n" * 60_000,
}


@pytest.mark.usefixtures("each_parser")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_one_board_error_of_bounded_size(name: str) -> None:
    try:
        loads(HOSTILE[name])
    except BoardError as error:
        assert 1 <= len(error.problems) <= strict_yaml.SHOWN
        assert all(len(p.message) < 400 for p in error.problems)
    else:
        assert name in ("many lines",)


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(list("ab:- \n[]{}&*!?|>'\"%#,0x.~<\t\\é")), max_size=60))
@example("a: |\n x\n: y")
def test_any_text_gives_data_or_a_board_error(text: str) -> None:
    try:
        document = loads(text)
    except BoardError as error:
        assert all(p.code in CODES for p in error.problems)
        assert all(re.fullmatch(r"board\.yaml:\d+:\d+", p.where) for p in error.problems)
    else:
        assert_plain(document.data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_give_data_or_a_board_error(raw: bytes) -> None:
    try:
        assert_plain(loads(raw).data)
    except BoardError as error:
        assert error.problems


def assert_plain(data: Any) -> None:
    """Maps with text keys, lists, text, finite numbers, truth values, nothing."""
    if isinstance(data, dict):
        for key, value in data.items():
            assert type(key) is str
            assert_plain(value)
    elif isinstance(data, list):
        for value in data:
            assert_plain(value)
    elif isinstance(data, float):
        assert math.isfinite(data)
    else:
        assert data is None or type(data) in (str, int, bool)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(PLAIN)
def test_json_is_read_as_it_was_written(data: Any) -> None:
    import json

    document: Document = loads(json.dumps(data))
    assert document.data == data


def test_scalar_alone() -> None:
    assert scalar("0o7") == 7
    with pytest.raises(ValueError, match="64 bits"):
        scalar("0x1ffffffffffffffff")
