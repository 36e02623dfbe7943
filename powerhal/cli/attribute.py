"""`powerhal attribute`: who used the energy of a recording, in joules with intervals that add up."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from powerhal.cli import carbon_options
from powerhal.units import significant

if TYPE_CHECKING:
    from powerhal.attribution.ledger import Ledger, Row

Grams = tuple[float, float, float] | None
POLICIES = ("separate", "equal", "proportional", "shapley")
VIEWS = ("process", "comm", "pid", "uid", "cgroup", "device")
SMALL = 0.002  # of the total: processes below it are one line
MOST_ROWS = 30


def add(commands: Any) -> None:
    """Register `attribute`."""
    p = commands.add_parser("attribute", help="who used the energy of a recording", description=__doc__)
    p.add_argument("recording", help="a .phr file")
    p.add_argument(
        "--by",
        choices=VIEWS,
        help="what a line stands for: processes of one name (process, comm), each process "
        "(pid), user, cgroup or device (default: process; in JSON every row of every kind)",
    )
    p.add_argument(
        "--policy", "--idle", choices=POLICIES, default="separate",
        help="idle energy: a line of its own, or paid by processes in equal parts, in proportion, or each device's by "
        "who needed it (Shapley value) (default: separate)",
    )  # fmt: skip
    carbon_options.add(p)
    p.add_argument("--model", metavar="FILE.phm", help="use coefficients learned before instead of learning")
    p.add_argument(
        "--prior", metavar="FILE", action="append", default=[],
        help="start from a twin board's model (.phm) or a table of power per CPU frequency (.csv); may be repeated",
    )  # fmt: skip
    p.add_argument("--save-model", metavar="FILE.phm", help="write what was learned")
    p.add_argument("--window", metavar="S", type=float, help="length of an accounting window in s (default 1)")
    p.add_argument("--all", action="store_true", help="every line, however small")
    p.add_argument("--json", action="store_true", help="everything as JSON on stdout")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Attribute and print; refusals (no power sensor, too little data) are exit 5."""
    from powerhal.attribution import PowerModel
    from powerhal.attribution.prior_files import read_priors
    from powerhal.errors import UsageError
    from powerhal.session import Run

    if args.window is not None and not args.window > 0:
        raise UsageError(f"a window of {args.window:g} s holds nothing", hint="leave --window out")
    if args.model and args.prior:
        raise UsageError(
            "--model learns nothing, so a --prior has no part in it",
            hint="leave one of them out: --model uses coefficients as they are, --prior learns on from them",
        )
    model = PowerModel.load(args.model) if args.model else None
    priors = read_priors(args.prior)
    with Run.open(args.recording) as opened:
        ledger = opened.attribute(
            policy=args.policy, model=model, window_s=args.window, priors=priors, **carbon_options.chosen(args)
        )
    if args.save_model:
        ledger.learned.save(args.save_model)
        print(f"model: {args.save_model}", file=sys.stderr)
    if args.json:
        print(json.dumps(ledger.to_dict(args.by, doubts=True), ensure_ascii=False, allow_nan=False, indent=2))
        return 0
    print("\n".join(table(ledger, args.by or "process", everything=args.all)))
    for text in said(ledger):
        print(text)
    return 0


def table(ledger: Ledger, by: str, *, everything: bool = False) -> list[str]:
    """The ledger as text lines: who, J, ±90 %, share, mean W, gCO2e where asked for; the total last."""
    rows, few = _chosen(ledger, ledger.view(by), everything)
    carbon = bool(ledger.carbon)
    names = [_title(r, few) for r in rows]
    width = min(40, max(18, *(len(n) for n in names), len(_total(ledger))))
    head = f"{'':{width}}{'energy J':>10}{'±90 %':>9}{'share':>9}{'mean W':>9}"
    out = [head + (f"{'gCO2e ' + _grid(ledger):>18}" if carbon else "")]
    out += [_line(ledger, n, r.energy_j, r.half_j, r.grams, width=width) for n, r in zip(names, rows, strict=True)]
    total = ledger.total
    out.append(
        _line(ledger, _total(ledger), total.energy_j, (total.high_j - total.low_j) / 2, total.grams, width=width)
    )
    return out


def said(ledger: Ledger) -> list[str]:
    """What stands under the table: the model, what cannot be told apart, notes, missing time."""
    model = ledger.model
    r2, condition = model.get("r2"), model.get("condition")
    parts = [f"{model.get('activities', '—')} activities", f"R² {r2:.3f}" if r2 is not None else "R² —"]
    parts.append(f"cond {significant(condition)}" if condition is not None else "cond —")
    parts.append(f"{model.get('source', '')}")
    out = ["model: " + ", ".join(parts)]
    out += [str(g["text"]) for g in ledger.groups if g.get("kind") == "rows"]
    total = ledger.total
    if total.missing_s > 0.005 * total.duration_s:
        out.append(
            f"missing: {significant(total.missing_s)} s of {significant(total.duration_s)} s were not measured and are "
            "in no line"
        )
    if ledger.carbon.get("text"):
        out.append(f"carbon: {ledger.carbon['text']}")
    return [*out, *(f"note: {n}" for n in ledger.notes)]


def _chosen(ledger: Ledger, rows: Sequence[Row], everything: bool) -> tuple[list[Row], str]:
    """Rows worth a line; the small processes and rests become one."""
    if everything:
        return list(rows), ""
    least = SMALL * ledger.total.energy_j
    people = [r for r in rows if r.kind in ("process", "rest")]
    shown = [r for r in people if abs(r.energy_j) >= least or r.own][:MOST_ROWS]
    small = [r for r in people if all(r is not s for s in shown)]
    out = list(shown)
    few = ""
    if small:
        few = f"{len(small)} smaller rows"
        out.append(ledger.merge(few, small))
    return [*out, *(r for r in rows if r.kind not in ("process", "rest"))], few


def _title(row: Row, few: str) -> str:
    if row.name == few:
        return few
    if row.own:
        return f"{row.name} (itself)"
    return "idle (board floor)" if row.kind == "idle" else _printable(row.name)


def _total(ledger: Ledger) -> str:
    return f"total = {ledger.total.rail}"


def _line(ledger: Ledger, name: str, energy_j: float, half_j: float, grams: Grams, *, width: int) -> str:
    seconds = ledger.total.duration_s - ledger.total.missing_s
    whole = ledger.total.energy_j
    share = f"{100 * energy_j / whole:.1f} %" if whole > 0 else "—"
    watts = _number(energy_j / seconds) if seconds > 0 else "—"
    text = f"{name[:width]:{width}} {_number(energy_j):>9} {_number(half_j):>8} {share:>8} {watts:>8}"
    return text + (f" {_number(grams[1]):>17}" if grams else "")


def _number(value: float) -> str:
    """Three significant digits in at most eight places; below 5 millionths nothing is told from 0."""
    if abs(value) < 5e-6:
        return "0"
    return significant(value) if abs(value) >= 1e-3 else f"{value:.6f}"


def _grid(ledger: Ledger) -> str:
    return f"({ledger.carbon.get('zone', '')} {ledger.carbon.get('year', '')})".replace(" )", ")")


def _printable(text: str) -> str:
    """Names come from foreign programs: control bytes are shown, not obeyed."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
