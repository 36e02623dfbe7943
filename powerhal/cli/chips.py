"""`powerhal chips`: what chips are known, what their registers mean, which chip is on a bus."""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from typing import Any

from powerhal.errors import TransportError, UsageError

_RAW_NAMES = frozenset(("data", "wire", "frame", "word_le", "plain", "encoded", "text"))
_RAW = re.compile(r"(?:(?:prev|now)_)?0[xX][0-9a-fA-F]+")


def add(subparsers: Any) -> None:
    """Register the command."""
    chips = subparsers.add_parser(
        "chips", help="sensor chips: list, show, decode registers, identify", description="What do these bytes mean?"
    )
    commands = chips.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="every chip, gauge and frame that can be decoded")
    listing.add_argument("--json", action="store_true", help="[{name, title, compatibles, ...}] on stdout")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="registers and formulas of a chip")
    show.add_argument("chip", metavar="CHIP", help="a name from `chips list`")
    show.add_argument("--json", action="store_true", help="the map on stdout")
    show.set_defaults(run=_show)

    decode = commands.add_parser(
        "decode", help="register bytes in wire order to SI values",
        usage="powerhal chips decode CHIP [--config k=v ...] REG=HEX ... [--json]",
        description="REG is a register pointer (0x02), prev_0x09 and now_0x09 for two readings of an accumulator, or "
        "frame, wire, data, word_le, plain, text for what has no registers. Values keep the chip's own sign.",
    )  # fmt: skip
    decode.add_argument("--json", action="store_true", help='{"fields": {name: value}} on stdout')
    decode.add_argument("--config", metavar="k=v", action="append", default=[], help="r_shunt_ohm=0.01, channel=2, ...")
    decode.add_argument("chip", metavar="CHIP", help="a name from `chips list`")
    decode.add_argument("words", metavar="REG=HEX", nargs=argparse.REMAINDER, help="bytes in wire order")
    decode.set_defaults(run=_decode)

    identify = commands.add_parser(
        "identify", help="which chips are on a bus; only reads",
        description="Reads identities and fixed bits at the addresses of known chips. Addresses that a kernel driver "
        "owns are not touched.",
    )  # fmt: skip
    identify.add_argument("bus", metavar="BUS", help="/dev/i2c-N, or a register dump (`powerhal bus dump -o FILE`)")
    identify.add_argument("--json", action="store_true", help="[{bus, address, verdict, ...}] on stdout")
    identify.set_defaults(run=_identify)


def _list(args: argparse.Namespace) -> int:
    rows = list(_rows())
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {row['access']:<6}  {row['title']}")
    return 0


def _rows() -> Iterator[dict[str, Any]]:
    from powerhal import chips
    from powerhal.meters.wires import TITLES

    by_name: dict[str, list[str]] = {}
    for compatible in (*chips.CHIPS, *chips.UNWIRED):
        by_name.setdefault(chips.load(compatible).name, []).append(compatible)
    for name in sorted(by_name):
        kind = chips.load(by_name[name][0])
        low, high = kind.addresses
        yield {
            "name": name, "title": kind.title, "access": "i2c" if kind.wired else "driver",
            "compatibles": by_name[name], "addresses": [low, high], "source": kind.source_note, "checked": kind.checked,
        }  # fmt: skip
    for name, title in sorted(TITLES.items()):
        yield {"name": name, "title": title, "access": "frame", "compatibles": [], "addresses": None}


def _show(args: argparse.Namespace) -> int:
    from powerhal import chips
    from powerhal.chips.portrait import lines
    from powerhal.meters.wires import TITLES

    args.chip = _known(args.chip)
    if args.chip in TITLES:
        print(json.dumps({"name": args.chip, "title": TITLES[args.chip]}) if args.json else TITLES[args.chip])
        return 0
    kind = chips.find(args.chip)
    if args.json:
        from powerhal.chips.portrait import document

        print(json.dumps(document(kind), indent=2, ensure_ascii=False))
    else:
        print("\n".join(lines(kind)))
    return 0


def _decode(args: argparse.Namespace) -> int:
    from powerhal.meters.wires import WIRES, decode_wire

    args.chip = _known(args.chip)
    words, as_json = _own_words(args)
    config, raw = _sorted_words(words)
    if not raw:
        raise UsageError("nothing to decode", hint="give registers like 0x02=5d98; see `powerhal chips show CHIP`")
    fields = decode_wire(args.chip, config, raw)
    others: dict[str, Any] = {}
    if args.chip.lower() not in WIRES:
        from powerhal.chips import find
        from powerhal.chips.given import check_config

        for name in check_config(find(args.chip), config):
            print(f"powerhal: {name} means nothing to {args.chip}: left out", file=sys.stderr)
        from powerhal.chips.decode import other_values

        others = dict(other_values(args.chip, config, raw))
    if as_json:
        print(json.dumps({"fields": fields, **({"settings": others} if others else {})}, ensure_ascii=False))
        return 0
    width = max(map(len, (*fields, *others)), default=0)
    units = _units(args.chip) if args.chip.lower() not in WIRES else {}
    for name, value in (*fields.items(), *((n, v) for n, v in others.items() if n not in fields)):
        print(f"{name:<{width}}  {_shown(value)} {units.get(name.rstrip('0123456789'), '')}".rstrip())
    return 0


