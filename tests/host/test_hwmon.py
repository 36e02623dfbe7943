from __future__ import annotations

import struct

import pytest

from powerhal.channel import Quality
from powerhal.errors import TransportError
from powerhal.host import hwmon
from tests.host.trees import ODROID_XU3, RASPBERRY_PI_4, context, write


def values(source) -> dict[str, float]:
    """Channels of one row in SI, decoded from the layout by hand."""
    reading = source.read()
    integers = struct.unpack(f"<{len(source.layout.fields)}q", reading.raw)
    fields = {f.name: i * f.scale + f.bias for f, i in zip(source.layout.fields, integers, strict=True)}
    table = {}
    for channel in source.layout.channels:
        if channel.product:
            table[channel.name] = fields[channel.product[0]] * fields[channel.product[1]]
        else:
            table[channel.name] = fields[channel.field]
    return table


def test_ina219_on_a_pi_is_found_by_name_and_address(tmp_path):
    root = write(tmp_path, RASPBERRY_PI_4)
    (source,) = hwmon.detect(root, context())
    assert source.name == "hwmon.ina219@1-0040"
    assert values(source) == pytest.approx(
        {f"{source.name}.voltage": 5.104, f"{source.name}.current": -0.842, f"{source.name}.power": 4.3}
    )
    chip = hwmon.at_i2c(root, 1, 0x40)
    assert chip and chip.shunt_ohms == {"1": pytest.approx(0.1)}
    assert hwmon.at_i2c(root, 1, 0x41) is None


def test_rails_of_the_board_name_the_channels_and_power_is_a_product(tmp_path):
    root = write(tmp_path, ODROID_XU3)
    given = context(rails={"hwmon.ina231@0-0040": "big", "hwmon.ina3221.VDD_IN": "in"})
    found = {s.name: s for s in hwmon.detect(root, given)}
    assert set(found) == {
        "hwmon.ina231@0-0040", "hwmon.ina231@0-0041", "hwmon.ina231@0-0044",
        "hwmon.ina3221@1-0041.VDD_IN", "hwmon.ina3221@1-0041.VDD_CPU",
    }  # fmt: skip
    assert values(found["hwmon.ina231@0-0040"]) == pytest.approx(
        {"big.voltage": 1.0, "big.current": 0.9, "big.power": 0.9}
    )
    # labels exist for voltages only; inputs 4 and above are shunt voltages
    assert values(found["hwmon.ina3221@1-0041.VDD_IN"]) == pytest.approx(
        {"in.voltage": 5.001, "in.current": 0.1, "in.power": 0.5001}
    )
    assert all(c.rail == "big" for c in found["hwmon.ina231@0-0040"].layout.channels)


def test_names_do_not_depend_on_the_kernels_numbering(tmp_path):
    renamed = {path.replace("hwmon2/", "hwmon9/"): content for path, content in RASPBERRY_PI_4.items()}
    (source,) = hwmon.detect(write(tmp_path, renamed), context())
    assert source.name == "hwmon.ina219@1-0040"


def test_average_is_preferred_and_energy_counts(tmp_path):
    folder = "/sys/class/hwmon/hwmon0"
    root = write(tmp_path, {
        f"{folder}/name": "scpi_sensors\n", f"{folder}/power1_input": "5\n",
        f"{folder}/power1_average": "2500000\n", f"{folder}/energy1_input": "7000000\n",
        f"{folder}/power1_label": "SYS\n", f"{folder}/energy1_label": "SYS\n",
    })  # fmt: skip
    (source,) = hwmon.detect(root, context())
    assert values(source) == pytest.approx({"hwmon.scpi_sensors.power": 2.5, "hwmon.scpi_sensors.energy": 7.0})
    energy = next(c for c in source.layout.channels if c.quantity == "energy")
    assert energy.counter and energy.quality_class == "accumulated"


def test_pmbus_labels_pair_input_and_output(tmp_path):
    folder = "/sys/class/hwmon/hwmon0"
    files = {f"{folder}/name": "lm25066\n"}
    for kind, index, label, value in (("in", 1, "vin", 12000), ("in", 3, "vout1", 5000), ("curr", 1, "iin", 500),
                                      ("curr", 2, "iout1", 1100), ("power", 1, "pin", 6000000)):  # fmt: skip
        files[f"{folder}/{kind}{index}_input"] = f"{value}\n"
        files[f"{folder}/{kind}{index}_label"] = f"{label}\n"
    found = {s.name: values(s) for s in hwmon.detect(write(tmp_path, files), context())}
    assert found["hwmon.lm25066.in"] == pytest.approx(
        {"hwmon.lm25066.in.voltage": 12.0, "hwmon.lm25066.in.current": 0.5, "hwmon.lm25066.in.power": 6.0}
    )
    assert found["hwmon.lm25066.out1"]["hwmon.lm25066.out1.power"] == pytest.approx(5.5)


def test_unreadable_now_is_left_out_with_a_note_and_later_is_missing(tmp_path):
    root = write(tmp_path, {**RASPBERRY_PI_4, "/sys/class/hwmon/hwmon2/power1_input": "\n"})
    given = context()
    (source,) = hwmon.detect(root, given)
    assert any("power1_input cannot be read" in note for note in given.notes)
    source.open()
    assert source.read().quality == Quality.OK
    (tmp_path / "sys/class/hwmon/hwmon2/curr1_input").unlink()
    reading = source.read()
    assert reading.quality == Quality.MISSING and not any(reading.raw) and source.last_fault
    with pytest.raises(TransportError):
        source.open()
    (tmp_path / "sys/class/hwmon/hwmon2/curr1_input").write_text("100\n")
    assert source.read().quality == Quality.OK


def test_mirror_of_a_battery_is_left_out(tmp_path):
    root = write(tmp_path, {
        "/sys/class/power_supply/test_battery/type": "Battery\n",
        "/sys/class/hwmon/hwmon0/name": "test_battery\n",
        "/sys/class/hwmon/hwmon0/device": "-> ../../test_battery",
        "/sys/class/hwmon/hwmon0/curr1_input": "-2\n",
    })  # fmt: skip
    assert hwmon.detect(root, context()) == []


def test_nothing_there_is_one_note(tmp_path):
    given = context()
    assert hwmon.detect(write(tmp_path, {"/proc/stat": ""}), given) == []
    assert len(given.notes) == 1


def test_twins_without_a_parent_device_are_two_sources(tmp_path):
    twin = {"name": "ina226\n", "in1_input": "5000\n", "curr1_input": "700\n", "power1_input": "3500000\n"}
    files = {f"/sys/class/hwmon/hwmon{n}/{name}": content for n in (0, 1) for name, content in twin.items()}
    found = hwmon.detect(write(tmp_path, files), context())
    assert [source.name for source in found] == ["hwmon.ina226", "hwmon.ina226_2"]
    names = [c.name for source in found for c in source.layout.channels]
    assert len(set(names)) == len(names)
