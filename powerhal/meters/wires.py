"""Everything that `powerhal chips decode` understands: register maps of chips, and the frames of meters and batteries.

`WIRES` maps a name to `module:function`; the function takes (config, raw) and answers the fields, an `error` among them
when a frame's own check fails: a damaged frame is data, not an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from powerhal.chips import decode as registers

WIRES: dict[str, str] = {
    "bq27xxx_dm": "powerhal.chips.data_memory:decode",
    "sbs_pec": "powerhal.chips.sbs:decode_pec",
    "flashstream": "powerhal.chips.flashstream:decode",
    "rpi5_pmic": "powerhal.chips.rpi5_pmic:decode",
    "cobs": "powerhal.meters.wires:decode_cobs",
    "ppk2": "powerhal.meters.ppk2:decode",
    "vedirect_text": "powerhal.meters.vedirect:decode",
    "jbd_bms": "powerhal.meters.jbd:decode",
    "jk_bms": "powerhal.meters.jk:decode",
    "daly_bms": "powerhal.meters.daly:decode",
}
"""Name -> `module:function` of what has no register map."""

TITLES: dict[str, str] = {
    "bq27xxx_dm": "TI bq27xxx data memory block (data=)",
    "sbs_pec": "SMBus packet error code of a transfer (wire=)",
    "flashstream": "TI FlashStream commands (text=)",
    "rpi5_pmic": "Raspberry Pi 5, vcgencmd pmic_read_adc (text=)",
    "cobs": "Consistent overhead byte stuffing (plain= or encoded=)",
    "ppk2": "Nordic Power Profiler Kit II sample (word_le=)",
    "vedirect_text": "Victron VE.Direct text block (frame=)",
    "jbd_bms": "JBD battery management, UART frame (frame=)",
    "jk_bms": "JK battery management, UART frame (frame=)",
    "daly_bms": "Daly battery management, UART frame (frame=)",
}
"""Name -> what it is and how its bytes are given."""


def decode_wire(name: str, config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """The fields of what `name` sent, in SI with its own sign; raises BoardError or UsageError.

    `raw`: what `powerhal chips decode` takes before the equals sign -> bytes in wire order (a text as UTF-8).
    """
    place = WIRES.get(name.lower())
    if place is None:
        return dict(registers.decode_registers(name, config, raw))
    module, _, function = place.partition(":")
    fields: dict[str, Any] = getattr(import_module(module), function)(config, raw)
    return fields


def decode_cobs(config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """`encoded` of `plain`, or `plain` of `encoded`, as hex (Cheshire and Baker 1999, no delimiter)."""
    from powerhal.meters.frames import stuff, unstuff

    if "plain" in raw:
        return {"encoded": stuff(raw["plain"]).hex()}
    plain = unstuff(raw.get("encoded", b"").removesuffix(b"\x00"))
    return {"error": "cobs"} if plain is None else {"plain": plain.hex()}
