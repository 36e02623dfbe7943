from __future__ import annotations

import pytest

from powerhal.channel import Channel, Field, Layout, Quality, Rail, Topology
from powerhal.recording import Recording, RecordingWriter
from powerhal.recording.energy import rail_energy, root_energy

SECOND = 1_000_000_000
POWER = Layout(4, (Field("p", 0, 4, scale=1e-3),), (Channel("in.power", "power", "W", field="p", rail="in"),))
JOULES = Layout(
    4,
    (Field("e", 0, 4, scale=1.0),),
    (Channel("in.energy", "energy", "J", field="e", rail="in", counter=True, wrap_span=1000.0),),
)
ONE_RAIL = Topology("b", "B", (Rail("in"),), (), ())


def made(tmp_path, layout, rows, end_s):
    writer = RecordingWriter(str(tmp_path / "a.phr"), topology=ONE_RAIL, meta={"started": {"boot_ns": 0}})
    source = writer.add_source("s", layout, 1.0)
    for t_s, value, quality in rows:
        writer.reading(source, round(t_s * SECOND), int(value).to_bytes(4, "big"), quality)
    writer.set_meta("ended", {"boot_ns": round(end_s * SECOND)})
    writer.close()
    return Recording.open(tmp_path / "a.phr")


def test_trapezoids_over_true_times(tmp_path):
    with made(tmp_path, POWER, [(0, 1000, 0), (1, 3000, 0), (2.5, 1000, 0)], 2.5) as run:
        found = root_energy(run)
        assert found.energy_j == pytest.approx(2.0 + 3.0)
        assert found.mean_w == pytest.approx(2.0)
        assert found.missing_s == pytest.approx(0.0)


def test_nothing_is_integrated_across_a_hole_or_from_flagged_rows(tmp_path):
    rows = [(0, 1000, 0), (1, 1000, 0), (2, 9999, Quality.STALE), (3, 0, Quality.MISSING), (9, 1000, 0), (10, 1000, 0)]
    with made(tmp_path, POWER, rows, 10) as run:
        found = rail_energy(run, "in")
        assert (found.energy_j, found.covered_s, found.missing_s) == pytest.approx((2.0, 2.0, 8.0))


def test_a_counter_wraps_and_resets(tmp_path):
    with made(tmp_path, JOULES, [(0, 980, 0), (1, 990, 0), (2, 5, 0), (3, 20, 0), (4, 10, 0)], 4) as run:
        found = rail_energy(run, "in")
        assert found.energy_j == pytest.approx(10 + 15 + 15)
        assert found.missing_s == pytest.approx(1.0)


@pytest.mark.parametrize("rows", [[], [(0, 5, 0)]])
def test_too_little_is_unknown(tmp_path, rows):
    with made(tmp_path, POWER, rows, 1) as run:
        assert rail_energy(run, "in") is None
        assert rail_energy(run, "other") is None
