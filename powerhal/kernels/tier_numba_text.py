"""The numba tier of the text kernels: the door, room for the answers, then one compiled loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels import jit_text
from powerhal.kernels.text_form import FRESH, PADDING, PLANS
from powerhal.kernels.text_pool import ArrayPool

text_pool = ArrayPool


def text_read(data: Any, plans: Any, names: ArrayPool, words: ArrayPool) -> Any:
    """See `powerhal.kernels.text_read`."""
    letters, size = _letters(data), len(data) - PADDING
    keys, starts, wants = (np.ascontiguousarray(part, dtype=np.int64) for part in plans)
    keys = keys.reshape(-1, 3)
    if len(keys) > PLANS or len(starts) != len(keys) + 1 or np.any(np.diff(starts, prepend=0, append=len(wants)) < 0):
        raise ValueError(f"plans of {len(keys)} heads do not fit")
    widths = np.diff(starts)
    # the shortest line of a plan has a byte and a comma for each column, and eight before them
    rows = np.where(widths > 0, size // (2 * widths + 8) + 1, 0)
    bases = np.concatenate(([0], np.cumsum(rows * (widths + 2))))
    cells = names.scratch(int(bases[-1]))
    tallies = np.zeros((len(keys), 2), dtype=np.int64)
    lines, tokens = size // 4 + 2, size // 2 + 2
    starts_at = np.empty(lines + 1, np.int32)
    history = (np.empty(lines, np.int32), np.empty(lines, np.int64), starts_at, words.scratch(tokens))
    odd = (np.empty(size + 1, np.int32), np.empty(size + 1, np.int64), np.empty((FRESH, 4), np.int64))
    both = (letters, _words(letters), size)
    count = jit_text.FULL
    while count == jit_text.FULL:
        tallies[:] = 0
        rooms = (_room(names, letters), _room(words, letters))
        plan = (jit_text.slots_of(keys), keys, starts, wants, bases)
        out = (cells, cells.view(np.float64), tallies)
        count, moments, strange, new = jit_text.read(both, plan, out, history, odd, rooms)
    if count < 0:
        return None
    sheets = []
    for base, width, used in zip(bases[:-1].tolist(), widths.tolist(), tallies[:, 0].tolist(), strict=True):
        sheets.append(cells[base : base + used * (width + 2)].reshape(used, width + 2))
    numbers, deltas, firsts, ids = history
    kept = (numbers[:moments].copy(), deltas[:moments].copy(), firsts[: moments + 1].copy())
    found = (*kept, ids[: firsts[moments]].astype(np.int32))
    return count, sheets, tallies[:, 1], found, (odd[0][:strange], odd[1][:strange]), odd[2][:new]


def text_follow(moments: Any, table: Any, now: int, state: Any, trusted: bool) -> tuple[Any, Any, Any]:
    """See `powerhal.kernels.text_follow`."""
    deltas, firsts, tokens = moments
    times, which, values = jit_text.follow((deltas, firsts, tokens), table, now, state, trusted)
    return times, which, values


def _letters(data: Any) -> Any:
    """uint8 (n,), the padding behind a newline; raises ValueError otherwise."""
    letters = np.ascontiguousarray(data, dtype=np.uint8)
    if letters.ndim != 1 or len(letters) <= PADDING or letters[-PADDING - 1] != jit_text.NEWLINE:
        raise ValueError(f"text must end in a newline and {PADDING} bytes of padding")
    return letters


def _words(letters: Any) -> Any:
    """Eight bytes from each place on, as one number; the same memory."""
    return np.ndarray((len(letters) - 7,), np.uint64, letters, strides=(1,))


def _room(pool: ArrayPool, letters: Any) -> Any:
    """The arrays of a pool with room for the letters of a text, and for more texts where they ran out."""
    anew = pool.reserve(len(letters))
    room = (pool.tags, pool.numbers, pool.offsets, _words(pool.letters), pool.state)
    if anew:
        jit_text.rehash(room)
    return room
