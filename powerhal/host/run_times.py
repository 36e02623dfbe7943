"""Where every process ran and how fast, exactly: run time per process, CPU and frequency, counted by the kernel.

Rung two of the ladder (rung three: `placement.py`): programs on sched_switch and cpu_frequency (`switch_program.py`)
count every slice, those of processes that live between two scans too. Needs CAP_BPF, Linux 5.12, and the kernel's
own type information.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from powerhal.errors import FileError, TransportError
from powerhal.host import switch_program, tree
from powerhal.host.btf import member_offset
from powerhal.transport import FileRoot
from powerhal.transport.bpf import ARRAY, HASH, BpfMap, attach

BTF: Final = "/sys/kernel/btf/vmlinux"
FREQUENCY: Final = "/sys/devices/system/cpu/cpu{}/cpufreq/scaling_cur_freq"
ENTRIES: Final = 1 << 15  # processes that ran in one window, times CPUs and frequencies; 2 MiB of kernel memory a map
NUMBER, COUNTS, CPU = struct.Struct("=I"), struct.Struct("=QQ"), struct.Struct("=QIIQQ")
KEY, CONTROL = struct.Struct("=IIII"), struct.Struct("=Q")


@dataclass(slots=True)
class Ran:
    """What one process did in a window: (CPU, kHz) -> ns (kHz 0: not told), and how often it woke an idle CPU."""

    slices_ns: dict[tuple[int, int], int] = field(default_factory=dict)
    wakeups: int = 0


class RunTimes:
    """The two programs, attached until `close`; `lost_ns` is time that found no room in the kernel's map.

    Opening raises TransportError: 'denied' without the capability, 'absent' where the kernel lacks something, or
    where its process numbers are not ours (another pid namespace).
    """

    def __init__(self, root: FileRoot, cpus: Sequence[int]) -> None:
        self.lost_ns = 0
        self._cpus = tuple(cpus)
        self._ahead: dict[tuple[int, int, int], int] = {}  # of slices that still ran: what is told already
        self._owed: dict[tuple[int, int, int], int] = {}  # told, and not yet seen in the count
        self._active = 0
        self._maps: dict[str, BpfMap] = {}
        self._attached: list[int] = []
        try:
            offset = member_offset(root.read(BTF), "task_struct", "tgid")
            self._attach(root, offset)
            self._prove()
        except FileError as error:
            self.close()
            raise TransportError(f"run times: {error}", kind="absent") from None
        except TransportError:
            self.close()
            raise

    def since(self) -> dict[int, Ran]:
        """Process -> what it did since the last call; what runs now is counted up to this moment.

        The kernel's programs write into one of two maps. The other is emptied here, so nothing is lost and only
        processes that ran cost anything.
        """
        self._active ^= 1
        self._maps["control"].write(NUMBER.pack(0), CONTROL.pack(self._active))
        found: dict[tuple[int, int, int], int] = {}
        ran: dict[int, Ran] = {}
        for key, value in self._maps[f"counts{self._active ^ 1}"].drain():
            process, cpu, khz, _ = KEY.unpack(key)
            ns, wakeups = COUNTS.unpack(value)
            found[process, cpu, khz] = ns
            ran.setdefault(process, Ran()).wakeups += wakeups
        self._settle(found, self._running())
        for (process, cpu, khz), ns in found.items():
            if ns > 0:
                ran.setdefault(process, Ran()).slices_ns[cpu, khz] = ns
        return ran

    def close(self) -> None:
        """Detach; may be called twice."""
        while self._attached:
            os.close(self._attached.pop())
        for each in self._maps.values():
            each.close()

    def _running(self) -> dict[tuple[int, int, int], int]:
        """(process, CPU, kHz) -> ns so far of each slice that has not ended."""
        running = {}
        lost_ns = 0
        for cpu in self._cpus:
            row = self._maps["cpus"].read(NUMBER.pack(cpu))
            since_ns, process, khz, _, lost = CPU.unpack(row or bytes(CPU.size))
            lost_ns += lost
            if process and since_ns:
                running[process, cpu, khz] = max(0, time.monotonic_ns() - since_ns)
        self.lost_ns = lost_ns
        return running

    def _settle(self, found: dict[tuple[int, int, int], int], running: dict[tuple[int, int, int], int]) -> None:
        """Add what still runs, and take off what was told of it the last time.

        A slice that ends between our two looks is counted a call later, so what cannot be taken off now is owed for
        one more call. After that the kernel gave the slice to another process: some switches pass no tracepoint.
        """
        owed = self._owed
        self._owed = {}
        for key, ns in running.items():
            found[key] = found.get(key, 0) + ns
        for key, ns in owed.items():
            found[key] = max(0, found.get(key, 0) - ns)
        for key, ns in self._ahead.items():
            left = found.get(key, 0) - ns
            found[key] = max(0, left)
            if left < 0:
                self._owed[key] = -left
        self._ahead = running

    def _attach(self, root: FileRoot, tgid_offset: int) -> None:
        maps = {
            "cpus": (ARRAY, 4, switch_program.CPU_BYTES, max(self._cpus, default=0) + 1),
            "control": (ARRAY, 4, switch_program.CONTROL_BYTES, 1),
            "counts0": (HASH, switch_program.KEY_BYTES, switch_program.COUNT_BYTES, ENTRIES),
            "counts1": (HASH, switch_program.KEY_BYTES, switch_program.COUNT_BYTES, ENTRIES),
        }
        for name, shape in maps.items():
            self._maps[name] = BpfMap(*shape)
        for cpu in self._cpus:  # the tracepoint tells of changes only
            khz = tree.integer(root, FREQUENCY.format(cpu)) or 0
            self._maps["cpus"].write(NUMBER.pack(cpu), CPU.pack(0, 0, khz, 0, 0))
        fds = {name: each.fd for name, each in self._maps.items()}
        licence = switch_program.LICENCE
        self._attached.append(attach("sched_switch", switch_program.on_switch(fds, tgid_offset), licence))
        self._attached.append(attach("cpu_frequency", switch_program.on_frequency(fds), licence))

    def _prove(self) -> None:
        """Our own process must be there after a rest, by its own number."""
        for _ in range(5):
            time.sleep(0.001)
            if os.getpid() in self.since():
                return
        raise TransportError("run times: the kernel counts under other process numbers than ours", kind="absent")