def _units(chip: str) -> dict[str, str]:
    """SI unit of each value of a chip, by its name without the number of the input; a product of V and A is in W."""
    from powerhal.chips import find

    kind = find(chip)
    units = {b.name.rstrip("0123456789"): b.unit for r in kind.registers for b in r.bits if b.unit != "bool"}
    return {
        product.name: "W" for product in kind.products if {units.get(f) for f in product.factors} == {"V", "A"}
    } | units


def _known(name: str) -> str:
    """The name of a chip or frame as it was given; raises UsageError with names that are alike."""
    from difflib import get_close_matches

    from powerhal import chips
    from powerhal.errors import BoardError
    from powerhal.meters.wires import WIRES

    if name.lower() in WIRES:
        return name
    try:
        chips.find(name)
    except BoardError as unknown:
        bare = (c.partition(",")[2] for c in (*chips.CHIPS, *chips.UNWIRED))
        near = get_close_matches(name.lower(), [*bare, *WIRES], 4)
        hint = f"did you mean {' or '.join(near)}?" if near else "powerhal chips list"
        raise UsageError(unknown.message, hint=hint) from unknown
    return name


def _own_words(args: argparse.Namespace) -> tuple[list[str], bool]:
    """All k=v words whichever side of an option they stand on, and whether JSON is wanted."""
    words, as_json = list(args.config), args.json
    for word in args.words:
        if word == "--json":
            as_json = True
        elif word.startswith("--config="):
            words.append(word.removeprefix("--config="))
        elif word != "--config" and word.startswith("--"):
            raise UsageError(f"{word} is no option of `chips decode`")
        elif word != "--config":
            words.append(word)
    return words, as_json


def _sorted_words(words: list[str]) -> tuple[dict[str, object], dict[str, bytes]]:
    """Configuration and register bytes; raises UsageError for a word without '=' and for what is not hex."""
    config: dict[str, object] = {}
    raw: dict[str, bytes] = {}
    wrong = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            wrong.append(f"{word!r} is neither k=v nor REG=HEX")
        elif name in _RAW_NAMES or _RAW.fullmatch(name):
            try:
                raw[name.replace("0X", "0x")] = _bytes(name, value)
            except UsageError as mistake:
                wrong.append(mistake.message)
        else:
            config[name] = _value(value)
    if wrong:
        raise UsageError("; ".join(wrong), hint="bytes in wire order, such as 0x02=5d98; --config r_shunt_ohm=0.01")
    return config, raw


def _bytes(name: str, value: str) -> bytes:
    """Hex digits (spaces, colons and a leading 0x allowed); a text as it is."""
    digits = re.sub(r"[\s:]", "", value).removeprefix("0x").removeprefix("0X")
    try:
        return bytes.fromhex(digits)
    except ValueError:
        if name == "text":
            return value.encode()
        raise UsageError(f"{name}={value[:40]} is not an even number of hex digits") from None


def _value(text: str) -> object:
    """A number, truth value, list or mapping as JSON or Python writes it; anything else is text."""
    for read in (json.loads, ast.literal_eval):
        try:
            found: object = read(text)
        except (ValueError, SyntaxError):
            continue
        return found
    return text


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.12g}"
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


def _identify(args: argparse.Namespace) -> int:
    from powerhal.chips.scan import scan

    found = [finding for bus in _buses(args.bus) for finding in scan(bus)]
    if args.json:
        print(json.dumps([finding.document() for finding in found], indent=2, ensure_ascii=False))
    for finding in () if args.json else found:
        print(finding.text())
    if not found:
        print(f"powerhal: no known chip answers on {args.bus}", file=sys.stderr)
    return 0 if found else TransportError.exit_code


def _buses(name: str) -> list[Any]:
    """The buses of a dump file, or the one of a device."""
    from pathlib import Path

    if name.startswith("/dev/") or name.isdigit():
        from powerhal.transport.files import RealRoot
        from powerhal.transport.i2c import open_bus

        return [open_bus(f"/dev/i2c-{name}" if name.isdigit() else name, RealRoot())]
    if not Path(name).exists():
        raise TransportError(
            f"there is no bus and no dump file {name}",
            kind="absent",
            hint="give /dev/i2c-N (`i2cdetect -l` lists them) or what `powerhal bus dump BOARD -o FILE` wrote",
        )
    from powerhal.transport.replay import load_dump

    return list(load_dump(name).values())
