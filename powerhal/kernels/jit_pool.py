"""Texts to numbers of a pool (`text_pool.ArrayPool`), many at a time.

Up to seven bytes are their own tag, with their count on top; longer texts have a hash as their tag and are compared.
"""

# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"
# (numba gives every name one type, int64; to mypy numpy's and Python's integers are two)
from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels.edge import Bytes
from powerhal.kernels.jit import jit
from powerhal.kernels.jit_bytes import word_at

Arrays = tuple[Any, ...]
ALL, HALF, SPREAD, ONE = (np.uint64(n) for n in (0xFFFFFFFFFFFFFFFF, 32, 0x9E3779B97F4A7C15, 1))
TOP, LONG = np.uint64(56), np.uint64(0xFF00000000000000)


@jit
def tags_of(data: Bytes, begins: Any, sizes: Any, tags: Any) -> None:
    """The tag of each text."""
    for k in range(begins.size):
        begin, size = begins[k], sizes[k]
        if size < 8:
            mask = ALL >> np.uint64((64 - 8 * size) & 63)
            tags[k] = np.uint64(size) << TOP | (word_at(data, begin) & mask if size > 0 else np.uint64(0))
        else:
            mixed, last = np.uint64(size), begin + size - 8
            while begin < last:
                mixed = (mixed ^ word_at(data, begin)) * SPREAD
                mixed ^= mixed >> HALF
                begin += 8
            mixed = (mixed ^ word_at(data, last)) * SPREAD
            tags[k] = mixed ^ (mixed >> HALF) | LONG  # the last letters are in the highest bits: they must tell, too


@jit
def numbers_of(data: Bytes, begins: Any, sizes: Any, pool: Arrays, found: Any) -> None:
    """The number of each text in the pool, where it is put when it is new; `found` has the tags at first."""
    tags, numbers, offsets, room, _ = pool
    mask = np.uint64(tags.size - 1)
    for k in range(begins.size):
        begin, size, tag, number = begins[k], sizes[k], np.uint64(found[k]), np.int64(-1)
        slot = ((tag * SPREAD) >> HALF) & mask
        while numbers[slot] >= 0:
            if tags[slot] == tag:
                number = np.int64(numbers[slot])
                start = offsets[number]
                if size < 8:
                    break
                if offsets[number + 1] - start == size:
                    at, last = np.int64(0), size - 8
                    while at < last and word_at(data, begin + at) == word_at(room, start + at):
                        at += 8
                    if at >= last and word_at(data, begin + last) == word_at(room, start + last):
                        break
                number = np.int64(-1)
            slot = (slot + ONE) & mask
        found[k] = number if number >= 0 else put(data, begin, size, tag, pool)


@jit
def put(data: Bytes, begin: int, size: int, tag: Any, pool: Arrays) -> int:
    """The number of a text that is not in the pool; 0 and a full pool when there is no room."""
    tags, numbers, offsets, room, state = pool
    number = np.int64(state[0])
    if 2 * number + 4 > tags.size:
        state[1] = 1
        return 0
    mask = np.uint64(tags.size - 1)
    slot = ((tag * SPREAD) >> HALF) & mask
    while numbers[slot] >= 0:
        slot = (slot + ONE) & mask
    start = offsets[number]
    for k in range(size):
        room[start + k] = data[begin + k]
    offsets[number + 1] = start + size
    tags[slot], numbers[slot] = tag, number
    state[0] = number + 1
    return number


@jit
def rehash(pool: Arrays, old_tags: Any, old_numbers: Any) -> None:
    """Put what a smaller table held into the slots of a pool."""
    tags, numbers = pool[0], pool[1]
    mask = np.uint64(tags.size - 1)
    for k in range(old_tags.size):
        if old_numbers[k] >= 0:
            slot = ((old_tags[k] * SPREAD) >> HALF) & mask
            while numbers[slot] >= 0:
                slot = (slot + ONE) & mask
            tags[slot], numbers[slot] = old_tags[k], old_numbers[k]
