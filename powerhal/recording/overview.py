"""A recording at a glance, as plain values: what `info` prints. Without numpy."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from powerhal.channel import ProcessInfo
from powerhal.recording.reader import Recording

CPU_TIME = ("cpu.", ".time")


def overview(recording: Recording) -> dict[str, Any]:
    """Sources, channels, processes with their CPU seconds, marks, gaps, faults, versions: JSON values.

    Every CPU second of every scan is in exactly one process row: those of ended children in their
    parent's `(children)` row (`parent` names it), those nobody owns in `exited` and `kernel`.
    """
    meta = recording.meta
    processes = process_rows(recording)
    start_ns = recording.start_ns

    def seconds(t_ns: int) -> float:
        return (t_ns - start_ns) * 1e-9

    return {
        "schema": 1,
        "board": meta.get("board") or {},
        "duration_s": recording.duration_s,
        "complete": recording.complete,
        "started": meta.get("started"),
        "ended": meta.get("ended"),
        "command": meta.get("command"),
        "self_pid": recording.self_pid,
        "versions": {key: meta.get(key, "") for key in ("format", "powerhal", "python", "sqlite", "kernel")},
        "host": {key: meta.get(key) for key in ("machine", "cpu_count", "boot_id", "simulated", "seed")},
        "notes": meta.get("notes") or [],
        "sources": [
            {
                "name": source.name,
                "period_s": source.period_s,
                "rate_hz": 1.0 / source.period_s,
                "rows": rows,
                "channels": [channel.name for channel in source.layout.channels],
                "health": recording.health.get(source.name, {}),
            }
            for source, rows in zip(recording.sources, recording.row_counts, strict=True)
        ],
        "channels": [
            {"name": c.name, "quantity": c.quantity, "unit": c.unit, "rail": c.rail or None, "counter": c.counter}
            for c in recording.channels.values()
        ],
        "activities": list(recording.activities),
        "scans": recording.scans,
        "health": recording.health,
        "cpu_s": sum(row["cpu_s"] for row in processes),
        "processes": processes,
        "marks": [{"t_s": seconds(m.t_ns), "text": m.text} for m in recording.marks],
        "gaps": [
            {"source": g.source, "from_s": seconds(g.t0_ns), "to_s": seconds(g.t1_ns), "reason": g.reason}
            for g in recording.gaps
        ],
        "faults": [
            {"t_s": seconds(f.t_ns), "source": f.source, "kind": f.kind, "text": f.text} for f in recording.faults
        ],
        "problems": [str(problem) for problem in recording.problems],
    }


def process_rows(recording: Recording) -> list[dict[str, Any]]:
    """{pid, name, cpu_s, ...} of every process that was seen, with all its activities' amounts in SI."""
    amounts: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    names = recording.activities
    for process, activity, amount in recording.usage_rows():
        amounts[process][names[activity]] += amount
    return [_row(number, info, amounts.get(number, {})) for number, info in enumerate(recording.processes)]


def _row(number: int, info: ProcessInfo, used: dict[str, float]) -> dict[str, Any]:
    cpu_s = sum(amount for name, amount in used.items() if name.startswith(CPU_TIME[0]) and name.endswith(CPU_TIME[1]))
    return {
        "pid": info.pid,
        "name": info.comm,
        "cpu_s": cpu_s,
        "ppid": info.ppid,
        "parent": -(info.pid + 1000) if info.pid <= -1000 else None,
        "uid": info.uid,
        "cgroup": info.cgroup,
        "kernel": bool(info.kernel),
        "start_ticks": info.start_ticks,
        "activities": dict(used),
    }
