"""The Raspberry Pi 5's PMIC as `vcgencmd pmic_read_adc` prints it: there is no sysfs route.

Two shapes occur: ` VDD_CORE_A current(7)=1.23400000A` and the older `VDD_CORE_A=1.234A`. Rails have volts and
amperes, converted one after the other; EXT5V and BATT have volts alone. The chip's sign is + into the load.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from powerhal.errors import UsageError

_LINE = re.compile(r"^\s*(\w+?)_([AV])(?:\s+(?:current|volt)\(\d+\))?\s*=\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*[AV]\s*$")


def parse(text: str) -> tuple[dict[str, float], dict[str, float]]:
    """(volts by rail, amperes by rail); lines of another form are left out."""
    found: dict[str, dict[str, float]] = {"V": {}, "A": {}}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            found[match[2]][match[1]] = float(match[3])
    return found["V"], found["A"]


def decode(config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, object]:
    """`rails`: {rail: {i, v, p}} of those with both, `voltages`: the rest. `raw`: `text` as it was printed.

    Raises UsageError when no line has the form.
    """
    volts, amperes = parse(raw.get("text", b"").decode("utf-8", "replace"))
    if not volts and not amperes:
        raise UsageError("no line of the text looks like NAME_V volt(8)=3.69V")
    both = {r: {"i": amperes[r], "v": volts[r], "p": amperes[r] * volts[r]} for r in amperes if r in volts}
    out: dict[str, object] = {"rails": both, "voltages": {r: v for r, v in volts.items() if r not in both}}
    if lonely := {r: a for r, a in amperes.items() if r not in both}:
        out["currents"] = lonely
    return out
