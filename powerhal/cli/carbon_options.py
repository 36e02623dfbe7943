"""The carbon flags that several commands share: which grid, and what it cost to make the device."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add(p: argparse.ArgumentParser) -> None:
    """Add `--zone`, `--intensity`, `--embodied` and `--lifetime`."""
    group = p.add_argument_group("carbon")
    group.add_argument("--zone", metavar="JP", help="add gCO2e with this country's grid: ISO code, e.g. JP or JPN")
    group.add_argument(
        "--intensity", metavar="480g/kWh", type=_quantity("carbon intensity"), help="a better known grid, instead"
    )
    group.add_argument("--embodied", metavar="55.5kg", type=_quantity("mass"), help="CO2e of making the device")
    group.add_argument("--lifetime", metavar="3y", type=_quantity("time"), help="how long the device is used")


def chosen(args: argparse.Namespace) -> dict[str, Any]:
    """The options as `session.Run.attribute` takes them."""
    return {
        "zone": args.zone,
        "intensity_kg_per_j": args.intensity,
        "embodied_kg": args.embodied,
        "lifetime_s": args.lifetime,
    }


def zone(args: argparse.Namespace) -> Callable[[], object]:
    """A step (`cli.files.together`) that raises UsageError for a zone that no table knows."""

    def step() -> object:
        from powerhal.carbon import lookup

        return lookup(args.zone) if args.zone and args.intensity is None else None

    return step


def _quantity(dimension: str) -> Any:
    def parse(text: str) -> float:
        from powerhal.units import parse_quantity

        try:
            value = parse_quantity(text, dimension)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error
        if value < 0:
            raise argparse.ArgumentTypeError(f"{text!r} is less than 0")
        return value

    return parse
