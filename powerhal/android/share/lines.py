"""Typed check-in lines without names: every text is replaced or known, every number stays as it is.

Deny by default: a column of text that no rule speaks of is a tag; a record of a vendor, whose columns nobody
described, is left out whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from powerhal.android.checkin.lines import Record, emit
from powerhal.android.checkin.records import WAKELOCK_LETTERS
from powerhal.android.checkin.values import Malformed, Value
from powerhal.android.history.lines import HistoryLine, PoolLine, Token, emit_history
from powerhal.android.history.states import in_line
from powerhal.android.history.tokens import COMMANDS, WORDS
from powerhal.android.share.redact import Pseudonyms
from powerhal.android.share.source import CheckinLine, Part
from powerhal.android.statistics import DEVICE_NAMES

KERNEL_CODES = frozenset(("kwl", "wr", "rpm"))
LABELS = frozenset(
    [
        "scrn",
        "cpu",
        "blue",
        "camera",
        "audio",
        "video",
        "flashlight",
        "cell",
        "sensors",
        "gnss",
        "wifi",
        "memory",
        "phone",
        "ambi",
        "idle",
        "uid",
        "user",
        "unacc",
        "over",
        "???",
    ]
)
STEPS = frozenset(("s+", "s-", "sd", "sds", "?", "p+", "p-", "i+", "i-", ""))
KNOWN_TEXT: dict[tuple[str, str], frozenset[str]] = {
    ("pwi", "label"): frozenset(DEVICE_NAMES) | LABELS,
    ("ctf", "state"): frozenset(("A", "T", "FS", "F", "B", "TS", "HW", "C")),
    **{(code, name): STEPS for code in ("dsd", "csd") for name in ("screen", "power_save", "idle")},
    **{("wl", f"{group}.letter"): frozenset((letter,)) for letter, group in WAKELOCK_LETTERS.items()},
}
BUILD = re.compile(r"[A-Z0-9]{1,8}(?:\.[A-Z0-9]{1,10}){0,5}", re.ASCII)  # UP1A.231005.007, MMB08K
ENUM_VALUES = {
    "Pcn": "none gprs edge umts cdma evdo_0 evdo_A 1xrtt hsdpa hsupa hspa iden evdo_b lte ehrpd hspap gsm td_scdma "
    "iwlan lte_ca nr emngcy other oos ???",
    "di": "off light full ???", "Gss": "none poor good ???", "Wss": "0 1 2 3 4",
    "Wsp": "inv dsc disconn dis ifdis inact scan auth ascing asced 4-way group compl dorm uninit",
}  # fmt: skip
VENDOR_KEYS = frozenset(["current", "ap_temp", "pa_temp", "txshare_event", "txshare", "wifi_ap"])
REMOVED = "?"
LONGEST_NUMBER = 10**9  # a longer one in a token of a vendor may be a serial number
NUMBERS = (int, float)  # say nothing about anybody
ALIKE = (int, str, type(None))  # of equal ones each prints the same
REMEMBERED = 1 << 14  # tokens


@dataclass(slots=True)
class LineRedactor:
    """Lines of one dump under one set of pseudonyms; `dropped` counts lines that were left out, by code."""

    names: Pseudonyms
    dropped: Counter[str] = field(default_factory=Counter)
    _kernel: set[int] = field(default_factory=set)
    _seen: dict[Token, Token] = field(default_factory=dict)

    def lines(self, lines: Iterable[CheckinLine]) -> Iterator[CheckinLine]:
        """The same lines with the same numbers, without names; they are walked through twice."""
        history = replace(lines, records=False, keep=_wakes) if isinstance(lines, Part) else lines
        self._kernel = {
            token.value
            for line in history
            if isinstance(line, HistoryLine)
            for token in line.tokens
            if token.key == "wr" and isinstance(token.value, int)
        }
        for line in lines:
            kept = self._line(line)
            if kept is not None:
                yield kept

    def _line(self, line: CheckinLine) -> CheckinLine | None:
        if isinstance(line, PoolLine):
            return self._pool(line)
        if isinstance(line, HistoryLine):
            commands = tuple([c if c in COMMANDS or _short(c) else REMOVED for c in line.commands])
            delta = Malformed(REMOVED, "") if isinstance(line.delta, Malformed) else line.delta
            tokens = tuple([self._again(token) for token in line.tokens])
            return HistoryLine(line.line, line.prefix, delta, commands, tokens)
        if not line.layout.known:
            self.dropped["records of a vendor"] += 1
            return None
        code = line.code
        pairs = zip(line.layout.fields, line.values, strict=True)
        values = tuple([v if v.__class__ in NUMBERS else self._column(code, f.name, v) for f, v in pairs])
        return Record(line.line, line.prefix, line.uid, line.window, code, line.layout, values)

    def _pool(self, line: PoolLine) -> PoolLine | None:
        if isinstance(line.number, Malformed) or not isinstance(line.uid, int):
            self.dropped["hsp"] += 1
            return None
        kernel = line.number in self._kernel
        return line._replace(text=self.names.kernel(line.text) if kernel else self.names.tag(line.text))

    def _column(self, code: str, name: str, value: Value) -> Value:
        if isinstance(value, Malformed):
            return Malformed(REMOVED, value.why)
        return self._text(code, name, value) if isinstance(value, str) else value

    def _text(self, code: str, name: str, text: str) -> str:
        known = KNOWN_TEXT.get((code, name), frozenset())
        if text in known or (code == "vers" and BUILD.fullmatch(text)):
            return text
        if code in KERNEL_CODES:
            return self.names.kernel(text)
        return self.names.package(text) if name == "package" else self.names.tag(text)

    def _again(self, token: Token) -> Token:
        """A token without names; the same ones come again and again (1 and 1.0, which are equal, are not the same)."""
        if token.value.__class__ not in ALIKE:
            return self._token(token)
        found = self._seen.get(token)
        if found is None:
            found = self._token(token)
            if len(self._seen) < REMEMBERED:
                self._seen[token] = found
        return found

    def _token(self, token: Token) -> Token:
        word = WORDS.get(token.key)
        if word is None and token.key not in VENDOR_KEYS and token.key:
            token = token._replace(key=self.names.kernel(token.key).replace(".", "_"))
        if isinstance(token.value, tuple):
            return token._replace(value=tuple(self._detail(v) for v in token.value))
        if isinstance(token.value, str):
            return token._replace(value=self._in_line(token.key, token.value) or self._word(token.key, token.value))
        if word is None and isinstance(token.value, int) and not _short(token.value, LONGEST_NUMBER):
            return token._replace(value=REMOVED)
        return token

    def _in_line(self, key: str, text: str) -> str:
        """A tag that stands in the token with its uid (`u0a12:"tag"`): the uid stays; '' for anything else."""
        tagged = in_line(text)
        if not isinstance(tagged, tuple) or tagged[0] is None:
            return ""
        name = self.names.kernel(tagged[1]) if key == "wr" else self.names.tag(tagged[1])
        return text[: text.index(":")] + ':"' + name.replace('"', '""') + '"'

    def _detail(self, value: Value) -> Value:
        if not isinstance(value, str):
            return value
        return value if re.fullmatch(r"[=,]?|[0-9:/.-]+", value, re.ASCII) else self.names.kernel(value)

    def _word(self, key: str, value: str) -> Value:
        word = WORDS.get(key)
        known = {short for short, _ in word.values} if word else set()
        known.update(ENUM_VALUES.get(key, "").split())
        return value if value in known else self.names.kernel(value).replace(".", "_")


def _wakes(line: str) -> bool:
    """Whether a line may name a reason of waking up."""
    return "wr=" in line


def _short(value: Value, below: int = 10**14) -> bool:
    return isinstance(value, int) and abs(value) < below


def redacted(names: Pseudonyms) -> Callable[[Iterable[CheckinLine]], Iterator[CheckinLine]]:
    """The change of `LineRedactor` as a function of lines."""
    return lambda lines: LineRedactor(names).lines(lines)


def printed(lines: Iterable[CheckinLine]) -> Iterator[str]:
    """Lines as text."""
    return (emit(line) if isinstance(line, Record) else emit_history(line) for line in lines)
