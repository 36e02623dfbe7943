from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from powerhal import errors
from powerhal.cli import _say

REPO = Path(__file__).resolve().parent.parent
KINDS = [k for _, k in inspect.getmembers(errors, inspect.isclass) if issubclass(k, errors.PowerhalError)]


@pytest.mark.parametrize("kind", [k for k in KINDS if k is not errors.PowerhalError])
def test_each_is_the_builtin_that_a_newcomer_would_catch(kind: type[errors.PowerhalError]) -> None:
    builtins = {ValueError, OSError, LookupError, ImportError}
    assert any(issubclass(kind, b) for b in builtins)
    assert kind.exit_code in {2, 3, 4, 5, 6}
    assert re.fullmatch(r"PH-[A-Z]\d{3}", kind.default_code)


def test_exit_codes_are_in_the_documentation() -> None:
    table = (REPO / "docs" / "errors.md").read_text()
    for kind in KINDS:
        if kind is not errors.PowerhalError:
            line = next(line for line in table.splitlines() if line.startswith(f"| {kind.exit_code} |"))
            assert kind.__name__ in line


def test_every_code_is_in_the_documentation_and_every_row_in_the_code() -> None:
    sources = [path.read_text() for room in ("powerhal", "firmware_tools") for path in (REPO / room).rglob("*.py")]
    raised = {code for text in sources for code in re.findall(r"PH-[A-Z]\d{3}", text)}
    docs = [(REPO / "docs" / name).read_text() for name in ("errors.md", "board-files.md")]
    rows = [code for text in docs for code in re.findall(r"^\| (PH-[A-Z]\d{3}) \| \S", text, re.MULTILINE)]
    assert sorted(raised - set(rows)) == []
    assert sorted(set(rows) - raised) == []
    assert len(rows) == len(set(rows)) > 100


def test_one_mistake_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    problem = errors.Problem("a.phr", "PH-R001", "is empty")
    assert _say(errors.RecordingError("a.phr is empty", [problem], code="PH-R001")) == 3
    assert capsys.readouterr().err.splitlines() == ["powerhal: a.phr is empty    PH-R001"]


def test_all_mistakes_are_said_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    problems = [
        errors.Problem("my.yaml:3:5", "PH-B001", "one"),
        errors.Problem("my.yaml:9:1", "PH-B002", "two", "warn"),
    ]
    status = _say(errors.BoardError("my.yaml cannot be used", problems, hint="mend them"))
    out, err = capsys.readouterr()
    assert status == 3 and not out
    assert err.splitlines() == [
        "my.yaml:3:5  error  PH-B001  one",
        "my.yaml:9:1  warn   PH-B002  two",
        "powerhal: my.yaml cannot be used    PH-B000",
        "  do: mend them",
    ]


def test_transport_errors_keep_errno_and_kind() -> None:
    error = errors.TransportError("no answer", kind="absent", errno=6)
    assert isinstance(error, OSError) and error.errno == 6 and error.kind == "absent" and str(error) == "no answer"


def test_a_missing_extra_says_what_to_install() -> None:
    assert errors.MissingExtra("fleet", "dask").hint == "pip install 'powerhal[fleet]'"
