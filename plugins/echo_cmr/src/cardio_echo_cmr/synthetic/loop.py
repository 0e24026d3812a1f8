"""Loops of a view: speckle of scatterers that move with the tissue."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_echo_cmr.segments import Geometry
from cardio_echo_cmr.synthetic.heart import (
    BLOOD_DB,
    Ventricle,
    leaflets,
    reflectivity_db,
)
from cardio_ultrasound import (
    LEAFLET_DB,
    Conditions,
    EchoScanner,
    Look,
    PointSpread,
    Sector,
    advect,
    bump,
    draw_scatterers,
    gaussian_waves,
    glance_db,
    recorded,
    rise,
    thinned,
)

SYSTOLE_ENDS = 0.35
"""Where motion is at its most."""

_KICK = 0.06


@dataclass(frozen=True)
class Beat:
    """The clock of a loop.

    Attributes
    ----------
    hr_bpm : float
        Heart rate.
    first_r_ms : float
        From the first frame to the first R peak.
    """

    hr_bpm: float
    first_r_ms: float = 0.0

    @property
    def rr_ms(self) -> float:
        """Interval from one R peak to the next."""
        return 60_000.0 / self.hr_bpm

    def phase(self, time_ms: ArrayLike) -> NDArray[np.float64]:
        """Return the phase, 0 at an R peak and below 1.

        Examples
        --------
        >>> Beat(60.0, 100.0).phase([100.0, 600.0, 0.0]).tolist()
        [0.0, 0.5, 0.9]
        """
        since = np.asarray(time_ms, dtype=np.float64) - self.first_r_ms
        return np.asarray(np.mod(since, self.rr_ms) / self.rr_ms)

    def r_times_ms(self, length_ms: float) -> list[float]:
        """Return the R peaks of a loop of a length, from its first frame."""
        first = self.first_r_ms % self.rr_ms
        return [float(time) for time in np.arange(first, length_ms, self.rr_ms)]


def contraction(phase: ArrayLike) -> NDArray[np.float64]:
    """Return the course of systole: 0, 1 at its end, back to 0, a little below in atrial systole.

    Examples
    --------
    >>> contraction([0.0, 0.35, 0.7]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    at = np.asarray(phase, dtype=np.float64)
    course = rise(at, 0.02, SYSTOLE_ENDS) - rise(at, SYSTOLE_ENDS + 0.02, 0.62)
    return np.asarray(course - _KICK * bump(at, 0.82, 1.0))


def inflow(phase: ArrayLike) -> NDArray[np.float64]:
    """Return how far the mitral and tricuspid valves are open: E wave, diastasis and A wave."""
    at = np.asarray(phase, dtype=np.float64)
    between = 0.35 * rise(at, 0.44, 0.5) * (1.0 - rise(at, 0.94, 1.0))
    waves = np.maximum(bump(at, 0.42, 0.64), 0.8 * bump(at, 0.80, 1.0))
    return np.maximum(waves, between)


def outflow(phase: ArrayLike) -> NDArray[np.float64]:
    """Return how far the aortic valve is open."""
    at = np.asarray(phase, dtype=np.float64)
    return rise(at, 0.05, 0.09) - rise(at, 0.34, 0.38)


def ecg_mv(phase: ArrayLike) -> NDArray[np.float64]:
    """Return a plain ECG: P wave, QRS complex and T wave as Gaussians."""
    at = np.asarray(phase, dtype=np.float64)
    waves = ((0.12, -0.16, 0.025), (-0.1, -0.025, 0.008), (1.0, 0.0, 0.01), (-0.2, 0.026, 0.01),
             (0.28, 0.3, 0.045))  # fmt: skip
    return gaussian_waves(at, waves, 1.0)


SPREAD = PointSpread(axial_mm=0.6, lateral_deg=(2.0, 3.0))
"""Coarse within what a cardiac probe does: half of the time goes into beams and scatterers."""

N_ROWS, N_COLUMNS = 216, 232
"""Size of every picture: the sector, text beside its tip, and an ECG trace below it."""

_RADIUS_PX, _TIP_ROW = 176, 10.0
_BREATH_S, _KEPT = 4.0, 0.1


def sector_of(depth_mm: float, half_angle_deg: float) -> Sector:
    """Return the field of view, which fills the same part of the picture at every depth.

    Examples
    --------
    >>> sector_of(150.0, 40.0).fits()
    True
    """
    return Sector(
        depth_mm=depth_mm,
        half_angle_deg=half_angle_deg,
        n_rows=N_ROWS,
        n_columns=N_COLUMNS,
        spacing_mm=depth_mm / _RADIUS_PX,
        apex_row=_TIP_ROW,
    )


@dataclass(frozen=True)
class LoopSpec:
    """One recording.

    Attributes
    ----------
    geometry : Geometry
        How the heart lies.
    ventricle : Ventricle
        What its segments do; its wall is that of the geometry.
    beat : Beat
        Its clock.
    sector : Sector
        The field of view.
    rate_hz : float
        Frames a second.
    n_frames : int
        How many.
    breath_mm, breath_rad : float
        How far breathing moves the heart up and down, and where in a breath the loop begins.
    look : Look
        Gain, noise and artefacts.
    held : Conditions, optional
        What a clean phantom lacks; geometry, sector and look have theirs of it already.
    """

    geometry: Geometry
    ventricle: Ventricle
    beat: Beat
    sector: Sector
    rate_hz: float = 40.0
    n_frames: int = 44
    breath_mm: float = 0.5
    breath_rad: float = 0.0
    look: Look = field(default_factory=Look)
    held: Conditions | None = None

    @property
    def time_ms(self) -> NDArray[np.float64]:
        """Times of the frames from the first, shape (n_frames,)."""
        return np.asarray(np.arange(self.n_frames) * (1000.0 / self.rate_hz), np.float64)

    def weights(self) -> NDArray[np.float64]:
        """Return the courses of systole, breath, inflow and outflow, shape (n_frames, 4)."""
        phase = self.beat.phase(self.time_ms)
        turn = 2 * np.pi * self.time_ms / (1000.0 * _BREATH_S) + self.breath_rad
        breath = self.breath_mm * np.sin(turn)
        return np.stack([contraction(phase), breath, inflow(phase), outflow(phase)], axis=1)


def echo_loop(spec: LoopSpec, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the frames of a recording.

    Parameters
    ----------
    spec : LoopSpec
        What is recorded.
    rng : numpy.random.Generator
        Draws scatterers, noise and artefacts.

    Returns
    -------
    ndarray, shape (n_frames, 216, 232), uint8
        B-mode frames, 0 outside the sector.
    """
    tissue_rng, leaflet_rng, scanner_rng = rng.spawn(3)
    geometry, ventricle = spec.geometry, spec.ventricle
    # Ten in a cell of the finest speckle; those of blood are thinned out, see `thinned`.
    body = draw_scatterers(spec.sector, SPREAD, tissue_rng, per_cell=spec.look.per_cell)
    heart = geometry.to_heart(body)
    level = reflectivity_db(ventricle, heart)
    blood_db = BLOOD_DB if spec.held is None else spec.held.blood_db
    blood = level <= BLOOD_DB
    level = np.where(blood, blood_db, level)
    heart, level = thinned(heart, level, blood, _KEPT, tissue_rng)
    place = ventricle.wall.place(heart)
    across = ventricle.across(place)
    in_wall = (across >= 0) & (across <= 1)
    level += glance_db(geometry.to_body(heart), geometry.turn(place.inward), in_wall)
    strands = leaflets(ventricle.wall, leaflet_rng)
    still = np.zeros_like(heart)
    opens = [np.concatenate([still, part]) for part in (strands.inflow_mm, strands.outflow_mm)]
    heart = np.concatenate([heart, strands.heart_mm])
    level = np.concatenate([level, np.full(len(strands.heart_mm), LEAFLET_DB)])
    systole = geometry.turn(ventricle.systole(heart))
    breath = np.broadcast_to([0.0, 1.0], systole.shape)
    modes = np.stack([systole, breath, *(geometry.turn(part) for part in opens)])
    rest = geometry.to_body(heart).astype(np.float32)
    amplitude = (10.0 ** (level / 20.0)).astype(np.float32)
    scanner = EchoScanner(spec.sector, scanner_rng, spread=SPREAD, look=spec.look)
    weights = spec.weights()
    places = advect(rest, modes.astype(np.float32), weights)
    return recorded(
        scanner,
        places,
        amplitude,
        spec.held,
        rng,
        systole=weights[:, 0],
        beats=spec.time_ms / spec.beat.rr_ms,
        time_s=spec.time_ms / 1000.0,
    )
