"""The process source over a model kernel: names, places, other counters, coverage, strange files."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Cluster
from powerhal.errors import TransportError
from powerhal.host import activity_sources
from powerhal.host.proc_files import parse_cgroup, parse_io, parse_stat, parse_uid
from powerhal.host.processes import EXITED, KERNEL, Processes
from tests.host.fake_proc import TICK, FakeProc

MS = 1_000_000
CLUSTERS = (Cluster("little", (0, 1)), Cluster("big", (2, 3)))


def started(kernel: FakeProc, **context) -> Processes:
    (source,) = activity_sources(kernel, kernel.context(**context))
    source.open()
    return source


def step(kernel: FakeProc, source: Processes, ns: int = 100 * MS):
    kernel.clock.t_ns += ns
    return source.scan()


def amounts(scan, pid: int) -> dict[str, float]:
    return {u.activity: u.amount for u in scan.usages if u.pid == pid}


def test_first_scan_names_everyone_and_counts_only_from_open():
    kernel = FakeProc()
    old = kernel.fork(1, "old", uid=1234)
    kernel.run(old.pid, 5_000 * MS)
    source = started(kernel)
    kernel.run(old.pid, 30 * MS)
    scan = step(kernel, source)
    info = next(i for i in scan.new if i.pid == old.pid)
    assert (info.comm, info.uid, info.ppid, info.cgroup, info.kernel) == ("old", 1234, 1, "/user/1234", False)
    assert amounts(scan, old.pid) == {"cpu.all.time": pytest.approx(0.030)}
    assert next(i for i in scan.new if i.pid == 2).kernel
    assert step(kernel, source).new == ()


def test_sleepers_cost_no_file():
    kernel = FakeProc()
    for n in range(50):
        kernel.fork(1, f"sleeper{n}")
    source = started(kernel)
    step(kernel, source)
    kernel.reads.clear()
    step(kernel, source)
    assert set(kernel.reads) <= {"/proc/stat", "/proc/loadavg"}


def test_neither_command_lines_nor_environments_are_read():
    kernel = FakeProc()
    source = started(kernel)
    for _ in range(3):
        child = kernel.fork(1, "x", io=(0, 0))
        kernel.run(child.pid, 20 * MS)
        step(kernel, source)
    assert not [p for p in kernel.reads if "cmdline" in p or "environ" in p]


def test_a_pid_used_again_is_another_process():
    kernel = FakeProc()
    source = started(kernel)
    first = kernel.fork(1, "first", pid=777)
    kernel.run(777, 50 * MS)
    step(kernel, source)
    kernel.end(777)
    kernel.clock.t_ns += TICK
    second = kernel.fork(1, "second", pid=777)
    kernel.run(777, 70 * MS)  # more than the first had: only the start time tells
    scan = step(kernel, source)
    assert first.start_ns != second.start_ns
    assert [i.comm for i in scan.new if i.pid == 777] == ["second"]
    keys = {(u.pid, u.start_ticks): u.amount for u in scan.usages if u.pid == 777}
    assert keys == {(777, second.start_ns // TICK): pytest.approx(0.070)}


def test_new_name_after_exec_is_told_under_the_same_key():
    kernel = FakeProc()
    source = started(kernel)
    child = kernel.fork(1, "sh")
    kernel.run(child.pid, MS)
    step(kernel, source)
    child.comm, child.uid = "cc1", 99
    kernel.run(child.pid, MS)
    (info,) = step(kernel, source).new
    assert (info.pid, info.comm, info.uid, info.start_ticks) == (child.pid, "cc1", 99, child.start_ns // TICK)


def test_newborn_has_its_parents_owner_until_it_is_looked_at_again():
    kernel = FakeProc()
    shell = kernel.fork(1, "sh", uid=1001)
    source = started(kernel)
    child = kernel.fork(shell.pid, "su", uid=0)
    kernel.run(child.pid, MS)
    assert [i.uid for i in step(kernel, source).new if i.pid == child.pid] == [1001]
    kernel.run(child.pid, MS)
    assert [i.uid for i in step(kernel, source).new if i.pid == child.pid] == [0]


def test_endless_renaming_is_not_endless_rows():
    kernel = FakeProc()
    source = started(kernel)
    child = kernel.fork(1, "a")
    told = 0
    for n in range(60):
        child.comm = f"name{n}"
        kernel.run(child.pid, MS)
        told += len(step(kernel, source, 1_000 * MS).new)
    assert told < 15


def test_where_it_ran_single_thread_and_by_threads():
    kernel = FakeProc(n_cpus=4)
    source = started(kernel, clusters=CLUSTERS)
    one = kernel.fork(1, "one", cpu=3)
    kernel.run(one.pid, 40 * MS)
    many = kernel.fork(1, "many", cpu=0, threads={900: (0, 0), 901: (0, 2)})
    scan = step(kernel, source)
    assert amounts(scan, one.pid) == {"cpu.big.time": pytest.approx(0.040)}
    many.threads = {900: (30 * MS, 1), 901: (90 * MS, 2)}
    kernel.run(many.pid, 120 * MS)
    one.cpu = 1
    kernel.run(one.pid, 20 * MS)
    scan = step(kernel, source)
    assert amounts(scan, many.pid) == {
        "cpu.little.time": pytest.approx(0.030), "cpu.big.time": pytest.approx(0.090),
    }  # fmt: skip
    assert amounts(scan, one.pid) == {"cpu.little.time": pytest.approx(0.020)}


def test_interrupts_are_a_row_and_unseen_time_becomes_one_when_it_is_more_than_noise():
    kernel = FakeProc()
    source = started(kernel)
    did = Counter()
    for n in range(40):
        kernel.irq_ns[0] += 20 * MS
        if n >= 20:  # somebody nobody can see
            kernel.busy_ns[1] += 60 * MS
        scan = step(kernel, source)
        for pid in (EXITED, KERNEL):
            did[pid] += sum(amounts(scan, pid).values())
        if n == 19:
            assert did[EXITED] == 0
    assert did[KERNEL] == pytest.approx(0.8, abs=0.05)
    assert did[EXITED] == pytest.approx(20 * 0.06, abs=0.35)


def test_storage_bytes_and_the_refused():
    kernel = FakeProc()
    reader = kernel.fork(1, "dd", io=(1000, 50))
    source = started(kernel)
    reader.io = (5000, 4050)
    kernel.run(reader.pid, MS)
    assert amounts(step(kernel, source), reader.pid)["disk.read_bytes"] == 4000
    reader.io = (5000, 8050)
    kernel.run(reader.pid, MS)
    assert "disk.write_bytes" not in amounts(step(kernel, source), reader.pid)  # once a second
    kernel.run(reader.pid, MS)
    found = amounts(step(kernel, source, 1_000 * MS), reader.pid)
    assert (found["disk.write_bytes"], found.get("disk.read_bytes")) == (4000, None)
    kernel.run(1, MS)
    step(kernel, source)
    assert kernel.reads.count("/proc/1/io") == 1  # refused once, not asked again


def test_traffic_of_a_uid_goes_to_those_who_worked_else_to_the_oldest():
    kernel = FakeProc()
    head = "idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets\n"
    row = head + "2 wlan0 0x0 10061 0 {} 1 {} 1\n"
    kernel.files["/proc/net/xt_qtaguid/stats"] = row.format(100, 100).encode()
    oldest = kernel.fork(1, "app", uid=10061)
    kernel.clock.t_ns += TICK
    second = kernel.fork(1, "app:svc", uid=10061)
    source = started(kernel)
    kernel.files["/proc/net/xt_qtaguid/stats"] = row.format(700, 500).encode()
    assert amounts(step(kernel, source), oldest.pid) == {"net.bytes": 1000}
    kernel.files["/proc/net/xt_qtaguid/stats"] = row.format(1500, 500).encode()
    kernel.run(oldest.pid, 10 * MS)
    kernel.run(second.pid, 30 * MS)
    scan = step(kernel, source)
    assert amounts(scan, oldest.pid)["net.bytes"] == pytest.approx(200)
    assert amounts(scan, second.pid)["net.bytes"] == pytest.approx(600)


def test_gpu_time_from_fdinfo_counts_a_client_once():
    kernel = FakeProc()
    game = kernel.fork(1, "game")
    text = "pos: 0\ndrm-driver: panfrost\ndrm-client-id: 7\ndrm-engine-fragment: {} ns\ndrm-engine-capacity-x: 2\n"
    kernel.files["/sys/class/drm/renderD128/dev"] = b"226:128\n"
    for fd in ("4", "5"):
        kernel.files[f"/proc/{game.pid}/fd/{fd}"] = b"-> /dev/dri/renderD128"
        kernel.files[f"/proc/{game.pid}/fdinfo/{fd}"] = text.format(1_000 * MS).encode()
    kernel.files[f"/proc/{game.pid}/fd/1"] = b"-> /dev/null"
    source = started(kernel)
    for fd in ("4", "5"):
        kernel.files[f"/proc/{game.pid}/fdinfo/{fd}"] = text.format(1_250 * MS).encode()
    kernel.run(game.pid, MS)
    assert amounts(step(kernel, source), game.pid)["gpu.busy"] == pytest.approx(0.25)


def test_without_clocks_ticks_are_used_and_said():
    kernel = FakeProc(clocks=False)
    worker = kernel.fork(1, "worker")
    context = kernel.context()
    (source,) = activity_sources(kernel, context)
    source.open()
    total = 0.0
    for _ in range(10):
        kernel.run(worker.pid, 37 * MS)
        total += amounts(step(kernel, source), worker.pid).get("cpu.all.time", 0.0)
    assert total == pytest.approx(0.37)
    assert any("no CPU clock per process" in note for note in context.notes)


def test_clocks_of_other_processes_are_not_believed():
    kernel = FakeProc()
    for n in range(10):
        kernel.run(kernel.fork(1, f"p{n}").pid, (n + 1) * 3_000 * MS)
    kernel.process_clock_ns = lambda pid: 123  # a /proc of another pid namespace
    source = started(kernel)
    kernel.run(305, 50 * MS)
    assert amounts(step(kernel, source), 305) == {"cpu.all.time": pytest.approx(0.05)}


def test_hidden_processes_are_said_and_named_as_such():
    kernel = FakeProc()
    mine = kernel.fork(1, "mine")
    del kernel.procs[1], kernel.procs[2]
    context = kernel.context()
    (source,) = activity_sources(kernel, context)
    source.open()
    kernel.run(mine.pid, MS)
    scan = step(kernel, source)
    assert any("coverage: own processes" in note for note in context.notes)
    assert next(i.comm for i in scan.new if i.pid == EXITED) == "unseen processes"


def test_process_that_ends_while_it_is_taken_in():
    kernel = FakeProc()
    source = started(kernel)
    child = kernel.fork(1, "gone")
    kernel.run(child.pid, 60 * MS)

    def end(path: str) -> None:
        if path.endswith(f"{child.pid}/stat") and child.pid in kernel.procs:
            kernel.end(child.pid)

    kernel.on_read = end
    total = 0.0
    for _ in range(4):
        total += sum(u.amount for u in step(kernel, source).usages if u.pid != KERNEL)
    assert total == pytest.approx(0.060, abs=0.021)


def test_no_proc_is_a_transport_error():
    kernel = FakeProc()
    (source,) = activity_sources(kernel, kernel.context())

    def refuse(path: str) -> list[str]:
        raise TransportError(path, kind="denied")

    kernel.listdir = refuse
    with pytest.raises(TransportError):
        source.open()
    source.close()
    source.close()


def test_stat_is_parsed_from_the_last_parenthesis():
    tail = b" S 7 0 0 0 -1 4194304 0 0 0 0 11 22 33 44 20 0 3 0 5555" + b" 0" * 16 + b" 2 0 0"
    stat = parse_stat(b"99 (a) b (\n\x1b[31m\xff)" + tail)
    assert stat.comm == "a) b (\\n\\x1b[31m\\xff"
    assert (stat.ppid, stat.own_ns, stat.reaped_ns) == (7, 33 * TICK, 77 * TICK)
    assert (stat.threads, stat.start_ticks, stat.cpu, stat.kernel) == (3, 5555, 2, False)
    worker = parse_stat(b"99 (kworker/0:1-events)" + tail.replace(b"4194304", b"69238880"))
    assert worker.kernel and worker.comm == "kworker/0:1"


@given(st.binary(max_size=200))
def test_parsers_refuse_rubbish_with_value_error_only(content):
    for parse in (parse_stat, parse_io):
        with contextlib.suppress(ValueError):
            parse(content)
    assert isinstance(parse_uid(content), int)
    assert parse_cgroup(content).isprintable()


def test_cgroup_prefers_where_things_really_are():
    assert parse_cgroup(b"0::/system.slice/ssh.service\n") == "/system.slice/ssh.service"
    mixed = b"3:cpu,cpuacct:/\n1:name=systemd:/user.slice/a\n0::/\n"
    assert parse_cgroup(mixed) == "/user.slice/a"
    assert parse_cgroup(b"4:cpu:/bg\n") == "/bg"
    assert parse_cgroup(b"0::/\n") == "/"
    assert parse_cgroup(b"") == ""
