"""Joules to gCO2e: grid intensity by country, charging losses, embodied share, with the interval carried through."""

from __future__ import annotations

from powerhal.carbon.account import Account, for_board
from powerhal.carbon.intensity import Intensity, lookup
from powerhal.carbon.sci import Embodied, Footprint, Losses, Range, footprint

__all__ = ["Account", "Embodied", "Footprint", "Intensity", "Losses", "Range", "footprint", "for_board", "lookup"]
