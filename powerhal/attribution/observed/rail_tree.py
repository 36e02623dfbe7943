"""The tree of measured rails: which balance a device belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RailTree:
    """Which balance a device belongs to: rails with parents, devices with the rail that feeds them.

    `rails`: measured rails, in the order of the columns of z. `above` (rails,): index of the nearest
    measured rail above, -1 at the top. `devices`: in the order of the columns of p. `under` (devices,):
    index of the nearest measured rail above the device, -1 when nothing measured feeds it.
    """

    rails: tuple[str, ...]
    above: npt.NDArray[np.int64]
    devices: tuple[str, ...]
    under: npt.NDArray[np.int64]

    @classmethod
    def build(cls, measured: Sequence[str], parent: Mapping[str, str], devices: Mapping[str, str]) -> RailTree:
        """`parent`: rail -> rail above ('' or absent at the root); `devices`: device -> its rail.

        Rails that are not measured are passed through. Raises ValueError on a loop.
        """
        index = {rail: k for k, rail in enumerate(measured)}

        def nearest(rail: str) -> int:
            seen = set()
            while rail and rail not in index:
                if rail in seen:
                    raise ValueError(f"the rail tree runs in a circle at {rail!r}")
                seen.add(rail)
                rail = parent.get(rail, "")
            return index.get(rail, -1)

        above = np.array([nearest(parent.get(rail, "")) for rail in measured], dtype=np.int64)
        under = np.array([nearest(rail) for rail in devices.values()], dtype=np.int64)
        _check_tree(above, tuple(measured))
        return cls(tuple(measured), above, tuple(devices), under)

    def constraints(self) -> Floats:
        """C (rails, devices): 1 where a measured rail includes a device, at any depth."""
        matrix = np.zeros((len(self.rails), len(self.devices)))
        for device in range(len(self.devices)):
            rail = int(self.under[device])
            while rail >= 0:
                matrix[rail, device] = 1.0
                rail = int(self.above[rail])
        return matrix


def _check_tree(above: npt.NDArray[np.int64], rails: tuple[str, ...]) -> None:
    if len(set(rails)) != len(rails):
        raise ValueError("two measured rails share a name")
    for start in range(len(rails)):
        rail, steps = start, 0
        while rail >= 0:
            rail, steps = int(above[rail]), steps + 1
            if steps > len(rails):
                raise ValueError(f"the rail tree runs in a circle at {rails[start]!r}")
