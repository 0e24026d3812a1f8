"""The phantom: a loop of an apical four-chamber view whose septal motion is known.

Speckle is that of point scatterers which move with the tissue
(`cardio_ultrasound.EchoScanner`); the wall's places come from `anatomy`, their motion from
`beat` and `motion`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_mmode_septal_flash.synthetic.anatomy import (
    CLEAR_BLOOD_DB,
    MMODE_POINT,
    MODES,
    MURKY_BLOOD_DB,
    Anatomy,
    leaflets,
    pacing_lead,
    reflectivity_db,
    tissue_modes,
)
from cardio_ultrasound import (
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
    mirrored_px,
    recorded,
    rise,
    thinned,
)

_MITRAL_OPENS_AFTER_MS = 75.0
_FALL_MS = 240.0


@dataclass(frozen=True)
class Beat:
    """The clock of a beat.

    Attributes
    ----------
    hr_bpm : float
        Heart rate.
    mvc_ms, avo_ms : float
        Mitral valve closure and aortic valve opening.
    """

    hr_bpm: float
    mvc_ms: float
    avo_ms: float

    @property
    def rr_ms(self) -> float:
        """Interval from one R peak to the next."""
        return 60_000.0 / self.hr_bpm

    @property
    def avc_ms(self) -> float:
        """Aortic valve closure, by Weissler's regression.

        Examples
        --------
        >>> Beat(70.0, 35.0, 110.0).avc_ms
        399.0
        """
        return 546.0 - 2.1 * self.hr_bpm

    def since_r(self, time_ms: ArrayLike, first_r_ms: float) -> NDArray[np.float64]:
        """Return the time since the last R peak, R peaks being equally spaced.

        Examples
        --------
        >>> Beat(60.0, 35.0, 110.0).since_r([0.0, 40.0, 1050.0], first_r_ms=40.0).tolist()
        [960.0, 0.0, 10.0]
        """
        return np.mod(np.asarray(time_ms, dtype=np.float64) - first_r_ms, self.rr_ms)

    def mitral_opening(self, since_r_ms: ArrayLike) -> NDArray[np.float64]:
        """Return how far the mitral leaflets are open, 0 to 1: E wave, diastasis and A wave."""
        t, rr = np.asarray(since_r_ms, dtype=np.float64), self.rr_ms
        opens = min(self.avc_ms + _MITRAL_OPENS_AFTER_MS, 0.85 * rr)
        e_wave = bump(t, opens, min(opens + 200.0, rr + self.mvc_ms))
        early, late = rr - 130.0, rr + self.mvc_ms
        a_wave = 0.8 * np.maximum(bump(t, early, late), bump(t + rr, early, late))
        between = 0.35 * rise(t, opens, opens + 60.0) * (1.0 - rise(t, rr - 20.0, rr))
        return np.maximum(np.maximum(e_wave, a_wave), between)

    def atrial_kick(self, since_r_ms: ArrayLike) -> NDArray[np.float64]:
        """Return the course of the base's pull towards the atria before the R peak, 0 to 1."""
        t = np.asarray(since_r_ms, dtype=np.float64)
        return bump(t, max(self.rr_ms - 170.0, 0.75 * self.rr_ms), self.rr_ms)

    def contraction(self, since_r_ms: ArrayLike, onset_ms: float) -> NDArray[np.float64]:
        """Return the course of systolic motion: 0, monotone to 1 at valve closure, back to 0."""
        t = np.asarray(since_r_ms, dtype=np.float64)
        back = min(self.avc_ms + _FALL_MS, self.rr_ms - 5.0)
        return rise(t, onset_ms, self.avc_ms) - rise(t, self.avc_ms, back)


