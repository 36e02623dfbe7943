"""`powerhal info`: what is in a recording: sources, rates, gaps, faults, marks, processes, versions."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from powerhal.cli import files
from powerhal.units import format_quantity, significant

if TYPE_CHECKING:
    from powerhal.recording import Recording

DESCRIPTION = "What is in a recording: sources, rates, gaps, faults, marks, processes, versions."
SHOWN = 15  # processes in the text form; --json has all


def add(commands: Any) -> None:
    """Register `info`."""
    p = commands.add_parser("info", help="what is in a recording", description=DESCRIPTION)
    p.add_argument("recording", metavar="RUN.phr", help="what `powerhal record` wrote")
    p.add_argument("--json", action="store_true", help="everything, as one JSON object")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is in the file, as text or as one JSON object."""
    from powerhal.recording.overview import overview

    with files.recording(args.recording)() as run:
        recording = run.recording
        found = overview(recording)
        if args.json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            _print(recording, found)
    return 0


def _print(recording: Recording, found: dict[str, Any]) -> None:
    board = found["board"]
    print(f"{recording.path}  {found['duration_s']:.1f} s  board {board.get('name', '—')} ({board.get('title', '—')})")
    versions = found["versions"]
    print(
        f"written by powerhal {versions['powerhal']}, Python {versions['python']}, kernel {versions['kernel'] or '—'}"
    )
    if found["command"]:
        command = found["command"]
        print(f"command {command['name']}, pid {command['pid']}")
    if not found["complete"]:
        print("the recorder did not close this file: it ended by a kill or power cut, or is still running")
    print(f"\n{len(found['sources'])} sources")
    for source in found["sources"]:
        _print_source(source)
    processes = sorted(found["processes"], key=lambda p: -p["cpu_s"])
    if processes:
        print(f"\n{len(processes)} processes, {significant(found['cpu_s'], 4)} s of CPU time")
    for process in processes[:SHOWN]:
        print(f"  {process['pid']:>8}  {_safe(process['name']):<24} {significant(process['cpu_s']):>9} s")
    if len(processes) > SHOWN:
        print(f"  and {len(processes) - SHOWN} more")
    for mark in found["marks"]:
        print(f"mark {mark['t_s']:.3f} s  {_safe(mark['text'])}")
    for gap in found["gaps"]:
        print(f"gap {gap['from_s']:.3f} s to {gap['to_s']:.3f} s  {gap['source'] or 'all'}: {gap['reason']}")
    for fault in found["faults"][:SHOWN]:
        print(f"fault {fault['t_s']:.3f} s  {fault['source']}: {fault['kind']}: {_safe(fault['text'])}")
    for problem in found["problems"]:
        print(problem)


def _print_source(source: dict[str, Any]) -> None:
    health = source["health"]
    counted = ("missing", "late", "missed", "stale", "saturated", "resets", "noisy")
    doubts = [f"{health[k]} {k}" for k in counted if health.get(k)]
    rate = format_quantity(source["rate_hz"], "Hz")
    names = ", ".join(source["channels"][:6]) + (", ..." if len(source["channels"]) > 6 else "")
    # a killed recorder leaves counters that are up to some seconds old, or none at all: then nothing is claimed
    state = ", ".join(doubts) or ("no gaps" if health else "gaps —")
    print(f"  {source['name']:<24} {rate:>8}  {source['rows']:>8} rows  {state}  {names}")


def _safe(text: str) -> str:
    """Without control characters: a process may be called anything."""
    return "".join(c if c.isprintable() else "?" for c in text)
