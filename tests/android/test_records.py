from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.android.checkin.records import SPECS, VERSIONS, api_levels, row_for, rows
from powerhal.android.names import components, place, table


def test_all_64_codes() -> None:
    assert len(SPECS) == 64


@pytest.mark.parametrize("code", sorted(SPECS))
def test_rows_are_in_order_with_unique_columns(code: str) -> None:
    found = rows(code)
    assert [row.since for row in found] == sorted({row.since for row in found})
    for row in found:
        names = [f.name for f in row.fields]
        assert len(names) == len(set(names))
        assert place(code)


@pytest.mark.parametrize("code", sorted(SPECS))
def test_width_and_level_find_each_row_again(code: str) -> None:
    for row in rows(code):
        width = len(row.fields) + (2 if row.rest else 0)
        found = row_for(code, width, row.since)
        assert found == row or (found is not None and found.fits(width) and found.since < row.since)


def test_versions() -> None:
    for version in VERSIONS:
        assert api_levels(version.checkin, version.parcel) == version.apis
    assert api_levels(36, 0x10_00D7) == (36,)
    assert api_levels(11, 116) == (21,)
    assert api_levels(16, 135) == (24,)
    assert api_levels(99, 999) == (36,)


def test_the_documented_table_is_the_tables(repo: Path) -> None:
    text = (repo / "docs/android.md").read_text()
    assert "\n".join(table()) in text
    assert components() in text
