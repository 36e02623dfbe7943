"""Keyed pseudonyms for what a dump says about its owner: apps, processes, accounts, tags, addresses.

HMAC-SHA256 of kind and name under a random 32-byte key, cut to 64 bits: without the key nobody can check a guess,
with it the same name gives the same pseudonym in every file. Rule: whatever is not known to be on every phone is
replaced. Known are the platform's own package names and tags (exact lists, no prefixes: `com.android.` can be
anybody's), words of drivers in kernel names, and whole numbers of at most six digits. Uids, times and counts stay:
they are the content; the order of app ids and the times of day still say something about the owner.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from powerhal.android.share.words import DRIVER_WORDS, PACKAGES, TAGS
from powerhal.errors import FileError

KEY_BYTES = 32
DIGITS = 16  # hexadecimal: 64 bits
SPLIT = re.compile(r"([^\w.$*+@-]+)")  # what stands between the parts of a tag
WORDS = re.compile(r"([\W_]+)")
MAIL = r"[^\s/:,;<>\"'=()\[\]|]+@[^\s/:,;<>\"'=()\[\]|]+"
MAC = r"(?<![0-9A-Za-z])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![0-9A-Za-z])"
# digits that belong together over spaces, dots, hyphens: phone numbers, IMEIs, IP addresses
NUMBER = r"\+?[0-9](?:[ ().-]{0,3}[0-9]){6,}"
WHOLE = re.compile(f"(?P<account>{MAIL})|(?P<address>{MAC}|{NUMBER})")
SHORT_NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)
PACKAGE = re.compile(r"[A-Za-z_]\w*(?:\.\w+)+", re.ASCII)
OWN = re.compile(r"(?:app|tag|account|address|word)\.x[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Names to pseudonyms under one key of 32 bytes; raises ValueError for another length."""

    key: bytes
    _seen: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(self.key)}")

    @classmethod
    def fresh(cls) -> Pseudonyms:
        """With a random key that is kept nowhere: pseudonyms of two files cannot be joined."""
        return cls(secrets.token_bytes(KEY_BYTES))

    def _name(self, kind: str, text: str) -> str:
        found = self._seen.get((kind, text))
        if found is None:
            data = f"{kind}\0{text}".encode("utf-8", "surrogatepass")
            found = f"{kind}.x{hmac.new(self.key, data, sha256).hexdigest()[:DIGITS]}"
            self._seen[kind, text] = found
        return found

    def package(self, name: str) -> str:
        """A package, as `app.x...`; one of the platform's own stays."""
        return name if name in PACKAGES or OWN.fullmatch(name) else self._name("app", name)

    def account(self, name: str) -> str:
        """An account or mail address."""
        return self._name("account", name)

    def address(self, text: str) -> str:
        """A MAC address, BSSID, SSID, phone number or serial number."""
        return self._name("address", text)

    def process(self, name: str) -> str:
        """A process: `package:part`, each for itself."""
        return self.tag(name)

    def tag(self, text: str) -> str:
        """A tag of a wake lock, sync, job, alarm or service; its parts keep their places (`*job*/app.x.../tag.x...`).

        A package inside gets the pseudonym that it has elsewhere.
        """
        return self._parts(text, SPLIT, self._tag_part)

    def kernel(self, text: str) -> str:
        """A name of the kernel (wake lock, wake-up reason, power state): words of drivers stay."""
        return self._parts(text, WORDS, self._kernel_part)

    def _parts(self, text: str, split: re.Pattern[str], part: Callable[[str], str]) -> str:
        """A text with its addresses and accounts replaced as wholes, the rest part by part."""
        if text in TAGS:
            return text
        out, at = [], 0
        for match in WHOLE.finditer(text):
            out += [*_pieces(text[at : match.start()], split, part), self._name(match.lastgroup or "tag", match[0])]
            at = match.end()
        return "".join([*out, *_pieces(text[at:], split, part)])

    def _tag_part(self, text: str) -> str:
        if not text or text in TAGS or text in PACKAGES or SHORT_NUMBER.fullmatch(text) or OWN.fullmatch(text):
            return text
        bare = text.removeprefix(".").removesuffix(".")
        lead, tail = text[: text.find(bare)], text[text.find(bare) + len(bare) :]
        if not bare or bare in TAGS or bare in PACKAGES:
            return text
        if PACKAGE.fullmatch(bare):
            return lead + self.package(bare) + tail
        return lead + self._name("tag", bare) + tail

    def _kernel_part(self, text: str) -> str:
        known = not text or text.lower() in DRIVER_WORDS or SHORT_NUMBER.fullmatch(text)
        return text if known else self._name("word", text)


def _pieces(text: str, split: re.Pattern[str], part: Callable[[str], str]) -> list[str]:
    return [_plain(word) if n % 2 else part(word) for n, word in enumerate(split.split(text))]


def _plain(between: str) -> str:
    """What stands between two parts: punctuation stays, anything else could be a name in some script."""
    return "".join(c if " " <= c <= "~" else "?" for c in between)


def load_key(path: str | Path) -> bytes:
    """The key in a file, made (mode 0600) when there is none.

    Raises FileError for a file that others can read, that holds no key or that cannot be opened.
    """
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | flags, 0o600)
        except FileExistsError:
            return _read_key(os.open(path, os.O_RDONLY | flags), path)
        key = secrets.token_bytes(KEY_BYTES)
        with os.fdopen(handle, "wb") as stream:
            stream.write(key.hex().encode() + b"\n")
        return key
    except OSError as error:
        raise FileError(
            f"{path}: {error.strerror}", code="PH-D003", hint="name a regular file in a folder that you can write"
        ) from error


def _read_key(handle: int, path: str | Path) -> bytes:
    with os.fdopen(handle, "rb") as stream:
        if os.fstat(handle).st_mode & 0o077:
            raise FileError(f"{path}: others can read this key", code="PH-D003", hint=f"chmod 600 {path}")
        text = stream.read(4 * KEY_BYTES).strip()
    if not re.fullmatch(rb"[0-9a-f]{%d}" % (2 * KEY_BYTES), text):
        raise FileError(f"{path}: no key in it", code="PH-D003", hint="name a file that does not exist yet")
    return bytes.fromhex(text.decode())
