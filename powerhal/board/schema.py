"""What a board file may say: the pydantic models, units in values, every field in SI behind the door.

Keys in the file are short words (`shunt: 10 mOhm`); fields carry their unit (`shunt_ohms`). Names that
point elsewhere (rails, buses, clusters) are checked in `references.py`, chips and plausibility in `lint.py`.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, StrictBool, StrictInt

from powerhal.board import topology
from powerhal.board.kinds import KINDS
from powerhal.board.quantity import (
    Address,
    Capacitance,
    CarbonIntensity,
    Charge,
    Current,
    Duration,
    Efficiency,
    Energy,
    Frequency,
    Many,
    Mass,
    Name,
    Pattern,
    Rate,
    Resistance,
    Share,
    Text,
    Voltage,
)
from powerhal.board.strict_yaml import Document
from powerhal.channel import Topology

#: Multiplexers that can be switched without a kernel driver; `buses.MUXES` says how.
MUX_CHIPS = (
    "nxp,pca9540", "nxp,pca9542", "nxp,pca9544", "nxp,pca9545", "nxp,pca9546", "nxp,pca9547", "nxp,pca9548",
    "ti,tca9548",
)  # fmt: skip
Scalar = StrictBool | StrictInt | float | str
ChannelNumber = Annotated[str, Field(pattern=r"^[0-9]{1,2}$")]


class Model(BaseModel):
    """Base of all parts of a board file: unknown keys are mistakes, values never change."""

    # Validators of the parts are built inside the board's own, and only when a board is loaded (memory).
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class Match(Model):
    """How the board is recognised."""

    device_tree: Annotated[tuple[Text, ...], Many] = Field((), description="entries of the root `compatible`")


class Bus(Model):
    """One I2C bus: an adapter of the kernel, or a channel of a multiplexer on another bus."""

    kind: Literal["i2c", "mux"]
    device: str | None = Field(
        None, pattern=r"^/dev/i2c-[0-9]{1,4}$", description="i2c-dev node of the adapter (kind i2c)"
    )
    speed_hz: Frequency = Field(100e3, alias="speed", description="SCL clock, for the bus budget")
    parent: Name | None = Field(None, description="bus the multiplexer sits on (kind mux)")
    address: Address | None = Field(None, description="address of the multiplexer (kind mux)")
    chip: Literal[MUX_CHIPS] = Field("nxp,pca9548", description="kind of multiplexer")  # type: ignore[valid-type]
    channel: Annotated[StrictInt, Field(ge=0, le=7)] | None = Field(None, description="its channel (kind mux)")

    @property
    def number(self) -> int:
        """The N of `/dev/i2c-N`, -1 for a multiplexer channel that the kernel does not know."""
        return int(self.device.rpartition("-")[2]) if self.device else -1


class SensorChannel(Model):
    """One channel of a sensor: which rail it watches and through which shunt."""

    rail: Name
    shunt_ohms: Resistance | None = Field(None, alias="shunt")
    tolerance: Share = Field(0.01, description="of the shunt's resistance")
    invert: StrictBool = Field(False, description="wired so that load current reads negative")


class Sensor(Model):
    """One chip on an I2C bus; a chip with one channel may give `rail` and `shunt` directly."""

    chip: Text = Field(description="device-tree compatible, for example ti,ina226")
    bus: Name
    address: Address
    rate_hz: Rate | None = Field(None, alias="rate", description="rows per second")
    rail: Name | None = None
    shunt_ohms: Resistance | None = Field(None, alias="shunt")
    tolerance: Share = Field(0.01, description="of the shunt's resistance")
    invert: StrictBool = False
    channels: dict[ChannelNumber, SensorChannel] = Field(default_factory=dict)
    config: dict[Name, Scalar] = Field(
        default_factory=dict, description="settings to write; without it the chip is left as it is"
    )

    def wired(self) -> dict[int, SensorChannel]:
        """Channel number (from 1) -> what it watches."""
        return _wired(self)


class MeterSensor(Model):
    """One chip behind a serial meter; its registers arrive raw in the meter's frames."""

    chip: Text
    address: Address
    rail: Name | None = None
    shunt_ohms: Resistance | None = Field(None, alias="shunt")
    tolerance: Share = Field(0.01, description="of the shunt's resistance")
    invert: StrictBool = False
    channels: dict[ChannelNumber, SensorChannel] = Field(default_factory=dict)

    def wired(self) -> dict[int, SensorChannel]:
        """Channel number (from 1) -> what it watches."""
        return _wired(self)


