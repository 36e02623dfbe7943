from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.hierarchy import interval


def world(random, programs, bias=0.05, inside=0.03, rows=60):
    program = np.repeat(np.arange(programs), rows)
    ratios = bias * random.standard_normal(programs)[program] + inside * random.standard_normal(program.size)
    return ratios, program


@pytest.mark.parametrize("programs", [4, 15])
def test_covers_new_programs(programs):
    random = np.random.default_rng(programs)
    inside = []
    for _ in range(150):
        known = interval(*world(random, programs))
        new, _ = world(random, 1)
        inside.append(np.mean((np.exp(new) > known.low) & (np.exp(new) < known.high)))
    assert 0.86 < np.mean(inside) < 0.96


def test_without_residuals_the_prior_speaks():
    alone = interval(np.zeros(0), np.zeros(0, dtype=np.int64))
    assert 0.85 < alone.low < 0.95
    assert 1.05 < alone.high < 1.15


def test_same_data_same_interval_and_gaps_in_program_numbers_do_not_matter():
    ratios, program = world(np.random.default_rng(3), 5)
    assert interval(ratios, program) == interval(ratios, program)
    assert interval(ratios, program * 3) == interval(ratios, program)


def test_wider_for_a_higher_level():
    ratios, program = world(np.random.default_rng(4), 8)
    narrow, wide = interval(ratios, program, 0.5), interval(ratios, program, 0.95)
    assert wide.low < narrow.low < 1 < narrow.high < wide.high
