"""Cheap B-mode stills: a map of levels times a complex Gaussian field, blurred along the beams.

A field of speckle is drawn anew for every frame and does not move with tissue, which is enough
where frames are looked at one by one, and a tenth of the time that scatterers take (`EchoScanner`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Floats = NDArray[np.float32]
N_RANGES, N_BEAMS = 176, 96


@dataclass(frozen=True)
class Manner:
    """How a scanner shows echoes, drawn at random for a loop.

    Attributes
    ----------
    half_deg : float
        Half of the sector's angle.
    inner : float
        Share of the depth at the top that the sector leaves out; 0 for a tip.
    axial, lateral : float
        Standard deviations of the blur in samples along a beam, and in beams at the focus.
    focus : float
        Where beams are narrowest, as a share of the depth.
    range_db, white_db, curve : float
        Dynamic range, level shown white, and exponent of the grey curve.
    noise_db, fade_db, haze_db, clutter_db : float
        Noise, loss of the deepest echo, and reverberation near the probe and over all.
    glance_db : float
        What walls along the beam lose.
    edge_db : float
        What surfaces across the beam gain.
    sides_db : float
        What the outermost beams lose to lung and ribs.
    smooth : float
        Standard deviation of the blur after compression, in samples.
    """

    half_deg: float
    inner: float
    axial: float
    lateral: float
    focus: float
    range_db: float
    white_db: float
    curve: float
    noise_db: float
    fade_db: float
    haze_db: float
    clutter_db: float
    glance_db: float
    edge_db: float
    sides_db: float
    smooth: float
    patchy_db: float


def draw_manner(rng: np.random.Generator, patchy_db: float = 2.0) -> Manner:
    """Draw a manner of showing; a third are those of a good window.

    Examples
    --------
    >>> draw_manner(np.random.default_rng(0)).half_deg > 25
    True
    """
    u = rng.uniform
    if rng.random() < 0.35:
        return Manner(
            half_deg=u(28, 50), inner=u(0.02, 0.15) if rng.random() < 0.2 else 0.0,
            axial=u(0.5, 0.9), lateral=u(0.7, 1.3), focus=u(0.3, 0.9),
            range_db=u(45, 65), white_db=u(6, 16), curve=u(0.8, 1.3),
            noise_db=u(-50, -32), fade_db=u(-4, 8), haze_db=u(-14, 0), clutter_db=u(-50, -30),
            glance_db=u(0, 10), edge_db=u(0, 9),
            sides_db=u(0, 12) if rng.random() < 0.4 else 0.0,
            smooth=u(0.0, 1.2), patchy_db=0.6 * patchy_db,
        )  # fmt: skip
    return Manner(
        half_deg=u(28, 50), inner=u(0.02, 0.2) if rng.random() < 0.25 else 0.0,
        axial=u(0.5, 1.2), lateral=u(0.8, 2.1), focus=u(0.2, 0.9),
        range_db=u(38, 75), white_db=u(2, 20), curve=u(0.7, 1.9),
        noise_db=u(-48, -20), fade_db=u(-4, 16), haze_db=u(-12, 12), clutter_db=u(-45, -18),
        glance_db=u(0, 22), edge_db=u(0, 15),
        sides_db=u(5, 35) if rng.random() < 0.5 else 0.0, smooth=u(0.0, 1.3), patchy_db=patchy_db,
    )  # fmt: skip


class StillScanner:
    """Shows maps of levels in one manner; what a loop keeps (shadows, haze) is drawn once.

    Parameters
    ----------
    manner : Manner
    depth_mm : float
    rng : numpy.random.Generator

    Attributes
    ----------
    range_mm, angle_rad : ndarray
        The polar grid of the maps.
    """

    def __init__(self, manner: Manner, depth_mm: float, rng: np.random.Generator) -> None:
        self.manner, self._rng = manner, rng
        half = np.radians(manner.half_deg)
        self.range_mm = np.linspace(manner.inner * depth_mm, depth_mm, N_RANGES)
        self.angle_rad = np.linspace(-half, half, N_BEAMS)
        down = np.linspace(0.0, 1.0, N_RANGES)[:, None]
        sliders = np.interp(down[:, 0], np.linspace(0, 1, 8), rng.normal(0, 2.5, 8))[:, None]
        patches = _slow(rng, (N_RANGES, N_BEAMS), 10.0) * manner.patchy_db
        # Shadows of ribs and lung take beams from one range on; sides suffer most.
        lost = np.zeros((N_RANGES, N_BEAMS), np.float32)
        beams = np.linspace(-1.0, 1.0, N_BEAMS)
        for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.35, 0.25, 0.1]))):
            middle = rng.choice([-1, 1]) * rng.uniform(0.1, 1.0) ** 0.6
            across = np.exp(-0.5 * ((beams - middle) / rng.uniform(0.06, 0.3)) ** 2)
            begins = rng.uniform(0.02, 0.6)
            lost += rng.uniform(6, 30) * across / (1 + np.exp(-(down - begins) / 0.04))
        outer = np.clip(
            (np.abs(beams - rng.uniform(-0.2, 0.2)) - rng.uniform(0.2, 0.7)) / 0.5, 0, 1
        )
        lost += manner.sides_db * outer
        self._gain = (patches + sliders - lost - manner.fade_db * down**1.5).astype(np.float32)
        reach = rng.uniform(0.03, 0.12) if rng.random() < 0.6 else rng.uniform(0.12, 0.3)
        haze = manner.haze_db - 8.7 * down / reach
        clutter = manner.clutter_db + 5 * _slow(rng, (N_RANGES, N_BEAMS), 14.0)
        still = 10 ** (haze / 20) + 10 ** (clutter / 20)
        self._still = (still * _gauss(rng, (N_RANGES, N_BEAMS))).astype(np.complex64)

    def __call__(self, level_db: Floats, cavity_mm: Floats | None = None) -> Floats:
        """Return the beams of one moment, grey levels 0 to 255, shape (n_ranges, n_beams).

        Parameters
        ----------
        level_db : ndarray, shape (n_ranges, n_beams)
        cavity_mm : ndarray, shape (n_ranges, n_beams), optional
            A distance whose slope says how walls run to the beam.
        """
        manner, rng = self.manner, self._rng
        level = level_db + self._gain
        across = np.clip(np.gradient(level_db, axis=0), 0, 20) / 20
        level = level + manner.edge_db * ndimage.gaussian_filter(across, 1.0)
        if cavity_mm is not None:
            step = self.range_mm[1] - self.range_mm[0]
            along = np.abs(np.gradient(cavity_mm, axis=0) / step)
            near = (cavity_mm > -6) & (cavity_mm < 20)
            level = level - manner.glance_db * np.where(near, 1 - np.clip(along, 0, 1), 0)
        echo = 10 ** (level / 20) * _gauss(rng, level.shape) + self._still
        echo = ndimage.gaussian_filter1d(echo, manner.axial, axis=0)
        narrow = ndimage.gaussian_filter1d(echo, manner.lateral, axis=1)
        wide = ndimage.gaussian_filter1d(echo, 2.0 * manner.lateral, axis=1)
        away = np.clip(np.abs(np.linspace(0, 1, N_RANGES)[:, None] - manner.focus) / 0.6, 0, 1)
        # Blurring took power away, by as much for all.
        echo = (narrow * (1 - away) + 1.4 * wide * away) * (
            3.5 * np.sqrt(manner.axial * manner.lateral)
        )
        echo = echo + 10 ** (manner.noise_db / 20) * _gauss(rng, level.shape)
        decibel = 20 * np.log10(np.abs(echo) + 1e-5)
        shown = np.clip(1.0 + (decibel - manner.white_db) / manner.range_db, 0, 1) ** manner.curve
        if manner.smooth > 0.2:
            shown = ndimage.gaussian_filter(shown, manner.smooth)
        grey: Floats = (255 * shown).astype(np.float32)
        return grey


def scan_converted(
    scanner: StillScanner, beams: Floats, n_px: int, aspect: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the picture of beams and its sector; `n_px` rows show the depth.

    `aspect` is how much wider pixels are drawn than they should be.
    """
    depth = scanner.range_mm[-1]
    half = scanner.angle_rad[-1]
    n_columns = int(2 * min(np.sin(half), 1.0) * n_px * aspect) + 4
    row, column = np.mgrid[:n_px, :n_columns].astype(np.float32)
    z = row / n_px * depth + scanner.range_mm[0] * np.cos(half) * 0.98
    x = (column - (n_columns - 1) / 2) / (n_px * aspect) * depth
    away, angle = np.hypot(x, z), np.arctan2(x, z)
    at_range = (away - scanner.range_mm[0]) / (depth - scanner.range_mm[0]) * (N_RANGES - 1)
    at_beam = (angle + half) / (2 * half) * (N_BEAMS - 1)
    inside: NDArray[np.bool_] = (
        (at_range >= 0) & (at_range <= N_RANGES - 1) & (at_beam >= 0) & (at_beam <= N_BEAMS - 1)
    )
    picture = np.zeros((n_px, n_columns), np.uint8)
    values = ndimage.map_coordinates(beams, [at_range[inside], at_beam[inside]], order=1)
    picture[inside] = np.clip(values, 0, 255).astype(np.uint8)
    return picture, inside


def _gauss(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    drawn = rng.standard_normal((*shape, 2), dtype=np.float32)
    field: NDArray[np.complex64] = drawn.view(np.complex64)[..., 0] * np.float32(0.7071)
    return field


def _slow(rng: np.random.Generator, shape: tuple[int, int], size: float) -> Floats:
    """Return a slowly changing field of unit variance."""
    coarse = (int(shape[0] / size) + 4, int(shape[1] / size) + 4)
    drawn = rng.standard_normal(coarse)
    zoomed = ndimage.zoom(drawn, (shape[0] / (coarse[0] - 3), shape[1] / (coarse[1] - 3)), order=2)
    field: Floats = zoomed[: shape[0], : shape[1]].astype(np.float32)
    return field / max(float(field.std()), 1e-3)
