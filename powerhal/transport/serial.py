"""Serial lines through pyserial: one reader a line, what is waiting is read, nothing blocks.

A line is named by its path, by `/dev/serial/by-id/...`, or by `usb:VID:PID[:SERIAL]`, because ttyUSB numbers
change when things are plugged. Only character devices of a tty driver are opened; a pseudo-terminal only when
the caller asks for one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import termios
from pathlib import Path
from typing import TYPE_CHECKING

from powerhal.errors import TransportError
from powerhal.transport.errnos import transport_error

if TYPE_CHECKING:
    import serial

_USB = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})(?::(.+))?")
_PTY_MAJORS = range(136, 144)  # Documentation/admin-guide/devices.txt: Unix98 pty slaves
_HINT = "join the group that owns the line (dialout), or close the program that reads it"


class PySerialPort:
    """An open line; see `powerhal.transport.SerialPort`."""

    def __init__(self, name: str, line: serial.Serial) -> None:
        self.name = name
        self._line = line

    def read(self, limit: int) -> bytes:
        """What is waiting, at most `limit` bytes; raises TransportError (kind 'absent') when it was unplugged."""
        try:
            waiting = self._line.in_waiting
            return self._line.read(min(waiting, limit)) if waiting else b""
        except (OSError, TypeError) as error:  # TypeError: pyserial after a close in another thread
            raise self._gone(error) from None

    def write(self, data: bytes) -> None:
        """Send all of it within a second; raises TransportError."""
        try:
            self._line.write(data)
        except OSError as error:
            raise self._gone(error) from None

    def _gone(self, error: Exception) -> TransportError:
        number = getattr(error, "errno", None)
        return TransportError(f"{self.name}: the line is gone ({error})", kind="absent", errno=number)

    def close(self) -> None:
        """Close the line; may be called twice."""
        self._line.close()


def open_port(where: str, baud: int = 115200, *, allow_pty: bool = False) -> PySerialPort:
    """The serial line `where` at `baud`, exclusively ours.

    Raises TransportError: `absent`, `denied`, `busy` (another reader), `refused` (not a serial line).
    """
    import serial

    path = find_usb(where) if where.startswith("usb:") else where
    _check_line(path, allow_pty)
    try:
        line = serial.Serial(path, baud, timeout=0, write_timeout=1.0, exclusive=True)
    except ValueError as error:
        raise TransportError(f"{path}: {error}", kind="refused") from None
    except OSError as error:
        fault = transport_error(where, error)
        busy = fault.kind == "busy" or "lock" in str(error)
        raise TransportError(str(fault), kind="busy" if busy else fault.kind, errno=error.errno, hint=_HINT) from None
    fcntl.ioctl(line.fileno(), termios.TIOCEXCL)
    return PySerialPort(where, line)


def find_usb(where: str) -> str:
    """Path of the only line of `usb:VID:PID[:SERIAL]`; raises TransportError for none or several."""
    match = _USB.fullmatch(where)
    if not match:
        raise TransportError(f"{where!r} is not usb:VID:PID or usb:VID:PID:SERIAL", kind="refused")
    from serial.tools import list_ports

    vendor, product, serial_number = int(match[1], 16), int(match[2], 16), match[3]
    found = [
        port.device
        for port in list_ports.comports()
        if (port.vid, port.pid) == (vendor, product) and serial_number in (None, port.serial_number)
    ]
    if not found:
        raise TransportError(f"{where} is not plugged in", kind="absent", errno=errno.ENODEV)
    if len(found) > 1:
        raise TransportError(
            f"{where} is {', '.join(sorted(found))}", kind="refused", hint="add the serial number: usb:VID:PID:SERIAL"
        )
    return found[0]


def _check_line(path: str, allow_pty: bool) -> None:
    """Refuse what is not a serial line before opening it, as opening can act on a device."""
    try:
        found = Path(path).stat()
    except OSError as error:
        raise transport_error(path, error) from None
    if not stat.S_ISCHR(found.st_mode):
        raise TransportError(f"{path} is not a serial line", kind="refused")
    major, minor = os.major(found.st_rdev), os.minor(found.st_rdev)
    if major in _PTY_MAJORS:
        if not allow_pty:
            raise TransportError(f"{path} is a pseudo-terminal", kind="refused")
        return
    subsystem = os.path.realpath(f"/sys/dev/char/{major}:{minor}/subsystem")
    if not subsystem.endswith("/tty"):
        raise TransportError(f"{path} is not a serial line", kind="refused")
