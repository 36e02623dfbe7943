"""Which tier computes: numba, numpy or plain Python, decided once, at the first kernel call.

`POWERHAL_KERNELS` asks for a tier by name. Otherwise numba where it can be imported, then numpy,
then plain Python; the reason is kept, because a slow machine should be able to say why it is slow.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

TIERS = ("numba", "numpy", "python")
MODULES = {tier: f"powerhal.kernels.tier_{tier}" for tier in TIERS}
VARIABLE = "POWERHAL_KERNELS"

# What a broken binary package raises on import, seen in the field: missing, wrong ABI, wrong glibc,
# numpy too new, no memory for the compiler.
_IMPORT_FAULTS = (ImportError, OSError, SystemError, AttributeError, MemoryError)


@dataclass(frozen=True, slots=True)
class KernelTable:
    """The kernels of one tier; every tier has the same names with the same signatures."""

    tier: str
    reason: str
    gram_add: Callable[[Any, Any, Any], None]
    moments_add: Callable[[Any, Any, Any, Any, Any], int]
    moments_add_sparse: Callable[[Any, Any, Any, Any, Any, Any], int]
    nnls: Callable[[Any, Any, Any, Any], tuple[Any, int]]
    cholesky_solve: Callable[[Any, Any], Any]
    spd_inverse: Callable[[Any], Any]
    decode_fields: Callable[[Any, Any], Any]
    scale_fields: Callable[[Any, Any, Any], Any]
    counter_delta: Callable[[Any, Any], Any]


KERNELS = tuple(name for name in KernelTable.__slots__ if name not in ("tier", "reason"))


@cache
def load(tier: str, reason: str = "asked for by name") -> KernelTable:
    """The table of one tier; raises ValueError for an unknown name, ImportError where it cannot run."""
    if tier not in MODULES:
        raise ValueError(f"no kernel tier {tier!r}: choose numba, numpy or python")
    module = import_module(MODULES[tier])
    return KernelTable(tier=tier, reason=reason, **{name: getattr(module, name) for name in KERNELS})


@cache
def table() -> KernelTable:
    """The kernels of this process; raises ValueError when `POWERHAL_KERNELS` names no tier."""
    asked = os.environ.get(VARIABLE, "").strip().lower()
    if asked and asked not in TIERS:
        raise ValueError(f"{VARIABLE}={asked!r}: choose numba, numpy or python")
    candidates = TIERS[TIERS.index(asked) :] if asked else TIERS
    reason = f"{VARIABLE}={asked}" if asked else "fastest that can be imported"
    for tier in candidates[:-1]:
        try:
            return load(tier, reason)
        except _IMPORT_FAULTS as fault:
            reason = f"{tier} cannot be imported: {fault}"
    return load(candidates[-1], reason)
