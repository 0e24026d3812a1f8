"""Loops of a view, drawn whole: a heart, a plane through it, a manner of showing, and mishaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from cardio_ultrasound.simulation.b_mode import EchoScanner, Look, PointSpread, draw_scatterers
from cardio_ultrasound.simulation.sector import Sector

from .hearts import SCENES, draw_heart, levels, plane_of, scene

# What happens to pictures on their way: gain, print left in them, cuts, codecs, mirrors.

_BLOCK = 8
_QUANTISER = 10.0 + 6.0 * np.add.outer(np.arange(_BLOCK), np.arange(_BLOCK))


def spoil(
    frames: NDArray[np.uint8], mask: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return frames and their sector, spoilt as a whole loop is.

    Parameters
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector.
    rng : numpy.random.Generator
    """
    made = frames.astype(np.float32)
    if rng.random() < 0.3:  # two changes of gain in the loop
        for start in rng.integers(0, len(made), 2):
            made[start:] = np.clip(made[start:] * rng.uniform(0.8, 1.25), 0, 255)
    if rng.random() < 0.4:
        _print_on(made, rng)
    if rng.random() < 0.35:  # too few pixels, and their enlargement
        coarse = rng.uniform(0.3, 0.7)
        for number, frame in enumerate(made):
            small = ndimage.zoom(ndimage.gaussian_filter(frame, 0.4 / coarse), coarse, order=1)
            back = (frame.shape[0] / small.shape[0], frame.shape[1] / small.shape[1])
            made[number] = ndimage.zoom(small, back, order=1)[: frame.shape[0], : frame.shape[1]]
    if rng.random() < 0.12:
        _flow_over(made, mask, rng)
    if rng.random() < 0.45:
        strength = rng.uniform(0.4, 4.0)
        made = np.stack([coded(frame, strength) for frame in made])
    mask = mask.copy()
    if rng.random() < 0.35:  # the screen, or a zoom, cuts the sector
        n_rows, n_columns = mask.shape
        side = rng.integers(4)
        share = rng.uniform(0.03, 0.2)
        if side in (0, 3):
            mask[round(n_rows * (1 - share)) :] = False
        if side in (1, 3):
            mask[:, : round(n_columns * share)] = False
        if side in (2, 3):
            mask[:, round(n_columns * (1 - share)) :] = False
    grey = np.rint(np.clip(made, 0, 255)).astype(np.uint8) * mask
    return grey, mask


