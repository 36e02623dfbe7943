"""Texts that come again and again, each kept once and known by a number: as arrays for the compiled tier, or plain."""

from __future__ import annotations

from typing import Any, Protocol

from powerhal.kernels.text_form import PLANS

BLOCK = 1 << 23  # bytes that are asked for together


class Pool(Protocol):
    """Texts by number, in the order in which they came."""

    def __len__(self) -> int: ...
    def texts(self) -> list[str]:
        """All texts; bytes that are no UTF-8 as surrogates."""
        ...


class PlainPool:
    """A pool of the plain Python and numpy tiers."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self._texts: list[str] = []

    def number(self, text: bytes) -> int:
        """The number of a text, a new one for a new text."""
        return self.numbers.setdefault(text, len(self.numbers))

    def __len__(self) -> int:
        return len(self.numbers)

    def texts(self) -> list[str]:
        """All texts; bytes that are no UTF-8 as surrogates."""
        new = list(self.numbers)[len(self._texts) :]
        self._texts += [text.decode("utf-8", "surrogateescape") for text in new]
        return self._texts


class ArrayPool:
    """A pool of the compiled tier; text k is `letters[offsets[k]:offsets[k + 1]]`.

    tags (2**n,) uint64 and numbers int32, -1 where free, at most half of them taken; offsets int64; letters uint8
    with eight bytes to spare; state (2,) int64: how many texts, and whether there was no room for more. The table
    is kept small, because looking into a large one is slow.
    """

    def __init__(self) -> None:
        import numpy as np

        self._np: Any = np
        self.tags: Any = np.zeros(1 << 14, dtype=np.uint64)
        self.numbers: Any = np.full(1 << 14, -1, dtype=np.int32)
        self.offsets: Any = np.zeros((1 << 13) + 1, dtype=np.int64)
        self.letters: Any = np.zeros(1 << 14, dtype=np.uint8)
        self.state: Any = np.zeros(2, dtype=np.int64)
        self._texts: list[str] = []
        self.wide: Any = np.zeros(PLANS, dtype=np.bool_)  # plans whose numbers needed eight bytes so far
        self.plans: Any = None  # as they were given last, and what was made of them
        self._scratch: dict[str, Any] = {}
        self._blocks: dict[str, Any] = {}

    def scratch(self, name: str, size: int, dtype: str = "int64") -> Any:
        """An array of that size to write into; for each name the same memory each time."""
        if name not in self._scratch or self._scratch[name].size < size:
            self._scratch[name] = self._np.empty(size + size // 4, dtype=dtype)
        return self._scratch[name][:size]

    def block(self, dtype: str, size: int) -> Any:
        """An array of that size to write into, of which the caller may `keep` the first part.

        It is a piece of a large one: fewer pages of memory to ask the system for.
        """
        if dtype not in self._blocks or self._blocks[dtype].size < size:
            self._blocks[dtype] = self._np.empty(max(size, BLOCK // self._np.dtype(dtype).itemsize), dtype=dtype)
        return self._blocks[dtype][:size]

    def keep(self, dtype: str, size: int) -> None:
        """The first part of the last `block` of that kind is not handed out again."""
        self._blocks[dtype] = self._blocks[dtype][size:]

    def reserve(self, letters: int) -> bool:
        """Make room for so many more letters, and for more texts when they ran out; whether the table is new."""
        np, used = self._np, int(self.offsets[len(self)])
        if used + letters + 16 > self.letters.size:
            wider = np.zeros(2 * (used + letters) + 16, dtype=np.uint8)
            wider[:used] = self.letters[:used]
            self.letters = wider
        if not self.state[1]:
            return False
        self.state[1] = 0
        size = 4 * self.tags.size
        self.tags, self.numbers = np.zeros(size, dtype=np.uint64), np.full(size, -1, dtype=np.int32)
        longer = np.zeros(size // 2 + 1, dtype=np.int64)
        longer[: self.offsets.size] = self.offsets
        self.offsets = longer
        return True

    def __len__(self) -> int:
        return int(self.state[0])

    def texts(self) -> list[str]:
        """All texts; bytes that are no UTF-8 as surrogates."""
        known, count = len(self._texts), len(self)
        if known < count:
            first = int(self.offsets[known])
            held = self.letters[first : int(self.offsets[count])].tobytes()
            ends = (self.offsets[known : count + 1] - first).tolist()
            pairs = zip(ends, ends[1:])  # noqa: B905, RUF007 - one longer than the other
            self._texts += [held[a:b].decode("utf-8", "surrogateescape") for a, b in pairs]
        return self._texts
