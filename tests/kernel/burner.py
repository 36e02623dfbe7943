"""Runs inside the rig: two seconds of work with the load on, two of nothing with it off, and so on."""

import sys
import time

from powerhal.transport.files import RealRoot
from powerhal.transport.i2c import open_bus


def main(seconds: float, device: str) -> None:
    bus = open_bus(device, RealRoot())
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        bus.transfer(0x20, b"\x0a")  # 1 A more: 5 W
        until = time.monotonic() + 2.0
        while time.monotonic() < until:
            pass
        bus.transfer(0x20, b"\x00")
        time.sleep(2.0)
    bus.close()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
