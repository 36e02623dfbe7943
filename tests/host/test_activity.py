"""cpufreq, cpu, idle, thermal, net, disk, display, gpu, on copies of four machines."""

from __future__ import annotations

import pytest

from powerhal.channel import Cluster, Quality
from powerhal.host import ACTIVITIES, SENSORS, activity_sources, cpufreq, detect, display, gpu, net
from powerhal.host.clusters import groups
from powerhal.host.cpu import forks, per_cpu
from tests.host.test_hwmon import values
from tests.host.trees import LAPTOP, ODROID_XU3, PHONE, RASPBERRY_PI_4, context, stat, write

CLUSTERS = (Cluster("little", (0, 1, 2, 3)), Cluster("big", (4, 5, 6, 7)))


def sources(tmp_path, files, modules=ACTIVITIES, **given):
    root = write(tmp_path, files)
    return {s.name: s for s in detect(root, context(**given), modules)}


def test_pi(tmp_path):
    found = sources(tmp_path, RASPBERRY_PI_4)
    assert set(found) == {
        "cpufreq.policy0", "cpu", "thermal.cpu-thermal", "net.eth0", "net.wlan0", "disk.mmcblk0", "gpu",
    }  # fmt: skip
    assert values(found["cpufreq.policy0"]) == pytest.approx({
        "cpu.policy0.time@600000000": 70.0, "cpu.policy0.time@1000000000": 3.0,
        "cpu.policy0.time@1500000000": 12.0, "cpu.policy0.frequency": 1.5e9,
    })  # fmt: skip
    # per CPU: 1000 + 500 of processes, 3 + 4 + 5 of the kernel, 9000 + 10 idle
    assert values(found["cpu"]) == pytest.approx({"cpu.policy0.busy": 60.48, "cpu.policy0.idle": 360.4})
    assert values(found["thermal.cpu-thermal"]) == pytest.approx({"thermal.cpu-thermal.temperature": 48.686})
    assert values(found["net.wlan0"]) == {"net.wlan0.rx_bytes": 500, "net.wlan0.tx_bytes": 700, "net.wlan0.packets": 12}
    assert values(found["disk.mmcblk0"]) == pytest.approx(
        {"disk.mmcblk0.read_bytes": 2**20, "disk.mmcblk0.write_bytes": 2**21, "disk.mmcblk0.busy": 1.234}
    )
    assert values(found["gpu"]) == pytest.approx({"gpu.busy": 4e-6})


def test_big_little_uses_the_boards_names(tmp_path):
    found = sources(tmp_path, ODROID_XU3, clusters=CLUSTERS)
    assert values(found["cpufreq.big"])["cpu.big.time@2000000000"] == pytest.approx(0.4)
    assert set(values(found["cpu"])) == {"cpu.little.busy", "cpu.little.idle", "cpu.big.busy", "cpu.big.idle"}
    assert values(found["idle.big"]) == pytest.approx(
        {"cpu.big.idle@WFI": (4 * 1000 + 4 + 5 + 6 + 7) * 1e-6, "cpu.big.idle@c2_deep": 8.0}
    )
    assert values(found["gpu"]) == pytest.approx(
        {"gpu.time@177000000": 12.0, "gpu.time@420000000": 0.345, "gpu.frequency": 420e6}
    )


def test_single_cpu_policies_are_one_cluster(tmp_path):
    root = write(tmp_path, LAPTOP)
    (group,) = groups(root, context())
    assert (group.name, group.cpus, len(group.policies)) == ("policy0", (0, 1, 2, 3), 4)
    (source,) = cpufreq.detect(root, context())
    assert values(source)["cpu.policy0.time@400000000"] == pytest.approx(0.4)
    assert values(source)["cpu.policy0.frequency"] == pytest.approx(800001e3)


