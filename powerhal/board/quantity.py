"""Field types of the board schema: quantities with units, names, addresses; each with its JSON Schema.

They carry what pydantic asks for in methods that import it only when asked, so that a program which merely holds a
board description (the recorder) never loads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from powerhal.units import USUAL, parse_quantity, pattern

_EXAMPLES = {
    "resistance": "10 mOhm", "voltage": "3.85 V", "current": "2 A", "power": "500 mW", "energy": "11 Wh",
    "charge": "3000 mAh", "frequency": "400 kHz", "time": "0.2 s", "mass": "55.5 kg", "ratio": "90 %",
    "capacitance": "310 uW/MHz/V^2", "carbon intensity": "480 g/kWh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Quantity:
    """A text with a unit that becomes an SI float; `zero`: 0 is allowed, `most`: the greatest value."""

    dimension: str
    zero: bool = False
    most: float | None = None

    def read(self, value: Any) -> float:
        """SI value of what stands in the file; raises ValueError with what to write instead."""
        if isinstance(value, str):
            return parse_quantity(value, self.dimension)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"must be a quantity such as '{_EXAMPLES[self.dimension]}'")
        either = " or ".join(f"'{value} {unit}'" for unit in USUAL[self.dimension])
        raise ValueError(f"'{value}' has no unit; write {either}")

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        number = (
            core_schema.float_schema(ge=0, le=self.most) if self.zero else core_schema.float_schema(gt=0, le=self.most)
        )
        return core_schema.no_info_before_validator_function(self.read, number)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        example = _EXAMPLES[self.dimension]
        return {
            "type": "string",
            "pattern": pattern(self.dimension),
            "examples": [example],
            "errorMessage": f"a {self.dimension} with its unit, for example '{example}'",
        }


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two ends, not a text, not true or false."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.int_schema(strict=True, ge=self.least, le=self.most)


@dataclass(frozen=True, slots=True)
class Number:
    """A plain number above 0, up to `most`."""

    most: float

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.float_schema(strict=True, gt=0, le=self.most)


@dataclass(frozen=True, slots=True)
class Yes:
    """True or false, nothing that merely resembles them."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.bool_schema(strict=True)


@dataclass(frozen=True, slots=True)
class Like:
    """Text that matches a pattern (ECMA 262 and Python alike)."""

    pattern: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.str_schema(strict=True, pattern=re.compile(self.pattern))

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern}


@dataclass(frozen=True, slots=True)
class Setting:
    """A scalar whose meaning the chip or device knows: true or false, a number, a text with a unit."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        kinds = (
            core_schema.bool_schema(strict=True),
            core_schema.int_schema(strict=True),
            core_schema.float_schema(strict=True),
            core_schema.str_schema(strict=True),
        )
        return core_schema.union_schema(list(kinds), custom_error_type="setting", custom_error_message="a setting")


Resistance = Annotated[float, Quantity("resistance")]
Voltage = Annotated[float, Quantity("voltage")]
Current = Annotated[float, Quantity("current")]
Charge = Annotated[float, Quantity("charge")]
Energy = Annotated[float, Quantity("energy")]
Rate = Annotated[float, Quantity("frequency", most=1e6)]
Frequency = Annotated[float, Quantity("frequency")]
Duration = Annotated[float, Quantity("time")]
Mass = Annotated[float, Quantity("mass", zero=True)]
Efficiency = Annotated[float, Quantity("ratio", most=1.0)]
Share = Annotated[float, Quantity("ratio", zero=True, most=1.0)]
Capacitance = Annotated[float, Quantity("capacitance")]
CarbonIntensity = Annotated[float, Quantity("carbon intensity", zero=True)]

#: Names of rails, sensors, clusters, devices: parts of channel names, so without dots and spaces.
Name = Annotated[str, Like(r"^[A-Za-z0-9_][A-Za-z0-9_+-]{0,62}$")]
#: A source's name, or a pattern with * and ?.
Pattern = Annotated[str, Like(r"^[^/\x00-\x1f]{1,80}$")]
ChannelNumber = Annotated[str, Like(r"^[0-9]{1,2}$")]
Text = Annotated[str, Like(r"^[^\x00-\x08\x0b-\x1f]{0,400}$")]
Flag = Annotated[bool, Yes()]
Scalar = Annotated[bool | int | float | str, Setting()]
# 0x00-0x07 and 0x78-0x7F are reserved by the I2C specification (UM10204, table 4); lint says so.
Address = Annotated[int, Whole(0, 0x7F)]
