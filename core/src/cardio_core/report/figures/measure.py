"""How wide a text will be, before it is drawn."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import Literal

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

Weight = Literal["normal", "bold"]

_MOST = 400
_LONG_WORD, _LOOSE = 40, 1.15
"""Lines with a word of more letters are measured letter by letter, with a little for what is
between them: to measure each way to break it would take minutes."""


@lru_cache(maxsize=2048)
def width_in(text: str, size_pt: float, weight: Weight = "normal") -> float:
    """Return the width of one line in inches, in the font that figures are laid out with.

    The fonts that a page shows it in are narrower.

    Examples
    --------
    >>> width_in("iii", 9.0) < width_in("www", 9.0)
    True
    """
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight=weight)
    literal = text.replace("$", r"\$")
    # On a screen letters are moved to whole pixels, which makes a line a little wider.
    return 1.03 * float(TextPath((0, 0), literal, size=size_pt, prop=font).get_extents().x1) / 72


def wrapped(text: str, room_in: float, size_pt: float, weight: Weight = "normal") -> list[str]:
    """Return a text in lines no wider than the room; a word that is wider is broken.

    Of more than 400 characters only the first are drawn: columns of strangers can be named so.

    Examples
    --------
    >>> wrapped("Random forest", 9.0, 9.0), wrapped("Random forest", 0.7, 9.0)
    (['Random forest'], ['Random', 'forest'])
    """
    text = text if len(text) <= _MOST else f"{text[: _MOST - 1]}\u2026"
    by_letter = any(len(word) > _LONG_WORD for word in text.split())
    for columns in range(len(text), 4, -1):
        lines = textwrap.wrap(text, columns) or [""]
        if by_letter:
            widths = (
                _LOOSE * sum(width_in(one, size_pt, weight) for one in line) for line in lines
            )
        else:
            widths = (width_in(line, size_pt, weight) for line in lines)
        if all(width <= room_in for width in widths):
            return lines
    return textwrap.wrap(text, 4) or [""]
