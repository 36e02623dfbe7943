from __future__ import annotations

from dataclasses import replace

import pytest

from powerhal.errors import BoardError
from powerhal.sampling.rates import set_rate
from powerhal.transport.clock import VirtualClock
from tests.sampling.fakes import FakeAssembly, FakeSource


def source(name, rail="a", quality="measured"):
    made = FakeSource(VirtualClock(), name, 0.5)
    (channel,) = made.layout.channels
    made.layout = replace(made.layout, channels=(replace(channel, rail=rail, quality_class=quality),))
    return made


class Chip:
    """What `fastest_hz` asks of a chip: conversion rounds that take 0.1 s."""

    max_hz = 0.0

    def cycle_s(self, settings):
        return 0.1

    def config_registers(self):
        return ()

    def settings(self):
        return {}


class Options:
    config: dict[str, float] = {}  # noqa: RUF012


def test_only_measured_rails_follow():
    rail, gauge, activity = source("rail"), source("gauge", quality="gauge"), source("cpu", rail="")
    assert set_rate(FakeAssembly(rail.clock, [rail, gauge, activity]), 50.0) == []
    assert (rail.period_s, gauge.period_s, activity.period_s) == (0.02, 0.5, 0.5)


def test_a_slow_chip_is_read_as_fast_as_it_can_and_said():
    fast, slow = source("fast"), source("slow")
    slow.chip, slow.options = Chip(), Options()
    (note,) = set_rate(FakeAssembly(fast.clock, [fast, slow]), 50.0)
    assert "slow makes at most 10" in note
    assert (fast.period_s, slow.period_s) == (0.02, pytest.approx(0.1))


def test_more_than_any_chip_can_is_refused_with_what_it_can():
    slow = source("slow")
    slow.chip, slow.options = Chip(), Options()
    with pytest.raises(BoardError, match="fastest makes 10"):
        set_rate(FakeAssembly(slow.clock, [slow]), 50.0)
    with pytest.raises(BoardError):
        set_rate(FakeAssembly(slow.clock, [slow]), 0.0)
