"""The rules of the house, executed: who may import whom, what stays out of where, what every public name says."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent
PACKAGE = REPO / "powerhal"

# room -> rooms it may import; a room may always import itself
BASE = {"errors", "units", "channel"}
FLOORS: dict[str, set[str]] = {
    "errors": set(),
    "units": {"errors"},
    "channel": {"errors", "units"},
    "kernels": {"errors"},
    "transport": BASE,
    "chips": BASE | {"transport"},
    "meters": BASE | {"transport", "chips"},
    "host": BASE | {"transport"},
    "sim": BASE | {"transport", "chips", "board"},
    "board": BASE | {"transport", "chips", "meters", "host", "sim"},
    "sampling": BASE | {"transport", "chips", "meters", "host", "board"},
    "recording": BASE | {"kernels", "sampling"},
    "attribution": BASE | {"kernels", "recording"},
    "carbon": BASE | {"attribution"},
    "privacy": BASE | {"attribution"},
    "report": BASE | {"attribution", "recording", "carbon", "privacy"},
    "android": BASE | {"attribution", "recording", "kernels", "carbon", "privacy", "report", "transport"},
}
TOP = set(FLOORS)
FLOORS["session"] = TOP
FLOORS["cli"] = TOP | {"session"}
FLOORS["__main__"] = {"cli"}
FLOORS["__init__"] = set()

# inside attribution: each part may import those before it
STREET = (
    "uncertainty", "observed", "design", "fitting", "model", "prior_files", "merge", "ledger", "saved", "more_runs",
    "compare", "settling", "accounts", "evaluation",
)  # fmt: skip

# third-party module -> the only place that may import it (prefix of the path inside powerhal/)
ONLY_HERE = {
    "numba": "kernels/",
    "smbus2": "transport/i2c.py",
    "serial": "transport/serial.py",
    "yaml": "board/strict_yaml.py",
    "pydantic": "board/",
    "perfetto": "android/",
}
RECORDING_PATH = ("transport/", "chips/", "meters/", "host/", "sim/", "board/", "sampling/")


def modules() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if "_data" not in p.parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module in ("powerhal", "powerhal.attribution"):
                yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
            else:
                yield node.module, node.lineno


def inside(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_imports_only_go_down_the_street() -> None:
    wrong = []
    for path in modules():
        room = inside(path).split("/")[0].removesuffix(".py")
        for name, line in imports(path):
            parts = name.split(".")
            if parts[0] == "firmware_tools":
                wrong.append(f"{inside(path)}:{line} imports firmware_tools")
            if parts[0] != "powerhal" or len(parts) < 2:
                continue
            target = parts[1]
            if target in FLOORS and target not in FLOORS[room] | {room}:
                wrong.append(f"{inside(path)}:{line} {room} imports {target}")
    assert not wrong, "\n".join(wrong)


def test_attribution_is_a_street_too() -> None:
    wrong = []
    for path in modules():
        at = inside(path).split("/")
        if at[0] != "attribution" or at[1] == "__init__.py":
            continue
        here = at[1].removesuffix(".py")
        for name, line in imports(path):
            parts = name.split(".")
            if parts[:2] == ["powerhal", "attribution"] and STREET.index(parts[2]) > STREET.index(here):
                wrong.append(f"{inside(path)}:{line} {here} imports {parts[2]}")
    assert not wrong, "\n".join(wrong)


def test_third_party_libraries_stay_in_their_room() -> None:
    wrong = []
    for path in modules():
        for name, line in imports(path):
            place = ONLY_HERE.get(name.split(".")[0])
            if place and not inside(path).startswith(place):
                wrong.append(f"{inside(path)}:{line} imports {name} (only {place} may)")
    assert not wrong, "\n".join(wrong)


def test_recording_path_never_names_numpy() -> None:
    wrong = [
        f"{inside(path)}:{line}"
        for path in modules()
        if inside(path).startswith(RECORDING_PATH)
        for name, line in imports(path)
        if name.split(".")[0] in ("numpy", "numba", "scipy")
    ]
    assert not wrong, "\n".join(wrong)


def test_attribution_cannot_reach_the_truth() -> None:
    """Nothing that attribution imports, directly or not, is the simulator."""
    code = (
        "import sys, pkgutil, importlib, powerhal.attribution as a\n"
        "for m in pkgutil.walk_packages(a.__path__, 'powerhal.attribution.'): importlib.import_module(m.name)\n"
        "bad = [m for m in sys.modules if m.startswith('powerhal.sim') or m.startswith('powerhal.board')\n"
        "       or m.startswith('powerhal.chips')]\n"
        "sys.exit(f'attribution reaches {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "statement", ["import powerhal", "import powerhal.recording.writer", "import powerhal.sampling"]
)
def test_light_imports(statement: str) -> None:
    heavy = ("numpy", "numba", "scipy", "pandas")
    code = f"{statement}; import sys; sys.exit(' '.join(m for m in {heavy} if m in sys.modules) or 0)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom powerhal.cli import parser\nparser().format_help()\n"
        "bad = [m for m in ('numpy', 'numba', 'pydantic', 'yaml', 'rich', 'smbus2', 'serial') if m in sys.modules]\n"
        "sys.exit(' '.join(bad) or 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def public_definitions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    tree = ast.parse(path.read_text())
    yield "module", tree
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node


def test_public_names_have_a_sentence() -> None:
    wrong = []
    for path in modules():
        for name, node in public_definitions(path):
            text = ast.get_docstring(node) or ""  # type: ignore[arg-type]
            if len(text) < 10 or not text.rstrip().endswith((".", ":", ")", "`", "]", "!", "?")):
                wrong.append(f"{inside(path)}: {name}")
    assert not wrong, "\n".join(wrong)


def test_no_dumping_grounds() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert not [inside(p) for p in modules() if p.stem in banned]


def test_every_module_is_tested_by_a_file_of_its_own_room() -> None:
    """Each room with code has a folder (or file) of tests with the same name."""
    rooms = {inside(p).split("/")[0].removesuffix(".py") for p in modules()} - {"__init__", "__main__"}
    missing = [
        r
        for r in rooms
        if not list((REPO / "tests").glob(f"{r}/test_*.py")) and not (REPO / "tests" / f"test_{r}.py").exists()
    ]
    assert not missing, missing


def test_neither_pickle_nor_eval() -> None:
    """A cache or a file must never become code."""
    wrong = []
    for path in modules():
        for name, line in imports(path):
            if name.split(".")[0] in ("pickle", "marshal", "shelve"):
                wrong.append(f"{inside(path)}:{line} imports {name}")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                wrong.append(f"{inside(path)}:{node.lineno} {node.func.id}")
    assert not wrong, "\n".join(wrong)
