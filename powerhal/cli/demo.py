"""`powerhal demo`: record a phone that is not there, attribute, and show how far off the answer was."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from powerhal.cli import files

if TYPE_CHECKING:
    from collections.abc import Callable

    from powerhal.attribution import Ledger
    from powerhal.session import Run
    from powerhal.sim.score import Marked

BOARD = "sim-phone"
DURATION_S = 160.0  # every scene of the phone's day once
LEAST_SHARE = 0.005  # of the total: processes below it are one line
REPORT = "powerhal-demo.html"


def add(commands: Any) -> None:
    """Register `demo`."""
    p = commands.add_parser(
        "demo",
        help="a simulated phone: record, attribute, compare with the truth",
        description="Records a simulated phone through emulated chips and a simulated kernel, attributes its energy, "
        "prints the known truth beside it, and writes an HTML report. No hardware is needed.",
    )
    p.add_argument(
        "--seed", type=int, default=1, metavar="N", help="which phone, and in which order it is used (default 1)"
    )
    p.add_argument(
        "--duration", type=float, default=DURATION_S, metavar="S", help="virtual seconds (default %(default)g)"
    )
    p.add_argument(
        "--report", default=REPORT, metavar="PATH", help="where the HTML report goes (default ./%(default)s)"
    )
    p.add_argument("--keep", metavar="RUN.phr", help="keep the recording in this file")
    p.add_argument("--json", action="store_true", help="rows with attributed and true joules on stdout")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, attribute, compare, report."""
    from dataclasses import replace
    from pathlib import Path

    from powerhal import session
    from powerhal.sim.score import families, mark

    files.together(
        files.refuse(
            not 0 < args.duration < float("inf"),
            f"a recording of {args.duration:g} s holds nothing"
            if not args.duration > 0
            else "a simulated phone never ends by itself",
            hint=f"--duration {DURATION_S:g} shows every scene once",
        ),
        files.output(args.report),
        files.fresh(args.keep),
        files.refuse(
            args.keep is not None and Path(args.keep).absolute() == Path(args.report).absolute(),
            f"--report and --keep name the same file: {args.keep}",
            hint="the recording is NAME.phr, the report NAME.html",
        ),
    )
    board = session.open(BOARD, seed=args.seed)
    recorded = board.record(args.keep, duration_s=args.duration, on_progress=_progress(args.duration))
    try:
        world = board.world
        assert world is not None
        ledger = recorded.attribute()
        truth = world.truth(ledger.total.start_ns, ledger.total.end_ns)  # what was measured, no more
        ledger = replace(ledger, rows=families(ledger, truth))
        marked = mark(ledger, truth)
        _write(recorded, ledger, marked, args.report)
    finally:
        recorded.close()
    if args.json:
        print(json.dumps(_document(ledger, marked, truth.root_j, args.seed), indent=2))
    else:
        print("\n".join(_table(ledger, marked, truth.root_j)))
        said = [*ledger.notes, *(group["text"] for group in ledger.groups if group["kind"] != "coefficients")]
        sums = sum(1 for group in ledger.groups if group["kind"] == "coefficients")
        if sums:
            said.append(f"{sums} groups of coefficients are known only as sums; the report names them")
        for text in said if not getattr(args, "quiet", False) else ():
            print(f"note: {text}", file=sys.stderr)
        print(f"report: {args.report}" + (f"   recording: {args.keep}" if args.keep else ""), file=sys.stderr)
    return 0


def _progress(duration_s: float) -> Callable[[float], None] | None:
    """A counter on stderr that overwrites itself; None where stderr is not a terminal."""
    if not sys.stderr.isatty():
        return None
    shown = [-1]

    def show(seconds: float) -> None:
        percent = min(100, int(100 * seconds / duration_s))
        if percent > shown[0]:
            shown[0] = percent
            end = "\r" + " " * 60 + "\r" if percent == 100 else ""
            print(f"\rrecording the simulated phone: {percent:3d} %", end=end, file=sys.stderr, flush=True)

    return show


def _write(recorded: Run, ledger: Ledger, marked: list[Marked], path: str) -> None:
    from pathlib import Path

    from powerhal.report import html

    truth = {(row.kind, row.name): row.truth_j for row in marked if row.truth_j is not None}
    Path(path).write_text(html.render(recorded.recording, html.document_of(ledger), truth=truth), encoding="utf-8")


def _document(ledger: Ledger, marked: list[Marked], root_j: float, seed: int) -> dict[str, Any]:
    total = ledger.total
    return {
        "schema": 1,
        "board": ledger.board,
        "seed": seed,
        "total": {
            "rail": total.rail, "energy_j": total.energy_j, "low_j": total.low_j, "high_j": total.high_j,
            "truth_j": root_j, "duration_s": total.duration_s,
        },
        "rows": [row.to_dict() for row in marked],
        "policy": ledger.policy,
        "conservation_error": ledger.conservation_error,
    }  # fmt: skip


def _table(ledger: Ledger, marked: list[Marked], root_j: float) -> list[str]:
    """Devices with idle and what is left over, which add up to the total; then the processes."""
    total = ledger.total
    least = LEAST_SHARE * total.energy_j
    lines = [f"{'':24}{'energy J':>10}{'90 % interval':>19}{'truth J':>10}{'off by':>9}"]
    for kind in ("device", "group", "idle", "unattributed"):
        lines += [_line(row) for row in _largest(marked, kind)]
    lines.append(_row("total", total.energy_j, total.low_j, total.high_j, root_j))
    lines.append("")
    people = _largest(marked, "process")
    shown = [row for row in people if row.energy_j >= least or (row.truth_j or 0.0) >= least or row.own]
    lines += [_line(row) for row in shown]
    others = [row for row in people if row not in shown]
    if others:
        energy_j = sum(row.energy_j for row in others)
        truth_j = sum(row.truth_j or 0.0 for row in others)
        lines.append(_row(f"{len(others)} other processes", energy_j, None, None, truth_j))
    judged = [row for row in marked if row.truth_j is not None and row.truth_j >= 0.05 * root_j and row.kind != "rest"]
    inside = sum(1 for row in judged if row.inside)
    lines += ["", f"{inside} of {len(judged)} rows above 5 % of the total have the truth inside their 90 % interval"]
    return lines


def _largest(marked: list[Marked], kind: str) -> list[Marked]:
    return sorted((row for row in marked if row.kind == kind), key=lambda row: -row.energy_j)


def _line(row: Marked) -> str:
    name = f"{row.name} (itself)" if row.own else row.name
    return _row(name, row.energy_j, row.low_j, row.high_j, row.truth_j)


def _row(name: str, energy_j: float, low_j: float | None, high_j: float | None, truth_j: float | None) -> str:
    interval = f"{low_j:.2f} .. {high_j:.2f}" if low_j is not None and high_j is not None else ""
    truth = "—" if truth_j is None else f"{truth_j:.2f}"
    off = f"{100 * (energy_j / truth_j - 1):+.1f} %" if truth_j else "—"
    return f"{name[:23]:24}{energy_j:10.2f}{interval:>19}{truth:>10}{off:>9}"


__all__ = ["add", "run"]
