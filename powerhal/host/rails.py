"""What the channels of a kernel sensor are called: the board's rail, else the source's own name."""

from __future__ import annotations

from powerhal.channel import Channel
from powerhal.host.context import HostContext

UNITS = {"voltage": "V", "current": "A", "power": "W", "energy": "J", "charge": "C", "soc": ""}


def rail_of(context: HostContext, name: str, feature: str = "", *, alias: str = "") -> str:
    """Rail that the board gives to this feature; '' when it names none.

    Asked in turn: 'NAME.FEATURE', 'ALIAS.FEATURE', and without a feature 'NAME', 'ALIAS'. `alias` is the
    name without the address, given when no other device has it.
    """
    names = [n for n in (name, alias) if n]
    for key in [f"{n}.{feature}" for n in names] if feature else names:
        if key in context.rails:
            return context.rails[key]
    return ""


def channel(
    prefix: str, rail: str, quantity: str, *, counter: bool = False, wrap_span: float = 0.0, kind: str = ""
) -> Channel:
    """`RAIL.quantity` or `PREFIX.quantity`; `soc` is a ratio. `kind` is the quality class."""
    return Channel(
        f"{rail or prefix}.{quantity}",
        "ratio" if quantity == "soc" else quantity,
        UNITS[quantity],
        counter=counter,
        wrap_span=wrap_span,
        rail=rail,
        quality_class=kind or ("accumulated" if counter else "measured"),
    )


def product(prefix: str, rail: str, skew_s: float = 0.0) -> Channel:
    """Power as voltage times current of the same row."""
    owner = rail or prefix
    return Channel(
        f"{owner}.power",
        "power",
        "W",
        product=(f"{owner}.voltage", f"{owner}.current"),
        rail=rail,
        skew_s=skew_s,
    )
