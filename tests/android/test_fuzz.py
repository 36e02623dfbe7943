"""A short run of every fuzz entry: its stored corpus and some mutations; the long run is `make fuzz`."""

from __future__ import annotations

import sys

import pytest

from tests.android.fuzz import CORPUS, Findings, entries, mutate_and_run, seeds, store
from tests.android.fuzz_coverage import reached


@pytest.mark.parametrize("name", sorted(entries()))
def test_corpus_and_mutations(name: str) -> None:
    assert mutate_and_run(name, executions=300, seed=7) == 300 + len(seeds(name))


def test_every_corpus_has_an_entry() -> None:
    assert {file.stem for file in CORPUS.iterdir()} == set(entries())


def test_corpus_reads_back(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tests.android.fuzz.CORPUS", tmp_path)
    store("checkin", [b"\x00\n'\"", b"a", b"a"])
    assert seeds("checkin") == [b"a", b"\x00\n'\""]


def test_a_finding_is_kept_and_counted(tmp_path, monkeypatch) -> None:
    def broken(data: bytes) -> None:
        if b"!" in data:
            raise KeyError(data)

    monkeypatch.setitem(entries(), "checkin", broken)
    found = Findings("checkin", tmp_path)
    for data in (b"a", b"x!", b"!"):
        found(data)
    assert found.executions == 3
    assert list(found.places.values()) == [2]
    assert [file.read_text().splitlines()[0] for file in tmp_path.iterdir()] == ["b'x!'"]
    with pytest.raises(AssertionError, match="checkin"):
        mutate_and_run("checkin", executions=2000, seed=1)


def test_reached_tells_ways_apart() -> None:
    entry, before = entries()["checkin"], sys.gettrace()
    good, odd = reached(entry, b"9,0,l,br,1,2,3,4,5"), reached(entry, b"9,0,l")
    assert good - odd
    assert odd - good
    assert sys.gettrace() is before
