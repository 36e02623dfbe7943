"""`powerhal compare`: whether runs differ, row by row, and how many more runs would settle it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from powerhal.cli import files
from powerhal.units import column_prefix, significant, tabular

if TYPE_CHECKING:
    from powerhal.attribution.compare import Comparison, Difference

SMALL = 0.002  # of the total: rows below it on both sides are not shown
VIEWS = ("process", "comm", "uid", "cgroup", "device")


def add(commands: Any) -> None:
    """Register `compare`."""
    p = commands.add_parser(
        "compare", help="whether two runs, or two sets of runs, differ",
        description="Difference of every row with its 90 % interval: BEFORE against AFTER. Runs are recordings (.phr) "
        "or what `attribute --json` wrote. Several a side: compare A1 A2 A3 --against B1 B2 B3.",
    )  # fmt: skip
    p.add_argument("runs", nargs="+", metavar="RUN", help="before and after; with --against all of them are before")
    p.add_argument("--against", nargs="+", metavar="RUN", default=[], help="the runs after")
    p.add_argument("--by", choices=VIEWS, default="process", help="what a line stands for (default: process)")
    p.add_argument(
        "--per", choices=("second", "run"), default="second",
        help="mean watts over the measured time, or joules of whole runs (default: second)",
    )  # fmt: skip
    p.add_argument(
        "--policy", choices=("separate", "equal", "proportional", "shapley"), help="who pays for idle energy"
    )
    p.add_argument("--model", metavar="FILE.phm", help="attribute recordings with coefficients learned before")
    p.add_argument(
        "--other-machine",
        action="store_true",
        help="the runs after are of another machine: sensor errors do not cancel",
    )
    p.add_argument("--check", action="store_true", help="exit 1 when the total has risen for real")
    p.add_argument("--all", action="store_true", help="every line, however small")
    p.add_argument("--json", action="store_true", help="everything as JSON on stdout")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare and print; with --check a real rise of the total is exit 1."""
    from functools import partial

    from powerhal import session
    from powerhal.attribution.compare import compare

    before, after = (args.runs, args.against) if args.against else (args.runs[:1], args.runs[1:])
    files.together(
        files.refuse(
            not args.against and len(args.runs) != 2,
            "one run alone: there is nothing to compare it with"
            if len(args.runs) == 1
            else f"{len(args.runs)} runs without --against: which of them are before, which after?",
            hint="powerhal compare BEFORE AFTER, or powerhal compare A1 A2 --against B1 B2",
        ),
        *(files.run_or_ledger(path) for path in (*before, *after)),
        *([files.model(args.model)] if args.model else []),
    )
    options: dict[str, Any] = {"policy": args.policy} if args.policy else {}
    if args.model:
        options["model"] = files.model(args.model)()
    # What several runs lack is said of all of them, although the first took a while.
    ledgers = files.together(*(partial(session.ledger, path, **options) for path in (*before, *after)))
    runs = list(zip((*before, *after), ledgers, strict=True))
    same = False if args.other_machine else None
    found = compare(runs[: len(before)], runs[len(before) :], by=args.by, per=args.per, same_machine=same)
    if args.json:
        print(json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=2))
    else:
        print("\n".join(table(found, everything=args.all)))
        for note in found.notes:
            print(f"note: {note}")
    risen = found.rows[0].real and found.rows[0].difference > 0
    return 1 if args.check and risen else 0


def table(found: Comparison, *, everything: bool = False) -> list[str]:
    """The comparison as text lines: name, both sides, difference with interval, verdict, more runs."""
    prefix, factor = column_prefix(max(found.rows[0].before or 0.0, found.rows[0].after or 0.0))
    unit = prefix + ("W" if found.per == "second" else "J")
    rows = [r for r in found.rows if everything or _worth(r, found.rows[0])]
    width = min(40, max(18, *(len(r.name) for r in rows)))
    sides = len(found.before), len(found.after)
    counts = [f"{n} run{'s' if n > 1 else ''}" for n in sides]
    out = [
        f"{'':{width}}{'before ' + unit:>10}{'after ' + unit:>10}{'change ' + unit:>11}{'±90 %':>10}{'':>9}  "
        f"verdict ({counts[0]} against {counts[1]})"
    ]
    out += [_line(r, width, factor) for r in rows]
    hidden = len(found.rows) - len(rows)
    real = sum(1 for r in found.rows if r.real and r not in rows)
    if hidden:
        out.append(f"{hidden} smaller rows, {real} of them with a real change (--all shows them)")
    out.append(
        f"{len(found.rows) - 1} rows were judged together: of those called real, one in ten at most is expected to be "
        "chance"
    )
    return out


def _worth(row: Difference, total: Difference) -> bool:
    size = max(total.before or 0.0, total.after or 0.0)
    return row.kind == "total" or max(abs(row.before or 0.0), abs(row.after or 0.0)) >= SMALL * size


def _line(row: Difference, width: int, factor: float) -> str:
    relative = "" if row.relative is None else _percent(row.relative)
    sides = (tabular(None if v is None else v / factor) for v in (row.before, row.after))
    half = 0.5 * (row.high - row.low) / factor
    cells = "".join(f"{text:>10}" for text in sides)
    return (
        f"{row.name[:width]:{width}}{cells}{_signed(row.difference / factor):>11}{tabular(half):>10}{relative:>9}  "
        f"{_verdict(row)}"
    )


def _verdict(row: Difference) -> str:
    if row.real:
        return "real"
    # Where its own interval excludes 0, only the many rows keep it from a verdict.
    text = "not distinguishable" + (" among so many rows" if row.low > 0 or row.high < 0 else "")
    if row.more_runs is None:
        return f"{text} (too small to tell)"
    return f"{text} ({row.more_runs} more run{'s' if row.more_runs > 1 else ''} a side would tell)"


def _percent(part: float) -> str:
    if part >= 9.995:
        return f"×{significant(1 + part)}"
    text = f"{100 * part:+.1f} %"
    return "0.0 %" if text in ("+0.0 %", "-0.0 %") else text


def _signed(value: float) -> str:
    text = tabular(value)
    return text if text == "0" or value < 0 else f"+{text}"
