"""The I2C buses of a board, opened: adapters, multiplexer channels on them, or a simulated world's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from powerhal.board.schema import BoardDescription, Bus
from powerhal.errors import TransportError
from powerhal.transport import Clock, FileRoot, I2cBus, SerialPort

#: Control byte of each multiplexer for a channel: one bit a channel, or an enable bit and the number.
MUXES: dict[str, Callable[[int], int]] = {
    **dict.fromkeys(("nxp,pca9545", "nxp,pca9546", "nxp,pca9548", "ti,tca9548"), lambda n: 1 << n),
    **dict.fromkeys(("nxp,pca9540", "nxp,pca9542", "nxp,pca9544"), lambda n: 0x04 | n),
    "nxp,pca9547": lambda n: 0x08 | n,
}


class World(Protocol):
    """A board that is not there: the same doors as the real one (see sim)."""

    @property
    def clock(self) -> Clock:
        """The virtual clock."""
        ...

    @property
    def root(self) -> FileRoot:
        """Its /sys and /proc."""
        ...

    def bus(self, name: str) -> I2cBus:
        """The emulated bus of that name in the board file."""
        ...

    def serial(self, name: str) -> SerialPort:
        """The emulated serial line of that meter in the board file."""
        ...


def open_buses(board: BoardDescription, world: World | None = None, root: FileRoot | None = None) -> dict[str, I2cBus]:
    """Every bus of the board by name, for sessions and for register dumps.

    `root` is where drivers that own a chip are looked up (default: this machine). Raises TransportError
    when an adapter is absent or not permitted; those already open are closed first.
    """
    if root is None:
        from powerhal.transport.files import RealRoot

        root = RealRoot()
    opened: dict[str, I2cBus] = {}
    opener = _opener(world, root)
    try:
        for name in _order(board.buses):
            opened[name] = opener(name, board.buses[name], opened)
    except Exception:
        close_all(opened)
        raise
    return opened


def close_all(buses: dict[str, I2cBus]) -> None:
    """Close in reverse order: multiplexer channels before what they sit on."""
    for bus in reversed(list(buses.values())):
        bus.close()


def _order(buses: dict[str, Bus]) -> list[str]:
    """Parents before their channels (circles were refused when the file was loaded)."""
    done: list[str] = []

    def visit(name: str) -> None:
        parent = buses[name].parent
        if parent is not None:
            visit(parent)
        if name not in done:
            done.append(name)

    for name in buses:
        visit(name)
    return done


Opener = Callable[[str, Bus, dict[str, I2cBus]], I2cBus]


def _opener(world: World | None, root: FileRoot) -> Opener:
    if world is not None:
        return lambda name, spec, opened: world.bus(name)

    def adapter(name: str, spec: Bus, opened: dict[str, I2cBus]) -> I2cBus:
        from powerhal.transport import i2c, mux

        if spec.kind == "mux":
            assert spec.parent is not None and spec.address is not None and spec.channel is not None
            _refuse_owned(opened[spec.parent], spec.address, name)
            return mux.MuxBus(opened[spec.parent], spec.address, MUXES[spec.chip](spec.channel), name)
        assert spec.device is not None
        return i2c.open_bus(spec.device, root)

    return adapter


def _refuse_owned(parent: I2cBus, address: int, name: str) -> None:
    """Two masters of one multiplexer would switch it under each other's feet."""
    owner = parent.owner(address)
    if owner:
        raise TransportError(
            f"the multiplexer of {name} at 0x{address:02x} on {parent.name} belongs to the kernel driver {owner}",
            kind="busy",
            hint="its channels are adapters of their own: describe them with `kind: i2c` and their /dev/i2c-N",
        )
