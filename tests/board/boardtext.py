"""A small valid board to be spoiled by the tests."""

from __future__ import annotations

GOOD = """\
schema: 1
name: bench
title: A bench board
buses:
  i2c-1: {kind: i2c, device: /dev/i2c-1, speed: 400 kHz}
  side: {kind: mux, parent: i2c-1, address: 0x70, channel: 2}
sensors:
  supply: {chip: "ti,ina226", bus: i2c-1, address: 0x40, rate: 10 Hz, rail: VIN, shunt: 10 mOhm}
  three:
    chip: "ti,ina3221"
    bus: side
    address: 0x41
    channels: {1: {rail: CORE, shunt: 5 mOhm}, 2: {rail: IO, shunt: 5 mOhm}}
rails:
  VIN: {subsystem: board, nominal: 5 V, limit: 3 A}
  CORE: {parent: VIN, efficiency: 90 %}
  IO: {parent: VIN}
clusters:
  cpu:
    core: cortex-a53
    cpus: [0, 1]
    opps: [{frequency: 600 MHz, voltage: 0.8 V}, {frequency: 1.2 GHz, voltage: 1 V}]
devices:
  cpu: {kind: cpu, rail: CORE, cluster: cpu}
  wifi: {kind: radio, rail: IO, activities: {bytes: net.wlan0}, parameters: {tail: 200 ms}}
battery: {capacity: 3000 mAh, nominal: 3.85 V, rail: VIN}
carbon: {zone: JP, embodied: 55.5 kg, lifetime: 3 y}
"""


def spoiled(old: str, new: str) -> str:
    """The good board with one text replaced; fails when it is not there exactly once."""
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)
