"""Speckle: what a pulse makes of point scatterers too many to be resolved.

Every scatterer keeps its place in the tissue and moves with it (Lagrangian), so that speckle moves
as tissue does, and decorrelates where tissue is deformed. The echo of a beam is the sum of all
scatterers under a point spread that is a Gaussian along the beam and one across it. That sum is
worked out in the polar domain, at baseband, in two steps: scatterers are put on a fine grid with
the phase that their range gives them, and the grid is filtered along and across the beams.

References
----------
Burckhardt, IEEE Trans Sonics Ultrason 1978;25:1-6 (Rayleigh statistics: mean over standard
deviation of the envelope is 1.91). Wagner, Smith, Sandrik, Lopez, ibid. 1983;30:156-163 (the
autocovariance of fully developed speckle). Meunier and Bertrand, IEEE Trans Med Imaging
1995;14:293-300 (speckle of moving tissue from a convolution model).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from cardio_ultrasound.simulation.sector import ScanConverter, Sector

_SIGMA = 1.0 / (2.0 * math.sqrt(2.0 * math.log(2.0)))
"""Standard deviation of a Gaussian of full width at half maximum 1."""

_SAMPLES_PER_WIDTH = 2.5
"""Grid steps per full width: the Gaussian's spectrum is then 4e-3 at the grid's limit."""

_AT_A_TIME = 8192
"""Scatterers handled together: what is worked out for them stays in the processor's cache."""

_MARGIN_WIDTHS = 1.25
"""Grid beyond the sector, in full widths. Scatterers lie up to one width beyond it; what wraps
around reaches the other edge from a width and a half away, where the Gaussian is 0.002."""


@dataclass(frozen=True)
class PointSpread:
    """How wide a point looks: full widths at half maximum of its envelope.

    Attributes
    ----------
    axial_mm : float
        Along the beam, at all ranges.
    lateral_deg : tuple of float
        Across the beam: at the focus, and `reach_mm` or more away from it.
    focus_mm, reach_mm : float
        Range of the focus, and the distance over which the beam widens linearly.
    wavelength_mm : float
        Of the carrier: .616 mm is 2.5 MHz at 1540 m/s.

    Examples
    --------
    >>> PointSpread().lateral_width_deg([80.0, 45.0, 0.0]).tolist()
    [1.5, 2.25, 3.0]
    """

    axial_mm: float = 0.6
    lateral_deg: tuple[float, float] = (1.5, 3.0)
    focus_mm: float = 80.0
    reach_mm: float = 70.0
    wavelength_mm: float = 0.616

    def lateral_width_deg(self, range_mm: ArrayLike) -> NDArray[np.float64]:
        """Return the full width across the beam in degrees at ranges in mm."""
        away = np.abs(np.asarray(range_mm, dtype=np.float64) - self.focus_mm) / self.reach_mm
        narrow, wide = self.lateral_deg
        return narrow + (wide - narrow) * np.minimum(away, 1.0)


def draw_scatterers(
    sector: Sector, spread: PointSpread, rng: np.random.Generator, *, per_cell: float = 10.0
) -> NDArray[np.float32]:
    """Draw the places of scatterers, equally many in every resolution cell.

    A cell is one full width long and one full width across. With ten scatterers in each, speckle
    is fully developed. Places reach a little beyond the sector, for tissue to move in.

    Parameters
    ----------
    sector : Sector
        Where.
    spread : PointSpread
        The resolution.
    rng : numpy.random.Generator
        The only source of chance.
    per_cell : float
        Mean number in a cell.

    Returns
    -------
    ndarray, shape (n, 2)
        x and z in mm.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.sector import Sector
    >>> sector, spread = Sector(depth_mm=100.0), PointSpread()
    >>> places = draw_scatterers(sector, spread, np.random.default_rng(0))
    >>> near = np.hypot(*places.T) < 30  # 50 cells along the beam
    >>> across = 2 * (36 + 3) / spread.lateral_width_deg(np.arange(0.5, 30)).mean()
    >>> bool(abs(near.sum() / (50 * across) - 10) < 0.5)
    True
    """
    reach_mm = sector.depth_mm + 5 * spread.axial_mm
    half_deg = sector.half_angle_deg + max(spread.lateral_deg)
    # Cells per mm of range fall where the beam is wide: draw the range by inverting their sum.
    edges = np.linspace(0.0, reach_mm, 512)
    middle = (edges[1:] + edges[:-1]) / 2
    cells = 2 * half_deg / spread.lateral_width_deg(middle) * np.diff(edges) / spread.axial_mm
    total = np.concatenate([[0.0], np.cumsum(cells)])
    n = round(per_cell * total[-1])
    # In order of range, so that neighbours in memory fall on neighbours of the grid.
    range_mm = np.interp(np.sort(rng.uniform(0.0, total[-1], n)), total, edges)
    angle = np.radians(rng.uniform(-half_deg, half_deg, n))
    places = np.stack([range_mm * np.sin(angle), range_mm * np.cos(angle)], axis=1)
    return places.astype(np.float32)