def _wired(sensor: Sensor | MeterSensor) -> dict[int, SensorChannel]:
    """The shorthand `rail:`/`shunt:` is channel 1; both forms together are refused by `references.py`."""
    if sensor.rail is not None:
        only = SensorChannel.model_construct(
            rail=sensor.rail, shunt_ohms=sensor.shunt_ohms, tolerance=sensor.tolerance, invert=sensor.invert
        )
        return {1: only}
    return {int(number): channel for number, channel in sensor.channels.items()}


class Meter(Model):
    """An instrument on a serial line."""

    protocol: Text = Field(description="for example powerhal,probe")
    port: str = Field(
        pattern=r"^(usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(:[A-Za-z0-9._-]{1,64})?"
        r"|/dev/serial/by-(id|path)/[A-Za-z0-9._:+-]{1,200}|/dev/tty(USB|ACM|AMA|S|SAC|mxc)[0-9]{1,3})$",
        description="usb:VID:PID[:SERIAL], /dev/serial/by-id/..., /dev/ttyUSB0",
    )
    baud: StrictInt = Field(115200, ge=300, le=12_000_000)
    rate_hz: Rate | None = Field(None, alias="rate")
    rail: Name | None = Field(None, description="what the meter's own input measures")
    sensors: dict[Name, MeterSensor] = Field(default_factory=dict)


class Kernel(Model):
    """What the running kernel measures (hwmon, power_supply, iio, powercap).

    `rails` maps a source (`hwmon.ina231@4-0040`, `power_supply.BAT0`, one feature `hwmon.ina3221@1-0040.CH1`;
    patterns with * and ? allowed, the first that fits wins) to a rail. With `auto` every measurement that the
    kernel offers is read, and gets a rail of its own below the root where `rails` names none.
    """

    auto: StrictBool = False
    rails: dict[Pattern, Name] = Field(default_factory=dict)
    ignore: Annotated[tuple[Pattern, ...], Many] = Field((), description="sources that are not measurements")
    rates_hz: dict[Pattern, Rate] = Field(
        default_factory=dict, alias="rates", description="reads per second by kind (hwmon) or source"
    )


class ActivityRates(Model):
    """How often to look at what the machine does."""

    rate_hz: Rate = Field(10.0, alias="rate", description="process scans per second")
    system_rate_hz: Rate = Field(
        10.0, alias="system_rate", description="looks at frequency, disk, network ... per second"
    )
    processes: StrictBool = True
    auto: StrictBool = Field(False, description="make clusters and devices of what is found at run time")


class RailSpec(Model):
    """One power net."""

    parent: Name | None = None
    subsystem: Text = ""
    efficiency: Efficiency = Field(1.0, description="of the converter between the parent and this rail")
    limit_a: Current | None = Field(None, alias="limit", description="greatest current the rail may carry")
    nominal_v: Voltage | None = Field(None, alias="nominal")
    measured: StrictBool = Field(True, description="false: known to have no sensor (lint is quiet)")


class Opp(Model):
    """One operating point of a CPU cluster."""

    frequency_hz: Frequency = Field(alias="frequency")
    voltage_v: Voltage | None = Field(None, alias="voltage")