def test_laptop_display_and_zones(tmp_path):
    found = sources(tmp_path, LAPTOP)
    assert values(found["display"]) == pytest.approx({"display.brightness": 0.25, "display.on": 1})
    assert values(found["thermal.x86_pkg_temp-1"]) == pytest.approx({"thermal.x86_pkg_temp-1.temperature": -2.0})
    (tmp_path / "sys/class/backlight/intel_backlight/bl_power").write_text("4\n")
    assert values(found["display"]) == {"display.brightness": 0, "display.on": 0}


def test_phone(tmp_path):
    found = sources(tmp_path, PHONE, clusters=CLUSTERS)
    assert values(found["gpu"]) == pytest.approx({
        "gpu.time@710000000": 1.0, "gpu.time@342000000": 2.0, "gpu.time@257000000": 0.5,
        "gpu.busy": 3.5, "gpu.frequency": 257e6,
    })  # fmt: skip
    assert values(found["display"]) == pytest.approx({"display.brightness": 0.2, "display.on": 1})


def test_counter_that_falls_is_a_reset(tmp_path):
    found = sources(tmp_path, RASPBERRY_PI_4)
    source = found["disk.mmcblk0"]
    assert source.read().quality == Quality.OK
    (tmp_path / "sys/block/mmcblk0/stat").write_text("1 0 1 0 0 0 1 0 0 1 1\n")
    assert source.read().quality == Quality.RESET
    assert source.read().quality == Quality.OK


def test_cpu_that_is_switched_off_does_not_make_counters_fall(tmp_path):
    root = write(tmp_path, {"/proc/stat": stat(4, busy=1000)})
    (source,) = detect(root, context(), ["cpu"])
    before = values(source)["cpu.all.busy"]
    (tmp_path / "proc/stat").write_text(stat(2, busy=1100))
    reading = source.read()
    assert reading.quality == Quality.OK
    assert values(source)["cpu.all.busy"] > before


def test_interface_that_goes_is_missing(tmp_path):
    root = write(tmp_path, RASPBERRY_PI_4)
    source = next(s for s in net.detect(root, context()) if s.name == "net.wlan0")
    (tmp_path / "proc/net/dev").write_text("a\nb\neth0: 1 2 3 4 5 6 7 8 9 10\n")
    assert source.read().quality == Quality.MISSING


def test_empty_machine_gives_notes_and_no_error(tmp_path):
    given = context()
    root = write(tmp_path, {"/etc/x": ""})
    assert detect(root, given, SENSORS + ACTIVITIES) == []
    assert activity_sources(root, given) == []
    assert len(given.notes) == len(set(given.notes)) >= 10


def test_board_cluster_that_is_not_in_this_machine_is_noted(tmp_path):
    given = context(clusters=(*CLUSTERS, Cluster("prime", (8,))))
    assert [g.name for g in groups(write(tmp_path, PHONE), given)] == ["little", "big"]
    assert any("prime" in note for note in given.notes)


def test_rates_by_kind_and_by_name(tmp_path):
    found = sources(tmp_path, RASPBERRY_PI_4, rates_hz={"net": 2.0, "net.eth0": 5.0})
    assert found["net.eth0"].period_s == pytest.approx(0.2)
    assert found["net.wlan0"].period_s == pytest.approx(0.5)


def test_proc_stat_lines():
    content = stat(2, forks=77).encode()
    assert forks(content) == 77 and forks(b"cpu0 1 2 3 4\n") is None
    assert per_cpu(content)[1].interrupts == 12


def test_gpu_and_display_parsers_survive_rubbish(tmp_path):
    root = write(tmp_path, {
        "/sys/class/kgsl/kgsl-3d0/gpu_clock_stats": "x y\n",
        "/sys/class/kgsl/kgsl-3d0/gpu_available_frequencies": "1 2\n",
        "/sys/class/backlight/b/max_brightness": "0\n",
    })  # fmt: skip
    assert display.detect(root, context()) == []
    for source in gpu.detect(root, context()):
        assert source.read().quality == Quality.MISSING
