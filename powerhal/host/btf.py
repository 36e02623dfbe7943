"""Where a member of a kernel structure is, from the kernel's own type information (Documentation/bpf/btf.rst)."""

from __future__ import annotations

import struct
from typing import Final

from powerhal.errors import FileError

MAGIC: Final = 0xEB9F
STRUCT: Final = 4
MEMBER_BYTES: Final = 12


def member_offset(btf: bytes, structure: str, member: str) -> int:
    """Byte offset of a whole-byte member of a structure; raises FileError where the types do not tell.

    `btf`: content of /sys/kernel/btf/vmlinux. Types lie behind each other in no order, each of its own length; to
    walk a hundred thousand of them takes long in Python, so the structure's name is looked for instead, and a find
    counts only where a whole structure with that member reads well from it.
    """
    if len(btf) < 24 or struct.unpack_from("=H", btf)[0] != MAGIC:
        raise FileError("the kernel's type information is not BTF")
    head, types_at, types_bytes, strings_at, strings_bytes = struct.unpack_from("=IIIII", btf, 4)
    strings = btf[head + strings_at : head + strings_at + strings_bytes]
    types = btf[head + types_at : head + types_at + types_bytes]
    wanted, part = _name(strings, structure), _name(strings, member)
    if wanted is not None and part is not None:
        needle = struct.pack("=I", wanted)
        at = types.find(needle)
        while at >= 0:
            if at % 4 == 0:
                bits = _member_bits(types, at, part)
                if bits is not None and bits % 8 == 0:
                    return bits // 8
            at = types.find(needle, at + 1)
    raise FileError(f"the kernel's types do not tell where {member} of {structure} is")


def _name(strings: bytes, text: str) -> int | None:
    at = strings.find(b"\0" + text.encode() + b"\0")
    return at + 1 if at >= 0 else None


def _member_bits(types: bytes, at: int, member: int) -> int | None:
    """Offset in bits of the member with this name in the structure described at `at`; None: no such."""
    if at + 12 > len(types):
        return None
    info, size = struct.unpack_from("=II", types, at + 4)
    count, bitfields = info & 0xFFFF, bool(info >> 31)
    if (info >> 24) & 0x1F != STRUCT or at + 12 + count * MEMBER_BYTES > len(types):
        return None
    for name, _, offset in struct.iter_unpack("=III", types[at + 12 : at + 12 + count * MEMBER_BYTES]):
        if name == member:
            bits = int(offset & 0xFFFFFF if bitfields else offset)
            return bits if bits < 8 * size else None
    return None
