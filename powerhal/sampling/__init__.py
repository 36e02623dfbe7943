"""The clocked loop: sources in, rows out; deadlines, faults and health counters."""

from __future__ import annotations

from powerhal.sampling.sampler import Sampler
from powerhal.sampling.sink import Sink
from powerhal.sampling.stop import Stop

__all__ = ["Sampler", "Sink", "Stop"]
