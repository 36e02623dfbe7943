"""Names of components by their place, as versions and vendors have added to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.android.parse import read
from powerhal.android.share.document import redact_document
from powerhal.android.share.redact import Pseudonyms
from powerhal.android.statistics import COMPONENTS, component_at
from powerhal.android.summary import document

KNOWN = "scrn cpu blue camera audio video flashlight ??? cell sensors gnss wifi ??? memory phone ambi idle ???"
VERSIONS = {33: "35,208", 34: "36,212", 35: "36,214", 36: "36,215"}


@pytest.mark.parametrize(
    ("api", "more", "names"),
    [
        (33, 0, []),
        (33, 1, ["power_sharing"]),  # Samsung
        (34, 1, ["power_sharing"]),
        (35, 1, ["unknown"]),  # which of the two is not known there
        (36, 1, ["base"]),
        (36, 2, ["base", "power_sharing"]),
        (36, 3, ["base", "power_sharing", "unknown"]),
    ],
)
def test_components_behind_the_known_ones(tmp_path: Path, api: int, more: int, names: list[str]) -> None:
    rows = "".join(f"9,0,l,pwi,{label},{k + 1}.5,0,0,0\n" for k, label in enumerate([*KNOWN.split(), *["???"] * more]))
    path = tmp_path / "dump.txt"
    path.write_text(f"9,0,i,vers,{VERSIONS[api]},A,A\n9,0,l,pws,4000,147,400,440\n{rows}9,0,l,pwi,uid,1.5,0,0,0\n")
    out = document(read(path))
    assert [d["name"] for d in out["devices"]] == [*COMPONENTS, *names]
    assert [d["label"] for d in out["devices"]][18:] == ["???"] * more
    shared = redact_document(out, Pseudonyms(b"k" * 32))
    assert [d["name"] for d in shared["devices"]] == [*COMPONENTS, *names]


@pytest.mark.parametrize(
    ("versions", "names"),
    [
        ("9,0,i,vers,34,188,A,A\n", ["unknown"] * 3),  # Android 11 sorts them by charge
        ("9,0,i,vers,36,212,A,A\n", ["system_services", "unknown", "unknown"]),  # 8 and 9 are components with labels
        ("", ["system_services", "unknown", "unknown"]),
    ],
)
def test_places_mean_something_where_they_are_kept(tmp_path: Path, versions: str, names: list[str]) -> None:
    labels = ["over", "unacc", "scrn", "cell", "idle", "wifi", "blue", "???", "???", "???"]
    path = tmp_path / "dump.txt"
    path.write_text(versions + "".join(f"9,0,l,pwi,{label},{20 - k}.5,0,0,0\n" for k, label in enumerate(labels)))
    assert [device["name"] for device in document(read(path))["devices"]][7:] == names


def test_places_that_nobody_has_named() -> None:
    assert component_at(17, None) == "reattributed"
    assert [component_at(*at) for at in ((18, None), (20, 36), (18, 32), (7, 32))] == [""] * 4
