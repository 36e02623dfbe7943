"""`powerhal android redact | downgrade | export | diff`: dumps to give away, and dumps against each other."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from powerhal.cli import android_files, files

if TYPE_CHECKING:
    from powerhal.android.share.diff import Difference, Side
    from powerhal.android.share.redact import Pseudonyms

ROWS = 15  # of each table of a difference on a terminal


def add_redact(commands: Any) -> None:
    """Register `android redact`."""
    p = commands.add_parser(
        "redact",
        help="the check-in lines of a dump without names",
        description="Print every check-in line with keyed pseudonyms for apps, accounts, tags and addresses. "
        "Numbers stay as they are; text that is no check-in line is left out.",
    )
    _add_dump(p, "FILE")
    p.add_argument("-o", "--output", default="-", metavar="OUT", help="file to write (default: standard output)")
    _add_key(p)
    p.set_defaults(run=_redact)


def add_downgrade(commands: Any) -> None:
    """Register `android downgrade`."""
    p = commands.add_parser(
        "downgrade",
        help="a dump of Android 8 to 16 as a bugreport that Battery Historian loads",
        description="Write the newest form that Battery Historian reads; say on stderr what has no place in it.",
    )
    _add_dump(p, "IN")
    p.add_argument("output", metavar="OUT", help="bugreport to write, .txt or .zip; '-' is standard output")
    _add_redaction(p)
    p.set_defaults(run=_downgrade)


def _add_dump(p: argparse.ArgumentParser, name: str) -> None:
    """What is read: one dump of a file."""
    p.add_argument("file", metavar=name, help="check-in dump or bugreport (txt, zip, gz); '-' is stdin")
    p.add_argument("--dump", type=int, metavar="N", help="which dump of the file (default: the longest)")


def add_export(commands: Any) -> None:
    """Register `android export`."""
    p = commands.add_parser(
        "export",
        help="a dump as JSON or CSV tables",
        description="Everything that `android parse` reads, as JSON or as tables with units.",
    )
    p.add_argument("file", metavar="FILE", help="dump or bugreport of any form; '-' is stdin")
    p.add_argument("--format", choices=("json", "csv"), default="json", help="default: json")
    p.add_argument(
        "-o", "--output", default="-", metavar="OUT",
        help="file; for csv a folder (or a name that ends in '/') gets one file a table (default: standard output)",
    )  # fmt: skip
    _add_redaction(p)
    p.set_defaults(run=_export)


def add_diff(commands: Any) -> None:
    """Register `android diff`."""
    p = commands.add_parser(
        "diff",
        help="what two dumps of a phone differ in",
        description="Of one discharge: what was used between the dumps. Of two periods: rates per hour on battery.",
    )
    p.add_argument("a", metavar="A", help="the older dump")
    p.add_argument("b", metavar="B", help="the newer dump")
    p.add_argument("--rates", action="store_true", help="rates per hour even of one discharge")
    p.add_argument("--anyway", action="store_true", help="rates of dumps that are not of one phone and system")
    p.add_argument("--json", action="store_true", help="every row, as one JSON object")
    p.set_defaults(run=_diff)


def _add_redaction(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--redact", action=argparse.BooleanOptionalAction, default=True,
        help="pseudonyms for apps, accounts, tags, addresses (default: on)",
    )  # fmt: skip
    _add_key(p)


def _add_key(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--key", metavar="FILE",
        help="key of the pseudonyms, made if absent: one name in every file (default: a new key, kept nowhere)",
    )  # fmt: skip


def _look(args: argparse.Namespace, output: str | None, *steps: Callable[[], None]) -> None:
    """Every mistake of the command line at once, before the dump is read."""
    out = files.output(output, inputs=[args.file])
    files.together(*steps, out, android_files.dump(args.file), android_files.key(args.key))


def _names(args: argparse.Namespace) -> Pseudonyms:
    from powerhal.android.share.redact import Pseudonyms, load_key

    return Pseudonyms(load_key(args.key)) if args.key else Pseudonyms.fresh()


def _redact(args: argparse.Namespace) -> int:
    from powerhal.android.issues import Issues
    from powerhal.android.share.lines import LineRedactor, printed
    from powerhal.android.share.source import read_bugreport

    _look(args, args.output)
    dump = read_bugreport(args.file, Issues()).dump(args.dump)
    redactor = LineRedactor(_names(args))
    count = _write((f"{line}\n" for line in printed(redactor.lines(dump.part()))), args.output)
    print(f"{count} lines", file=sys.stderr)
    for what, dropped in sorted(redactor.dropped.items()):
        print(f"{dropped} lines left out: {what}", file=sys.stderr)
    return 0


def _downgrade(args: argparse.Namespace) -> int:
    from powerhal.android.issues import Issues
    from powerhal.android.share.downgrade import downgrade, write_report
    from powerhal.android.share.lines import redacted
    from powerhal.android.share.source import read_bugreport

    odd = args.output != "-" and Path(args.output).suffix.lower() not in (".txt", ".zip")
    _look(args, args.output, files.refuse(odd, f"{args.output}: a bugreport is a .txt or a .zip",
                                          hint="end the name in one of them"))  # fmt: skip
    report = read_bugreport(args.file, Issues())
    out = downgrade(report, dump=args.dump, redact=redacted(_names(args)) if args.redact else iter)
    if args.output == "-":
        _write((piece.decode() for piece in out.pieces), "-")
    else:
        write_report(out, args.output, private=not args.redact)
    print("\n".join(out.summary()), file=sys.stderr)
    print(_said(args), file=sys.stderr)
    return 0


def _said(args: argparse.Namespace) -> str:
    return "names are pseudonyms (--no-redact keeps them)" if args.redact else "names are NOT redacted"


def _export(args: argparse.Namespace) -> int:
    from powerhal.android.parse import read
    from powerhal.android.share.document import redact_document
    from powerhal.android.share.export import long_csv, wide_csv
    from powerhal.android.summary import document

    folder = args.format == "csv" and (args.output.endswith("/") or Path(args.output).is_dir())
    _look(args, None if folder else args.output)
    out = document(read(args.file, keep_records=False).demand())
    if args.redact:
        out = redact_document(out, _names(args))
    if folder:
        tables = wide_csv(out, Path(args.output))
        print(f"{len(tables)} tables in {args.output}", file=sys.stderr)
    elif args.format == "csv":
        _write((f"{line}\n" for line in long_csv(out)), args.output)
    else:
        _write([json.dumps(out, indent=1), "\n"], args.output)
    print(_said(args), file=sys.stderr)
    return 0


def _write(lines: Iterable[str], output: str) -> int:
    """Write text ('-' is standard output); how many pieces it came in."""
    if output == "-":
        return sum(sys.stdout.write(line.encode("utf-8", "replace").decode()) >= 0 for line in lines)
    from powerhal.android.output import replaced

    with replaced(output) as stream:
        return sum(stream.write(line.encode("utf-8", "replace")) >= 0 for line in lines)


def _diff(args: argparse.Namespace) -> int:
    from powerhal.android.share.diff import diff

    files.together(
        files.refuse(args.a == args.b == "-", "both dumps from standard input", hint="give one of them as a file"),
        android_files.dump(args.a),
        android_files.dump(args.b),
    )
    out = diff(_side(args.a), _side(args.b), rates=args.rates, anyway=args.anyway)
    print(json.dumps(out.document(), indent=1) if args.json else "\n".join(_portrait(out)))
    return 0


def _side(name: str) -> Side:
    from powerhal.android.parse import read
    from powerhal.android.share.diff import Side
    from powerhal.android.statistics import Statistics

    found = read(name, keep_records=False).demand()
    main = found.main
    stats = main.main if main else Statistics("l")
    build = str(main.versions.get("start_build", "")) if main else ""
    return Side(name, stats, main.api if main else None, build, found.properties)


def _portrait(out: Difference) -> Iterator[str]:
    """The largest changes of each table."""
    hours = ["unknown" if h is None else f"{h:.2f} h" for h in (out.hours_a, out.hours_b)]
    if out.mode == "between":
        yield f"one discharge, {hours[0]} and {hours[1]} on battery: what was used between the dumps"
    else:
        yield f"two periods, {hours[0]} and {hours[1]} on battery: change of the rates per hour"
    yield from out.notes
    if not out.changes:
        yield "nothing differs"
    suffix = "" if out.mode == "between" else "/h"
    for table in dict.fromkeys(c.key.table for c in out.changes):
        rows = [c for c in out.changes if c.key.table == table]
        yield f"{table}:"
        for c in rows[:ROWS]:
            amount = "reset" if c.change is None else f"{c.change:+.4g}"
            sure = f" ± {c.within:.2g}" if c.within else ""
            who = "" if c.key.uid is None else f"uid {c.key.uid} {', '.join(c.key.packages[:2])} "
            yield "".join(
                ch if ch.isprintable() else "?" for ch in f"  {amount:>11}{sure} {c.unit}{suffix}  {who}{c.key.item}"
            )
        if len(rows) > ROWS:
            yield f"  ... {len(rows) - ROWS} more (--json)"
