"""Typing mistakes that are not YAML: where they are said to be, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.board.strict_yaml import loads
from powerhal.errors import BoardError

GOOD = """\
schema: 1
title: A board
sensors:
  supply:
    chip: "ti,ina219"   # its shunt is R100
    bus: i2c-1
    rate: 1 Hz
  gauge:
    chip: "maxim,max17048"
clusters:
  cpu: {core: a72, cpus: [0, 1]}
devices: {}
"""


@pytest.mark.parametrize(
    ("was", "typed", "where", "said"),
    [
        ("    bus: i2c-1\n", "\tbus: i2c-1\n", ["6:1"], "a tab"),
        ("    bus: i2c-1\n    rate", "\tbus: i2c-1\n  \trate", ["6:1", "7:3"], "a tab"),
        ("    rate: 1 Hz", "   rate: 1 Hz", ["7:4"], "indented by 3 spaces, line 6 above it by 4"),
        ('    chip: "ti', '  chip: "ti', ["6:5"], "indented by 4 spaces, line 5 above it by 2"),
        ("sensors:", "sensors", ["3:1"], "'sensors' is no `key: value`"),
        ("rate: 1 Hz", "rate:1 Hz", ["7:5"], "a space is missing after 'rate:'"),
        ("cpus: [0, 1]}", "cpus: [0, 1]", ["11:8"], "the '{' that opens here is never closed: '}' is missing"),
        ("cpus: [0, 1]}", "cpus: [0, 1}", ["11:31"], "',' or ']' is missing before '}'"),
        ('"ti,ina219" ', '"ti,ina219 ', ["5:11"], "goes on to line 9"),
        ('"maxim,max17048"', '"maxim,max17048', ["9:11"], "never closed"),
        ("title: A board", "title: A: board", ["2:9"], "a second ': ' in one line"),
        ("    bus: i2c-1", "      bus: i2c-1", ["6:7"], "indented by 6 spaces, line 5 above it by 4"),
        ("    rate: 1", "      rate: 1", ["7:7"], "'rate' is indented deeper"),
        ("title: A", "title: @A", ["2:8"], "cannot begin with '@'"),
        ("  supply:\n", "  - supply:\n", ["8:3"], "does not go on with what began in line 4"),
    ],
)
def test_a_mistake_is_told_where_it_was_made(was: str, typed: str, where: list[str], said: str) -> None:
    assert was in GOOD
    with pytest.raises(BoardError) as refusal:
        loads(GOOD.replace(was, typed, 1), "b.yaml")
    problems = refusal.value.problems
    assert [p.where for p in problems] == [f"b.yaml:{place}" for place in where]
    assert all(p.code == "PH-B001" and said in p.message for p in problems), [p.message for p in problems]


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab:- \t\n\"'{}[],#@&*|>%!?", max_size=40))
def test_any_text_is_read_or_refused_with_places(text: str) -> None:
    try:
        loads(text, "b.yaml")
    except BoardError as refusal:
        assert refusal.problems
        for problem in refusal.problems:
            line, column = map(int, problem.where.removeprefix("b.yaml:").split(":"))
            assert 1 <= line <= text.count("\n") + 2
            assert column >= 1
