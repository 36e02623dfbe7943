"""Last words of processes: the kernel's taskstats exit records, where they are permitted.

With CAP_NET_ADMIN in the first namespaces, generic netlink tells the CPU time of every thread and process
that ends (Documentation/accounting/taskstats.rst, struct taskstats in include/uapi/linux/taskstats.h).
Only the run time of processes that a scan has seen is taken out of it; without permission there are no
records, and the tails of ended processes are estimated.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Container
from typing import Final

from powerhal.errors import TransportError

NETLINK_GENERIC: Final = 16
GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 16, 3, 1, 2
NLM_F_REQUEST, NLM_F_ACK, NLMSG_ERROR = 1, 4, 2
TASKSTATS_CMD_GET, REGISTER_CPUMASK = 1, 3
TYPE_STATS, AGGR_PID, AGGR_TGID = 3, 4, 5
RUN_TIME_AT = 72  # cpu_run_virtual_total: the scheduler's own ns, the same that the process clock counts
FIRST_ATTRIBUTE_AT = 20  # after struct nlmsghdr and struct genlmsghdr
BUFFER_BYTES = 1 << 20  # a thousand records; what does not fit is counted as lost


class ExitRecords:
    """A listening socket; `drain` answers what ended since the last call.

    Opening raises TransportError (kind 'denied' or 'absent') where the kernel does not allow or have it.
    """

    def __init__(self) -> None:
        self.lost = 0
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_GENERIC)
        except OSError as error:
            raise TransportError(f"taskstats: {error}", kind="absent", errno=error.errno) from None
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
            self._socket.settimeout(1.0)
            self._socket.bind((0, 0))
            self._family = self._find_family()
            self._register()
            self._socket.setblocking(False)
        except (OSError, ValueError, struct.error) as error:
            self.close()
            kind = "denied" if isinstance(error, PermissionError) else "absent"
            raise TransportError(f"taskstats: {error}", kind=kind) from None

    def drain(self, wanted: Container[int]) -> dict[int, int]:
        """pid -> CPU time in ns of those `wanted` processes that ended; never blocks.

        A process of several threads tells the whole group's time last, which replaces the leader's.
        """
        ended: dict[int, int] = {}
        while True:
            try:
                message = self._socket.recv(4096)
            except BlockingIOError:
                return ended
            except OSError:  # ENOBUFS: the kernel dropped some (F39)
                self.lost += 1
                continue
            record = parse_record(message, self._family, wanted)
            if record is not None:
                ended[record[0]] = record[1]

    def close(self) -> None:
        """Stop listening; may be called twice."""
        self._socket.close()

    def _find_family(self) -> int:
        name = _attribute(CTRL_ATTR_FAMILY_NAME, b"TASKSTATS\0")
        self._socket.send(_message(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, name))
        answer = self._answer()
        at = FIRST_ATTRIBUTE_AT
        while at + 4 <= len(answer):
            size, kind = struct.unpack_from("=HH", answer, at)
            if kind == CTRL_ATTR_FAMILY_ID:
                return int(struct.unpack_from("=H", answer, at + 4)[0])
            at += max(4, (size + 3) & ~3)
        raise ValueError("the kernel has no taskstats")

    def _register(self) -> None:
        cpus = f"0-{(os.cpu_count() or 1) - 1}".encode()
        with open("/sys/devices/system/cpu/possible", "rb") as file:
            cpus = file.read().strip() or cpus  # the mask must hold possible CPUs, not only those that are on
        self._socket.send(_message(self._family, TASKSTATS_CMD_GET, _attribute(REGISTER_CPUMASK, cpus + b"\0")))
        self._answer()

    def _answer(self) -> bytes:
        answer = self._socket.recv(4096)
        if struct.unpack_from("=H", answer, 4)[0] == NLMSG_ERROR:
            code = -struct.unpack_from("=i", answer, 16)[0]
            if code:
                raise OSError(code, os.strerror(code))
        return answer


def parse_record(message: bytes, family: int, wanted: Container[int]) -> tuple[int, int] | None:
    """(pid, CPU ns) that one exit message tells of a wanted process, else None.

    Layout: an attribute AGGR_PID about the thread that ended; when it was the last of several, an attribute
    AGGR_TGID about the whole process after it, which counts.
    """
    if len(message) < FIRST_ATTRIBUTE_AT + 12 or struct.unpack_from("=H", message, 4)[0] != family:
        return None
    told = None
    at = FIRST_ATTRIBUTE_AT
    while at + 12 <= len(message):
        size, kind = struct.unpack_from("=HH", message, at)
        pid = int(struct.unpack_from("=I", message, at + 8)[0])
        if kind in (AGGR_PID, AGGR_TGID) and pid in wanted:
            run_ns = _run_time_ns(message, at + 4, min(len(message), at + size))
            told = (pid, run_ns) if run_ns is not None else told
        at += max(4, (size + 3) & ~3)
    return told


def _run_time_ns(message: bytes, at: int, end: int) -> int | None:
    """Run time of the struct taskstats among the attributes in `at` to `end`.

    Before it come the id and perhaps an empty attribute that keeps 64-bit numbers aligned.
    """
    while at + 4 <= end:
        size, kind = struct.unpack_from("=HH", message, at)
        if kind == TYPE_STATS and at + 4 + RUN_TIME_AT + 8 <= end:
            return int(struct.unpack_from("=Q", message, at + 4 + RUN_TIME_AT)[0])
        at += max(4, (size + 3) & ~3)
    return None


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _message(family: int, command: int, payload: bytes) -> bytes:
    size = FIRST_ATTRIBUTE_AT + len(payload)
    head = struct.pack("=IHHII", size, family, NLM_F_REQUEST | NLM_F_ACK, 1, 0)
    return head + struct.pack("=BBH", command, 1, 0) + payload
