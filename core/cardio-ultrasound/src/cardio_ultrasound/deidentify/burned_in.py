"""Cursors that run along a trace: upright lines that a loop shows again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cardio_ultrasound.colour import BRIGHT, coloured, grey_of_rgb, high_and_spread
from cardio_ultrasound.deidentify.tissue import brush_px, coloured_print, disk

_EVEN, _CURSOR_PX = 2, 12
_MOST_KINDS = 4
_SAME_PX, _SHARE, _MIN_FRAMES = 4, 0.4, 3


def cursor_lines(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return upright lines of one bright level and of one or two pixels' width, with their rims.

    A cursor that runs along a trace is grey in grey loops, and in colour where two pixels share
    their colour. Speckle has no such runs. The frame and the mask have the shape (n_rows,
    n_columns).

    Examples
    --------
    >>> frame = np.random.default_rng(0).integers(0, 255, (60, 60), dtype=np.uint8)
    >>> frame[20:50, 30] = 206
    >>> found = cursor_lines(frame)
    >>> bool(found[20:50, 30].all()), bool(found[:, :28].any())
    (True, False)
    """
    level = grey.astype(np.int16)
    even = np.zeros(grey.shape, np.bool_)
    even[1:] = (np.abs(np.diff(level, axis=0)) <= _EVEN) & (level[1:] >= BRIGHT)
    # One difference less than there are pixels, on either side of a run.
    run = np.ones((max(_CURSOR_PX, grey.shape[0] // 25) - 1, 1), np.bool_)
    lines = ndimage.binary_opening(even, run)
    if not lines.any():
        return np.asarray(lines)
    lines &= ~ndimage.binary_opening(lines, np.ones((1, 3), np.bool_))
    return np.asarray(ndimage.binary_dilation(lines, np.ones((3, 3), np.bool_)))


@dataclass(frozen=True)
class Cursors:
    """Where the cursors of a loop begin and end.

    Attributes
    ----------
    rows : tuple of tuple of int
        First and last row of each kind of line that many frames have.
    """

    rows: tuple[tuple[int, int], ...]

    def lines_in(self, grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the cursors of one frame, shape (n_rows, n_columns)."""
        retained = np.zeros(grey.shape, np.bool_)
        if not self.rows:
            return retained
        labels, _ = ndimage.label(cursor_lines(grey))
        for number, window in enumerate(ndimage.find_objects(labels), start=1):
            if any(_alike((window[0].start, window[0].stop - 1), rows) for rows in self.rows):
                retained[window] |= labels[window] == number
        return retained


class CursorSurvey:
    """Looks at every frame for upright lines that begin and end at the same rows.

    A codec's flat blocks have such lines as well, a few pixels wide and anywhere; a cursor has the
    height of its trace, whatever it stands on.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> survey = CursorSurvey()
    >>> for n in range(8):
    ...     frame = rng.integers(0, 255, (60, 60), dtype=np.uint8)
    ...     frame[20:50, 5 + 6 * n] = 206
    ...     survey.look_at(frame)
    >>> survey.cursors().rows
    ((20, 50),)
    """

    def __init__(self) -> None:
        self._found: list[set[tuple[int, int]]] = []

    def look_at(self, grey: NDArray[np.uint8]) -> None:
        """Add one grey frame."""
        labels, _ = ndimage.label(cursor_lines(grey))
        windows = ndimage.find_objects(labels)
        self._found.append({(rows.start, rows.stop - 1) for rows, _ in windows})

    def cursors(self) -> Cursors:
        """Return those that enough frames have."""
        enough = max(min(_MIN_FRAMES, len(self._found)), _SHARE * len(self._found))
        all_rows = sorted({rows for found in self._found for rows in found})
        often = [rows for rows in all_rows if self._n_like(rows) >= enough]
        retained: list[tuple[int, int]] = []
        for rows in sorted(often, key=self._n_like, reverse=True):
            if not any(_alike(rows, item) for item in retained):
                retained.append(rows)
        # A scanner has a cursor or two, which traces part; a codec at a low rate has such lines of
        # many heights.
        return Cursors(tuple(retained) if len(retained) <= _MOST_KINDS else ())

    def _n_like(self, rows: tuple[int, int]) -> int:
        return sum(any(_alike(rows, item) for item in found) for found in self._found)


def _alike(first: tuple[int, int], second: tuple[int, int]) -> bool:
    return all(abs(a - b) <= _SAME_PX for a, b in zip(first, second, strict=True))


# Whether print runs into the sector from outside, so that some of it may lie over the tissue.

_LIT = 60
_FROM_PX, _TO_PX, _TOUCH_PX = 2.9, 8.0, 1.2
"""Nearer to the sector lies what a fit cuts off, and what codecs blur."""

CROSSED = "print reaches the sector's edge and may be left over the tissue: look at the sheet"


def print_crosses(high: NDArray[np.uint8], sector: NDArray[np.bool_]) -> bool:
    """Say whether something bright outside the sector reaches its edge, in any frame.

    `high` is the brightest grey of each pixel over a loop; both have shape (n_rows, n_columns).
    What lies over the tissue then need not have been told from it, whatever was replaced.

    Examples
    --------
    >>> sector = np.zeros((60, 80), np.bool_)
    >>> sector[10:40, 20:60] = True
    >>> high = np.where(sector, 120, 0).astype(np.uint8)
    >>> print_crosses(high, sector)
    False
    >>> high[36:55, 30] = 200  # a peak of a trace
    >>> print_crosses(high, sector)
    True
    """
    if not sector.any():
        return False
    away = ndimage.distance_transform_edt(~sector)
    band = (away >= _FROM_PX) & (away <= _TO_PX)
    labels, n_pieces = ndimage.label((high >= _LIT) & band, np.ones((3, 3)))
    if not n_pieces:
        return False
    pieces = np.arange(1, n_pieces + 1)
    near = ndimage.minimum(away, labels, pieces) <= _FROM_PX + _TOUCH_PX
    far = ndimage.maximum(away, labels, pieces) >= _TO_PX - _TOUCH_PX
    return bool((near & far).any())


# Which coloured lines of a loop are print: those of an ink that the whole loop knows.
#
# A codec leaves colour where there was none: blocks and short strokes that come and go in any hue.
# A scanner draws with few inks: a trace is one line of one hue, long, in many frames; letters and
# marks stay where they are. So one frame decides nothing. All frames are looked at first, and what
# has the ink of a line or mark that was found is print.

_LONG_SHARE, _LONG_PX = 0.12, 28
"""A line of a trace is as long as this share of the picture's shorter side, and this many pixels:
longer than a codec's block of 16 and what two of them make."""

_PIECE_PX = 8
_SEEN_SHARE, _STAYS_SHARE = 0.2, 0.8
_INKS_MIN_FRAMES = 3
_COHERENT = 0.85
_N_HUES = 36
_TINTED = 32
_LIKE = 3
"""Hues of 10 degrees that may lie between two pixels of one ink."""


@dataclass(frozen=True)
class Inks:
    """The inks of a loop, and where their print was.

    Attributes
    ----------
    hues : ndarray of bool, shape (36,)
        Hues, 10 degrees each, that lines or lasting marks were drawn with.
    stays : ndarray of bool, shape (n_rows, n_columns)
        Coloured at one place, in one hue, in four frames of five.
    """

    hues: NDArray[np.bool_]
    stays: NDArray[np.bool_]

    def print_in(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return the coloured print of one frame, shape (n_rows, n_columns), with its rims."""
        found = coloured_print(rgb)
        if not found.any() or not (self.hues.any() or self.stays.any()):
            return np.zeros_like(found)
        hue, strong = hues_of(rgb), coloured(rgb)
        ours = found & strong & self.hues[hue]
        retained = np.zeros_like(found)
        for window, part in _pieces(ours):
            if max(part.shape) >= _PIECE_PX or (self.stays[window] & part).any():
                retained[window] |= part
        # The rims of a line have lost its colour; of a thin one a codec leaves a tint that goes on.
        line = ndimage.binary_propagation(
            retained, np.ones((3, 3)), retained | self._tinted(rgb, hue)
        )
        rims = ndimage.binary_dilation(retained, disk(2)) & found
        return np.asarray(line | rims | (self.stays & found))

    def _tinted(self, rgb: NDArray[np.uint8], hue: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Return thin parts that have a little of an ink's colour."""
        high, spread = high_and_spread(rgb)
        tinted = (spread >= _TINTED) & (high >= BRIGHT) & self.hues[hue]
        return np.asarray(tinted & ~ndimage.binary_opening(tinted, disk(brush_px(tinted.shape))))


class InkSurvey:
    """Looks at every frame of a loop for lines and marks of one ink.

    Examples
    --------
    >>> survey = InkSurvey()
    >>> for n in range(6):
    ...     frame = np.full((60, 90, 3), 90, np.uint8)
    ...     frame[40, :] = (60, 230, 90)  # a trace
    ...     frame[10 + n, 5 * n : 5 * n + 8] = (200, 40, 40)  # a codec's stroke
    ...     survey.look_at(frame)
    >>> found = survey.inks().print_in(frame)
    >>> bool(found[40].all()), bool(found[:30].any())
    (True, False)
    """

    def __init__(self) -> None:
        self.n_frames = 0
        self._times: NDArray[np.uint16] | None = None
        self._sum: NDArray[np.complex64] | None = None
        self._lines = np.zeros(_N_HUES, np.int64)

    def look_at(self, rgb: NDArray[np.uint8]) -> None:
        """Add one RGB frame, shape (n_rows, n_columns, 3)."""
        self.n_frames += 1
        found = coloured_print(rgb)
        if self._times is None or self._sum is None:
            self._times = np.zeros(found.shape, np.uint16)
            self._sum = np.zeros(found.shape, np.complex64)
        ink = found & coloured(rgb)
        if not ink.any():
            return
        hue = hues_of(rgb)
        self._times[ink] += 1
        self._sum[ink] += np.exp(2j * np.pi * (hue[ink] + 0.5) / _N_HUES).astype(np.complex64)
        long = max(_LONG_SHARE * min(found.shape), _LONG_PX)
        seen = np.zeros(_N_HUES, np.bool_)
        # One hue after another: a cursor crosses its trace in another ink.
        counts = np.bincount(hue[ink], minlength=_N_HUES)
        for middle in range(0, _N_HUES, _LIKE):
            near = np.arange(middle - _LIKE, middle + _LIKE + 1) % _N_HUES
            if counts[near].sum() < long:
                continue
            like = np.zeros(_N_HUES, np.bool_)
            like[near] = True
            for window, part in _pieces(ink & like[hue]):
                if max(part.shape) < long:
                    continue
                direction = np.exp(2j * np.pi * (hue[window][part] + 0.5) / _N_HUES).mean()
                if abs(direction) >= _COHERENT:
                    seen[_place(np.angle(direction))] = True
        self._lines += seen

    def inks(self) -> Inks:
        """Return what was found in enough frames."""
        if self._times is None or self._sum is None:
            return Inks(np.zeros(_N_HUES, np.bool_), np.zeros((0, 0), np.bool_))
        enough = max(min(_INKS_MIN_FRAMES, self.n_frames), _SEEN_SHARE * self.n_frames)
        around = ndimage.uniform_filter1d(self._lines.astype(float), 3, mode="wrap") * 3
        hues = around >= enough
        often = self._times >= max(
            _STAYS_SHARE * self.n_frames, min(_INKS_MIN_FRAMES, self.n_frames)
        )
        one_hue = np.abs(self._sum) >= _COHERENT * np.maximum(self._times, 1)
        stays = np.zeros_like(often)
        for window, part in _pieces(often & one_hue):
            if max(part.shape) >= _PIECE_PX:
                stays[window] |= part
        for direction in np.angle(self._sum[stays]) if stays.any() else ():
            hues[_place(direction)] = True
        return Inks(_widened(hues), np.asarray(ndimage.binary_dilation(stays, disk(2))))


def hues_of(rgb: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Return the hue of every pixel in steps of 10 degrees, 0 to 35.

    Examples
    --------
    >>> hues_of(np.array([[[200, 20, 20], [20, 200, 20], [20, 20, 200]]], np.uint8)).tolist()
    [[0, 12, 24]]
    """
    red, green, blue = (rgb[..., channel].astype(np.float32) for channel in range(3))
    angle = np.arctan2(np.sqrt(np.float32(3)) * (green - blue), 2 * red - green - blue)
    return np.asarray(np.floor(angle / (2 * np.pi) * _N_HUES).astype(np.intp) % _N_HUES)


def _place(angle: float) -> int:
    return int(angle / (2 * np.pi) * _N_HUES) % _N_HUES


def _widened(hues: NDArray[np.bool_]) -> NDArray[np.bool_]:
    steps = range(1 - _LIKE, _LIKE)
    return np.asarray(np.any([np.roll(hues, step) for step in steps], axis=0))


def _pieces(
    mask: NDArray[np.bool_],
) -> Iterator[tuple[tuple[slice, slice], NDArray[np.bool_]]]:
    """Yield the window and the pixels of every piece; gaps of two pixels part nothing."""
    joined = ndimage.binary_dilation(mask, disk(1))
    labels, _ = ndimage.label(joined, np.ones((3, 3)))
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        yield window, (labels[window] == number) & mask[window]


# Marks that stand still amid tissue that moves: words, cursors, calipers, dots, guides.
#
# Print is sharp where the picture is not: a beam is several pixels wide, so an echo that stands
# still (pericardium, a calcification, a lead) fades across the beams, while print ends from one
# pixel to the next.

_BRIGHT = 90.0
_MOVES, _MOVES_WELL = 8.0, 10.0
_UNCHANGED, _STILL_SHARE, _CALM_SHARE = 1.0, 0.2, 0.35
_RAISED, _HIGH, _OVER_DARK, _STEADY = 25.0, 50.0, 70.0, 10.0
_RIM_CALM_SHARE, _RIM_RAISED = 0.75, 8.0
_MIN_PX = 4
_CORE_SHARE, _SHARP, _BEGINS = 0.6, 0.43, 0.6
_UNLIKE, _LOWER = 0.6, 40.0
_LIVELIER = 2.0
_STILL_LONG_PX = 40
_TIP_BRUSHES = 6
_SIDE_PX = 1.0

Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass
class StillSurvey:
    """Gathers the mean and the spread of every pixel over a loop, frame by frame.

    Examples
    --------
    >>> survey, rng = StillSurvey(), np.random.default_rng(0)
    >>> for _ in range(12):
    ...     frame = rng.integers(40, 160, (60, 60), dtype=np.uint8)
    ...     frame[20:26, 30] = frame[23, 27:34] = 240  # a cross
    ...     survey.look_at(frame)
    >>> found = survey.marks(np.ones((60, 60), np.bool_))
    >>> bool(found[20:26, 30].all()), int(found.sum()) < 60
    (True, True)
    """

    n_frames: int = 0
    _sum: NDArray[np.float32] | None = None
    _squares: NDArray[np.float32] | None = None

    def look_at(self, grey: NDArray[np.uint8]) -> None:
        """Add one grey frame, shape (n_rows, n_columns)."""
        level = grey.astype(np.float32)
        if self._sum is None or self._squares is None:
            self._sum, self._squares = np.zeros_like(level), np.zeros_like(level)
        self.n_frames += 1
        self._sum += level
        self._squares += level * level

    def marks(self, sector: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the marks inside `sector`, with their rims; both of shape (n_rows, n_columns)."""
        if self._sum is None or self._squares is None or not sector.any():
            return np.zeros_like(sector)
        mean = self._sum / self.n_frames
        spread = np.sqrt(np.maximum(self._squares / self.n_frames - mean**2, 0))
        return _marks(mean.astype(np.float32), spread.astype(np.float32), sector)


def _marks(mean: Levels, spread: Levels, sector: Mask) -> Mask:
    around, lively = _around(mean, sector), _around(spread, sector)
    raised = mean - around
    ink = (
        ((lively >= _MOVES_WELL) & (spread <= np.maximum(_STILL_SHARE * lively, _UNCHANGED)))
        | ((lively >= _MOVES) & (raised >= _RAISED) & (spread <= _CALM_SHARE * lively))
        | ((lively >= _MOVES) & (raised >= _HIGH) & (spread <= lively))
        | ((raised >= _OVER_DARK) & (spread <= _STEADY))
    )
    ink &= sector & (mean >= _BRIGHT)
    # At the tip itself beams are narrower than pixels, and what is there stands still.
    rows = np.flatnonzero(sector.any(axis=1))
    ink[: rows[0] + _TIP_BRUSHES * brush_px(sector.shape)] = False
    if not ink.any():
        return np.asarray(ink)
    rims = ndimage.binary_dilation(ink, disk(1)) & sector & (raised >= _RIM_RAISED)
    marks = ink | (rims & ((spread <= _RIM_CALM_SHARE * lively) | (raised >= _OVER_DARK)))
    marks &= ~ndimage.binary_opening(marks, disk(brush_px(marks.shape)))
    # The dots of a line are one mark.
    labels, _ = ndimage.label(ndimage.binary_dilation(marks, disk(2)), np.ones((3, 3)))
    labels *= marks
    levels = _Levels(mean, spread, raised, lively, _sides(mean, sector), _sides(spread, sector))
    retained = np.zeros_like(marks)
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        if window is None:
            continue
        wide = (_wider(window[0]), _wider(window[1]))
        mark, here = labels[wide] == number, levels.within(wide)
        own = mark & ink[wide]
        if mark.sum() < _MIN_PX or not own.any():
            continue
        if _is_sharp(own, here) and _is_unlike(mark, (labels[wide] == 0) & sector[wide], here):
            retained[wide] |= mark
    return np.asarray(ndimage.binary_dilation(retained, disk(1)) & sector)


@dataclass(frozen=True)
class _Levels:
    """Mean and spread of every pixel, how far it stands out, and both of a pixel beside it."""

    mean: Levels
    spread: Levels
    raised: Levels
    lively: Levels
    mean_beside: tuple[Levels, Levels]
    spread_beside: tuple[Levels, Levels]

    def within(self, window: tuple[slice, slice]) -> _Levels:
        """Return those of a window."""
        left, right = self.mean_beside
        first, second = self.spread_beside
        return _Levels(
            self.mean[window],
            self.spread[window],
            self.raised[window],
            self.lively[window],
            (left[window], right[window]),
            (first[window], second[window]),
        )


def _around(values: Levels, sector: Mask) -> Levels:
    """Return the mean of the sector's pixels around each."""
    width = 6 * brush_px(sector.shape) + 1
    share = ndimage.uniform_filter(sector.astype(np.float32), width)
    total = ndimage.uniform_filter(values * sector, width)
    return np.asarray(total / np.maximum(share, 1e-3), np.float32)


def _sides(values: Levels, sector: Mask) -> tuple[Levels, Levels]:
    """Return values a pixel away across the beams, left and right; NaN out of the sector."""
    rows, columns = np.nonzero(sector)
    tip_row, tip_column = rows.min(), columns[rows == rows.min()].mean()
    row, column = np.indices(values.shape)
    angle = np.arctan2(column - tip_column, np.maximum(row - tip_row, 1))
    down, across = -np.sin(angle) * _SIDE_PX, np.cos(angle) * _SIDE_PX
    inside = np.where(sector, values, np.float32(np.nan))

    def moved(side: int) -> Levels:
        at = [row + side * down, column + side * across]
        return np.asarray(ndimage.map_coordinates(inside, at, order=1, cval=np.nan))

    return moved(-1), moved(1)


def _is_sharp(own: Mask, here: _Levels) -> bool:
    """Say whether a mark ends from one pixel to the next across the beams, at most of its rims.

    It ends where its level falls to that of what lies around, or where things begin to move.
    """
    height = here.mean - np.median(here.mean[~own])
    peak = float(np.percentile(height[own], 90))
    core = own & (height >= _CORE_SHARE * peak)
    falls, begins = [], []
    for number, step in enumerate((1, -1)):
        rim = core & ~np.roll(core, step, axis=1)
        falls.append((here.mean[rim] - here.mean_beside[number][rim]) / max(peak, _RAISED))
        rim = own & ~np.roll(own, step, axis=1)
        more = here.spread_beside[number][rim] - here.spread[rim]
        begins.append(more / np.maximum(here.lively[rim], 1.0))
    if np.median(here.raised[own]) >= _RAISED and _median(falls) >= _SHARP:
        return True
    # Video codecs freeze small blocks of tissue, but no long line of it.
    rows, columns = np.nonzero(own)
    long = max(np.ptp(rows), np.ptp(columns)) + 1 >= _STILL_LONG_PX
    unchanged = long or np.median(here.spread[own]) <= _UNCHANGED
    moves = np.median(here.lively[own]) >= _MOVES_WELL
    return bool(unchanged and moves and _median(begins) >= _BEGINS)


def _median(parts: list[NDArray[Any]]) -> float:
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else 0.0


def _is_unlike(mark: Mask, others: Mask, here: _Levels) -> bool:
    """Say whether what lies around a mark moves, and more or lower than it, or is dark."""
    ring = ndimage.binary_dilation(mark, disk(2)) & others
    if not ring.any():
        return False
    own_spread, own_level = np.median(here.spread[mark]), np.median(here.mean[mark])
    spread, mean = here.spread[ring], here.mean[ring]
    moves = (spread > _LIVELIER * own_spread + 1.0) | (
        (spread >= _MOVES) & (mean < own_level - _LOWER)
    )
    return bool((moves | (mean < 0.5 * own_level)).mean() >= _UNLIKE)


def _wider(part: slice) -> slice:
    return slice(max(part.start - 4, 0), part.stop + 4)


# Whether a loop has colours of its own, or only those that a codec left in its greys.

_N_LEVELS = 16
_TINT = 3
"""Levels by which channels of a grey pixel may differ: JPEG rounds its colours."""

_AGREE = 0.7
_ENOUGH_SHARE = 0.005
_FLOW_SHARE = 0.005
_OFTEN = 0.2


class TintSurvey:
    """Looks at every frame for a colour map of the greys, and for areas of strong colour.

    A map gives nearly all pixels of one brightness the same colour; what a codec leaves has every
    hue, and a trace is few pixels of its brightness.

    Parameters
    ----------
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where to look.

    Examples
    --------
    >>> sector = np.ones((40, 50), np.bool_)
    >>> for map_ in ((1.0, 1.0, 1.0), (1.0, 0.9, 0.7)):
    ...     survey = TintSurvey(sector)
    ...     grey = np.random.default_rng(0).integers(0, 255, (40, 50, 1))
    ...     survey.look_at((grey * map_).astype(np.uint8), np.zeros((40, 50), np.bool_))
    ...     survey.has_colour
    False
    True
    """

    def __init__(self, sector: NDArray[np.bool_]) -> None:
        self._sector = sector
        self._n_frames = 0
        self._n = np.zeros(_N_LEVELS)
        self._apart = np.zeros((2, 2, _N_LEVELS))
        self._strong = np.zeros(sector.shape, np.uint16)

    def look_at(self, rgb: NDArray[np.uint8], printed: NDArray[np.bool_]) -> None:
        """Add one RGB frame; `printed` are its coloured lines, which have no say."""
        self._n_frames += 1
        seen = self._sector & ~printed
        self._strong += coloured(rgb) & seen
        level = (grey_of_rgb(rgb)[seen] // (256 // _N_LEVELS)).astype(np.intp)
        red, green, blue = (rgb[..., channel][seen].astype(np.int16) for channel in range(3))
        self._n += np.bincount(level, minlength=_N_LEVELS)
        for place, other in enumerate((red, blue)):
            for side, more in enumerate((other - green > _TINT, green - other > _TINT)):
                self._apart[place, side] += np.bincount(level[more], minlength=_N_LEVELS)

    @property
    def has_colour(self) -> bool:
        """Whether what was seen has colours of its own."""
        enough = self._n > _ENOUGH_SHARE * self._n.sum()
        agree = self._apart[..., enough] / self._n[enough]
        often = self._strong >= max(_OFTEN * self._n_frames, 1)
        flow = float(often[self._sector].mean()) if self._sector.any() else 0.0
        return bool((agree > _AGREE).any()) or flow > _FLOW_SHARE
