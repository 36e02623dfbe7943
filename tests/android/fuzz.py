"""Fuzz entries of the parsers of dumps: coverage-guided with atheris where it is installed, else seeded mutation.

    python -m tests.android.fuzz ENTRY [--executions N] [--seed S] [-- ATHERIS ARGUMENTS]

An entry takes bytes and must return; whatever it raises is a finding.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from powerhal.android.checkin import Reader, emit
from powerhal.android.containers import Input
from powerhal.android.history import History
from powerhal.android.history_lines import emit_history, is_history, read_history
from powerhal.android.history_text import feed_text
from powerhal.android.issues import Issues
from powerhal.android.parse import _Scan
from powerhal.android.proto import read_proto
from powerhal.android.summary import document, portrait

SEEDS = {
    "checkin": (
        b"9,0,i,vers,36,212,A,A\n9,10001,l,wl,n,5,f,1,0,2,7,6,p,2,0,3,8,4,bp,3,0,4,9,1,w,4,0,5,10\n",
        b'9,0,l,kwl,"a,b",1,2,3,4\n9,0,l,pws,4000,147,400,440\n9,0,l,pwi,uid,0.00000000,1,2.09,1.05\n',
    ),
    "history": (b'9,hsp,0,10010,"a\\"b"\n9,h,0:RESET:TIME:17000\n9,h,5,Bl=9,+S,wr=0\n', b"9,h,0,Dpst=1,2,3,x\n"),
    "text": (
        b'Battery History (1%):\n   0 (2) 100 status=full +screen top=u0a1:"x"\n  +1s5ms (2) 099 -screen\n',
        b"Statistics since last charge:\n  Estimated power use (mAh):\n    Capacity: 5, Computed drain: 4, actual "
        b"drain: 1-2\n    UID u0a1: 1 fg: 2 ( cpu=1 (1s 2ms) )\n    Uid 0: 5 ( cpu=1 )\n\n  1000:\n"
        b"    Top for: 1s 2ms \n    Mobile network: 9.54KB received, 0B sent (packets 119 received, 0 sent)\n",
    ),
    "file": (b"------ CHECKIN BATTERYSTATS (x) ------\n9,0,l,br,1,2,3,4,5\n", b"\xff\xfe9\x00,\x00", b"[ro.a]: [1]\n"),
    "proto": (bytes.fromhex("0a1408241001220141320c0a0a08b0dd8a8df5311001"),),
}


def checkin(data: bytes) -> None:
    reader = Reader(Issues())
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        record = reader.read(number, line)
        assert record is None or emit(record) == line


def history(data: bytes) -> None:
    found = History(Issues())
    for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        if line[:2] in ("9,", "8,") and is_history(line):
            item = read_history(number, line, found.issues)
            assert emit_history(item) == line
            found.feed(item)
        else:
            feed_text(found, number, line)


def text(data: bytes) -> None:
    file(b"Battery History (1%):\n" + data)


def file(data: bytes) -> None:
    found = _Scan(Input("fuzz", "plain", io.BufferedReader(io.BytesIO(data))), Issues(), True).run()
    json.dumps(document(found), allow_nan=False)
    "\n".join(portrait(found)).encode()


def proto(data: bytes) -> None:
    read_proto(io.BytesIO(data), Issues())


ENTRIES: dict[str, Callable[[bytes], None]] = {
    "checkin": checkin, "history": history, "text": text, "file": file, "proto": proto,
}  # fmt: skip


def mutated(rng: random.Random, pool: list[bytes]) -> bytes:
    """Cut, repeat, splice and flip bytes of seeds."""
    data = bytearray(rng.choice(pool))
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0:
                data[at : at + rng.randrange(1, 9)] = b""
            case 1:
                data[at:at] = rng.choice([b",", b'"', b"=", b":", b"-", b"\n", b"9" * 50, b"(", b")", b"\x00", b"\xff"])
            case 2:
                data[at:at] = rng.choice(pool)[: rng.randrange(60)]
            case 3 if data:
                data[min(at, len(data) - 1)] = rng.randrange(256)
            case 4:
                data[at:at] = data[at : at + rng.randrange(1, 30)]
            case _:
                data[at:at] = bytes(rng.choices(b"0123456789.,+-EeuamshdNA ", k=rng.randrange(1, 8)))
    return bytes(data)


def mutate_and_run(name: str, executions: int, seed: int) -> int:
    """So many executions of an entry on mutated seeds; whatever it raises comes through."""
    rng, entry, pool = random.Random(seed), ENTRIES[name], list(SEEDS[name])
    for count in range(executions):
        data = mutated(rng, pool)
        try:
            entry(data)
        except Exception as error:
            raise AssertionError(f"{name}: {data!r}") from error
        if count % 7 == 0 and len(pool) < 200:
            pool.append(data[:2000])
    return executions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entry", choices=sorted(ENTRIES))
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    args, rest = parser.parse_known_args()
    try:
        import atheris
    except ImportError:
        print(f"{mutate_and_run(args.entry, args.executions, args.seed)} executions without a finding")
        return
    for name in [name for name in sys.modules if name.startswith("powerhal.android")]:
        del sys.modules[name]
    with atheris.instrument_imports(include=["powerhal.android"]):
        entry = import_module("tests.android.fuzz").ENTRIES[args.entry]
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(SEEDS[args.entry]):
            Path(corpus, str(number)).write_bytes(seed)
        given = [] if any(not word.startswith("-") for word in rest) else [corpus]
        atheris.Setup([sys.argv[0], f"-runs={args.executions}", "-max_len=4096", *rest, *given], entry)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
