"""Takes the guards away one by one and expects the fault's test to fail: `python -m tests.faults.mutants`.

A mutant is a row: fault, file, the guard as it stands in the source, what stands there without it, the test. Each is
applied in a temporary copy of the repository. A guard that is not found is an error: the row is out of date.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
I2C, ERRNOS, SOURCE = "powerhal/transport/i2c.py", "powerhal/transport/errnos.py", "powerhal/chips/source.py"
HEALTH, BEAT, LAYOUT = "powerhal/sampling/health.py", "powerhal/sampling/beat.py", "powerhal/chips/layout.py"
SAMPLER, LANES = "powerhal/sampling/sampler.py", "powerhal/sampling/lanes.py"
STORE, BATCH = "powerhal/recording/store.py", "powerhal/recording/batch.py"
SUPPLY = "powerhal/host/power_supply.py"
INA2XX, TORN = "powerhal/chips/ina2xx.py", "powerhal/chips/torn.py"
COUNTERS, SIGN, ROWS = "powerhal/recording/counters.py", "powerhal/host/current_sign.py", "powerhal/host/rows.py"


@dataclass(frozen=True)
class Mutant:
    fault: str
    file: str
    guard: str
    without: str

    @property
    def test(self) -> Path:
        """The fault's own test file."""
        return next(Path(__file__).parent.glob(f"test_{self.fault[:3].lower()}_*.py"))


MUTANTS = (
    Mutant("F01", I2C, '"absent": 2, ', ""),
    Mutant("F01", ERRNOS, 'errno.EREMOTEIO: "absent"', 'errno.EREMOTEIO: "io"'),
    Mutant("F01b", I2C, "if done == messages:", "if done >= 0:"),
    Mutant("F02", I2C, '"timeout": 1, ', ""),
    Mutant("F02", BEAT, "wire = len(failed) == len(self._active) >= 2 and kinds <= BUS_KINDS", "wire = False"),
    Mutant("F03", I2C, '"arbitration": 2, ', ""),
    Mutant("F03", I2C, "            _jitter(fault.kind)\n", ""),
    Mutant("F04", I2C, "if len(silent) >= _STUCK:", "if False:"),
    Mutant("F04", BEAT, "wire = len(failed) == len(self._active) >= 2 and kinds <= BUS_KINDS", "wire = False"),
    Mutant("F04", SAMPLER, "len(wires) < self.fewest", "True"),
    Mutant("F04", LANES, "elif lane.overdue_ns(now_ns) > HUNG_NS:", "elif False:"),
    Mutant("F04", LANES, "if done_ns - since_ns > HUNG_NS:", "if False:"),
    Mutant("F04", LANES, "if not lane.join(max(0.0, until_s - time.monotonic())):", "if lane.join(20.0) and False:"),
    Mutant("F04", LANES, "        self._thread.join(timeout_s)\n", "        self._thread.join()\n"),
    Mutant("F05", "powerhal/chips/identify.py", "if wrong:", "if False:"),
    Mutant("F05", SOURCE, "Quality.OK if identity.proved else Quality.UNVERIFIED", "Quality.OK"),
    Mutant("F06", SOURCE, "        self._leave_to_owner()\n        identity", "        identity"),
    Mutant("F06", SOURCE, "            self._leave_to_owner()\n            now = ", "            now = "),
    Mutant("F06", SOURCE, "if self.taken and self.bus.owner(self.address):", "if False:"),
    Mutant("F07", SOURCE, "if now == self._seen:", "if True:"),
    Mutant("F07", SOURCE, "CHECK_EVERY = 16", "CHECK_EVERY = 64"),
    Mutant("F07", SOURCE, "not self._program() and", ""),
    Mutant("F08", SOURCE, "(self._failing and not self._back())", "False"),
    Mutant("F09", LAYOUT, "return all(", "return True or all("),
    Mutant("F09", TORN, "if old and old != new and limit.broken(old, new):", "if False:"),
    Mutant(
        "F09",
        TORN,
        "return any(row[a] == row[b] and before[a] != before[b] and any(row[a]) for a, b in self._pairs)",
        "return False",
    ),
    Mutant("F09", TORN, "        third = again()\n", "        return second, True\n"),
    Mutant("F09", SOURCE, "quality |= Quality.NOISY", "quality |= Quality.OK"),
    Mutant("F09", SOURCE, "None if self._least_ns else self._again", "self._again"),
    Mutant(
        "F09", SOURCE, "        self._last = replace(self._last, t_ns=t_ns)  # a gauge counts its polls from here\n", ""
    ),
    Mutant("F09", "powerhal/sampling/health.py", '    (int(Quality.NOISY), "noisy"),\n', ""),
    Mutant(
        "F09", "powerhal/board/stretching.py", "if not stretches or IMPATIENT not in", "if True or IMPATIENT not in"
    ),
    Mutant("F10", LAYOUT, "if clamps := part.clamps(config):", "if (clamps := part.clamps(config)) and False:"),
    Mutant(
        "F10", "powerhal/chips/ina2xx.py", 'round((config.get("shunt_range_v") or 0.32) / 10e-6)', "round(0.32 / 10e-6)"
    ),
    Mutant("F11", LAYOUT, 'Flag("ready", Quality.STALE, when_zero=True)', 'Flag("ready", Quality.OK, when_zero=True)'),
    Mutant("F11", SOURCE, "options.rate_hz > fastest", "options.rate_hz > 1e9"),
    Mutant("F12", COUNTERS, "np.where(back, step + span, 0.0)", "np.where(back, step, 0.0)"),
    Mutant("F13", COUNTERS, "& (around <= span / 2) & (around <= fastest * dt_s)", ""),
    Mutant("F13", COUNTERS, "np.where(lost, np.nan, step)", "step"),
    Mutant("F14", ERRNOS, 'errno.ESHUTDOWN: "suspended"', 'errno.ESHUTDOWN: "timeout"'),
    Mutant("F15", ERRNOS, 'errno.EBADMSG: "corrupt"', 'errno.EBADMSG: "io"'),
    Mutant("F15", ERRNOS, 'errno.EPROTO: "corrupt"', 'errno.EPROTO: "io"'),
    Mutant("F15", I2C, "bus.batched = False", "pass"),
    Mutant("F16", LAYOUT, "self.flags.append(Flag(watch.bits, watch.quality))", "pass"),
    Mutant("F16", SOURCE, "if flag.latched and identity.raw[flag.register] & mask:", "if False:"),
    Mutant("F17", SOURCE, "if now - self._last.t_ns >= self._least_ns:", "if True:"),
    Mutant("F17", "powerhal/chips/layout.py", "for hz in (chip.max_hz, ", "for hz in (0.0, "),
    Mutant("F18", "powerhal/chips/max1704x.py", '        RowFlag("mode", "hibernating", Quality.STALE),', "       "),
    Mutant("F18", "powerhal/chips/cw2015.py", 'flags=(RowFlag("mode", "sleep", Quality.STALE),),', ""),
    Mutant("F18", SOURCE, " or (self.chip.asleep_after_s and self._asleep(t_ns, raw))", ""),
    Mutant("F19", "powerhal/recording/charge.py", "return Quality.NOISY if apart", "return Quality.OK if apart"),
    Mutant("F20", SIGN, "return 1 if raw > 0 else -1", "return -1"),
    Mutant("F20", SIGN, "self.factor = 1000", "self.factor = 1"),
    Mutant("F20", SIGN, "self.doubtful = raw != 0 and (not self.factor or direction == 0)", "self.doubtful = False"),
    Mutant("F20", SUPPLY, "own + sum(watts or 0 for watts in inputs)", "own"),
    Mutant("F20", SUPPLY, "(Quality.ESTIMATED if self.row.hidden else Quality.OK)", "Quality.OK"),
    Mutant("F21", ROWS, "bytes(self.layout.row_bytes), Quality.MISSING)", "bytes(self.layout.row_bytes), Quality.OK)"),
    Mutant("F21", ERRNOS, 'errno.ENODATA: "absent"', 'errno.ENODATA: "io"'),
    Mutant("F21", ROWS, "            self.close()  # the file may come back", "            # the file may come back"),
    Mutant("F42", STORE, "UNKNOWN_STATE = (1034, 1290)", "UNKNOWN_STATE = ()"),
    Mutant("F42", STORE, "first = self._carried.begin(", "first = Carried().begin("),
    Mutant("F42", STORE, 'db.execute("PRAGMA wal_autocheckpoint=0")', 'db.execute("PRAGMA wal_autocheckpoint=1000")'),
    Mutant("F42", STORE, 'kept.execute("SELECT count(*) FROM meta").fetchone()', "kept.close()"),
    Mutant("F42", STORE, "if len(self.files) >= MOST_FILES:\n            raise", "if False:\n            raise"),
    Mutant("F42", BATCH, "            self.unsynced.append(batch)", "            pass"),
)


