from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.errors import FileError
from powerhal.host.btf import MAGIC, STRUCT, member_offset

INT, UNION, VLEN = 1, 5, 0xFFFF


class Types:
    """Builds BTF (Documentation/bpf/btf.rst, "BTF Type and String Encoding")."""

    def __init__(self) -> None:
        self.strings = bytearray(b"\0")
        self.types = bytearray()

    def name(self, text: str) -> int:
        self.strings += text.encode() + b"\0"
        return len(self.strings) - len(text) - 1

    def integer(self, text: str) -> None:
        self.types += struct.pack("=IIII", self.name(text), INT << 24, 4, 32)

    def structure(
        self, text: str, members: list[tuple[str, int]], *, kind: int = STRUCT, bitfield: bool = False, size: int = 9000
    ) -> None:
        self.types += struct.pack("=III", self.name(text), bitfield << 31 | kind << 24 | len(members), size)
        for member, bits in members:
            self.types += struct.pack("=III", self.name(member), 1, bits)

    def build(self) -> bytes:
        head = struct.pack("=HBBI", MAGIC, 1, 0, 24)
        head += struct.pack("=IIII", 0, len(self.types), len(self.types), len(self.strings))
        return head + bytes(self.types + self.strings)


@given(st.lists(st.integers(0, 8000), min_size=1, max_size=40), st.integers(0, 39), st.booleans())
def test_offset_of_a_member(offsets: list[int], which: int, bitfield: bool) -> None:
    which %= len(offsets)
    types = Types()
    types.integer("int")
    types.structure("list_head", [("next", 0), ("prev", 64)])
    types.structure("task_struct", [(f"m{i}", 8 * at) for i, at in enumerate(offsets)], bitfield=bitfield)
    types.structure("other", [("m0", 8)])
    assert member_offset(types.build(), "task_struct", f"m{which}") == offsets[which]


def test_a_union_or_a_number_that_looks_like_the_name_is_not_taken() -> None:
    types = Types()
    types.structure("padding", [("x", 0)])
    types.structure("task_struct", [("tgid", 16)])
    name = types.strings.index(b"task_struct")
    decoy = Types()
    decoy.strings = types.strings
    decoy.types = bytearray(struct.pack("=III", name, UNION << 24 | 1, 8)) + struct.pack("=III", name, name, name)
    decoy.types += types.types
    assert member_offset(decoy.build(), "task_struct", "tgid") == 2


@pytest.mark.parametrize("data", [b"", b"\x9f\xeb", b"x" * 100, Types().build()])
def test_what_is_no_such_structure_is_said(data: bytes) -> None:
    with pytest.raises(FileError):
        member_offset(data, "task_struct", "tgid")


@given(st.binary(max_size=200), st.integers(0, 400))
def test_damaged_types_give_an_error_or_an_offset(junk: bytes, cut: int) -> None:
    types = Types()
    types.structure("task_struct", [("tgid", 800)])
    data = types.build()
    with contextlib.suppress(FileError):
        assert member_offset(data[:cut] + junk, "task_struct", "tgid") < 9000


def test_this_kernel() -> None:
    path = Path("/sys/kernel/btf/vmlinux")
    if not path.exists():
        pytest.skip("this kernel has no BTF")
    data = path.read_bytes()
    # include/linux/sched.h declares pid_t pid; pid_t tgid; next to each other
    assert member_offset(data, "task_struct", "tgid") == member_offset(data, "task_struct", "pid") + 4
