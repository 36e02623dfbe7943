"""Field types of the board schema: quantities with units, names, addresses; each with its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import BeforeValidator, Field, StrictInt, WithJsonSchema

from powerhal.units import USUAL, parse_quantity, pattern

_EXAMPLES = {
    "resistance": "10 mOhm", "voltage": "3.85 V", "current": "2 A", "power": "500 mW", "energy": "11 Wh",
    "charge": "3000 mAh", "frequency": "400 kHz", "time": "0.2 s", "mass": "55.5 kg", "ratio": "90 %",
    "capacitance": "310 uW/MHz/V^2", "carbon intensity": "480 g/kWh",
}  # fmt: skip


def _reader(dimension: str) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"must be a quantity such as '{_EXAMPLES[dimension]}'")
        if isinstance(value, str):
            return parse_quantity(value, dimension)
        either = " or ".join(f"'{value} {unit}'" for unit in USUAL[dimension])
        raise ValueError(f"'{value}' has no unit; write {either}")

    return read


def _schema(dimension: str) -> WithJsonSchema:
    return WithJsonSchema(
        {
            "type": "string",
            "pattern": pattern(dimension),
            "title": dimension,
            "examples": [_EXAMPLES[dimension]],
            "errorMessage": f"a {dimension} with its unit, for example '{_EXAMPLES[dimension]}'",
        }
    )


Resistance = Annotated[float, Gt(0), BeforeValidator(_reader("resistance")), _schema("resistance")]
Voltage = Annotated[float, Gt(0), BeforeValidator(_reader("voltage")), _schema("voltage")]
Current = Annotated[float, Gt(0), BeforeValidator(_reader("current")), _schema("current")]
Charge = Annotated[float, Gt(0), BeforeValidator(_reader("charge")), _schema("charge")]
Energy = Annotated[float, Gt(0), BeforeValidator(_reader("energy")), _schema("energy")]
Rate = Annotated[float, Gt(0), Le(1e6), BeforeValidator(_reader("frequency")), _schema("frequency")]
Frequency = Annotated[float, Gt(0), BeforeValidator(_reader("frequency")), _schema("frequency")]
Duration = Annotated[float, Gt(0), BeforeValidator(_reader("time")), _schema("time")]
Mass = Annotated[float, Ge(0), BeforeValidator(_reader("mass")), _schema("mass")]
Efficiency = Annotated[float, Gt(0), Le(1), BeforeValidator(_reader("ratio")), _schema("ratio")]
Share = Annotated[float, Ge(0), Le(1), BeforeValidator(_reader("ratio")), _schema("ratio")]
Capacitance = Annotated[float, Gt(0), BeforeValidator(_reader("capacitance")), _schema("capacitance")]
CarbonIntensity = Annotated[float, Ge(0), BeforeValidator(_reader("carbon intensity")), _schema("carbon intensity")]

#: Names of rails, sensors, clusters, devices: parts of channel names, so without dots and spaces.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_+-]{0,62}$")]
Pattern = Annotated[str, Field(pattern=r"^[^/\x00-\x1f]{1,80}$", description="a name, or a pattern with * and ?")]
Text = Annotated[str, Field(max_length=400)]
# 0x00-0x07 and 0x78-0x7F are reserved by the I2C specification (UM10204, table 4); lint says so.
Address = Annotated[StrictInt, Ge(0), Le(0x7F), Field(description="7-bit address, such as 0x40")]


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


Many = BeforeValidator(_tuple)


def listed(words: Iterable[str]) -> str:
    """'a, b or c'."""
    names = list(words)
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
