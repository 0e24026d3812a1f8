"""A loop of B-mode frames from scatterers that move."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_core.ultrasound.phantoms.appearance import Appearance, Look
from cardio_core.ultrasound.phantoms.sector import ScanConverter, Sector
from cardio_core.ultrasound.phantoms.speckle import PointSpread, SpeckleImager


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
    >>> from cardio_core.ultrasound.phantoms.sector import Sector
    >>> from cardio_core.ultrasound.phantoms.speckle import draw_scatterers
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


def echo_frames(
    positions_mm: Iterable[NDArray[np.float32]],
    amplitude: NDArray[np.float32],
    sector: Sector,
    rng: np.random.Generator,
    *,
    spread: PointSpread | None = None,
    look: Look | None = None,
) -> NDArray[np.uint8]:
    """Return a loop of B-mode frames, shape (n_frames, n_rows, n_columns): see `EchoScanner`."""
    return EchoScanner(sector, rng, spread=spread, look=look).frames(positions_mm, amplitude)