def advect(
    rest_mm: NDArray[np.float32], modes_mm: NDArray[np.float32], weights: ArrayLike
) -> Iterator[NDArray[np.float32]]:
    """Yield the scatterers' places frame by frame: rest plus weighted modes of motion.

    Parameters
    ----------
    rest_mm : ndarray, shape (n, 2)
        Places at rest.
    modes_mm : ndarray, shape (n_modes, n, 2)
        Displacement of every scatterer where a mode's weight is 1.
    weights : array_like, shape (n_frames, n_modes)
        The modes' courses.

    Examples
    --------
    >>> rest = np.zeros((1, 2), np.float32)
    >>> mode = np.array([[[3.0, 0.0]]], np.float32)
    >>> [place.tolist() for place in advect(rest, mode, [[0.0], [0.5]])]
    [[[0.0, 0.0]], [[1.5, 0.0]]]
    """
    flat = modes_mm.reshape(len(modes_mm), -1)
    for weight in np.asarray(weights, dtype=np.float32):
        yield rest_mm + (weight @ flat).reshape(rest_mm.shape)


class SpeckleImager:
    """The complex envelope of moving scatterers on a fixed polar grid.

    Parameters
    ----------
    sector : Sector
        The field of view.
    spread : PointSpread
        The resolution.

    Attributes
    ----------
    range_mm : ndarray, shape (n_ranges,)
        Ranges of the samples; the grid reaches beyond the sector by a margin.
    angle_deg : ndarray, shape (n_beams,)
        Angles of the beams.

    Notes
    -----
    Scatterers are shared out to the four nearest grid points; the triangle's variance (a sixth
    of a squared step) is taken off the filters, so that widths stay as stated. The filters are
    scaled so that n scatterers a resolution cell, of root mean square a, have the mean intensity
    n a² at all ranges.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.sector import Sector
    >>> imager = SpeckleImager(Sector(depth_mm=60.0), PointSpread())
    >>> point = imager.envelope(np.array([[0.0, 50.0]], np.float32), np.ones(1, np.float32))
    >>> row, column = np.unravel_index(np.abs(point).argmax(), point.shape)
    >>> bool(abs(imager.range_mm[row] - 50) < 0.2), bool(abs(imager.angle_deg[column]) < 0.5)
    (True, True)
    """

    def __init__(self, sector: Sector, spread: PointSpread) -> None:
        step_mm = spread.axial_mm / _SAMPLES_PER_WIDTH
        step_deg = spread.lateral_deg[0] / _SAMPLES_PER_WIDTH
        self.range_mm = _axis(0.0, sector.depth_mm, step_mm, _MARGIN_WIDTHS * spread.axial_mm)
        half = sector.half_angle_deg
        self.angle_deg = _axis(-half, half, step_deg, _MARGIN_WIDTHS * max(spread.lateral_deg))
        self._wavenumber = np.float32(4.0 * np.pi / spread.wavelength_mm)
        self._first_mm, self._per_mm = np.float32(self.range_mm[0]), np.float32(1.0 / step_mm)
        self._first_rad = np.float32(np.radians(self.angle_deg[0]))
        self._per_rad = np.float32(1.0 / np.radians(step_deg))
        along = _transfer(np.array([spread.axial_mm]), step_mm, self.range_mm.size)
        self._along = along.T.copy()
        across_deg = spread.lateral_width_deg(self.range_mm)
        self._across = _transfer(across_deg, step_deg, self.angle_deg.size)

    def envelope(
        self, position_mm: NDArray[np.float32], amplitude: NDArray[np.float32]
    ) -> NDArray[np.complex64]:
        """Return the complex envelope at one moment.

        `position_mm`, shape (n, 2), has x and z of the scatterers, those outside the grid do not
        count; `amplitude`, shape (n,), their reflectivity, of either sign. The magnitude of what is
        returned, shape (n_ranges, n_beams), is what a scanner shows.
        """
        grid = self._gridded(position_mm, amplitude)
        grid = fft.ifft(fft.fft(grid, axis=0) * self._along, axis=0)
        filtered: NDArray[np.complex64] = fft.ifft(fft.fft(grid, axis=1) * self._across, axis=1)
        return filtered

    def _gridded(
        self, position_mm: NDArray[np.float32], amplitude: NDArray[np.float32]
    ) -> NDArray[np.complex64]:
        """Share the scatterers, with their phases, out to the grid."""
        n_cells = self.range_mm.size * self.angle_deg.size
        total = np.zeros((2, n_cells))
        for start in range(0, len(amplitude), _AT_A_TIME):
            part = slice(start, start + _AT_A_TIME)
            self._share_out(position_mm[part], amplitude[part], total)
        grid = np.empty(n_cells, np.complex64)
        grid.real, grid.imag = total
        return grid.reshape(self.range_mm.size, self.angle_deg.size)

    def _share_out(
        self,
        position_mm: NDArray[np.float32],
        amplitude: NDArray[np.float32],
        total: NDArray[np.float64],
    ) -> None:
        """Add a few scatterers to the grid's real and imaginary parts."""
        x, z = position_mm.T.copy()
        range_mm = np.sqrt(x * x + z * z)
        row = (range_mm - self._first_mm) * self._per_mm
        column = (np.arctan2(x, z) - self._first_rad) * self._per_rad
        n_rows, n_columns = self.range_mm.size, self.angle_deg.size
        inside = (row >= 0) & (row < n_rows - 2) & (column >= 0) & (column < n_columns - 2)
        row, column, range_mm = row[inside], column[inside], range_mm[inside]
        if not row.size:
            return
        above, left = row.astype(np.intp), column.astype(np.intp)
        down, right = row - above, column - left
        corner = above * n_columns + left
        first = int(corner.min())
        corner -= first
        strength, phase = amplitude[inside], range_mm * self._wavenumber
        for grid, part in zip(total, (np.cos(phase), -np.sin(phase)), strict=True):
            # bincount is several times faster on what it need not convert to float64.
            value = (strength * part).astype(np.float64)
            far = value * down
            for begin, share in ((first, value - far), (first + n_columns, far)):
                neighbour = share * right
                _add(grid, begin, corner, share - neighbour)
                _add(grid, begin + 1, corner, neighbour)