def coded(frame: NDArray[np.float32], strength: float) -> NDArray[np.float32]:
    """Return a frame whose blocks of 8 × 8 were coded coarsely, as JPEG and MPEG do."""
    n_rows, n_columns = (-(-n // _BLOCK) * _BLOCK for n in frame.shape)
    padded = np.zeros((n_rows, n_columns), np.float32)
    padded[: frame.shape[0], : frame.shape[1]] = frame
    blocks = padded.reshape(n_rows // _BLOCK, _BLOCK, n_columns // _BLOCK, _BLOCK)
    step = (strength * _QUANTISER)[None, :, None, :]
    cosines = np.rint(fft.dctn(blocks, axes=(1, 3), norm="ortho") / step) * step
    back = fft.idctn(cosines, axes=(1, 3), norm="ortho").reshape(n_rows, n_columns)
    shown: NDArray[np.float32] = back[: frame.shape[0], : frame.shape[1]]
    return shown


def jpeg(frames: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Return grey frames as JPEG of a quality gives them back."""
    setting = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return np.stack(
        [
            np.asarray(cv2.imdecode(cv2.imencode(".jpg", frame, setting)[1], 0), np.uint8)
            for frame in frames
        ]
    )


def _flow_over(
    frames: NDArray[np.float32], mask: NDArray[np.bool_], rng: np.random.Generator
) -> None:
    """Lay a box of colour flow over the tissue, as grey levels show it."""
    n_rows, n_columns = mask.shape
    down, right = np.indices(mask.shape)
    away, near = np.hypot(down, right - n_columns / 2) / n_rows, rng.uniform(0.1, 0.6)
    across, left = (right - n_columns / 2) / (down + 1), rng.uniform(-0.5, 0.3)
    box = (away > near) & (away < near + rng.uniform(0.2, 0.5)) & mask
    box &= (across > left) & (across < left + rng.uniform(0.3, 0.7))
    for frame in frames:
        flow = _slow(rng, (n_rows, n_columns), rng.uniform(8, 30))
        shown = box & (flow > rng.uniform(-0.5, 1.0)) & (frame < rng.uniform(60, 160))
        frame[shown] = np.clip(rng.uniform(70, 150) + 40 * flow[shown], 0, 255)


def _print_on(frames: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Leave letters, a ruler, a trace or a cursor in the picture."""
    n_rows, n_columns = frames.shape[1:]
    bright = rng.uniform(120, 255)
    kind = rng.integers(4)
    if kind == 0:  # letters as strokes in cells
        row, column = rng.integers(0, n_rows - 12), rng.integers(0, max(n_columns - 60, 1))
        for letter in range(int(rng.integers(3, 9))):
            cell = rng.random((7, 4)) < 0.5
            left = column + 6 * letter
            part = frames[:, row : row + 7, left : left + 4]
            part[:, cell[: part.shape[1], : part.shape[2]]] = bright
    elif kind == 1:  # a ruler's ticks
        column = int(rng.choice([n_columns // 2, 2, n_columns - 6]))
        frames[:, :: int(rng.integers(8, 20)), column : column + 3] = bright
    elif kind == 2:  # a trace across
        along = np.arange(n_columns)
        beat = np.abs((along / rng.uniform(25, 70)) % 1 - 0.5) < 0.04
        rows = n_rows * rng.uniform(0.75, 0.97) - 12 * beat
        frames[:, np.clip(rows.astype(int), 0, n_rows - 1), along] = bright
    else:  # a cursor's line
        along = np.arange(0, n_rows, 3)
        column = n_columns / 2 + rng.uniform(-0.4, 0.4) * along
        frames[:, along, np.clip(column.astype(int), 0, n_columns - 1)] = bright


# Cheap B-mode stills: a map of levels times a complex Gaussian field, blurred along the beams.
#
# A field of speckle is drawn anew for every frame and does not move with tissue, which is enough
# where frames are looked at one by one, and a tenth of the time that scatterers take
# (`EchoScanner`).

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
    patchy_db : float
        Standard deviation of slow changes of brightness.
    hollow_db : float
        What tissue loses between its surfaces.
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
    hollow_db: float


def draw_manner(rng: np.random.Generator, patchy_db: float = 2.0) -> Manner:
    """Draw a manner of showing; most are those of a good window.

    Examples
    --------
    >>> draw_manner(np.random.default_rng(0)).half_deg > 22
    True
    """
    u = rng.uniform
    if rng.random() < 0.6:
        return Manner(
            half_deg=u(22, 55), inner=u(0.02, 0.15) if rng.random() < 0.2 else 0.0,
            axial=u(0.5, 0.9), lateral=u(0.7, 1.3), focus=u(0.3, 0.9),
            range_db=u(45, 65), white_db=u(6, 16), curve=u(0.8, 1.3),
            noise_db=u(-50, -32), fade_db=u(-4, 8), haze_db=u(-14, 0), clutter_db=u(-50, -30),
            glance_db=u(0, 10), edge_db=u(0, 9),
            sides_db=u(0, 12) if rng.random() < 0.4 else 0.0,
            smooth=u(0.0, 1.2), patchy_db=0.6 * patchy_db,
            hollow_db=u(4, 24) if rng.random() < 0.4 else 0.0,
        )  # fmt: skip
    return Manner(
        half_deg=u(22, 55), inner=u(0.02, 0.2) if rng.random() < 0.25 else 0.0,
        axial=u(0.5, 1.2), lateral=u(0.8, 2.1), focus=u(0.2, 0.9),
        range_db=u(38, 75), white_db=u(2, 20), curve=u(0.7, 1.9),
        noise_db=u(-48, -20), fade_db=u(-4, 16), haze_db=u(-12, 12), clutter_db=u(-45, -18),
        glance_db=u(0, 22), edge_db=u(0, 15),
        sides_db=u(5, 35) if rng.random() < 0.5 else 0.0, smooth=u(0.0, 1.3), patchy_db=patchy_db,
        hollow_db=u(4, 24) if rng.random() < 0.25 else 0.0,
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
        if manner.hollow_db:
            steep = ndimage.gaussian_gradient_magnitude(np.clip(level_db, -30, 6), 1.3)
            level = level - manner.hollow_db * (1 - np.clip(steep / 6.0, 0, 1))
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


KINDS = {
    "a4c": 0.16, "a2c": 0.12, "a3c": 0.12, "plax": 0.12, "psax": 0.12, "subcostal": 0.11,
    "a5c": 0.02, "between": 0.04, "off_axis": 0.08, "esophageal": 0.06, "scene": 0.07,
}  # fmt: skip
"""What is drawn, and how often."""


def drawn_kind(rng: np.random.Generator) -> str:
    """Draw one of `KINDS`."""
    shares = np.array(list(KINDS.values()))
    return str(rng.choice(list(KINDS), p=shares / shares.sum()))


@dataclass(frozen=True, eq=False)
class ViewPhantom:
    """A few moments of a loop whose view is known.

    Attributes
    ----------
    frames : ndarray of uint8, shape (n_frames, n_rows, n_columns)
    mask : ndarray of bool, shape (n_rows, n_columns)
        The sector.
    kind : str
        What was drawn: a key of `KINDS`.
    target : dict of str to float
        Views and their shares: one view, or several where a picture lies between them.
    """

    frames: NDArray[np.uint8] = field(repr=False)
    mask: NDArray[np.bool_] = field(repr=False)
    kind: str
    target: dict[str, float]


MAP_SIDE, MAP_HALF_RAD = 112, float(np.arcsin(0.8))
"""Rows of a map of levels: depths 0 to 1; and the angle of which it shows both sides, ±0.8."""

LEAST_DB, STEPS_PER_DB = -60.0, 2.5


def coded_levels(level_db: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return levels in dB as whole numbers, 0.4 dB each from -60 dB.

    Examples
    --------
    >>> coded_levels(np.array([-60.0, -20.0, 0.0])).tolist()
    [0, 100, 150]
    """
    return np.asarray(np.clip((level_db - LEAST_DB) * STEPS_PER_DB, 0, 255), np.uint8)


def view_phantom(kind: str, rng: np.random.Generator, n_frames: int = 2) -> ViewPhantom:
    """Draw a loop of a view.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    rng : numpy.random.Generator
        The only source of chance.
    n_frames : int
        Moments, spread over a beat.

    Returns
    -------
    ViewPhantom

    Examples
    --------
    >>> phantom = view_phantom("a4c", np.random.default_rng(0), n_frames=2)
    >>> phantom.frames.shape[1:] == phantom.mask.shape, phantom.target
    (True, {'a4c': 1.0})
    """
    u = rng.uniform
    heart = draw_heart(rng)
    manner = draw_manner(rng, heart.patchy_db)
    if kind == "scene":
        depth, target = u(80, 200), {"other": 1.0}
        scanner = StillScanner(manner, depth, rng)
        what = str(rng.choice(SCENES))
        level = scene(what, rng, scanner.range_mm, scanner.angle_rad)
        beams = [scanner(level) for _ in range(n_frames)]
    else:
        plane = plane_of(kind, heart, rng)
        target = plane.target
        scanner = StillScanner(manner, plane.depth_mm * zoomed(rng), rng)
        bend = bent(rng)
        start, turns = u(0, 1), u(0.5, 1.5)
        beams = []
        for number in range(n_frames):
            phase = (start + turns * number / n_frames) % 1.0
            systole = float(np.sin(np.pi * min(phase / 0.45, 1.0))) if phase < 0.45 else 0.0
            places = plane.points(scanner.range_mm, scanner.angle_rad)
            points = bend(places + rng.normal(0, 0.7, 3)).astype(np.float32)
            away = np.repeat(scanner.range_mm, N_BEAMS).astype(np.float32)
            level, cavity = levels(
                heart.at(systole), points, liver_mm=plane.liver_mm, depth_mm=away
            )
            shape = (N_RANGES, N_BEAMS)
            level = _chest(level.reshape(shape), scanner.range_mm, heart.around_db)
            beams.append(scanner(level, cavity.reshape(shape)))
    n_px, aspect = int(u(110, 220)), float(np.clip(rng.normal(1.0, 0.06), 0.85, 1.18))
    shown = [scan_converted(scanner, beam, n_px, aspect) for beam in beams]
    frames, mask = np.stack([picture for picture, _ in shown]), shown[0][1]
    frames, mask = spoil(frames, mask, rng)
    return ViewPhantom(frames, mask, kind, target)


def bent(rng: np.random.Generator) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Return what bends points (n, 3) in mm by a few slow waves: no heart is an ellipsoid."""
    ways = rng.normal(0, 1, (4, 3)) * 2 * np.pi / rng.uniform(45, 160, (4, 1))
    by_mm = rng.normal(0, 1, (4, 3)) * rng.uniform(0.0, 2.4)
    begin = rng.uniform(0, 2 * np.pi, 4)
    return lambda points: points + np.sin(points @ ways.T + begin) @ by_mm


def zoomed(rng: np.random.Generator) -> float:
    """Return the depth shown, as a share of the depth that suits the view."""
    return float(np.clip(np.exp(rng.normal(0.04, 0.13)), 0.8, 1.45))


def _chest(
    level: NDArray[np.float32], range_mm: NDArray[np.float64], around_db: float
) -> NDArray[np.float32]:
    """Lay the chest's wall before everything: layers that are bright and alike."""
    near = range_mm < 9.0
    layers = around_db + 6.0 * np.sin(range_mm[near] * 1.7)
    level[near] = np.maximum(layers, -12.0)[:, None]
    return level


# The same hearts through another scanner: scatterers under a point spread, as `EchoScanner` sums.

_RADIUS_PX = 130


def scanned_phantom(kind: str, rng: np.random.Generator, n_frames: int = 4) -> ViewPhantom:
    """Draw a loop of a view with moving scatterers' physics.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    rng : numpy.random.Generator
        The only source of chance.
    n_frames : int
        Moments, spread over a beat.

    Examples
    --------
    >>> phantom = scanned_phantom("plax", np.random.default_rng(0), n_frames=2)
    >>> phantom.frames.shape[0], phantom.target
    (2, {'plax': 1.0})
    """
    u = rng.uniform
    heart = draw_heart(rng)
    plane = None if kind == "scene" else plane_of(kind, heart, rng)
    depth = plane.depth_mm * zoomed(rng) if plane else u(90, 180)
    half = u(23, 50)
    sector = Sector(
        depth_mm=depth,
        half_angle_deg=half,
        n_rows=_RADIUS_PX + 8,
        n_columns=int(2 * _RADIUS_PX * np.sin(np.radians(half))) + 10,
        spacing_mm=depth / _RADIUS_PX,
        apex_row=3.0,
    )
    spread = PointSpread(
        axial_mm=u(1.0, 1.4), lateral_deg=(u(1.5, 2.4), u(2.4, 4.0)), focus_mm=u(40, 130)
    )
    look = Look(
        dynamic_range_db=u(40, 74), white_db=u(8, 22), contrast=u(0.75, 1.4),
        attenuation_db=u(0.5, 0.8), slider_error_db=u(0.5, 4), noise_db=u(-42, -22),
        haze_db=u(-4, 10), haze_mm=u(4, 15), echoes_db=u(-24, -12),
        n_dropouts=int(rng.integers(0, 4)), dropout_db=u(8, 25), per_cell=6.0,
    )  # fmt: skip
    places = draw_scatterers(sector, spread, rng, per_cell=look.per_cell)
    away, angle = np.hypot(*places.T), np.arctan2(*places.T)
    scanner = EchoScanner(sector, rng, spread=spread, look=look)
    what = str(rng.choice(SCENES))
    if plane is None:
        grid_mm, grid_rad = np.linspace(0.1, depth, 200), np.radians(np.linspace(-half, half, 90))
        drawn = scene(what, rng, grid_mm, grid_rad)
        row = np.clip(np.searchsorted(grid_mm, away), 0, 199)
        column = np.clip(np.searchsorted(grid_rad, angle), 0, 89)
    start, frames, bend = u(0, 1), [], bent(rng)
    for number in range(n_frames):
        phase = (start + number / n_frames) % 1.0
        systole = float(np.sin(np.pi * phase / 0.4)) if phase < 0.4 else 0.0
        if plane is None:
            level = drawn[row, column]
        else:
            points = plane.probe_mm + places[:, 1:] * plane.down + places[:, :1] * plane.right
            level, _ = levels(
                heart.at(systole),
                bend(points).astype(np.float32),
                liver_mm=plane.liver_mm,
                depth_mm=away.astype(np.float32),
            )
        amplitude = (10.0 ** (level / 20.0)).astype(np.float32)
        frames.append(scanner.frames([places], amplitude)[0])
    stack, mask = spoil(np.stack(frames), sector.mask(), rng)
    return ViewPhantom(stack, mask, kind, plane.target if plane else {"other": 1.0})
