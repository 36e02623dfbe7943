"""The simulated /sys: cpufreq, backlight, GPU, flash, thermal zones, battery (formats: docs/host-sources.md)."""

from __future__ import annotations

from collections.abc import Callable

from powerhal.sim.cpu import CpuCluster
from powerhal.sim.phone import Phone

Text = Callable[[], str]
BRIGHTEST = 1023


def files(phone: Phone) -> dict[str, Text]:
    """Path -> function that writes its content now."""
    found: dict[str, Text] = {
        "/sys/devices/system/cpu/present": lambda: "0-7\n",
        "/sys/class/net/wlan0/device/uevent": lambda: "DRIVER=simwifi\n",
        "/sys/class/net/rmnet_data0/device/uevent": lambda: "DRIVER=simmodem\n",
        "/sys/class/net/lo/mtu": lambda: "65536\n",
    }
    for cluster in (phone.little, phone.big):
        found.update(_cpufreq(cluster))
    found.update(_backlight(phone))
    found.update(_gpu(phone))
    found.update(_thermal(phone))
    found.update(_battery(phone))
    found["/sys/block/mmcblk0/stat"] = lambda: _block_stat(phone)
    return found


def links() -> dict[str, str]:
    """Symbolic links of the tree."""
    return {
        "/sys/class/drm/card0/device": "../../../5000000.gpu",
        "/sys/class/drm/renderD128/device": "../../../5000000.gpu",
        "/sys/class/power_supply/battery/device": "../../4-0055",
    }


def empty_folders() -> tuple[str, ...]:
    """Folders with nothing in them."""
    return ("/sys/class/hwmon", "/sys/bus/iio/devices", "/sys/class/powercap")


def _cpufreq(cluster: CpuCluster) -> dict[str, Text]:
    design = cluster.design
    folder = f"/sys/devices/system/cpu/cpufreq/policy{design.cpus[0]}"
    khz = [round(hz / 1000) for hz, _ in design.opps]
    cpus = " ".join(map(str, design.cpus)) + "\n"

    def time_in_state() -> str:
        return "".join(f"{f} {ticks}\n" for f, ticks in zip(khz, cluster.ticks, strict=True))

    return {
        f"{folder}/related_cpus": lambda: cpus,
        f"{folder}/affected_cpus": lambda: cpus,
        f"{folder}/cpuinfo_min_freq": lambda: f"{khz[0]}\n",
        f"{folder}/cpuinfo_max_freq": lambda: f"{khz[-1]}\n",
        f"{folder}/scaling_governor": lambda: "schedutil\n",
        f"{folder}/scaling_cur_freq": lambda: f"{khz[cluster.level]}\n",
        f"{folder}/stats/time_in_state": time_in_state,
    }


def _backlight(phone: Phone) -> dict[str, Text]:
    folder = "/sys/class/backlight/panel0-backlight"
    display = phone.display
    return {
        f"{folder}/max_brightness": lambda: f"{BRIGHTEST}\n",
        f"{folder}/brightness": lambda: f"{round(display.brightness * BRIGHTEST)}\n",
        f"{folder}/bl_power": lambda: f"{0 if display.on else 4}\n",
    }


def _gpu(phone: Phone) -> dict[str, Text]:
    folder = "/sys/class/kgsl/kgsl-3d0"
    gpu = phone.gpu
    hz = [round(f) for f, _ in gpu.design.opps]
    # the driver lists levels from the fastest down
    return {
        f"{folder}/gpu_available_frequencies": lambda: " ".join(map(str, reversed(hz))) + "\n",
        f"{folder}/gpu_clock_stats": lambda: " ".join(str(ns // 1000) for ns in reversed(gpu.busy_ns)) + "\n",
        f"{folder}/gpuclk": lambda: f"{hz[gpu.level]}\n",
    }


def _thermal(phone: Phone) -> dict[str, Text]:
    heat = phone.heat

    def zone(number: int, name: str, celsius: Callable[[], float]) -> dict[str, Text]:
        folder = f"/sys/class/thermal/thermal_zone{number}"
        return {
            f"{folder}/type": lambda: f"{name}\n",
            f"{folder}/temp": lambda: f"{int(celsius() * 10) * 100}\n",  # the sensor has steps of 0.1 K
        }

    return {
        **zone(0, "cpu-little", lambda: heat.die_c[0]),
        **zone(1, "cpu-big", lambda: heat.die_c[1]),
        **zone(2, "gpu", lambda: heat.die_c[2]),
        **zone(3, "skin", lambda: heat.skin_c),
        **zone(4, "battery", lambda: heat.skin_c - 1.0),
    }


def _battery(phone: Phone) -> dict[str, Text]:
    folder = "/sys/class/power_supply/battery"
    battery = phone.battery
    return {
        f"{folder}/type": lambda: "Battery\n",
        f"{folder}/status": lambda: "Discharging\n",
        f"{folder}/present": lambda: "1\n",
        f"{folder}/voltage_now": lambda: f"{round(battery.volts * 1e3) * 1000}\n",
        f"{folder}/current_now": lambda: f"{-round(battery.amperes * 1e3) * 1000}\n",  # + = charging
        f"{folder}/capacity": lambda: f"{round(battery.fraction * 100)}\n",
        f"{folder}/temp": lambda: f"{round((phone.heat.skin_c - 1.0) * 10)}\n",
    }


def _block_stat(phone: Phone) -> str:
    s = phone.storage
    busy_ms = s.busy_ns // 1_000_000
    return (
        f"{s.reads:8d} 0 {s.read_sectors:8d} {busy_ms:8d} {s.writes:8d} 0 {s.write_sectors:8d} {busy_ms:8d}"
        f" 0 {busy_ms:8d} {2 * busy_ms:8d} 0 0 0 0\n"
    )
