"""Identification: never a wrong 'certain', over every pair of chips that can be at one address."""

from __future__ import annotations

import errno
from random import Random

import pytest

from powerhal.chips import find, scan
from powerhal.chips.registers import ChipType
from powerhal.errors import TransportError
from tests.chips.golden import answer, chip_on_bus, genuine

KINDS = scan.known()
NAMES = [kind.name for kind in KINDS]
# registers that name the part and no other: device, die and product identities of the data sheets
NAMED = {
    "ina226", "ina230", "ina228", "ina234", "ina236", "ina238", "ina260", "ina233", "ina3221", "pac1931", "pac1932",
    "pac1933", "pac1934", "max17042", "max17055", "stc3117",
}  # fmt: skip
# registers of identity that two parts share, so that nobody can be certain
ALIKE = {"max17047", "max17050", "max17048", "max17049", "max17058", "max17059"}
FILLS = ("zeros", "ones", "silent", "noise")


class Chip:
    """A register image; what it does not hold reads as its filling."""

    def __init__(self, kind: ChipType, fill: str, rng: Random) -> None:
        self.image = genuine(kind)
        self.fill, self.rng = fill, rng
        self.reads: list[int] = []
        self.written = b""

    def transfer(self, write: bytes, read: int) -> bytes:
        if len(write) > 1 or not read:
            self.written += write
        pointer = write[0] if write else 0
        self.reads.append(pointer)
        if pointer in self.image:
            return self.image[pointer][:read].ljust(read, b"\xff")
        if self.fill == "silent":
            raise TransportError("no answer", kind="absent", errno=errno.ENXIO)
        return {"zeros": bytes(read), "ones": b"\xff" * read}.get(self.fill) or self.rng.randbytes(read)


class Bus:
    name = "i2c-9"

    def __init__(self, chips: dict[int, Chip], owners: dict[int, str] | None = None) -> None:
        self.chips, self.owners = chips, owners or {}

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        if address not in self.chips:
            raise TransportError("nobody", kind="absent", errno=errno.ENXIO)
        return self.chips[address].transfer(write, read)

    def owner(self, address: int) -> str:
        return self.owners.get(address, "")


def worked(kind: ChipType, chip: Chip, rng: Random) -> None:
    """The chip has been in use: other settings, other values, the same identity and fixed bits."""
    told = {e.register for e in kind.evidence}
    for register in kind.registers:
        if register.name in told or register.role == "id":
            continue
        word = rng.getrandbits(8 * (register.nbytes - register.check)) & ~register.unused
        chip.image[register.address] = answer(kind, register, register.wire(word) + bytes(register.check))


def images(kind: ChipType, rng: Random) -> list[Chip]:
    fresh = [Chip(kind, fill, rng) for fill in FILLS]
    used = [Chip(kind, fill, rng) for fill in FILLS]
    for chip in used:
        worked(kind, chip, rng)
    return fresh + used


@pytest.mark.parametrize("name", NAMES)
def test_no_certain_verdict_is_wrong_and_the_right_part_is_among_the_candidates(name: str) -> None:
    """Each chip's image against all chips, and against every single other one that shares an address."""
    rng, pairs = Random(name), 0
    kind = next(k for k in KINDS if k.name == name)
    for chip in images(kind, rng):
        for address in {kind.addresses[0], kind.addresses[1]}:
            bus = Bus({address: chip})
            found = scan.look(bus, address)
            if found is None or found.verdict == "unknown":
                assert address in scan.MUXES and chip.fill in ("zeros", "ones")
                continue
            assert found.verdict != "certain" or found.chip == name, found
            assert name in {c.chip for c in found.candidates} or found.verdict == "possible" or chip.fill == "noise"
            for other in (k for k in KINDS if k.addresses[0] <= address <= k.addresses[1]):
                pair = scan.look(bus, address, (kind, other))
                pairs += 1
                assert pair is None or pair.verdict != "certain" or pair.chip == name, pair
        assert not chip.written
    print(f"pairs looked at: {pairs}")


