"""`power_profile.xml` read with expat: values as the platform takes them, every mistake with its line.

As in PowerProfile.java: `<item name>` is one number, `<array name>` its `<value>`s in order; text that is no number
counts as 0; an element without text counts as nothing (in an array the later values move up); of two keys of one
name the last wins. A DTD is refused before anything in it is read: no entities, no files, no network.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from powerhal.android.profile.values import FREQUENCIES, RATS, TX_LEVELS, Active, Modem, PowerProfile
from powerhal.errors import FileError, Problem

LARGEST = 4 << 20  # bytes of a profile; real ones are below 100 kB
GIVE = "give the phone's power_profile.xml (from its framework-res.apk, decoded with apktool)"
DEEPEST = 8  # elements inside one another; real ones need 4
MOST = 50_000  # elements
LONGEST = 256  # characters of a value or key

#: Double.valueOf(String) of Java, without hexadecimal and the words: blanks around, an f or d behind.
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?[fFdD]?")
_COMPILED = b"\x03\x00\x08\x00"


class _Stop(Exception):
    """The file is refused here: (code, message)."""


@dataclass(slots=True)
class _Block:
    """An `<active>` block being read."""

    rat: str
    frequency: str
    line: int
    receive: float | None = None
    transmit: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Element:
    """An open element: its name, attributes, line, text so far, values of an array."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    values: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """State of one parse; `problems` grows, nothing is raised but _Stop."""

    path: str
    parser: Any
    items: dict[str, float] = field(default_factory=dict)
    arrays: dict[str, tuple[float, ...]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    stack: list[_Element] = field(default_factory=list)
    elements: int = 0
    modem: dict[str, float] | None = None
    block: _Block | None = None
    blocks: dict[tuple[str, str], Active] = field(default_factory=dict)

    def problem(self, line: int, code: str, message: str, severity: str = "warn") -> None:
        """Note a mistake."""
        self.problems.append(Problem(f"{self.path}:{line}", code, message, severity))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element opens; raises _Stop beyond the limits."""
        self.elements += 1
        line = self.parser.CurrentLineNumber
        if len(self.stack) >= DEEPEST:
            raise _Stop("PH-N303", f"elements deeper than {DEEPEST}")
        if self.elements > MOST:
            raise _Stop("PH-N303", f"more than {MOST} elements")
        inside = self.stack[-1].tag if self.stack else ""
        expected = _INSIDE.get(tag)
        if expected is None:
            self.problem(line, "PH-N310", f"unknown element <{tag[:40]}>; it is not read")
        elif inside not in expected:
            where = f"inside <{inside[:40]}>" if inside else "as the root"
            self.problem(line, "PH-N311", f"<{tag}> does not belong {where}; it is not read", "error")
        element = _Element(tag, attributes, line)
        self.stack.append(element)
        if tag == "modem" and inside == "device":
            if self.modem is not None:
                self.problem(line, "PH-N312", "a second <modem> block; the later values win")
            self.modem = self.modem or {}
            self.lines.setdefault("<modem>", line)
        elif tag == "active" and inside == "modem":
            self._open_block(element)

    def data(self, text: str) -> None:
        """Characters; raises _Stop when a value is too long."""
        element = self.stack[-1] if self.stack else None
        if element is not None and element.tag in _LEAVES:
            if len(element.text) + len(text) > 4 * LONGEST:
                raise _Stop("PH-N303", f"a value of more than {4 * LONGEST} characters")
            element.text += text
        elif text.strip():
            self.problem(self.parser.CurrentLineNumber, "PH-N313", f"text outside of a value: {text.strip()[:40]!r}")

    def end(self, _: str) -> None:
        """An element closes: its value goes where it belongs."""
        element = self.stack.pop()
        inside = self.stack[-1].tag if self.stack else ""
        if inside not in _INSIDE.get(element.tag, ()):
            return
        if element.tag == "item":
            self._item(element)
        elif element.tag == "value":
            value = self._number(element, f"value {len(self.stack[-1].values)} of {self._name(self.stack[-1])!r}")
            self.stack[-1].values += [] if value is None else [value]
        elif element.tag == "array":
            self._array(element)
        elif element.tag == "active":
            self._close_block()
        elif element.tag in ("sleep", "idle") and self.modem is not None:
            value = self._number(element, f"modem {element.tag}")
            self.modem |= {} if value is None else {element.tag: value}
        elif element.tag in ("receive", "transmit") and self.block is not None:
            self._modem_value(element, self.block)

    def profile_modem(self) -> Modem | None:
        """The modem block that was read, None without one."""
        if self.modem is None:
            return None
        return Modem(self.modem.get("sleep"), self.modem.get("idle"), tuple(self.blocks.values()))

    def _item(self, element: _Element) -> None:
        name = self._name(element)
        value = self._number(element, repr(name))
        if name and value is not None:
            self._once(name, element.line)
            self.items[name] = value

    def _array(self, element: _Element) -> None:
        name = self._name(element)
        if name:
            self._once(name, element.line)
            self.arrays[name] = tuple(element.values)

    def _once(self, name: str, line: int) -> None:
        if name in self.lines:
            self.problem(line, "PH-N314", f"{name!r} stands in line {self.lines[name]} already; the last one counts")
        self.lines[name] = line

    def _name(self, element: _Element) -> str:
        name = element.attributes.get("name", "")
        if not name.strip() and element.tag in ("item", "array"):
            self.problem(element.line, "PH-N315", f"<{element.tag}> without a name; it is not read", "error")
            return ""
        if name != name.strip():
            self.problem(element.line, "PH-N316", f"blanks around the name {name[:LONGEST]!r}; no program asks for it")
        return name[:LONGEST]

    def _number(self, element: _Element, what: str) -> float | None:
        """The element's number as the platform reads it; None for an empty one."""
        text = element.text.strip()
        if not text:
            left = (
                "the values behind it move up by one" if element.tag == "value" else "the platform takes it as absent"
            )
            self.problem(element.line, "PH-N317", f"{what} is empty: {left}")
            return None
        if not _NUMBER.fullmatch(text):
            self.problem(element.line, "PH-N318", f"{what} is no number: {text[:40]!r} counts as 0", "error")
            return 0.0
        value = float(text.rstrip("fFdD"))
        if not math.isfinite(value):
            self.problem(element.line, "PH-N318", f"{what} is not finite: {text[:40]!r}; taken as 0", "error")
            return 0.0
        if value < 0:
            self.problem(element.line, "PH-N319", f"{what} is negative: {text[:40]}", "error")
        return value

    def _open_block(self, element: _Element) -> None:
        rat = element.attributes.get("rat", "DEFAULT")
        frequency = element.attributes.get("nrFrequency", "DEFAULT")
        for value, known, what in ((rat, RATS, "rat"), (frequency, FREQUENCIES, "nrFrequency")):
            if value not in known:
                self.problem(element.line, "PH-N320", f"{what} {value[:40]!r} is none of {', '.join(known)}", "error")
        if frequency != "DEFAULT" and rat != "NR":
            self.problem(element.line, "PH-N320", f"nrFrequency says something for NR only, not for {rat[:40]!r}")
        self.block = _Block(rat, frequency, element.line)

    def _modem_value(self, element: _Element, block: _Block) -> None:
        value = self._number(element, f"modem {element.tag} of {block.rat}")
        if value is None:
            return
        if element.tag == "receive":
            block.receive = value
            return
        level = element.attributes.get("level", "").strip()
        if level not in map(str, range(TX_LEVELS)):
            self.problem(element.line, "PH-N321", f"transmit level {level[:40]!r} is none of 0 to 4", "error")
        elif int(level) in block.transmit:
            self.problem(element.line, "PH-N314", f"transmit level {level} stands there twice; the last one counts")
        if level in map(str, range(TX_LEVELS)):
            block.transmit[int(level)] = value

    def _close_block(self) -> None:
        block, self.block = self.block, None
        if block is None:
            return
        missing = [str(i) for i in range(TX_LEVELS) if i not in block.transmit]
        name = f"<active rat={block.rat!r} nrFrequency={block.frequency!r}>"
        if missing:
            self.problem(
                block.line, "PH-N322", f"{name} has no transmit level {', '.join(missing)}: counts as 0", "error"
            )
        if block.receive is None:
            self.problem(block.line, "PH-N322", f"{name} has no receive: counts as 0", "error")
        if (block.rat, block.frequency) in self.blocks:
            self.problem(block.line, "PH-N314", f"{name} stands there twice; the last one counts")
        levels = tuple(block.transmit.get(i) for i in range(TX_LEVELS))
        self.blocks[block.rat, block.frequency] = Active(block.rat, block.frequency, block.receive, levels)