@dataclass(frozen=True)
class SeptalMotion:
    """What the septum does, at the point where the M-mode's line crosses it.

    Attributes
    ----------
    flash_mm : float
        Inward excursion of the septal flash; 0 is none.
    onset_ms, duration_ms : float
        When it begins, and how long it takes in and out.
    rebound_mm : float
        Outward excursion from its end to aortic valve closure.
    systolic_mm, systolic_onset_ms : float
        Monotone inward motion until aortic valve closure, and when it begins.
    """

    flash_mm: float
    onset_ms: float
    duration_ms: float
    rebound_mm: float
    systolic_mm: float
    systolic_onset_ms: float

    @property
    def end_ms(self) -> float:
        """When the flash is over."""
        return self.onset_ms + self.duration_ms

    def inward_mm(self, since_r_ms: ArrayLike, beat: Beat) -> NDArray[np.float64]:
        """Return the inward displacement in mm at times since the R peak.

        Examples
        --------
        >>> flash = SeptalMotion(4.0, 20.0, 80.0, 1.5, 0.0, 30.0)
        >>> beat = Beat(70.0, 35.0, 110.0)  # aortic valve closure at 399 ms
        >>> flash.inward_mm([0.0, 60.0, 100.0, 249.5, 399.0], beat).round(3).tolist()
        [0.0, 4.0, 0.0, -1.5, 0.0]
        """
        t = np.asarray(since_r_ms, dtype=np.float64)
        return (
            self.flash_mm * bump(t, self.onset_ms, self.end_ms)
            - self.rebound_mm * bump(t, self.end_ms, beat.avc_ms)
            + self.systolic_mm * beat.contraction(t, self.systolic_onset_ms)
        )


def ecg_mv(since_r_ms: ArrayLike, beat: Beat) -> NDArray[np.float64]:
    """Return a plain ECG: P wave, QRS complex and T wave as Gaussians."""
    t = np.asarray(since_r_ms, dtype=np.float64)
    waves = (
        (0.12, -150.0, 22.0), (-0.1, -22.0, 7.0), (1.0, 0.0, 9.0), (-0.2, 24.0, 9.0),
        (0.28, 0.68 * beat.avc_ms, 42.0),
    )  # fmt: skip
    return gaussian_waves(t, waves, beat.rr_ms)


SECTOR = Sector(depth_mm=130.0, half_angle_deg=36.0, n_rows=256, n_columns=272, spacing_mm=0.58)
"""Field of view of a clean loop, with room below for an ECG trace."""

_TANGENT = (9, 19)
"""Points 10 and 20, counted from 1, between which the septum's tangent is taken."""

_KICK = 0.25
"""Pull of the atria on the base, as a share of its systolic motion."""

_BREATH_S = 4.0

_CLEAR_DB, _KEPT = -35.0, 0.25


