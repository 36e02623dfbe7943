"""From a recording to joules per device and process, with intervals, that add up to the measurement."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from powerhal.attribution.accounts import attribute as attribute
    from powerhal.attribution.design import Design as Design
    from powerhal.attribution.ledger import Ledger as Ledger
    from powerhal.attribution.model import PowerModel as PowerModel

_NAMES = {"attribute": "accounts", "Design": "design", "Ledger": "ledger", "PowerModel": "model"}

__all__ = ["Design", "Ledger", "PowerModel", "attribute"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'powerhal.attribution' has no attribute {name!r}")
    return getattr(import_module(f"powerhal.attribution.{_NAMES[name]}"), name)
