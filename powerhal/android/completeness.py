"""Whether a dump is whole: what is known to be missing, and what its form cannot show.

Nothing follows the last record of a check-in dump (BatteryStats.java, dumpCheckinLocked, API 21 to 36): its end is
shown only by the section of a bugreport. What can be told without it follows from the order that the platform
keeps: uids ascend, and the records of a uid have one order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from powerhal.android.checkin.statistics import PER_UID
from powerhal.android.statistics import Statistics, UidUse

SYSTEM_UID = 1000  # the text of one package has the system's block, too
# records of a uid in the platform's order (`wua` and `apk` come package by package)
ORDER = (
    "nt", "mcd", "wfl", "wfcd", "blem", "ble", "ua", "awl", "wl", "wmc", "sy", "jb", "jbc", "jbd", "fla", "cam", "vid",
    "aud", "sr", "vib", "fg", "fgs", "st", "cpu", "ctf", "pr", "wua", "apk",
)  # fmt: skip
OF_UIDS = frozenset(ORDER)
# So many uids that all go on to a further record: the next one ends before it with a chance below one in ten
# (Laplace's rule of succession, 1 / (n + 2))
ALIKE = 9
KEPT_ELSEWHERE = {"st": "process_states", "cpu": "cpu_ms"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known to be missing, and what may be missing without a trace; both are sentences, or empty."""

    missing: tuple[str, ...] = ()
    may_miss: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which uids drew charge by the power table, and which have records of their own (in `known`)."""

    spenders: Collection[int]
    known: Collection[int]

    def unreached(self, last: int) -> list[int]:
        """Uids that drew charge and are still to come behind the last uid with records.

        The platform's uids ascend; where a program has put them into another order, all that have no records are.
        """
        without = [uid for uid in self.spenders if uid not in self.known]
        return [uid for uid in without if uid > last] if last == max(self.known, default=-1) else without

    def package(self, *, end_shown: bool) -> str:
        """Why these are of one package only; '' when nothing says so.

        The platform prints a block for every uid but one that was asked for; the system's stands beside it in text.
        """
        asked = [uid for uid in self.known if uid != SYSTEM_UID] or list(self.known)
        last = max(self.known, default=-1)
        without = [uid for uid in self.spenders if uid not in self.known and (end_shown or uid < last)]
        if len(asked) != 1 or len(without) <= len(self.known):
            return ""
        return f"of one package only: uid {asked[0]}, and {len(without)} uids that drew charge have no records"


def of_checkin(windows: Mapping[str, Statistics], versions: bool, end: str, last_uid: int | None) -> Verdict:
    """The verdict on a check-in dump.

    windows: the sums in the order of the dump; versions: it has a version line; end: 'shown', 'cut' (the last line
    has no end), 'open' (in a section of a bugreport that has no end), '' (nothing can show it); last_uid: of the
    last record of a uid.
    """
    out = [] if versions else ["no version line"]
    if not windows:
        return Verdict((*out, "no statistics"))
    main = windows.get("l") or next(iter(windows.values()))
    if "battery_time" not in main.totals:
        out.append("no bt record")
    if "capacity_mah" not in main.battery or "computed_mah" not in main.battery:
        out.append("no power summary")
    last = [*windows.values()][-1]  # another window behind a window shows its end
    blocks = _blocks(last)
    device = last.wakelocks or "wakeup_reasons" in last.totals  # not printed for one package
    if not device and (package := blocks.package(end_shown=end == "shown")):
        return Verdict((*out, package))
    if end == "shown":
        return Verdict(tuple(out))
    if end:
        out.append({"cut": "the last line is cut", "open": "the section of the bugreport has no end"}[end])
    if last_uid is None or not blocks.known or blocks.unreached(last_uid):
        return Verdict((*out, "records of the last uids are missing"))
    return _at_the_end(last, last_uid, out)


def of_text(stats: Statistics, known: Sequence[int], end_shown: bool) -> Verdict:
    """The verdict on the text form with a power table: `known` are the uids with a block."""
    blocks = Blocks([use.uid for use in stats.uids.values() if use.mah], known)
    if not stats.wakelocks and (package := blocks.package(end_shown=end_shown)):  # those of the kernel
        return Verdict((package,))
    if not known:
        return Verdict(("no blocks of uids after the power table",))
    if end_shown:
        return Verdict()
    if blocks.unreached(known[-1]):
        return Verdict(("blocks of the last uids are missing",))
    return Verdict(
        may_miss=(f"nothing shows the end of this text: lines of uid {known[-1]} and later uids may be missing",)
    )


def _blocks(stats: Statistics) -> Blocks:
    spenders = [use.uid for use in stats.uids.values() if use.mah]
    return Blocks(spenders, [use.uid for use in stats.uids.values() if _reached(use)])


def _reached(use: UidUse) -> bool:
    return bool(use.parts.keys() - {"power"} or use.process_states)


def _at_the_end(stats: Statistics, last: int, out: list[str]) -> Verdict:
    """What the records of the last uid say: they end where others go on, or may end there."""
    found = {use.uid: _places(use) for use in stats.uids.values() if _reached(use)}
    at = max(found.pop(last, ()), default=0)  # a record without one readable column leaves nothing behind
    if why := _goes_on(at, list(found.values())):
        out = [*out, f"uid {last} ends with `{ORDER[at]}`, {why}: it is cut between two lines"]
    if out:
        return Verdict(tuple(out))
    return Verdict(
        may_miss=(f"check-in lines have no end mark: more may be missing behind `{ORDER[at]}` of uid {last}",)
    )


def _goes_on(at: int, others: list[set[int]]) -> str:
    """The record that all other uids have, or all that have this one, and that comes later; '' when there is none."""
    for peers, which in ((others, ""), ([places for places in others if at in places], f" with `{ORDER[at]}`")):
        ahead = [place for place in range(at + 1, len(ORDER)) if all(place in peer for peer in peers)]
        if ahead and len(peers) >= ALIKE:
            return f"where each of the {len(peers)} other uids{which} goes on with `{ORDER[ahead[0]]}`"
    return ""


def _places(use: UidUse) -> set[int]:
    """Where in `ORDER` the records stand that a uid has."""
    parts = use.parts.keys() | ({"process_states"} if use.process_states else set())
    return {place for place, part in enumerate(PARTS) if part in parts}


PARTS = tuple(KEPT_ELSEWHERE.get(code) or PER_UID[code][0] for code in ORDER)
