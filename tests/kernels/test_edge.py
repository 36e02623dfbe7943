"""The door: what the array tiers accept, what they refuse, what they leave alone (F60)."""

from __future__ import annotations

import numpy as np
import pytest

from powerhal import kernels


@pytest.fixture(scope="module", params=["numba", "numpy"])
def arrays(request):
    return pytest.importorskip("numpy") and kernels.load(request.param)


def variants(matrix):
    wide = np.zeros((2 * len(matrix), 2 * matrix.shape[1]))
    wide[::2, ::2] = matrix
    frozen = matrix.copy()
    frozen.setflags(write=False)
    yield "fortran", np.asfortranarray(matrix)
    yield "strided", wide[::2, ::2]
    yield "reversed", matrix[::-1].copy()[::-1]
    yield "read-only", frozen
    yield "big-endian", matrix.astype(">f8")
    yield "lists", matrix.tolist()
    yield (
        "unaligned",
        np.frombuffer(b"\0" + matrix.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(matrix.shape),
    )


def test_every_layout_gives_the_same_answer(arrays):
    rng = np.random.default_rng(0)
    rows = np.round(rng.random((40, 3)), 3)
    square = rows.T @ rows
    want = np.zeros((3, 3))
    arrays.gram_add(want, rows, np.empty(0))
    theta = arrays.nnls(square, square.sum(axis=1), (), ())[0]
    for name, variant in variants(rows):
        got = np.zeros((3, 3))
        arrays.gram_add(got, variant, np.empty(0))
        np.testing.assert_allclose(got, want, rtol=1e-12, err_msg=name)
    for name, variant in variants(square):
        np.testing.assert_allclose(arrays.nnls(variant, square.sum(axis=1), (), ())[0], theta, rtol=1e-9, err_msg=name)


def test_integers_and_float32_are_widened(arrays):
    got = np.zeros((2, 2))
    arrays.gram_add(got, np.array([[1, 2], [3, 4]], dtype=np.int16), np.array([1.0, 1.0], dtype=np.float32))
    assert got.tolist() == [[10.0, 14.0], [14.0, 20.0]]


def test_raw_rows_may_be_a_slice_of_a_file(arrays):
    block = np.frombuffer(bytes(range(24)), dtype=np.uint8).reshape(4, 6)
    assert np.asarray(arrays.decode_fields(block[::2, 1:5], [(0, 2, 0, 0, 0, 0)])).tolist() == [[0x0102], [0x0D0E]]


def frozen_square():
    gram = np.zeros((2, 2))
    gram.setflags(write=False)
    return gram


@pytest.mark.parametrize(
    "gram", [np.zeros((2, 2), dtype=np.float32), np.zeros((2, 3)), np.zeros((4, 4))[::2, ::2], frozen_square(), [[0.0]]]
)
def test_a_gram_that_cannot_be_added_to_is_refused(arrays, gram):
    with pytest.raises(ValueError, match="Gram"):
        arrays.gram_add(gram, np.ones((3, 2)), np.empty(0))


def test_shapes_must_agree(arrays):
    gram = np.zeros((2, 2))
    for rows, weights in ((np.ones((3, 3)), []), (np.ones((3, 2)), [1.0]), (np.ones(2), [])):
        with pytest.raises(ValueError, match="shape"):
            arrays.gram_add(gram, rows, weights)
    for free in (np.ones(3, dtype=bool),):
        with pytest.raises(ValueError, match="shape"):
            arrays.nnls(np.eye(2), [1.0, 1.0], free, ())
    with pytest.raises(ValueError, match="shape"):
        arrays.nnls(np.eye(3), [1.0, 1.0], (), ())


def test_sparse_indices_cannot_leave_the_gram(arrays):
    total = np.zeros((4, 4))
    bad = [([0, 1], [2]), ([0, 1], [-1]), ([0, 2], [0]), ([1, 1], [0]), ([0, 1, 0, 1], [0]), ([], [0])]
    for starts, columns in bad:
        z = np.ones(max(len(starts) - 1, 0))
        with pytest.raises(ValueError, match=r"row starts|outside"):
            arrays.moments_add_sparse(total, starts, columns, [1.0] * len(columns), z, ())
    with pytest.raises(ValueError, match="integers"):
        arrays.moments_add_sparse(total, [0, 1], [0.5], [1.0], [1.0], ())
    with pytest.raises(ValueError, match="shape"):
        arrays.moments_add_sparse(total, [0, 1], [0], [1.0], [1.0, 2.0], ())
    with pytest.raises(ValueError, match="2 columns"):
        arrays.moments_add_sparse(np.zeros((1, 1)), [0], [], [], [], ())
    assert not total.any()


def test_moments_must_fit(arrays):
    square, rows, z = np.zeros((3, 3)), np.ones((2, 1)), np.ones(2)
    bad = [
        (np.zeros((3, 4)), square, rows, z, ()), (square, np.zeros((4, 4)), rows, z, ()),
        (square, square.copy(), np.ones((2, 2)), z, ()), (square, square.copy(), rows, np.ones(3), ()),
        (square, square.copy(), rows, z, [1.0]), (frozen_square(), square, rows, z, ()),
    ]  # fmt: skip
    for given in bad:
        with pytest.raises(ValueError, match=r"Gram|shape"):
            arrays.moments_add(*given)
    assert not square.any()
