"""Small copies of /sys and /proc of four machines, written out as folders and read through CopiedRoot."""

from __future__ import annotations

from pathlib import Path

from powerhal.host.context import HostContext
from powerhal.transport.files import CopiedRoot

CPU = "/sys/devices/system/cpu"
NET = (
    "Inter-|   Receive                            |  Transmit\n"
    " face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier\n"
    "    lo: 3293 31 0 0 0 0 0 0 3293 31 0 0 0 0 0 0\n"
)


class StillClock:
    """A clock that a test moves by hand."""

    def __init__(self, t_ns: int = 1_000_000_000_000) -> None:
        self.t_ns = t_ns

    def now_ns(self) -> int:
        return self.t_ns

    def sleep_until(self, t_ns: int) -> None:
        self.t_ns = max(self.t_ns, t_ns)

    def realtime_ns(self) -> int:
        return self.t_ns


def stat(n: int, busy: int = 1000, forks: int = 5000) -> str:
    cpus = "".join(f"cpu{i} {busy} 0 {busy // 2} 9000 10 3 4 5 0 0\n" for i in range(n))
    return f"cpu  0 0 0 0 0 0 0 0 0 0\n{cpus}intr 1 2 3\nctxt 55\nbtime 1\nprocesses {forks}\nprocs_running 1\n"


def policy(name: str, cpus: str, states: dict[int, int], now: int) -> dict[str, str]:
    folder = f"{CPU}/cpufreq/{name}"
    return {
        f"{folder}/related_cpus": f"{cpus}\n",
        f"{folder}/scaling_cur_freq": f"{now}\n",
        f"{folder}/cpuinfo_max_freq": f"{max(states)}\n",
        f"{folder}/stats/time_in_state": "".join(f"{f} {t}\n" for f, t in states.items()),
    }


def write(base: Path, files: dict[str, str]) -> CopiedRoot:
    """Write the tree: content, or '-> TARGET' for a symbolic link."""
    for path, content in files.items():
        place = base / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("-> "):
            place.symlink_to(content[3:])
        else:
            place.write_bytes(content.encode("utf-8", "surrogateescape"))
    return CopiedRoot(base)


def context(**given) -> HostContext:
    return HostContext(StillClock(), **given)


RASPBERRY_PI_4: dict[str, str] = {
    "/proc/stat": stat(4),
    "/proc/net/dev": NET
    + "  eth0: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n wlan0: 500 5 0 0 0 0 0 0 700 7 0 0 0 0 0 0\n"
    + "docker0: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n",
    "/sys/class/net/eth0/device/vendor": "x\n",
    "/sys/class/net/wlan0/device/vendor": "x\n",
    "/sys/class/net/docker0/mtu": "1500\n",
    **policy("policy0", "0 1 2 3", {600000: 7000, 1000000: 300, 1500000: 1200}, 1500000),
    "/sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
    "/sys/class/thermal/thermal_zone0/temp": "48686\n",
    "/sys/block/mmcblk0/stat": "100 0 2048 50 10 0 4096 70 0 1234 120 0 0 0 0\n",
    "/sys/block/loop0/stat": "1 0 8 0 0 0 0 0 0 0 0\n",
    "/sys/class/hwmon/hwmon0/name": "cpu_thermal\n",
    "/sys/class/hwmon/hwmon0/temp1_input": "48686\n",
    "/sys/class/hwmon/hwmon1/name": "rpi_volt\n",
    "/sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0\n",
    "/sys/class/hwmon/hwmon2/name": "ina219\n",
    "/sys/class/hwmon/hwmon2/device": "-> ../../../1-0040",
    "/sys/class/hwmon/hwmon2/in0_input": "12\n",
    "/sys/class/hwmon/hwmon2/in1_input": "5104\n",
    "/sys/class/hwmon/hwmon2/curr1_input": "-842\n",
    "/sys/class/hwmon/hwmon2/power1_input": "4300000\n",
    "/sys/class/hwmon/hwmon2/shunt_resistor": "100000\n",
    "/sys/class/drm/card0/device/gpu_stats": (
        "queue\ttimestamp\tjobs\truntime\nbin\t99\t3\t1500\nrender\t99\t3\t2500\n"
    ),
}

