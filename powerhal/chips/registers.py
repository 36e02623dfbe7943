"""The words in which a chip is described: bits, registers, channels, evidence, timing.

A chip is data. Every variant of a family is one `ChipType` row; what the rows cannot say is a
function of a few lines beside them. Register numbers, widths and units come from the data sheets and
the Linux drivers that each family file names; the wire bytes in the tests are the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from powerhal.channel import Field, Quality

if TYPE_CHECKING:
    from powerhal.chips.options import SensorOptions
    from powerhal.chips.source import ChipSource
    from powerhal.transport import Clock, I2cBus

Config = Mapping[str, float | None]
"""What a chip's numbers depend on: `r_shunt_ohm`, `current_lsb`, and the settings of its registers."""

Value = float | int | bool | str | None
"""A decoded value as people read it: SI numbers, truth values, states in words, None for "the chip does not know"."""


@dataclass(frozen=True, slots=True)
class Bits:
    """Some bits of a register and what they mean: value = (integer - zero) * lsb * times / per.

    `times` and `per` name entries of the configuration (a shunt in ohms, the LSB of a current
    register in amperes). `unit` is SI, or 'bool'. `codes` lists the SI value of each code of a setting.
    `clamp` holds the raw integers at which the converter is at its end, or how to find them. `signed` may
    depend on a setting. `unknown` are raw integers by which the chip says that it does not know.
    `formula` is the scale in words where `lsb` is a function.
    """

    name: str
    shift: int = 0
    bits: int = 0
    signed: bool | Callable[[Config], bool] = False
    lsb: float | Callable[[Config], float | None] = 1.0
    zero: float = 0
    times: str = ""
    per: str = ""
    unit: str = ""
    codes: tuple[float, ...] = ()
    clamp: tuple[int, ...] | Callable[[Config], tuple[int, ...]] = ()
    unknown: tuple[int, ...] = ()
    formula: str = ""

    def has_sign(self, config: Config) -> bool:
        """Whether the integer is a two's complement under `config`."""
        return self.signed(config) if callable(self.signed) else self.signed

    def scale(self, config: Config) -> float | None:
        """SI per raw step under `config`; None when the configuration does not say."""
        factor = self.lsb(config) if callable(self.lsb) else self.lsb
        for name in filter(None, (self.times, self.per)):
            known = config.get(name)
            if not known or factor is None:
                return None
            factor = factor * known if name == self.times else factor / known
        return factor

    def clamps(self, config: Config) -> tuple[int, ...]:
        """Raw integers that mean 'at least this much'."""
        return self.clamp(config) if callable(self.clamp) else self.clamp

    def code(self, value: float) -> int:
        """The code that sets this to `value` (within 1 %); raises ValueError with the choices."""
        if not self.codes:
            return int(value)
        for code, choice in enumerate(self.codes):
            if abs(choice - value) <= 0.01 * abs(choice):
                return code
        raise ValueError(f"{self.name} cannot be {value:g}; choose from {', '.join(f'{c:g}' for c in self.codes)}")


def truths(**places: int) -> tuple[Bits, ...]:
    """Single bits that are truth values, by name and place."""
    return tuple(Bits(name, place, 1, unit="bool") for name, place in places.items())


@dataclass(frozen=True, slots=True)
class Register:
    """A register: pointer, width in bytes, byte order on the wire, its bits.

    `role`: `data` changes by itself, `config` and `limit` are set by somebody and kept, `status` tells about the
    chip, `state` is status bits that a derived value says in a word, `id` is fixed. `por` is the value after power-
    on, `channel` the input it belongs to (0: the whole chip). `unused` are bits that read as zero or cannot be
    written. `check`: the last byte is the SMBus CRC-8
    of the transfer. `fixed`: a configuration that is the chip's own and never written. `block`: the first byte is the
    number of those that follow.
    """

    name: str
    address: int
    bits: tuple[Bits, ...] = ()
    nbytes: int = 2
    order: str = "big"
    role: str = "data"
    por: int | None = None
    channel: int = 0
    unused: int = 0
    check: bool = False
    fixed: bool = False
    block: bool = False

    def field(self, part: Bits, offset: int, config: Config, *, name: str = "", factor: float = 1.0) -> Field | None:
        """The layout's field for `part` when this register starts at `offset`; None without a scale."""
        scale = part.scale(config)
        if scale is None:
            return None
        scale *= factor
        return Field(
            name or part.name, offset, self.nbytes, self.order, part.has_sign(config), part.shift, part.bits,
            scale, -part.zero * scale, "" if part.unit == "bool" else part.unit,
        )  # fmt: skip

    def part(self, part: Bits, raw: bytes, config: Config) -> int:
        """The integer of `part` in the register's wire bytes."""
        signed = part.has_sign(config)
        return Field(part.name, 0, self.nbytes, self.order, signed, part.shift, part.bits).integer(raw)

    def integer(self, raw: bytes) -> int:
        """All bits as an unsigned integer, without the check byte."""
        return int.from_bytes(raw[:-1] if self.check else raw, "big" if self.order == "big" else "little")

    def with_check(self) -> Register:
        """The same register with a check byte behind it."""
        bits = tuple(replace(b, bits=b.bits or 8 * self.nbytes - b.shift) for b in self.bits)
        return replace(self, nbytes=self.nbytes + 1, check=True, bits=bits)

    def wire(self, value: int) -> bytes:
        """The bytes that carry `value`, as they go over the wire."""
        return value.to_bytes(self.nbytes - self.check, "big" if self.order == "big" else "little")


