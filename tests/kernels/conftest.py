from __future__ import annotations

import pytest

from powerhal import kernels


@pytest.fixture(scope="session", params=kernels.choice.TIERS)
def tier(request):
    """Every tier in turn; skipped with the reason where it cannot run."""
    try:
        return kernels.load(request.param)
    except ImportError as fault:
        pytest.skip(f"no {request.param} tier here: {fault}")
