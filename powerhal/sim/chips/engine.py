"""The engine that makes a chip of rows: pointer, byte order, rounds of conversion, sums, flags, reset."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from powerhal.sim.chips.base import AnalogError, FreeRunning, Span, Wiring, oscillator
from powerhal.sim.chips.rows import PERFECT, QUANTITIES, Cell, Result, Spec, Sum, View

_UNITS = {"voltage": "V", "current": "A", "shunt": "V", "temperature": "degC", "soc": "1", "charge": "Ah"}
_DEFAULT = Cell()


def _check_byte(message: bytes) -> int:
    """SMBus packet error code: the remainder of the message by x^8 + x^2 + x + 1, as one long division."""
    rest = int.from_bytes(message, "big") << 8
    for bit in range(rest.bit_length() - 1, 7, -1):
        if rest >> bit & 1:
            rest ^= 0x107 << bit - 8
    return rest


def _error(result: Result, rng: Random | None) -> AnalogError:
    """The fault of one front end, of a part from the production line."""
    if result.luck == PERFECT:
        return AnalogError()
    absolute, relative = result.limits
    return AnalogError.draw(rng, *(result.luck or (0.6 * absolute, 0.6 * relative, 0.05 * absolute)))


class RowChip:
    """An emulated chip of one `Spec`; implements EmulatedChip.

    `values` holds the integers of all registers (results before their shift). `preset` gives an accumulator a
    past. Results are rounded once, sums are exact fractions. Time passes when somebody looks: what happened between two
    looks is one mean, so an extreme that nobody saw is not kept.
    """

    def __init__(self, spec: Spec, wiring: Wiring) -> None:
        self.spec, self._now, self._rng = spec, wiring.now_ns, wiring.rng
        self.signals = (*wiring.signals, *(None,) * spec.inputs)[: spec.inputs]
        self.shunts_ohms = (*wiring.shunts_ohms, *(spec.shunt_ohms,) * spec.inputs)[: spec.inputs]
        self._errors = {id(r): _error(r, self._rng) for r in spec.results}
        self._converted = sorted(spec.results, key=lambda r: r.input)  # input by input, whatever order the rows have
        self._slow = oscillator(self._rng, spec.oscillator)
        self._adc = FreeRunning()
        self._pointer = 0
        self._shift = {r.register: r.shift for r in spec.results if r.shift}
        self.round_ns = (0, 0)
        self.reset()

    @property
    def spans(self) -> tuple[Span, ...]:
        """What each told result promises, in SI."""
        return tuple(self._span(r) for r in self.spec.results if r.told)

    def _span(self, result: Result) -> Span:
        step = float(self.step(result))
        ohms = self.shunts_ohms[result.input]
        scale = {"percent": 0.01}.get(result.quantity, 1.0)
        sign = -1.0 if result.quantity in ("into", "into_drop") else 1.0
        if result.quantity in ("into_drop", "left_ah_ohms"):
            scale /= ohms
        ends = result.within or sorted(sign * scale * step * (end - result.zero) for end in self._ends(result))
        absolute = (step + result.limits[0]) * scale
        if result.quantity == "kelvin" and not result.within:
            ends = [end - 273.15 for end in ends]
        return Span(result.told, _UNITS[result.told], ends[0], ends[1], absolute, result.limits[1])

    def step(self, result: Result) -> Fraction:
        """SI per step of a result under the present settings."""
        return result.step(self) if callable(result.step) else result.step

    def now(self) -> int:
        """The clock in ns."""
        return self._now()

    def reset(self) -> None:
        """Power-on values; a new round begins."""
        spec = self.spec
        self.values = {address: cell.por for address, cell in spec.cells.items()}
        self.values |= {r.register: 0 for r in spec.results}
        self.sums: dict[int, Fraction] = {s.register: Fraction(s.start) for s in spec.sums}
        self._seen = dict(self.values)
        self._pending: tuple[int, dict[int, int]] | None = None
        cycle = self.start()
        if spec.first and cycle:
            self._adc.start(self._now() - cycle, cycle)

    def start(self) -> int:
        """Begin a round under the present settings; its length in ns."""
        cycle = round(self.spec.cycle_ns(self) * self._slow)
        self._adc.start(self._now(), cycle, single=self.spec.single(self))
        return cycle

    def clear(self) -> None:
        """Accumulators back to their start."""
        self.sums = {s.register: Fraction(s.start) for s in self.spec.sums}
        self._store_sums()

    def latch(self, after_ns: int = 0) -> None:
        """What a read answers from `after_ns` on is what the results are now."""
        self.convert()
        self._pending = (self._now() + after_ns, dict(self.values))

    def preset(self, register: int, amount: Fraction) -> None:
        """Give an accumulator a past of `amount` in SI, to the nearest whole step."""
        row = next(s for s in self.spec.sums if s.register == register)
        self.sums[register] = Fraction(round(amount / row.unit(self)) + row.start)
        self._store_sums()

    def convert(self) -> None:
        """Catch up with the clock: the newest complete round, and the sums over all rounds since the last look."""
        span = self._adc.finished(self._now())
        if span is None:
            return
        self.round_ns = span
        for result in self._converted:
            if all(self._is_set(bits) for bits in result.when):
                self.values[result.register] = self._measure(result, *span)
        self.spec.compute(self)
        self.spec.keep(self)
        for each in self.spec.sums:
            self._add(each, self._adc.fresh_ns)
        self._store_sums()
        if self.spec.ready:
            register, bit, _ = self.spec.ready
            self.values[register] |= bit

    def _measure(self, result: Result, start_ns: int, end_ns: int) -> int:
        view = View(self.signals[result.input], self.shunts_ohms[result.input], start_ns, end_ns)
        truth = QUANTITIES[result.quantity](view)
        seen = self._errors[id(result)].seen(truth, self._rng, result.samples(self))
        low, high = self._ends(result)
        steps = max(low, min(high, result.whole(Fraction(seen) / self.step(result) + Fraction(result.zero))))
        lost = result.lost(self)
        return steps >> lost << lost

    def _is_set(self, bits: tuple[int, int]) -> bool:
        return bool(self.values[bits[0]] & bits[1])

    def _ends(self, result: Result) -> tuple[int, int]:
        return result.ends(self) if result.ends else (result.low, result.high)

    def _add(self, row: Sum, elapsed_ns: int) -> None:
        total = self.sums[row.register] + row.gain(self, elapsed_ns)
        if row.stops:
            signed = self._is_set(row.signed) if isinstance(row.signed, tuple) else row.signed
            low, high = (-(1 << row.bits - 1), (1 << row.bits - 1) - 1) if signed else (0, (1 << row.bits) - 1)
            total = max(Fraction(low), min(Fraction(high), total))
        self.sums[row.register] = total

    def _store_sums(self) -> None:
        for each in self.spec.sums:
            self.values[each.register] = self.sums[each.register].__floor__() % (1 << each.bits)

    def write(self, data: bytes) -> None:
        """Pointer byte, then register values; a lone pointer may be a command."""
        if not data:
            return
        self.convert()
        self._pointer = data[0]
        for command in self.spec.commands if len(data) == 1 else ():
            if command.register == data[0] and command.value is None:
                command.action(self)
        at, rest = data[0], data[1:]
        while rest:
            width = self.width(at)
            if len(rest) < width:
                return
            word = int.from_bytes(rest[:width], "big" if self.spec.order == "big" else "little")
            self._store(at, word)
            if not self.spec.walk:
                return
            at, rest = self._after(at), rest[width:]

    def width(self, register: int) -> int:
        """Bytes of a register; one that is not there is as wide as its neighbours."""
        if register in self.spec.cells:
            return self.spec.cells[register].nbytes
        return 2 if register in self.values or self.spec.walk != "bytes" else 1

    def _store(self, register: int, word: int) -> None:
        for command in self.spec.commands:
            if command.register == register and command.value is not None and word & command.mask == command.value:
                command.action(self)
                return
        cell = self.spec.cells.get(register, _DEFAULT)
        if not cell.writable:
            return
        self.values[register] = self.values[register] & ~cell.writable | word & cell.writable
        if register in self.spec.restart and self.start():  # power-down keeps the flag of the last result
            self._not_ready()
        self.spec.compute(self)

    def _not_ready(self) -> None:
        if self.spec.ready:
            self.values[self.spec.ready[0]] &= ~self.spec.ready[1]

    def read(self, count: int) -> bytes:
        """Bytes from the pointer on."""
        self.convert()
        if self._pending and self._now() >= self._pending[0]:
            self._seen, self._pending = self._pending[1], None
        if self.spec.walk == "bytes":
            return self._memory(count)
        answer, at = b"", self._pointer
        while len(answer) < count:
            answer += self.load(at)
            if not self.spec.walk:
                break
            at = self._after(at)
        if self.spec.pec and len(answer) < count:
            wire = bytes((self.spec.pec << 1, self._pointer, self.spec.pec << 1 | 1)) + answer
            answer += bytes((_check_byte(wire),))
        return (answer + b"\xff" * count)[:count]

    def _after(self, at: int) -> int:
        if self.spec.walk == "bytes":
            return at + self.width(at)
        return min((a for a in self.values if a > at), default=0)

    def _memory(self, count: int) -> bytes:
        answer = b""
        home = next((a for a in sorted(self.values) if a <= self._pointer < a + self.width(a)), self._pointer)
        skip, at = self._pointer - home, home
        while len(answer) < count + skip:
            answer += self.load(at) if at in self.values else b"\0"
            at += self.width(at) if at in self.values else 1
        return answer[skip : skip + count]

    def load(self, register: int) -> bytes:
        """A register as it goes over the wire, with whatever reading it does to the chip."""
        self.spec.answer(self, register)
        source = self._seen if self.spec.latched else self.values
        if self.spec.latched and register in self.spec.cells and self.spec.cells[register].writable:
            source = self.values
        nbytes = self.width(register)
        word = source.get(register, 0) << self._shift.get(register, 0)
        if self.spec.ready and register == self.spec.ready[2]:
            self._not_ready()
        return (word & (1 << 8 * nbytes) - 1).to_bytes(nbytes, "big" if self.spec.order == "big" else "little")


def made_of(spec: Spec) -> type[RowChip]:
    """A class of its own for one spec, so that it stands in the table like any other chip."""

    class Made(RowChip):
        def __init__(self, wiring: Wiring) -> None:
            super().__init__(spec, wiring)

    return Made
