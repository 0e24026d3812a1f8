"""A study's septum as a person checks it: where it was found, and how it was followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from cardio_core.api import Case, canvas
from cardio_mmode_septal_flash.localisation.measures import temporal_profile, upsampled
from cardio_mmode_septal_flash.motion import FLASH_WINDOW_MS

HEAT = "inferno"
METHODS = {
    "grad_cam_pp": "Grad-CAM++",
    "layer_cam": "LayerCAM",
    "occlusion": "occlusion",
    "centre_prior": "centre prior",
    "random_weights": "random weights",
}
WHAT_TO_SEE = (
    "The septum (orange) and the scan line (blue) on the loop; the M-mode along it; and over it, "
    "warm, what raised the answer, with its sum over time as a white line. MVC: the mitral valve "
    "closes; AVO: the aortic valve opens. Dashed: the septum's place at the beginning."
)
"""Caption of a study."""

OF_A_FLASH = " A septal flash lies between MVC and AVO."

SHADE = {"facecolor": "black", "alpha": 0.5, "linewidth": 0, "pad": 1.0}
"""Keeps white letters readable on light ground, and text in the file: a stroke makes it paths."""

_WIDTH_IN, _HEIGHT_IN = 6.4, 2.6
"""Width of a report's text, and height of a row of panels."""

_N_DRAWN = 128


@dataclass(frozen=True, eq=False)
class StudyView:
    """Everything that a figure of a study shows.

    Attributes
    ----------
    frame : ndarray of uint8, shape (n_rows, n_columns)
        End-diastolic.
    septum_px : ndarray, shape (62, 2)
        (row, column) in the frame, base to apex.
    line_px : ndarray, shape (2, 2)
        Ends of the scan line, right ventricle first.
    picture : ndarray of uint8, shape (size, size)
        The M-mode as the network sees it.
    heats : mapping of str to ndarray, shape (rows', columns')
        From 0 to 1, by method.
    duration_ms, top_mm, bottom_mm : float
        What the picture spans.
    mvc_ms, avo_ms : float
        NaN where unknown.
    from_r : bool
        Whether the cycle begins at an R peak, and was not found in the motion.
    """

    frame: NDArray[np.uint8]
    septum_px: NDArray[np.floating[Any]]
    line_px: NDArray[np.floating[Any]]
    picture: NDArray[np.uint8]
    heats: Mapping[str, NDArray[np.floating[Any]]]
    duration_ms: float
    top_mm: float
    bottom_mm: float
    mvc_ms: float
    avo_ms: float
    from_r: bool = True

    @property
    def time_label(self) -> str:
        """What the time axis counts."""
        return "ms after R" if self.from_r else "ms of a cycle found in the motion"

    @property
    def depth_label(self) -> str:
        """What the depth axis counts."""
        return f"mm from the septum at {'R' if self.from_r else 'the beginning'}"

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of the picture, in ms and mm."""
        return (0.0, self.duration_ms, self.bottom_mm, self.top_mm)


@dataclass(frozen=True)
class StudyCase(Case):
    """One explained study; the first of a fold can draw any study of it.

    Attributes
    ----------
    view : callable or None
        From a sample id of the fold to its `StudyView`, read when it is asked for.
    n_drawn : int
        How many of true and false positives and negatives are to be drawn.
    """

    view: Callable[[str], StudyView] | None = None
    n_drawn: int = 0


def heat_sheet(studies: Sequence[tuple[str, StudyView]]) -> canvas.Draw:
    """Return a function that draws studies below each other (figures 1 to 3 of the paper).

    Parameters
    ----------
    studies : sequence of (title, StudyView)
        All with maps of the same methods.
    """
    n_heats = len(studies[0][1].heats)
    # A study alone has room for maps as wide as the text.
    across = 1 if len(studies) == 1 else 2
    n_rows = 1 + -(-n_heats // across)

    def draw(figure: Figure) -> None:
        figure.set_size_inches(_WIDTH_IN, _HEIGHT_IN * n_rows * len(studies) + 0.6)
        grid = figure.add_gridspec(n_rows * len(studies), 2)
        for top, (title, view) in zip(count(0, n_rows), studies, strict=False):
            frame_with_line(
                figure.add_subplot(grid[top, 0]), view.frame, view.septum_px, view.line_px, title
            )
            _mmode(figure.add_subplot(grid[top, 1]), view)
            for place, (method, heat) in enumerate(view.heats.items()):
                row, column = divmod(place, across)
                where = grid[top + 1 + row, :] if across == 1 else grid[top + 1 + row, column]
                _heat(figure.add_subplot(where), view, METHODS.get(method, method), heat)
        scale = ScalarMappable(Normalize(0, 1), HEAT)
        bar = figure.colorbar(scale, ax=figure.axes, location="bottom", shrink=0.5,
                              aspect=40, pad=0.02)  # fmt: skip
        bar.set_label("evidence (share of the largest in this study)", fontsize=canvas.SMALL_PT)
        bar.ax.tick_params(labelsize=canvas.SMALL_PT, length=2)

    return draw


def _mmode(axes: Axes, view: StudyView) -> None:
    axes.imshow(
        view.picture, cmap="gray", vmin=0, vmax=255, extent=view.extent, aspect="auto",
        interpolation="bilinear",
    )  # fmt: skip
    _lines(axes, view)
    canvas.bare_axes(axes, x=view.time_label, y=view.depth_label, title="M-mode")


def _heat(axes: Axes, view: StudyView, name: str, small: NDArray[np.floating[Any]]) -> None:
    axes.imshow(view.picture, cmap="gray", vmin=0, vmax=255, extent=view.extent, aspect="auto")
    heat = upsampled(small, _N_DRAWN, _N_DRAWN)
    axes.imshow(
        heat, cmap=HEAT, vmin=0, vmax=1, extent=view.extent, aspect="auto", alpha=0.3 + 0.4 * heat,
        interpolation="bilinear",
    )  # fmt: skip
    profile = temporal_profile(heat)
    if profile.max() > 0:
        depth = view.bottom_mm - 0.25 * (view.bottom_mm - view.top_mm) * profile / profile.max()
        at_ms = (np.arange(_N_DRAWN) + 0.5) / _N_DRAWN * view.duration_ms
        axes.plot(at_ms, depth, color="white", linewidth=1.2)
    _lines(axes, view)
    # Where nothing speaks for a flash, the map is rightly empty; a reader should not search it.
    title = f"{name}, its energy over time" if heat.any() else f"{name}: nothing spoke for it"
    canvas.bare_axes(axes, x=view.time_label, title=title)


def _lines(axes: Axes, view: StudyView) -> None:
    """Draw the septum's place at R, and the valves."""
    axes.axhline(0.0, color=canvas.AMBER, linewidth=0.8, linestyle="--")
    _valves(axes, view, "white", ("MVC", "AVO"))
    if not np.isfinite(view.mvc_ms):
        axes.annotate(
            "MVC and AVO unknown", (0.02, 0.02), xycoords="axes fraction", fontsize=canvas.SMALL_PT,
            color="white", bbox=SHADE,
        )  # fmt: skip


