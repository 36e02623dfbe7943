"""F05: another chip at the address answers every read: it is told apart and never written to."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from powerhal.errors import TransportError
from tests.faults.faulty import Bench, row

WRONG = [
    ("ti,ina226", "ti,ina219"), ("ti,ina219", "ti,ina226"), ("ti,ina219", "ti,ina3221"), ("ti,ina226", "ti,ina228"),
    ("ti,ina228", "ti,ina238"), ("ti,ina3221", "ti,ina226"), ("ti,ina260", "ti,ina226"),
]  # fmt: skip


@pytest.mark.parametrize(("promised", "there"), WRONG)
def test_f05_a_wrong_chip_is_refused_and_nothing_is_written(promised: str, there: str) -> None:
    bench = Bench({0x40: there})
    setting = {"conversion_delay": 1} if promised == "ti,ina228" else {"averages": 16}
    setting = {"averages": 4} if promised == "ti,ina3221" else setting
    setting = {"bus_range_v": 16} if promised == "ti,ina219" else setting
    with pytest.raises(TransportError) as caught:
        bench.source(promised, **setting).open()
    assert caught.value.kind == "absent"
    assert not bench.bus.writes


def test_f05_a_chip_without_identity_is_unverified() -> None:
    bench = Bench({0x40: "ti,ina219", 0x41: "ti,ina226"})
    assert row(bench.opened("ti,ina219"))[1] & Quality.UNVERIFIED
    assert not row(bench.opened("ti,ina226", 0x41))[1] & Quality.UNVERIFIED
