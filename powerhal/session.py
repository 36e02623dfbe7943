"""The one place that joins the rooms: open a board, read it, record it, measure code, attribute a run.

Background recording of a real board runs in a process of its own (`python -m powerhal record`): it
imports no numpy, shares no lock with the measured code, and shows up as its own row. A simulated board
has a clock of its own, so there the recording runs here, for as long as the measured block took.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from powerhal.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from powerhal.attribution import Ledger
    from powerhal.attribution.compare import Comparison
    from powerhal.board.assembly import Assembly
    from powerhal.board.schema import BoardDescription
    from powerhal.carbon import Account
    from powerhal.channel import Topology
    from powerhal.recording import Recording
    from powerhal.recording.background import Background
    from powerhal.recording.run import Order, Outcome
    from powerhal.recording.snapshot import RailReading
    from powerhal.sampling import Stop
    from powerhal.sim.world import World
    from powerhal.transport import FileRoot

DEFAULT_BOARD = "linux-host"
COUNTER_SPAN_S = 0.2  # how long `read` watches an energy counter to tell watts


def open(board: str | os.PathLike[str] = DEFAULT_BOARD, root: str = "/", seed: int | None = None) -> Board:
    """A board by name or file; `root` is a copied /sys and /proc tree, `seed` varies a simulated board.

    Raises UsageError for an unknown name, BoardError for an invalid file. Nothing is opened yet.
    """
    from powerhal.board.load import load

    name = str(board)
    return Board(load(name), str(Path(name).resolve()) if "/" in name else name, root, seed)


class Board:
    """A described board: `read()` it, `record()` it. `world` is the simulated one, None for a real board."""

    def __init__(self, description: BoardDescription, name: str, root: str = "/", seed: int | None = None) -> None:
        self.description = description
        self.name = name
        self.root = root
        self.seed = seed
        if description.simulated and root != "/":
            raise UsageError("a simulated board has its own files: --root makes no sense with it")
        if seed is not None and not description.simulated:
            raise UsageError(f"{description.name} is not simulated: a seed makes no sense with it")

    @cached_property
    def world(self) -> World | None:
        """The simulated machine, whose clock stands where the last recording left it."""
        if not self.description.simulated:
            return None
        from powerhal.sim.world import World

        return World(self.description, self.seed or 0)

    @property
    def topology(self) -> Topology:
        """Rails, clusters and devices as the file says."""
        return self.description.topology()

    def assemble(self, *, program: bool = True, rate_hz: float | None = None) -> Assembly:
        """All sources, open; close the answer. Raises TransportError or HardwareError for what is not there."""
        from powerhal.board.assembly import assemble

        world = self.world
        if world is not None:
            built = assemble(self.description, world=world, program=program)
        else:
            built = assemble(self.description, root=self._root(), program=program)
        try:
            if rate_hz is not None:
                from powerhal.sampling.rates import set_rate

                built.notes += set_rate(built, rate_hz)
            built.open()
        except Exception:
            built.close()
            raise
        return built

    def read(self, rails: Sequence[str] = ()) -> list[RailReading]:
        """Volts, amperes and watts of the rails (all, or those named) now; unknown is None.

        Raises UsageError for a rail that the board does not have.
        """
        with self.snapshots(rails) as take:
            return take()

    @contextmanager
    def snapshots(self, rails: Sequence[str] = ()) -> Iterator[Callable[[], list[RailReading]]]:
        """A function that reads the rails each time it is called, while the block lasts."""
        from powerhal.recording.snapshot import Snapshots

        assembly = self.assemble()
        try:
            known = [rail.name for rail in assembly.topology.rails]
            unknown = [rail for rail in rails if rail not in known]
            if unknown:
                raise UsageError(f"{self.name} has no rail {unknown[0]!r}", hint=f"its rails: {', '.join(known)}")
            snapshots = Snapshots(assembly, rails)
            if self.world is not None or snapshots.counters_only:
                snapshots.take()  # a first conversion; a counter needs two looks
                assembly.clock.sleep_until(assembly.clock.now_ns() + round(COUNTER_SPAN_S * 1e9))
            yield snapshots.take
        finally:
            assembly.close()

    def record(
        self,
        path: str | os.PathLike[str] | None = None,
        duration_s: float | None = None,
        command: Sequence[str] | None = None,
        rate_hz: float | None = None,
        on_progress: Callable[[float], None] | None = None,
    ) -> Run:
        """Record for `duration_s` or around `command`, and answer the finished run.

        With neither, the answer is a context manager that records while its block runs. Without `path` the
        file is temporary and goes with the run. Raises RecordingError, UsageError, TransportError.
        """
        if duration_s is None and command is None:
            return Run(self, path, rate_hz)
        from powerhal.recording.run import Order

        run = Run(self, path, rate_hz)
        order = Order(duration_s, tuple(command or ()), on_progress=on_progress)
        run.outcome = self.record_order(run.path, order, rate_hz=rate_hz)
        return run

    def record_order(
        self, path: str, order: Order, *, rate_hz: float | None = None, stop: Stop | None = None
    ) -> Outcome:
        """Record in this process until the order is fulfilled or `stop` is requested."""
        from powerhal.recording.run import record as record_run

        if order.command and self.world is not None:
            raise UsageError(
                f"{self.description.name} is simulated: no command of this machine runs on it",
                hint="use --for, or another --board",
            )
        assembly = self.assemble(rate_hz=rate_hz)
        try:
            return record_run(assembly, path, order, board_text=self.description.text, meta=self._facts(), stop=stop)
        finally:
            assembly.close()

    def _root(self) -> FileRoot:
        from powerhal.transport.files import CopiedRoot, RealRoot

        return RealRoot() if self.root == "/" else CopiedRoot(self.root)

    def _facts(self) -> dict[str, Any]:
        """What the recording says about the machine: never a host or user name, never a path."""
        board = self.description
        facts: dict[str, Any] = {
            "board": {"name": board.name, "title": board.title, "sha256": board.sha256},
            "simulated": board.simulated,
            "clock": "virtual" if self.world else "boottime",
            "self_pid": self.world.self_pid if self.world else os.getpid(),
            "cpu_count": sum(len(c.cpus) for c in self.topology.clusters) if self.world else os.cpu_count(),
        }
        if self.world:
            return {**facts, "seed": self.world.seed}
        return {**facts, "machine": os.uname().machine, **self._kernel()}

    def _kernel(self) -> dict[str, str]:
        root, facts = self._root(), {}
        for key, file in (("kernel", "osrelease"), ("boot_id", "random/boot_id")):
            try:
                facts[key] = root.read(f"/proc/sys/kernel/{file}").decode("ascii", "replace").strip()
            except OSError:
                facts[key] = ""
        return facts


class Run:
    """A recording, finished or in the making; a context manager in both cases.

    Of `board.record()`: records while the block runs. Of `Run.open(path)` and finished runs: closes the
    file at the end of the block.
    """

    def __init__(
        self, board: Board | None, path: str | os.PathLike[str] | None = None, rate_hz: float | None = None
    ) -> None:
        self.outcome: Outcome | None = None
        self._board = board
        self._rate_hz = rate_hz
        self._remove: Callable[[], object] | None = None
        self.path = os.fspath(path) if path is not None else self._temporary()
        self._background: Background | None = None
        self._began = 0.0

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """A finished recording; raises RecordingError when it is none."""
        run = cls(None, path)
        run.recording  # noqa: B018 - a wrong file is refused here, not later
        return run

    @cached_property
    def recording(self) -> Recording:
        """The reader of the file; raises RecordingError."""
        from powerhal.recording import Recording

        return Recording.open(self.path)

    def attribute(
        self,
        zone: str | None = None,
        *,
        intensity_kg_per_j: float | None = None,
        embodied_kg: float | None = None,
        lifetime_s: float | None = None,
        **options: Any,
    ) -> Ledger:
        """Joules per device and process; options as `attribution.attribute` (idle, model, ...).

        `zone` (JP, DEU, ...) or an intensity in kgCO2e/J adds gCO2e; a zone in the board file does so too.
        `embodied_kg` (kgCO2e of making the device) and `lifetime_s` replace those of the board file. Raises
        NotEnoughData when the recording cannot answer, UsageError for an unknown zone or half an embodied share.
        """
        from powerhal.attribution import attribute
        from powerhal.recording.charge import charge_checks

        account = self._account(zone, intensity_kg_per_j, embodied_kg, lifetime_s)  # wrong words are refused first
        ledger = attribute(self.recording, **options)
        doubts = tuple(check.text() for check in charge_checks(self.recording) if check.quality)
        if doubts:
            ledger = replace(ledger, notes=(*ledger.notes, *doubts))
        if account is None:
            return ledger
        total = ledger.total
        account = replace(account, duration_s=total.duration_s)
        return ledger.with_carbon(account.row, account.about(total.energy_j, total.low_j, total.high_j))

    def _account(
        self, zone: str | None, intensity_kg_per_j: float | None, embodied_kg: float | None, lifetime_s: float | None
    ) -> Account | None:
        """The carbon account of this run, None when neither the caller nor the board file asks for one."""
        topology = self.recording.topology
        asked = (intensity_kg_per_j, embodied_kg, lifetime_s) != (None, None, None)
        if not (zone or asked or topology.carbon.get("zone")):
            return None
        from powerhal.carbon import for_board
        from powerhal.carbon.intensity import given

        return for_board(
            topology.carbon,
            self.recording.duration_s,
            zone=zone or "",
            intensity=given(intensity_kg_per_j) if intensity_kg_per_j is not None else None,
            has_battery=bool(topology.battery),
            embodied_kg=embodied_kg,
            lifetime_s=lifetime_s,
        )

    def to_html(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Write the one-file report; options as `attribute`."""
        from powerhal.report import html

        Path(path).write_text(
            html.render(self.recording, html.document_of(self.attribute(**options))), encoding="utf-8"
        )

    def close(self) -> None:
        """Close the file; a temporary one is removed. May be called twice."""
        if "recording" in self.__dict__:
            self.recording.close()
        if self._remove is not None:
            self._remove()

    def __enter__(self) -> Self:
        if self._board is not None and self.outcome is None:
            self._start(self._board)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._background is not None:
            background, self._background = self._background, None
            background.stop()
        elif self._board is not None and self.outcome is None:
            from powerhal.recording.run import Order

            self.outcome = self._board.record_order(
                self.path, Order(time.monotonic() - self._began), rate_hz=self._rate_hz
            )
        elif self._board is None:
            self.close()

    def _temporary(self) -> str:
        """A file in a private folder that goes with this object."""
        folder = tempfile.mkdtemp(prefix="powerhal-")
        self._remove = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return str(Path(folder, "run.phr"))

    def _start(self, board: Board) -> None:
        self._began = time.monotonic()
        if board.world is None:
            from powerhal.recording.background import Background

            self._background = Background(board.name, board.root, self.path, self._rate_hz)