BRIGHT = "#FFB000"
"""An orange that stands out from grey pictures."""

_WRAPPED_AT = 60


Course = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Times in ms, and displacement at each."""


def course_of_beat(trace: NDArray[np.floating], rr_ms: float) -> Course:
    """Return a beat's displacement with its times in ms.

    Examples
    --------
    >>> course_of_beat(np.array([0.0, 2.0, 1.0, 0.0]), 800.0)[0].tolist()
    [0.0, 200.0, 400.0, 600.0]
    """
    n = len(trace)
    return np.asarray(np.arange(n) * (rr_ms / n), dtype=np.float64), trace


@dataclass(frozen=True, eq=False)
class Followed:
    """One line's M-mode and what was followed in it.

    Attributes
    ----------
    mmode : ndarray of uint8, shape (n_rows, n_columns)
        Right ventricle on top, one cycle from left to right.
    top, bottom : float
        What it spans along the line, in `unit`.
    rr_ms : float
        Its length in time.
    trace : ndarray, shape (n_times,), or None
        Displacement of the septum over the cycle, towards the left ventricle positive; None where
        it was not followed.
    onset_ms, peak_ms, duration_ms : float
        Of the early inward peak; NaN where there is none.
    mvc_ms, avo_ms : float
        NaN where unknown.
    from_r : bool
        Whether the cycle begins at an R peak.
    why_not : str
        Why the septum was not followed.
    courses : tuple of (times_ms, displacement)
        In each beat, where several were measured.
    median : (times_ms, displacement) or None
        Of those beats.
    peak_label : str
        Written at the early peak.
    unit : str
        Of lengths.
    """

    mmode: NDArray[np.uint8]
    top: float
    bottom: float
    rr_ms: float
    trace: NDArray[np.floating] | None
    onset_ms: float
    peak_ms: float
    duration_ms: float
    mvc_ms: float
    avo_ms: float
    from_r: bool
    why_not: str = ""
    courses: tuple[Course, ...] = ()
    median: Course | None = None
    peak_label: str = ""
    unit: str = "mm"

    @property
    def own_course(self) -> Course | None:
        """Times and displacement in the beat of the M-mode."""
        return None if self.trace is None else course_of_beat(self.trace, self.rr_ms)

    @property
    def course(self) -> Course | None:
        """What is drawn thick: the median of several beats, or the only one."""
        return self.own_course if self.median is None else self.median

    @property
    def time_label(self) -> str:
        """What the time axis counts."""
        return "ms after R" if self.from_r else "ms of a cycle found in the motion"


def frame_with_line(
    axes: Axes,
    frame: NDArray[np.uint8],
    septum_px: NDArray[np.floating],
    line_px: NDArray[np.floating],
    title: str = "End-diastolic frame: septum (orange), line of the M-mode (blue)",
) -> None:
    """Draw the end-diastolic frame, the septum in orange and the line of the M-mode in blue."""
    axes.imshow(frame, cmap="gray", vmin=0, vmax=_brightest(frame))
    axes.plot(septum_px[:, 1], septum_px[:, 0], color=BRIGHT, linewidth=1.6)
    axes.plot(line_px[:, 1], line_px[:, 0], color=canvas.SKY, linewidth=1.4)
    for (row, column), words in zip(line_px, ("RV", "LV"), strict=True):
        axes.annotate(
            words, (column, row), color=canvas.SKY, fontsize=canvas.SMALL_PT, ha="center",
            va="center", bbox=SHADE,
        )  # fmt: skip
    axes.set_xlim(-0.5, frame.shape[1] - 0.5)
    axes.set_ylim(frame.shape[0] - 0.5, -0.5)
    axes.set_axis_off()
    axes.set_title(title, fontsize=canvas.TEXT_PT, color=canvas.INK, loc="left")


def mmode_with_trace(axes: Axes, followed: Followed) -> None:
    """Draw the M-mode, and over it the place at which the septum's middle was followed."""
    extent = (0.0, followed.rr_ms, followed.bottom, followed.top)
    axes.imshow(
        followed.mmode, cmap="gray", vmin=0, vmax=_brightest(followed.mmode), extent=extent,
        aspect="auto", interpolation="bilinear",
    )  # fmt: skip
    title = "M-mode of the line"
    if followed.own_course is not None:
        axes.plot(*followed.own_course, color=BRIGHT, linewidth=1.6)
        title += ", and the septum as it was followed"
    if followed.courses:
        title += f"; one of {len(followed.courses)} beats"
    _valves(axes, followed, "white")
    canvas.bare_axes(axes, y=f"{followed.unit}; right ventricle above", title=title)


