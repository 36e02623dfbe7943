"""The kernel's in-kernel programs by the bpf(2) system call itself: maps, loading, attaching; no compiler, no library.

Instructions are 64-bit words (Documentation/bpf/standardization/instruction-set.rst); commands and attributes
follow include/uapi/linux/bpf.h. Needs CAP_BPF and CAP_PERFMON (or root), Linux 5.12 or later.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from powerhal.errors import TransportError
from powerhal.transport.errnos import transport_error

# number of the system call (arch/*/include/**/unistd*.h); the generic table holds for newer architectures
SYSCALLS: Final = {"x86_64": 321, "i686": 357, "armv7l": 386, "armv6l": 386, "ppc64le": 361}
GENERIC_SYSCALL: Final = 280

MAP_CREATE, LOOKUP, UPDATE, PROG_LOAD, RAW_TRACEPOINT_OPEN = 0, 1, 2, 5, 17
LOOKUP_AND_DELETE_BATCH = 25
HASH, ARRAY = 1, 2
RAW_TRACEPOINT = 17
ATTRIBUTE_BYTES = 144  # zeros behind what a command knows are allowed
LOG_BYTES = 1 << 16
BATCH = 4096


class BpfMap:
    """A map of fixed-size keys and values: `fd` for programs, reads and writes for us."""

    def __init__(self, kind: int, key_bytes: int, value_bytes: int, entries: int) -> None:
        self.key_bytes, self.value_bytes = key_bytes, value_bytes
        self.fd = _call("bpf map", MAP_CREATE, struct.pack("=IIII", kind, key_bytes, value_bytes, entries))
        self._key = ctypes.create_string_buffer(key_bytes)
        self._value = ctypes.create_string_buffer(value_bytes)

    def read(self, key: bytes) -> bytes | None:
        """The value, None where there is no such key."""
        self._key.raw = key
        try:
            _call("bpf map", LOOKUP, self._element(0))
        except TransportError as error:
            if error.kind == "absent":
                return None
            raise
        return self._value.raw

    def write(self, key: bytes, value: bytes) -> None:
        """Set a value; raises TransportError when the map is full."""
        self._key.raw, self._value.raw = key, value
        _call("bpf map", UPDATE, self._element(0))

    def drain(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key and value of a hash map, taken out of it; nobody may write to it meanwhile."""
        keys = ctypes.create_string_buffer(BATCH * self.key_bytes)
        values = ctypes.create_string_buffer(BATCH * self.value_bytes)
        place = ctypes.create_string_buffer(max(self.key_bytes, 8))
        begun = False
        while True:
            at = ctypes.addressof
            attribute = ctypes.create_string_buffer(
                struct.pack(
                    "=QQQQIIQQ", at(place) if begun else 0, at(place), at(keys), at(values), BATCH, self.fd, 0, 0
                ),
                ATTRIBUTE_BYTES,
            )
            try:
                _system_call(LOOKUP_AND_DELETE_BATCH, attribute)
                more = True
            except FileNotFoundError:  # the last batch
                more = False
            except OSError as error:
                raise transport_error("bpf map", error) from None
            count = struct.unpack_from("=I", attribute, 32)[0]
            told = keys.raw, values.raw
            for i in range(count):
                k, v = i * self.key_bytes, i * self.value_bytes
                yield told[0][k : k + self.key_bytes], told[1][v : v + self.value_bytes]
            if not more:
                return
            begun = True

    def close(self) -> None:
        """Let go of the map; may be called twice."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _element(self, flags: int) -> bytes:
        return struct.pack("=IIQQQ", self.fd, 0, ctypes.addressof(self._key), ctypes.addressof(self._value), flags)


def attach(tracepoint: str, instructions: Sequence[int], license_name: str) -> int:
    """Load a program and run it at every passage of a raw tracepoint; answers the descriptor that keeps it there.

    `instructions`: 64-bit words. Raises TransportError: kind 'denied' without the capability, 'absent' without such
    a tracepoint, else with the verifier's last words.
    """
    code = ctypes.create_string_buffer(struct.pack(f"={len(instructions)}Q", *instructions), 8 * len(instructions))
    terms = ctypes.create_string_buffer(license_name.encode())
    log = ctypes.create_string_buffer(LOG_BYTES)
    at = ctypes.addressof
    load = struct.pack("=IIQQIIQ", RAW_TRACEPOINT, len(instructions), at(code), at(terms), 1, LOG_BYTES, at(log))
    try:
        program = _call(f"bpf program for {tracepoint}", PROG_LOAD, load)
    except TransportError as error:
        words = log.value.decode("ascii", "replace").strip().splitlines()
        if words:
            reason = (
                f"{error.message}: {words[-2] if words[-1].startswith('processed') and len(words) > 1 else words[-1]}"
            )
            raise TransportError(reason, kind=error.kind, errno=error.errno) from None
        raise
    name = ctypes.create_string_buffer(tracepoint.encode())
    try:
        return _call(f"bpf tracepoint {tracepoint}", RAW_TRACEPOINT_OPEN, struct.pack("=QI", at(name), program))
    finally:
        os.close(program)  # the attachment holds it


def _call(what: str, command: int, attribute: bytes) -> int:
    try:
        return _system_call(command, ctypes.create_string_buffer(attribute, ATTRIBUTE_BYTES))
    except OSError as error:
        raise transport_error(what, error) from None


def _system_call(command: int, attribute: ctypes.Array[ctypes.c_char]) -> int:
    libc = _libc()
    number = SYSCALLS.get(platform.machine(), GENERIC_SYSCALL)
    result = int(libc.syscall(ctypes.c_long(number), ctypes.c_int(command), attribute, ctypes.c_uint(ATTRIBUTE_BYTES)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
