"""`powerhal android powerstats`: rails, consumers and states in the words of Android's Power Stats HAL."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from powerhal.units import format_quantity

if TYPE_CHECKING:
    from powerhal.android.rails.powerstats import PowerStats


def add_powerstats(commands: Any) -> None:
    """Register `android powerstats`."""
    p = commands.add_parser(
        "powerstats",
        help="rails and consumers as the Power Stats HAL names them",
        description="Rails, energy consumers and power states of a recording of any board, `dumpsys powerstats` as "
        "text or protobuf, copied ODPM sysfs files, or a Perfetto trace.",
    )
    p.add_argument("file", metavar="FILE", help="RUN.phr, dump, trace, energy_value file or folder of them; '-': dump")
    form = p.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="everything, as one JSON object (docs/android.md)")
    form.add_argument(
        "--csv", choices=("counters", "means"), help="rows of the tracks: name, ts, value; or their means"
    )
    p.add_argument("--no-attribution", action="store_true", help="rails only: do not share a recording's energy")
    p.set_defaults(run=_powerstats)


def _powerstats(args: argparse.Namespace) -> int:
    from powerhal.android.kinds import told_apart
    from powerhal.android.rails.files import read_powerstats

    with told_apart(args.file, "rails"):
        found = read_powerstats(args.file, attribute=not args.no_attribution)
    if args.json:
        print(json.dumps(found.document(), ensure_ascii=False))
    elif args.csv:
        _rows(found, args.csv)
    else:
        print("\n".join(_portrait(found)))
    for issue in found.issues:
        print(issue, file=sys.stderr)
    return 0


def _rows(found: PowerStats, what: str) -> None:
    from powerhal.android.rails.tracks import mean_rows, track_rows

    counters = what == "counters"
    print('"name","ts","value"' if counters else '"name","AVG(value)","COUNT(*)"')
    for name, *numbers in track_rows(found) if counters else mean_rows(found):
        print(",".join((_quoted(name), *map(_number, numbers))))


def _quoted(name: str) -> str:
    """A CSV text; what a spreadsheet would take for a formula gets an apostrophe."""
    shown = _safe(name).replace('"', '""')
    return f'"{chr(39) if shown[:1] in tuple("=+-@") else ""}{shown}"'


def _number(value: float) -> str:
    """As Perfetto's trace processor prints it: six decimals, integers without."""
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def _portrait(found: PowerStats) -> Iterable[str]:
    """Text for people: every rail with its mean power, every consumer with its energy, entities with their states."""
    source = found.source
    yield f"{source.get('path', '-')}  {source.get('format')}"
    yield f"{len(found.channels)} channels, {len(found.energy_measurements)} measurements"
    for channel in found.channels:
        own = [m for m in found.energy_measurements if m.id == channel.id]
        last = format_quantity(own[-1].energy_uws * 1e-6, "J") if own else "—"
        yield f"  {channel.id:>3}  {_safe(channel.name):<28} {_safe(channel.subsystem):<20} {last:>9}  {_mean(own)}"
    if found.energy_consumers:
        yield f"{len(found.energy_consumers)} energy consumers"
    for consumer in found.energy_consumers:
        results = [r for r in found.energy_consumer_results if r.id == consumer.id]
        energy = format_quantity(results[-1].energy_uws * 1e-6, "J") if results else "—"
        uids = f"  {len(results[-1].attribution)} uids" if results and results[-1].attribution else ""
        name = f"{consumer.type}/{consumer.ordinal}"
        yield f"  {consumer.id:>3}  {_safe(consumer.name):<28} {name:<20} {energy:>9}{uids}"
    if found.power_entities:
        yield f"{len(found.power_entities)} power entities"
    for entity in found.power_entities:
        yield f"  {entity.id:>3}  {_safe(entity.name):<28} {_safe(', '.join(s.name for s in entity.states))}"


def _mean(own: list[Any]) -> str:
    """Mean power between the first and the last reading since the energy last fell (the phone was booted)."""
    fell = [k for k in range(1, len(own)) if own[k].energy_uws < own[k - 1].energy_uws]
    own = own[fell[-1] :] if fell else own
    if len(own) < 2 or not own[-1].timestamp_ms or own[0].timestamp_ms is None:
        return ""
    span_ms = own[-1].timestamp_ms - own[0].timestamp_ms
    return format_quantity((own[-1].energy_uws - own[0].energy_uws) * 1e-3 / span_ms, "W") if span_ms > 0 else ""


def _safe(text: str) -> str:
    """Without control characters: names come from a file."""
    return "".join(c if c.isprintable() else "?" for c in text)
