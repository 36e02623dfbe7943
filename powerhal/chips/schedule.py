"""All chips of one bus that are due together, read in one call."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from powerhal.channel import Reading
from powerhal.chips.source import CHECK_EVERY, ChipSource, Steady
from powerhal.transport import Clock, Plan, Xfer


class BusSchedule:
    """Merges the reads of opened chips on one bus into one batch of transfers.

    A chip that fails leaves the batch, so that it does not spoil the others' reads, and is asked alone until it
    answers again. All rows of a batch carry the same time, the one after the call.

    Most rows differ from the last in low bits only. `glance` sees that for all chips at once and keeps them apart;
    `take` gives them, chip by chip. Whoever glances takes before `read` judges the row that was not like that.
    """

    def __init__(self, sources: Sequence[ChipSource]) -> None:
        self._sources = tuple(sources)
        self._clock: Clock = sources[0].clock
        self._now_ns = self._clock.now_ns
        self._qualities: list[int] = []
        self._judged_ns = -1  # time of the last rows, when all were judged and the next ones may need no judgement
        self._alone: set[int] = set()
        self._fetched: tuple[int, bytes, Sequence[int]] | None = None  # read, not yet judged
        self._times: array[int] = array("q")
        self._rows = bytearray()
        self._told = 0  # rows of them that the sources know of
        self._last_ns = self._left = self._high = self._watched = self._silence_ns = 0
        self._merge()

    def _merge(self) -> None:
        """Build the batch of all sources that answer."""
        self._left, self._judged_ns = 0, -1
        self._state: Plan | None = None
        xfers: list[Xfer] = []
        self._parts: list[tuple[int, ChipSource, slice]] = []
        self._owners: list[int] = []  # transfer -> source
        start = 0
        for number, source in enumerate(self._sources):
            if number not in self._alone:
                end = start + source.layout.row_bytes
                self._parts.append((number, source, slice(start, end)))
                self._owners += [number] * len(source.row.xfers)
                xfers += source.row.xfers
                start = end
        self._width = start
        self._plan: Plan | None = self._sources[0].bus.plan(xfers) if xfers else None

    def glance(self, latest_ns: int) -> int:
        """Read all chips in one call; the time of the rows in ns when none needs judgement, else -1.

        Rows later than `latest_ns` need it too. After -1 `read()` judges what was read; nothing is asked twice.
        """
        plan = self._plan
        if self._judged_ns >= 0:
            judged_ns, self._judged_ns = self._judged_ns, -1
            self._promise(judged_ns)
        if self._left <= 0 or plan is None or self._fetched is not None:
            return -1
        failed = plan.run()
        t_ns = self._now_ns()
        row = bytes(plan.data)
        if (
            failed
            or t_ns > latest_ns
            or (int.from_bytes(row, "big") ^ self._high) & self._watched
            or t_ns - self._last_ns > self._silence_ns
            or (self._left == 1 and not self._unchanged())
        ):
            self._fetched = t_ns, row, failed
            return -1
        self._last_ns = t_ns
        self._times.append(t_ns)
        self._rows += row
        self._left -= 1
        if not self._left:
            self._tell(checked=True)
        return t_ns

    def take(self) -> tuple[array[int], list[tuple[bytes, int]]]:
        """The rows that had only a glance: times in ns, and each source's rows end to end with their quality bits."""
        self._tell()
        times, rows = self._times, bytes(self._rows)
        if not times:
            return times, []
        self._times, self._rows, self._told = array("q"), bytearray(), 0
        columns = [_column(rows, part, self._width) for _, _, part in self._parts]
        return times, list(zip(columns, self._qualities, strict=True))

    def _unchanged(self) -> bool:
        """Whether every chip is configured as it was, and free; the look at them that is due every so many rows."""
        if any(source.bus.owner(source.address) for _, source, _ in self._parts):
            return False
        known = [source.configuration() for _, source, _ in self._parts]
        if self._state is None:
            self._state = self._sources[0].bus.plan([xfer for xfers, _ in known for xfer in xfers])
        return not self._state.run() and bytes(self._state.data) == b"".join(answer for _, answer in known)

    def _tell(self, *, checked: bool = False) -> None:
        """Let the sources know of the rows that they did not judge; `checked`: and that they are `_unchanged`."""
        new = len(self._times) - self._told
        if new:
            self._told += new
            last = bytes(self._rows[-self._width :])
            for _, source, part in self._parts:
                source.went_on(new, self._last_ns, last[part], checked=checked)
            if checked:
                self._left = CHECK_EVERY

    def _promise(self, t_ns: int) -> None:
        """What the next rows must keep to be taken at a glance."""
        self._left = high = watched = 0
        found: list[Steady] = []
        for _, source, part in self._parts:
            steady = source.steady()
            if steady is None:
                return
            shift = 8 * (self._width - part.stop)
            high |= steady.high << shift
            watched |= steady.watched << shift
            found.append(steady)
        self._high, self._watched, self._last_ns = high, watched, t_ns
        self._left = min(steady.rows for steady in found)
        self._silence_ns = min(steady.silence_ns for steady in found)
        self._qualities = [int(steady.quality) for steady in found]

    def read(self) -> list[Reading]:
        """One reading of each source, in order; never raises for faults that can pass."""
        self._tell()
        if self._fetched is not None:
            fetched, self._fetched = self._fetched, None
            return self._judge(*fetched)
        early = [source.too_early() for source in self._sources]
        if any(early):
            return [e or s.accept(*s.fetch()) for e, s in zip(early, self._sources, strict=True)]
        until_ns = max((s.take_over() for n, s in enumerate(self._sources) if n not in self._alone), default=0)
        if until_ns:
            self._clock.sleep_until(until_ns)
        failed = self._plan.run() if self._plan is not None else ()
        t_ns = self._clock.now_ns()
        data = bytes(self._plan.data) if self._plan is not None else b""
        return self._judge(t_ns, data, failed)

    def _judge(self, t_ns: int, data: bytes, failed: Sequence[int]) -> list[Reading]:
        """The readings of rows that were read at `t_ns`, transfers `failed` apart."""
        if not failed and not self._alone:
            readings = [source.accept(t_ns, data[part]) for _, source, part in self._parts]
            self._without({number for number, source, _ in self._parts if source.taken})
            self._left, self._judged_ns = 0, -1 if self._alone else t_ns
            return readings
        return self._with_faults(t_ns, data, failed)

    def _with_faults(self, t_ns: int, data: bytes, failed: Sequence[int]) -> list[Reading]:
        """The readings when some chip fails or failed before; the batch is built anew when that changes."""
        self._left, self._judged_ns = 0, -1
        faults = {self._owners[index]: index for index in reversed(failed)}
        rows = {number: data[part] for number, _, part in self._parts if number not in faults}
        alone = set(faults)
        readings = []
        for number, source in enumerate(self._sources):
            if number in rows:
                readings.append(source.accept(t_ns, rows[number]))
            elif number in faults:
                assert self._plan is not None
                source.failed(self._plan.fault(faults[number]))
                readings.append(source.accept(t_ns, None))
            else:
                at_ns, raw = source.fetch()
                readings.append(source.accept(at_ns, raw))
                if raw is None:
                    alone.add(number)
        self._without(alone | {number for number in rows if self._sources[number].taken})
        return readings

    def _without(self, alone: set[int]) -> None:
        """Build the batch anew when others than before have to be asked alone."""
        if alone != self._alone:
            self._alone = alone
            self._merge()


def _column(rows: bytes, part: slice, width: int) -> bytes:
    """The bytes `part` of every row of `width` bytes, end to end."""
    size = part.stop - part.start
    out = bytearray(len(rows) // width * size)
    for i in range(size):
        out[i::size] = rows[part.start + i :: width]
    return bytes(out)