@pytest.mark.parametrize("name", NAMES)
def test_a_chip_that_is_not_there_is_never_certain(name: str) -> None:
    """The other chips of an address without the true one among the known: nobody may be sure."""
    rng = Random(name)
    kind = next(k for k in KINDS if k.name == name)
    for chip in images(kind, rng):
        if chip.fill == "noise":
            continue
        for address in {kind.addresses[0], kind.addresses[1]}:
            others = [k for k in KINDS if k is not kind]
            found = scan.look(Bus({address: chip}), address, others)
            alike = name in ALIKE and found is not None and found.chip in ALIKE
            assert found is None or found.verdict != "certain" or alike, found


def test_nearly_every_chip_with_an_identity_of_its_own_is_certain() -> None:
    rng = Random(1)
    sure = set()
    for kind in KINDS:
        chip = Chip(kind, "zeros", rng)
        if kind.name == "stc3117":
            chip.image[0x00] = b"\x10"
        found = scan.look(Bus({kind.addresses[0]: chip}), kind.addresses[0])
        if found is not None and found.verdict == "certain":
            sure.add(found.chip)
    print(f"certain: {len(sure & NAMED)} of {len(NAMED)} whose identity names them alone")
    assert len(sure & NAMED) >= 0.95 * len(NAMED), NAMED - sure
    assert sure <= NAMED
    assert not sure & ALIKE


def test_parts_that_answer_alike_are_named_together() -> None:
    kind = next(k for k in KINDS if k.name == "max17047")
    found = scan.look(Bus({0x36: Chip(kind, "ones", Random(2))}), 0x36)
    assert found is not None
    assert found.verdict == "likely" and {c.chip for c in found.candidates} == {"max17047", "max17050"}


def test_what_a_driver_owns_is_not_touched() -> None:
    chip = Chip(next(k for k in KINDS if k.name == "ina226"), "zeros", Random(3))
    found = list(scan.scan(Bus({0x40: chip}, {0x40: "ina2xx"})))
    assert [(f.address, f.verdict) for f in found] == [(0x40, "owned")]
    assert chip.reads == []


def test_a_bus_switch_is_left_alone() -> None:
    class Switch:
        state = 0x04
        seen = b""

        def transfer(self, write: bytes, read: int) -> bytes:
            self.seen += write
            return bytes((self.state,)) * read

    switch = Switch()
    found = list(scan.scan(Bus({0x70: switch})))  # type: ignore[dict-item]
    assert [f.verdict for f in found] == ["unknown"]
    assert switch.seen == b""


def test_commands_are_not_read() -> None:
    """A pointer that is a command on a PAC193x must not be sent to its addresses."""
    chip = Chip(next(k for k in KINDS if k.name == "pac1934"), "zeros", Random(4))
    for address in range(0x10, 0x20):
        scan.look(Bus({address: chip}), address)
    assert not {0x00, 0x1E, 0x1F} & set(chip.reads)


def test_nothing_there_is_no_finding() -> None:
    assert list(scan.scan(Bus({}))) == []


def test_a_finding_as_text_and_as_data() -> None:
    chip = Chip(next(k for k in KINDS if k.name == "ina3221"), "zeros", Random(5))
    found = scan.look(Bus({0x41: chip}), 0x41)
    assert found is not None
    assert "certain" in found.text() and "ina3221" in found.text()
    assert found.document()["chip"] == "ina3221"


def test_a_dump_that_holds_only_the_identity_is_enough() -> None:
    chip = Chip(next(k for k in KINDS if k.name == "ina226"), "silent", Random(6))
    chip.image = {pointer: raw for pointer, raw in chip.image.items() if pointer >= 0xFE}
    found = scan.look(Bus({0x40: chip}), 0x40)
    assert found is not None and found.verdict == "certain" and found.chip == "ina226"


def test_an_ina237_that_has_an_identity_is_certain_and_one_without_is_not() -> None:
    """Parts with 0x237x at 0x3F have been seen; the kernel's driver knows parts without."""
    kind = find("ina237")
    for device, verdict in ((b"\x23\x70", "certain"), (b"\x00\x00", "possible")):
        bus, address, model = chip_on_bus(kind)
        model.registers[0x3F] = device
        finding = scan.look(bus, address)
        assert finding is not None
        assert finding.verdict == verdict
        assert "ina237" in [c.chip for c in finding.candidates]
