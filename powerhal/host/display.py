"""Backlight of the first display: brightness 0..1 and whether it is lit (sysfs-class-backlight)."""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rows import RowSource, column
from powerhal.transport import FileRoot

BACKLIGHTS = "/sys/class/backlight"
OLD_PHONE = "/sys/class/leds/lcd-backlight"


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """One source `display`, from the first backlight that tells its greatest brightness."""
    folders = [f"{BACKLIGHTS}/{name}" for name in tree.names(root, BACKLIGHTS)]
    for folder in [*folders, OLD_PHONE]:
        greatest = tree.integer(root, f"{folder}/max_brightness")
        if greatest and greatest > 0 and tree.integer(root, f"{folder}/brightness") is not None:
            return [_source(root, context, folder, greatest)]
    context.note("no backlight: brightness of a display is unknown")
    return []


def _source(root: FileRoot, context: HostContext, folder: str, greatest: int) -> RowSource:
    paths = [f"{folder}/brightness"]
    if tree.integer(root, f"{folder}/bl_power") is not None:
        paths.append(f"{folder}/bl_power")
    brightness = Channel("display.brightness", "ratio", "", activity="display.brightness", quality_class="gauge")
    lit = Channel("display.on", "count", "", activity="display.on", quality_class="gauge")
    columns = [column(brightness, 1.0 / greatest), column(lit, 1.0)]
    period_s = context.period_s("display")
    return RowSource("display", period_s, root, context.clock, paths, columns=columns, parse=_parse)


def _parse(contents: Sequence[bytes]) -> list[int | None]:
    level = tree.to_int(contents[0])
    # bl_power 0 is FB_BLANK_UNBLANK; anything else is dark, whatever `brightness` says
    power = tree.to_int(contents[1]) if len(contents) > 1 else 0
    if level is None or power is None:
        return [None, None]
    lit = power == 0 and level > 0
    return [level if lit else 0, int(lit)]
