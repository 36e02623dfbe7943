"""The supply tree of the simulated phone: what the loads take, what the converters lose, what heats up."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from powerhal.sim.design import BATTERY_AH, DEVICE_RAIL, RAILS, STEP_S
from powerhal.sim.parts import Parts

_FEEDS = tuple(RAILS.index(rail) for rail in DEVICE_RAIL)
_VSYS = RAILS.index("vsys")


@dataclass(frozen=True, slots=True)
class Supply:
    """One step of the tree, in W: rails at their outputs, the battery, and the way back down.

    `factor[d]` turns a watt of device d at its rail into watts at the battery: converter losses that
    depend on load are borne by all of a rail's loads in proportion. `quiescent_w` is what converters
    take without load, at the battery. Sum(device * factor) + quiescent_w = battery_w.
    """

    rail_w: list[float]
    battery_w: float
    factor: list[float]
    quiescent_w: float


class SupplyTree:
    """battery -> vsys -> converters -> rails; losses follow load."""

    def __init__(self, parts: Parts) -> None:
        self._converters = parts.converters
        self._vsys = parts.vsys

    def solve(self, device_w: list[float]) -> Supply:
        """Watts per device at its rail -> the whole tree."""
        rail_w = [0.0] * len(RAILS)
        for device, watts in enumerate(device_w):
            rail_w[_FEEDS[device]] += watts
        ratios = [1.0] * len(RAILS)
        system_w = rail_w[_VSYS]
        quiescent_w = 0.0
        for rail, converter in enumerate(self._converters):
            ratio = 1.0 + converter.proportional + converter.conduction * rail_w[rail]
            ratios[rail] = ratio
            system_w += rail_w[rail] * ratio + converter.quiescent_w
            quiescent_w += converter.quiescent_w
        path = 1.0 + self._vsys.conduction * system_w
        rail_w[_VSYS] = system_w
        rail_w[-1] = battery_w = system_w * path
        return Supply(rail_w, battery_w, [ratios[rail] * path for rail in _FEEDS], quiescent_w * path)


class Battery:
    """A lithium cell: open-circuit voltage by charge, a resistance, a slow polarisation."""

    def __init__(self, parts: Parts) -> None:
        self._ohms = parts.battery_ohms
        self.fraction = parts.battery_fraction
        self.amperes = 0.1
        self._slow_v = 0.0
        self.volts = self._open_v()

    def _open_v(self) -> float:
        x = self.fraction
        return 3.42 + 0.62 * x + 0.13 * x**8 - 0.32 * exp(-28.0 * x)

    def step(self, watts: float) -> None:
        """Deliver `watts` for one step."""
        self.volts = self._open_v() - self.amperes * self._ohms - self._slow_v
        self.amperes = watts / self.volts
        self._slow_v += STEP_S / 25.0 * (self.amperes * 0.03 - self._slow_v)
        self.fraction -= self.amperes * STEP_S / (BATTERY_AH * 3600.0)


class Heat:
    """Two dies on one skin: each die a few kelvin per watt above the skin, the skin slow."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.skin_c = parts.ambient_c + 4.0
        self.die_c = [self.skin_c + 1.0, self.skin_c + 1.5, self.skin_c + 1.0]  # little, big, gpu

    def step(self, die_w: tuple[float, float, float], total_w: float, seconds: float) -> None:
        """Let the heat flow for a while; watts are means over it."""
        p = self._parts
        for i, watts in enumerate(die_w):
            target = self.skin_c + p.die_kelvin_per_watt * (watts + 0.25 * (sum(die_w) - watts))
            self.die_c[i] += seconds / p.die_s * (target - self.die_c[i])
        self.skin_c += seconds / p.skin_s * (p.ambient_c + p.skin_kelvin_per_watt * total_w - self.skin_c)
