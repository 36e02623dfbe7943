"""What a board tells the host sources: names of clusters and rails, rates, the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from powerhal.channel import Cluster
from powerhal.transport import Clock

# how often each kind of source is read when the board does not say, Hz. Gauges update about once a
# second; frequencies change faster than a process scan can follow, so both run at 10 Hz.
DEFAULT_RATES_HZ: Mapping[str, float] = {
    "processes": 10.0,
    "cpufreq": 10.0,
    "cpu": 10.0,
    "gpu": 10.0,
    "perf": 10.0,
    "hwmon": 10.0,
    "iio": 10.0,
    "powercap": 10.0,
    "odpm": 10.0,
    "power_supply": 1.0,
    "idle": 1.0,
    "thermal": 1.0,
    "net": 1.0,
    "disk": 1.0,
    "display": 1.0,
}


@dataclass(slots=True)
class HostContext:
    """Given to every `detect`; `notes` collects what is absent, one sentence each.

    `clusters`: the board's (may be empty). `rates_hz`: kind ('hwmon', 'processes', ...) or full source
    name -> Hz. `rails`: source name ('hwmon.ina231@2-0040', or 'hwmon.ina231' where it is the only one),
    with '.FEATURE' behind it for one of several features ('hwmon.ina3221@1-0040.CH1') -> rail name.
    """

    clock: Clock
    clusters: tuple[Cluster, ...] = ()
    rates_hz: Mapping[str, float] = field(default_factory=dict)
    rails: Mapping[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def period_s(self, kind: str, name: str = "") -> float:
        """Seconds between reads: the rate of that source, of its kind, or the default."""
        rate_hz = self.rates_hz.get(name) or self.rates_hz.get(kind) or DEFAULT_RATES_HZ[kind]
        return 1.0 / rate_hz

    def note(self, text: str) -> None:
        """Say something once."""
        if text not in self.notes:
            self.notes.append(text)