def excursion_curve(axes: Axes, followed: Followed) -> None:
    """Draw the displacement over the cycle, with the early peak and the valves.

    Of several beats each is thin and the median thick.
    """
    if followed.course is None:
        axes.set_axis_off()
        text = fill(f"Not measured: {followed.why_not}", _WRAPPED_AT, break_on_hyphens=False)
        axes.text(
            0.5, 0.5, text, ha="center", va="center",
            transform=axes.transAxes, fontsize=canvas.TEXT_PT, color=canvas.VERMILION,
        )  # fmt: skip
        return
    times_ms, course = followed.course
    if followed.from_r:
        axes.axvspan(0.0, FLASH_WINDOW_MS, color=canvas.LIGHT, alpha=0.6, linewidth=0)
    axes.axhline(0.0, color=canvas.GREY, linewidth=0.8)
    for of_beat in followed.courses:
        axes.plot(*of_beat, color=canvas.BLUE, linewidth=0.7, alpha=0.55)
    axes.plot(times_ms, course, color=canvas.BLUE, linewidth=2.4 if followed.courses else 1.6)
    if np.isfinite(followed.peak_ms):
        height = float(np.interp(followed.peak_ms, times_ms, course))
        axes.plot(followed.peak_ms, height, marker="o", color=canvas.VERMILION, markersize=5)
        end = followed.onset_ms + followed.duration_ms
        axes.hlines(height, followed.onset_ms, end, color=canvas.VERMILION, linewidth=1.2)
        axes.annotate(
            followed.peak_label or "early inward peak", (followed.peak_ms, height), xytext=(6, 5),
            textcoords="offset points", fontsize=canvas.SMALL_PT, color=canvas.VERMILION,
        )  # fmt: skip
    axes.set_xlim(0.0, followed.rr_ms)
    _valves(axes, followed, canvas.INK)
    axes.margins(y=0.15)
    several = f": {len(followed.courses)} beats, median thick" if followed.courses else ""
    grey = "; grey: 180 ms, where a flash would be" * followed.from_r
    canvas.bare_axes(
        axes,
        x=followed.time_label,
        y=f"{followed.unit} towards the LV",
        title=f"Septal excursion{several}{grey}",
    )


def _brightest(picture: NDArray[np.uint8]) -> float:
    """Return what is drawn white, so that a dark recording can be seen."""
    return max(60.0, float(np.percentile(picture, 99.7)))


_CLOSES_OPENS = ("mitral valve closes", "aortic valve opens")


def _valves(
    axes: Axes, shown: StudyView | Followed, ink: str, names: tuple[str, str] = _CLOSES_OPENS
) -> None:
    """Draw when the valves move, on a picture in white or on paper in ink."""
    on_picture = ink == "white"
    green, red = canvas.GREEN, canvas.PURPLE
    if on_picture:
        green, red = canvas.fixed("#00B283"), canvas.fixed("#F06A1A")
    for name, at_ms, colour in zip(names, (shown.mvc_ms, shown.avo_ms), (green, red), strict=True):
        if np.isfinite(at_ms) and at_ms <= axes.get_xlim()[1]:
            axes.axvline(at_ms, color=colour, linewidth=1.0)
            axes.annotate(
                name, (at_ms, 0.98), xycoords=("data", "axes fraction"), xytext=(2, 0),
                textcoords="offset points", rotation=90, va="top", fontsize=canvas.SMALL_PT,
                color=ink, bbox=SHADE if on_picture else None,
            )  # fmt: skip
