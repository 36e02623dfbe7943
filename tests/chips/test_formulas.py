"""Every scale once more as an exact fraction of integers, written from the facts and not from the maps."""

# ruff: noqa: E501  (a table reads by its rows)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction as F
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.chips.decode import decode_registers

OHMS = F(1, 250)  # 4 mOhm
LSB = F(1, 2048)


def two(word: int, bits: int) -> int:
    """A two's complement."""
    return word - (1 << bits) if word >> (bits - 1) & 1 else word


@dataclass(frozen=True)
class Row:
    chip: str
    pointer: int
    nbytes: int
    name: str
    value: Callable[[int], F | int]
    config: tuple[tuple[str, Any], ...] = ()
    order: str = "big"


def rows(
    chips: str, *entries: tuple[Any, ...], order: str = "big", config: tuple[tuple[str, Any], ...] = ()
) -> list[Row]:
    return [Row(chip, *entry, config, order) for chip in chips.split() for entry in entries]


S16 = lambda step: lambda w: two(w, 16) * step  # noqa: E731
U16 = lambda step: lambda w: w * step  # noqa: E731
UV, MV = F(1, 10**6), F(1, 1000)

TABLE = [
    *rows("ina219 ina220", (1, 2, "v_shunt", S16(10 * UV)), (1, 2, "i_from_shunt", S16(10 * UV / OHMS)),
          (2, 2, "v_bus", lambda w: (w >> 3) * 4 * MV), (4, 2, "i_reg", S16(LSB)), (3, 2, "p_reg", U16(20 * LSB))),
    *rows("ina209", (3, 2, "v_shunt", S16(10 * UV)), (4, 2, "v_bus", lambda w: (w >> 3) * 4 * MV),
          (6, 2, "i_reg", S16(LSB)), (5, 2, "p_reg", U16(20 * LSB)), (7, 2, "v_shunt_max", S16(10 * UV))),
    *rows("ina226 ina230 ina231", (1, 2, "v_shunt", S16(F(5, 2) * UV)), (2, 2, "v_bus", U16(F(5, 4) * MV)),
          (1, 2, "i_from_shunt", S16(F(5, 2) * UV / OHMS)), (4, 2, "i_reg", S16(LSB)), (3, 2, "p_reg", U16(25 * LSB))),
    *rows("ina232 ina236", (1, 2, "v_shunt", S16(F(5, 2) * UV)), (2, 2, "v_bus", U16(F(8, 5) * MV)),
          (4, 2, "i_reg", S16(LSB)), (3, 2, "p_reg", U16(32 * LSB))),
    *rows("ina232 ina236", (1, 2, "v_shunt", S16(F(5, 8) * UV)), (1, 2, "i_from_shunt", S16(F(5, 8) * UV / OHMS)),
          config=(("adcrange", 1),)),
    *rows("ina234", (1, 2, "v_shunt", lambda w: (two(w, 16) >> 4) * 40 * UV), (2, 2, "v_bus", lambda w: (w >> 4) * F(128, 5) * MV),
          (4, 2, "i_reg", lambda w: (two(w, 16) >> 4) * LSB), (3, 2, "p_reg", U16(32 * LSB))),
    *rows("ina260", (1, 2, "i", S16(F(5, 4) * MV)), (2, 2, "v_bus", U16(F(5, 4) * MV)), (3, 2, "p_reg", U16(10 * MV))),
    *rows("ina233", (0xD1, 2, "v_shunt", S16(F(5, 2) * UV)), (0x88, 2, "v_bus", U16(F(5, 4) * MV)),
          (0x89, 2, "i_reg", S16(LSB)), (0x97, 2, "p_reg", U16(25 * LSB)), order="little"),
    *rows("ina237 ina238", (4, 2, "v_shunt", S16(5 * UV)), (5, 2, "v_bus", S16(F(25, 8) * MV)),
          (6, 2, "t_die", lambda w: (two(w, 16) >> 4) * F(1, 8)), (7, 2, "i_reg", S16(LSB)), (8, 3, "p_reg", U16(LSB / 5))),
    *rows("ina237 ina238", (4, 2, "v_shunt", S16(F(5, 4) * UV)), (4, 2, "i_from_shunt", S16(F(5, 4) * UV / OHMS)),
          config=(("adcrange", 1),)),
    *rows("ina228", (4, 3, "v_shunt", lambda w: (two(w, 24) >> 4) * F(5, 16) * UV),
          (5, 3, "v_bus", lambda w: (two(w, 24) >> 4) * F(3125, 16) * UV), (6, 2, "t_die", S16(F(1, 128))),
          (7, 3, "i_reg", lambda w: (two(w, 24) >> 4) * LSB), (8, 3, "p_reg", U16(F(16, 5) * LSB)),
          (9, 5, "energy_j", U16(16 * F(16, 5) * LSB)), (10, 5, "charge_c", lambda w: two(w, 40) * LSB)),
    *rows("ina228", (4, 3, "v_shunt", lambda w: (two(w, 24) >> 4) * F(5, 64) * UV), config=(("adcrange", 1),)),
    *(
        row for chip, ua in (("ina700", 480), ("ina745", 1200), ("ina780", 2400))
        for row in rows(
            chip, (5, 2, "v_bus", S16(F(25, 8) * MV)), (6, 2, "t_die", lambda w: (two(w, 16) >> 4) * F(1, 8)),
            (7, 2, "i_reg", S16(ua * UV)), (8, 3, "p_reg", U16(ua * UV / 5)), (9, 5, "energy_j", U16(ua * UV * 16 / 5)),
            (10, 5, "charge_c", lambda w, ua=ua: two(w, 40) * ua * UV / 16),
        )
    ),
    *rows("ina3221", (1, 2, "v_shunt", lambda w: (two(w, 16) >> 3) * 40 * UV), (4, 2, "v_bus", lambda w: (two(w, 16) >> 3) * 8 * MV),
          (5, 2, "i", lambda w: (two(w, 16) >> 3) * 40 * UV / OHMS), (13, 2, "v_shunt_sum", lambda w: (two(w, 16) >> 1) * 40 * UV)),
    *rows("ltc2945", (0x1E, 2, "v_in", lambda w: (w >> 4) * 25 * MV), (0x14, 2, "i", lambda w: (w >> 4) * 25 * UV / OHMS),
          (0x28, 2, "v_adin", lambda w: (w >> 4) * MV / 2), (5, 3, "p_reg", U16(25 * MV * 25 * UV / OHMS)),
          config=(("control_mult_select", 1),)),
    *rows("ltc2945", (5, 3, "p_reg", U16(MV / 2 * 25 * UV / OHMS)), config=(("control_mult_select", 0),)),
    *rows("pac1931 pac1932 pac1933 pac1934", (7, 2, "v_bus", U16(F(32, 65536))), (0x0B, 2, "i", U16(F(1, 655360) / OHMS)),
          (0x17, 4, "p", lambda w: (w >> 4) * F(32, 10) / OHMS / 2**28), (2, 3, "samples", U16(F(1))),
          (3, 6, "energy_j", U16(F(32, 10) / OHMS / 2**28 / 256)), config=(("sample_rate", 256), ("bidirectional", False))),
    *rows("pac1931 pac1934", (7, 2, "v_bus", S16(F(32, 32768))), (0x0B, 2, "i", S16(F(1, 327680) / OHMS)),
          (0x17, 4, "p", lambda w: (two(w, 32) >> 4) * F(32, 10) / OHMS / 2**27),
          (3, 6, "energy_j", lambda w: two(w, 48) * F(32, 10) / OHMS / 2**27 / 8), config=(("sample_rate", 8), ("bidirectional", True))),
    *(
        row for code in range(8) for chip, lsb in (
            ("ltc2941", F(85, 10**6) * 2**code / 128), ("ltc2942", F(85, 10**6) * 2**code / 128),
            ("ltc2943", F(34, 10**5) * min(4**code, 4096) / 4096), ("ltc2944", F(34, 10**5) * min(4**code, 4096) / 4096),
        )
        for row in rows(chip, (2, 2, "charge_ah_from_midscale", lambda w, lsb=lsb: (w - 32767) * lsb * F(1, 20) / OHMS),
                        config=(("prescaler_code", code),))
    ),
    *rows("ltc2942", (8, 2, "v", U16(F(6, 65535))), (12, 2, "t_k", U16(F(600, 65535)))),
    *rows("ltc2943", (8, 2, "v", U16(F(236, 655350))), (14, 2, "i", lambda w: (w - 32767) * F(60, 32767000) / OHMS), (20, 2, "t_k", U16(F(510, 65535)))),
    *rows("ltc2944", (8, 2, "v", U16(F(708, 655350))), (14, 2, "i", lambda w: (w - 32767) * F(64, 32767000) / OHMS)),
    *(
        row for chip, at in (
            ("bq27500", (6, 8, 0x14, 0x10, 0x12)), ("bq27510g3", (6, 8, 0x14, 0x10, 0x12)), ("bq27520g4", (6, 8, 0x14, 0x10, 0x12)),
            ("bq27530", (6, 8, 0x14, 0x10, 0x12)), ("bq27541", (6, 8, 0x14, 0x10, 0x12)), ("bq27545", (6, 8, 0x14, 0x10, 0x12)),
            ("bq27421", (2, 4, 0x10, 0x0C, 0x0E)), ("bq27426", (2, 4, 0x10, 0x0C, 0x0E)), ("bq27z561", (6, 8, 0x14, 0x10, 0x12)),
            ("bq34z100", (0x0C, 8, 0x0A, 4, 6)), ("bq78z100", (6, 8, 0x14, 0x10, 0x12)),
        )
        for row in rows(
            chip, (at[0], 2, "t_c", lambda w: F(w - 2731, 10)), (at[1], 2, "v", U16(MV)), (at[2], 2, "i", S16(MV)),
            (at[3], 2, "charge_ah", U16(MV)), (at[4], 2, "charge_full_ah", U16(MV)), order="little",
        )
    ),
    *(row for chip, at, step in (
        ("bq27421", 0x18, MV), ("bq27426", 0x18, MV), ("bq27500", 0x24, MV), ("bq27530", 0x24, MV), ("bq27541", 0x24, MV),
        ("bq27545", 0x24, MV), ("bq27z561", 0x22, MV), ("bq78z100", 0x22, MV), ("bq34z100", 0x26, 10 * MV),
    ) for row in rows(chip, (at, 2, "p_avg", S16(step)), order="little")),
    *rows("bq27000 bq27010", (6, 2, "t_c", lambda w: F(w, 4) - F(2731, 10)), (8, 2, "v", U16(MV)),
          (0x0C, 2, "charge_ah", U16(F(357, 10**8) / OHMS)), (0x12, 2, "charge_full_ah", U16(F(357, 10**8) / OHMS)), order="little"),
    *rows("sbs", (8, 2, "t_c", lambda w: F(w - 2731, 10)), (9, 2, "v", U16(MV)), (10, 2, "i", S16(MV)), order="little"),
    *rows("sbs", (15, 2, "charge_ah", U16(MV)), (16, 2, "charge_full_ah", U16(MV)), order="little", config=(("capacity_mode", 0),)),
    *rows("sbs", (15, 2, "energy_wh", U16(10 * MV)), (24, 2, "energy_design_wh", U16(10 * MV)), order="little", config=(("capacity_mode", 1),)),
    *rows("max17040 max17043", (2, 2, "v", lambda w: (w >> 4) * F(5, 4) * MV), (4, 2, "soc_pct", U16(F(1, 256)))),
    *rows("max17041 max17044", (2, 2, "v", lambda w: (w >> 4) * F(5, 2) * MV)),
    *rows("max17048 max17058", (2, 2, "v", U16(F(625, 8) * UV)), (4, 2, "soc_pct", U16(F(1, 256)))),
    *rows("max17049 max17059", (2, 2, "v", U16(F(625, 4) * UV))),
    *rows("max17048 max17049", (0x16, 2, "crate_pct_per_h", S16(F(208, 1000)))),
    *rows("max17042 max17047 max17050 max17055", (9, 2, "v", U16(F(625, 8) * UV)), (10, 2, "i", S16(F(25, 16) * UV / OHMS)),
          (0x4D, 2, "charge_counter_ah", S16(5 * UV / OHMS)), (5, 2, "charge_ah", U16(5 * UV / OHMS)), (8, 2, "t_c", S16(F(1, 256))),
          (17, 2, "tte_s", U16(F(45, 8))), (0x1B, 2, "v_max", lambda w: (w >> 8) * 20 * MV), (0x1B, 2, "v_min", lambda w: (w & 255) * 20 * MV),
          order="little"),
    *rows("cw2015", (2, 2, "v", lambda w: (w & 0x3FFF) * 305 * UV), (4, 2, "soc_pct", U16(F(1, 256))), (6, 2, "tte_min", lambda w: w & 0x1FFF)),
    *rows("stc3117", (2, 2, "soc_pct", U16(F(1, 512))), (6, 2, "i", lambda w: two(w & 0x3FFF, 14) * F(24084, 4096) * UV / OHMS),
          (8, 2, "v", U16(F(9011, 4096) * MV)), (13, 2, "ocv_v", U16(F(9011, 4 * 4096) * MV)), order="little"),
    *rows("stc3117", (10, 1, "t_c", lambda w: two(w, 8)), order="little"),
    *rows("ds2782", (12, 2, "v", lambda w: (two(w, 16) >> 5) * F(488, 10**5)), (14, 2, "i", S16(F(25, 16) * UV * 50)),
          (10, 2, "t_c", lambda w: (two(w, 16) >> 5) * F(1, 8)), config=(("sense_siemens", 50),)),
    *rows("axp209", (0x78, 2, "batt_v", lambda w: ((w >> 8) << 4 | w & 15) * F(11, 10) * MV),
          (0x7C, 2, "batt_dischrg_i", lambda w: ((w >> 8) << 5 | w & 31) * MV / 2),
          (0x5E, 2, "t_c", lambda w: (((w >> 8) << 4 | w & 15) - 1447) * F(1, 10))),
    *rows("rk817", (0x7A, 2, "i", S16(172 * F(1, 10**8) / OHMS))),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r.chip}-{r.name}-{dict(r.config)}")
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_a_value_is_its_formula_at_every_integer(row: Row, data: st.DataObject) -> None:
    top = (1 << 8 * row.nbytes) - 1
    word = data.draw(st.sampled_from((0, 1, top, top >> 1, (top >> 1) + 1)) | st.integers(0, top))
    raw = {f"0x{row.pointer:02x}": word.to_bytes(row.nbytes, "big" if row.order == "big" else "little")}
    got = decode_registers(row.chip, {"r_shunt_ohm": float(OHMS), "current_lsb": float(LSB), **dict(row.config)}, raw)
    want = row.value(word)
    assert got[row.name] == pytest.approx(float(want), rel=1e-10, abs=1e-18)
