"""F21: a sysfs file that cannot be read, is empty or vanishes: a missing row with its reason, never 0."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from powerhal.channel import Quality
from powerhal.errors import TransportError
from powerhal.host import hwmon
from powerhal.transport.errnos import transport_error
from tests.host.trees import RASPBERRY_PI_4, context, write

CURRENT = "sys/class/hwmon/hwmon2/curr1_input"


class Broken:
    """A file whose read fails."""

    def __init__(self, number: int) -> None:
        self.number = number

    def read(self) -> bytes:
        raise transport_error(CURRENT, OSError(self.number, os.strerror(self.number)))

    def close(self) -> None:
        pass


def opened(tmp_path: Path) -> Any:
    (source,) = hwmon.detect(write(tmp_path, RASPBERRY_PI_4), context())
    source.open()
    assert source.read().quality == Quality.OK
    return source


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENODATA, "absent"),
        (errno.ENODEV, "absent"),
        (errno.EAGAIN, "busy"),
        (errno.EINVAL, "io"),
        (errno.EIO, "io"),
    ],
)
def test_f21_each_errno_is_a_missing_row_with_a_kind(tmp_path: Path, number: int, kind: str) -> None:
    source = opened(tmp_path)
    source._readers[0].close()
    source._readers[0] = Broken(number)
    reading = source.read()
    assert reading.quality & Quality.MISSING
    assert not any(reading.raw)
    assert source.last_kind == kind
    assert source.read().quality == Quality.OK, "the file is opened again"


@pytest.mark.parametrize("content", ["", "\n", "garbage\n", "1.5 A\n"])
def test_f21_an_empty_or_strange_file_is_missing(tmp_path: Path, content: str) -> None:
    source = opened(tmp_path)
    (tmp_path / CURRENT).write_text(content)
    reading = source.read()
    assert reading.quality & Quality.MISSING
    assert not any(reading.raw)
    assert source.last_fault


def test_f21_a_file_that_vanishes_is_missing_and_found_again(tmp_path: Path) -> None:
    source = opened(tmp_path)
    (tmp_path / CURRENT).unlink()
    source.close()
    assert source.read().quality & Quality.MISSING
    with pytest.raises(TransportError):
        source.open()
    (tmp_path / CURRENT).write_text("100\n")
    assert source.read().quality == Quality.OK
