"""F19: a charge counter that saturates or jumps: held against the integral of the current, and both are told."""

from __future__ import annotations

from typing import Any

import pytest

from powerhal.channel import Channel, Quality
from powerhal.recording.charge import charge_checks
from tests.faults.faulty import Bench, row, series_of


class Run:
    """A gauge's rows as a recording holds them."""

    def __init__(self, channels: dict[str, Channel], rows: list[tuple[int, dict[str, float]]]) -> None:
        self.channels, self.rows = channels, rows

    def series(self, name: str) -> Any:
        return series_of([t for t, _ in self.rows], [values[name] for _, values in self.rows])


def recorded(spoil: Any = None) -> Run:
    """Two hours of a MAX17055 at 0.5 A out of a cell of 4 Ah."""
    bench = Bench({0x36: "maxim,max17055"}, amperes=0.5)
    bench.supply.capacity_ah = 4.0
    source = bench.opened("maxim,max17055", 0x36, 1.0)
    rows = []
    for minute in range(120):
        bench.supply.fraction = 0.9 - 0.5 * minute / 60 / 4.0
        bench.wait(60.0)
        values, _ = row(source)
        rows.append((bench.clock.now_ns(), {**values, **(spoil(minute, values) if spoil else {})}))
    return Run({c.name: c for c in source.layout.channels}, rows)


def test_f19_a_sound_gauge_agrees_with_itself() -> None:
    checks = {c.channel: c for c in charge_checks(recorded())}
    assert set(checks) == {"r1.charge", "r1.charge_counter"}
    for check in checks.values():
        assert check.quality == Quality.OK
        assert check.counted_c == pytest.approx(0.5 * 119 * 60, rel=0.02)
        assert check.integrated_c == pytest.approx(0.5 * 119 * 60, rel=1e-3)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda minute, v: {"r1.charge": max(v["r1.charge"], 11_000.0)},  # it stops at a floor
        lambda minute, v: {"r1.charge": v["r1.charge"] - (3888.0 if minute > 60 else 0.0)},  # 1.08 Ah low since
        lambda minute, v: {"r1.current": 0.4},  # or the current is the wrong one
    ],
)
def test_f19_a_counter_that_disagrees_is_noisy_and_both_are_told(spoil: Any) -> None:
    check = next(c for c in charge_checks(recorded(spoil)) if c.channel == "r1.charge")
    assert check.quality == Quality.NOISY
    assert f"{check.counted_c:.4g}" in check.text()
    assert f"{check.integrated_c:.4g}" in check.text()
