"""`powerhal read` and `powerhal watch`: volts, amperes and watts of the rails, once or again and again."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from powerhal.cli.record import _duration, _rate
from powerhal.units import format_quantity, significant

if TYPE_CHECKING:
    from powerhal.recording.snapshot import RailReading

UNITS = {"charge": "C", "energy": "J"}  # of what has no column; a state of charge is a ratio
HEADER = ("rail", "V", "A", "W", "remarks")


def add(commands: Any) -> None:
    """Register `read` and `watch`."""
    once = commands.add_parser(
        "read", help="one reading of every rail: V, A, W", description="Volts, amperes and watts of the rails, once."
    )
    _common(once)
    once.set_defaults(run=read)
    live = commands.add_parser(
        "watch", help="the rails live", description="Volts, amperes and watts of the rails, again and again."
    )
    _common(live)
    live.add_argument("--rate", type=_rate, default=2.0, metavar="HZ", help="readings per second (default: 2)")
    live.add_argument("--for", dest="duration", type=_duration, metavar="60s", help="how long (default: until Ctrl-C)")
    live.set_defaults(run=watch)


def _common(p: Any) -> None:
    p.add_argument("rails", nargs="*", metavar="RAIL", help="only these rails")
    p.add_argument("--board", default="linux-host", help="a board's name or file (default: linux-host)")
    p.add_argument("--root", default="/", metavar="DIR", help="a copied /sys and /proc tree")
    p.add_argument("--seed", type=int, metavar="N", help="which simulated board")
    p.add_argument("--json", action="store_true", help="JSON: null is unknown")


def read(args: argparse.Namespace) -> int:
    """Print one reading; exit 4 when the board measures nothing or no rail answers."""
    from powerhal import session
    from powerhal.errors import HardwareError

    board = session.open(args.board, args.root, args.seed)
    readings = board.read(args.rails)
    if args.json:
        print(json.dumps({"schema": 1, "board": board.description.name, "rails": [_plain(r) for r in readings]}))
    elif readings:
        _table(readings)
    if not readings:
        raise HardwareError(
            f"{board.description.name}: nothing here measures voltage, current or power",
            code="PH-H010",
            hint="connect a sensor and describe it in a board file; `record` still sees processes",
        )
    silent = [r.rail for r in readings if _unknown(r)]
    if len(silent) == len(readings):
        raise HardwareError(f"no rail answers: {', '.join(silent)}", code="PH-H011", hint="check wiring and supply")
    return 0


def watch(args: argparse.Namespace) -> int:
    """Print readings until the time is over or Ctrl-C."""
    from powerhal import session
    from powerhal.sampling import Stop

    board = session.open(args.board, args.root, args.seed)
    clock = board.world.clock if board.world is not None else _boot_clock()
    period_ns = round(1e9 / args.rate)
    with board.snapshots(args.rails) as take, Stop() as stop, _Show(json_lines=args.json) as show:
        due = clock.now_ns()
        end = due + round(args.duration * 1e9) if args.duration is not None else None
        while not stop.requested and (end is None or due < end):
            show(take())
            due = max(due + period_ns, clock.now_ns())
            stop.sleep(clock, due)
            if board.world is not None and sys.stdout.isatty():
                time.sleep(1.0 / args.rate)  # a simulated clock does not wait, but eyes do
    return 0


def _boot_clock() -> Any:
    from powerhal.transport.clock import BootClock

    return BootClock()


class _Show:
    """How readings appear: JSON lines, a table that refreshes on a terminal, plain lines elsewhere."""

    def __init__(self, *, json_lines: bool) -> None:
        self._json = json_lines
        self._live: Any = None

    def __enter__(self) -> Any:
        if not self._json and sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(auto_refresh=False)
            self._live.start()
        return self._one

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def _one(self, readings: Sequence[RailReading]) -> None:
        if self._live is not None:
            self._live.update(_rich(readings), refresh=True)
        elif self._json:
            print(json.dumps([_plain(r) for r in readings]), flush=True)
        else:
            print("  ".join(f"{r.rail} {significant(r.power_w)} W" for r in readings), flush=True)


def _plain(reading: RailReading) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(reading), "doubts": sorted(reading.doubts), "inferred": sorted(reading.inferred)}


def _unknown(reading: RailReading) -> bool:
    values = (reading.voltage_v, reading.current_a, reading.power_w)
    return all(v is None for v in values) and not reading.more


def _cells(reading: RailReading) -> tuple[str, ...]:
    remarks = [f"{name} {format_quantity(value, UNITS.get(name, ''))}" for name, value in reading.more.items()]
    if reading.power_limit_w is not None:
        remarks.append(f"power inferred, within {format_quantity(reading.power_limit_w, 'W')}")
    elif reading.inferred:
        remarks.append(f"{' and '.join(sorted(reading.inferred))} inferred")
    remarks += sorted(doubt.lower() for doubt in reading.doubts)
    numbers = [significant(v) for v in (reading.voltage_v, reading.current_a, reading.power_w)]
    return (reading.rail, *numbers, ", ".join(remarks))


def _table(readings: Sequence[RailReading]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(_rich(readings))
        return
    rows = [HEADER, *(_cells(r) for r in readings)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADER))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:4], widths[1:4], strict=True)), row[4]]
        print("  ".join(cells).rstrip())


def _rich(readings: Sequence[RailReading]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for i, name in enumerate(HEADER):
        table.add_column(name, justify="right" if 1 <= i <= 3 else "left")
    for reading in readings:
        table.add_row(*_cells(reading))
    return table