@dataclass(frozen=True)
class LoopSpec:
    """One recording.

    Attributes
    ----------
    anatomy : Anatomy
        The heart.
    beat : Beat
        Its clock.
    septum : SeptalMotion
        What its septum does.
    rate_hz : float
        Frames a second.
    n_beats : int
        Whole beats, from R peak to R peak; all alike.
    more_beats : tuple of (Beat, SeptalMotion)
        In place of `n_beats`, beats after the first that are not like it: each with its own clock
        and its own flash, an ectopic one among them if need be.
    lead_in_ms : float
        From the first frame to the first R peak.
    lateral_mm, lateral_onset_ms : float
        Inward motion of the lateral wall in systole, and when it begins.
    base_mm : float
        How far the base comes towards the apex.
    rv_mm : float
        Inward motion of the right ventricle's free wall.
    breath_mm, breath_rad : float
        How far breathing moves the heart up and down, and where in a breath the loop begins.
    murky : bool
        Low contrast: blood nearly as bright as wall, and a flat picture.
    lead : bool
        Whether a pacing lead lies in the right heart.
    held : Conditions, optional
        How the probe is held and what the picture suffers; without them the phantom is clean.
    """

    anatomy: Anatomy
    beat: Beat
    septum: SeptalMotion
    rate_hz: float = 60.0
    n_beats: int = 1
    more_beats: tuple[tuple[Beat, SeptalMotion], ...] = ()
    lead_in_ms: float = 40.0
    lateral_mm: float = 6.0
    lateral_onset_ms: float = 40.0
    base_mm: float = 7.0
    rv_mm: float = 4.0
    breath_mm: float = 1.0
    breath_rad: float = 0.0
    murky: bool = False
    lead: bool = False
    held: Conditions | None = None

    @property
    def heart(self) -> Anatomy:
        """The heart as the plane of the picture cuts it."""
        if self.held is None:
            return self.anatomy
        return replace(
            self.anatomy,
            length_mm=self.held.foreshortening * self.anatomy.length_mm,
            tilt_deg=self.anatomy.tilt_deg + self.held.turned_deg,
        )

    @property
    def sector(self) -> Sector:
        """The field of view: the same pixels, of another size where the depth is another."""
        depth = 1.0 if self.held is None else self.held.depth
        return replace(
            SECTOR, depth_mm=depth * SECTOR.depth_mm, spacing_mm=depth * SECTOR.spacing_mm
        )

    @property
    def blood_db(self) -> float:
        """Level of blood."""
        if self.held is not None:
            return self.held.blood_db
        return MURKY_BLOOD_DB if self.murky else CLEAR_BLOOD_DB

    @property
    def look(self) -> Look:
        """Gain, contrast, noise and artefacts."""
        if self.held is not None:
            return self.held.look
        return Look(contrast=0.75, noise_db=-24.0, haze_db=6.0) if self.murky else Look()

    @property
    def r_s(self) -> NDArray[np.float64]:
        """Times of the R peaks in s from the first frame, shape (n_beats + 1,)."""
        if self.more_beats:
            lengths = [self.beat.rr_ms, *(beat.rr_ms for beat, _ in self.more_beats)]
            r_ms = self.lead_in_ms + np.concatenate([[0.0], np.cumsum(lengths)])
            return np.asarray(r_ms / 1000.0, dtype=np.float64)
        first = self.lead_in_ms + self.beat.rr_ms * np.arange(self.n_beats + 1)
        return np.asarray(first / 1000.0, dtype=np.float64)

    @property
    def time_s(self) -> NDArray[np.float64]:
        """Times of the frames in s, the last one after the last R peak; shape (n_frames,)."""
        n_frames = int(np.floor(self.r_s[-1] * self.rate_hz)) + 2
        return np.arange(n_frames) / self.rate_hz

    @property
    def ed_frame(self) -> int:
        """The end-diastolic frame: the one next to the first R peak."""
        return int(np.abs(self.time_s - self.r_s[0]).argmin())

    def weights(self) -> NDArray[np.float64]:
        """Return the courses of the modes, shape (n_frames, 6), in the order of `MODES`."""
        time_s = self.time_s
        if not self.more_beats:
            since_r = self.beat.since_r(1000.0 * time_s, self.lead_in_ms)
            return self._courses(self.beat, self.septum, since_r, time_s)
        beats = ((self.beat, self.septum), *self.more_beats)
        # Before the first R peak the first beat ends, after the last one the last begins anew.
        of_frame = np.clip(np.searchsorted(self.r_s, time_s, "right") - 1, 0, len(beats) - 1)
        made = np.empty((time_s.size, len(MODES)))
        for number, (beat, septum) in enumerate(beats):
            in_beat = of_frame == number
            since_r = beat.since_r(1000.0 * time_s[in_beat], 1000.0 * self.r_s[number])
            made[in_beat] = self._courses(beat, septum, since_r, time_s[in_beat])
        return made

    def _courses(
        self,
        beat: Beat,
        septum: SeptalMotion,
        since_r_ms: NDArray[np.float64],
        time_s: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the courses of the modes within one beat."""
        base = beat.contraction(since_r_ms, 30.0) - _KICK * beat.atrial_kick(since_r_ms)
        return np.stack(
            [
                septum.inward_mm(since_r_ms, beat),
                self.lateral_mm * beat.contraction(since_r_ms, self.lateral_onset_ms),
                self.base_mm * base,
                self.rv_mm * beat.contraction(since_r_ms, 40.0),
                self.breath_mm * np.sin(2 * np.pi * time_s / _BREATH_S + self.breath_rad),
                beat.mitral_opening(since_r_ms),
            ],
            axis=1,
        )


@dataclass(frozen=True)
class SeptumTruth:
    """Where the septum is, and how it moves.

    Attributes
    ----------
    polyline_px : ndarray, shape (62, 2)
        (row, column) of the middle of the septum at the end-diastolic frame, base to apex.
    centre_px : ndarray, shape (2,)
        Where the M-mode's line stands: the polyline's 15th point.
    normal_px : ndarray, shape (2,)
        Unit vector (row, column) of the line, towards the left ventricle: square to the chord
        from the 10th to the 20th point.
    displacement_mm : ndarray, shape (n_frames,)
        How far along that line, from the end-diastolic frame, the middle of the septum is; this is
        what an M-mode on the line shows. Towards the left ventricle is positive.
    """

    polyline_px: NDArray[np.float64]
    centre_px: NDArray[np.float64]
    normal_px: NDArray[np.float64]
    displacement_mm: NDArray[np.float64]


def moved(
    truth: SeptumTruth, place: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> SeptumTruth:
    """Return the truth of a picture that stands elsewhere on the screen."""
    return replace(truth, polyline_px=place(truth.polyline_px), centre_px=place(truth.centre_px))


def septum_truth(spec: LoopSpec) -> SeptumTruth:
    """Return the septum's true place and motion in the pictures of a recording."""
    rest = spec.heart.septum(1200)
    moved = _moved(spec, rest)
    # What are equidistant points at rest are no longer quite equidistant a frame later.
    now = moved[spec.ed_frame]
    arc = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(now, axis=0).T))])
    at = np.linspace(0.0, arc[-1], 62)
    polyline = np.stack([np.interp(at, arc, now[:, axis]) for axis in (0, 1)], axis=1)
    first, last = polyline[_TANGENT[0]], polyline[_TANGENT[1]]
    tangent = (last - first) / np.hypot(*(last - first))
    normal = np.array([-tangent[1], tangent[0]])
    towards_lv = spec.heart.to_body([0.0, 0.6 * spec.heart.length_mm]) - polyline[MMODE_POINT]
    normal *= np.sign(normal @ towards_lv)
    centre = polyline[MMODE_POINT]
    # How far along the normal the line from base to apex crosses it, frame by frame.
    away = moved - centre
    crossing = np.array([np.interp(0.0, item @ tangent, item @ normal) for item in away])
    line_px, centre_px = spec.sector.pixel_of(polyline), spec.sector.pixel_of(centre)
    if spec.held is not None and spec.held.mirrored:
        line_px, centre_px = (mirrored_px(entry, spec.sector) for entry in (line_px, centre_px))
        normal = normal * (-1.0, 1.0)
    return SeptumTruth(line_px, centre_px, normal[::-1].copy(), crossing - crossing[spec.ed_frame])


