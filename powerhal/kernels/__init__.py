"""The kernel room: arrays in, arrays out, in three tiers (numba, numpy, plain Python) that agree.

The functions here hand over to the tier that `choice` picked, and tell it for how long numpy would
work on the call; importing this module imports neither numpy nor numba. The plain Python tier takes
sequences of sequences and answers lists; the other two answer numpy arrays. Kernels do no I/O and know
no unit: callers say what they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from powerhal.kernels.choice import CHOICE, KernelTable, load
from powerhal.kernels.text_form import INTEGER, PADDING, WORD

__all__ = [
    "KernelTable", "cholesky_solve", "counter_delta", "decode_fields", "field_table", "gram_add",
    "load", "moments_add", "moments_add_sparse", "nnls", "scale_fields", "spd_inverse", "text_follow", "text_read",
    "tier", "warmup",
]  # fmt: skip


class BitField(Protocol):
    """The part of `channel.Field` that decoding needs."""

    @property
    def offset(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def order(self) -> str: ...
    @property
    def signed(self) -> bool: ...
    @property
    def shift(self) -> int: ...
    @property
    def bits(self) -> int: ...


def tier() -> tuple[str, str]:
    """Name of the tier in use and why it was chosen."""
    chosen = CHOICE.table()
    return chosen.tier, chosen.reason


def gram_add(gram: Any, rows: Any, weights: Any = ()) -> None:
    """Add rows' diag(weights) rows to `gram`, in place.

    gram (q, q) float64, C-contiguous and writable; rows (n, q), usually [x | z | 1]; weights (n,) >= 0,
    or empty for all ones. Both triangles are kept. Rows must be finite (see `attribution.gram`).
    Raises ValueError when shapes disagree or `gram` cannot be written.
    """
    CHOICE.table(_sums(rows)).gram_add(gram, rows, weights)


def moments_add_sparse(total: Any, starts: Any, columns: Any, values: Any, z: Any, weights: Any = ()) -> int:
    """`moments_add` for rows with few active columns, into the upper triangle of `total` only.

    Row i has `values[starts[i]:starts[i+1]]` at `columns[...]` (compressed sparse rows, a column at
    most once a row, 0 <= column < p); starts (n+1,), z (n,), weights (n,) or empty. The lower triangle
    is left alone: mirror it once when the sums are read, not once a batch; there is no carry, because
    it would be as large as the sums. Answers how many rows counted. Raises ValueError when shapes
    disagree or a column is outside.
    """
    return CHOICE.table(1e-4 + 3e-7 * len(values)).moments_add_sparse(total, starts, columns, values, z, weights)


def moments_add(total: Any, carry: Any, x: Any, z: Any, weights: Any = ()) -> int:
    """total += sum over rows of weight * [x z 1]' [x z 1], in place; answers how many rows counted.

    total, carry (p+2, p+2) float64: carry collects what rounding lost (Knuth's two-sum), the sum is
    total + carry; x (n, p), z (n,), weights (n,) >= 0 or empty for all ones. Rows are left out when
    their weight is 0 or NaN, or when a value times the root of the weight is NaN or beyond 1e145.
    Raises ValueError when shapes disagree or the sums cannot be written.
    """
    return CHOICE.table(_sums(x)).moments_add(total, carry, x, z, weights)


def nnls(gram: Any, rhs: Any, free: Any = (), passive: Any = ()) -> tuple[Any, int]:
    """Minimise theta' gram theta / 2 - rhs' theta subject to theta >= 0.

    gram (p, p) symmetric, positive semidefinite; rhs (p,); free (p,) bool, True where theta may be
    negative (empty: nowhere); passive (p,) bool, a first guess of which are positive (empty: none; a
    good guess saves time and changes nothing else). Answers (theta (p,), how): how 0 = block
    principal pivoting (Portugal, Judice and Vicente 1994); 1 = the Gram is singular, so columns that
    cannot be told apart share what is theirs (a ridge of 1e-11, then coordinate descent); 2 = as 1, but
    coordinate descent stopped at its sweep limit. Columns with a
    diagonal that is not positive are 0. Raises ValueError when shapes disagree.
    """
    return CHOICE.table(5e-4 + 2.5e-5 * len(rhs)).nnls(gram, rhs, free, passive)


def cholesky_solve(matrix: Any, rhs: Any) -> Any:
    """x with matrix x = rhs; matrix (p, p) symmetric positive definite, rhs (p,) or (p, m).

    NaN everywhere when the matrix is not positive definite in working precision.
    """
    return CHOICE.table(_solve(matrix)).cholesky_solve(matrix, rhs)


def spd_inverse(matrix: Any) -> Any:
    """Inverse of a symmetric positive definite matrix (p, p), exactly symmetric; NaN if it is not."""
    return CHOICE.table(_solve(matrix)).spd_inverse(matrix)


def field_table(fields: Iterable[BitField]) -> list[tuple[int, int, int, int, int, int]]:
    """Rows (offset, nbytes, little, signed, shift, bits) for `decode_fields` from `channel.Field`s."""
    return [(f.offset, f.nbytes, int(f.order == "little"), int(f.signed), f.shift, f.bits) for f in fields]


def decode_fields(raw: Any, layout: Sequence[Sequence[int]] | Any) -> Any:
    """Integers (n, fields) int64 from recorded rows `raw` (n, row_bytes) uint8.

    layout (fields, 6): offset, nbytes 1..8, little-endian flag, signed flag, right shift, bits after
    the shift (0: all that remain). Signed fields extend the sign from their own top bit; an unsigned
    field of 64 bits comes back as its two's complement. Raises ValueError when a field leaves the row.
    """
    return CHOICE.table(1e-4 + 6e-9 * len(raw) * len(layout)).decode_fields(raw, layout)


def scale_fields(integers: Any, scales: Any, biases: Any) -> Any:
    """integers * scales + biases as float64 (n, fields); scales and biases (fields,), in SI per step."""
    return CHOICE.table(1e-5 + 2e-9 * len(integers) * len(scales)).scale_fields(integers, scales, biases)


def counter_delta(counts: Any, width_bits: Any) -> Any:
    """Steps between successive counter readings, modulo 2**width_bits, int64 (n-1,) or (n-1, m).

    counts (n,) or (n, m) int64; width_bits 1..64, one number or one a column. At 64 bits the
    difference is signed: negative means that the counter went backwards.
    """
    return CHOICE.table(1e-5 + 1e-8 * len(counts)).counter_delta(counts, width_bits)


def text_read(data: Any, plans: Any, names: Any, words: Any) -> Any:
    """Check-in lines to typed columns and history lines to tokens, in one pass; None if one is neither, or a version.

    data uint8: whole lines, then `PADDING` bytes; plans: keys (p, 3) of (code, window, quoted), starts (p + 1,),
    wants (starts[-1],): what the columns of a head are (`text_form`; LETTER with its bytes from bit 8 on). Code
    and window are the head's bytes, first one lowest; quoted: the first column begins with a quote. Lines of the
    history's pool have the code `POOL`, no window, their number as uid, and uid and text as columns. names, words:
    pools of the same tier.

    Answers (lines, sheets, bits, moments, odd, fresh). sheets: for each plan rows (n, width + 2) of line, uid and all
    columns but LETTERs, texts as numbers of `names`, reals with the bits of a float64 or, where a double must be read
    with more care, `NAN_BOX` with the number of its text. bits: all bits of a plan's numbers together, negative when
    reals are open. moments: line, delta, first token (n + 1), token numbers of `words` for history lines. odd:
    lines that fit no plan, and where they start. fresh: (code, window, quoted, columns) of lines whose head has no
    plan. The sheets are good until the next call with these pools.
    Raises ValueError when the text has no end or the plans do not fit.
    """
    return CHOICE.table(2e-7 * len(data)).text_read(data, plans, names, words)


def text_follow(moments: Any, table: Any, now: int, state: Any, trusted: bool) -> tuple[Any, Any, Any]:
    """States and readings of history lines: times, which series, values of the readings.

    moments: deltas in ms, first token (n + 1), tokens; table: by token its sign, its place (a state from 0 on,
    -2 - k for series k, -1 for neither) and its value; state: since when each state is on (-1: off) and its sum in
    ms so far, both changed in place while `trusted`; now: ms before the first line.
    """
    return CHOICE.table(1e-7 * len(moments[2])).text_follow(moments, table, now, state, trusted)


def warmup() -> KernelTable:
    """Compile or load every kernel (numba's where it can be imported), so that no later call waits for it."""
    chosen = CHOICE.compiled()
    make = _lists
    if chosen.tier != "python":
        from numpy import zeros as make
    gram, total, carry = make((2, 2)), make((3, 3)), make((3, 3))
    chosen.gram_add(gram, [[1.0, 0.5], [0.25, 1.0]], [1.0, 2.0])
    chosen.moments_add_sparse(total, [0, 1], [0], [1.0], [1.0], ())
    chosen.moments_add(total, carry, [[1.0]], [1.0], [1.0])
    chosen.nnls([[2.0, 0.5], [0.5, 1.0]], [1.0, -1.0], (), ())
    chosen.cholesky_solve([[2.0, 0.5], [0.5, 1.0]], [1.0, 0.0])
    chosen.spd_inverse([[2.0, 0.5], [0.5, 1.0]])
    integers = chosen.decode_fields([[1, 2, 3, 4]], [(0, 4, 1, 0, 0, 0)])
    chosen.scale_fields(integers, [1.0], [0.0])
    chosen.counter_delta([1, 2, 0], 2)
    _warm_text(chosen)
    return chosen


def _warm_text(chosen: KernelTable) -> None:
    text = b"9,0,l,pws,1,a\n9,h,5,+S\n" + bytes(PADDING)
    data: Any = list(text)
    if chosen.tier != "python":
        from numpy import frombuffer, zeros

        data = frombuffer(text, dtype="uint8")
    names, words = chosen.text_pool(), chosen.text_pool()
    plans = [[int.from_bytes(b"pws", "little"), ord("l"), 0]], [0, 2], [INTEGER, WORD]
    moments = chosen.text_read(data, plans, names, words)[3]
    table: Any = ([1], [0], [0])
    state: Any = ([-1], [0])
    if chosen.tier != "python":
        table, state = tuple(zeros((3, 1), dtype="int64")), tuple(zeros((2, 1), dtype="int64"))
    chosen.text_follow(moments[1:], table, 0, state, True)


def _sums(rows: Any) -> float:
    """About the seconds that numpy needs for the Gram of (n, p) rows."""
    return 7e-5 + 4e-9 * len(rows) * (len(rows[0]) if len(rows) else 0)


def _solve(matrix: Any) -> float:
    return 1e-4 + 1e-5 * len(matrix)


def _lists(shape: tuple[int, int]) -> Any:
    return [[0.0] * shape[1] for _ in range(shape[0])]
