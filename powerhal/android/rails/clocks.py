"""Which time a packet of a Perfetto trace belongs to: clocks joined by the trace's own snapshots.

Trace time is BOOTTIME of the machine that recorded, unless a snapshot names another primary clock. Clock ids
64 to 127 belong to one writer (packet sequence). See perfetto's docs/concepts/clock-sync.md.
"""

from __future__ import annotations

from typing import Any

BOOTTIME = 6
_OWN = range(64, 128)  # clocks of one packet sequence

Key = tuple[int, int, int]  # machine, sequence (0: shared), clock id


class Clocks:
    """Converts packet times to trace time; what no snapshot connects is taken as it stands."""

    def __init__(self) -> None:
        self.primary = BOOTTIME
        self._default: dict[tuple[int, int], int] = {}  # (machine, sequence) -> clock id of its packets
        self._snapshots: list[dict[Key, tuple[int, int]]] = []  # clock -> (raw value, ns)
        self._unit: dict[Key, int] = {}
        self._machine_ns: dict[int, int] = {}  # host BOOTTIME - its BOOTTIME

    def learn(self, packet: Any) -> None:
        """Take what a packet says about clocks."""
        sequence = (packet.machine_id, packet.trusted_packet_sequence_id)
        if packet.HasField("trace_packet_defaults") and packet.trace_packet_defaults.HasField("timestamp_clock_id"):
            self._default[sequence] = packet.trace_packet_defaults.timestamp_clock_id
        if packet.HasField("clock_snapshot"):
            self._learn_snapshot(packet)
        if packet.HasField("remote_clock_sync"):
            self._learn_machine(packet)

    def trace_ns(self, packet: Any) -> int:
        """The packet's own time in trace time, ns."""
        machine, sequence = packet.machine_id, packet.trusted_packet_sequence_id
        clock = packet.timestamp_clock_id or self._default.get((machine, sequence), 0)
        if not clock or clock == BOOTTIME:
            return self.of_boot(packet.timestamp, machine) if clock else self._of_default(packet)
        key = self._key(machine, sequence, clock)
        t_ns = packet.timestamp * self._unit.get(key, 1)
        boot = self._key(machine, sequence, BOOTTIME)
        if self.primary == clock and not machine:
            return int(t_ns)
        return self.of_boot(self._convert(key, boot, t_ns), machine)

    def of_boot(self, boot_ns: int, machine: int = 0) -> int:
        """A BOOTTIME of that machine in trace time, ns."""
        t_ns = boot_ns + self._machine_ns.get(machine, 0)
        if self.primary == BOOTTIME:
            return t_ns
        return self._convert((0, 0, BOOTTIME), (0, 0, self.primary), t_ns)

    def _of_default(self, packet: Any) -> int:
        """Packets that name no clock are in trace time already (of their own machine)."""
        return int(packet.timestamp) + self._machine_ns.get(packet.machine_id, 0)

    def _key(self, machine: int, sequence: int, clock: int) -> Key:
        return (machine, sequence if clock in _OWN else 0, clock)

    def _learn_snapshot(self, packet: Any) -> None:
        machine, sequence = packet.machine_id, packet.trusted_packet_sequence_id
        if packet.clock_snapshot.primary_trace_clock:
            self.primary = packet.clock_snapshot.primary_trace_clock
        clocks: dict[Key, tuple[int, int]] = {}
        for clock in packet.clock_snapshot.clocks:
            key = self._key(machine, sequence, clock.clock_id)
            unit = clock.unit_multiplier_ns or 1
            self._unit[key] = unit
            clocks[key] = (clock.timestamp, clock.timestamp * unit)
        self._snapshots.append(clocks)

    def _learn_machine(self, packet: Any) -> None:
        """Offset between two machines from the first exchange that has BOOTTIME on both sides."""
        for sync in packet.remote_clock_sync.synced_clocks:
            client = {c.clock_id: c.timestamp for c in sync.client_clocks.clocks}
            host = {c.clock_id: c.timestamp for c in sync.host_clocks.clocks}
            if BOOTTIME in client and BOOTTIME in host:
                self._machine_ns.setdefault(packet.machine_id, host[BOOTTIME] - client[BOOTTIME])

    def _convert(self, source: Key, target: Key, t_ns: int) -> int:
        """By the latest snapshot at or before that time, else the first, that has both clocks.

        Clocks that no single snapshot joins are connected over a third one (writer's clock to MONOTONIC in one
        snapshot, MONOTONIC to BOOTTIME in another).
        """
        step = self._offset(source, target, t_ns)
        if step is not None:
            return t_ns + step
        for between in {key for snapshot in self._snapshots if source in snapshot for key in snapshot}:
            first = self._offset(source, between, t_ns)
            second = None if first is None else self._offset(between, target, t_ns + first)
            if first is not None and second is not None:
                return t_ns + first + second
        return t_ns

    def _offset(self, source: Key, target: Key, t_ns: int) -> int | None:
        joined = [s for s in self._snapshots if source in s and target in s]
        if not joined:
            return None
        before = [s for s in joined if s[source][1] <= t_ns]
        best = max(before, key=lambda s: s[source][1]) if before else joined[0]
        return best[target][1] - best[source][1]
