"""The flow diagram as inline SVG: text stays text, lines take the colour of the page."""

from __future__ import annotations

from itertools import pairwise
from textwrap import wrap

from markupsafe import Markup, escape

from cardio_core.report.told.flow import Box, Flow

WIDTH = 400
MAIN, ASIDE = (1, 180), (210, 189)
"""Left edge and width of the boxes on the main way and beside it, in units of the drawing."""

LINE, PADDING, GAP = 16, 8, 14
CHARACTER = 6.0
"""Of 12 units of type, the mean of common fonts: what is wrapped by it fits its box."""


def draw(flow: Flow) -> Markup:
    """Return the diagram. At 360 pixels its type is eleven pixels high, and grows with the page."""
    parts: list[str] = []
    way: list[tuple[float, float]] = []
    y = 1.0
    for box in flow.boxes:
        left, width = ASIDE if box.aside else MAIN
        lines = _lines(box, width)
        height = 2 * PADDING + LINE * len(lines) - 4
        parts.append(_rectangle(left, y, width, height, box.aside))
        parts += [_text(left + PADDING, y + PADDING + 9 + LINE * n, text, bold)
                  for n, (text, bold) in enumerate(lines)]  # fmt: skip
        if box.aside:
            middle = y + height / 2
            parts.append(_line(MAIN[0] + MAIN[1] / 2, middle, ASIDE[0], middle))
        else:
            way.append((y, y + height))
        y += height + GAP
    centre = MAIN[0] + MAIN[1] / 2
    parts += [_line(centre, end, centre, start) for (_, end), (start, _) in pairwise(way)]
    total = y - GAP + 1
    return Markup(  # noqa: S704 - every text in it is escaped below
        f'<svg class="flow" role="group" aria-label="Flow of patients and recordings" '
        f'viewBox="0 0 {WIDTH} {total:g}" width="100%" style="max-width:36rem" '
        f'font-size="12" fill="none" stroke="currentColor">{"".join(parts)}</svg>'
    )


def _lines(box: Box, width: float) -> list[tuple[str, bool]]:
    """Return the lines that fit the width, each with whether it is bold."""
    n = int((width - 2 * PADDING) / CHARACTER)
    found = [(text, True) for text in wrap(box.heading, n)]
    return found + [(text, False) for line in box.lines for text in wrap(line, n)]


def _rectangle(left: float, top: float, width: float, height: float, aside: bool) -> str:
    dashed = ' stroke-dasharray="4 3"' if aside else ""
    return f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="4"{dashed}/>'


def _text(left: float, base: float, text: str, bold: bool) -> str:
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{left:g}" y="{base:g}"'
    return f'<text {place} fill="currentColor" stroke="none"{weight}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'
