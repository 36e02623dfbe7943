"""Text kernels: every tier against reading by hand, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import kernels
from powerhal.kernels.text_form import (
    INTEGER,
    LETTER,
    MAH,
    NAME,
    NAN_BOX,
    PADDING,
    POOLED,
    QUOTED_NAME,
    REAL,
    WORD,
)  # fmt: skip

SETTINGS = settings(max_examples=150, deadline=None)


def packed(text):
    return int.from_bytes(text.encode(), "little")


PLAN = {
    ("br", "l", 0): [INTEGER] * 3,
    ("wl", "l", 0): [WORD, INTEGER, LETTER | packed("bp") << 8],
    ("kwl", "l", 1): [QUOTED_NAME, INTEGER],
    ("kwl", "l", 0): [NAME, INTEGER],
    ("pws", "l", 0): [MAH, MAH],
    ("ble", "l", 0): [REAL],
    ("hsp", "\0", 0): [INTEGER, POOLED],
    ("xy", "l", 0): [],
}


def read(tier, text, plan=PLAN):
    """What a tier reads, in plain values: (rows, history, odd, fresh), or None."""
    keys = [[packed(code), ord(window), quoted] for code, window, quoted in plan]
    starts = [0, *np.cumsum([len(wants) for wants in plan.values()]).tolist()]
    wants = [want for part in plan.values() for want in part]
    names, words = tier.text_pool(), tier.text_pool()
    data = np.frombuffer(text + bytes(PADDING), dtype=np.uint8)
    found = tier.text_read(data, (keys, starts, wants), names, words)
    if found is None:
        return None
    _, sheets, bits, (lines, deltas, firsts, tokens), odd, fresh = found
    rows = []
    for (key, wanted), sheet, wide in zip(plan.items(), sheets, bits, strict=True):
        for line, uid, *cells in sheet:
            kept = [want for want in wanted if want & 255 != LETTER]
            values = [value_of(want, cell, names) for want, cell in zip(kept, cells, strict=True)]
            rows.append((int(line), int(uid), key[0], *values))
            whole = [int(c) for want, c in zip(kept, cells, strict=True) if want == INTEGER]
            assert int(wide) < 0 or int(wide) >= max(map(abs, [int(uid), *whole]))
    said = words.texts()
    history = [
        (int(n), int(d), [said[k] for k in tokens[firsts[i] : firsts[i + 1]]])
        for i, (n, d) in enumerate(zip(lines, deltas, strict=True))
    ]
    return sorted(rows), history, [list(map(int, part)) for part in odd], [list(map(int, row)) for row in fresh]


def value_of(want, cell, names):
    if want & 255 in (WORD, NAME, QUOTED_NAME, POOLED):
        return names.texts()[int(cell)]
    if want & 255 not in (MAH, REAL):
        return int(cell)
    if isinstance(cell, tuple):
        return "?" + names.texts()[cell[0]]
    if isinstance(cell, float):
        return cell
    real = np.int64(cell).view(np.float64)
    return "?" + names.texts()[int(cell) ^ NAN_BOX] if np.isnan(real) else float(real)


def test_every_kind_of_column(tier):
    text = (
        b"9,10010,l,br,0,-5,123456789012345678\n9,-1,l,wl,a b\xff,7,bp\n"
        b'9,0,l,kwl,"x"y",12345678\n9,0,l,kwl,,0\n9,0,l,pws,0,208\n9,0,l,pws,0.0635,2.09\n9,0,l,ble,0.5\n'
        b"9,0,l,ble,123.45678901234567\n9,0,l,ble,1.5E-5\n9,h,5,+S,Bl=99,\n9,h,7\n9,h,0,-S\n"
        b'9,0,l,kwl,"a,"b",,",5\n9,hsp,3,-1,"x, y"\n9,hsp,4,10011,""\n'
    )
    rows, history, odd, fresh = read(tier, text)
    assert rows == [
        (0, 10010, "br", 0, -5, 123456789012345678),
        (1, -1, "wl", "a b\udcff", 7),
        (2, 0, "kwl", 'x"y', 12345678),
        (3, 0, "kwl", "", 0),
        (4, 0, "pws", 0.0, 208.0),
        (5, 0, "pws", 0.0635, 2.09),
        (6, 0, "ble", 0.5),
        (7, 0, "ble", 123.45678901234567),
        (8, 0, "ble", "?1.5E-5"),
        (12, 0, "kwl", 'a,"b",,', 5),
        (13, 3, "hsp", -1, "x, y"),
        (14, 4, "hsp", 10011, ""),
    ]
    assert history == [(9, 5, ["+S", "Bl=99", ""]), (10, 7, []), (11, 0, ["-S"])]
    assert odd == [[], []]
    assert fresh == []


ODD = [
    "9,0,l,br,1,2", "9,0,l,br,1,2,3,4", "9,0,l,br,1,2,", "9,0,l,br,1,2,03", "9,0,l,br,-0,2,3", "9,0,l,br,1,2,x",
    "9,0,l,br,1,2,1234567890123456789", "9,0,l,br,1,2,-", "9,+0,l,br,1,2,3", "9,,l,br,1,2,3", "9,0,l,wl,a,1,p",
    "9,0,l,wl,a,1,bpp", "9,0,l,wl,a,1,bp\0", "9,0,l,br\0,1,2,3", '9,0,\0,hsp,1,"a"',
    '9,0,l,kwl,"a,1', '9,0,l,kwl,",1', "9,0,l,pws,207.5,0", "9,0,l,pws,2.090,0", "9,0,l,pws,5,0",
    "9,0,l,pws,,0", "9,0,l,xy,1", "9,0,l,br", "9,", "9,0", "9,0,l", "9,h,", "9,h,x,+S", "9,h,05,+S", "9,h,5,Dcpu=1:2",
    "9,h,5,+S,XC,1", "9,h,0:RESET", "9,hsp,0,0,a", '9,hsp,0,0,"a', '9,hsp,0,0,"a"b"',
    '9,hsp,0,0,"a\\\\b"', '9,hsp,x,0,"a"', '9,hsp,0,,"a"', '9,hsp,0,"a"', '9,0,l,kwl,"a,b,1', '9,0,l,kwl,"a",b,1',
    f'9,0,l,kwl,"{"," * 40}",1', '9,0,l,kwl,a,b,1', "9,0,l,br,1,2,3\r",
]  # fmt: skip


@pytest.mark.parametrize("line", ODD)
def test_odd_lines_are_told_of_and_spoil_nothing(tier, line):
    good = "9,7,l,br,1,2,3\n"
    rows, history, odd, _ = read(tier, f"{good}{line}\n{good}".encode())
    assert rows == [(0, 7, "br", 1, 2, 3), (2, 7, "br", 1, 2, 3)]
    assert history == []
    assert odd == [[1], [len(good)]]


def test_heads_without_a_plan_are_told_of(tier):
    found = read(tier, b'9,0,l,zz,1,2\n9,0,u,br,1,2,3\n9,0,l,wl,"a,1,f\n')
    assert found[2][0] == [0, 1, 2]
    wanted = [[packed("zz"), ord("l"), 0, 2], [packed("br"), ord("u"), 0, 3], [packed("wl"), ord("l"), 1, 3]]
    assert found[3] == wanted


def test_other_lines_are_left_to_others(tier):
    assert read(tier, b"9,0,l,br,1,2,3\njunk\n") is None
    with pytest.raises(ValueError, match="padding"):
        read(tier, b"9,0,l,br,1,2,3")
    with pytest.raises(ValueError, match="plans"):
        data = np.frombuffer(b"9,0\n" + bytes(PADDING), dtype=np.uint8)
        tier.text_read(data, ([[1, 2, 0]], [0, 5], [0]), tier.text_pool(), tier.text_pool())


PIECES = [
    "0", "-1", "7", "1234567", "12345678", "1e5", "", "br", "wl", "kwl", "l", "h", '"a"', "bp", "2.09", "hsp", '"',
    'b"', '\\"', '"c',
]  # fmt: skip


@given(
    st.lists(
        st.lists(
            st.sampled_from(PIECES),
            max_size=6,
        ).map(lambda fields: ",".join(["9", *fields])),
        min_size=1,
        max_size=8,
    )
)
@SETTINGS
def test_all_tiers_read_the_same(tier, lines):
    text = "".join(f"{line}\n" for line in lines if line[:2] == "9,").encode()
    if text:
        assert read(tier, text) == read(kernels.load("python"), text)


def test_a_pool_grows(tier):
    lines = [f"9,{k},l,wl,name {k} that is long,{k},bp" for k in range(30_000)]
    rows, _, odd, _ = read(tier, ("\n".join(lines) + "\n").encode())
    assert odd == [[], []]
    assert [row[3] for row in rows] == [f"name {k} that is long" for k in range(30_000)]


def test_texts_that_differ_in_a_letter_have_tags_of_their_own():
    jit_pool = pytest.importorskip("powerhal.kernels.jit_pool", reason="no compiled kernels here", exc_type=ImportError)
    base = "*job*/com.example.app/.Service"
    texts = {base[:k] + letter + base[k + 1 :] for k in range(len(base)) for letter in "0123456789xyz"}
    texts |= {base[:k] for k in range(8, len(base))}
    data = np.frombuffer("".join(sorted(texts)).encode() + bytes(PADDING), dtype=np.uint8)
    sizes = np.array([len(text) for text in sorted(texts)])
    tags = np.zeros(len(texts), dtype=np.int64)
    jit_pool.tags_of(data, np.cumsum(sizes) - sizes, sizes, tags)
    assert len(set(tags.tolist())) == len(texts)


def test_states_and_readings(tier):
    table = ([1, -1, 0, 1], [0, 0, -2, -1], [0, 0, 99, 0])
    moments = ([5, 10, 20, 1], [0, 2, 3, 5, 6], [0, 2, 0, 1, 3, 2])
    make = list if tier.tier == "python" else lambda values: np.array(values, dtype=np.int64)
    state = (make([-1]), make([100]))
    found = tier.text_follow(tuple(map(make, moments)), tuple(map(make, table)), 1000, state, True)
    assert [list(map(int, part)) for part in found] == [[1005, 1036], [0, 0], [99, 99]]
    assert (int(state[0][0]), int(state[1][0])) == (-1, 130)
    silent = (make([-1]), make([0]))
    tier.text_follow(tuple(map(make, moments)), tuple(map(make, table)), 0, silent, False)
    assert (int(silent[0][0]), int(silent[1][0])) == (-1, 0)


def as_columns(*texts):
    return "".join(f"9,0,l,ble,{text}\n" for text in texts).encode()


def plain_double(text):
    """What a double's column is read as: a value where Python prints it back and Java without an exponent."""
    try:
        value = float(text)
    except ValueError:
        return "?" + text
    return value if repr(value) == text and (1e-3 <= abs(value) < 1e7 or value == 0) and text != "-0.0" else "?" + text


