"""ECG paper: a page in millimetres, on which 25 mm are a second and 10 mm a millivolt.

Everything of a page is drawn into one pair of axes, whose unit is the millimetre, which is a whole
number of dots: so squares are square on any screen and in print.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardio_core.api import canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from cardio_ecg_transfer.signal.ecg import Ecg

THIN, THICK = "#f6d9d6", "#e9aaa5"
"""Lines of 1 mm and of 5 mm."""

SPEED_MM_S = 25.0
GAINS_MM_MV = (10.0, 5.0, 2.5, 1.0, 0.5, 0.1)
"""The usual one first; the others for what would not fit."""

STRIP_S = 10.0

LAYOUT = (
    ("I", "aVR", "V1", "V4"),
    ("II", "aVL", "V2", "V5"),
    ("III", "aVF", "V3", "V6"),
)
"""The usual order of twelve leads on paper."""

_MM_IN_INCH = 25.4
_DOTS_IN_MM = 6
_PULSE_MM = (1.5, 5.0)  # where a calibration pulse begins, and how wide it is
_LEFT_MM = 8.0  # of a row, for the pulse
_ZERO = 0.58  # of a row, from its top: R waves need more room than S waves
_REACH = 1.2  # of a row: how far a lead may reach into its neighbours
_BEYOND_MM = 4.0  # the paper, above and below

Points = tuple["NDArray[np.floating[Any]]", "NDArray[np.floating[Any]]"]


def page(figure: Figure, width_mm: float, height_mm: float) -> Axes:
    """Make a figure a page of this size, and return axes in mm from its lower left corner."""
    figure.set_layout_engine("none")
    figure.set_dpi(_MM_IN_INCH * _DOTS_IN_MM)
    figure.set_size_inches(width_mm / _MM_IN_INCH, height_mm / _MM_IN_INCH)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_xlim(0.0, width_mm)
    axes.set_ylim(0.0, height_mm)
    return axes


def rule(axes: Axes, left: float, bottom: float, width: int, height: int) -> None:
    """Rule a part of a page, whole mm wide and high, with lines of 1 and of 5 mm."""
    for step, colour, points in ((1, THIN, 0.3), (5, THICK, 0.5)):
        right, top = left + width, bottom + height
        about: dict[str, Any] = {"colors": colour, "linewidth": points, "zorder": 0}
        axes.vlines(np.arange(left, right + 0.5, step), bottom, top, **about)
        axes.hlines(np.arange(bottom, top + 0.5, step), left, right, **about)


def write(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    points: float = canvas.SMALL_PT,
    colour: str = canvas.INK,
    side: str = "left",
    bold: bool = False,
) -> None:
    """Write text on a page, on the baseline y, from x on (or up to it, or around it)."""
    axes.text(
        x, y, text, fontsize=points, color=colour, ha=side, va="baseline",
        fontweight="bold" if bold else "normal",
    )  # fmt: skip


def draw_lines(
    axes: Axes, pieces: Iterable[Points], *, colour: str = canvas.INK, points: float = 0.7
) -> None:
    """Draw polylines as one; NaN in them is a gap."""
    parts = [(np.append(x, np.nan), np.append(y, np.nan)) for x, y in pieces]
    if parts:
        axes.plot(*map(np.concatenate, zip(*parts, strict=True)), color=colour, linewidth=points,
                  solid_joinstyle="round")  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A stretch of a lead in a row of paper.

    Attributes
    ----------
    lead : str
        Which.
    begin_s, end_s : float
        Of the recording.
    """

    lead: str
    begin_s: float = 0.0
    end_s: float = STRIP_S


ROWS_WIDTH_MM = round(_LEFT_MM + STRIP_S * SPEED_MM_S) + 1


def draw_rows(
    axes: Axes,
    left: float,
    top: float,
    recording: Ecg,
    rows: Sequence[Sequence[Piece]],
    row_mm: int,
) -> float:
    """Draw rows of leads as recorded on ruled paper, each behind a calibration pulse.

    Parameters
    ----------
    axes : Axes
        A `page`.
    left, top : float
        Upper left corner of the paper, in mm.
    recording : Ecg
        Unfiltered.
    rows : sequence of sequence of Piece
        From the top; a lead that the recording lacks leaves its place empty.
    row_mm : int
        Height of a row.

    Returns
    -------
    float
        Gain in mm/mV: 10, or the largest that lets the leads fit.
    """
    bottom = top - row_mm * len(rows)
    rule(axes, left, bottom, ROWS_WIDTH_MM, row_mm * len(rows))
    levelled = {
        item.lead: _levelled(recording, item.lead)
        for row in rows
        for item in row
        if item.lead in recording.leads
    }
    zeros = [top - row_mm * (n + _ZERO) for n in range(len(rows))]
    low, high = bottom - _BEYOND_MM, top + _BEYOND_MM
    gain = _gain(
        [
            (
                levelled[entry.lead],
                min(high - zero, _REACH * row_mm),
                min(zero - low, _REACH * row_mm),
            )
            for row, zero in zip(rows, zeros, strict=True)
            for entry in row
            if entry.lead in levelled
        ]
    )
    lines = []
    for row, zero in zip(rows, zeros, strict=True):
        lines.append(_pulse(left, zero, gain))
        for piece in row:
            at = left + _LEFT_MM + SPEED_MM_S * (piece.begin_s - row[0].begin_s)
            y = zero + row_mm / 2 - 4.0
            write(axes, at + 1.0, y, piece.lead, points=canvas.TEXT_PT, bold=True)
            if piece.lead in levelled:
                first, last = (round(s * recording.rate_hz) for s in (piece.begin_s, piece.end_s))
                shown = levelled[piece.lead][first : last + 1]
                x = at + SPEED_MM_S * np.arange(shown.size) / recording.rate_hz
                lines.append((x, np.clip(zero + gain * shown, low, high)))
    draw_lines(axes, lines)
    return gain


def mark_times(
    axes: Axes, left: float, y: float, times_s: NDArray[np.floating[Any]], colour: str, marker: str
) -> None:
    """Mark times of the recording's first ten seconds in a row whose paper begins at `left`."""
    shown = times_s[(times_s >= 0) & (times_s <= STRIP_S)]
    axes.plot(left + _LEFT_MM + SPEED_MM_S * shown, np.full(shown.size, y), linestyle="none",
              marker=marker, markersize=4.5, color=colour)  # fmt: skip


def _levelled(recording: Ecg, lead: str) -> NDArray[np.float64]:
    shown = recording.signal_mv[recording.leads.index(lead)]
    shown = np.asarray(shown[: round(STRIP_S * recording.rate_hz) + 1], np.float64)
    known = shown[np.isfinite(shown)]
    return np.asarray(shown - (np.median(known) if known.size else 0.0))


def _gain(leads: Iterable[tuple[NDArray[np.float64], float, float]]) -> float:
    """Return the largest gain at which each lead keeps to its room, in mm above and below."""
    needed = [
        edge / room
        for shown, above, below in leads
        if np.isfinite(shown).any()
        for edge, room in zip(np.nanquantile(shown, (0.999, 0.001)), (above, -below), strict=True)
    ]
    most = max(needed, default=0.0)
    return next((gain for gain in GAINS_MM_MV if gain * most <= 1.0), GAINS_MM_MV[-1])


def _pulse(left: float, zero: float, gain: float) -> Points:
    """Return the pulse of 200 ms and 1 mV."""
    begin, width = _PULSE_MM
    x = left + np.array([0.5, begin, begin, begin + width, begin + width, _LEFT_MM - 0.5])
    return x, zero + gain * np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
