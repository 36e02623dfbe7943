"""The numba tier of the text kernels: the door, room for the answers, then one compiled loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels import jit_text
from powerhal.kernels.text_form import FRESH, PADDING, PLANS, QUOTED_NAME
from powerhal.kernels.text_pool import ArrayPool

text_pool = ArrayPool


def text_read(data: Any, plans: Any, names: ArrayPool, words: ArrayPool) -> Any:
    """See `powerhal.kernels.text_read`."""
    letters, size = _letters(data), len(data) - PADDING
    keys, starts, wants = (np.ascontiguousarray(part, dtype=np.int64) for part in plans)
    keys = keys.reshape(-1, 3)
    if len(keys) > PLANS or len(starts) != len(keys) + 1 or np.any(np.diff(starts, prepend=0, append=len(wants)) < 0):
        raise ValueError(f"plans of {len(keys)} heads do not fit")
    # the shortest line of a plan has a byte and a comma for each column, and eight before them
    cells = names.scratch("cells", size // 2 + 8)
    tallies = np.zeros((len(keys), 2), dtype=np.int64)
    lines, tokens = size // 4 + 2, size // 2 + 2
    history = (
        words.scratch("lines", lines, "int32"),
        words.scratch("deltas", lines),
        words.scratch("firsts", lines + 1, "int32"),
        words.scratch("tokens", tokens),
    )
    fresh = np.empty((FRESH, 4), np.int64)
    odd = (names.scratch("odd lines", size + 1, "int32"), names.scratch("odd starts", size + 1), fresh)
    both, count = (letters, _words(letters), size), jit_text.FULL
    while count == jit_text.FULL:
        tallies[:] = 0
        rooms = (_room(names, letters), _room(words, letters))
        plan, out = (jit_text.slots_of(keys), keys, starts, wants), (cells, cells.view(np.float64), tallies)
        count, moments, strange, new = jit_text.read(both, plan, out, history, odd, rooms)
    if count < 0:
        return None
    sheets = _sheets(
        cells, np.diff(starts), tallies, np.add.reduceat(np.append(wants & 255 > QUOTED_NAME, 0), starts[:-1])
    )
    numbers, deltas, firsts, ids = history
    kept = (numbers[:moments].copy(), deltas[:moments].copy(), firsts[: moments + 1].copy())
    found = (*kept, ids[: firsts[moments]].astype(np.int32))
    return count, sheets, tallies[:, 1], found, (odd[0][:strange].copy(), odd[1][:strange].copy()), fresh[:new]


def _sheets(cells: Any, widths: Any, tallies: Any, reals: Any) -> list[Any]:
    """The rows of each plan (n, width + 2), in int32 where its numbers allow it and it has no reals."""
    rows, bits = tallies[:, 0], tallies[:, 1]
    wide = (reals > 0) | (bits < 0) | (bits >> 31 > 0)
    sizes = rows * (widths + 2)
    eights, fours = np.cumsum(np.where(wide, sizes, 0)), np.cumsum(np.where(wide, 0, sizes))
    bases = np.where(wide, eights, fours) - sizes
    out = (
        np.empty(int(eights[-1]) if len(rows) else 0, np.int64),
        np.empty(int(fours[-1]) if len(rows) else 0, np.int32),
    )
    jit_text.sort_rows(cells, widths, bases, rows, wide, out)
    return [
        out[0 if is_wide else 1][base : base + size].reshape(-1, width + 2)
        for base, size, width, is_wide in zip(
            bases.tolist(), sizes.tolist(), widths.tolist(), wide.tolist(), strict=True
        )
    ]


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