def _add(
    grid: NDArray[np.float64], begin: int, place: NDArray[np.intp], value: NDArray[np.float64]
) -> None:
    """Add values to the places of a grid from `begin` on."""
    summed = np.bincount(place, value)
    grid[begin : begin + summed.size] += summed


def _axis(low: float, high: float, step: float, margin: float) -> NDArray[np.float64]:
    """Return an axis from below `low` to above `high`, of a length that suits the FFT."""
    n = fft.next_fast_len(math.ceil((high - low + 2 * margin) / step) + 1)
    axis: NDArray[np.float64] = (low + high) / 2 + (np.arange(n) - (n - 1) / 2) * step
    return axis


def _transfer(width: NDArray[np.float64], step: float, n: int) -> NDArray[np.float32]:
    """Return the transfer functions of Gaussians, shape (n_widths, n).

    The energy of a Gaussian is its full width in steps: density times energy is then the number
    in a resolution cell, whatever the width. What is returned is narrower by the triangle that
    scatterers are shared out with, so that both together make the Gaussian.
    """
    steps = width[:, None] / step
    squared = (2 * np.pi * fft.fftfreq(n)) ** 2
    energy = np.exp(-((steps * _SIGMA) ** 2) * squared).mean(axis=1, keepdims=True)
    transfer = np.exp(-0.5 * ((steps * _SIGMA) ** 2 - 1.0 / 6.0) * squared)
    return np.asarray(transfer * np.sqrt(steps / energy), dtype=np.float32)


