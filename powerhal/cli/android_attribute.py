"""`powerhal android attribute` and `report`: who drained the battery of a dump, in joules that add up; its page."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from powerhal.units import significant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from powerhal.android.drain.attribute import Attributed
    from powerhal.android.parse import Dump
    from powerhal.android.profile.values import PowerProfile


def add_attribute(commands: Any) -> None:
    """Register `android attribute`."""
    p = commands.add_parser(
        "attribute",
        help="who drained the battery, with intervals that add up to the drain",
        description="History states become activities, battery steps the measurement; devices and uids get joules with "
        "90 % intervals that sum to the measured drain, beside Android's own mAh.",
    )
    p.add_argument("file", metavar="FILE", help="dump or bugreport with a battery history; '-' is stdin")
    p.add_argument("--profile", metavar="XML", help="the phone's power_profile.xml, as knowledge beforehand")
    p.add_argument("--by", choices=("uid", "device"), default="uid", help="what a line stands for (default: uid)")
    p.add_argument("--json", action="store_true", help="everything as JSON (docs/android.md)")
    p.set_defaults(run=_attribute)


def add_report(commands: Any) -> None:
    """Register `android report`."""
    p = commands.add_parser(
        "report",
        help="one offline HTML file of a dump",
        description="Drain curve with the states under it, devices and apps with intervals beside Android's numbers, "
        "how complete the dump is. App names are pseudonyms unless --no-redact is given.",
    )
    p.add_argument("file", metavar="FILE", help="dump or bugreport; '-' is stdin")
    p.add_argument(
        "-o",
        "--output",
        metavar="OUT.html",
        help="file to write; '-' is standard output (default: FILE's name with .html)",
    )
    p.add_argument("--profile", metavar="XML", help="the phone's power_profile.xml, as knowledge beforehand")
    p.add_argument("--no-redact", action="store_true", help="names of packages and of the file as they are")
    p.add_argument("--key", metavar="FILE", help="key of the pseudonyms, made when absent (default: a key not kept)")
    p.add_argument("--json", action="store_true", help="{path, refused} on stdout in place of the path")
    p.set_defaults(run=_report)


def _report(args: argparse.Namespace) -> int:
    from pathlib import Path

    from powerhal.android.drain.report import report
    from powerhal.android.output import replaced
    from powerhal.android.parse import read
    from powerhal.android.share.redact import load_key
    from powerhal.cli import android_files, files

    nameless = args.file == "-" and not args.output
    target = args.output or str(Path(args.file).with_suffix(".html"))
    same = "-" not in (args.file, target) and Path(target).resolve() == Path(args.file).resolve()
    *_, profile = files.together(
        files.refuse(nameless, "a dump from standard input needs a name for its page",
                     hint="give one with -o OUT.html ('-' prints it)"),
        files.refuse(same, f"{target} is the dump itself", hint="give the page another name with -o OUT.html"),
        files.output(None if nameless or same else target),
        android_files.dump(args.file),
        android_files.key(args.key),
        android_files.profile(args.profile),
    )  # fmt: skip
    key = load_key(args.key) if args.key else None
    found = read(args.file, keep_records=False)
    page, refused = report(found, profile, redact=not args.no_redact, key=key)
    data = page.encode("utf-8", "backslashreplace")
    if target == "-":
        sys.stdout.buffer.write(data)
    else:
        with replaced(target) as stream:
            stream.write(data)
    if refused:
        print(f"powerhal: {refused}    PH-A001", file=sys.stderr)
    if target != "-":
        said = json.dumps({"schema": 1, "path": target, "refused": refused}, ensure_ascii=False)
        print(said if args.json else target)
    return 0


def _attribute(args: argparse.Namespace) -> int:
    from powerhal.android.drain.compare import document
    from powerhal.cli import android_files, files

    _, profile = files.together(android_files.dump(args.file), android_files.profile(args.profile))
    found, dump = attributed(args.file, profile)
    if args.json:
        print(json.dumps(document(found, dump.main), ensure_ascii=False, allow_nan=False))
    else:
        print("\n".join(_portrait(args.file, found, dump, args.by)))
    return 0


def attributed(path: str, profile: PowerProfile | None) -> tuple[Attributed, Dump]:
    """The file's dump with a history and its ledger; raises NotEnoughData when there is none."""
    from powerhal.android.drain.attribute import attribute, best_dump
    from powerhal.android.parse import read

    dump = best_dump(read(path, keep_records=False))
    return attribute(dump, profile), dump


def _portrait(path: str, found: Attributed, dump: Dump, by: str) -> Iterator[str]:
    """The table for people: energy, interval, share, mAh, Android's mAh; what stands under it."""
    from powerhal.android.drain.compare import document, uid_lines

    out = document(found, dump.main, by="device")
    android = {d["name"]: d["android_mah"] for d in out["android"]["devices"]}
    rows = uid_lines(found, dump.main) if by == "uid" else out["rows"]
    if by == "device":
        rows = [row | {"android_mah": _theirs(row, android)} for row in rows]
    total, drain = out["total"], out["drain"]
    width = min(56, max(24, *(len(r["name"]) for r in rows)))
    yield (
        f"{path}: {significant(drain['mah'])} mAh in {drain['covered_s'] / 3600:.3g} h on battery "
        f"({drain['way']}, {drain['windows']} windows)"
    )
    yield f"  {'':{width}} {'energy J':>10} {'±90 %':>9} {'share':>8} {'mAh':>8} {'Android mAh':>12}"
    computed = out["android"]["sums_mah"]["computed"]
    last = {**total, "name": "total = battery", "mah": drain["mah"], "android_mah": computed}
    for row in [*rows, last]:
        yield _line(row, width, total["energy_j"])
    r2 = out["model"].get("r2")
    yield f"model: {out['model']['activities']} activities, R² {'—' if r2 is None else f'{r2:.2f}'} of the power"
    yield out["android"]["text"]
    yield from (g["text"] for g in out["groups"] if g.get("kind") == "rows")
    yield from (f"note: {n}" for n in out["notes"])


def _theirs(row: dict[str, Any], android: dict[str, float | None]) -> float | None:
    """Android's mAh of a device, or of a group's members together; None where it names none of them."""
    names = [n for member in row.get("members") or [row["name"]] for n in member.split(" + ")]
    known = [v for n in names if (v := android.get(n)) is not None]
    return sum(known) if known else None


def _line(row: dict[str, Any], width: int, whole: float) -> str:
    half = significant((row["high_j"] - row["low_j"]) / 2)
    share = f"{100 * row['energy_j'] / whole:.1f} %" if whole > 0 else "—"
    name = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in row["name"])
    name = name if len(name) <= width else name[: width - 1] + "…"
    cells = f"{significant(row['energy_j']):>10} {half:>9} {share:>8} {significant(row['mah']):>8}"
    return f"  {name:{width}} {cells} {significant(row.get('android_mah')):>12}"
