"""How wide a text will be, before it is drawn."""

from __future__ import annotations

import textwrap
from functools import lru_cache
from typing import Literal

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

Weight = Literal["normal", "bold"]


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

    Examples
    --------
    >>> wrapped("Random forest", 9.0, 9.0), wrapped("Random forest", 0.7, 9.0)
    (['Random forest'], ['Random', 'forest'])
    """
    for columns in range(len(text), 4, -1):
        lines = textwrap.wrap(text, columns) or [""]
        if all(width_in(line, size_pt, weight) <= room_in for line in lines):
            return lines
    return textwrap.wrap(text, 4) or [""]
