"""What a board file may say: plain values, quantities in SI; `door.py` validates a file against these classes.

Keys in the file are short words (`shunt: 10 mOhm`); fields carry their unit (`shunt_ohms`), the key is in the
metadata. Names that point elsewhere (rails, buses, clusters) are checked in `references.py`, plausibility in `lint.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Any, ClassVar, Literal

from powerhal.board import topology
from powerhal.board.document import Document
from powerhal.board.kinds import KINDS
from powerhal.board.quantity import (
    Address,
    Capacitance,
    CarbonIntensity,
    ChannelNumber,
    Charge,
    Current,
    Duration,
    Efficiency,
    Energy,
    Flag,
    Frequency,
    Like,
    Mass,
    Name,
    Number,
    Pattern,
    Rate,
    Resistance,
    Scalar,
    Share,
    Text,
    Voltage,
    Whole,
)
from powerhal.channel import Topology

#: Multiplexers that can be switched without a kernel driver; `buses.MUXES` says how.
MUX_CHIPS = (
    "nxp,pca9540", "nxp,pca9542", "nxp,pca9544", "nxp,pca9545", "nxp,pca9546", "nxp,pca9547", "nxp,pca9548",
    "ti,tca9548",
)  # fmt: skip
STRICT = {"extra": "forbid"}


def _key(name: str = "", about: str = "") -> dict[str, str]:
    """Metadata of a field: its key in the file where that differs, and a hover text for editors."""
    return ({"alias": name} if name else {}) | ({"description": about} if about else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How the board is recognised: entries of the device tree's root `compatible`."""

    __pydantic_config__: ClassVar[Any] = STRICT
    device_tree: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """One I2C bus: an adapter of the kernel, or a channel of a multiplexer on another bus."""

    __pydantic_config__: ClassVar[Any] = STRICT
    kind: Literal["i2c", "mux"]
    device: Annotated[str, Like(r"^/dev/i2c-[0-9]{1,4}$")] | None = field(
        default=None, metadata=_key(about="i2c-dev node of the adapter (kind i2c)")
    )
    speed_hz: Frequency = field(default=100e3, metadata=_key("speed", "SCL clock, for the bus budget"))
    parent: Name | None = field(default=None, metadata=_key(about="bus the multiplexer sits on (kind mux)"))
    address: Address | None = field(default=None, metadata=_key(about="address of the multiplexer (kind mux)"))
    chip: Literal[MUX_CHIPS] = field(  # type: ignore[valid-type]  # the table is the list
        default="nxp,pca9548", metadata=_key(about="kind of multiplexer")
    )
    channel: Annotated[int, Whole(0, 7)] | None = field(default=None, metadata=_key(about="its channel (kind mux)"))

    @property
    def number(self) -> int:
        """The N of `/dev/i2c-N`, -1 for a multiplexer channel that the kernel does not know."""
        return int(self.device.rpartition("-")[2]) if self.device else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorChannel:
    """One channel of a sensor: which rail it watches and through which shunt."""

    __pydantic_config__: ClassVar[Any] = STRICT
    rail: Name
    shunt_ohms: Resistance | None = field(default=None, metadata=_key("shunt"))
    tolerance: Share = field(default=0.01, metadata=_key(about="of the shunt's resistance"))
    invert: Flag = field(default=False, metadata=_key(about="wired so that load current reads negative"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One chip on an I2C bus; a chip with one channel may give `rail` and `shunt` directly."""

    __pydantic_config__: ClassVar[Any] = STRICT
    chip: Text = field(metadata=_key(about="device-tree compatible, for example ti,ina226"))
    bus: Name
    address: Address = field(metadata=_key(about="7-bit address, such as 0x40"))
    rate_hz: Rate | None = field(default=None, metadata=_key("rate", "rows per second"))
    rail: Name | None = None
    shunt_ohms: Resistance | None = field(default=None, metadata=_key("shunt"))
    tolerance: Share = field(default=0.01, metadata=_key(about="of the shunt's resistance"))
    invert: Flag = False
    clock_stretch: Flag | None = field(
        default=None, metadata=_key(about="the chip holds the clock: told when the adapter loses bits then")
    )
    channels: dict[ChannelNumber, SensorChannel] = field(default_factory=dict)
    config: dict[Name, Scalar] = field(
        default_factory=dict, metadata=_key(about="settings to write; without it the chip is left as it is")
    )

    def wired(self) -> dict[int, SensorChannel]:
        """Channel number (from 1) -> what it watches."""
        return _wired(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSensor:
    """One chip behind a serial meter; its registers arrive raw in the meter's frames."""

    __pydantic_config__: ClassVar[Any] = STRICT
    chip: Text
    address: Address
    rail: Name | None = None
    shunt_ohms: Resistance | None = field(default=None, metadata=_key("shunt"))
    tolerance: Share = field(default=0.01, metadata=_key(about="of the shunt's resistance"))
    invert: Flag = False
    channels: dict[ChannelNumber, SensorChannel] = field(default_factory=dict)

    def wired(self) -> dict[int, SensorChannel]:
        """Channel number (from 1) -> what it watches."""
        return _wired(self)


def _wired(sensor: Sensor | MeterSensor) -> dict[int, SensorChannel]:
    """The shorthand `rail:`/`shunt:` is channel 1; both forms together are refused by `references.py`."""
    if sensor.rail is not None:
        only = SensorChannel(
            rail=sensor.rail, shunt_ohms=sensor.shunt_ohms, tolerance=sensor.tolerance, invert=sensor.invert
        )
        return {1: only}
    return {int(number): channel for number, channel in sensor.channels.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """An instrument on a serial line."""

    __pydantic_config__: ClassVar[Any] = STRICT
    protocol: Text = field(metadata=_key(about="for example powerhal,probe"))
    port: Annotated[
        str,
        Like(
            r"^(usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(:[A-Za-z0-9._-]{1,64})?"
            r"|/dev/serial/by-(id|path)/[A-Za-z0-9._:+-]{1,200}|/dev/tty(USB|ACM|AMA|S|SAC|mxc)[0-9]{1,3})$"
        ),
    ] = field(metadata=_key(about="usb:VID:PID[:SERIAL], /dev/serial/by-id/..., /dev/ttyUSB0"))
    baud: Annotated[int, Whole(300, 12_000_000)] = 115200
    rate_hz: Rate | None = field(default=None, metadata=_key("rate"))
    rail: Name | None = field(default=None, metadata=_key(about="what the meter's own input measures"))
    sensors: dict[Name, MeterSensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """What the running kernel measures (hwmon, power_supply, iio, powercap).

    `rails` maps a source (`hwmon.ina231@4-0040`, `power_supply.BAT0`, one feature `hwmon.ina3221@1-0040.CH1`;
    patterns with * and ? allowed, the first that fits wins) to a rail. With `auto` every measurement that the
    kernel offers is read, and gets a rail of its own below the root where `rails` names none.
    """

    __pydantic_config__: ClassVar[Any] = STRICT
    auto: Flag = False
    rails: dict[Pattern, Name] = field(default_factory=dict)
    ignore: tuple[Pattern, ...] = field(default=(), metadata=_key(about="sources that are not measurements"))
    rates_hz: dict[Pattern, Rate] = field(
        default_factory=dict, metadata=_key("rates", "reads per second by kind (hwmon) or source")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityRates:
    """How often to look at what the machine does."""

    __pydantic_config__: ClassVar[Any] = STRICT
    rate_hz: Rate = field(default=10.0, metadata=_key("rate", "process scans per second"))
    system_rate_hz: Rate = field(
        default=10.0, metadata=_key("system_rate", "looks at frequency, disk, network ... per second")
    )
    processes: Flag = True
    counters: Flag = field(
        default=False, metadata=_key(about="hardware counters of the CPUs (perf events), where they are permitted")
    )
    auto: Flag = field(default=False, metadata=_key(about="make clusters and devices of what is found at run time"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RailSpec:
    """One power net."""

    __pydantic_config__: ClassVar[Any] = STRICT
    parent: Name | None = None
    subsystem: Text = ""
    efficiency: Efficiency = field(default=1.0, metadata=_key(about="of the converter between parent and rail"))
    limit_a: Current | None = field(default=None, metadata=_key("limit", "greatest current the rail may carry"))
    nominal_v: Voltage | None = field(default=None, metadata=_key("nominal"))
    measured: Flag = field(default=True, metadata=_key(about="false: known to have no sensor (lint is quiet)"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opp:
    """One operating point of a CPU cluster."""

    __pydantic_config__: ClassVar[Any] = STRICT
    frequency_hz: Frequency = field(metadata=_key("frequency"))
    voltage_v: Voltage | None = field(default=None, metadata=_key("voltage"))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSpec:
    """CPU cores that share a clock."""

    __pydantic_config__: ClassVar[Any] = STRICT
    core: Text = ""
    cpus: tuple[Annotated[int, Whole(0, 4095)], ...]
    opps: tuple[Opp, ...] = ()
    capacity: Annotated[float, Number(1.0)] = 1.0
    dynamic_power_coefficient_f: Capacitance | None = field(default=None, metadata=_key("dynamic_power_coefficient"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSpec:
    """What a rail's energy is attributed to, and which activities explain it."""

    __pydantic_config__: ClassVar[Any] = STRICT
    kind: Literal[tuple(KINDS)]  # type: ignore[valid-type]  # the table is the list
    rail: Name
    cluster: Name | None = None
    title: Text = ""
    activities: dict[Name, Text] = field(default_factory=dict)
    parameters: dict[Name, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Battery:
    """The battery as it is printed on its label."""

    __pydantic_config__: ClassVar[Any] = STRICT
    capacity_c: Charge | None = field(default=None, metadata=_key("capacity"))
    energy_j: Energy | None = field(default=None, metadata=_key("energy"))
    nominal_v: Voltage | None = field(default=None, metadata=_key("nominal"))
    rail: Name | None = field(default=None, metadata=_key(about="the rail that it feeds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carbon:
    """Defaults for gCO2e; all may be overridden on the command line."""

    __pydantic_config__: ClassVar[Any] = STRICT
    zone: Annotated[str, Like(r"^[A-Za-z][A-Za-z0-9 -]{1,40}$")] | None = None
    intensity_kg_per_j: CarbonIntensity | None = field(default=None, metadata=_key("intensity"))
    supply: Literal["battery", "mains"] | None = None
    cell_efficiency: Efficiency | None = None
    charger_efficiency: Efficiency | None = None
    adapter_efficiency: Efficiency | None = None
    grid_loss: Share | None = None
    embodied_kg: Mass | None = field(default=None, metadata=_key("embodied"))
    lifetime_s: Duration | None = field(default=None, metadata=_key("lifetime"))
    resource_share: Share | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedChip:
    """A chip that is on the emulated bus but not read: something for register dumps to find."""

    __pydantic_config__: ClassVar[Any] = STRICT
    chip: Text
    bus: Name
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Which simulated machine answers for the hardware."""

    __pydantic_config__: ClassVar[Any] = STRICT
    model: Literal["phone"]
    chips: dict[Name, SimulatedChip] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardFile:
    """The whole of a board file."""

    __pydantic_config__: ClassVar[Any] = STRICT
    schema_version: Literal[1] = field(metadata=_key("schema"))
    name: Annotated[str, Like(r"^[a-z0-9][a-z0-9-]{0,62}$")]
    title: Text
    match: Match = Match()
    buses: dict[Name, Bus] = field(default_factory=dict)
    sensors: dict[Name, Sensor] = field(default_factory=dict)
    meters: dict[Name, Meter] = field(default_factory=dict)
    kernel: Kernel = field(default_factory=Kernel)
    activity: ActivityRates = ActivityRates()
    rails: dict[Name, RailSpec]
    clusters: dict[Name, ClusterSpec] = field(default_factory=dict)
    devices: dict[Name, DeviceSpec] = field(default_factory=dict)
    battery: Battery | None = None
    carbon: Carbon = Carbon()
    simulation: Simulation | None = field(
        default=None, metadata=_key(about="makes this a board that is not there (see sim)")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardDescription(BoardFile):
    """A valid board file with the text it was read from and the places of its parts."""

    text: str
    sha256: str  # hex digest of the text
    document: Document

    @property
    def path(self) -> str:
        """Where it was read from."""
        return self.document.name

    @property
    def simulated(self) -> bool:
        """Whether the board is emulated."""
        return self.simulation is not None

    def topology(self) -> Topology:
        """Rails, clusters, devices and defaults for attribution, in the file's order."""
        return topology.build(self)


def described(file: BoardFile, text: str, sha256: str, document: Document) -> BoardDescription:
    """The description of a valid file."""
    parts = {item.name: getattr(file, item.name) for item in fields(BoardFile)}
    return BoardDescription(**parts, text=text, sha256=sha256, document=document)