# From a complex envelope to grey levels: what the body and the scanner do to an echo.
#
# Attenuation with its time-gain compensation, shadows in which beams drop out, reverberation
# before the heart, noise that the compensation lifts with depth, and log compression.

_SOUND_MM_PER_US = 1.54
_N_SLIDERS = 8
_EDGE_DEG = 1.0
_SILENCE = 1e-6


@dataclass(frozen=True)
class Shadow:
    """A broad shadow at a place that is known: of a rib or of lung, over a wall.

    Attributes
    ----------
    middle_deg, width_deg : float
        Its middle, right positive, and the standard deviation of its Gaussian across the beams.
    begins_mm : float
        From which range on.
    loss_db : float
        What it takes away in its middle.
    """

    middle_deg: float
    width_deg: float = 4.0
    begins_mm: float = 20.0
    loss_db: float = 16.0

    def lost_db(
        self, range_mm: NDArray[np.float64], angle_deg: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return what is lost, shape (n_ranges, n_beams).

        Examples
        --------
        >>> Shadow(20.0).lost_db(np.array([0.0, 80.0]), np.array([20.0])).round(1).tolist()
        [[0.1], [16.0]]
        """
        across = np.exp(-0.5 * ((angle_deg - self.middle_deg) / self.width_deg) ** 2)
        along = 1.0 / (1.0 + np.exp(-(range_mm - self.begins_mm) / 4.0))
        return np.asarray(self.loss_db * along[:, None] * across)


@dataclass(frozen=True)
class Look:
    """How a loop looks; levels are in dB, 0 dB being myocardium of `per_cell` unit scatterers.

    Attributes
    ----------
    dynamic_range_db : float
        From black to white.
    white_db : float
        The level shown white.
    contrast : float
        Slope of grey levels around those of myocardium; below 1 the picture is flat.
    attenuation_db : float
        One way, per cm and MHz.
    slider_error_db : float
        Standard deviation of the time-gain compensation's eight sliders around what is right.
    noise_db : float
        Noise at the bottom of the sector, where it is lifted most.
    haze_db, haze_mm : float
        Reverberation before the heart: its level at the tip, and the range over which it falls to
        1/e. It does not move.
    echoes_db : float
        Level of reverberation arcs, equidistant in range; they do not move.
    n_dropouts, dropout_db : int, float
        Shadows and how much they take away, away from the middle 20 degrees of the sector.
    per_cell : float
        Scatterers in a resolution cell.
    shadow : Shadow, optional
        One more shadow, where it is wanted.
    """

    dynamic_range_db: float = 55.0
    white_db: float = 18.0
    contrast: float = 1.0
    attenuation_db: float = 0.5
    slider_error_db: float = 1.0
    noise_db: float = -32.0
    haze_db: float = 2.0
    haze_mm: float = 7.0
    echoes_db: float = -24.0
    n_dropouts: int = 1
    dropout_db: float = 14.0
    per_cell: float = 10.0
    shadow: Shadow | None = None


class Appearance:
    """Turn complex envelopes into grey levels; all that is drawn is drawn once, for a whole loop.

    `rng` draws the sliders, the shadows, the haze and the noise.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.sector import Sector
    >>> from cardio_ultrasound.simulation.b_mode import PointSpread, SpeckleImager
    >>> sector, spread = Sector(depth_mm=60.0), PointSpread()
    >>> imager = SpeckleImager(sector, spread)
    >>> show = Appearance(Look(), sector, spread, imager, np.random.default_rng(0))
    >>> quiet = show(np.zeros((imager.range_mm.size, imager.angle_deg.size), np.complex64))
    >>> quiet.dtype.name, bool(quiet.max() <= 255)
    ('float32', True)
    """

    def __init__(
        self,
        look: Look,
        sector: Sector,
        spread: PointSpread,
        imager: SpeckleImager,
        rng: np.random.Generator,
    ) -> None:
        self.look = look
        self._rng = rng
        tgc_db = attenuation_db(look, spread, imager.range_mm)
        errors = rng.normal(0.0, look.slider_error_db, _N_SLIDERS)
        sliders = np.linspace(0.0, sector.depth_mm, _N_SLIDERS)
        slips_db = np.interp(imager.range_mm, sliders, errors)
        self._gain = _level(slips_db[:, None] - _shadows_db(look, sector, imager, rng))
        self._noise_level = _level(look.noise_db + tgc_db - tgc_db.max() + slips_db)[:, None]
        self._still = self._reverberation(sector, spread, imager, rng)
        # One field of noise, cut out elsewhere for every frame, is as good as new and much faster.
        size = (2 * imager.range_mm.size, 2 * imager.angle_deg.size, 2)
        noise = rng.standard_normal(size, dtype=np.float32)
        self._noise: NDArray[np.complex64] = noise.view(np.complex64)[..., 0]

    def __call__(
        self, envelope: NDArray[np.complex64], gain_db: float = 0.0
    ) -> NDArray[np.float32]:
        """Return grey levels from 0 to 255, shaped as the envelope (n_ranges, n_beams).

        `gain_db` is what the gain is turned up by, echoes and noise alike.
        """
        n_ranges, n_beams = envelope.shape
        down, right = self._rng.integers(0, (n_ranges, n_beams))
        noise = self._noise[down : down + n_ranges, right : right + n_beams]
        seen = (envelope + self._still) * self._gain + noise * self._noise_level
        magnitude = np.abs(seen)
        if gain_db:
            magnitude *= _level(gain_db)
        return grey(magnitude, self.look)

    def _reverberation(
        self, sector: Sector, spread: PointSpread, imager: SpeckleImager, rng: np.random.Generator
    ) -> NDArray[np.complex64]:
        """Return what is in every frame at the same place."""
        look = self.look
        places = draw_scatterers(sector, spread, rng, per_cell=look.per_cell)
        range_mm = np.hypot(*places.T)
        haze = _level(look.haze_db) * np.exp(-range_mm / look.haze_mm)
        between_mm = rng.uniform(22.0, 34.0)
        away_mm = np.abs((range_mm / between_mm + 0.5) % 1.0 - 0.5) * between_mm
        arcs = _level(look.echoes_db) * np.exp(-((away_mm / 1.2) ** 2) - range_mm / 80.0)
        return imager.envelope(places, (haze + arcs).astype(np.float32))


def grey(magnitude: NDArray[np.float32], look: Look) -> NDArray[np.float32]:
    """Compress magnitudes to grey levels from 0 to 255.

    Examples
    --------
    >>> myocardium = np.full(1, np.sqrt(10.0), np.float32)  # 0 dB: 18 dB below white, of 55
    >>> grey(myocardium, Look()).round().tolist()
    [172.0]
    """
    of_tissue = 20.0 * np.log10(np.maximum(magnitude, np.float32(_SILENCE))) - 10.0 * np.log10(
        np.float32(look.per_cell)
    )
    slope = 255.0 / look.dynamic_range_db
    shown = slope * (look.dynamic_range_db - look.white_db + look.contrast * of_tissue)
    return np.asarray(np.clip(shown, 0.0, 255.0), dtype=np.float32)


def attenuation_db(
    look: Look, spread: PointSpread, range_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the loss there and back in dB, which the right compensation gives back.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.b_mode import PointSpread
    >>> attenuation_db(Look(), PointSpread(), np.array([100.0])).tolist()  # .5 · 2.5 MHz · 20 cm
    [25.0]
    """
    frequency_mhz = _SOUND_MM_PER_US / spread.wavelength_mm
    loss: NDArray[np.float64] = look.attenuation_db * frequency_mhz * 2 * range_mm / 10.0
    return loss


def _shadows_db(
    look: Look, sector: Sector, imager: SpeckleImager, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return what the sector's edges and shadows take away, shape (n_ranges, n_beams)."""
    inside_deg = sector.half_angle_deg - np.abs(imager.angle_deg)
    lost = np.broadcast_to(
        12.0 * np.exp(-np.maximum(inside_deg, 0.0) / _EDGE_DEG),
        (imager.range_mm.size, imager.angle_deg.size),
    ).copy()
    for _ in range(look.n_dropouts):
        middle = rng.choice([-1.0, 1.0]) * rng.uniform(15.0, max(sector.half_angle_deg, 16.0))
        width, begins_mm = rng.uniform(1.5, 3.5), rng.uniform(10.0, 50.0)
        drawn = Shadow(middle, width, begins_mm, look.dropout_db)
        lost += drawn.lost_db(imager.range_mm, imager.angle_deg)
    if look.shadow is not None:
        lost += look.shadow.lost_db(imager.range_mm, imager.angle_deg)
    return lost


def _level(decibel: NDArray[np.float64] | float) -> NDArray[np.float32]:
    return np.asarray(10.0 ** (np.asarray(decibel) / 20.0), dtype=np.float32)


# A loop of B-mode frames from scatterers that move.


class EchoScanner:
    """A scanner: it looks at scatterers at one moment after another.

    Parameters
    ----------
    sector : Sector
        The field of view, and the picture that it is shown in.
    rng : numpy.random.Generator
        The only source of chance of what is not in the scatterers: noise, shadows, reverberation.
    spread : PointSpread, optional
        The resolution.
    look : Look, optional
        Levels, noise and artefacts.

    Attributes
    ----------
    range_mm, angle_deg : ndarray
        The grid of beams, which reaches a little beyond the sector.

    Examples
    --------
    >>> from cardio_ultrasound.simulation.sector import Sector
    >>> from cardio_ultrasound.simulation.b_mode import draw_scatterers
    >>> sector = Sector(depth_mm=60.0, n_rows=110, n_columns=128)
    >>> rng = np.random.default_rng(0)
    >>> places = draw_scatterers(sector, PointSpread(), rng)
    >>> scanner = EchoScanner(sector, rng)
    >>> frames = scanner.frames([places, places + 1], np.ones(len(places), np.float32))
    >>> frames.shape, frames.dtype.name
    ((2, 110, 128), 'uint8')
    """

    def __init__(
        self,
        sector: Sector,
        rng: np.random.Generator,
        *,
        spread: PointSpread | None = None,
        look: Look | None = None,
    ) -> None:
        self.sector, self.spread, self.look = sector, spread or PointSpread(), look or Look()
        self._imager = SpeckleImager(sector, self.spread)
        self._show = Appearance(self.look, sector, self.spread, self._imager, rng)
        self.range_mm, self.angle_deg = self._imager.range_mm, self._imager.angle_deg
        self._convert = ScanConverter(sector, self.range_mm, self.angle_deg)

    def beams(
        self,
        positions_mm: Iterable[NDArray[np.float32]],
        amplitude: NDArray[np.float32] | Sequence[NDArray[np.float32]],
        *,
        gain_db: ArrayLike = 0.0,
    ) -> Iterator[NDArray[np.float32]]:
        """Yield log-compressed beams of every moment, before scan conversion.

        Parameters
        ----------
        positions_mm : iterable of ndarray, shape (n, 2)
            Places of the scatterers, a moment each: see `advect`.
        amplitude : ndarray, shape (n,), or a list of them, one a moment
            Their reflectivity; 1 makes myocardium.
        gain_db : float or array_like, shape (n_moments,)
            What the gain is turned up by.

        Yields
        ------
        ndarray, shape (n_ranges, n_beams)
            Grey levels from 0 to 255.
        """
        strengths = repeat(amplitude) if isinstance(amplitude, np.ndarray) else iter(amplitude)
        turned = np.asarray(gain_db, dtype=np.float64)
        gains = repeat(float(turned)) if turned.ndim == 0 else iter(turned.tolist())
        for place, strength, gain in zip(positions_mm, strengths, gains, strict=False):
            yield self._show(self._imager.envelope(place, strength), gain)

    def frames(
        self,
        positions_mm: Iterable[NDArray[np.float32]],
        amplitude: NDArray[np.float32] | Sequence[NDArray[np.float32]],
        *,
        gain_db: ArrayLike = 0.0,
    ) -> NDArray[np.uint8]:
        """Return the pictures of every moment; arguments as for `beams`.

        Returns
        -------
        ndarray, shape (n_frames, n_rows, n_columns), uint8
            0 outside the sector.
        """
        beams = self.beams(positions_mm, amplitude, gain_db=gain_db)
        return np.stack([np.rint(self._convert(beam)).astype(np.uint8) for beam in beams])
