"""The numba tier of the text kernels: the door, room for the answers, then one compiled loop."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from powerhal.kernels import jit_pool, jit_text
from powerhal.kernels.jit_bytes import BLOCK, NEWLINE
from powerhal.kernels.text_form import FRESH, MAH, PADDING, PLANS, cells, may_have_commas
from powerhal.kernels.text_pool import ArrayPool

text_pool = ArrayPool


def text_read(data: Any, plans: Any, names: ArrayPool, words: ArrayPool) -> Any:
    """See `powerhal.kernels.text_read`."""
    letters, size = _letters(data), len(data) - PADDING
    plan, reals = _plans(plans, names)
    widths = plan[-1]
    marks = (names.scratch("ends", size + 2 * BLOCK, "int32"), names.scratch("firsts", size + 1, "int32"))
    count = jit_text.separated(letters, size, *marks)
    which, uids = names.scratch("which", count, "int32"), names.scratch("uids", count)
    counts, fresh = np.zeros(len(widths), np.int64), np.empty((FRESH, 4), np.int64)
    new, status = jit_text.heads(letters, marks, plan, (which, uids, counts, fresh))
    if status < 0:
        return None
    order, events = names.scratch("order", count, "int32"), names.scratch("events", count, "int32")
    events = events[: jit_text.grouped(which, counts, order, events)]
    fields, wide = int(marks[1][count]), names.wide[: len(widths)] | reals
    tallies = np.zeros((len(widths), 2), np.int64)
    out = (names.block("int64", fields), names.block("int32", fields))
    full = True
    while full:
        rooms = (_room(names, letters), _room(words, letters))
        jit_text.sheets(letters, marks, (order, which, uids), plan, rooms[0], (*out, counts, wide, tallies))
        moments = _moments(letters, marks, (events, which), words, rooms[1], fields)
        full = names.state[1] or words.state[1]
    names.wide[: len(widths)] = wide
    sheets = _sheets(names, out, (wide, counts, widths), tallies)
    return count, sheets, tallies[:, 1], moments, _odd_lines(which, marks), fresh[:new]


def _odd_lines(which: Any, marks: tuple[Any, Any]) -> tuple[Any, Any]:
    """Lines that fit no plan, and where they start."""
    ends, firsts = marks
    lines = np.flatnonzero(which == jit_text.ODD)
    before = firsts[lines] - 1
    return lines, np.where(before < 0, 0, ends[before] + 1)


def _plans(plans: Any, names: ArrayPool) -> tuple[Any, Any]:
    """Slots, keys, starts, wants, whether texts may have commas, width of the rows; and whether some columns are reals.

    Kept from call to call as long as the plans are the same object. Raises ValueError when they do not fit.
    """
    if names.plans is not None and names.plans[0] is plans:
        found: tuple[Any, Any] = names.plans[1]
        return found
    keys, starts, wants = (np.ascontiguousarray(part, dtype=np.int64) for part in plans)
    keys = keys.reshape(-1, 3)
    if len(keys) > PLANS or len(starts) != len(keys) + 1 or np.any(np.diff(starts, prepend=0, append=len(wants)) < 0):
        raise ValueError(f"plans of {len(keys)} heads do not fit")
    parts = [wants[first:end].tolist() for first, end in pairwise(starts.tolist())]
    commas = np.array([may_have_commas(part) for part in parts], dtype=np.bool_)
    widths = np.array([cells(part) + 2 for part in parts], dtype=np.int64)
    reals = np.array([any(want & 255 >= MAH for want in part) for part in parts], dtype=np.bool_)
    found = ((jit_text.slots_of(keys), keys, starts, wants, commas, widths), reals)
    names.plans = (plans, found)
    return found


def _sheets(names: ArrayPool, out: tuple[Any, Any], shapes: tuple[Any, Any, Any], tallies: Any) -> list[Any]:
    """The rows of each plan (n, width + 2), of int32 or int64."""
    found, used = [], [0, 0]
    for wide, count, width, rows in zip(*(part.tolist() for part in (*shapes, tallies[:, 0])), strict=True):
        narrow = not wide
        first, used[narrow] = used[narrow], used[narrow] + count * width
        found.append(out[narrow][first : used[narrow]].reshape(width, count)[:, :rows].T)
    for dtype, size in zip(("int64", "int32"), used, strict=True):
        names.keep(dtype, size)
    return found


def _moments(letters: Any, marks: Any, events: Any, words: ArrayPool, room: Any, fields: int) -> Any:
    """Line, delta, first token and tokens of plain history lines."""
    lines = len(events[0])
    fields = fields if lines else 0
    numbers, deltas = np.empty(lines, np.int32), np.empty(lines, np.int64)
    firsts, tokens = np.empty(lines + 1, np.int32), words.scratch("tokens", fields)
    places = (words.scratch("begins", fields), words.scratch("sizes", fields))
    seen = jit_text.events(letters, marks, events, room, (numbers, deltas, firsts, tokens), places)
    return numbers[:seen], deltas[:seen], firsts[: seen + 1], tokens[: firsts[seen]].astype(np.int32)


def text_follow(moments: Any, table: Any, now: int, state: Any, trusted: bool) -> tuple[Any, Any, Any]:
    """See `powerhal.kernels.text_follow`."""
    deltas, firsts, tokens = moments
    times, which, values = jit_text.follow((deltas, firsts, tokens), table, now, state, trusted)
    return times, which, values


def _letters(data: Any) -> Any:
    """uint8 (n,), the padding behind a newline; raises ValueError otherwise."""
    letters = np.ascontiguousarray(data, dtype=np.uint8)
    if letters.ndim != 1 or len(letters) <= PADDING or letters[-PADDING - 1] != NEWLINE:
        raise ValueError(f"text must end in a newline and {PADDING} bytes of padding")
    return letters


def _room(pool: ArrayPool, letters: Any) -> Any:
    """The arrays of a pool with room for the letters of a text, and for more texts where they ran out."""
    old = (pool.tags, pool.numbers)
    anew = pool.reserve(len(letters))
    room = (pool.tags, pool.numbers, pool.offsets, pool.letters, pool.state)
    if anew:
        jit_pool.rehash(room, *old)
    return room
