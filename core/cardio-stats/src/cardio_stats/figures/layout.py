"""How a figure finds its places: axes that do not overlap, and titles that fit their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.text import Annotation

_LEAST_PT, _TINY_PT = 6.0, 3.0
"""A title below the first is broken in two; no text is smaller than the second."""

_PLACES = 4
"""Digits of a place on the paper, of which 1 is its width or height: 0.02 mm of a page."""


class SteadyLayout(ConstrainedLayoutEngine):
    """matplotlib's constrained layout, with the same digits every time.

    Its solver orders what it solves by where it lies in memory, and so do the last digits of what
    it finds: once in many runs a number of the file is rounded the other way.
    """

    def execute(self, figure: Figure) -> Any:
        """Lay the figure out, and round where its parts and axes are."""
        found = super().execute(figure)
        todo = [*figure.subfigs]
        for part in todo:
            todo += part.subfigs
            place: Any = part.bbox_relative
            place.p0, place.p1 = place.p0.round(_PLACES), place.p1.round(_PLACES)
        every: Any = figure.axes
        for axes in every:
            taking_part = axes.get_in_layout()
            place = np.round(axes.get_position(original=True).bounds, _PLACES)
            axes.set_position(tuple(place))  # who places axes takes them out of the layout
            axes.set_in_layout(taking_part)
        return found


class Fitted(Annotation):
    """The title of a row, smaller or in two lines where it would reach into its value.

    How wide the axes are is known only once the page is laid out, so it is fitted as it is drawn.
    """

    def __init__(
        self, title: str, value: Annotation, below: float, colour: str, size_pt: float
    ) -> None:
        super().__init__(
            title, (0.0, 1.0), xycoords="axes fraction", xytext=(0, below),
            textcoords="offset points", ha="left", va="baseline", fontsize=size_pt,
            color=colour, annotation_clip=False, linespacing=1.0,
        )  # fmt: skip
        self._title, self._value, self._below, self._size_pt = title, value, below, size_pt

    def draw(self, renderer: Any) -> None:
        """Draw it where it fits."""
        self._fit(renderer)
        super().draw(renderer)

    def _fit(self, renderer: Any) -> None:
        axes: Any = self.axes
        room = self._value.get_window_extent(renderer).x0 - axes.bbox.x0
        room -= renderer.points_to_pixels(self._size_pt / 2)
        if self._shrunk(renderer, self._title, room, self._size_pt) >= _LEAST_PT:
            return
        words = self._title.split()
        breaks = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
        upper, lower = min(breaks, key=lambda two: max(map(len, two)), default=(self._title, ""))
        size = self._shrunk(renderer, f"{upper}\n{lower}".rstrip(), room, _LEAST_PT)
        # The lower line carries the baseline; both stand about the middle of their row.
        self.set_position((0, self._below - size / 3))

    def _shrunk(self, renderer: Any, text: str, room: float, size: float) -> float:
        """Set a text as large as there is room for, at most `size`; return its size."""
        self.set_text(text)
        self.set_fontsize(size)
        self.set_position((0, self._below))
        # Letters are set on pixels, so that their width does not shrink with them step by step.
        while self.get_window_extent(renderer).width > room and size > _TINY_PT:
            size -= 0.25
            self.set_fontsize(size)
        return size