ODROID_XU3: dict[str, str] = {
    "/proc/stat": stat(8),
    **policy("policy0", "0 1 2 3", {200000: 100, 1400000: 50}, 1400000),
    **policy("policy4", "4 5 6 7", {200000: 500, 2000000: 40}, 200000),
    **{
        path: content
        for n, (bus, address, milliwatt) in enumerate((("0", "40", 900), ("0", "41", 120), ("0", "44", 310)))
        for path, content in {
            f"/sys/class/hwmon/hwmon{n}/name": "ina231\n",
            f"/sys/class/hwmon/hwmon{n}/device": f"-> ../../../{bus}-00{address}",
            f"/sys/class/hwmon/hwmon{n}/in0_input": "1\n",
            f"/sys/class/hwmon/hwmon{n}/in1_input": "1000\n",
            f"/sys/class/hwmon/hwmon{n}/curr1_input": f"{milliwatt}\n",
        }.items()
    },
    "/sys/class/hwmon/hwmon7/name": "ina3221\n",
    "/sys/class/hwmon/hwmon7/device": "-> ../../../1-0041",
    **{f"/sys/class/hwmon/hwmon7/in{i}_input": f"{5000 + i}\n" for i in (1, 2, 4, 5, 7)},
    **{f"/sys/class/hwmon/hwmon7/curr{i}_input": f"{100 * i}\n" for i in (1, 2)},
    "/sys/class/hwmon/hwmon7/in1_label": "VDD_IN\n",
    "/sys/class/hwmon/hwmon7/in2_label": "VDD_CPU\n",
    "/sys/class/hwmon/hwmon7/shunt1_resistor": "5000\n",
    "/sys/class/devfreq/11800000.gpu/cur_freq": "420000000\n",
    "/sys/class/devfreq/11800000.gpu/trans_stat": (
        "     From  :   To\n           : 177000000 420000000   time(ms)\n"
        "  177000000:         0         3     12000\n* 420000000:         2         0       345\n"
        "Total transition : 5\n"
    ),
    "/sys/class/devfreq/10c20000.memory-controller/cur_freq": "1\n",
    **{
        path: content
        for cpu in range(8)
        for path, content in {
            f"{CPU}/cpu{cpu}/cpuidle/state0/name": "WFI\n",
            f"{CPU}/cpu{cpu}/cpuidle/state0/time": f"{1000 + cpu}\n",
            f"{CPU}/cpu{cpu}/cpuidle/state1/name": "c2 deep\n",
            f"{CPU}/cpu{cpu}/cpuidle/state1/time": "2000000\n",
        }.items()
    },
}

LAPTOP: dict[str, str] = {
    "/proc/stat": stat(4),
    **{k: v for i in range(4) for k, v in policy(f"policy{i}", str(i), {400000: 10, 3000000: 5}, 800000 + i).items()},
    "/sys/class/power_supply/AC/type": "Mains\n",
    "/sys/class/power_supply/BAT0/type": "Battery\n",
    "/sys/class/power_supply/BAT0/status": "Discharging\n",
    "/sys/class/power_supply/BAT0/voltage_now": "11800000\n",
    "/sys/class/power_supply/BAT0/power_now": "9440000\n",
    "/sys/class/power_supply/BAT0/energy_now": "30000000\n",
    "/sys/class/power_supply/BAT0/capacity": "62\n",
    "/sys/class/power_supply/hidpp_battery_0/type": "Battery\n",
    "/sys/class/power_supply/hidpp_battery_0/scope": "Device\n",
    "/sys/class/power_supply/hidpp_battery_0/capacity": "90\n",
    "/sys/class/powercap/intel-rapl/enabled": "1\n",
    "/sys/class/powercap/intel-rapl:0/name": "package-0\n",
    "/sys/class/powercap/intel-rapl:0/energy_uj": "123456789\n",
    "/sys/class/powercap/intel-rapl:0/max_energy_range_uj": "262143328850\n",
    "/sys/class/powercap/intel-rapl:0:0/name": "core\n",
    "/sys/class/powercap/intel-rapl:0:0/energy_uj": "456\n",
    "/sys/class/powercap/intel-rapl:0:0/max_energy_range_uj": "262143328850\n",
    "/sys/class/powercap/intel-rapl-mmio:0/name": "package-0\n",
    "/sys/class/powercap/intel-rapl-mmio:0/energy_uj": "9\n",
    "/sys/class/backlight/intel_backlight/max_brightness": "1000\n",
    "/sys/class/backlight/intel_backlight/brightness": "250\n",
    "/sys/class/backlight/intel_backlight/bl_power": "0\n",
    "/sys/class/thermal/thermal_zone0/type": "x86_pkg_temp\n",
    "/sys/class/thermal/thermal_zone0/temp": "51000\n",
    "/sys/class/thermal/thermal_zone1/type": "x86_pkg_temp\n",
    "/sys/class/thermal/thermal_zone1/temp": "-2000\n",
    "/sys/class/thermal/thermal_zone2/type": "iwlwifi_1\n",
}

PHONE: dict[str, str] = {
    "/proc/stat": stat(8),
    **policy("policy0", "0 1 2 3", {300000: 900, 1766400: 100}, 300000),
    **policy("policy4", "4 5 6 7", {825600: 990, 2803200: 10}, 825600),
    "/sys/class/power_supply/battery/type": "Battery\n",
    "/sys/class/power_supply/battery/status": "Discharging\n",
    "/sys/class/power_supply/battery/voltage_now": "4012000\n",
    "/sys/class/power_supply/battery/current_now": "312500\n",
    "/sys/class/power_supply/battery/charge_counter": "2500000\n",
    "/sys/class/power_supply/battery/capacity": "83\n",
    "/sys/class/power_supply/usb/type": "USB\n",
    "/sys/class/kgsl/kgsl-3d0/gpu_available_frequencies": "710000000 342000000 257000000 \n",
    "/sys/class/kgsl/kgsl-3d0/gpu_clock_stats": "1000000 2000000 500000 \n",
    "/sys/class/kgsl/kgsl-3d0/gpuclk": "257000000\n",
    "/sys/class/leds/lcd-backlight/max_brightness": "255\n",
    "/sys/class/leds/lcd-backlight/brightness": "51\n",
    "/proc/net/xt_qtaguid/stats": (
        "idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets rx_tcp_bytes\n"
        "2 wlan0 0x0 10061 0 1000 9 500 9 0\n3 wlan0 0x0 10061 1 100 9 50 9 0\n"
        "4 wlan0 0xff00000000000000 10061 0 70 1 7 1 0\n5 lo 0x0 10061 0 9999 9 9999 9 0\n"
        "6 rmnet0 0x0 0 0 11 1 22 1 0\n"
    ),
}
