"""From a board description to open sources: the one place that knows both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from powerhal import chips, host, meters
from powerhal.board import discover, kernel_rails, owned, stretching
from powerhal.board import topology as topology_module
from powerhal.board.buses import World, close_all, open_buses
from powerhal.board.schema import BoardDescription, Meter, MeterSensor, Sensor
from powerhal.board.settings import battery_label, sensor_options
from powerhal.channel import ActivitySource, Source, Topology
from powerhal.chips import inferred
from powerhal.chips.options import SensorOptions
from powerhal.errors import HardwareError, PowerhalError, TransportError
from powerhal.host import clusters as host_clusters
from powerhal.host.context import HostContext
from powerhal.transport import Clock, FileRoot, I2cBus, SerialPort


@dataclass(slots=True)
class Assembly:
    """Everything a sampler needs of one board; the sources are not open yet, the buses are.

    `topology` is the board's own plus what was found at run time; `notes` says what is absent, or read in
    another way than the file describes, one sentence each.
    """

    description: BoardDescription
    topology: Topology
    sources: list[Source]
    activity_sources: list[ActivitySource]
    clock: Clock
    notes: list[str] = field(default_factory=list)
    buses: dict[str, I2cBus] = field(default_factory=dict)
    lines: dict[str, SerialPort] = field(default_factory=dict)

    def promised(self, source: Source) -> bool:
        """Whether the board file describes this source itself, so that its absence is an error."""
        board = self.description
        if source.name in board.sensors or source.name in board.meters:
            return True
        return not board.kernel.auto and any(channel.rail in board.rails for channel in source.layout.channels)

    def open(self) -> None:
        """Open every source: what the board promises must be there, what was only found may be gone again.

        Raises TransportError (one promise broken) or HardwareError (several, all named); everything is closed
        then. A found source that does not open is dropped with a note.
        """
        broken: list[TransportError] = []
        kept: list[Source] = []
        for source in self.sources:
            try:
                source.open()
                kept.append(source)
            except TransportError as error:
                if self.promised(source):
                    broken.append(error)
                else:
                    self.notes.append(f"{source.name} is left out: {error}")
        self.sources = kept
        if broken:
            self.close()
            raise _refusal(broken)
        for scanner in self.activity_sources:
            scanner.open()

    def close(self) -> None:
        """Close sources and buses; may be called twice."""
        for source in self.sources:
            source.close()
        for scanner in self.activity_sources:
            scanner.close()
        for line in self.lines.values():
            line.close()
        close_all(self.buses)


def _refusal(broken: list[TransportError]) -> PowerhalError:
    if len(broken) == 1:
        return broken[0]
    listed = "; ".join(str(error) for error in broken)
    return HardwareError(f"{len(broken)} sensors of the board are not there: {listed}", hint=broken[0].hint)


def assemble(
    board: BoardDescription,
    *,
    root: FileRoot | None = None,
    clock: Clock | None = None,
    world: World | None = None,
    program: bool = True,
    lines: Mapping[str, SerialPort] | None = None,
) -> Assembly:
    """The sources of a board, on this machine, on a copied tree (`root`) or in a simulated `world`.

    `program=False` never writes to a chip. `lines` gives the open line of a meter in place of its `port`. With a
    copied tree there is no bus: chips are then looked for among the tree's kernel drivers. Raises
    TransportError when a bus or line of the board cannot be opened.
    """
    live = root is None or _is_live(root)
    if world is not None:
        root, clock = world.root, world.clock
    root, clock = root or _real_root(), clock or _boot_clock()
    buses = open_buses(board, world, root) if world is not None or live else {}
    try:
        builder = _Builder(board, root, clock, buses, world)
        builder.live, builder.lines = live, dict(lines or {})
        sources = builder.sources(program=program)
        processes = host.activity_sources(root, builder.context()) if board.activity.processes else []
        topology = builder.topology(sources)
    except Exception:
        close_all(buses)
        raise
    return Assembly(board, topology, sources, processes, clock, builder.notes, buses, builder.lines)


def _real_root() -> FileRoot:
    from powerhal.transport.files import RealRoot

    return RealRoot()


def _is_live(root: FileRoot) -> bool:
    from powerhal.transport.files import RealRoot

    return isinstance(root, RealRoot)


def _boot_clock() -> Clock:
    from powerhal.transport.clock import BootClock

    return BootClock()


class _Builder:
    """Makes the sources of one board and remembers the rails that kernel sources were given on the way."""

    def __init__(
        self,
        board: BoardDescription,
        root: FileRoot,
        clock: Clock,
        buses: dict[str, I2cBus],
        world: World | None,
    ) -> None:
        self.board = board
        self.root = root
        self.clock = clock
        self.buses = buses
        self.notes: list[str] = []
        self.world = world
        self.rails: dict[str, str] = {}
        self.rates: dict[str, float] = _rates(board)
        self.owned: list[owned.Node] = []
        self.made: dict[str, str] = {}
        self.live = True
        self.lines: dict[str, SerialPort] = {}

    def context(self) -> HostContext:
        """What the host rooms need to know now; they share the list of notes."""
        patterns = kernel_rails.RailPatterns({**self.rails, **self.board.kernel.rails, **self.made})
        clusters = topology_module.build(self.board).clusters
        return HostContext(self.clock, clusters, self.rates, patterns, self.notes)

    def sources(self, *, program: bool) -> list[Source]:
        """Everything that is read at a rate; channel names are unique, what comes first keeps the rail's name."""
        found = self.chips(program=program)
        found += self.meters(_rails(found))
        found += self.kernel()
        kernel_rails.unique(found)
        return [*found, *self.activity()]

    def chips(self, *, program: bool) -> list[Source]:
        """A source per chip: over its bus, or through the driver that owns it."""
        found: list[Source] = []
        for name, sensor in self.board.sensors.items():
            bus = self.buses.get(sensor.bus)
            owner = bus.owner(sensor.address) if bus is not None else ""
            if bus is None or owner:
                found += self._through_driver(name, sensor, owner)
            else:
                options = self._options(name, sensor, sensor.rate_hz, _rails(found), program=program)
                if doubt := stretching.warning(self.root, self.board, name, sensor):
                    self.notes.append(doubt)
                found.append(chips.load(sensor.chip).source(bus, sensor.address, options, self.clock))
        return found

    def _options(
        self, name: str, sensor: Sensor | MeterSensor, rate_hz: float | None, taken: frozenset[str], *, program: bool
    ) -> SensorOptions:
        """Options of a chip, with a note where a gauge without current lacks what its power could be inferred from."""
        battery = battery_label(self.board, sensor)
        options = sensor_options(name, sensor, rate_hz, program=program, taken=taken, battery=battery)
        if lacks := inferred.missing(chips.load(sensor.chip), options.battery):
            why = f"the board file does not give the {lacks} of its battery"
            self.notes.append(f"no power is inferred from {name} ({sensor.chip}): {why}")
        return options

    def _through_driver(self, name: str, sensor: Sensor, owner: str) -> list[Source]:
        place = f"{sensor.bus} 0x{sensor.address:02x}"
        node = owned.find(self.root, self.board.buses[sensor.bus].number, sensor.address)
        if node is None:
            why = f"the kernel driver {owner} owns it and shows no measurement" if owner else "no driver shows it here"
            self.notes.append(f"{name} ({sensor.chip} at {place}) is not read: {why}")
            return []
        rails, rates = owned.names(node, sensor)
        self.rails.update(rails)
        self.rates.update(rates)
        self.owned.append(node)
        self.notes.append(f"{name} ({sensor.chip} at {place}) is read as {node.name}: a kernel driver owns it")
        self.notes.extend(owned.doubts(name, node, sensor.wired()))
        return owned.sources(self.root, self.context(), node)

    def meters(self, taken: frozenset[str]) -> list[Source]:
        """The sources of every instrument on a serial line; with a copied tree there are none."""
        found: list[Source] = []
        for name, meter in self.board.meters.items():
            port = self._line(name, meter)
            if port is None:
                self.notes.append(f"{name} ({meter.protocol} at {meter.port}) is not read: there is no line here")
                continue
            self.lines[name] = port
            wanted = {
                sensor: meters.MeterChip(
                    spec.chip, spec.address, self._options(sensor, spec, meter.rate_hz, taken, program=True)
                )
                for sensor, spec in meter.sensors.items()
            }
            found += meters.load(meter.protocol)(name, port, wanted, self.clock)
        return found

    def _line(self, name: str, meter: Meter) -> SerialPort | None:
        """The open line of a meter: given by the caller, simulated, or real."""
        if name in self.lines:
            return self.lines[name]
        if self.world is not None:
            return self.world.serial(name)
        if not self.live:
            return None
        from powerhal.transport.serial import open_port

        return open_port(meter.port, meter.baud)

    def kernel(self) -> list[Source]:
        """What the kernel measures, where the board asks for it."""
        kernel = self.board.kernel
        if not kernel.auto and not kernel.rails:
            return []
        found = self._measurements()
        if kernel.auto:
            self.made = kernel_rails.invented(found, self.board.rails, kernel_rails.crowded(found))
            found = self._measurements() if self.made else found
        return [source for source in found if any(channel.rail for channel in source.layout.channels)]

    def _measurements(self) -> list[Source]:
        sources = host.detect(self.root, self.context(), host.SENSORS)
        own = tuple(node.name for node in self.owned)
        return [
            source
            for source in sources
            if not kernel_rails.ignored(source.name, self.board.kernel.ignore)
            and source.name not in own
            and not source.name.startswith(tuple(f"{name}." for name in own))
        ]

    def activity(self) -> list[Source]:
        """What the machine does: frequencies, network, disks, display, GPU, temperatures."""
        modules = (*host.ACTIVITIES, "perf") if self.board.activity.counters else host.ACTIVITIES
        return host.detect(self.root, self.context(), modules)

    def topology(self, sources: list[Source]) -> Topology:
        """The board's own, plus rails, clusters and devices found."""
        known = self.board.topology()
        known = replace(known, rails=(*known.rails, *kernel_rails.tree(self.made, known.root().name)))
        if self.board.activity.auto:
            groups = [(g.name, g.cpus) for g in host_clusters.groups(self.root, self.context())]
            known = discover.complete(known, groups, sources)
        return known


def _rails(sources: list[Source]) -> frozenset[str]:
    """Rails that these sources measure."""
    return frozenset(channel.rail for source in sources for channel in source.layout.channels if channel.rail)


def _rates(board: BoardDescription) -> dict[str, float]:
    """Hz by kind or source name: the activity section, then what the kernel section says."""
    system = dict.fromkeys(("cpufreq", "cpu", "perf", "gpu", "net", "disk", "display"), board.activity.system_rate_hz)
    return {**system, "processes": board.activity.rate_hz, **board.kernel.rates_hz}
