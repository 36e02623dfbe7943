from __future__ import annotations

import errno

from powerhal.errors import TransportError
from powerhal.transport.errnos import COMMON, I2C, transport_error


def test_every_kind_is_in_the_glossary() -> None:
    assert {*COMMON.values(), *I2C.values()} <= set(TransportError.KINDS)


def test_the_same_errno_means_other_things_on_other_wires() -> None:
    again = OSError(errno.EAGAIN, "again")
    assert transport_error("x", again).kind == "busy"
    assert transport_error("x", again, I2C).kind == "arbitration"


def test_unknown_errno_keeps_its_number_and_text() -> None:
    fault = transport_error("/sys/x", OSError(errno.ENOSPC, "No space left"))
    assert (fault.kind, fault.errno, str(fault)) == ("io", errno.ENOSPC, "/sys/x: No space left")
