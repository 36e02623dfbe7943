"""How far off the demo is, over many simulated phones: median error and coverage of every row.

    python -m benchmarks.demo_accuracy --seeds 100 --jobs 2 [--first N] [--cache DIR | --recordings DIR] [--json FILE]

Each seed is another phone and another order of use. Recordings (and beside them, never inside, the truth) are kept
in the cache folder and used again as long as the simulator, the board file and the recording side are the same;
`--recordings` uses a folder's recordings whatever made them.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from powerhal.sim.truth import Truth

REPO = Path(__file__).resolve().parent.parent
BOARD = REPO / "boards" / "sim-phone.yaml"
DURATION_S = 160.0
EDGE_NS, EDGES = 100_000_000, 40  # the truth is kept at these distances from both ends
SHARE = 0.05  # rows above this share of the total are judged
RECORDING_SIDE = ("sim", "host", "chips", "sampling", "board", "recording", "transport", "channel.py")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--duration", type=float, default=DURATION_S)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "powerhal-demo-cache")
    parser.add_argument("--recordings", type=Path)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args(argv)
    folder = args.recordings or args.cache / recording_side()
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(args.first, args.first + args.seeds)
    began = time.monotonic()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    jobs = [(seed, str(folder), args.duration) for seed in seeds]
    with ProcessPoolExecutor(args.jobs) as pool:
        runs = [run for run in pool.map(one, jobs) if say(run)]
    table = summary(runs)
    print(report(table, len(runs), time.monotonic() - began))
    if args.json:
        args.json.write_text(json.dumps({"seeds": [seeds.start, seeds.stop], "summary": table, "runs": runs}))
    return 0


def say(run: dict[str, Any]) -> bool:
    if run["error"]:
        print(f"seed {run['seed']}: {run['error']}", file=sys.stderr)
    return not run["error"]


def recording_side() -> str:
    """A name for everything that decides what a recording holds."""
    digest = hashlib.sha256(BOARD.read_bytes())
    for part in RECORDING_SIDE:
        place = REPO / "powerhal" / part
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            if path.name != "score.py":
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def one(job: tuple[int, str, float]) -> dict[str, Any]:
    """Record (unless kept) and attribute one phone; its rows with the truth beside them."""
    seed, folder, duration_s = job
    path = Path(folder) / f"{seed}-{duration_s:g}.phr"
    beside = path.with_suffix(".truth.json")
    try:
        if not (path.exists() and beside.exists()):
            record(seed, path, beside, duration_s)
        return {"seed": seed, "error": "", **attribute(path, beside)}
    except Exception as error:  # a benchmark reports what broke and goes on
        return {"seed": seed, "error": f"{type(error).__name__}: {error}", "rows": []}


def record(seed: int, path: Path, beside: Path, duration_s: float) -> None:
    from powerhal.board.assembly import assemble
    from powerhal.board.load import load
    from powerhal.recording import Recording
    from powerhal.recording.writer import RecordingWriter
    from powerhal.sampling.sampler import Sampler
    from powerhal.sim.world import World

    board = load(BOARD)
    world = World(board, seed)
    assembly = assemble(board, world=world)
    assembly.open()
    fresh = path.with_suffix(f".{os.getpid()}")
    meta = {"self_pid": world.self_pid, "seed": seed}
    writer = RecordingWriter(str(fresh), topology=assembly.topology, board_text=board.text, meta=meta)
    Sampler(assembly, writer).run(duration_s)
    writer.close()
    assembly.close()
    times = Recording.open(fresh).scan_times_ns()
    first, last = int(times[0]), int(times[-1])
    ends = {first + k * EDGE_NS for k in range(EDGES)} | {last - k * EDGE_NS for k in range(EDGES)}
    kept = {t: dataclasses.asdict(world.truth(first, t)) for t in sorted(ends) if first <= t <= last}
    beside.write_text(json.dumps(kept))
    fresh.replace(path)


def truth_between(kept: dict[str, Any], start_ns: int, end_ns: int) -> Truth:
    """The truth of the span that a ledger covers: measuring begins with the first whole conversion."""
    from powerhal.sim.truth import Truth

    start, end = at(kept, start_ns), at(kept, end_ns)
    numbers = {key: {int(pid): value for pid, value in end[key].items()} for key in ("processes", "children", "names")}
    plain = minus(end, start) | numbers
    plain["processes"] = {
        pid: minus(devices, start["processes"].get(str(pid), {})) for pid, devices in numbers["processes"].items()
    }
    return Truth(**plain | {"start_ns": start_ns, "end_ns": end_ns})


def at(kept: dict[str, Any], t_ns: int) -> dict[str, Any]:
    """What had happened by a time: kept at the recording's ends every 100 ms, linear in between."""
    times = sorted(map(int, kept))
    low = max((t for t in times if t <= t_ns), default=times[0])
    high = min((t for t in times if t >= t_ns), default=times[-1])
    part = (t_ns - low) / (high - low) if high > low else 0.0
    return minus(kept[str(high)], kept[str(low)], part) if 0 < part < 1 else kept[str(low)]


