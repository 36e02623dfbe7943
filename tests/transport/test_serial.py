"""pyserial over a real pseudo-terminal: what waits is read, an unplugged line says so."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from serial.tools import list_ports

from powerhal.errors import TransportError
from powerhal.transport.serial import find_usb, open_port


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    device, line = os.openpty()
    path = os.ttyname(line)
    os.close(line)
    yield device, path
    with contextlib.suppress(OSError):
        os.close(device)


def test_reads_what_is_waiting_without_blocking(line: tuple[int, str]) -> None:
    port = open_port(line[1], allow_pty=True)
    began = time.monotonic()
    assert port.read(100) == b""
    assert time.monotonic() - began < 1.0
    os.write(line[0], bytes(range(256)))
    got = b""
    while len(got) < 256:
        got += port.read(100)
        assert len(got) % 100 == 0 or len(got) == 256
    assert got == bytes(range(256)), "the line is raw: no byte is changed"
    port.close()
    port.close()


def test_writes_all(line: tuple[int, str]) -> None:
    port = open_port(line[1], allow_pty=True)
    port.write(b"\x00\x03\x11\xff")
    assert os.read(line[0], 10) == b"\x00\x03\x11\xff"
    port.close()


def test_unplugged_line_is_absent(line: tuple[int, str]) -> None:
    port = open_port(line[1], allow_pty=True)
    os.close(line[0])
    with pytest.raises(TransportError) as caught:
        for _ in range(3):
            port.read(10)
    assert caught.value.kind == "absent"
    port.close()


def test_a_closed_port_does_not_read(line: tuple[int, str]) -> None:
    port = open_port(line[1], allow_pty=True)
    port.close()
    with pytest.raises(TransportError):
        port.read(10)


def test_one_reader_only(line: tuple[int, str]) -> None:
    port = open_port(line[1], allow_pty=True)
    with pytest.raises(TransportError) as caught:
        open_port(line[1], allow_pty=True)
    assert caught.value.kind == "busy"
    port.close()


def test_only_serial_lines_are_opened(tmp_path: Path, line: tuple[int, str]) -> None:
    for path in ("/dev/null", "/dev/zero", str(tmp_path), line[1]):
        with pytest.raises(TransportError) as caught:
            open_port(path)
        assert caught.value.kind == "refused", path
    with pytest.raises(TransportError) as caught:
        open_port("/dev/ttyNOTHERE0")
    assert caught.value.kind == "absent"


PORTS = [
    SimpleNamespace(device="/dev/ttyACM0", vid=0x2E8A, pid=0x0005, serial_number="E66"),
    SimpleNamespace(device="/dev/ttyACM1", vid=0x2E8A, pid=0x0005, serial_number="E77"),
    SimpleNamespace(device="/dev/ttyUSB0", vid=0x0403, pid=0x6001, serial_number=None),
    SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None),
]


def test_usb_names_survive_renumbering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: PORTS)
    assert find_usb("usb:2e8a:0005:E77") == "/dev/ttyACM1"
    assert find_usb("usb:0403:6001") == "/dev/ttyUSB0"
    for where, kind in (("usb:2e8a:0005", "refused"), ("usb:1d50:6018", "absent"), ("usb:2e8a", "refused"),
                        ("usb:2e8a:0005:E99", "absent")):  # fmt: skip
        with pytest.raises(TransportError) as caught:
            find_usb(where)
        assert caught.value.kind == kind, where