@dataclass(frozen=True, slots=True)
class Product:
    """A decoded value that is the product of two others (power = volts * amperes)."""

    name: str
    factors: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Derived:
    """A decoded value by a function of the raw integers, the other values and the configuration.

    The function answers None when what it needs is not there.
    """

    name: str
    function: Callable[[Mapping[str, int], Mapping[str, Value], Config], Value | None]


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel that the chip offers: its quantity, the bits it comes from (two: their product).

    `name` ends the channel's name (default: the quantity).
    `factor` and then `bias` turn the bits' own sign and unit into SI and + = consumed. `accuracy` is relative,
    `offset` absolute in volts at the chip's own terminals (limits of the data sheet). `times` names the part of the
    battery's label (`BatteryLabel`) by which `factor`, `bias` and `offset` of an inferred channel are multiplied.
    `both_ways`: a counter that also counts back. `optional`: left out where the chip's settings give it no scale.
    """

    quantity: str
    unit: str
    of: tuple[str, ...]
    channel: int = 0
    factor: float = 1.0
    quality_class: str = "measured"
    accuracy: float = 0.0
    offset: float = 0.0
    counter: bool = False
    wrap_bits: int = 0
    name: str = ""
    bias: float = 0.0
    times: str = ""
    both_ways: bool = False
    optional: bool = False

    @property
    def label(self) -> str:
        """The last part of the channel's name."""
        return self.name or self.quantity


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a genuine chip answers: raw & mask == value, or low <= raw <= high.

    `required`: anything else is another chip. `proof`: the answer is an identity, not a plausibility.
    `differs`: the answer must NOT be the value. Only reads, never writes.
    """

    register: str
    value: int = 0
    mask: int = 0xFFFF
    span: tuple[int, int] | None = None
    required: bool = True
    proof: bool = False
    differs: bool = False

    def holds(self, raw: int) -> bool:
        """Whether the raw integer is what this chip would answer."""
        if self.span:
            return self.span[0] <= raw <= self.span[1]
        return ((raw & self.mask) == self.value) != self.differs


@dataclass(frozen=True, slots=True)
class Ready:
    """Where the chip says that a conversion is new: bits that are 1 then, and what clears them.

    `clear` names the register whose reading clears the bits ('' when reading them is enough).
    """

    register: str
    bits: str
    clear: str = ""


@dataclass(frozen=True, slots=True)
class RowFlag:
    """Quality bits that a status bit of the chip raises.

    `latched`: somebody must clear it; when it is already set at the start it says nothing new.
    """

    register: str
    bits: str
    quality: Quality
    latched: bool = False


def _no_time(config: Config) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class ChipType:
    """Everything that powerhal knows about one kind of chip.

    `cycle_s(config)`: time of one round of conversions in s, also the bound of the skew between its parts.
    `max_hz`: reads faster than this are answered from the last one (gauges lock up or repeat).
    `inputs`: how many shunts it measures. `autoincrement`: a long read continues at the next address.
    `saturates`: its accumulators stop at their end and do not wrap. `latch`: bytes that must be sent, and the time
    in s to wait, before registers hold new values. `clear`: sent in place of the latch, also clears the sums.
    `inferred`: what a gauge without a current sense offers beside, when the board gives its battery.
    `wired`: False for a chip that only its kernel driver reaches. `stretches_clock`: it holds the clock line while it
    thinks, which not every adapter stands. `decode_options`: what its numbers depend on beside settings.
    `checked_when`: what the chip answers when it can add the SMBus error code to everything it says.
    `asleep_after_s`: a gauge whose results stay the very same for longer sleeps (its sleep bit needs a write).
    `source_note`: where the facts come from. `checked`: what was compared with a second source, and what was not.
    """

    name: str
    title: str
    registers: tuple[Register, ...]
    channels: tuple[ChannelRow, ...]
    addresses: tuple[int, int]
    inferred: tuple[ChannelRow, ...] = ()
    products: tuple[Product, ...] = ()
    derived: tuple[Derived, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    ready: Ready | None = None
    flags: tuple[RowFlag, ...] = ()
    cycle_s: Callable[[Config], float] = _no_time
    max_hz: float = 0.0
    default_hz: float = 10.0
    inputs: int = 1
    needs_shunt: bool = True
    autoincrement: bool = False
    saturates: bool = False
    latch: tuple[bytes, float] | None = None
    clear: bytes = b""
    checked_when: Evidence | None = None
    wired: bool = True
    stretches_clock: bool = False
    asleep_after_s: float = 0.0
    decode_options: tuple[str, ...] = ()
    source_note: str = ""
    checked: str = ""
    _by_name: dict[str, Register] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_name.update({r.name: r for r in self.registers})

    def register(self, name: str) -> Register:
        """The register of that name; raises KeyError."""
        return self._by_name[name]

    def with_check(self) -> ChipType:
        """The same chip when every answer ends in the SMBus error code."""
        return replace(self, name=f"{self.name}_pec", registers=tuple(r.with_check() for r in self.registers))

    def config_registers(self) -> tuple[Register, ...]:
        """The registers that somebody sets and that the chip loses with its supply."""
        return tuple(r for r in self.registers if r.role == "config")

    def settings(self) -> dict[str, tuple[Register, Bits]]:
        """Every setting that a board file may give, by name."""
        return {b.name: (r, b) for r in self.config_registers() for b in r.bits}

    def source(self, bus: I2cBus, address: int, options: SensorOptions, clock: Clock | None = None) -> ChipSource:
        """The chip at `address` as a Source; raises BoardError for settings or rates it cannot do."""
        from powerhal.chips.source import ChipSource

        return ChipSource(self, bus, address, options, clock)
