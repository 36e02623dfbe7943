"""Which tier computes: numba, numpy or plain Python.

`POWERHAL_KERNELS` asks for a tier by name. Otherwise numpy, until the work done would have paid for loading
the compiled kernels (renting before buying: never more than twice the cost of knowing beforehand); plain Python
where numpy is missing. The work is estimated from sizes, not timed, so that the same data take the same tier.
The reason is kept, because a slow machine should be able to say why it is slow.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
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
    text_pool: Callable[[], Any]
    text_read: Callable[[Any, Any, Any, Any], Any]
    text_follow: Callable[[Any, Any, int, Any, bool], tuple[Any, Any, Any]]


KERNELS = tuple(name for name in KernelTable.__slots__ if name not in ("tier", "reason"))


@cache
def load(tier: str, reason: str = "asked for by name") -> KernelTable:
    """The table of one tier; raises ValueError for an unknown name, ImportError where it cannot run."""
    if tier not in MODULES:
        raise ValueError(f"no kernel tier {tier!r}: choose numba, numpy or python")
    module = import_module(MODULES[tier])
    return KernelTable(tier=tier, reason=reason, **{name: getattr(module, name) for name in KERNELS})


LOADING_S = 1.0  # CPU that importing numba and reading the compiled kernels from their cache takes
COMPILING_S = 30.0  # and compiling those that read text, when the cache does not have them yet
TEXT = "jit_text.sheets"  # the last of them


class Choice:
    """The tier of this process; `work_s` is the estimated numpy time of all kernel calls so far."""

    def __init__(self) -> None:
        self.work_s = 0.0
        self._table: KernelTable | None = None

    def table(self, work_s: float = 0.0) -> KernelTable:
        """The kernels for a call that would take numpy about `work_s` seconds.

        Raises ValueError when `POWERHAL_KERNELS` names no tier.
        """
        self.work_s += work_s
        if self._table is None:
            self._table = _first()
        elif self._table.reason == SMALL and self.work_s > LOADING_S:
            self._table = _compiled(self._table)
        return self._table

    def worth(self, work_s: float) -> KernelTable | None:
        """The compiled kernels for work that plain Python would do in `work_s` seconds; None while it does.

        They are taken when they are loaded already, asked for by name, or worth loading (and compiling: see
        `warmup`); numpy is never loaded for this.
        """
        asked = os.environ.get(VARIABLE, "").strip().lower()
        if asked not in ("", "numba") or not (asked or self._pays(work_s)):
            return None
        found = self.compiled()
        return found if found.tier == "numba" else None

    def _pays(self, work_s: float) -> bool:
        if work_s <= LOADING_S and (self._table is None or self._table.tier != "numba"):
            return False
        from powerhal.kernels.jit import kept  # it makes the cache's folder

        return work_s > COMPILING_S or kept(TEXT)

    def compiled(self) -> KernelTable:
        """Buy now: the numba tier where it can be imported, unless another was asked for by name."""
        self.work_s = float("inf")
        self.table()
        return self.table()


SMALL = "little work so far"
CHOICE = Choice()


def _first() -> KernelTable:
    asked = os.environ.get(VARIABLE, "").strip().lower()
    if asked and asked not in TIERS:
        raise ValueError(f"{VARIABLE}={asked!r}: choose numba, numpy or python")
    reason = f"{VARIABLE}={asked}" if asked else SMALL
    for tier in TIERS[TIERS.index(asked or "numpy") : -1]:
        try:
            return load(tier, reason)
        except _IMPORT_FAULTS as fault:
            reason = f"{tier} cannot be imported: {fault}"
    return load(TIERS[-1], reason)


def _compiled(otherwise: KernelTable) -> KernelTable:
    try:
        return load("numba", "enough work to load the compiled kernels")
    except _IMPORT_FAULTS as fault:
        return replace(otherwise, reason=f"numba cannot be imported: {fault}")
