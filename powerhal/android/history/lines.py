"""Check-in history lines, both ways: `9,hsp` (string pool) and `9,h` (what changed, and when).

Unlike the other records these have no columns but tokens: `+S`, `-w`, `Bl=99`, `+Etp=2`; commands stand
behind colons (`0:RESET:TIME:1700000001000`). Every line prints again, byte for byte, from its typed parts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from powerhal.android.checkin.values import Malformed, Value, read_any, read_int, show
from powerhal.android.history.tokens import COMMANDS, WORDS
from powerhal.android.issues import Issues

# details whose text is free form (commas, equal signs): they reach to the end of the line
FREE = re.compile(r"(?:^|(,))(?=(?:Dpst=|Dcpu=|XB,|XC,|XE,))")

# a pool line as the platform prints it: quotes and backslashes stand behind a backslash
POOL = re.compile(r'9,hsp,(0|[1-9][0-9]{0,17}),(0|-?[1-9][0-9]{0,17}),"([^"\\]*(?:\\["\\][^"\\]*)*)"', re.ASCII)
ESCAPED = re.compile(r'\\(["\\])')
# Android 16 on: a tag that no longer fitted into the pool stands in line, `+w=u0a12:"a, ""b"""`
IN_LINE = re.compile(r'[^,"]*(?:"(?:[^"]|"")*")?(?=,|$)', re.DOTALL)


class Token(NamedTuple):
    """One change: sign `+`, `-` or empty; `value` None when there is no `=`; a tuple for a detail."""

    sign: str
    key: str
    value: Value | tuple[Value, ...] = None


class HistoryLine(NamedTuple):
    """One `9,h` line: `delta` in ms since the line before; `commands` like (RESET, TIME, 1700000001000)."""

    line: int
    prefix: int
    delta: Value
    commands: tuple[Value, ...]
    tokens: tuple[Token, ...]


class PoolLine(NamedTuple):
    """One `9,hsp` line: a string of the pool that events refer to by `number`, with the uid it belongs to."""

    line: int
    prefix: int
    number: Value
    uid: Value
    text: str
    quoted: bool


def is_history(line: str) -> bool:
    """Whether a check-in line is of the history (its second column is no uid)."""
    return line[1:4] in {",h,", ",hs"} and (line[3] == "," or line[1:6] == ",hsp,")


def read_history(number: int, line: str, issues: Issues) -> HistoryLine | PoolLine:
    """A line for which `is_history` holds; columns that cannot be read are `Malformed` and noted."""
    if line[1:6] == ",hsp,":
        if match := POOL.fullmatch(line):
            return PoolLine(number, 9, int(match[1]), int(match[2]), _unescape(match[3]), True)
        return _read_pool(number, int(line[0]), line[6:], issues)
    head, comma, rest = line[4:].partition(",")
    delta, words = _read_head(head)
    if isinstance(delta, Malformed):
        issues.add(number, "h", "delta", f"{delta.why}: {delta.text[:40]!r}")
    tokens = read_tokens(rest) if rest or not comma else (read_token(""),)
    return HistoryLine(number, int(line[0]), delta, words, tokens)


def _read_head(text: str) -> tuple[Value, tuple[Value, ...]]:
    """Delta and commands, the last of which is mostly a time and never the same."""
    before, colon, last = text.rpartition(":")
    if not colon:
        return read_int(text), ()
    delta, words = _read_words(before)
    return delta, (*words, read_any(last))


@lru_cache(maxsize=1 << 10)
def _read_words(text: str) -> tuple[Value, tuple[Value, ...]]:
    delta, *words = text.split(":")
    return read_int(delta), tuple(map(read_any, words))


def _read_pool(number: int, prefix: int, text: str, issues: Issues) -> PoolLine:
    parts = text.split(",", 2)
    index, uid = read_int(parts[0]), read_int(parts[1]) if len(parts) > 1 else None
    body = parts[2] if len(parts) > 2 else ""
    if isinstance(index, Malformed) or not isinstance(uid, int):
        issues.add(number, "hsp", "index", "a pool line needs an index and a uid")
    quoted = len(body) >= 2 and body[0] == body[-1] == '"' and _escape(_unescape(body[1:-1])) == body[1:-1]
    if len(parts) < 3:
        return PoolLine(number, prefix, Malformed(text, "cut"), None, "", False)
    return PoolLine(number, prefix, index, uid, _unescape(body[1:-1]) if quoted else body, quoted)


def _unescape(text: str) -> str:
    return ESCAPED.sub(itemgetter(1), text) if "\\" in text else text


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@lru_cache(maxsize=1 << 14)
def _read_short(text: str) -> Token:
    return _read_token(text)


def read_token(text: str) -> Token:
    """One token; short ones come again and again and are remembered."""
    return _read_short(text) if len(text) < 64 else _read_token(text)


def _read_token(text: str) -> Token:
    sign = text[0] if text[:1] in ("+", "-") else ""
    key, equals, value = text[len(sign) :].partition("=")
    return Token(sign, key, read_any(value) if equals else None)


def read_tokens(text: str) -> tuple[Token, ...]:
    """All tokens of a line (none for no text); a free-form detail reaches to the end."""
    if not text:
        return ()
    detail = FREE.search(text) if text[0] in "DX" or ",X" in text or ",D" in text else None
    if detail is None:
        return tuple(map(read_token, _pieces(text)))
    before = map(read_token, _pieces(text[: detail.start()])) if detail[1] else ()
    return (*before, _read_detail(text[detail.end() :]))


def _pieces(text: str) -> list[str]:
    """The tokens of a line as text: between commas, but for those within double quotes that pair up."""
    if '"' not in text:
        return text.split(",")
    pieces, at = [], 0
    while match := IN_LINE.match(text, at):
        pieces.append(match[0])
        at = match.end() + 1
        if at > len(text):
            return pieces
    return text.split(",")


def _read_detail(text: str) -> Token:
    """`Dcpu=a:b/uid:u:s`, `Dpst=usr,sys,...,text`, `XE,name=uC,...`: the key, and the columns behind it."""
    key = re.match(r"[A-Za-z]+", text)
    assert key is not None
    name, rest = key.group(), text[key.end() :]
    return Token("", name, (rest[:1], *map(read_any, rest[1:].split(","))))


def emit_history(item: HistoryLine | PoolLine) -> str:
    """The line again, from its typed parts (without a line end)."""
    if isinstance(item, PoolLine):
        if item.uid is None and isinstance(item.number, Malformed):
            return f"{item.prefix},hsp,{item.number.text}"
        text = f'"{_escape(item.text)}"' if item.quoted else item.text
        return f"{item.prefix},hsp,{show(item.number, 'int')},{show(item.uid, 'int')},{text}"
    head = ":".join([show(item.delta, "int"), *(show(c, "any") for c in item.commands)])
    return ",".join([f"{item.prefix},h,{head}", *map(_emit_token, item.tokens)])


def _emit_token(token: Token) -> str:
    head = f"{token.sign}{token.key}"
    if isinstance(token.value, tuple):
        separator, *columns = token.value
        return head + show(separator, "any") + ",".join(show(c, "any") for c in columns)
    return head if token.value is None else f"{head}={show(token.value, 'any')}"


def explained(token: Token) -> bool:
    """Whether the tables know this token (an empty one, as real dumps hold, says nothing)."""
    return token.key in WORDS or (not token.key and token.value is None)


def known_command(value: Value) -> bool:
    """Whether a command word is one of the platform's; the epoch after TIME is a number."""
    return value in COMMANDS or isinstance(value, int)


# The tokens of short lines, remembered: bulk reading asks for the same ones again and again.
remembered_tokens = lru_cache(maxsize=1 << 14)(read_tokens)
