"""`powerhal attribute`: who used the energy of a recording, in joules with intervals that add up."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from powerhal.cli import carbon_options, files
from powerhal.units import column_prefix, significant, tabular

if TYPE_CHECKING:
    from powerhal.attribution import PowerModel
    from powerhal.attribution.ledger import Ledger, Row
    from powerhal.session import Run

Grams = tuple[float, float, float] | None
POLICIES = ("separate", "equal", "proportional", "shapley")
VIEWS = ("process", "comm", "pid", "uid", "cgroup", "device")
SMALL = 0.002  # of the total: processes below it are one line
MOST_ROWS = 30


def add(commands: Any) -> None:
    """Register `attribute`."""
    p = commands.add_parser(
        "attribute", help="who used the energy of a recording",
        description="Who used the energy of a recording: joules of every process, device, idle and rest, with 90 % "
        "intervals; they add up to what was measured.",
    )  # fmt: skip
    p.add_argument("recording", metavar="RUN.phr", help="what `powerhal record` wrote")
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
    p.add_argument("--save-model", metavar="FILE.phm", help="write what was learned, for --model and `model merge`")
    p.add_argument("--window", metavar="S", type=float, help="length of an accounting window in s (default 1)")
    p.add_argument("--all", action="store_true", help="every line, however small")
    p.add_argument("--json", action="store_true", help="everything as JSON on stdout")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Attribute and print; refusals (no power sensor, too little data) are exit 5."""
    opened, model, priors = _checked(args)
    with opened:
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


def _checked(args: argparse.Namespace) -> tuple[Run, PowerModel | None, tuple[Any, ...]]:
    """The recording, the model and the priors; raises every mistake of the command line at once."""
    opened, model, priors, *_ = files.together(
        files.recording(args.recording),
        files.model(args.model) if args.model else lambda: None,
        lambda: files.together(*files.priors(args.prior)),
        files.refuse(
            args.window is not None and not 0 < args.window < float("inf"),
            f"a window of {args.window or 0:g} s holds nothing",
            hint="leave --window out",
        ),
        files.refuse(
            bool(args.model and args.prior),
            "--model learns nothing, so a --prior has no part in it",
            hint="leave one of them out: --model uses coefficients as they are, --prior learns on from them",
        ),
        carbon_options.zone(args),
        files.output(args.save_model, inputs=[args.recording]),
    )
    return opened, model, tuple(priors)


def table(ledger: Ledger, by: str, *, everything: bool = False) -> list[str]:
    """The ledger as text lines: who, J, ±90 %, share, mean W, gCO2e where asked for; the total last."""
    rows, few = _chosen(ledger, ledger.view(by), everything)
    total = ledger.total
    names = [_title(r, few) for r in rows]
    columns = _columns(ledger, max(18, *(len(n) for n in names), len(_total(ledger))))
    out = [columns.head()]
    out += [columns.line(n, r.energy_j, r.half_j, r.grams) for n, r in zip(names, rows, strict=True)]
    out.append(columns.line(_total(ledger), total.energy_j, (total.high_j - total.low_j) / 2, total.grams))
    return out


@dataclass(frozen=True, slots=True)
class _Columns:
    """How the lines of one table are set: each unit with the prefix that makes the total readable.

    width: of the names, characters; energy, power, grams: prefix and its factor; grid: of the carbon column, '' none.
    """

    width: int
    whole_j: float
    seconds: float
    energy: tuple[str, float]
    power: tuple[str, float]
    grams: tuple[str, float]
    grid: str

    def head(self) -> str:
        text = f"{'':{self.width}} {f'energy {self.energy[0]}J':>9} {'±90 %':>9} {'share':>8}"
        text += f" {f'mean {self.power[0]}W':>9}"
        return text + (f" {f'{self.grams[0]}gCO2e {self.grid}':>18}" if self.grid else "")

    def line(self, name: str, energy_j: float, half_j: float, grams: Grams) -> str:
        share = f"{100 * energy_j / self.whole_j:.1f} %" if self.whole_j > 0 else "—"
        watts = tabular(energy_j / self.seconds / self.power[1]) if self.seconds > 0 else "—"
        numbers = f"{tabular(energy_j / self.energy[1]):>9} {tabular(half_j / self.energy[1]):>9} {share:>8} {watts:>9}"
        text = f"{name[: self.width]:{self.width}} {numbers}"
        return text + (f" {tabular(grams[1] / self.grams[1]):>18}" if self.grid and grams else "")


def _columns(ledger: Ledger, width: int) -> _Columns:
    total = ledger.total
    seconds = total.duration_s - total.missing_s
    return _Columns(
        min(40, width),
        total.energy_j,
        seconds,
        column_prefix(total.energy_j),
        column_prefix(total.energy_j / seconds if seconds > 0 else 0.0),
        column_prefix(total.grams[1] if total.grams else 0.0),
        _grid(ledger) if ledger.carbon else "",
    )


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


def _grid(ledger: Ledger) -> str:
    zone, year = ledger.carbon.get("zone") or "", ledger.carbon.get("year") or ""
    return f"({f'{zone} {year}'.strip()})"


def _printable(text: str) -> str:
    """Names come from foreign programs: control bytes are shown, not obeyed."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
