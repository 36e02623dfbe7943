"""A chip on a bus as a source of rows: opened with proof, read in one call, watched for lost state."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from powerhal.channel import Layout, Quality, Reading
from powerhal.chips.identify import Identity, identify, read_register
from powerhal.chips.layout import RowPlan, build_row, expected_config, fastest_hz, measured_mask, settings_of
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.pec import read_agrees
from powerhal.chips.registers import ChipType
from powerhal.chips.sums import RunningSums, running_sums
from powerhal.chips.torn import TornRows
from powerhal.errors import BoardError, TransportError
from powerhal.transport import Clock, I2cBus, Plan, Xfer

__all__ = ["ChannelOptions", "ChipSource", "SensorOptions"]

CHECK_EVERY = 16  # rows between two looks at the configuration
REMEMBERED = 10  # periods: after a longer silence no value is too far from the last one
SETTLE = 1.25  # rounds of conversions after a change of settings: the chips' clocks are within 10 %


@dataclass(frozen=True, slots=True)
class Steady:
    """Rows that need no judgement: `high` in the bits `watched` (big-endian), at most `rows`, no silence longer than
    `silence_ns`; they have `quality`.
    """

    high: int
    watched: int
    rows: int
    silence_ns: int
    quality: Quality


class ChipSource:
    """See `powerhal.channel.Source`. The layout is final after `open()`: a chip's settings decide it.

    `doubtful_rows` says, when a row carries RESET, how many rows before it were read since the last good look at
    the configuration. `taken`: a kernel driver owns the chip since. `notes` are facts worth a line in the recording.
    """

    def __init__(
        self, chip: ChipType, bus: I2cBus, address: int, options: SensorOptions, clock: Clock | None = None
    ) -> None:
        check_options(chip, address, options)
        self.name = options.name
        self.chip, self.bus, self.address, self.options = chip, bus, address, options
        self._plain = chip
        self._sums: RunningSums | None = None
        self._torn: TornRows | None = None
        self.clock = clock or _boot_clock()
        fastest = fastest_hz(chip, options.config)
        self.period_s = 1.0 / (options.rate_hz or min(chip.default_hz, fastest))
        self.last_fault = self.last_kind = ""
        self.notes: list[str] = []
        self.doubtful_rows = 0
        self._wanted = expected_config(chip, options.config)
        self._latched: frozenset[str] = frozenset()
        self._row = self._row_for(self._wanted)
        self._mask = measured_mask(self._row.layout)
        self._plan: Plan | None = None
        self._state_plan: Plan | None = None
        self._seen: dict[str, int] = {}
        self._always = Quality.OK
        self._failing = False
        self.taken = False
        self._settled_ns = self._changed_ns = 0
        self._last = Reading(-(1 << 62), bytes(self._row.layout.row_bytes))
        self._remembered_ns = int(REMEMBERED * 1e9 * self.period_s)
        self._least_ns = int(0.5e9 / chip.max_hz) if chip.max_hz else 0
        self._simple = not (self._least_ns or chip.latch or chip.asleep_after_s)  # nothing but reads, row after row

    @property
    def layout(self) -> Layout:
        """How a row decodes."""
        return self._row.layout

    @property
    def row(self) -> RowPlan:
        """The layout with the transfers that make a row."""
        return self._row

    def open(self) -> None:
        """Prove the chip, program it when the board sets its configuration, fix the layout.

        Raises TransportError: kind `busy` when a kernel driver owns the address (never forced), `absent` when
        nothing or another chip answers.
        """
        self._leave_to_owner()
        identity = identify(self._plain, self.bus, self.address)
        self.notes = []
        self.chip = self._with_check(identity)
        self._always = Quality.OK if identity.proved else Quality.UNVERIFIED
        if not identity.proved:
            self.notes.append(f"{self.name}: {self.chip.name} has no identity that could be checked")
        self._latched = self._already_set(identity)
        self._seen = {r.name: identity.raw[r.name] for r in self.chip.config_registers()}
        self._program()
        self._row = self._row_for(self._seen)
        self._mask = measured_mask(self._row.layout)
        self._sums = running_sums(self.chip, self._row.layout)
        self._torn = None if self._row.checks else TornRows(self._row.layout, self._row.xfers)
        self._plan = self.bus.plan(self._row.xfers)
        self._state_plan = self.bus.plan(self.configuration()[0])
        self._last = Reading(-(1 << 62), bytes(self._row.layout.row_bytes))
        self.doubtful_rows = 0

    def _leave_to_owner(self) -> None:
        """Raise TransportError of kind `busy` when a kernel driver owns the chip: it is never forced."""
        owner = self.bus.owner(self.address)
        self.taken = bool(owner)
        if owner:
            raise TransportError(
                f"{self.bus.name} 0x{self.address:02x} belongs to the kernel driver {owner}",
                kind="busy",
                hint="describe it as a hwmon, iio or power_supply source",
            )

    def read(self) -> Reading:
        """One row now; MISSING with `last_fault` set when the chip does not answer.

        A gauge asked faster than it allows is left alone: the last row again, STALE.
        """
        again = self.too_early()
        return again if again else self.accept(*self.fetch())

    def too_early(self) -> Reading | None:
        """The last row as STALE when the chip must not be asked again yet."""
        if not self._least_ns:
            return None
        now = self.clock.now_ns()
        if now - self._last.t_ns >= self._least_ns:
            return None
        return Reading(now, self._last.raw, self._last.quality | Quality.STALE)

    def fetch(self) -> tuple[int, bytes | None]:
        """(time after the read, the row or None) over this chip's own transfers."""
        if self._plan is None:
            raise TransportError(f"{self.name} is not open", kind="io")
        if self.taken and self.bus.owner(self.address):
            return self.clock.now_ns(), None
        until_ns = self.take_over()
        if until_ns:
            self.clock.sleep_until(until_ns)
        failed = self._plan.run()
        t_ns = self.clock.now_ns()
        if failed:
            self.failed(self._plan.fault(failed[0]))
            return t_ns, None
        return t_ns, bytes(self._plan.data)

    def take_over(self) -> int:
        """Have a chip that answers from a latch take its results over; when they can be read in ns, 0 without one.

        A chip that does not acknowledge is found absent by the read that follows.
        """
        if self.chip.latch is None:
            return 0
        message, wait_s = self.chip.latch
        due = self._sums is not None and self._sums.due
        with suppress(TransportError):
            self.bus.transfer(self.address, self.chip.clear if due else message)
            if due and self._sums is not None:
                self._sums.clear_sent()
        return self.clock.now_ns() + int(wait_s * 1e9)

    def accept(self, t_ns: int, raw: bytes | None) -> Reading:
        """Judge a row that was read at `t_ns` (None: the chip did not answer)."""
        if raw is not None and not self._row.intact(raw):
            self.last_fault, self.last_kind = f"{self.name}: a check byte is wrong", "io"
            raw = None
        quality = self._always
        if raw is None or (self._failing and not self._back()):
            return self._nothing(t_ns)
        if self._torn is not None:
            if t_ns - self._last.t_ns > self._remembered_ns:
                self._torn.forget()
            if not self._torn.fits(raw):
                raw, torn = self._torn.settle(raw, None if self._least_ns else self._again)
                if raw is None:
                    return self._untrue(t_ns)
                if torn:
                    quality |= Quality.NOISY
        self.doubtful_rows += 1
        emptied = not self._measured(raw) and self._measured(self._last.raw)
        if emptied or self.doubtful_rows >= CHECK_EVERY or self._failing:
            quality |= self._check_state()
            if self.taken:
                self._failing = True
                return Reading(t_ns, bytes(self._row.layout.row_bytes), Quality.MISSING | quality)
        if t_ns < self._settled_ns or (self.chip.asleep_after_s and self._asleep(t_ns, raw)):
            quality |= Quality.STALE
        if self._sums is not None:
            raw, doubt = self._sums.follow(raw)
            quality |= doubt
        self._failing = False
        self._last = Reading(t_ns, raw, quality)
        return self._last

    def steady(self) -> Steady | None:
        """What the rows to come must keep to need no judgement of their own; None when each has to be judged."""
        promise = self._torn.promise if self._torn is not None else None
        unsettled = self._failing or self.taken or self._last.t_ns < self._settled_ns
        if promise is None or unsettled or self._sums is not None or not self._simple:
            return None
        high, watched = promise
        if not high & watched & self._mask:  # else a row could become all zeros unnoticed
            watched |= self._mask
        return Steady(high, watched, CHECK_EVERY - self.doubtful_rows, self._remembered_ns, self._always)

    def configuration(self) -> tuple[list[Xfer], bytes]:
        """The transfers that read the configuration registers, and what they answered when they were last good."""
        registers = self.chip.config_registers()
        xfers = [Xfer(self.address, bytes((r.address,)), r.nbytes) for r in registers]
        return xfers, b"".join(r.wire(self._seen.get(r.name, 0)) for r in registers)

    def went_on(self, rows: int, t_ns: int, raw: bytes, *, checked: bool = False) -> None:
        """So many rows followed that kept what `steady` promised; the last was `raw`, read at `t_ns`.

        `checked`: after it the `configuration` was as it should be, and the chip free.
        """
        self.doubtful_rows = 0 if checked else self.doubtful_rows + rows
        self._last = Reading(t_ns, raw, self._always)
        if self._torn is not None:
            self._torn.went_on(raw)

    def _asleep(self, t_ns: int, raw: bytes) -> bool:
        """Whether the results are the very same for so long that the gauge must sleep."""
        if self._measured(raw) != self._measured(self._last.raw):
            self._changed_ns = t_ns
        return t_ns - self._changed_ns > self.chip.asleep_after_s * 1e9

    def _again(self) -> bytes | None:
        """The same row once more; None when the chip does not answer."""
        assert self._plan is not None
        failed = self._plan.run()
        if failed:
            self.failed(self._plan.fault(failed[0]))
            return None
        return bytes(self._plan.data)

    def _untrue(self, t_ns: int) -> Reading:
        """A row that no second read confirms."""
        self.last_fault, self.last_kind = f"{self.name}: a reading that jumps and is not confirmed", "corrupt"
        self._last = replace(self._last, t_ns=t_ns)  # a gauge counts its polls from here
        if self._sums is not None:
            self._sums.missed()
        return Reading(t_ns, bytes(self._row.layout.row_bytes), Quality.MISSING | self._always)

    def _nothing(self, t_ns: int) -> Reading:
        """A row without a reading."""
        self._failing = True
        if self._sums is not None:
            self._sums.missed()
        if self._torn is not None:
            self._torn.forget()
        return Reading(t_ns, bytes(self._row.layout.row_bytes), Quality.MISSING | self._always)

    def failed(self, fault: Exception) -> None:
        """Remember why there is no row, and of which kind that is."""
        self.last_fault, self.last_kind = str(fault), getattr(fault, "kind", "io")

    def close(self) -> None:
        """Forget the transfers; the bus belongs to who opened it."""
        self._plan = None

    def _row_for(self, values: dict[str, int]) -> RowPlan:
        settings = settings_of(self.chip, values)
        return build_row(self.chip, self.address, self.options, settings, period_s=self.period_s, latched=self._latched)

    def _measured(self, raw: bytes) -> int:
        """The bits that channels are made of, as one number: 0 when everything reads zero."""
        return int.from_bytes(raw, "big") & self._mask

    def _with_check(self, identity: Identity) -> ChipType:
        """The chip as it answers with error codes, when it says that it can and they come through."""
        says = self._plain.checked_when
        if says is None or not says.holds(identity.raw[says.register]):
            return self._plain
        checked = self._plain.with_check()
        register = checked.register(says.register)
        with suppress(TransportError):
            if read_agrees(self.address, register.address, read_register(self.bus, self.address, register)):
                return checked
        self.notes.append(f"{self.name}: the error codes that the chip promises do not come through")
        return self._plain

    def _already_set(self, identity: Identity) -> frozenset[str]:
        """Latched flags that are set before we start: they stay set, so they say nothing about this run."""
        old = set()
        for flag in self.chip.flags:
            home = self.chip.register(flag.register)
            part = next(b for b in home.bits if b.name == flag.bits)
            mask = ((1 << part.bits) - 1) << part.shift
            if flag.latched and identity.raw[flag.register] & mask:
                old.add(flag.bits)
                self.notes.append(f"{self.name}: {flag.bits} was already set at the start")
        return frozenset(old)

    def _program(self) -> bool:
        """Write the board's configuration where it differs; True when something was written."""
        if not (self.options.config and self.options.program):
            return False
        changed = False
        for register in self.chip.config_registers():
            value = self._wanted[register.name]
            if register.fixed or self._seen[register.name] == value:
                continue
            self.bus.transfer(self.address, bytes((register.address,)) + register.wire(value))
            got = register.integer(read_register(self.bus, self.address, register))
            if (got ^ value) & ~register.unused:
                raise TransportError(
                    f"{self.bus.name} 0x{self.address:02x}: {register.name} keeps 0x{got:04x}, not 0x{value:04x}"
                )
            self._seen[register.name] = got
            changed = True
        if changed:
            cycle = self.chip.cycle_s(settings_of(self.chip, self._seen))
            self._settled_ns = self.clock.now_ns() + int(SETTLE * 1e9 * cycle)
        return changed

    def _check_state(self) -> Quality:
        """Compare the configuration with what it was; RESET when it changed, programmed again if it was ours.

        A kernel driver that took the chip meanwhile (`taken`) may have changed it too, and keeps it.
        """
        try:
            self._leave_to_owner()
            now = self._state()
            if now == self._seen:
                self.doubtful_rows = 0
                return Quality.OK
            self.last_fault = f"{self.name}: the chip lost its configuration"
            self._seen = now
            if not self._program() and self._row_for(now).layout.fields != self._row.layout.fields:
                self._seen = {}  # the numbers mean something else now: doubtful until it is as it was
        except TransportError as error:
            self.failed(error)
        return Quality.RESET

    def _state(self) -> dict[str, int]:
        """The configuration registers now, in one call; raises TransportError."""
        assert self._state_plan is not None
        failed = self._state_plan.run()
        if failed:
            raise self._state_plan.fault(failed[0])
        data, values, at = bytes(self._state_plan.data), {}, 0
        for register in self.chip.config_registers():
            values[register.name] = register.integer(data[at : at + register.nbytes])
            at += register.nbytes
        return values

    def _back(self) -> bool:
        """After silence: is it still the same chip, and free?"""
        try:
            self._leave_to_owner()
            identify(self.chip, self.bus, self.address)
        except TransportError as error:
            self.failed(error)
            return False
        return True


def _boot_clock() -> Clock:
    from powerhal.transport.clock import BootClock

    return BootClock()


def check_options(chip: ChipType, address: int, options: SensorOptions) -> None:
    """Refuse what a board asks and the chip cannot do; raises BoardError."""
    low, high = chip.addresses
    if not low <= address <= high:
        raise BoardError(f"{options.name}: {chip.name} answers at 0x{low:02x} to 0x{high:02x}, not 0x{address:02x}")
    for option in options.channels:
        if not 1 <= option.index <= chip.inputs:
            raise BoardError(f"{options.name}: {chip.name} has {chip.inputs} input(s), no number {option.index}")
        if chip.needs_shunt and option.shunt_ohms <= 0:
            raise BoardError(f"{options.name}: {chip.name} needs the shunt of input {option.index} in ohms")
    fastest = fastest_hz(chip, options.config)
    if options.rate_hz < 0 or options.rate_hz > fastest:
        raise BoardError(
            f"{options.name}: {chip.name} makes at most {fastest:.4g} new readings a second, not {options.rate_hz:g}",
            hint="lower the rate, or choose fewer averages or shorter conversions",
        )
