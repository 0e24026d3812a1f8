"""Loops of a view from flat outlines, for the network of views to learn from.

Chambers are closed splines through points that were set by eye in each view, filled in the order
of a painter, and speckle is a correlated Rayleigh field. Nothing of the hearts in space, of their
planes or of the scanners that the network learns from is used here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, ndimage

from .looks import (
    MAP_HALF_RAD,
    MAP_SIDE,
    ViewPhantom,
    coded_levels,
    jpeg,
)

Points = NDArray[np.float64]
Shape = tuple[float, Points, float]
"""Level in dB, points (n, 2) of x and z in mm from the probe, and the width of a line; 0 fills."""

BLOOD, TISSUE, LINE, RIM = -28.0, 0.0, 4.0, 9.0


def _points(*flat: float) -> Points:
    return np.reshape(np.array(flat, float), (-1, 2))


def _oval(x: float, z: float, across: float, down: float) -> Points:
    way = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    return np.stack([x + across * np.cos(way), z + down * np.sin(way)], axis=1)


def _bullet(apex: tuple[float, float], left: float, right: float, base: float) -> Points:
    """Return a ventricle: narrow at the apex, open to the base."""
    share = np.array([0.12, 0.35, 0.65, 1.0])
    wide, z = np.sqrt(share * (2 - share)), apex[1] + (base - apex[1]) * share
    side = np.stack([apex[0] + (left - apex[0]) * wide, z], axis=1)
    other = np.stack([apex[0] + (right - apex[0]) * wide, z], axis=1)
    return np.concatenate([_points(*apex), other, side[::-1]])


def _chamber(points: Points, wall_db: float = LINE, width: float = 3.0) -> list[Shape]:
    """Return a cavity with a thin wall."""
    return [(wall_db, points, width), (BLOOD, points, 0.0)]


def _valve(left: tuple[float, float], right: tuple[float, float], tip: float) -> list[Shape]:
    """Return two leaflets; `tip` is how far they open, from 0 to 1."""
    middle, z = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    gap = tip * 0.3 * (right[0] - left[0])
    far = z - 5 - 12 * tip
    return [
        (LINE, _points(*left, middle - gap, far), 2.0),
        (LINE, _points(*right, middle + gap, far), 2.0),
    ]


def _ventricle(left: float, right: float, beat: float, lean: float = 0.0) -> list[Shape]:
    """Return the left ventricle of an apical view, with its rim."""
    outer = _bullet((lean, 10), left - 9, right + 9, 94)
    inner = _bullet((lean, 20 + 3 * beat), left + 5 * beat, right - 5 * beat, 92)
    return [(RIM, outer, 3.0), (TISSUE, outer, 0.0), (BLOOD, inner, 0.0)]


def _four_chamber(rng: np.random.Generator, beat: float, tip: float) -> list[Shape]:
    wide = rng.uniform(0.7, 1.35)
    right = _points(-9, 42, -24, 58, -16 - 30 * wide, 92, -13, 92)
    return [
        *_chamber(right, TISSUE, 7.0), *_ventricle(-2, 38, beat, 7.0),
        *_chamber(_oval(18, 117, 20, 22)), *_chamber(_oval(-17 - 15 * wide, 113, 17 * wide, 19)),
        *_valve((-2, 92), (38, 92), tip), *_valve((-14 - 28 * wide, 91), (-12, 89), tip),
    ]  # fmt: skip


def _long_axis(rng: np.random.Generator, beat: float, tip: float) -> list[Shape]:
    aorta = _points(6, 42, 22, 34, 55, 28, 57, 54, 24, 61, 8, 59)
    made = [
        (TISSUE, _points(-70, 40, -20, 37, 10, 38, 14, 95, -20, 106, -70, 104), 0.0),
        *_chamber(_points(-55, 30, -5, 20, 26, 24, 18, 36, -10, 38, -50, 42)),
        (BLOOD, _points(-68, 56, -20, 49 + 4 * beat, 8, 52, 12, 82, -15, 92 - 5 * beat, -66, 92),
         0.0),
        *_chamber(aorta), *_chamber(_oval(34, 81, 23, 19)),
        (RIM, _points(-66, 106, -20, 108, 12, 97), 3.0),
        (LINE, _points(9, 60, -8 + 6 * tip, 70 - 8 * tip), 2.0),
        (LINE, _points(12, 84, -6 + 6 * tip, 71 + 6 * tip), 2.0),
        (LINE, _points(22, 47, 30, 46) if tip < 0.3 else _points(12, 42, 24, 38), 2.0),
    ]  # fmt: skip
    return made + (_chamber(_oval(26, 113, 9, 9)) if rng.random() < 0.6 else [])


def _short_axis(rng: np.random.Generator, beat: float, tip: float) -> list[Shape]:
    level = rng.integers(3)
    if level == 0:  # the great vessels
        return [
            *_chamber(_points(-38, 52, -24, 32, 8, 27, 32, 38, 27, 52, 2, 44, -20, 54)),
            *_chamber(_points(24, 42, 40, 44, 37, 80, 25, 80)), *_chamber(_oval(5, 94, 28, 15)),
            *_chamber(_oval(-34, 74, 17, 17)), *_chamber(_oval(0, 62, 16, 15), LINE, 4.0),
            *((LINE, _points(0, 62, 14 * np.cos(way), 62 + 13 * np.sin(way)), 2.0)
              for way in (0.5, 2.6, 4.7) if tip < 0.5),
        ]  # fmt: skip
    right = _points(-26, 84, -42, 56, -22, 28, 14, 24, 22, 34, -8, 42, -24, 60)
    made = [
        *_chamber(right), (RIM, _oval(8, 72, 37, 36), 3.0), (TISSUE, _oval(8, 72, 36, 35), 0.0),
        (BLOOD, _oval(8, 72, 25 - 6 * beat, 24 - 6 * beat), 0.0),
    ]  # fmt: skip
    if level == 1:  # the mitral valve
        return [*made, (LINE, _oval(8, 74, 14, 2 + 6 * tip), 2.0)]
    return [*made, (TISSUE, _oval(22, 84, 6, 6), 0.0), (TISSUE, _oval(-6, 86, 6, 6), 0.0)]


def _nothing(rng: np.random.Generator) -> list[Shape]:
    """Return liver with vessels, an arch, or cavities of no heart."""
    u, what = rng.uniform, rng.integers(3)
    ground: list[Shape] = [(u(-10, 3), _points(-150, 0, 150, 0, 150, 200, -150, 200), 0.0)]
    if what == 0:
        for _ in range(int(rng.integers(2, 7))):
            start, end = u(-60, 60, 2) + np.array([0, 70]), u(-60, 60, 2) + np.array([0, 90])
            ground.append(
                (BLOOD, np.stack([start, (start + end) / 2 + u(-9, 9, 2), end]), u(3, 20))
            )
        return ground
    if what == 1:
        bow = _points(-28, 120, -26, 70, 0, 50, 26, 70, 32, 120)
        ground += [(LINE, bow, 28.0), (BLOOD, bow, 23.0)]
        return ground + _chamber(_oval(3, 82, 9, 9))
    for _ in range(int(rng.integers(1, 6))):
        ground += _chamber(_oval(u(-50, 50), u(30, 130), u(6, 35), u(6, 35)), u(-4, 8), u(2, 9))
    return ground


def _shapes(kind: str, rng: np.random.Generator, beat: float, tip: float) -> list[Shape]:
    """Return what is painted for a kind, the first below."""
    if kind in ("a4c", "subcostal"):
        return _four_chamber(rng, beat, tip)
    if kind == "a2c":
        pouch = _chamber(_oval(24, 106, 7, 9)) if rng.random() < 0.4 else []
        made = [*_ventricle(-23, 23, beat), *pouch, *_chamber(_oval(0, 117, 23, 21))]
        return made + _valve((-23, 92), (23, 92), tip)
    if kind == "a3c":
        aorta = _points(6, 90, 26, 88, 44, 132, 20, 136)
        right = _chamber(_points(36, 55, 50, 80, 50, 104, 38, 98)) if rng.random() < 0.6 else []
        made = [*right, *_ventricle(-26, 24, beat), *_chamber(_oval(-15, 117, 18, 21))]
        shut = [(LINE, _points(9, 96, 20, 98, 29, 95), 2.0)] if tip > 0.3 else []
        return made + _chamber(aorta) + _valve((-26, 93), (6, 91), tip) + shut
    if kind == "plax":
        return _long_axis(rng, beat, tip)
    return _short_axis(rng, beat, tip) if kind == "psax" else _nothing(rng)


def outlined_phantom(
    kind: str, rng: np.random.Generator, n_frames: int = 4, *, plain: bool = False
) -> ViewPhantom:
    """Draw a loop of a view from flat outlines.

    Parameters
    ----------
    kind : str
        One of the six views, ``esophageal``, or (any other kind) what is no heart.
    rng : numpy.random.Generator
        The only source of chance.
    n_frames : int
        Moments, spread over a beat.
    plain : bool
        Leave frames as maps of `coded_levels` that no scanner showed.

    Examples
    --------
    >>> phantom = outlined_phantom("psax", np.random.default_rng(0), n_frames=2)
    >>> phantom.frames.shape[0], phantom.target
    (2, {'psax': 1.0})
    """
    u = rng.uniform
    views = ("a4c", "a2c", "a3c", "plax", "psax", "subcostal")
    if kind not in (*views, "esophageal"):
        kind = "scene"
    drawn = str(rng.choice(views[:3])) if kind == "esophageal" else kind
    seed, start, mirror = int(rng.integers(1 << 30)), u(0, 1), rng.random() < 0.4
    turn, size = np.radians(rng.normal(0, 7)), np.exp(rng.normal(0, 0.13, 2))
    middle = np.array([0.0, 75.0])
    if kind == "subcostal":
        turn, middle = np.radians(u(55, 100)), np.array([u(-5, 15), 95.0])
    turned = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    ways, by_mm, begin = rng.normal(0, 0.05, (2, 3)), rng.normal(0, u(0, 3), (3, 2)), u(0, 6, 3)
    shift, slack = rng.normal(0, (6, 4)), rng.normal(0, 1.5, (12, 2))
    liver_db, liver_px, behind = u(-8, 2), u(0.25, 0.42), u(118, 132)
    levels = {BLOOD: u(-45, -16), TISSUE: u(-6, 3), LINE: u(-6, 8), RIM: u(0, 12)}
    around = u(-40, -6)
    n_px, half = int(u(120, 260)), np.radians(u(22.5, 55))
    depth = u(118, 165) * (0.9 if kind in ("plax", "psax") else 1.0)
    if plain:
        n_px, half, depth = MAP_SIDE, MAP_HALF_RAD, depth / 0.9
    scale, n_columns = n_px / depth, int(2 * np.sin(half) * n_px) + 4
    row, column = np.indices((n_px, n_columns))
    away = np.hypot(row, column - n_columns / 2) / n_px
    angle = np.arctan2(column - n_columns / 2, row) / half
    mask = plain | ((away <= 1) & (np.abs(angle) <= 1))
    show = coded_levels if plain else _Show(rng, away, angle, depth)

    def placed(points: Points) -> NDArray[np.int32]:
        """Return pixels of points, shifted and bent like all of this loop."""
        at = points * (1, -1) + (0, behind) if kind == "esophageal" else points
        if kind == "subcostal":
            at = (at - (8, 70)) @ turned.T + middle
        else:
            at = (at - middle) @ turned.T * size + middle * size + shift
        at = at + np.sin(at @ ways + begin) @ by_mm
        pixel = at * scale + (n_columns / 2, 0)
        return np.asarray(np.rint(pixel * 8), np.int32)

    frames = []
    for number in range(n_frames):
        phase = (start + number / n_frames) % 1.0
        beat = float(np.sin(np.pi * phase / 0.4)) if phase < 0.4 else 0.0
        map_db = np.full((n_px, n_columns), around, np.float32)
        # The same seed for every moment: what is drawn within keeps its form.
        shapes = _shapes(
            drawn, np.random.default_rng(seed), beat, 0.0 if phase < 0.45 else u(0.3, 1)
        )
        for level, points, width in shapes:
            value = levels.get(level, level)
            if kind != "scene":
                points = points + slack[: len(points)]
            if len(points) > 2 and kind != "scene":
                closed = width == 0 or len(points) > 3
                knots = interpolate.splprep(
                    np.r_[points, points[:1]].T if closed else points.T, s=0, per=closed,
                    k=3 if closed else 2,
                )[0]  # fmt: skip
                points = np.stack(interpolate.splev(np.linspace(0, 1, 40), knots), axis=1)
            pixel = [placed(points)]
            if width:
                ends = width > 9 or len(points) < 3
                cv2.polylines(map_db, pixel, not ends, value, max(round(width * scale), 1), 8, 3)
            else:
                cv2.fillPoly(map_db, pixel, value, 8, 3)
        if kind == "subcostal":
            map_db[away < liver_px] = liver_db
        frames.append(show(map_db))
    stack = np.stack(frames) * mask
    if rng.random() < 0.4 and not plain:
        stack = jpeg(stack, int(u(8, 60))) * mask
    if mirror:
        stack, mask = stack[:, :, ::-1].copy(), mask[:, ::-1].copy()
    none = dict.fromkeys((*views, "other"), 1 / 7)
    target = {"scene": {"other": 1.0}, "esophageal": none}
    return ViewPhantom(stack, mask, kind, target.get(kind, {kind: 1.0}))


class _Show:
    """How a loop's scanner shows levels: correlated Rayleigh speckle under an S-shaped curve."""

    def __init__(
        self, rng: np.random.Generator, away: NDArray[np.float64], angle: NDArray[np.float64],
        depth: float,
    ) -> None:  # fmt: skip
        u = rng.uniform
        self._rng, self._shape = rng, away.shape
        self._at = [np.clip(away, 0, 1) * 255, (np.clip(angle, -1, 1) + 1) * 64]
        self._grain = (u(0.6, 2.0), u(0.8, 3.0))
        self._blur = u(0.4, 3.0)
        gain = np.interp(away, np.linspace(0, 1, 6), rng.normal(0, 4, 6)) - u(0, 12) * away**2
        gain = gain - u(0, 25) * np.clip(np.abs(angle) - u(0.4, 0.9), 0, 1)
        for _ in range(int(rng.integers(0, 4))):
            wedge = np.abs(angle - u(-1, 1)) < u(0.03, 0.25)
            gain = gain - u(4, 22) * ndimage.gaussian_filter((wedge & (away > u(0, 0.6))) * 1.0, 2)
        self._gain = gain
        self._floor = u(-45, -18) + 0 * away
        if rng.random() < 0.5:
            self._floor = self._floor + u(5, 30) * np.exp(-away / u(0.03, 0.2))
        self._middle, self._slope = u(-22, -3), u(0.05, 0.16)
        self._edges = u(0, 10) if rng.random() < 0.5 else 0.0
        self._sharp_only = u(3, 18) if rng.random() < 0.3 else 0.0

    def _rayleigh_db(self) -> NDArray[np.float64]:
        parts = [
            ndimage.map_coordinates(
                ndimage.gaussian_filter(self._rng.standard_normal((256, 129)), self._grain),
                self._at, order=1,
            )
            for _ in range(2)
        ]  # fmt: skip
        power = parts[0] ** 2 + parts[1] ** 2
        return np.asarray(10 * np.log10(power / power.mean() + 1e-4))

    def __call__(self, map_db: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return grey levels of a moment."""
        smooth = ndimage.gaussian_filter(map_db.astype(float), self._blur)
        steep = ndimage.gaussian_gradient_magnitude(np.clip(map_db, -30, 8).astype(float), 1.5)
        smooth += self._edges * np.clip(steep / 4, 0, 1)
        smooth -= self._sharp_only * (1 - np.clip(steep / 4, 0, 1))
        power = 10 ** ((smooth + self._gain + self._rayleigh_db()) / 10)
        power = power + 10 ** ((self._floor + self._rayleigh_db()) / 10)
        shown = 1 / (1 + np.exp(-self._slope * (10 * np.log10(power) - self._middle)))
        low = 1 / (1 + np.exp(self._slope * 32))
        grey: NDArray[np.uint8] = (255 * np.clip((shown - low) / (1 - low), 0, 1)).astype(np.uint8)
        return grey
