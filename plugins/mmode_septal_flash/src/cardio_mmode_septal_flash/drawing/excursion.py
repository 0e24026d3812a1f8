"""A study's septum as a person checks it: where it was found, and how it was followed."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cardio_core.api import canvas
from cardio_mmode_septal_flash.drawing.study import SHADE
from cardio_mmode_septal_flash.motion.excursion import FLASH_WINDOW_MS

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
    said_of_peak : str
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
    said_of_peak: str = ""
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
    axes: Axes, frame: NDArray[np.uint8], septum_px: NDArray[np.floating],
    line_px: NDArray[np.floating],
) -> None:  # fmt: skip
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
    axes.set_title(
        "End-diastolic frame: septum (orange), line of the M-mode (blue)",
        fontsize=canvas.TEXT_PT, color=canvas.INK, loc="left",
    )  # fmt: skip


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
        said = fill(f"Not measured: {followed.why_not}", _WRAPPED_AT, break_on_hyphens=False)
        axes.text(
            0.5, 0.5, said, ha="center", va="center",
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
            followed.said_of_peak or "early inward peak", (followed.peak_ms, height), xytext=(6, 5),
            textcoords="offset points", fontsize=canvas.SMALL_PT, color=canvas.VERMILION,
        )  # fmt: skip
    _valves(axes, followed, canvas.INK)
    axes.set_xlim(0.0, followed.rr_ms)
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


def _valves(axes: Axes, followed: Followed, ink: str) -> None:
    for words, at_ms, colour in (
        ("mitral valve closes", followed.mvc_ms, canvas.GREEN),
        ("aortic valve opens", followed.avo_ms, canvas.PURPLE),
    ):
        if np.isfinite(at_ms) and at_ms <= followed.rr_ms:
            axes.axvline(at_ms, color=colour, linewidth=1.0)
            axes.annotate(
                words, (at_ms, 0.98), xycoords=("data", "axes fraction"), xytext=(2, 0),
                textcoords="offset points", rotation=90, va="top", fontsize=canvas.SMALL_PT,
                color=ink, bbox=SHADE if ink == "white" else None,
            )  # fmt: skip