def minus(one: dict[str, Any], other: dict[str, Any], part: float | None = None) -> dict[str, Any]:
    """one - other through nested numbers; with `part`, other + part * (one - other)."""
    out: dict[str, Any] = {}
    for key, value in one.items():
        if isinstance(value, dict):
            out[key] = minus(value, other.get(key, {}), part)
        elif isinstance(value, float):
            before = other.get(key, 0.0)
            out[key] = value - before if part is None else before + part * (value - before)
        else:
            out[key] = value
    return out


def attribute(path: Path, beside: Path) -> dict[str, Any]:
    from powerhal.attribution import attribute as settle
    from powerhal.recording import Recording
    from powerhal.sim.score import families, mark

    ledger = settle(Recording.open(path))
    truth = truth_between(json.loads(beside.read_text()), ledger.total.start_ns, ledger.total.end_ns)
    ledger = dataclasses.replace(ledger, rows=families(ledger, truth))
    rows = [marked.to_dict() for marked in mark(ledger, truth)]
    return {
        "root_j": truth.root_j,
        "total_j": ledger.total.energy_j,
        "total_inside": ledger.total.low_j <= truth.root_j <= ledger.total.high_j,
        "groups": len(ledger.groups),
        "rows": rows,
    }


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Per row (kind, name): how often it was large, median error, bias, coverage, width; and all pooled."""
    seen: dict[tuple[str, str], list[tuple[float, bool, float, bool]]] = {}
    for run in runs:
        for row in run["rows"]:
            if row["truth_j"] is None or row["kind"] == "rest":
                continue
            large = row["truth_j"] > SHARE * run["root_j"]
            truth = max(row["truth_j"], 1e-9)
            inside = row["low_j"] <= row["truth_j"] <= row["high_j"]
            half = 0.5 * (row["high_j"] - row["low_j"]) / truth
            seen.setdefault((row["kind"], row["name"]), []).append((row["energy_j"] / truth - 1, inside, half, large))
    table: dict[str, Any] = {"rows": []}
    for (kind, name), values in seen.items():
        large = [v for v in values if v[3]]
        line = {"kind": kind, "name": name, "n": len(values), "n_large": len(large)}
        line |= _figures(values, "all") | _figures(large, "large")
        table["rows"].append(line)
    pooled = [v for values in seen.values() for v in values if v[3]]
    table["pooled"] = _figures(pooled, "large")
    table["total"] = {
        "median_error": statistics.median(abs(r["total_j"] / r["root_j"] - 1) for r in runs) if runs else None,
        "coverage": statistics.mean(r["total_inside"] for r in runs) if runs else None,
        "runs_with_groups": sum(1 for r in runs if r["groups"]),
    }
    return table


def _figures(values: list[tuple[float, bool, float, bool]], name: str) -> dict[str, Any]:
    if not values:
        return {}
    return {
        f"{name}_median_error": statistics.median(abs(v[0]) for v in values),
        f"{name}_bias": statistics.median(v[0] for v in values),
        f"{name}_coverage": statistics.mean(v[1] for v in values),
        f"{name}_half_width": statistics.median(v[2] for v in values),
    }


def report(table: dict[str, Any], count: int, seconds: float) -> str:
    """The table as text; percent of the truth. Rows above 5 % of the total in most runs come first."""
    lines = [f"{count} phones in {seconds:.0f} s; errors, bias and half-widths in % of the truth, medians over phones"]
    lines.append(
        f"{'kind':8} {'row':22} {'>5 %':>5} {'error':>7} {'bias':>7} {'half':>7} {'inside':>7}   all: error inside"
    )
    for row in sorted(table["rows"], key=lambda r: -r["n_large"]):
        large = "".join(
            f" {100 * row[key]:7.2f}" if key in row else f" {'':>7}"
            for key in ("large_median_error", "large_bias", "large_half_width", "large_coverage")
        )
        rest = f"   {100 * row['all_median_error']:10.2f} {100 * row['all_coverage']:6.1f}"
        lines.append(f"{row['kind']:8} {row['name'][:22]:22} {row['n_large']:5d}{large}{rest}")
    pooled, total = table["pooled"], table["total"]
    if pooled:
        lines.append(
            f"pooled, rows above 5 %: error {100 * pooled['large_median_error']:.2f} %, inside the 90 % interval "
            f"{100 * pooled['large_coverage']:.1f} %"
        )
    if total["median_error"] is not None:
        lines.append(
            f"total: error {100 * total['median_error']:.2f} %, inside {100 * total['coverage']:.1f} %; "
            f"{total['runs_with_groups']} runs with groups"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
