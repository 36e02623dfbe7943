"""The JSON Schema of board files, for editors: completion, hover texts and red lines while typing."""

from __future__ import annotations

from typing import Any

from powerhal.board.schema import BoardDescription
from powerhal.chips import CHIPS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def editor_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a board file; quantities are texts with a pattern, chips an enumeration."""
    schema = BoardDescription.model_json_schema(by_alias=True, mode="validation")
    for part in schema["$defs"].values():
        if "chip" in part.get("properties", {}) and "Sensor" in part.get("title", ""):
            part["properties"]["chip"] = {"enum": sorted(CHIPS), "description": "device-tree compatible"}
    return {
        "$schema": DIALECT,
        "title": "powerhal board file",
        "description": "What is there: buses, sensors, rails, clusters, devices. See docs/board-files.md.",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
    }
