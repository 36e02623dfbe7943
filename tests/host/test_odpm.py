"""The on-device power meter as a source: rails, units, staleness, resets, rails that go away."""

from __future__ import annotations

import pytest

from powerhal import host
from powerhal.channel import Quality
from powerhal.errors import TransportError
from powerhal.host import odpm
from tests.host.test_hwmon import values
from tests.host.trees import StillClock, context, write

DEVICE = "/sys/bus/iio/devices/iio:device0"
OTHER = "/sys/bus/iio/devices/iio:device1"


def content(t_ms: int, *energies: tuple[str, int], width: int = 2) -> str:
    forms = {
        2: lambda i, name, uws: f"CH{i}(T={t_ms})[{name}], {uws}\n",
        1: lambda i, name, uws: f"CH{i}[{name}], {uws}\n",
        0: lambda _, name, uws: f"{name}, {uws}\n",
    }
    head = f"t={t_ms}\n" if width == 2 else f"{t_ms}\n"
    return head + "".join(forms[width](i, name, uws) for i, (name, uws) in enumerate(energies))


def meter(tmp_path, *files: tuple[str, str], name="s2mpg10-odpm"):
    return write(tmp_path, {f"{DEVICE}/name": f"{name}\n", **{f"{DEVICE}/{k}": v for k, v in files}})


def update(tmp_path, text: str, device: str = DEVICE) -> None:
    (tmp_path / device.lstrip("/") / "energy_value").write_text(text)


@pytest.mark.parametrize("width", [0, 1, 2])
def test_a_source_per_rail_in_joules(tmp_path, width):
    root = meter(tmp_path, ("energy_value", content(5000, ("S2S_VDD_G3D", 34_334_785), ("L14S", 7), width=width)))
    given = context(rails={"odpm.s2mpg10-odpm.S2S_VDD_G3D": "gpu"})
    first, second = odpm.detect(root, given)
    assert (first.name, second.name) == ("odpm.s2mpg10-odpm.S2S_VDD_G3D", "odpm.s2mpg10-odpm.L14S")
    assert values(first) == pytest.approx({"gpu.energy": 34.334785})
    assert values(second) == pytest.approx({"odpm.s2mpg10-odpm.L14S.energy": 7e-6})
    (channel,) = first.layout.channels
    assert channel.counter and channel.unit == "J" and channel.lsb == pytest.approx(1e-6)
    assert given.notes == []


def test_the_same_snapshot_twice_is_stale_and_a_fall_is_a_reset(tmp_path):
    given = context()
    clock: StillClock = given.clock
    (source,) = odpm.detect(meter(tmp_path, ("energy_value", content(1, ("R", 100)))), given)
    source.open()
    assert source.read().quality == Quality.OK
    clock.t_ns += 30_000_000
    assert source.read().quality == Quality.STALE
    clock.t_ns += 30_000_000
    update(tmp_path, content(70, ("R", 40)))
    assert source.read().quality == Quality.RESET


def test_one_look_serves_all_rails(tmp_path):
    given = context()
    one, two = odpm.detect(meter(tmp_path, ("energy_value", content(1, ("A", 1), ("B", 2)))), given)
    assert values(one) == pytest.approx({"odpm.s2mpg10-odpm.A.energy": 1e-6})
    update(tmp_path, content(2, ("A", 10), ("B", 20)))
    assert two.layout.fields[1].integer(two.read().raw) == 2  # within 20 ms: the snapshot of A
    given.clock.t_ns += 25_000_000
    assert two.layout.fields[1].integer(two.read().raw) == 20
    assert one.layout.fields[1].integer(one.read().raw) == 10


def test_rows_have_the_meters_own_time_when_it_is_this_clock(tmp_path):
    given = context()
    now_ms = given.clock.t_ns // 1_000_000
    (source,) = odpm.detect(meter(tmp_path, ("energy_value", content(now_ms - 40, ("R", 1)))), given)
    assert source.read().t_ns == (now_ms - 40) * 1_000_000
    given.clock.t_ns += 5_000_000_000
    update(tmp_path, content(3, ("R", 2)))  # a copied tree: another machine's boot
    assert source.read().t_ns == given.clock.t_ns


def test_a_rail_that_goes_away_is_missing_and_the_others_stay(tmp_path):
    given = context()
    one, two = odpm.detect(meter(tmp_path, ("energy_value", content(1, ("A", 1), ("B", 2)))), given)
    update(tmp_path, content(2, ("A", (1 << 64) - 1), ("B", 3)))
    assert one.read().quality & Quality.MISSING and "A" in one.last_fault
    assert two.read().quality == Quality.OK
    given.clock.t_ns += 1_000_000_000
    update(tmp_path, "")
    assert two.read().quality & Quality.MISSING and "no snapshot" in two.last_fault
    given.clock.t_ns += 1_000_000_000
    update(tmp_path, content(4, ("A", 5), ("B", 6)))
    assert two.read().quality == Quality.OK
    two.close()
    two.close()


def test_open_says_what_is_wrong(tmp_path):
    (source,) = odpm.detect(meter(tmp_path, ("energy_value", content(1, ("A", 1)))), context())
    update(tmp_path, "garbage\n")
    with pytest.raises(TransportError, match="no snapshot"):
        source.open()


def test_two_meters_of_one_name_are_told_apart_and_never_read_faster_than_the_driver(tmp_path):
    text = content(1, ("A", 1))
    root = write(
        tmp_path,
        {f"{d}/{f}": t for d in (DEVICE, OTHER) for f, t in (("name", "odpm\n"), ("energy_value", text))},
    )
    found = odpm.detect(root, context(rates_hz={"odpm": 1000.0}))
    assert [s.name for s in found] == ["odpm.odpm@device0.A", "odpm.odpm@device1.A"]
    assert {s.period_s for s in found} == {0.05}


def test_absent_is_a_note_and_a_meter_without_rails_too(tmp_path):
    given = context()
    assert odpm.detect(write(tmp_path, {"/proc/stat": ""}), given) == []
    assert given.notes == ["no on-device power meter (energy_value of an IIO device)"]
    again = context()
    assert odpm.detect(meter(tmp_path, ("energy_value", "t=5\n")), again) == []
    assert "names no rail" in again.notes[0]


def test_it_is_one_of_the_sensors_of_every_host(tmp_path):
    root = meter(tmp_path, ("energy_value", content(1, ("A", 1))))
    assert [s.name for s in host.detect(root, context(), host.SENSORS)] == ["odpm.s2mpg10-odpm.A"]


def test_platform_files(shared):
    """The shared `energy_value` files decode to their printed integers."""
    folder = shared / "data" / "android" / "powerstats"
    for file in sorted(folder.glob("iio_energy_value_*")):
        rails, (t_ms, *energies) = odpm.snapshot(file.read_bytes())
        lines = file.read_text().splitlines()
        assert f"t={t_ms}" == lines[0]
        assert [f"CH{n}(T={t_ms})[{r}], {e}" for (n, r), e in zip(rails, energies, strict=True)] == lines[1:]
