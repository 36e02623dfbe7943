"""The door of the two array tiers: shapes checked, dtype, stride and read-only inputs made plain.

Compiled code checks nothing, so what passes here must be safe to index without bounds.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Array = TypeVar("Array", bound=npt.NDArray[Any])

LAYOUT_COLUMNS = 6

NOTHING: Floats = np.empty(0)
NOTHING.setflags(write=False)


def floats(values: Any, *shape: int) -> Floats:
    """float64, C-contiguous, of that shape (-1: any length); raises ValueError otherwise."""
    array = np.ascontiguousarray(values, dtype=np.float64)
    _check_shape(array.shape, shape)
    return _plain(array)


def integers(values: Any, *shape: int) -> Ints:
    """int64, C-contiguous, of that shape (-1: any length); raises ValueError otherwise."""
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iub":
        raise ValueError(f"integers expected, not {given.dtype}")
    array = np.ascontiguousarray(given, dtype=np.int64)
    _check_shape(array.shape, shape)
    return _plain(array)


def flags(values: Any, size: int) -> Bools:
    """A fresh bool array of `size`; an empty input is all False."""
    if len(values) == 0:
        return np.zeros(size, dtype=np.bool_)
    array = np.array(values, dtype=np.bool_)
    _check_shape(array.shape, (size,))
    return array


def weights_of(values: Any, rows: int) -> Floats:
    """Weights (rows,) or an empty array, which stands for all ones."""
    if len(values) == 0 and rows:
        return NOTHING
    return floats(values, rows)


def writable(gram: Any) -> Floats:
    """The Gram itself, when it can be added to in place; raises ValueError otherwise."""
    if not isinstance(gram, np.ndarray) or gram.dtype != np.float64:
        raise ValueError("the Gram must be a float64 array, because it is added to in place")
    if gram.ndim != 2 or gram.shape[0] != gram.shape[1]:
        raise ValueError(f"the Gram must be square, not {gram.shape}")
    if not (gram.flags.c_contiguous and gram.flags.writeable):
        raise ValueError("the Gram must be C-contiguous and writable")
    return gram


def sums(total: Any, carry: Any) -> tuple[Floats, Floats]:
    """Moments and their rounding errors: two Grams of one size, 2 or more."""
    kept, lost = writable(total), writable(carry)
    if kept.shape != lost.shape or len(kept) < 2:
        raise ValueError(f"a Gram of {kept.shape} and a carry of {lost.shape} do not hold [x z 1]")
    return kept, lost


def sparse(starts: Any, columns: Any, values: Any, width: int) -> tuple[Ints, Ints, Floats]:
    """Checked compressed rows; raises ValueError when they would index outside."""
    at = integers(starts, -1)
    column = integers(columns, -1)
    value = floats(values, column.size)
    if width < 0:
        raise ValueError("a Gram of [x z 1] has 2 columns or more")
    if at.size == 0 or at[0] != 0 or at[-1] != column.size or np.any(np.diff(at) < 0):
        raise ValueError("row starts must rise from 0 to the number of values")
    if column.size and (column.min() < 0 or column.max() >= width):
        raise ValueError(f"a column is outside the {width} of the Gram")
    return at, column, value


def layout_of(layout: Any, row_bytes: int) -> Ints:
    """The field table with bit widths filled in; raises ValueError when a field leaves the row."""
    fields = integers(layout, -1, LAYOUT_COLUMNS) if len(layout) else np.zeros((0, LAYOUT_COLUMNS), np.int64)
    fields = fields.copy()
    offset, nbytes, shift = fields[:, 0], fields[:, 1], fields[:, 4]
    left = 8 * nbytes - shift
    bad = (offset < 0) | (nbytes < 1) | (nbytes > 8) | (offset + nbytes > row_bytes) | (shift < 0) | (left < 1)
    bad |= (fields[:, 5] < 0) | (fields[:, 5] > 64)
    if np.any(bad):
        which = int(np.flatnonzero(bad)[0])
        raise ValueError(f"field {which} {fields[which].tolist()} does not fit a row of {row_bytes} bytes")
    fields[:, 5] = np.where(fields[:, 5] == 0, left, np.minimum(fields[:, 5], left))
    return _plain(fields)


def raw_rows(raw: Any) -> Bytes:
    """uint8 (n, row_bytes), C-contiguous; raises ValueError otherwise."""
    array = np.ascontiguousarray(raw, dtype=np.uint8)
    _check_shape(array.shape, (-1, -1))
    return _plain(array)


def counts_of(counts: Any) -> Ints:
    """Counter readings (n,) or (n, m) as int64; unsigned 64-bit readings keep their bits."""
    array = np.ascontiguousarray(counts)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"integers expected, not {array.dtype}")
    if array.ndim not in (1, 2):
        raise ValueError(f"shape {array.shape} where (n,) or (n, m) is expected")
    return _plain(array.astype(np.int64, copy=False))


def masks_of(width_bits: Any, counts: Ints) -> npt.NDArray[np.uint64]:
    """All-ones masks, one a column; raises ValueError for a width outside 1..64."""
    columns = 1 if counts.ndim == 1 else counts.shape[1]
    widths = np.broadcast_to(integers(np.atleast_1d(width_bits), -1), (columns,))
    if np.any((widths < 1) | (widths > 64)):
        raise ValueError("a counter is 1 to 64 bits wide")
    return _plain(np.array([(1 << width) - 1 for width in widths.tolist()], dtype=np.uint64))


def _plain(array: Array) -> Array:
    """An aligned, read-only view, so that compiled code meets one type and is compiled once."""
    state = array.flags
    aligned = state.aligned
    if aligned and not state.writeable:
        return array
    view = array.view() if aligned else array.copy()
    view.flags.writeable = False
    return view


def _check_shape(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if shape == wanted:
        return
    if len(shape) != len(wanted) or any(size not in (-1, found) for found, size in zip(shape, wanted, strict=True)):
        raise ValueError(f"shape {shape} where {wanted} is expected")
