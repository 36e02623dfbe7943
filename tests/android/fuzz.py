"""Fuzzing the parsers of what a phone prints: coverage-guided with atheris where it is installed, else mutation.

    python -m tests.android.fuzz ENTRY [--executions N] [--seconds S] [--findings FOLDER] [--keep]

Inputs start from `corpus/ENTRY.txt` (a bytes literal a line: own seeds, and the inputs of earlier runs that
reached something new). What an entry raises is written to FOLDER and counted; the run goes on. `--keep` writes the
smallest inputs that reach all that was reached back to the corpus.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MAX_LENGTH = 768  # bytes of an input: a few lines of any form
INSTRUMENTED = ["powerhal.android"]
BITS = [b",", b'"', b"=", b":", b"-", b"\n", b"9" * 50, b"(", b")", b"\x00", b"\xff", b"\r", b"0.0", b"E-5", b"\f"]


def entries() -> dict[str, Callable[[bytes], None]]:
    """The entries by name; imported late, so that atheris can instrument what they import."""
    found: dict[str, Callable[[bytes], None]] = import_module("tests.android.fuzz_entries").ENTRIES
    return found


def seeds(name: str) -> list[bytes]:
    """The stored inputs of an entry."""
    lines = (CORPUS / f"{name}.txt").read_text("ascii").splitlines()
    return [ast.literal_eval(line) for line in lines if line.startswith(("b'", 'b"'))]


def store(name: str, inputs: list[bytes]) -> None:
    """Write the stored inputs of an entry, shortest first."""
    rows = sorted(set(inputs), key=lambda data: (len(data), data))
    (CORPUS / f"{name}.txt").write_text("".join(f"{data!r}\n" for data in rows), "ascii")


class Findings:
    """What was raised: the first input of each place goes to a file; all are counted."""

    def __init__(self, name: str, folder: Path) -> None:
        self.entry, self.name, self.folder = entries()[name], name, folder
        self.executions = 0
        self.places: dict[str, int] = {}

    def __call__(self, data: bytes) -> None:
        """One execution."""
        self.executions += 1
        try:
            self.entry(data)
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            place = f"{type(error).__name__} {Path(frames[-1].filename).name}:{frames[-1].lineno}"
            if place not in self.places:
                self.folder.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256(data).hexdigest()[:12]
                (self.folder / f"{self.name}-{digest}.txt").write_text(f"{data!r}\n{traceback.format_exc()}")
                print(f"{self.name}: {place}: {error}", file=sys.stderr, flush=True)
            self.places[place] = self.places.get(place, 0) + 1


def mutated(rng: random.Random, pool: list[bytes]) -> bytes:
    """Cut, repeat, splice and flip bytes of seeds."""
    data = bytearray(rng.choice(pool))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                data[at : at + rng.randrange(1, 9)] = b""
            case 1:
                data[at:at] = rng.choice(BITS)
            case 2:
                data[at:at] = rng.choice(pool)[: rng.randrange(60)]
            case 3 if data:
                data[min(at, len(data) - 1)] = rng.randrange(256)
            case 4:
                data[at:at] = data[at : at + rng.randrange(1, 30)]
            case _:
                data[at:at] = bytes(rng.choices(b"0123456789.,+-EeuamshdNA ", k=rng.randrange(1, 8)))
    return bytes(data[:MAX_LENGTH])


def mutate_and_run(name: str, executions: int, seed: int, seconds: float = 0) -> int:
    """The stored inputs and so many mutations of them (fewer when `seconds` are over): how many were run.

    Raises AssertionError with the input for whatever an entry raises.
    """
    rng, entry, pool = random.Random(seed), entries()[name], seeds(name)
    end = time.monotonic() + (seconds or float("inf"))
    for count in range(len(pool) + executions):
        if count % 256 == 0 and time.monotonic() > end:
            return count
        data = pool[count] if count < len(pool) else mutated(rng, pool)
        try:
            entry(data)
        except Exception as error:
            raise AssertionError(f"{name}: {data!r}") from error
    return len(pool) + executions


def guided(name: str, args: argparse.Namespace, corpus: Path) -> None:
    """One run of atheris over a folder of inputs; does not return."""
    import atheris

    with atheris.instrument_imports(include=INSTRUMENTED):
        found = Findings(name, args.findings)
    limits = [f"-runs={args.executions}", f"-max_total_time={args.seconds}", f"-max_len={args.length}", "-timeout=60"]
    report = [f"-seed={args.seed}", "-print_final_stats=1", "-verbosity=0", f"-artifact_prefix={args.findings}/"]
    atheris.Setup([sys.argv[0], *limits, *report, str(corpus)], found)
    atheris.Fuzz()


def minimised(name: str, folder: Path) -> list[bytes]:
    """Few and short inputs of a folder that together reach every line and jump between lines that all of them do."""
    from tests.android.fuzz_coverage import reached

    entry, covered, kept = entries()[name], set[tuple[str, int, int]](), []
    for file in sorted(folder.iterdir(), key=lambda f: (f.stat().st_size, f.name)):
        data = file.read_bytes()
        new = reached(entry, data) - covered
        if new:
            covered |= new
            kept.append(data)
    return kept


def main() -> int:
    """Run one entry; exit 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("entry")
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=0, help="0: no limit")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--length", type=int, default=MAX_LENGTH, help="longest input in bytes")
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()) / "powerhal-findings")
    parser.add_argument("--keep", action="store_true", help="renew the stored corpus")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        guided(args.entry, args, args.inside)
    try:
        import atheris  # noqa: F401
    except ImportError:
        count = mutate_and_run(args.entry, args.executions, args.seed, args.seconds)
        print(f"{args.entry}: no atheris: {count} inputs, 0 findings")
        return 0
    args.findings.mkdir(parents=True, exist_ok=True)
    before = set(args.findings.iterdir())
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(seeds(args.entry)):
            Path(folder, str(number)).write_bytes(data)
        started = time.monotonic()
        again = [sys.executable, "-m", "tests.android.fuzz", *sys.argv[1:], "--inside", folder]
        status = subprocess.run(again, check=False).returncode
        found = sorted(set(args.findings.iterdir()) - before)
        spent = time.monotonic() - started
        print(f"{args.entry}: {spent:.0f} s, {len(list(Path(folder).iterdir()))} inputs, {len(found)} findings")
        if args.keep:
            store(args.entry, minimised(args.entry, Path(folder)))
    for file in found:
        print(file)
    return int(bool(found) or status != 0)


if __name__ == "__main__":
    sys.exit(main())
