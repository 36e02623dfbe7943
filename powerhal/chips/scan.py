"""Which chips are on a bus? Reads only, several pieces of evidence for each chip, and a verdict that knows its limits.

Every known chip is tried at the addresses where it can be. It is out when a required piece of evidence fails.
`certain` needs an identity register that names the part, one more piece that holds, and no second chip whose identity
holds too; parts that answer alike are named together. Addresses that a kernel driver owns are not touched. Pointers
that are commands on some part at the address, or whose reading clears a flag, are not among the evidence.

Reading a register writes its pointer, one byte. To a chip that is none of ours that byte may be a command (an HTU21
at 0x40 starts anew at 0xFE): on a bus with unknown parts, compare with the board's circuit first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from powerhal import chips
from powerhal.chips.identify import read_register
from powerhal.chips.pec import read_agrees
from powerhal.chips.registers import ChipType, Evidence, Register
from powerhal.errors import TransportError
from powerhal.transport import I2cBus

MUXES = range(0x70, 0x78)  # a pointer written to a bus switch here would switch it
_SAME_BYTES = 8

Reader = Callable[[Register], bytes | None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chip that nothing contradicts: pieces of evidence that hold of those asked, and whether they name the part."""

    chip: str
    holds: int
    asked: int
    named: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """What is at one address. `verdict`: certain, likely (one of `candidates`), possible, owned, unknown."""

    bus: str
    address: int
    verdict: str
    confidence: float
    candidates: tuple[Candidate, ...] = ()
    note: str = ""

    @property
    def chip(self) -> str:
        """The first candidate's name, '' when there is none."""
        return self.candidates[0].chip if self.candidates else ""

    def text(self) -> str:
        """One line for people."""
        names = " or ".join(c.chip for c in self.candidates)
        best = f"{self.candidates[0].holds}/{self.candidates[0].asked} pieces of evidence" if self.candidates else ""
        parts = (f"{self.confidence:.0%}" if self.candidates else "", names, best, self.note)
        return f"{self.bus} 0x{self.address:02x}  {self.verdict:<8}  {'  '.join(p for p in parts if p)}"

    def document(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "bus": self.bus, "address": f"0x{self.address:02x}", "verdict": self.verdict, "chip": self.chip,
            "confidence": self.confidence, "note": self.note,
            "candidates": [
                {"chip": c.chip, "evidence": c.holds, "of": c.asked, "named": c.named} for c in self.candidates
            ],
        }  # fmt: skip


@cache
def known() -> tuple[ChipType, ...]:
    """Every chip that can be on a bus, each once."""
    return tuple({(kind := chips.load(c)).name: kind for c in chips.CHIPS}.values())


def scan(bus: I2cBus, kinds: Sequence[ChipType] = ()) -> Iterator[Finding]:
    """One finding for each address where a known chip can be and something answers; raises nothing."""
    kinds = kinds or known()
    for address in sorted({a for kind in kinds for a in range(kind.addresses[0], kind.addresses[1] + 1)}):
        finding = look(bus, address, kinds)
        if finding:
            yield finding


def look(bus: I2cBus, address: int, kinds: Sequence[ChipType] = ()) -> Finding | None:
    """What is at one address; None when nothing answers there."""
    here = [kind for kind in kinds or known() if kind.addresses[0] <= address <= kind.addresses[1]]
    owner = bus.owner(address)
    if owner:
        return Finding(bus.name, address, "owned", 1.0, note=f"the kernel driver {owner} owns it: not touched")
    if address in MUXES and _may_be_a_mux(bus, address):
        return Finding(bus.name, address, "unknown", 0.0, note="answers like a bus switch: not probed")
    read = _Reader(bus, address)
    found = [c for kind in here if (c := judge(kind, read)) is not None]
    if not read.answered:
        return None
    return verdict(bus.name, address, found)


def verdict(bus: str, address: int, found: Sequence[Candidate]) -> Finding:
    """The finding that the surviving candidates allow."""
    named = sorted((c for c in found if c.named), key=_order)
    if len(named) == 1 and named[0].holds >= 2:
        return Finding(bus, address, "certain", 0.99, tuple(named))
    if named:
        return Finding(
            bus, address, "likely", round(0.9 / len(named), 3), tuple(named), note="their identities are alike"
        )
    if not found:
        return Finding(bus, address, "unknown", 0.0, note="something answers, but no known chip would say this")
    best = sorted(found, key=_order)
    note = "no register names the part" if len(best) == 1 else "nothing tells these parts apart"
    return Finding(bus, address, "possible", round(0.5 / len(best), 3), tuple(best), note=note)


def _order(candidate: Candidate) -> tuple[int, str]:
    return -candidate.holds, candidate.chip


def judge(chip: ChipType, read: Reader) -> Candidate | None:
    """The chip as a candidate, None when something contradicts it or nothing answers for it."""
    pieces = [(evidence, _holds(chip.register(evidence.register), evidence, read)) for evidence in chip.evidence]
    if any(evidence.required and holds is False for evidence, holds in pieces):
        return None
    if any(e.required and e.proof and h is None for e, h in pieces):
        return None
    if not any(holds for evidence, holds in pieces if not evidence.differs):
        return None
    proofs = [holds for evidence, holds in pieces if evidence.proof]
    asked = sum(holds is not None for _, holds in pieces)
    return Candidate(chip.name, sum(h is True for _, h in pieces), asked, bool(proofs) and all(proofs))


def _holds(register: Register, evidence: Evidence, read: Reader) -> bool | None:
    """Whether a piece holds; None when the register does not answer (a dump may not hold it)."""
    raw = read(register)
    return None if raw is None else evidence.holds(register.integer(raw))


class _Reader:
    """Reads each register of an address once; None for what does not answer or fails its check byte."""

    def __init__(self, bus: I2cBus, address: int) -> None:
        self._bus, self._address = bus, address
        self._seen: dict[tuple[int, int], bytes | None] = {}
        self.answered = False

    def __call__(self, register: Register) -> bytes | None:
        key = register.address, register.nbytes
        if key not in self._seen:
            self._seen[key] = self._read(register)
        raw = self._seen[key]
        if raw is not None and register.check and not read_agrees(self._address, register.address, raw):
            return None
        return raw

    def _read(self, register: Register) -> bytes | None:
        try:
            raw = read_register(self._bus, self._address, register)
        except TransportError:
            return None
        self.answered = True
        return raw


def _may_be_a_mux(bus: I2cBus, address: int) -> bool:
    """A bus switch answers a plain read with its one register over and over."""
    try:
        answer = bus.transfer(address, b"", _SAME_BYTES)
    except TransportError:
        return False
    return len(set(answer)) == 1
