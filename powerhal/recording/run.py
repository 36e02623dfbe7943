"""One run: an assembly's open sources sampled into a file, around a command when one is given."""

from __future__ import annotations

import platform
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from powerhal.channel import Topology
from powerhal.recording.command import Command
from powerhal.recording.writer import RecordingWriter
from powerhal.sampling import Sampler, Stop
from powerhal.sampling.health import Health
from powerhal.sampling.sink import Sampled


class Recordable(Sampled, Protocol):
    """The part of `board.assembly.Assembly` that a recording needs."""

    notes: list[str]

    @property
    def topology(self) -> Topology:
        """Rails, clusters and devices."""
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """What to record: for how long (s), around which command, or until what.

    Without any of them until a signal. `on_start` is called after the first look at everything,
    `on_progress(seconds)` after every wake-up.
    """

    duration_s: float | None = None
    command: Sequence[str] = ()
    until: Callable[[], bool] | None = None
    on_start: Callable[[], None] | None = None
    on_progress: Callable[[float], None] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went: seconds of its clock, the command's exit status, CPU seconds of the recorder, health."""

    path: str
    duration_s: float
    status: int
    self_cpu_s: float
    wakeups: int
    health: dict[str, Health] = field(default_factory=dict)
    storage_fault: str = ""
    files: tuple[str, ...] = ()  # more than one after a sync that failed


def record(
    assembly: Recordable,
    path: str,
    order: Order,
    *,
    board_text: str = "",
    meta: dict[str, Any] | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """Record `assembly` into a new file at `path` and close it; see `Order`.

    A virtual clock runs as fast as the machine can. Raises RecordingError when the file cannot be made or
    was not completed, UsageError when the command cannot be started (no file is left then).
    """
    command = Command(order.command) if order.command else None
    stop = stop or Stop()
    facts = dict(meta or {})
    clock, virtual = assembly.clock, facts.get("clock") == "virtual"
    facts["started"] = {"boot_ns": clock.now_ns(), "real_ns": clock.realtime_ns()}
    facts["notes"] = list(assembly.notes)
    writer = RecordingWriter(
        path,
        topology=assembly.topology,
        board_text=board_text,
        meta={**versions(), **facts},
        background=not virtual,
    )
    cpu_s = time.process_time()
    try:
        sampler = Sampler(assembly, writer, stop=stop, boot_id=str(facts.get("boot_id", "")))
        _sample(sampler, writer, assembly, order, command)
    except BaseException:
        _abandon(writer, path, started=command is None or bool(command.pid))
        raise
    _end(writer, assembly, sampler)
    fault = writer.past_storage_fault
    status = command.wait() if command is not None else 0
    writer_cpu_s = time.process_time() - cpu_s
    duration_s = (sampler.ended_ns - sampler.started_ns) * 1e-9
    return Outcome(path, duration_s, status, writer_cpu_s, sampler.wakeups, sampler.health, fault, tuple(writer.files))


def versions() -> dict[str, Any]:
    """What wrote the file."""
    from powerhal import __version__

    return {"powerhal": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}


def _sample(
    sampler: Sampler, writer: RecordingWriter, assembly: Recordable, order: Order, command: Command | None
) -> None:
    def begin() -> None:
        if command is not None:
            command.start()
            sampler.stop.on_signal = command.signal
            writer.set_meta("command", {"name": command.name, "pid": command.pid})
            writer.mark(assembly.clock.now_ns(), f"{command.name} started")
        if order.on_start is not None:
            order.on_start()

    def over() -> bool:
        asked = order.until is not None and order.until()
        return asked or (command is not None and command.ended())

    until = over if command is not None or order.until is not None else None
    sampler.run(order.duration_s, until, begin, order.on_progress)
    if command is not None and command.ended():
        writer.mark(sampler.ended_ns, f"{command.name} ended")


def _end(writer: RecordingWriter, assembly: Recordable, sampler: Sampler) -> None:
    writer.set_meta("notes", list(assembly.notes))
    writer.set_meta("ended", {"boot_ns": sampler.ended_ns, "real_ns": assembly.clock.realtime_ns()})
    writer.close()


def _abandon(writer: RecordingWriter, path: str, *, started: bool) -> None:
    """Keep what was measured before an unforeseen failure; leave no file of a run that never began."""
    writer.close()
    if not started:
        Path(path).unlink(missing_ok=True)
