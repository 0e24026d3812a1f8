"""From a complex envelope to grey levels: what the body and the scanner do to an echo.

Attenuation with its time-gain compensation, shadows in which beams drop out, reverberation before
the heart, noise that the compensation lifts with depth, and log compression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.phantoms.sector import Sector
from cardio_core.ultrasound.phantoms.speckle import PointSpread, SpeckleImager, draw_scatterers

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
    >>> from cardio_core.ultrasound.phantoms.sector import Sector
    >>> from cardio_core.ultrasound.phantoms.speckle import PointSpread, SpeckleImager
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
    >>> from cardio_core.ultrasound.phantoms.speckle import PointSpread
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