def copy(place: Path) -> None:
    """What the tests need of the repository."""
    skip = shutil.ignore_patterns("__pycache__", ".venv", ".git", ".hypothesis", ".pytest_cache", ".mypy_cache")
    for name in ("powerhal", "firmware_tools", "boards", "tests"):
        shutil.copytree(REPO / name, place / name, ignore=skip)
    shutil.copy(REPO / "pyproject.toml", place)


def fails(place: Path, test: Path) -> bool:
    """Whether the test fails in the copy; raises RuntimeError when it did not run at all."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(test.relative_to(REPO))],
        cwd=place, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(place)},
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return done.returncode == 1


def tried(place: Path, mutant: Mutant) -> str:
    """`killed`, `SURVIVED`, or `NO GUARD` when the source does not read like that any more."""
    file = place / mutant.file
    text = file.read_text()
    if text.count(mutant.guard) < 1:
        return "NO GUARD"
    file.write_text(text.replace(mutant.guard, mutant.without, 1))
    try:
        return "killed" if fails(place, mutant.test) else "SURVIVED"
    finally:
        file.write_text(text)


def main(only: str = "") -> int:
    """Print a row per mutant; 1 when any guard can be taken away unnoticed, or a test fails without it."""
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        copy(place)
        tests = sorted({m.test for m in MUTANTS if m.fault.startswith(only)})
        for test in tests:
            if fails(place, test):
                print(f"{test.name}: fails as it is")
                bad += 1
        for mutant in (m for m in MUTANTS if m.fault.startswith(only)):
            verdict = tried(place, mutant)
            bad += verdict != "killed"
            print(f"{mutant.fault:5} {verdict:9} {mutant.file}: {mutant.guard.strip()}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
