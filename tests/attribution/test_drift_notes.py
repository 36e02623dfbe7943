from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.accounts import attribute
from powerhal.recording.reader import Series
from tests.attribution.synthetic import build


def aged(recording, rail, factor, from_s):
    """The same run with a rail that draws more from some time on."""
    name = f"{rail}.power"
    old = recording.series_of[name]
    late = old.t_ns >= recording.start_ns + round(from_s * 1e9)
    value = np.where(late, factor * old.value, old.value)
    recording.series_of[name] = Series(old.t_ns, value, old.quality, old.period_s, 0.0)
    return recording


@pytest.mark.parametrize("seed", range(4))
def test_a_steady_recording_has_no_drift(seed):
    ledger = attribute(build(seed=seed, seconds=120.0))
    assert ledger.learned.provenance["drift"] == []
    assert not any("draws about" in n for n in ledger.notes)


@pytest.mark.parametrize("seed", range(4))
def test_a_device_that_draws_more_is_named_with_time_and_size(seed):
    recording = aged(build(seed=seed, seconds=240.0, measured=("vdd_cpu", "vdd_io")), "vdd_cpu", 1.4, 120.0)
    ledger = attribute(recording)
    found = ledger.learned.provenance["drift"]
    assert [d["device"] for d in found] == ["cpu"]
    assert 115.0 <= found[0]["t_s"] <= 165.0
    assert found[0]["factor"] == pytest.approx(1.4, abs=0.2)
    assert any("cpu" in n and "draws about" in n for n in ledger.notes)


def test_too_short_a_recording_says_nothing():
    assert attribute(aged(build(seed=1, seconds=30.0), "vin", 1.4, 15.0)).learned.provenance["drift"] == []