#: Element -> elements it may stand in.
_INSIDE: dict[str, tuple[str, ...]] = {
    "device": ("",),
    "item": ("device",),
    "array": ("device",),
    "value": ("array",),
    "modem": ("device",),
    "sleep": ("modem",),
    "idle": ("modem",),
    "active": ("modem",),
    "receive": ("active",),
    "transmit": ("active",),
}
_LEAVES = ("item", "value", "sleep", "idle", "receive", "transmit")


def read_profile(path: str) -> PowerProfile:
    """A profile of any vendor with everything that is wrong in it.

    Raises FileError, with what was found before, for what is no readable XML profile: compiled, larger than 4 MiB,
    with a DTD, too deep, damaged.
    """
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", code="PH-N300", hint=GIVE) from error
    return parse_profile(content, path)


def parse_profile(content: bytes, path: str = "-") -> PowerProfile:
    """As `read_profile`, from bytes; they may be gzipped."""
    from powerhal.android.profile.check import check

    if content.startswith(b"\x1f\x8b"):
        try:
            content = zlib.decompressobj(31).decompress(content, LARGEST + 1)
        except zlib.error as error:
            raise FileError(f"{path}: damaged gzip ({error})", code="PH-N305") from error
    if len(content) > LARGEST:
        raise FileError(f"{path}: larger than {LARGEST >> 20} MiB", code="PH-N301")
    if content.startswith(_COMPILED):
        hint = "apktool d framework-res.apk, or aapt2 dump xmltree"
        raise FileError(f"{path}: compiled Android XML, not text", code="PH-N302", hint=hint)
    reader = _parse(content, path)
    profile = PowerProfile(path, reader.items, reader.arrays, reader.profile_modem(), reader.lines)
    problems = sorted([*reader.problems, *check(profile)], key=lambda p: int(p.where.rpartition(":")[2]))
    return PowerProfile(path, profile.items, profile.arrays, profile.modem, profile.lines, tuple(problems))


def _parse(content: bytes, path: str) -> _Reader:
    parser = expat.ParserCreate()
    reader = _Reader(path, parser)

    def refuse(*_: Any) -> None:
        raise _Stop("PH-N304", "a DTD or entity declaration; a power profile needs none and it is not read")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(content, True)
    except _Stop as stop:
        code, message = stop.args
        reader.problem(parser.CurrentLineNumber, code, message, "error")
        raise FileError(f"{path}: refused: {message}", reader.problems, code=code) from None
    except (expat.ExpatError, ValueError, LookupError) as error:
        message = expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else str(error)
        reader.problem(parser.CurrentLineNumber, "PH-N305", f"no well-formed XML: {message}", "error")
        raise FileError(f"{path}: no well-formed XML", reader.problems, code="PH-N305") from error
    return reader
