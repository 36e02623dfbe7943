from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.hierarchy import spread


def world(random, programs, bias=0.05, inside=0.03, rows=60):
    """Log ratios of programs that are off by a bias each; the first tenth of their rows is four times as noisy."""
    program = np.repeat(np.arange(programs), rows)
    unrest = np.column_stack((np.ones(program.size), np.tile(np.arange(rows) < rows // 10, programs)))
    noise = inside * np.where(unrest[:, 1] > 0, 4.0, 1.0)
    ratios = bias * random.standard_normal(programs)[program] + noise * random.standard_normal(program.size)
    return ratios, program, unrest


@pytest.mark.parametrize("programs", [4, 15])
@pytest.mark.parametrize("bias", [0.01, 0.05])
def test_covers_new_programs_calm_or_not(programs, bias):
    random = np.random.default_rng(programs)
    inside = []
    for _ in range(25):
        known = spread(*world(random, programs, bias), prior_bias=0.03)
        new, _, unrest = world(random, 3, bias)
        low, high = known.factors(unrest)
        inside.append((np.exp(new) > low) & (np.exp(new) < high))
    assert 0.82 < np.mean(inside) < 0.98
    assert 0.78 < np.mean(np.array(inside)[:, np.tile(np.arange(60) < 6, 3)]) < 0.98


def test_unrest_widens_only_where_it_is():
    known = spread(*world(np.random.default_rng(1), 9, bias=0.01), prior_bias=0.01)
    low, high = known.factors(np.array([[1.0, 0.0], [1.0, 1.0]]))
    assert high[1] - low[1] > 2.0 * (high[0] - low[0])
    assert np.sqrt(known.variances) == pytest.approx([0.03, 0.03 * 15**0.5], rel=0.2)


def test_without_residuals_the_prior_speaks():
    nothing = np.zeros(0), np.zeros(0, dtype=np.int64), np.empty((0, 2))
    low, high = spread(*nothing, prior_bias=0.04).factors(np.ones((1, 2)))
    assert 0.85 < low[0] < 0.95
    assert 1.05 < high[0] < 1.15
    wide = spread(*nothing, prior_bias=0.08).factors(np.ones((1, 2)))
    assert wide[0] < low
    assert high < wide[1]


def test_same_data_same_interval_and_gaps_in_program_numbers_do_not_matter():
    ratios, program, unrest = world(np.random.default_rng(3), 5)
    one, two = (spread(ratios, numbers, unrest, 0.04) for numbers in (program, program * 3))
    np.testing.assert_array_equal(one.factors(unrest), two.factors(unrest))


def test_wider_for_a_higher_level():
    data = world(np.random.default_rng(4), 8)
    narrow, wide = (spread(*data, 0.04, level).factors(data[2]) for level in (0.5, 0.95))
    assert np.all(wide[0] < narrow[0])
    assert np.all(narrow[0] < 1)
    assert np.all(narrow[1] < wide[1])


def test_programs_that_disagree_with_the_prior_are_believed():
    random = np.random.default_rng(8)
    sure, unsure = (
        spread(*world(random, 12, bias, inside=0.002), 0.04).factors(np.ones((1, 2))) for bias in (0.01, 0.2)
    )
    assert sure[1] - sure[0] < 0.12
    assert unsure[1] - unsure[0] > 0.4
