"""Energy sums of a chip that stop at their end (PAC193x), continued so that they run freely modulo their width.

Such a chip is asked to clear its sums when one passes half of its range: what it latched at that moment is the last
value before the clear, so nothing is lost. The row carries base + sum in place of the sum. A sum that went back without
being asked is a reset: what was counted since the last row is unknown, and the row says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from powerhal.channel import Field, Layout, Quality
from powerhal.chips.registers import ChipType


@dataclass(slots=True)
class _Sum:
    """One sum: where it is in the row, what was there before the last clear, the chip's last value."""

    field: Field
    base: int = 0
    last: int = 0

    def limit(self) -> int:
        """The greatest value that the chip can hold."""
        return (1 << 8 * self.field.nbytes - self.field.signed) - 1


class RunningSums:
    """The sums of one source; `due` when the chip should be asked to clear them with the next latch."""

    def __init__(self, layout: Layout) -> None:
        counters = {c.field for c in layout.channels if c.counter}
        self._sums = [_Sum(field) for field in layout.fields if field.name in counters]
        self._first, self._clearing, self._lost = True, False, False
        self.due = False

    def clear_sent(self) -> None:
        """The chip was asked to clear; the next row is the last before it."""
        self._clearing = True

    def missed(self) -> None:
        """No row came: what was latched for a clear is gone."""
        self._lost |= self._clearing
        self._clearing = False

    def follow(self, row: bytes) -> tuple[bytes, Quality]:
        """The row with continued sums, and what is doubtful about them."""
        out, quality = bytearray(row), Quality.OK
        self.due = False
        for one in self._sums:
            value = one.field.integer(row)
            back = not self._first and not one.field.signed and value < one.last
            if self._lost or back:
                one.base += one.last
                quality |= Quality.RESET
            if abs(value) >= one.limit():
                quality |= Quality.SATURATED
            self.due |= not self._clearing and abs(value) > one.limit() >> 1
            total = one.base + value
            at, size = one.field.offset, one.field.nbytes
            word = total & (1 << 8 * size) - 1
            out[at : at + size] = word.to_bytes(size, "big" if one.field.order == "big" else "little")
            one.base, one.last = (total, 0) if self._clearing else (one.base, value)
        self._first = self._clearing = self._lost = False
        return bytes(out), quality


def running_sums(chip: ChipType, layout: Layout) -> RunningSums | None:
    """The sums to continue, None for a chip whose counters run freely by themselves."""
    return RunningSums(layout) if chip.clear and any(c.counter for c in layout.channels) else None
