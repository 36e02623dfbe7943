"""The vocabulary of sampling: what can be read, how it lies in a row of bytes, how good it is.

A *source* (a chip on a bus, a hwmon folder, a probe on a serial line, the CPU frequency counters)
yields rows of raw bytes of fixed width. A *layout* says which bits of a row are which field, and
which channels those fields make. The layout travels with the recording, so a run can be decoded
years later without the code that read it, and one decoder serves every chip and every file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any, Protocol


class Quality(IntFlag):
    """What is known to be wrong with a row or value; OK is nothing."""

    OK = 0
    STALE = 1  # the same conversion as before: not counted twice
    SATURATED = 2  # at the end of the range: a lower bound
    RESET = 4  # chip or counter lost its state; doubtful since the last good check
    ESTIMATED = 8  # not measured
    LATE = 16  # read more than half a period after it was due
    WRAP = 32  # a counter wrapped
    CLOCK = 64  # the clock jumped or the machine slept before this row
    NOISY = 128  # disagrees with another source
    MISSING = 256  # no reading: the bytes are zeros and mean nothing
    UNVERIFIED = 512  # the chip could not prove what it is


@dataclass(frozen=True, slots=True)
class Field:
    """Some bits of a row: `nbytes` bytes at `offset`, shifted right, masked to `bits`, scaled.

    value = integer * scale + bias, in SI. `order` is 'big' or 'little'. `signed` extends the sign
    from the field's own width (`bits` after the shift; 0 means all bits that remain).
    """

    name: str
    offset: int
    nbytes: int
    order: str = "big"
    signed: bool = False
    shift: int = 0
    bits: int = 0
    scale: float = 1.0
    bias: float = 0.0
    unit: str = ""

    def integer(self, row: bytes) -> int:
        """The raw integer of this field in a row: the definition that every faster decoder must match."""
        width = self.bits or 8 * self.nbytes - self.shift
        word = int.from_bytes(row[self.offset : self.offset + self.nbytes], "big" if self.order == "big" else "little")
        word = (word >> self.shift) & ((1 << width) - 1)
        return word - (1 << width) if self.signed and word >> (width - 1) else word


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity of one source.

    `quantity`: voltage, current, power, energy, charge, temperature, frequency, ratio, time, bytes,
    count. `unit`: SI. `field`: the layout's field that holds it, or `product` of two fields (power
    = volts * amperes). `counter`: the value only grows (modulo `2**wrap_bits` integer steps, or modulo
    `wrap_span` in SI when given) and only differences mean anything. `rail` or `activity` names what
    it is about. `quality_class`: measured, accumulated, gauge, inferred, estimated.
    `lsb` in SI, `accuracy` relative and `offset` in SI (limits of the error, value * accuracy + offset;
    0 when unknown), `skew_s`: greatest time between the parts of a product.
    """

    name: str
    quantity: str
    unit: str
    field: str = ""
    product: tuple[str, ...] = ()
    counter: bool = False
    wrap_bits: int = 0
    wrap_span: float = 0.0
    both_ways: bool = False  # a counter that also counts back: its differences have a sign
    rail: str = ""
    activity: str = ""
    quality_class: str = "measured"
    lsb: float = 0.0
    accuracy: float = 0.0
    offset: float = 0.0
    skew_s: float = 0.0
    window_s: float = 0.0  # the reading is an average over this long (0: instantaneous)


@dataclass(frozen=True, slots=True)
class Flag:
    """A quality bit that a row carries itself: when the field is (not) zero, `quality` is set."""

    field: str
    quality: Quality
    when_zero: bool = False
    values: tuple[int, ...] = ()  # the raw integers that raise it; empty: any non-zero


@dataclass(frozen=True, slots=True)
class Layout:
    """How a source's rows decode: width in bytes, fields, flags, channels (JSON in the recording)."""

    row_bytes: int
    fields: tuple[Field, ...]
    channels: tuple[Channel, ...]
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One row of one source: the time after the read in ns of CLOCK_BOOTTIME, bytes, quality."""

    t_ns: int
    raw: bytes
    quality: Quality = Quality.OK


class Source(Protocol):
    """Anything that can be read at a rate.

    `read()` never raises for hardware faults that can pass: it answers a Reading flagged MISSING and
    keeps `last_fault` for the health record. It raises TransportError only when told to `open()`.
    """

    name: str
    period_s: float
    last_fault: str

    @property
    def layout(self) -> Layout:
        """How a row decodes; final after `open()`."""
        ...

    def open(self) -> None:
        """Check that the hardware is there and is what it should be; raises TransportError."""
        ...

    def read(self) -> Reading:
        """Take one row now."""
        ...

    def close(self) -> None:
        """Give the wire back; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """Who a process is: key = (boot, pid, start); never its command line."""

    pid: int
    start_ticks: int
    ppid: int
    uid: int
    comm: str
    cgroup: str = ""
    kernel: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Process `pid`/`start_ticks` did `amount` of `activity` since the last scan (s, B, count)."""

    pid: int
    start_ticks: int
    activity: str
    amount: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at all processes: time in ns, the newly seen ones, what each did since the last scan."""

    t_ns: int
    new: tuple[ProcessInfo, ...]
    usages: tuple[Usage, ...]


class ActivitySource(Protocol):
    """Processes as a source: variable rows, so it answers a Scan in place of a Reading."""

    name: str
    period_s: float
    last_fault: str

    def open(self) -> None:
        """Look once at what is there; raises TransportError when /proc cannot be read."""
        ...

    def scan(self) -> Scan:
        """Everything since the last scan."""
        ...

    def close(self) -> None:
        """Close descriptors."""
        ...


@dataclass(frozen=True, slots=True)
class Rail:
    """One power net; `parent` is the rail that feeds it, '' for the root."""

    name: str
    parent: str = ""
    subsystem: str = ""
    efficiency: float = 1.0  # power of this rail / power it takes from the parent (prior, converter)


@dataclass(frozen=True, slots=True)
class Cluster:
    """CPU cores that share a clock: frequencies in Hz with volts (None where unknown)."""

    name: str
    cpus: tuple[int, ...]
    opps: tuple[tuple[float, float | None], ...] = ()
    capacity: float = 1.0
    dynamic_power_coefficient: float = 0.0  # W/(Hz V^2), 0 when unknown


@dataclass(frozen=True, slots=True)
class Device:
    """What a rail's energy is attributed to, and the activities that explain it.

    `kind` picks the row of the feature table (cpu, gpu, display, radio, storage, memory, base, ...);
    `activities` maps the feature's role to a recorded activity ('busy' -> 'cpufreq.big').
    `parameters`: constants of the board file in SI (tail_s, ...).
    """

    name: str
    kind: str
    rail: str
    cluster: str = ""
    activities: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """What attribution needs to know of a board: rails (a tree), clusters, devices, carbon defaults."""

    board: str
    title: str
    rails: tuple[Rail, ...]
    clusters: tuple[Cluster, ...]
    devices: tuple[Device, ...]
    carbon: dict[str, Any] = field(default_factory=dict)
    battery: dict[str, float] = field(default_factory=dict)

    def root(self) -> Rail:
        """The one rail without a parent; raises LookupError when there is none."""
        for rail in self.rails:
            if not rail.parent:
                return rail
        raise LookupError("the rail tree has no root")

    def children(self, rail: str) -> Sequence[Rail]:
        """Rails fed directly by `rail`."""
        return [r for r in self.rails if r.parent == rail]
