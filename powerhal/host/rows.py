"""Rows of integers from text files: the one source class behind all kernel sensors and activities.

A row is 8-byte little-endian signed integers exactly as the kernel printed them; scale and sign are in
the layout. When any of a source's values cannot be read the whole row is flagged MISSING, so every
sensor device (one rail of a chip, one cluster, one interface) is a source of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from powerhal.channel import Channel, Field, Layout, Quality, Reading
from powerhal.errors import TransportError
from powerhal.host.tree import to_int
from powerhal.transport import Clock, FileReader, FileRoot

Parse = Callable[[Sequence[bytes]], Sequence[int | None]]

READ_ERRORS = (TransportError, OSError)


@dataclass(frozen=True, slots=True)
class Column:
    """One integer of a row: the channel it makes (None: only part of a product), SI = integer * scale + bias."""

    name: str
    scale: float
    bias: float = 0.0
    unit: str = ""
    channel: Channel | None = None


def column(channel: Channel, scale: float, bias: float = 0.0) -> Column:
    """A column that is one channel; its LSB is the scale unless the channel knows better."""
    named = replace(channel, field=channel.name, lsb=channel.lsb or abs(scale))
    return Column(channel.name, scale, bias, channel.unit, named)


def layout(columns: Sequence[Column], products: Sequence[Channel] = ()) -> Layout:
    """Columns one after another, 8 bytes each, plus channels that are products of two of them."""
    fields = tuple(
        Field(c.name, 8 * i, 8, order="little", signed=True, scale=c.scale, bias=c.bias, unit=c.unit)
        for i, c in enumerate(columns)
    )
    channels = tuple(c.channel for c in columns if c.channel is not None) + tuple(products)
    return Layout(8 * len(columns), fields, channels)


def one_each(contents: Sequence[bytes]) -> list[int | None]:
    """The plain case: every file holds one integer."""
    return [to_int(content) for content in contents]


class RowSource:
    """A Source over files that are read together; `parse` turns their contents into the row's integers.

    `read()` never raises: a file that cannot be read gives a row of zeros flagged MISSING and `last_fault`.
    A counter without wrap that falls flags the row RESET. `open()` raises TransportError when the first
    row is missing.
    """

    def __init__(
        self,
        name: str,
        period_s: float,
        root: FileRoot,
        clock: Clock,
        paths: Sequence[str],
        *,
        columns: Sequence[Column],
        products: Sequence[Channel] = (),
        parse: Parse = one_each,
    ) -> None:
        self.name = name
        self.period_s = period_s
        self.layout = layout(columns, products)
        self.last_fault = self.last_kind = ""
        self.paths = tuple(paths)
        self._root = root
        self._clock = clock
        self._parse = parse
        self._readers: list[FileReader] = []
        self._pack = struct.Struct(f"<{len(columns)}q").pack
        self._counters = tuple(
            i for i, c in enumerate(columns) if c.channel and c.channel.counter and not c.channel.wrap_span
        )
        self._before: Sequence[int] | None = None

    def open(self) -> None:
        """Read one row; raises TransportError when it cannot."""
        try:
            self._values()
        except ValueError as error:
            raise TransportError(f"{self.name}: {error}", kind="io") from error

    def read(self) -> Reading:
        """One row now, stamped after the read; MISSING when any value is."""
        try:
            values = self._values()
        except (*READ_ERRORS, ValueError) as error:
            self.last_fault, self.last_kind = str(error), getattr(error, "kind", "io")
            self.close()  # the file may come back as a new one (driver rebound, CPU online again)
            return Reading(self._clock.now_ns(), bytes(self.layout.row_bytes), Quality.MISSING)
        quality, before = self.quality(), self._before
        if before is not None and any(values[i] < before[i] for i in self._counters):
            quality |= Quality.RESET
        self._before = values
        return Reading(self._clock.now_ns(), self._pack(*values), quality)

    def quality(self) -> Quality:
        """Flags of the row just parsed; sources that doubt their values override it."""
        return Quality.OK

    def close(self) -> None:
        """Close the files; may be called twice, and `read` opens them again."""
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.close()

    def _values(self) -> list[int]:
        if not self._readers:
            for path in self.paths:
                self._readers.append(self._root.opener(path))
        row = self._parse([reader.read() for reader in self._readers])
        values = [v for v in row if v is not None]
        if len(values) != len(self.layout.fields) or len(row) != len(values):
            where = self.paths[0] if len(self.paths) == 1 else f"{self.paths[0]} and {len(self.paths) - 1} more"
            raise ValueError(f"no number in {where}")
        return values