@dataclass(slots=True)
class Measurement:
    """What a block cost: seconds, CPU seconds of this process, joules of the root rail (None: not measured)."""

    duration_s: float = 0.0
    cpu_s: float = 0.0
    energy_j: float | None = None
    missing_s: float = 0.0
    run: Run = field(default_factory=lambda: Run(None, ""))


@contextmanager
def measure(board: str | os.PathLike[str] = DEFAULT_BOARD, rate_hz: float | None = None) -> Iterator[Measurement]:
    """`with measure() as m: work()`: then `m.energy_j`, `m.duration_s`, and `m.run.attribute()`."""
    run = globals()["open"](board).record(rate_hz=rate_hz)
    measured = Measurement(run=run)
    with run:
        began, cpu_s = time.monotonic(), time.process_time()
        yield measured
        measured.duration_s, measured.cpu_s = time.monotonic() - began, time.process_time() - cpu_s
    from powerhal.recording.energy import root_energy

    total = root_energy(run.recording)
    if total is not None:
        measured.energy_j, measured.missing_s = total.energy_j, total.missing_s


def compare(
    before: Sequence[str | os.PathLike[str]],
    after: Sequence[str | os.PathLike[str]],
    *,
    by: str = "process",
    per: str = "second",
    same_machine: bool | None = None,
    **options: Any,
) -> Comparison:
    """Whether two sets of runs differ: recordings, or the JSON of `attribute --json`; options as `attribute`.

    by: how processes are grouped; per: `second` (mean W) or `run` (J); same_machine: whether sensor errors cancel,
    None asks the runs. Raises RecordingError or FileError for a wrong file, UsageError, NotEnoughData.
    """
    from powerhal.attribution.compare import compare as compare_ledgers

    sides = [[(str(path), ledger(path, **options)) for path in side] for side in (before, after)]
    return compare_ledgers(sides[0], sides[1], by=by, per=per, same_machine=same_machine)


def ledger(path: str | os.PathLike[str], **options: Any) -> Ledger:
    """The ledger of a file: a recording is attributed (options as `attribute`), one saved as JSON is read.

    Raises RecordingError, FileError, NotEnoughData.
    """
    saved = _saved(Path(path))
    if saved is not None:
        return saved
    with Run.open(path) as run:
        return run.attribute(**options)


def _saved(path: Path) -> Ledger | None:
    """The ledger in a JSON file, None where the file is none (a recording, or not there)."""
    import json

    from powerhal.attribution.saved import ledger_from
    from powerhal.errors import FileError

    try:
        with path.open("rb") as file:
            if file.read(16).lstrip()[:1] not in (b"{", b"["):
                return None
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return None  # the reader of recordings says it better
    except ValueError as fault:
        raise FileError(
            f"{path} is neither a recording nor JSON: {fault}", hint="compare takes .phr or JSON"
        ) from fault
    return ledger_from(document, str(path))


def record(path: str | os.PathLike[str] | None = None, board: str = DEFAULT_BOARD, **options: Any) -> Run:
    """`Board.record` of a board by name: `with powerhal.record("run.phr"): work()`."""
    return globals()["open"](board).record(path, **options)  # type: ignore[no-any-return]
