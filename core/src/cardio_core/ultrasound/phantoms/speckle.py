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
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from cardio_core.ultrasound.phantoms.sector import Sector

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
    >>> from cardio_core.ultrasound.phantoms.sector import Sector
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
    >>> from cardio_core.ultrasound.phantoms.sector import Sector
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
                beside = share * right
                _add(grid, begin, corner, share - beside)
                _add(grid, begin + 1, corner, beside)


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
