"""`powerhal record`: sample a board into one file, for a time, around a command, or until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from powerhal.cli import files
from powerhal.errors import PowerhalError, UsageError
from powerhal.units import format_quantity, parse_quantity, significant

if TYPE_CHECKING:
    from powerhal.recording.run import Outcome

SHOW_S = 0.5


def add(commands: Any) -> None:
    """Register `record`."""
    p = commands.add_parser(
        "record",
        help="record a board's sensors and processes into one file",
        description="Sample a board into one file, for a time, around a command, or until Ctrl-C.",
        epilog="Ctrl-C ends the recording cleanly. With a command, the exit status is the command's own.",
    )
    p.add_argument("-o", "--output", metavar="FILE", help="new file to write (default: powerhal-DATE-TIME.phr)")
    p.add_argument("--board", default="linux-host", help="a board's name or file (default: linux-host)")
    p.add_argument("--root", default="/", metavar="DIR", help="a copied /sys and /proc tree")
    p.add_argument("--rate", type=_rate, metavar="HZ", help="rows per second of every rail sensor")
    p.add_argument("--for", dest="duration", type=_duration, metavar="60s", help="how long: 60s, 5min, 1h")
    p.add_argument("--seed", type=int, metavar="N", help="which simulated board")
    p.add_argument("--json", action="store_true", help="the summary as JSON on stdout, at the end")
    p.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)  # a byte is written when it samples
    p.add_argument("--parent", type=int, help=argparse.SUPPRESS)  # end when this process is gone
    p.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD...", help="record while this runs")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Record, say on stderr what came of it; answers the command's exit status, else 0."""
    from powerhal import session
    from powerhal.recording.run import Order
    from powerhal.sampling import Stop

    path = args.output or time.strftime("powerhal-%Y%m%d-%H%M%S.phr")
    board, _ = files.together(lambda: session.open(args.board, args.root, args.seed), files.fresh(path))
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    duration_s = args.duration
    if board.world is not None and duration_s is None and not command:
        raise UsageError("a simulated board never ends by itself", hint="say how long: --for 60s")
    order = Order(
        duration_s,
        command,
        until=(lambda: os.getppid() != args.parent) if args.parent else None,
        on_start=(lambda: _ready(args.ready_fd)) if args.ready_fd is not None else None,
        on_progress=_progress(duration_s, quiet=args.quiet or bool(command)),
    )
    with Stop() as stop:
        outcome = board.record_order(path, order, rate_hz=args.rate, stop=stop)
    if args.json:
        print(json.dumps(_document(outcome), ensure_ascii=False))
    if not args.quiet:
        _say(outcome, command, verbose=args.verbose)
    return int(outcome.status)


def _say(outcome: Outcome, command: list[str], *, verbose: bool) -> None:
    """The summary of a run, on stderr: the command's own output has stdout."""
    from powerhal.recording import Recording

    with Recording.open(outcome.path) as recording:
        _clear()
        print(_summary(recording, outcome), file=sys.stderr)
        for line in _about_energy(recording, outcome, command):
            print(line, file=sys.stderr)
        for note in recording.meta.get("notes", []) if verbose else []:
            print(f"  note: {note}", file=sys.stderr)
    if outcome.storage_fault:
        print(f"  storage refused for a while: {outcome.storage_fault}", file=sys.stderr)


def _document(outcome: Outcome) -> dict[str, Any]:
    """The summary for programs; `energy` is null where no root rail was measured."""
    from dataclasses import asdict

    from powerhal.recording import Recording
    from powerhal.recording.energy import root_energy

    with Recording.open(outcome.path) as recording:
        total = root_energy(recording)
        return {
            "schema": 1,
            "path": outcome.path,
            "duration_s": outcome.duration_s,
            "command_status": outcome.status if recording.meta.get("command") else None,
            "rails": sorted({c.rail for c in recording.channels.values() if c.rail}),
            "processes": len(recording.processes),
            "self_cpu_s": outcome.self_cpu_s,
            "health": {name: health.to_dict() for name, health in outcome.health.items()},
            "storage_fault": outcome.storage_fault or None,
            "energy": asdict(total) if total is not None else None,
        }


def _summary(recording: Any, outcome: Outcome) -> str:
    """`run.phr  83.4 s  13 rails  50.0 Hz  gaps 0.02 %  self 0.5 % of a core`."""
    rails = {c.rail for c in recording.channels.values() if c.rail}
    rates = [1.0 / s.period_s for s in recording.sources if any(c.rail for c in s.layout.channels)]
    health = [outcome.health[s.name] for s in recording.sources if s.name in outcome.health]
    taken = sum(h.samples - h.missing for h in health)
    lost = sum(h.missing + h.missed for h in health)
    parts = [outcome.path, f"{outcome.duration_s:.1f} s"]
    parts.append(f"{len(rails)} rails" if rails else "no rail is measured here")
    if rates:
        parts.append(f"{max(rates):.1f} Hz")
    if recording.processes:
        parts.append(f"{len(recording.processes)} processes")
    parts.append(f"gaps {significant(100.0 * lost / (taken + lost), 2)} %" if taken + lost else "gaps —")
    if not recording.meta.get("simulated") and outcome.duration_s > 0:
        parts.append(f"self {significant(100.0 * outcome.self_cpu_s / outcome.duration_s, 2)} % of a core")
    return "  ".join(parts)


def _about_energy(recording: Any, outcome: Outcome, command: list[str]) -> list[str]:
    """Joules of the root rail, when something measured it, and how the command ended."""
    from powerhal.recording.energy import root_energy

    total = root_energy(recording)
    what = " ".join(os.path.basename(word) if i == 0 else word for i, word in enumerate(command))  # noqa: PTH119
    ended = f", exit {outcome.status}" if command else ""
    if total is None:
        return [f"{what}: exit {outcome.status}"] if command else []
    p99 = f", {format_quantity(total.p99_w, 'W')} p99" if total.p99_w is not None else ""
    mean = format_quantity(total.mean_w, "W")
    text = f"{what or total.rail}: {format_quantity(total.energy_j, 'J', 4)} ({mean} mean{p99}){ended}"
    missing = [f"  {total.missing_s:.1f} s of it were not measured"] if total.missing_s > 0.5 else []
    return [text, *missing]


def _progress(duration_s: float | None, *, quiet: bool) -> Callable[[float], None] | None:
    """A line that counts, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        return None
    shown = 0.0

    def show(seconds: float) -> None:
        nonlocal shown
        if time.monotonic() - shown >= SHOW_S:
            shown = time.monotonic()
            whole = f" of {duration_s:g} s" if duration_s is not None else "  (Ctrl-C ends)"
            print(f"\rrecording {seconds:6.1f} s{whole} ", end="", file=sys.stderr, flush=True)

    return show


def _clear() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)


def _ready(descriptor: int) -> None:
    """Tell whoever started this that sampling has begun."""
    os.write(descriptor, b"1")
    os.close(descriptor)


def _rate(text: str) -> float:
    """'50', '50Hz' or '0.5 Hz' in Hz."""
    return _quantity(text, "Hz", "frequency")


def _duration(text: str) -> float:
    """'60', '60s', '5min' in s."""
    return _quantity(text, "s", "time")


def _quantity(text: str, unit: str, dimension: str) -> float:
    try:
        value = parse_quantity(text if not text[-1:].isdigit() else f"{text} {unit}", dimension)
    except (ValueError, PowerhalError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not value > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not more than 0")
    return value
