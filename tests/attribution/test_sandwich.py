from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.fitting.sandwich import _scatter, half_inverse, moved_within, root_of


def test_a_half_inverse_is_one_whatever_the_units() -> None:
    scale = np.array([1e-9, 1.0, 1e7])
    plain = np.array([[2.0, 0.5, 0.1], [0.5, 1.0, 0.2], [0.1, 0.2, 3.0]])
    half = half_inverse(plain * np.outer(scale, scale))
    assert half.T @ half * np.outer(scale, scale) @ plain == pytest.approx(np.eye(3), abs=1e-9)


def test_blocks_that_agree_with_independent_windows_are_believed_as_such() -> None:
    """Scores of independent windows: few blocks are pulled to the unit scatter, and nothing is called surer."""
    rng = np.random.default_rng(0)
    known = np.zeros((6, 6))
    means = [
        np.linalg.eigvalsh(_scatter(list(rng.standard_normal((12, 6)) / np.sqrt(12)), known)).min() for _ in range(40)
    ]
    assert np.mean(means) > 0.3  # of 12 blocks alone the least direction has about 0.1


def test_one_direction_that_scatters_more_is_seen() -> None:
    rng = np.random.default_rng(1)
    scores = rng.standard_normal((30, 4)) / np.sqrt(30)
    scores[:, 0] *= 5.0
    found = _scatter(list(scores), np.zeros((4, 4)))
    assert found[0, 0] > 2.0 * np.diag(found)[1:].max()


def test_coefficients_move_but_never_below_0_unless_they_are_free() -> None:
    whole = np.array([[1.0, 0.9], [0.9, 1.0]])
    theta = np.array([0.0, 1.0])
    root = root_of(np.linalg.inv(whole))
    held = moved_within(whole, theta, root, np.array([False, False])) + theta
    loose = moved_within(whole, theta, root, np.array([True, True])) + theta
    assert held.min() >= -1e-12 and loose.min() < -0.5
    assert np.var(held[:, 1]) < np.var(loose[:, 1])  # its partner cannot give what it does not have
    assert np.mean(loose - theta, axis=0) == pytest.approx([0.0, 0.0], abs=1e-9)
