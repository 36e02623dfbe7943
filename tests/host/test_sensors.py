"""IIO and powercap."""

from __future__ import annotations

import pytest

from powerhal.host import iio, powercap
from tests.host.test_hwmon import values
from tests.host.trees import LAPTOP, context, write

DEVICE = "/sys/devices/platform/soc/i2c-1/1-0040/iio:device0"
INA = {
    "/sys/bus/iio/devices/iio:device0": "-> ../../../devices/platform/soc/i2c-1/1-0040/iio:device0",
    f"{DEVICE}/name": "ina226\n",
    f"{DEVICE}/in_voltage0_raw": "4000\n",
    f"{DEVICE}/in_voltage0_scale": "0.0025\n",
    f"{DEVICE}/in_voltage1_raw": "4080\n",
    f"{DEVICE}/in_voltage1_scale": "1.25\n",
    f"{DEVICE}/in_power2_raw": "-20\n",
    f"{DEVICE}/in_power2_scale": "12.5\n",
    f"{DEVICE}/in_current3_raw": "-1000\n",
    f"{DEVICE}/in_current3_scale": "0.5\n",
    f"{DEVICE}/in_shunt_resistor": "0.010000\n",
}


def test_ina2xx_adc_is_one_feature_without_the_shunt_voltage(tmp_path):
    root = write(tmp_path, INA)
    (source,) = iio.detect(root, context(rails={"iio.ina226": "usb"}))
    assert source.name == "iio.ina226@1-0040"
    assert values(source) == pytest.approx({"usb.voltage": 5.1, "usb.power": -0.25, "usb.current": -0.5})
    found = iio.at_i2c(root, 1, 0x40)
    assert found and found.driver == "ina226"


def test_offset_shared_scale_and_decimal_input(tmp_path):
    folder = "/sys/bus/iio/devices/iio:device3"
    root = write(tmp_path, {
        f"{folder}/name": "adc\n",
        f"{folder}/in_voltage1_raw": "100\n", f"{folder}/in_voltage_scale": "2.0\n",
        f"{folder}/in_voltage1_offset": "-20\n", f"{folder}/in_current1_input": "250.125\n",
        f"{folder}/in_voltage7_raw": "1\n",
    })  # fmt: skip
    (source,) = [s for s in iio.detect(root, context()) if s.name == "iio.adc.1"]
    assert values(source) == pytest.approx(
        {"iio.adc.1.voltage": 0.16, "iio.adc.1.current": 0.250125, "iio.adc.1.power": 0.16 * 0.250125}
    )
    # an ADC input that the board gives a rail is a rail voltage
    named = iio.detect(root, context(rails={"iio.adc.7": "vbat"}))
    assert values(named[-1]) == pytest.approx({"vbat.voltage": 0.002})


def test_powercap_zones_wrap_and_are_taken_once(tmp_path):
    found = powercap.detect(write(tmp_path, LAPTOP), context(rails={"powercap.package-0": "soc"}))
    assert [s.name for s in found] == ["powercap.package-0", "powercap.package-0-core"]
    assert values(found[0]) == pytest.approx({"soc.energy": 123.456789})
    (channel,) = found[0].layout.channels
    assert channel.counter and channel.wrap_span == pytest.approx(262143.328851)


def test_powercap_without_permission_is_said(tmp_path):
    given = context()
    refused = {path: "" if path.endswith("energy_uj") else text for path, text in LAPTOP.items()}
    assert powercap.detect(write(tmp_path, refused), given) == []
    assert [note for note in given.notes if "powercap.package-0" in note and "root" in note]


def test_powercap_absent_is_said(tmp_path):
    given = context()
    assert powercap.detect(write(tmp_path, {"/proc/stat": ""}), given) == []
    assert given.notes == ["no energy counters in /sys/class/powercap"]
