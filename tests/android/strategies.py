"""Check-in lines made from the platform's tables, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from powerhal.android.checkin.records import SPECS, UNQUOTED, Field, rows
from powerhal.android.checkin.values import print_double, print_mah

COUNTER = st.integers(-1, 2**63 - 1).map(str)
MAH = st.one_of(st.floats(0, 1e6).map(print_mah), st.sampled_from(["0", "0.00000000", "100.0", "1234567"]))
DOUBLE = st.one_of(
    st.floats(0, 1e9).map(print_double), st.sampled_from(["0.0", "1.2E-5", "NaN", "1.0E10", "2.50", "Infinity"])
)
PLAIN = st.text(st.characters(blacklist_characters=',"\n\r', blacklist_categories=("Cs",)), max_size=12)
NAME = st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=("Cs",)), max_size=12)


def text_of(field: Field) -> st.SearchStrategy[str]:
    if field.kind == "letter":
        return st.just(field.unit)
    return {
        "int": COUNTER, "count": st.one_of(COUNTER, st.just("N/A")), "mah": MAH, "double": DOUBLE,
        "str": PLAIN, "name": PLAIN, "any": COUNTER,
    }[field.kind]  # fmt: skip


@st.composite
def checkin_lines(draw: st.DrawFn) -> tuple[int, str]:
    """(API level, line) of any code and version."""
    code = draw(st.sampled_from(sorted(SPECS)))
    row = draw(st.sampled_from(rows(code)))
    width = len(row.fields) + (draw(st.integers(0, 9)) if row.rest else 0)
    texts = [draw(text_of(f)) for f in row.expand(width)]
    if row.named and code not in UNQUOTED and (code == "wr" or row.since >= 26):
        texts[0] = f'"{draw(NAME)}"'
    uid = draw(st.sampled_from([0, 1000, 10139, 1010139, 99901027, -1]))
    window = draw(st.sampled_from("ilu"))
    return row.since, ",".join([f"9,{uid},{window},{code}", *texts])