class ClusterSpec(Model):
    """CPU cores that share a clock."""

    core: Text = ""
    cpus: Annotated[tuple[Annotated[StrictInt, Field(ge=0, le=4095)], ...], Many]
    opps: Annotated[tuple[Opp, ...], Many] = ()
    capacity: Annotated[float, Field(gt=0, le=1)] = 1.0
    dynamic_power_coefficient_f: Capacitance | None = Field(None, alias="dynamic_power_coefficient")


class DeviceSpec(Model):
    """What a rail's energy is attributed to, and which activities explain it."""

    kind: Literal[tuple(KINDS)]  # type: ignore[valid-type]  # the table is the list
    rail: Name
    cluster: Name | None = None
    title: Text = ""
    activities: dict[Name, Text] = Field(default_factory=dict)
    parameters: dict[Name, Scalar] = Field(default_factory=dict)


class Battery(Model):
    """The battery as it is printed on its label."""

    capacity_c: Charge | None = Field(None, alias="capacity")
    energy_j: Energy | None = Field(None, alias="energy")
    nominal_v: Voltage | None = Field(None, alias="nominal")
    rail: Name | None = Field(None, description="the rail that it feeds")


class Carbon(Model):
    """Defaults for gCO2e; all may be overridden on the command line."""

    zone: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z -]{1,40}$")] | None = None
    intensity_kg_per_j: CarbonIntensity | None = Field(None, alias="intensity")
    supply: Literal["battery", "mains"] | None = None
    cell_efficiency: Efficiency | None = None
    charger_efficiency: Efficiency | None = None
    adapter_efficiency: Efficiency | None = None
    grid_loss: Share | None = None
    embodied_kg: Mass | None = Field(None, alias="embodied")
    lifetime_s: Duration | None = Field(None, alias="lifetime")
    resource_share: Share | None = None


class SimulatedChip(Model):
    """A chip that is on the emulated bus but not read: something for register dumps to find."""

    chip: Text
    bus: Name
    address: Address


class Simulation(Model):
    """Which simulated machine answers for the hardware."""

    model: Literal["phone"]
    chips: dict[Name, SimulatedChip] = Field(default_factory=dict)


class BoardDescription(Model):
    """A board file, valid and in SI; `.text`, `.path` and `.sha256` say where it came from."""

    schema_version: Literal[1] = Field(alias="schema")
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    title: Text
    match: Match = Field(default_factory=lambda: Match.model_construct())
    buses: dict[Name, Bus] = Field(default_factory=dict)
    sensors: dict[Name, Sensor] = Field(default_factory=dict)
    meters: dict[Name, Meter] = Field(default_factory=dict)
    kernel: Kernel = Field(default_factory=lambda: Kernel.model_construct())
    activity: ActivityRates = Field(default_factory=lambda: ActivityRates.model_construct())
    rails: dict[Name, RailSpec]
    clusters: dict[Name, ClusterSpec] = Field(default_factory=dict)
    devices: dict[Name, DeviceSpec] = Field(default_factory=dict)
    battery: Battery | None = None
    carbon: Carbon = Field(default_factory=lambda: Carbon.model_construct())
    simulation: Simulation | None = Field(None, description="makes this a board that is not there (see sim)")

    _document: Document = PrivateAttr()
    _text: str = PrivateAttr("")

    @property
    def text(self) -> str:
        """The file as it was read."""
        return self._text

    @property
    def path(self) -> str:
        """Where it was read from."""
        return self._document.name

    @property
    def document(self) -> Document:
        """Plain data with places, for messages."""
        return self._document

    @property
    def sha256(self) -> str:
        """Hex digest of the text."""
        return hashlib.sha256(self._text.encode()).hexdigest()

    @property
    def simulated(self) -> bool:
        """Whether the board is emulated."""
        return self.simulation is not None

    def topology(self) -> Topology:
        """Rails, clusters, devices and defaults for attribution, in the file's order."""
        return topology.build(self)

    def attach(self, document: Document, text: str) -> BoardDescription:
        """Remember where this came from; returns itself."""
        self._document, self._text = document, text
        return self
