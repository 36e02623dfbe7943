"""powerhal: know where the energy goes.

    import powerhal as ph
    board = ph.open("sim-phone")
    with board.record() as run:
        work()
    print(run.attribute())

Names are resolved on first use, so importing the package imports neither numpy nor numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# name -> the module that has it
_NAMES = {
    "open": "powerhal.session",
    "record": "powerhal.session",
    "measure": "powerhal.session",
    "Board": "powerhal.session",
    "Run": "powerhal.session",
    "Recording": "powerhal.recording",
    "Ledger": "powerhal.attribution.ledger",
    "PowerModel": "powerhal.attribution.model",
    "Channel": "powerhal.channel",
    "Quality": "powerhal.channel",
    "PowerhalError": "powerhal.errors",
    "BoardError": "powerhal.errors",
    "TransportError": "powerhal.errors",
    "NotEnoughData": "powerhal.errors",
}

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'powerhal' has no attribute {name!r}")
    return getattr(import_module(_NAMES[name]), name)


def __dir__() -> list[str]:
    return __all__
