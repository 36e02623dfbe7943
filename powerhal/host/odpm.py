"""Android's on-device power meter (ODPM): an IIO device with `energy_value`; a source per enabled rail.

Drivers s2mpg1x-odpm, google_odpm, cros_ec_pwrmon, pac193x: `enabled_rails` has lines `CH2[RAIL]:SUBSYSTEM`,
`energy_value` a first line `t=MS` (or `MS`, since boot) and then `CH3(T=MS)[RAIL], UWS` (older: `CH3[RAIL], UWS` or
`RAIL, UWS`). All rails of a meter share one look at the file. Within 50 ms the driver answers the same snapshot
again: such a row is STALE. A row is stamped with the meter's own time where that can be this machine's clock.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from powerhal.channel import Quality, Reading, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rails import channel, rail_of
from powerhal.host.rows import Column, RowSource, column
from powerhal.transport import Clock, FileReader, FileRoot

DEVICES = "/sys/bus/iio/devices"
LOWEST_PERIOD_S = 0.05  # how often the drivers read the chip at most
SHARED_NS = 20_000_000  # one look serves all rails for so long
BELIEVED_NS = 1_000_000_000  # the meter's time may lie this far behind ours
_TIME = re.compile(rb"(?:t=)?(\d{1,16})")
_ENERGY = re.compile(rb"(?:CH(\d+)(?:\(T=\d+\))?\[([^\]]*)\]|([^,\[\]]+)), *(\d{1,20})")

Rail = tuple[str, str]  # channel number ('' where there is none), name


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source `odpm.METER.RAIL` per rail that can be read now; `METER@deviceN` where two meters have one name."""
    found: list[tuple[str, str, tuple[Rail, ...]]] = []
    for entry in tree.names(root, DEVICES):
        folder = f"{DEVICES}/{entry}"
        content = tree.text(root, f"{folder}/energy_value") if entry.startswith("iio:device") else None
        if content is None:
            continue
        rails, _ = snapshot(content.encode())
        name = tree.safe_name(tree.text(root, f"{folder}/name") or entry)
        if rails:
            found.append((name, folder, rails))
        else:
            context.note(f"odpm.{name}: energy_value names no rail")
    if not found:
        context.note("no on-device power meter (energy_value of an IIO device)")
    names = [name for name, _, _ in found]
    sources: list[Source] = []
    for name, folder, rails in found:
        full = name if names.count(name) == 1 else f"{name}@{folder.rpartition(':')[2]}"
        sources += _sources(root, context, f"odpm.{full}", folder, rails)
    return sources


def snapshot(content: bytes) -> tuple[tuple[Rail, ...], tuple[int | None, ...]]:
    """Rails and (ms since boot, uW*s of each rail) of an `energy_value`; None for what the meter does not know.

    A value of all ones (or of more than 63 bits) is no value. No rails when the content is none.
    """
    t_ms: int | None = None
    rails: list[Rail] = []
    values: list[int | None] = []
    for line in content.splitlines():
        text = line.strip()
        if t_ms is None and (time := _TIME.fullmatch(text)):
            t_ms = int(time[1])
        elif match := _ENERGY.fullmatch(text):
            rails.append(((match[1] or b"").decode(), (match[2] or match[3] or b"").decode("utf-8", "replace")))
            values.append(tree.to_int(match[4]))
    return (tuple(rails), (t_ms, *values)) if t_ms is not None else ((), (None,))


class Meter:
    """One meter's file, read once for all rails that are asked for together."""

    def __init__(self, root: FileRoot, clock: Clock, path: str) -> None:
        self.path = path
        self._root = root
        self._clock = clock
        self._reader: FileReader | None = None
        self._at_ns = -SHARED_NS
        self._found: dict[Rail, int | None] = {}
        self.t_ms = 0

    def look(self, rail: Rail) -> int:
        """uW*s of a rail in a snapshot at most 20 ms old; raises TransportError, ValueError without a value."""
        now_ns = self._clock.now_ns()
        if not self._found or now_ns - self._at_ns >= SHARED_NS:
            self._found = {}
            if self._reader is None:
                self._reader = self._root.opener(self.path)
            rails, (t_ms, *values) = snapshot(self._reader.read())
            if not rails:
                raise ValueError(f"no snapshot in {self.path}")
            self._found, self._at_ns, self.t_ms = dict(zip(rails, values, strict=True)), now_ns, t_ms or 0
        value = self._found.get(rail)
        if value is None:
            raise ValueError(f"no value of {rail[1]} in {self.path}")
        return value

    def close(self) -> None:
        """Close the file; the next look opens it again."""
        reader, self._reader, self._found = self._reader, None, {}
        if reader is not None:
            reader.close()


class OdpmSource(RowSource):
    """One rail of a meter: a row is the meter's time in ms and the rail's energy in uW*s."""

    def __init__(
        self,
        name: str,
        period_s: float,
        clock: Clock,
        root: FileRoot,
        *,
        meter: Meter,
        rail: Rail,
        columns: Sequence[Column],
    ) -> None:
        super().__init__(name, period_s, root, clock, [meter.path], columns=columns)
        self._meter, self._rail = meter, rail
        self._t_before = -1

    def quality(self) -> Quality:
        """STALE when the meter answers the snapshot that was read before."""
        stale, self._t_before = self._meter.t_ms == self._t_before, self._meter.t_ms
        return Quality.STALE if stale else Quality.OK

    def read(self) -> Reading:
        """One row, at the meter's own time where that can be this machine's CLOCK_BOOTTIME."""
        reading, own_ns = super().read(), self._meter.t_ms * 1_000_000
        if not reading.quality & (Quality.MISSING | Quality.STALE) and 0 <= reading.t_ns - own_ns < BELIEVED_NS:
            return replace(reading, t_ns=own_ns)
        return reading

    def close(self) -> None:
        """Close the meter's file; may be called twice."""
        self._meter.close()

    def _values(self) -> list[int]:
        value = self._meter.look(self._rail)
        return [self._meter.t_ms, value]


def _sources(root: FileRoot, context: HostContext, name: str, folder: str, rails: tuple[Rail, ...]) -> list[OdpmSource]:
    meter = Meter(root, context.clock, f"{folder}/energy_value")
    made: dict[str, OdpmSource] = {}
    for rail in rails:
        feature = tree.safe_name(rail[1])
        if f"{name}.{feature}" in made:
            feature = f"{feature}@{rail[0]}"
        full = f"{name}.{feature}"
        what = channel(full, rail_of(context, name, feature), "energy", counter=True)
        columns = [Column("t", 1e-3, unit="s"), column(what, 1e-6)]
        period_s = max(LOWEST_PERIOD_S, context.period_s("odpm", full))
        made[full] = OdpmSource(full, period_s, context.clock, root, meter=meter, rail=rail, columns=columns)
    return list(made.values())
