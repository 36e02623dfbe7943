"""Dot plots as plain SVG: one line a row, one mark a series; readable without colour and on paper."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, LEFT, RIGHT, LINE, HEAD, FOOT = 820, 230, 30, 24, 84, 44
INK, FAINT, GRID = "#222222", "#666666", "#dddddd"
# Colours that stay apart for the colour-blind (Okabe and Ito), each with a shape of its own.
STYLES = (
    ("#0072b2", "circle"),
    ("#d55e00", "square"),
    ("#009e73", "diamond"),
    ("#999999", "ring"),
    ("#cc79a7", "triangle"),
    ("#000000", "cross"),
)


@dataclass(frozen=True, slots=True)
class DotPlot:
    """Values by row and series, on one axis from 0 (or `start`); `bands` are targets: (from, to) shaded.

    rows: row label -> series name -> value; what is None or absent is not drawn.
    """

    title: str
    axis: str
    rows: Mapping[str, Mapping[str, float | None]]
    start: float = 0.0
    band: tuple[float, float] | None = None
    band_label: str = ""

    def svg(self) -> str:
        """The picture, as the text of an SVG file."""
        height = HEAD + LINE * len(self.rows) + FOOT
        body = "\n".join(self._parts(height))
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" role="img">\n'
            f'<title>{escape(self.title)}</title>\n<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
        )

    def _parts(self, height: float) -> Iterator[str]:
        series = list(dict.fromkeys(name for row in self.rows.values() for name in row))
        styles = {name: STYLES[k % len(STYLES)] for k, name in enumerate(series)}
        ticks = self._ticks()
        bottom = height - FOOT
        yield _text(14, 24, self.title, size=16, bold=True)
        yield from _legend(styles)
        if self.band is not None:
            low, high = self._x(self.band[0], ticks), self._x(self.band[1], ticks)
            yield (
                f'<rect x="{low:.1f}" y="{HEAD - 8}" width="{high - low:.1f}" height="{bottom - HEAD + 8}" '
                'fill="#e8f2e4"/>'
            )
        for tick in ticks:
            x = self._x(tick, ticks)
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 8}" y2="{bottom}" stroke="{GRID}"/>'
            yield _text(x, bottom + 16, f"{tick:g}", anchor="middle", colour=FAINT)
        note = f"{self.axis} — shaded: {self.band_label}" if self.band_label else self.axis
        yield _text((LEFT + WIDTH - RIGHT) / 2, height - 10, note, anchor="middle", colour=FAINT)
        for number, (label, row) in enumerate(self.rows.items()):
            y = HEAD + LINE * number + LINE / 2
            yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="{GRID}" stroke-dasharray="1 3"/>'
            yield _text(LEFT - 10, y + 4, label, anchor="end")
            for name, value in row.items():
                if value is not None:
                    hint = f"{label}, {name}: {value:.3g}"
                    yield _mark(self._x(value, ticks), y, *styles[name], hint)

    def _ticks(self) -> list[float]:
        """Round steps from the start to beyond the greatest value."""
        values = [value for row in self.rows.values() for value in row.values() if value is not None]
        low, high = min([self.start, *values]), max([*values, self.band[1] if self.band else 0.0, self.start + 1e-9])
        step = next(s for s in _steps() if (high - low) / s <= 8)
        first = int(low // step)
        last = int(-(-high // step))
        return [step * k for k in range(first, last + 1)]

    def _x(self, value: float, ticks: Sequence[float]) -> float:
        return LEFT + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (WIDTH - LEFT - RIGHT)


def _steps() -> Iterator[float]:
    """0.1, 0.2, 0.5, 1, 2, 5, ..."""
    scale = 0.1
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10


def _legend(styles: Mapping[str, tuple[str, str]]) -> Iterator[str]:
    x = 20.0
    for name, (colour, shape) in styles.items():
        yield _mark(x, 50, colour, shape, name)
        yield _text(x + 11, 54, name)
        x += 34 + 7.2 * len(name)


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = INK, size: int = 13, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    look = f'text-anchor="{anchor}" fill="{colour}" font-size="{size}"{weight}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'


def _mark(x: float, y: float, colour: str, shape: str, hint: str) -> str:
    """One mark of about 10 pixels."""
    inside = f"<title>{escape(hint)}</title>"
    line = f'fill="none" stroke="{colour}" stroke-width="2"'
    forms = {
        "circle": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}">{inside}</circle>',
        "ring": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" {line}>{inside}</circle>',
        "square": f'<rect x="{x - 4.5:.1f}" y="{y - 4.5:.1f}" width="9" height="9" fill="{colour}">{inside}</rect>',
        "diamond": _polygon(x, y, ((0, -6), (6, 0), (0, 6), (-6, 0)), colour, inside),
        "triangle": _polygon(x, y, ((0, -6), (6, 5), (-6, 5)), colour, inside),
        "cross": f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0 -8l-8 8" {line}>{inside}</path>',
    }
    return forms[shape]


def _polygon(x: float, y: float, corners: Sequence[tuple[float, float]], colour: str, inside: str) -> str:
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return f'<polygon points="{points}" fill="{colour}">{inside}</polygon>'