@given(
    st.one_of(
        st.floats(1e-3, 1e7, exclude_max=True),
        st.tuples(st.integers(0, 1 << 53), st.integers(1, 62)).map(lambda pair: pair[0] / 2 ** pair[1]),
        st.tuples(st.integers(-9, 23), st.integers(-5, 5)).map(lambda pair: 2.0 ** pair[0] * (1 + pair[1] * 2.0**-53)),
    ),
    st.sampled_from(["{!r}", "{:.16g}", "{:.17g}", "{:.18g}", "{:.19f}", "-{!r}"]),
    st.integers(0, 9),
)
@settings(max_examples=500, deadline=None)
def test_doubles_are_those_that_print_alike(tier, value, form, last):
    text = form.format(value)
    texts = (text, text[:-1] + str(last))
    rows = read(tier, as_columns(*texts))[0]
    assert [row[3] for row in rows] == [plain_double(text) for text in texts]


def test_hard_doubles(tier):
    texts = [
        "1234567.00048828125", "1234567.0004882812", "1234567.0004882813", "9999999.999999998", "9999999.999999999",
        "0.0019531249999999998", "1.9999999999999998", "0.0060312011612925825", "0.001", "0.0009999999999999998",
        "0.0", "0.00", "5.0", "5.", ".5", "00.5", "12345678.5", "1.5x", "1..5", "99.123456789012345678",
    ]  # fmt: skip
    rows = read(tier, as_columns(*texts))[0]
    assert [row[3] for row in rows] == [plain_double(text) for text in texts]
