"""Rows that cannot be true: shifted bits, or one register's bytes in another's place, and no error on the bus.

Some adapters lose bits when a chip stretches the clock (raspberrypi/linux issues 254, 3064, 4884: bcm2835). A chip with
a check byte says so itself. Of the others a row is doubted that jumps further than the quantity can between two reads,
or that repeats the bytes of the register before, and is read again: what two reads agree on is true, else the row is
missing. A real jump costs one more read, or, of a gauge that must not be asked again so soon, one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from powerhal.channel import Field, Layout
from powerhal.transport import Xfer

Read = Callable[[], bytes | None]

QUARTER = 0.25  # of the converter's range, for what may well jump: currents, watts

SLEW: dict[str, tuple[float, float]] = {
    "voltage": (0.2, 0.1), "temperature": (0.0, 20.0), "ratio": (0.0, 0.1), "charge": (0.1, 40.0),
}  # fmt: skip
"""Quantity -> how far it goes between two reads: share of the last value, and in SI beside (V, K, 1, C)."""


@dataclass(frozen=True, slots=True)
class _Limit:
    """A field and how far its integer may move: `share` of its distance from `zero`, and `steps`."""

    field: Field
    share: float
    zero: float
    steps: float

    def broken(self, before: int, now: int) -> bool:
        """Whether the step is too large."""
        return abs(now - before) > self.steps + self.share * abs(before - self.zero)

    def high(self) -> tuple[int, bytes]:
        """Where in a row the bits begin that stay when the field moves no further than it may, and their mask.

        As long as none of them changes, the field moved by less than the power of two below them.
        """
        field = self.field
        width = field.bits or 8 * field.nbytes - field.shift
        low = min(width, int(self.steps + 1).bit_length() - 1)
        mask = (1 << width) - (1 << low) << field.shift
        return field.offset, mask.to_bytes(field.nbytes, "big" if field.order == "big" else "little")


class TornRows:
    """Watches the rows of one source; `xfers` are those that make a row."""

    def __init__(self, layout: Layout, xfers: Iterable[Xfer]) -> None:
        self._limits = tuple(_limits(layout))
        self._pairs = tuple(_neighbours(xfers))
        self._good: bytes | None = None
        self._doubted: bytes | None = None
        # Most rows differ from the last in low bits only: one look at all high bits at once says so.
        self._mask = _together(layout.row_bytes, (limit.high() for limit in self._limits))
        self._high, self._watched, self._calm = 0, 0, False

    def forget(self) -> None:
        """Nothing is known of what comes next: the chip was away, or measures otherwise now."""
        self._good = self._doubted = None
        self._calm = False

    def fits(self, row: bytes) -> bool:
        """Whether the row is as good as the last one, told by its high bits alone; False says nothing."""
        if self._calm and not (int.from_bytes(row, "big") ^ self._high) & self._watched:
            self._good, self._doubted = row, None
            return True
        return False

    @property
    def promise(self) -> tuple[int, int] | None:
        """The last good row as a number, and its bits that `fits` looks at; None when there is no good row."""
        return (self._high, self._watched) if self._calm else None

    def went_on(self, row: bytes) -> None:
        """Rows followed that kept the promise; this is the last of them."""
        self._good, self._doubted = row, None

    def settle(self, row: bytes, again: Read | None) -> tuple[bytes | None, bool]:
        """The row that two reads agree on, and whether one was torn.

        None when no two of three agree, when the chip is gone, or, without `again`, until the next row agrees.
        """
        if row == self._good:
            return row, False
        torn = False
        if self._good is not None and self._doubtful(self._good, row):
            found, torn = self._vote(row, again) if again else self._later(row)
            if found is None:
                return None, True
            row = found
        self._good, self._doubted = row, None
        self._high, self._watched, self._calm = int.from_bytes(row, "big"), self._watch(row), True
        return row, torn

    def _watch(self, row: bytes) -> int:
        """The bits of a good row that show at once, by staying, that the next is as good.

        Of neighbours it is the highest bit in which they differ: while it stays they are not equal. Equal ones have
        to stay as they are, as a rail that is off does.
        """
        mask = self._mask
        for a, b in self._pairs:
            apart = int.from_bytes(row[a], "big") ^ int.from_bytes(row[b], "big")
            bits = 1 << apart.bit_length() - 1 if apart else (1 << 8 * (a.stop - a.start)) - 1
            mask |= bits << 8 * (len(row) - a.stop) | bits << 8 * (len(row) - b.stop)
        return mask

    def _later(self, row: bytes) -> tuple[bytes | None, bool]:
        """A jump is believed when the next row confirms it."""
        before, self._doubted = self._doubted, row
        return (row, False) if before is not None and self._alike(before, row) else (None, True)

    def _vote(self, first: bytes, again: Read) -> tuple[bytes | None, bool]:
        assert self._good is not None
        second = again()
        if second is None or self._alike(first, second):
            return (None, True) if second is None else (first, False)
        if self._alike(self._good, second):
            return second, True
        third = again()
        if third is None:
            return None, True
        return next((row for row in (second, first) if self._alike(row, third)), None), True

    def _alike(self, a: bytes, b: bytes) -> bool:
        return not (self._doubtful(a, b) or self._doubtful(b, a))

    def _doubtful(self, before: bytes, row: bytes) -> bool:
        if before == row:
            return False
        for limit in self._limits:
            old, new = limit.field.integer(before), limit.field.integer(row)
            if old and old != new and limit.broken(old, new):  # from 0 anything may come: it was off, or asleep
                return True
        return any(row[a] == row[b] and before[a] != before[b] and any(row[a]) for a, b in self._pairs)


def _together(row_bytes: int, parts: Iterable[tuple[int, bytes]]) -> int:
    """Masks of places in a row as one mask of the whole row, read as one big-endian number."""
    out = 0
    for at, mask in parts:
        out |= int.from_bytes(mask, "big") << 8 * (row_bytes - at - len(mask))
    return out


def _limits(layout: Layout) -> Iterable[_Limit]:
    """One for each field that makes a channel of its own or a factor, counters apart: those are judged as counters."""
    quantities = {c.field: c.quantity for c in layout.channels if c.field and not c.counter}
    for field in layout.fields:
        quantity = quantities.get(field.name)
        if quantity is None or not field.scale:
            continue
        share, amount = SLEW.get(quantity, (0.0, 0.0))
        width = field.bits or 8 * field.nbytes - field.shift
        steps = amount / abs(field.scale) if quantity in SLEW else QUARTER * (1 << width)
        yield _Limit(field, share, -field.bias / field.scale, steps)


def _neighbours(xfers: Iterable[Xfer]) -> Iterable[tuple[slice, slice]]:
    """Places of two reads in a row that are equally wide."""
    at, last = 0, slice(0, 0)
    for xfer in xfers:
        if not xfer.read:
            continue
        here = slice(at, at + xfer.read)
        if at and last.stop - last.start == xfer.read:
            yield last, here
        at, last = here.stop, here
