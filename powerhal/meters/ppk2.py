"""Nordic Power Profiler Kit II: one 32-bit little-endian word a sample, 100 000 a second.

Sources: masks and formula of the open ppk2-api (14-bit converter reading of 4 steps, 3-bit range at 14, 8 logic
inputs at 24); the 6-bit counter at 18 from Nordic's application, by which a shifted stream is found and losses are
counted. The sign is + into the load. Only the linear part: the rolling filter after a change of range is not applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from powerhal.errors import UsageError

STEP_V = 1.8 / 163840
ADC_STEPS = 4
RANGES = 5
_NEUTRAL = {"O": 0.0, "S": 0.0, "I": 0.0, "GS": 0.0, "GI": 1.0, "UG": 1.0}


def fields(word: int) -> dict[str, int]:
    """The parts of a sample: `range` 0 (least current) to 4, `adc`, `counter` modulo 64, `logic`."""
    return {"range": word >> 14 & 7, "adc": word & 0x3FFF, "counter": word >> 18 & 0x3F, "logic": word >> 24}


def amperes(range_: int, adc: int, ohms: Sequence[float], gains: Mapping[str, float], supply_v: float = 0.0) -> float:
    """Current in A from a reading, the resistor of each range in ohms and that range's modifiers."""
    seen = (adc * ADC_STEPS - gains["O"]) * STEP_V / ohms[min(range_, RANGES - 1)]
    return gains["UG"] * (seen * (gains["GS"] * seen + gains["GI"]) + (gains["S"] * supply_v + gains["I"]))


def decode(config: Mapping[str, Any], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """The parts of `word_le`, and `i` when `R_ohm` (five resistors) is given; `gains`: O, S, I, GS, GI, UG.

    A modifier may be one number or one for each range; `vdd_v` is the supply that S refers to.
    """
    data = raw.get("word_le", b"")
    if len(data) != 4:
        raise UsageError(f"a sample has 4 bytes, not {len(data)}")
    out: dict[str, Any] = dict(fields(int.from_bytes(data, "little")))
    ohms = config.get("R_ohm")
    if isinstance(ohms, Sequence) and not isinstance(ohms, str) and len(ohms) >= RANGES:
        at = min(out["range"], RANGES - 1)
        gains = {**_NEUTRAL, **(config.get("gains") or {})}
        each = {k: float(v[at] if isinstance(v, Sequence) else v) for k, v in gains.items()}
        supply = float(config.get("vdd_v") or config.get("V") or 0.0)
        out["i"] = amperes(out["range"], out["adc"], ohms, each, supply)
    return out
