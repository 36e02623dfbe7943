"""What a newcomer types first: the examples under each command's --help."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

#: Command -> lines that can be typed as they stand (files apart), and what each does.
EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "demo": (
        ("powerhal demo", "needs no hardware; open powerhal-demo.html afterwards"),
        ("powerhal demo --seed 7 --keep run.phr", "another phone; keep its recording"),
    ),
    "boards": (
        ("powerhal boards list", "what there is"),
        ("powerhal boards show odroid-xu3 --text > my.yaml", "start from the nearest"),
        ("powerhal boards lint my.yaml", "every mistake at once"),
    ),
    "read": (
        ("powerhal read --board my.yaml", "every rail"),
        ("powerhal read --board my.yaml VIN --json", "one rail, for programs"),
    ),
    "watch": (("powerhal watch --board my.yaml --rate 5", "until Ctrl-C"),),
    "record": (
        ("powerhal record -o run.phr -- make -j4", "while a command runs"),
        ("powerhal record --board my.yaml --for 5min", "for a while"),
        ("powerhal record --board sim-phone --for 60s -o phone.phr", "a simulated phone"),
    ),
    "info": (("powerhal info run.phr", "sources, rates, gaps, processes"),),
    "attribute": (
        ("powerhal attribute run.phr", "joules of every process, idle and rest"),
        ("powerhal attribute run.phr --by device --zone JP", "devices, with gCO2e"),
        ("powerhal attribute run.phr --save-model board.phm", "keep what was learned"),
        ("powerhal attribute short.phr --model board.phm", "use it for a short run"),
    ),
    "compare": (
        ("powerhal compare before.phr after.phr", "is the change real?"),
        ("powerhal compare a1.phr a2.phr --against b1.phr b2.phr", "with scatter between runs"),
        ("powerhal compare before.phr after.phr --check", "exit 1 when the total has risen"),
    ),
    "model": (
        ("powerhal model show board.phm", "watts per unit of activity"),
        ("powerhal model merge a.phm b.phm --out both.phm", "several recordings as one"),
    ),
    "report": (("powerhal report run.phr -o run.html", "a page that needs no network"),),
    "export": (
        ("powerhal export csv run.phr -o run.csv", "every sample"),
        ("powerhal export jsonl run.phr --what ledger", "who used what, a line each"),
    ),
    "warmup": (("powerhal warmup", "once after installing"),),
}


def give(commands: Mapping[str, Any]) -> None:
    """Put its examples under the help of each of these parsers; what stood there stays, after them."""
    for name, lines in EXAMPLES.items():
        parser = commands.get(name)
        if parser is None or not isinstance(parser, argparse.ArgumentParser):
            continue
        width = max(len(line) for line, _ in lines)
        shown = "\n".join(f"  {line:<{width}}  {what}" for line, what in lines)
        parser.epilog = f"examples:\n{shown}" + (f"\n\n{parser.epilog}" if parser.epilog else "")
        parser.formatter_class = _Lines


class _Lines(argparse.HelpFormatter):
    """Wraps prose as usual and leaves the lines of an epilog with examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if not text.startswith("examples:"):
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))