def septal_flash_loop(spec: LoopSpec, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the frames of a recording.

    Parameters
    ----------
    spec : LoopSpec
        What is recorded.
    rng : numpy.random.Generator
        Draws scatterers, noise and artefacts.

    Returns
    -------
    ndarray, shape (n_frames, n_rows, n_columns), uint8
        B-mode frames, 0 outside the sector.
    """
    spread = PointSpread()
    # What is drawn for one thing is the same whatever else is there.
    tissue_rng, leaflet_rng, lead_rng, scanner_rng = rng.spawn(4)
    heart = spec.heart.to_heart(draw_scatterers(spec.sector, spread, tissue_rng))
    level = reflectivity_db(spec.heart, heart, blood_db=spec.blood_db)
    place = spec.heart.wall_place(heart)
    in_wall = np.abs(place.depth_mm) <= spec.heart.wall_mm / 2
    level += glance_db(spec.heart.to_body(heart), spec.heart.turn(place.inward), in_wall)
    heart, level = thinned(heart, level, level < _CLEAR_DB, _KEPT, tissue_rng)
    strands = [leaflets(spec.heart, leaflet_rng)]
    if spec.lead:
        strands.append(pacing_lead(spec.heart, lead_rng))
    opening = np.concatenate([np.zeros_like(heart), *(part.opening_mm for part in strands)])
    heart = np.concatenate([heart, *(part.heart_mm for part in strands)])
    level = np.concatenate([level, *(part.level_db for part in strands)])
    modes = np.concatenate([tissue_modes(spec.heart, heart), opening[None]])
    turned = spec.heart.turn(modes).astype(np.float32)
    rest = spec.heart.to_body(heart).astype(np.float32)
    amplitude = (10.0 ** (level / 20.0)).astype(np.float32)
    scanner = EchoScanner(spec.sector, scanner_rng, spread=spread, look=spec.look)
    weights = spec.weights()
    return recorded(
        scanner,
        advect(rest, turned, weights),
        amplitude,
        spec.held,
        rng,
        systole=weights[:, MODES.index("base")] / max(spec.base_mm, 1e-6),
        beats=(spec.time_s - spec.r_s[0]) * 1000.0 / spec.beat.rr_ms,
        time_s=spec.time_s,
    )


def _moved(spec: LoopSpec, heart_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the places (x, z) of tissue in every frame, shape (n_frames, n, 2)."""
    modes = spec.heart.turn(tissue_modes(spec.heart, heart_mm))
    weights = spec.weights()[:, : len(modes)]
    return spec.heart.to_body(heart_mm) + np.tensordot(weights, modes, axes=1)
