from __future__ import annotations

import os
import struct
import subprocess
import sys

import pytest

from powerhal.errors import TransportError
from powerhal.transport.bpf import ARRAY, HASH, BpfMap, attach


@pytest.fixture
def counts():
    try:
        made = BpfMap(HASH, 4, 8, 10_000)
    except TransportError as error:
        pytest.skip(str(error))
    yield made
    made.close()


def test_a_map_gives_back_what_was_written(counts):
    assert counts.read(struct.pack("=I", 1)) is None
    for n in range(9000):  # more than one batch
        counts.write(struct.pack("=I", n), struct.pack("=Q", n * n))
    assert counts.read(struct.pack("=I", 99)) == struct.pack("=Q", 9801)
    drained = {struct.unpack("=I", key)[0]: struct.unpack("=Q", value)[0] for key, value in counts.drain()}
    assert drained == {n: n * n for n in range(9000)}
    assert list(counts.drain()) == []


def test_a_full_map_is_an_error(counts):
    small = BpfMap(ARRAY, 4, 8, 1)
    with pytest.raises(TransportError):
        small.write(struct.pack("=I", 1), bytes(8))
    small.close()
    small.close()


def test_the_verifiers_reason_is_told(counts):
    with pytest.raises(TransportError, match="R0"):
        attach("sched_switch", [0x95], "GPL")  # leaves without a result


def test_an_unknown_tracepoint_is_absent(counts):
    with pytest.raises(TransportError) as caught:
        attach("no_such_tracepoint", [0xB7, 0x95], "GPL")
    assert caught.value.kind == "absent"


def test_without_the_capability_it_is_denied():
    if os.geteuid() != 0:
        with pytest.raises(TransportError) as caught:
            BpfMap(HASH, 4, 8, 10)
        assert caught.value.kind in ("denied", "absent")
        return
    code = (
        "import os\nfrom powerhal.transport.bpf import *\nfrom powerhal.errors import TransportError\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: attach('sched_switch', [0xB7, 0x95], 'GPL')\n"
        "except TransportError as error: print(error.kind)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() in ("denied", "absent")
