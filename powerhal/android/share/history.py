"""A history of any version as one that Battery Historian follows without an error.

It keeps the state of each token itself and objects to what repeats or contradicts it: a state that is set twice,
an event that ends twice, a second holder of the wake lock, a pool string that is not there. Here the same state
is kept; tokens that say nothing new are dropped, a change of holder becomes release and hold, and what its 2017
vocabulary lacks is dropped and counted. Facts re-entered from google/battery-historian (parseutils, d2356ba4).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from powerhal.android.checkin.values import Value, show
from powerhal.android.history.lines import HistoryLine, PoolLine, Token
from powerhal.android.history.states import in_line
from powerhal.android.history.tokens import COMMANDS
from powerhal.android.share.clock import BOOTS, MAX_DELTA, SET_CLOCK, TIMED, SummaryClock, Times
from powerhal.android.share.records import Losses, clean

BITS = frozenset(
    [
        "r",
        "g",
        "s",
        "S",
        "BP",
        "Pcl",
        "Pr",
        "Psc",
        "bles",
        "W",
        "Wl",
        "Ws",
        "Wm",
        "Wr",
        "Ww",
        "lp",
        "ps",
        "a",
        "ca",
        "v",
        "fl",
        "ch",
    ]
)
SPANS = frozenset(["Epr", "Efg", "Etp", "Esy", "Ewl", "Ejb", "Elw", "Etw", "Eal"])  # begin with + and end with -
INSTANTS = frozenset(["Epi", "Epu", "Eaa", "Eai", "Est", "Ewa"])  # one string of the pool each
BARE = frozenset(["Esm", "Eac", "Eur", "Euf"])  # nothing is read of them
NUMBERS = frozenset(["Bt", "Bv", "Bl", "Sb", "Bcc"])
_SUPPLICANT = "inv dsc dis inact scan auth ascing asced 4-way group compl dorm uninit"
ENUMS: dict[str, frozenset[str] | None] = {
    "Bs": frozenset("?cdnf"), "Bh": frozenset("?ghdvfc"), "Bp": frozenset("nauw"), "Pss": frozenset("01234"),
    "Pst": frozenset(("in", "out", "em", "off")), "Wss": frozenset("01234"), "Pcn": None, "di": None,
    "Wsp": frozenset(_SUPPLICANT.split()),
}  # fmt: skip
CONNECTIONS = frozenset(("CONNECTED", "DISCONNECTED", "SUSPENDED"))
WORD = re.compile(r"[\w?-]+", re.ASCII)
CPU_TIMES = re.compile(r"\d{1,18}:\d{1,18}(?:/(?:\d{1,9}|u\d{1,4}[ias]\d{1,6}):\d{1,18}:\d{1,18}){0,3}", re.ASCII)
NOBODY = "unknown-wakelock-holder"
COUNTERS = 6  # usr, sys, io, irq, sirq, idle
MAX_INT = 2**63 - 1


@dataclass(slots=True)
class HistoryWriter:
    """Lines of one dump's history, the pool first; `losses` counts what was left out."""

    losses: Losses
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)  # pool entries, as they are written
    _pool: dict[int, int] = field(default_factory=dict)  # index in the dump -> index written
    _texts: list[str] = field(default_factory=list)
    _on: set[str] = field(default_factory=set)
    _settled: set[str] = field(default_factory=set)  # bits of which a change was seen
    _spans: dict[str, list[int]] = field(default_factory=dict)  # what goes on, by event, in order of start
    _ended: set[tuple[str, str]] = field(default_factory=set)
    _holder: int | None = None
    _screen_reason: bool = False
    _clock: SummaryClock = field(default_factory=SummaryClock)

    def write(self, lines: Iterable[HistoryLine | PoolLine], times: Times) -> Iterator[str]:
        """All lines but the pool's in the old form; `times` of the same lines."""
        epochs = iter(times.epochs)
        for line in lines:
            if why := unsound(line):
                self.losses.records[why] += 1
                continue
            if isinstance(line, PoolLine):
                self._add(line)
                continue
            assert isinstance(line.delta, int)
            if line.commands:
                yield from self._command(line.delta, str(line.commands[0]), next(epochs))
                continue
            self._clock.passed(line.delta)
            tokens = [text for token in line.tokens for text in self._token(token)]
            if tokens or line.delta or not line.tokens:
                yield ",".join([f"9,h,{line.delta}", *tokens])

    def pool(self) -> Iterator[str]:
        """The strings that the lines written so far point to: they stand before them."""
        return (f'9,hsp,{k},{uid},"{text}"' for (uid, text), k in self._numbers.items())

    def _add(self, line: PoolLine) -> None:
        assert isinstance(line.number, int)
        assert isinstance(line.uid, int)
        self._pool[line.number] = self._number(line.uid, line.text)

    def _number(self, uid: int, text: str) -> int:
        key = (uid, clean(text, self.losses, commas=True).replace("\\", "/"))
        if key not in self._numbers:
            self._numbers[key] = len(self._texts)
            self._texts.append(key[1])
        return self._numbers[key]

    def _command(self, delta: int, word: str, epoch: int | None) -> Iterator[str]:
        timed = word in TIMED
        if word not in COMMANDS or (timed and epoch is None):
            self.losses.columns[f"h.{word[:20]} command"] += 1
            self._clock.passed(delta)
            yield f"9,h,{delta}"
            return
        if epoch is None:
            self._clock.passed(delta)
            if word == BOOTS[0]:
                self._forget()
                self._clock.boot()
            yield f"9,h,{delta}:{word}"
            return
        if word == "RESET":
            if not self._clock.start_ms:  # without a start it would clear nothing there
                yield f"9,h,{delta}:" + ("" if epoch > SET_CLOCK else "RESET:") + f"TIME:{epoch}"
                delta = 0
            self._forget()
            self._clock.reset(epoch)
        else:
            self._clock.told(epoch)
        yield f"9,h,{delta}:" + ("RESET:" if word == "RESET" else "") + f"TIME:{epoch}"

    def _forget(self) -> None:
        self._on.clear()
        self._settled.clear()
        self._spans.clear()
        self._ended.clear()
        self._holder = None
        self._screen_reason = False

    def _drop(self, token: Token, why: str) -> Iterator[str]:
        self.losses.columns[f"h.{token.key[:12] or '(empty)'}{why and f' ({why})'}"] += 1
        yield from ()

    def _token(self, token: Token) -> Iterator[str]:
        key = token.key
        if key == "w":
            return self._wake_lock(token)
        if key == "di" and token.value is None and token.sign:
            return iter([f"{token.sign}di"])
        for keys, method in METHODS:
            if key in keys:
                return method(self, token)
        if not key and token.value is None:
            return iter(())
        return self._drop(token, "")

    def _bit(self, token: Token) -> Iterator[str]:
        key, sign = "ps" if token.key == "lp" else token.key, token.sign
        if not sign or token.value is not None:
            yield from self._drop(token, "without a sign" if not sign else "with a value")
            return
        if (sign == "+") == (key in self._on) and (sign == "+" or key in self._settled or key == "r"):
            yield from self._drop(token, "no change")
            return
        self._settled.add(key)
        crowd = self._spans.get("Etp", [])[:-1] if key == "S" else []
        yield from (f"-Etp={n}" for n in crowd)  # only one app may be on top when the screen changes
        self._ended.update(("Etp", self._texts[n]) for n in crowd)
        (self._on.add if sign == "+" else self._on.discard)(key)
        if key == "S" and sign == "-":
            self._screen_reason = False
        yield f"{sign}{token.key}"
        yield from (f"+Etp={n}" for n in crowd)

    def _string(self, token: Token) -> int | None:
        """The index of a token's string: from the pool, or of a tag that stands in the token itself."""
        if isinstance(token.value, int):
            return self._pool.get(token.value)
        tagged = in_line(token.value)
        return self._number(tagged[0] or 0, tagged[1]) if isinstance(tagged, tuple) else None

    def _span(self, token: Token) -> Iterator[str]:
        at = self._string(token)
        if at is None:
            yield from self._drop(token, "string not in the pool")
            return
        running = self._spans.setdefault(token.key, [])
        ended = (token.key, self._texts[at])
        if token.sign == "-":
            if at not in running and ended in self._ended:
                yield from self._drop(token, "no change")
                return
            running[:] = [n for n in running if n != at]
            self._ended.add(ended)
        elif at in running:
            yield from self._drop(token, "no change")
            return
        else:
            running.append(at)
        yield f"{token.sign}{token.key}={at}"

    def _instant(self, token: Token) -> Iterator[str]:
        at = self._string(token)
        if at is None:
            return self._drop(token, "string not in the pool")
        return iter([f"{token.sign}{token.key}={at}"])

    def _bare(self, token: Token) -> Iterator[str]:
        at = self._string(token)
        return iter([f"{token.sign}{token.key}" + ("" if at is None else f"={at}")])

    def _reason(self, token: Token) -> Iterator[str]:
        """The reason of a wake-up, or of the screen; of the latter one for each time that it is on."""
        if token.key == "Esw" and self._screen_reason:
            return self._drop(token, "a second reason")
        self._screen_reason = self._screen_reason or (token.key == "Esw" and self._string(token) is not None)
        return self._instant(token)

    def _connection(self, token: Token) -> Iterator[str]:
        at = self._string(token)
        if at is None or self._texts[at] not in CONNECTIONS:
            return self._drop(token, "string not in the pool" if at is None else "another state")
        return iter([f"Ecn={at}"])

    def _wake_lock(self, token: Token) -> Iterator[str]:
        if token.sign == "-":
            self._holder = None
            yield "-w"
            return
        if token.value is None and self._holder is not None:
            yield from self._drop(token, "no change")
            return
        at = self._number(0, NOBODY) if token.value is None else self._string(token)
        if at is None:
            yield from self._drop(token, "string not in the pool")
            return
        if at == self._holder:
            yield from self._drop(token, "no change")
            return
        if self._holder is not None:
            yield "-w"
        self._holder = at
        yield f"+w={at}"

    def _figure(self, token: Token) -> Iterator[str]:
        if isinstance(token.value, int) and abs(token.value) <= MAX_INT:
            return iter([f"{token.key}={token.value}"])
        return self._drop(token, "not readable")

    def _enum(self, token: Token) -> Iterator[str]:
        value = None if token.value is None or isinstance(token.value, tuple) else show(token.value, "any")
        allowed = ENUMS[token.key]
        if token.key == "Bs" and value:
            self._clock.status(value)
        if token.key == "Bs" and value == "c":
            self._settled.add("r")  # a summary ends here, and with it what is taken for granted of the CPU
        if value and (value in allowed if allowed else WORD.fullmatch(value) and value != "???"):
            return iter([f"{token.key}={value}"])
        return self._drop(token, f"value {str(value)[:12]}")

    def _cpu_times(self, token: Token) -> Iterator[str]:
        text = "".join(show(v, "any") for v in token.value[1:]) if isinstance(token.value, tuple) else ""
        return iter([f"Dcpu={text}"]) if CPU_TIMES.fullmatch(text) else self._drop(token, "not readable")

    def _proc_stat(self, token: Token) -> Iterator[str]:
        """The six counters; the texts behind them (idle states, subsystems) have no place there."""
        found = token.value[1:] if isinstance(token.value, tuple) else ()
        counters = found[:COUNTERS]
        if len(counters) < COUNTERS or not all(isinstance(v, int) and 0 <= v <= MAX_INT // 10**6 for v in counters):
            return self._drop(token, "not readable")
        if len(found) > COUNTERS:
            self.losses.columns["h.Dpst (texts behind the counters)"] += 1
        return iter(["Dpst=" + ",".join(map(str, counters))])


METHODS = (
    (BITS, HistoryWriter._bit),
    (SPANS, HistoryWriter._span),
    (INSTANTS, HistoryWriter._instant),
    (BARE, HistoryWriter._bare),
    (("wr", "Esw"), HistoryWriter._reason),
    (("Ecn",), HistoryWriter._connection),
    (NUMBERS, HistoryWriter._figure),
    (ENUMS, HistoryWriter._enum),
    (("Dcpu",), HistoryWriter._cpu_times),
    (("Dpst",), HistoryWriter._proc_stat),
)


def unsound(line: HistoryLine | PoolLine) -> str:
    """Why a line cannot be written at all; empty when it can."""
    if isinstance(line, PoolLine):
        return "" if isinstance(line.number, int) and _uid(line.uid) else "hsp (not readable)"
    good = isinstance(line.delta, int) and 0 <= line.delta <= MAX_DELTA
    return "" if good else "h (time runs backwards or is not readable)"


def _uid(value: Value) -> bool:
    return isinstance(value, int) and -(2**31) <= value < 2**31
