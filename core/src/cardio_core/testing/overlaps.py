"""Which words of a figure stand on each other, or beyond its edge."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

SLACK_PX = 1.5
"""How far two boxes may reach into each other, at 100 pixels an inch: a box has a margin."""


def colliding_texts(draw: Callable[[Figure], None]) -> list[str]:
    """Draw a figure and return what is wrong with the places of its texts, a sentence each.

    Only what is really drawn counts, where it is drawn. Two slanted texts are not compared: their
    boxes meet where the letters do not. Letters with an outline are shapes, and not seen.

    Parameters
    ----------
    draw : callable
        ``draw(figure)``, as a figure of a report or of a case.

    Examples
    --------
    >>> def draw(figure):
    ...     figure.text(0.5, 0.5, "here")
    ...     figure.text(0.5, 0.5, "there")
    >>> colliding_texts(draw)
    ["'here' stands on 'there'"]
    """
    from matplotlib.backends.backend_agg import RendererAgg

    from cardio_core.report.figures.canvas import drawn

    figure = drawn(draw)
    found: list[tuple[str, Any, bool]] = []

    class Recording(RendererAgg):
        def draw_text(self, *args: Any, **options: Any) -> None:
            text = options.get("mtext") or (args[7] if len(args) > 7 else None)
            if text is not None and text.get_text().strip():
                slanted = text.get_rotation() % 90 != 0
                found.append((text.get_text(), text.get_window_extent(self), slanted))

    figure.set_dpi(100)
    width, height = figure.bbox.size
    renderer: Any = Recording(width, height, 100)  # type: ignore[no-untyped-call]
    # As when a file is written: what the first drawing laid out is what is shown.
    figure.draw(renderer)
    figure.set_layout_engine("none")
    found.clear()
    figure.draw(renderer)
    # One text of several lines is drawn in several calls.
    boxes = list(
        dict.fromkeys((words, tuple(box.extents), slanted) for words, box, slanted in found)
    )
    said = [
        f"{words!r} leaves the figure"
        for words, box, _ in boxes
        if box[0] < -SLACK_PX or box[1] < -SLACK_PX
        or box[2] > width + SLACK_PX or box[3] > height + SLACK_PX
    ]  # fmt: skip
    for (one, a, slanted), (other, b, also) in combinations(boxes, 2):
        across = min(a[2], b[2]) - max(a[0], b[0])
        down = min(a[3], b[3]) - max(a[1], b[1])
        if across > SLACK_PX and down > SLACK_PX and not (slanted and also):
            said.append(f"{one!r} stands on {other!r}")
    return said
