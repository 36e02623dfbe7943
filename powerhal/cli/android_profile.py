"""`powerhal android profile` and `recompute`: a vendor's power profile, and what Android computes with it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from powerhal.android.profile.values import PowerProfile


def add_profile(commands: Any) -> None:
    """Register `android profile`."""
    p = commands.add_parser(
        "profile",
        help="a power_profile.xml, read and checked",
        description="Read a power_profile.xml of any vendor as Android reads it, and say everything that is wrong "
        "with it. Problems go to stderr as file:line.",
    )
    p.add_argument("file", metavar="FILE", help="power_profile.xml; '-' is stdin")
    p.add_argument("--json", action="store_true", help="values, clusters, modem and problems as JSON (docs/android.md)")
    p.add_argument("--strict", action="store_true", help="exit with 1 when a problem is an error")
    p.set_defaults(run=_profile)


def add_recompute(commands: Any) -> None:
    """Register `android recompute`."""
    p = commands.add_parser(
        "recompute",
        help="mAh per uid by Android's own formulas",
        description="Recompute from a check-in dump's times and a power profile what Android computes, each term "
        "exact or estimated, beside what the dump prints.",
    )
    p.add_argument("file", metavar="FILE", help="check-in dump or bugreport; '-' is stdin")
    p.add_argument("--profile", required=True, metavar="XML", help="the phone's power_profile.xml")
    p.add_argument("--api", type=int, help="API level whose formulas are used (default: the dump's)")
    p.add_argument("--json", action="store_true", help="sums and every term as JSON (docs/android.md)")
    p.set_defaults(run=_recompute)


def _recompute(args: argparse.Namespace) -> int:
    from powerhal.android.formulas.dump import recompute_dump
    from powerhal.android.kinds import told_apart
    from powerhal.cli import android_files, files

    profile, _ = files.together(android_files.profile(args.profile), android_files.dump(args.file))
    with told_apart(args.file, "dump"):
        found, printed = recompute_dump(profile, args.file, args.api)
    if args.json:
        rows = found.document()
        for row in rows["uids"]:
            row["printed_mah"] = printed.get(row["uid"])
        print(json.dumps(rows, ensure_ascii=False))
    else:
        print(f"{args.file}  formulas of API {found.api}, profile {profile.path}")
        print(f"  {'uid':>8} {'recomputed':>12} {'exact':>6} {'printed':>12}  mAh")
        for uid, total in sorted(found.by_uid().items(), key=lambda item: -item[1]):
            shown = "—" if printed.get(uid) is None else f"{printed[uid]:.4g}"
            print(f"  {uid:>8} {total:>12.4g} {found.exact_share(uid):>6.0%} {shown:>12}")
    whys = sorted({f"{t.component}: {t.why}" for t in found.terms if t.why})
    print("\n".join(f"estimated: {why}" for why in whys), file=sys.stderr)
    return 0


def _profile(args: argparse.Namespace) -> int:
    from powerhal.android.kinds import told_apart
    from powerhal.android.profile.reader import LARGEST, parse_profile, read_profile

    with told_apart(args.file, "profile"):
        profile = parse_profile(sys.stdin.buffer.read(LARGEST + 1)) if args.file == "-" else read_profile(args.file)
    if args.json:
        print(json.dumps(profile.document(), ensure_ascii=False))
    else:
        print("\n".join(_portrait(profile)))
    for problem in profile.problems:
        print(problem, file=sys.stderr)
    return int(args.strict and any(p.severity == "error" for p in profile.problems))


def _portrait(profile: PowerProfile) -> Iterable[str]:
    from powerhal.android.profile.keys import key_of

    capacity = profile.capacity_mah
    yield f"{profile.path}  {'no capacity' if capacity is None else f'{capacity:g} mAh'}"
    for cluster in profile.clusters():
        own = "" if cluster.cluster_ma is None else f", cluster {cluster.cluster_ma:g} mA"
        yield f"  cluster {cluster.number}: {cluster.cores} cores, {len(cluster.speeds_khz)} speeds{own}"
        for khz, ma in zip(cluster.speeds_khz, cluster.core_ma, strict=False):
            yield f"    {khz / 1e3:>8g} MHz  {ma:>9g} mA"
    for name, value in profile.items.items():
        key = key_of(name)
        yield f"  {_safe(name):<36} {value:>10g} {key.unit if key else '(vendor)'}"
    for name, values in profile.arrays.items():
        if not name.startswith("cpu.") or key_of(name) is None:
            yield f"  {_safe(name):<36} {' '.join(f'{v:g}' for v in values)}"
    if profile.modem is not None:
        yield f"  modem: sleep {_ma(profile.modem.sleep_ma)}, idle {_ma(profile.modem.idle_ma)}"
        for block in profile.modem.active:
            levels = " ".join(_ma(v) for v in block.transmit_ma)
            name = f"{_safe(block.rat)} {_safe(block.nr_frequency)}"
            yield f"    {name}: receive {_ma(block.receive_ma)}, transmit {levels}"


def _ma(value: float | None) -> str:
    return "—" if value is None else f"{value:g} mA"


def _safe(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
