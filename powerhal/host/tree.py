"""Reading small text files of /sys and /proc: what is absent answers None, never 0."""

from __future__ import annotations

from collections.abc import Iterable

from powerhal.errors import TransportError
from powerhal.transport import FileRoot


def text(root: FileRoot, path: str) -> str | None:
    """Content without surrounding white space, None when it cannot be read; odd bytes are escaped."""
    try:
        return root.read(path).decode("utf-8", "backslashreplace").strip("\0 \t\r\n")
    except (TransportError, OSError):
        return None


def integer(root: FileRoot, path: str) -> int | None:
    """The file's one decimal integer, None when it cannot be read or is something else."""
    return to_int(text(root, path))


def number(root: FileRoot, path: str) -> float | None:
    """The file's one decimal number, None when it cannot be read or is something else."""
    content = text(root, path)
    try:
        return float(content) if content else None
    except ValueError:
        return None


def to_int(content: str | bytes | None) -> int | None:
    """A decimal integer that fits 64 bits signed, else None."""
    try:
        value = int(content) if content else None
    except ValueError:
        return None
    return value if value is None or -(1 << 63) <= value < 1 << 63 else None


def names(root: FileRoot, path: str) -> list[str]:
    """Names in a folder in natural order ('policy4' before 'policy10'), empty when it cannot be listed."""
    try:
        return sorted(root.listdir(path), key=_natural)
    except (TransportError, OSError):
        return []


def link_name(root: FileRoot, path: str) -> str:
    """Last part of a symbolic link's target, '' when there is none."""
    try:
        return root.readlink(path).rstrip("/").rpartition("/")[2]
    except (TransportError, OSError):
        return ""


def cpu_list(content: str | None) -> tuple[int, ...]:
    """CPU numbers of '0 1 2 3' or '0-3,5' (both are in use: Documentation/admin-guide/pm/cpufreq.rst)."""
    cpus: set[int] = set()
    for part in (content or "").replace(",", " ").split():
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            cpus.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(cpus))


def printable(raw: bytes) -> str:
    """Bytes of a name as text that can be shown: what is not printable is escaped (proc(5): any byte but 0)."""
    decoded = raw.decode("utf-8", "backslashreplace")
    if decoded.isprintable():
        return decoded
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in decoded)


def safe_name(raw: str) -> str:
    """A name for channels: letters, digits, '_', '-', '+', '@', ':' stay, all else becomes '_'."""
    return "".join(c if c.isalnum() or c in "_-+@:" else "_" for c in raw) or "unnamed"


def unused(name: str, taken: Iterable[str]) -> str:
    """The name, numbered from 2 where it is taken: twins without a parent device must stay two sources."""
    used, number, free = set(taken), 2, name
    while free in used:
        free, number = f"{name}_{number}", number + 1
    return free


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    parts: list[tuple[int, int | str]] = []
    digits, run = "", ""
    for c in name:
        if c.isascii() and c.isdigit():
            if run:
                parts.append((1, run))
                run = ""
            digits += c
        else:
            if digits:
                parts.append((0, int(digits)))
                digits = ""
            run += c
    if digits:
        parts.append((0, int(digits)))
    if run:
        parts.append((1, run))
    return tuple(parts)
