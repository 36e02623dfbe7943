"""The JSON summary of a dump without names: numbers stay, a text stays only where a rule says so."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Any

from powerhal.android.checkin.records import SPECS
from powerhal.android.history.tokens import BY_NAME
from powerhal.android.issues import KEPT
from powerhal.android.share.lines import BUILD, KNOWN_TEXT, LABELS
from powerhal.android.share.redact import Pseudonyms
from powerhal.android.statistics import COMPONENTS, DEVICE_NAMES

# keys whose texts come from this program or from fixed lists, never from the dump's owner
SAFE = frozenset(
    [
        "format",
        "container",
        "encoding",
        "line_ends",
        "window",
        "incomplete_because",
        "may_miss",
        "start_local",
        "start_clock_local",
        "technology",
        "band",
        "fingerprint",
        "ro.build.version.sdk",
        "ro.product.model",
        "field",
    ]
)
STEP_WORDS = frozenset().union(*KNOWN_TEXT.values())
DEVICES = frozenset(COMPONENTS) | frozenset(DEVICE_NAMES) | frozenset(DEVICE_NAMES.values()) | LABELS | {"unknown"}
OPEN_KEYS = frozenset(
    ["components", "component_ms", "process_states", "vendor_codes", "unexplained_tokens", "states_ms"]
)
CUSTOM = re.compile(r"(?:custom|component)_-?\d{1,10}", re.ASCII)  # what has a number only
MODELS = frozenset(["undefined", "power profile", "measured energy", "energy consumption"])
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|: .*")
CODES = frozenset(SPECS) | {"h", "hsp", "line", "junk", "file", "zip", "proto"}


def redact_document(document: dict[str, Any], names: Pseudonyms) -> dict[str, Any]:
    """A copy of `summary.document` that may be shared; the file's own name and the time zone go too."""
    out = _walk(document, names, ())
    assert isinstance(out, dict)
    return out


def _walk(value: Any, names: Pseudonyms, path: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {_key(k, names, path): _walk(v, names, (*path, k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_walk(v, names, path) for v in value[: KEPT if path[-1:] == ("issues",) else None]]
    return _text(value, names, path) if isinstance(value, str) else value


def _key(key: str, names: Pseudonyms, path: tuple[str, ...]) -> str:
    """Keys are columns of the tables, except below those where the dump names its own components or tokens."""
    if not OPEN_KEYS.intersection(path):
        return key
    if path[-1] == "vendor_codes":
        return names.kernel(key)
    return key if _component(key) or key in STATES else names.kernel(key)


def _component(name: str) -> bool:
    """Whether a component's name says nothing about the owner."""
    return name in DEVICES or CUSTOM.fullmatch(name) is not None


STATES = (
    frozenset(
        [
            "ms",
            "mah",
            "fg",
            "bg",
            "fgs",
            "cached",
            "foreground",
            "background",
            "foreground_service",
            "top",
            "top_sleeping",
            "heavy_weight",
            "unspecified",
            "foreground_or_above",
            "active_or_above",
            "running_or_above",
            "components",
            "component_ms",
            "count",
        ]
    )
    | frozenset(f"{name}_{unit}" for name in COMPONENTS for unit in ("mah", "ms"))
    | frozenset(BY_NAME)
)


def _text(value: str, names: Pseudonyms, path: tuple[str, ...]) -> str | None:
    key = path[-1] if path else ""
    if key == "persist.sys.timezone" or (key in ("name", "member") and path[-2:-1] == ("source",)):
        return None
    if key == "why":
        return QUOTED.sub("", value)
    if _stays(value, key, path):
        return value
    if key in ("packages", "package"):
        return names.package(value)
    of_kernel = key == "code" or ("uids" not in path and key in ("name", "label"))
    return names.kernel(value) if of_kernel else names.tag(value)


def _stays(value: str, key: str, path: tuple[str, ...]) -> bool:
    """Whether a text says nothing about the owner."""
    known: dict[str, Container[str]] = {
        "code": CODES, "screen": STEP_WORDS, "power_save": STEP_WORDS, "idle": STEP_WORDS, "state": STEP_WORDS,
        "model": MODELS, "process_state": STATES,
    }  # fmt: skip
    if key == "component" or ("devices" in path and key in ("name", "label")):
        return _component(value)
    if key in ("start_build", "end_build"):
        return BUILD.fullmatch(value) is not None
    plain = key in SAFE or (key == "sensor" and value.isascii() and value.isdigit())
    return plain or value in known.get(key, ())
