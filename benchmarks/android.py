"""Check-in dumps, every column typed, in plain Python against csv.reader, which types nothing."""

from __future__ import annotations

import csv
import random

from benchmarks.table import Row, cpu_s
from powerhal.android.checkin.blocks import BlockReader
from powerhal.android.checkin.lines import Reader, emit
from powerhal.android.checkin.records import SPECS, UNQUOTED, Field, row_for, rows
from powerhal.android.checkin.values import print_double, print_mah
from powerhal.android.issues import Issues
from powerhal.android.parse import BLOCK

API = 34
LINES = 24_000
# how often codes stand in a dump: wake locks, services and processes outweigh the rest
WEIGHTS = {"wl": 12, "apk": 6, "pr": 6, "jb": 4, "sr": 3, "nt": 2, "wfl": 2, "st": 2, "cpu": 2, "kwl": 2, "wr": 2}


def text_of(field: Field, rng: random.Random) -> str:
    if field.kind == "letter":
        return field.unit
    if field.kind == "mah":
        return print_mah(rng.lognormvariate(0, 3))
    if field.kind == "double":
        return print_double(rng.uniform(0, 1e4))
    if field.kind in ("str", "name"):
        return f"*job*/com.example.app{rng.randrange(40)}/.Service{rng.randrange(9)}"
    return str(int(rng.lognormvariate(6, 4)))


def line(code: str, rng: random.Random) -> str:
    row = row_for(code, len(rows(code)[-1].fields), API) or rows(code)[-1]
    texts = [text_of(f, rng) for f in row.expand(len(row.fields) + (14 if row.rest else 0))]
    if row.named and code not in UNQUOTED:
        texts[0] = f'"{texts[0]}"'
    return ",".join([f"9,{rng.randrange(10_000, 10_300)},l,{code}", *texts])


def dump(rng: random.Random) -> tuple[list[str], list[str]]:
    """Record lines and history lines of an Android 14 dump that nobody ever took."""
    codes = [code for code in SPECS if code not in ("vers", "bst", "bsc", "lv")]
    chosen = rng.choices(codes, [WEIGHTS.get(code, 0.4) for code in codes], k=LINES)
    records = [line(code, rng) for code in chosen]
    tokens = ["+S", "-S", "+r", "-r", "+w=7", "-w", "Bl=99", "+Wr", "-Wr", "+Etp=12", "-Etp=12", "Pss=3", "+a", "-a"]
    history = []
    for _ in range(LINES):
        said = rng.choices(tokens, k=rng.randrange(1, 4))
        history.append(",".join([f"9,h,{rng.randrange(1, 60_000)}", *said, f"Bv={rng.randrange(3500, 4400)}"]))
    return records, history


def whole(rng: random.Random) -> list[str]:
    """The same as they stand in a dump: pool, history with lines that say nothing and commands, records."""
    records, history = dump(rng)
    pool = [f'9,hsp,{k},{rng.randrange(10_000, 10_300)},"*job*/com.app{k}/.Sync, \\"{k}\\""' for k in range(300)]
    told = [line if rng.random() < 0.75 else line[: line.index(",", 4)] for line in history]
    for k in range(0, len(told), 400):
        told[k] = f"9,h,0:TIME:{1_700_000_000_000 + rng.randrange(10**9)}"
    return [*pool, *told, *records]


def read(lines: list[str]) -> None:
    reader = BlockReader(Reader(Issues(), API))
    for start in range(0, len(lines), BLOCK):
        reader.read(start, lines[start : start + BLOCK])


def run() -> list[Row]:
    """Time per line; the gate is a quarter of csv.reader's speed with every column typed."""
    out = []
    for name, lines in zip(("records", "history"), dump(random.Random(1)), strict=True):
        reader = Reader(Issues(), API)
        parsed = [r for n, text in enumerate(lines) if (r := reader.read(n, text))] if name == "records" else []
        found = cpu_s(
            {
                "ours": lambda given=lines: read(given),
                "csv": lambda given=lines: [None for _ in csv.reader(given)],
                "emit": lambda given=parsed: [emit(record) for record in given],
            },
            rounds=7,
        )
        count = len(lines)
        ratio = {"peer": "csv.reader", "peer_figure": found["csv"] / count, "at_least": 0.25}
        out.append(Row(f"read {name}, per line", "s", found["ours"] / count, **ratio))
        if parsed:
            out.append(Row("emit records, per line", "s", found["emit"] / count))
        size = sum(map(len, lines)) + count
        print(f"{name}: {size / found['ours'] / 1e6:.1f} MB/s, csv.reader {size / found['csv'] / 1e6:.1f} MB/s")
    return out
