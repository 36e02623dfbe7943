"""Chips that hold the clock line while they think, on an adapter that does not wait for them properly.

The BCM2835's controller (Raspberry Pi up to 4) loses bits then and reports no error: raspberrypi/linux issues 254,
3064, 4884. Kernel: the adapter's name in /sys/bus/i2c/devices/i2c-N/name.
"""

from __future__ import annotations

from powerhal import chips
from powerhal.board.schema import BoardDescription, Sensor
from powerhal.errors import TransportError
from powerhal.transport import FileRoot

IMPATIENT = "bcm2835"


def adapter_name(root: FileRoot, board: BoardDescription, bus: str) -> str:
    """What the kernel calls the adapter of a bus, or the one that its multiplexer sits on; '' when it does not say."""
    spec = board.buses[bus]
    while spec.parent is not None:
        spec = board.buses[spec.parent]
    try:
        return root.read(f"/sys/bus/i2c/devices/i2c-{spec.number}/name").decode("utf-8", "replace").strip()
    except TransportError:
        return ""


def warning(root: FileRoot, board: BoardDescription, name: str, sensor: Sensor) -> str:
    """One sentence when this chip stretches the clock on such an adapter, '' otherwise."""
    stretches = sensor.clock_stretch
    if stretches is None:
        stretches = chips.load(sensor.chip).stretches_clock
    if not stretches or IMPATIENT not in adapter_name(root, board, sensor.bus):
        return ""
    return (
        f"{name} ({sensor.chip}) stretches the clock and the adapter of {sensor.bus} ({IMPATIENT}) can lose bits then "
        "without an error: slow the bus (dtparam=i2c_arm_baudrate=10000) or use the i2c-gpio overlay"
    )
