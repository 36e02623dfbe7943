"""The words of a command line: every mistake in them told at once, `-q` and `-v` before or after the command.

argparse stops at the first mistake. A value that does not fit is noted here and left empty, and the parser goes on; so
are words that are missing or too many. Only what makes the rest unreadable (an option without its value, a command
that does not exist) ends it, with all that was noted before.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

CODE = "PH-U001"
LOUDNESS = (("-v", "--verbose", "say more on stderr"), ("-q", "--quiet", "say less on stderr"))


class _Found:  # no dataclass: importing those costs more than the rest of `powerhal --help`
    """What all parsers of one command line share: mistakes in their order, and how far reading came."""

    __slots__ = ("at", "mistakes")

    def __init__(self, at: argparse.ArgumentParser) -> None:
        self.at = at
        self.mistakes: list[str] = []


class WordParser(argparse.ArgumentParser):
    """An argument parser that collects mistakes; exit status 2 when there are any."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._found = _Found(self)

    def prepare(self) -> None:
        """Join the parsers of all commands, those of other packages included, once they are registered."""
        for flag, name, text in LOUDNESS:
            self.add_argument(flag, name, action="store_true", help=f"{text} (before or after the command)")
        for parser in _below(self):
            if isinstance(parser, WordParser):
                parser._found = self._found
            for flag, name, _ in LOUDNESS:
                taken = parser._option_string_actions
                if name not in taken:
                    names = (name,) if flag in taken else (flag, name)
                    parser.add_argument(*names, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse; tells every mistake and exits with 2 when there is one."""
        out = super().parse_args(args, namespace)
        if self._found.mistakes:
            self._tell()
        return out

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As in argparse; remembers which command is being read."""
        self._found.at = self
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> Any:
        """Note a mistake; end here when the words behind it cannot be read."""
        self._found.mistakes.append(message)
        if isinstance(sys.exception(), argparse.ArgumentError):
            self._tell()

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError as error:
            self._found.mistakes.append(str(error))
            return None

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if value is None:  # noted already
            return
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            if isinstance(action, argparse._SubParsersAction):
                raise
            self._found.mistakes.append(str(error))

    def _tell(self) -> NoReturn:
        at, mistakes = self._found.at, self._found.mistakes
        at.print_usage(sys.stderr)
        for message in dict.fromkeys(mistakes):
            print(f"powerhal: {message}    {CODE}", file=sys.stderr)
            if meant := _meant(message, at):
                print(f"  did you mean {meant}?", file=sys.stderr)
        print(f"  do: {at.prog} --help shows what it takes", file=sys.stderr)
        sys.exit(2)


def _below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parsers of all commands under one, to any depth."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for one in dict.fromkeys(action.choices.values()):
                yield one
                yield from _below(one)


def _meant(message: str, at: argparse.ArgumentParser) -> str:
    """The option that looks most like an unknown one."""
    from difflib import get_close_matches

    unknown = [word[2:] for word in message.split() if word.startswith("--")] if "unrecognized" in message else []
    options = [name[2:] for name in at._option_string_actions if name.startswith("--")]  # dashes are alike in all
    close = [get_close_matches(word.split("=")[0], options, 1) for word in unknown]
    return " ".join(f"--{name}" for names in close for name in names)


def command_of(words: Sequence[str]) -> str:
    """The first word that is no option: the command; '' without."""
    return next((word for word in words if not word.startswith("-")), "")
