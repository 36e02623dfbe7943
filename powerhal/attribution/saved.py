"""A ledger read back from the JSON of `attribute --json`: its rows, total and sources of doubt, no model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.ledger import SCHEMA, Ledger, Row, Series, Total
from powerhal.attribution.uncertainty import Z90, Doubt
from powerhal.channel import ProcessInfo
from powerhal.errors import FileError

Floats = npt.NDArray[np.float64]

HINT = "write it with: powerhal attribute RUN.phr --json"


def ledger_from(document: Any, where: str = "ledger") -> Ledger:
    """The ledger that `Ledger.to_dict` wrote; raises FileError naming what is wrong.

    Without `doubts` in it each row's interval is its own: what rows share is then not known, and a note says so.
    """
    try:
        if document["schema"] != SCHEMA or not isinstance(document["rows"], list):
            raise FileError(f"{where} is no ledger of schema {SCHEMA}", hint=HINT)
        doubts, t90 = _doubts(document.get("doubts"))
        rows = tuple(_row(row, len(doubts), k) for k, row in enumerate(document["rows"]))
        if not all(np.isfinite(row.energy_j) for row in rows):
            raise FileError(f"{where} holds a number that is not finite", hint=HINT)
        nothing = np.zeros(0)
        notes = tuple(str(n) for n in document.get("notes", ()))
        if not doubts:
            notes += (f"{where} does not say what its rows' intervals have in common: they are taken as independent",)
        return Ledger(
            str(document["board"]), str(document["policy"]), rows, _total(document["total"], len(doubts)),
            Series(nothing, nothing, nothing, nothing, {}), {}, (), notes,
            float(document["conservation_error"]), doubts, t90, machine=str(document.get("machine", "")),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        if isinstance(fault, FileError):
            raise
        raise FileError(f"{where} is not the JSON of a ledger: {fault!r}", hint=HINT) from fault


def _doubts(data: Any) -> tuple[tuple[Doubt, ...], float]:
    if not data:
        return (), Z90
    return tuple(Doubt(str(d["name"]), bool(d["learned"]), str(d["scope"])) for d in data["sources"]), float(
        data["t90"]
    )


def _total(data: Mapping[str, Any], sources: int) -> Total:
    loadings, alone = _loads(data, sources)
    plain = Total(
        str(data["rail"]), float(data["energy_j"]), float(data["low_j"]), float(data["high_j"]),
        float(data["duration_s"]), float(data["missing_s"]), int(data.get("start_ns", 0)), int(data.get("end_ns", 0)),
    )  # fmt: skip
    return replace(plain, loadings=loadings if sources else np.array([np.sqrt(alone)]))


def _row(data: Mapping[str, Any], sources: int, place: int) -> Row:
    info = None
    if data["kind"] == "process":
        # A document by uid or cgroup has rows without a process of their own: the place in it keeps them apart.
        pid = data.get("pid")
        info = ProcessInfo(
            int(pid) if pid is not None else place, 0, 0, int(data.get("uid") or 0), str(data["name"]),
            str(data.get("cgroup") or ""),
        )  # fmt: skip
    loadings, alone = _loads(data, sources)
    return Row(
        str(data["name"]), str(data["kind"]), float(data["energy_j"]), float(data["low_j"]), float(data["high_j"]),
        loadings, alone, data.get("device"), info, bool(data.get("self")), dict(data.get("devices", {})),
        tuple(data.get("members", ())),
    )  # fmt: skip


def _loads(data: Mapping[str, Any], sources: int) -> tuple[Floats, float]:
    """Loadings and a variance of its own; without sources that is all of the interval (its low end may be cut at 0)."""
    if sources:
        loadings = np.asarray(data["loadings_j"], dtype=np.float64)
        if loadings.shape != (sources,):
            raise ValueError(f"{loadings.size} loadings for {sources} sources")
        return loadings, float(data.get("alone_j2", 0.0))
    return np.zeros(0), ((float(data["high_j"]) - float(data["energy_j"])) / Z90) ** 2
