"""Loops of a view, drawn whole: a heart, a plane through it, a manner of showing, and mishaps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cardio_core.ultrasound.phantoms.views.heart import draw_heart, levels
from cardio_core.ultrasound.phantoms.views.planes import plane_of
from cardio_core.ultrasound.phantoms.views.scenes import SCENES, scene
from cardio_core.ultrasound.phantoms.views.spoiling import spoil
from cardio_core.ultrasound.phantoms.views.stills import (
    N_BEAMS,
    N_RANGES,
    StillScanner,
    draw_manner,
    scan_converted,
)

KINDS = {
    "a4c": 0.17, "a2c": 0.13, "a3c": 0.12, "plax": 0.13, "psax": 0.13, "subcostal": 0.11,
    "a5c": 0.02, "between": 0.04, "off_axis": 0.08, "scene": 0.07,
}  # fmt: skip
"""What is drawn, and how often."""


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
        scanner = StillScanner(manner, plane.depth_mm, rng)
        start, turns = u(0, 1), u(0.5, 1.5)
        beams = []
        for number in range(n_frames):
            phase = (start + turns * number / n_frames) % 1.0
            systole = float(np.sin(np.pi * min(phase / 0.45, 1.0))) if phase < 0.45 else 0.0
            places = plane.points(scanner.range_mm, scanner.angle_rad)
            points = (places + rng.normal(0, 0.7, 3)).astype(np.float32)
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
    # Screens are mirrored in some laboratories, apical ones most of all.
    if rng.random() < (0.25 if kind in ("a4c", "a2c", "a3c", "a5c", "between") else 0.06):
        frames, mask = frames[:, :, ::-1], mask[:, ::-1]
    frames, mask = spoil(frames, mask, rng)
    return ViewPhantom(frames, mask, kind, target)


def _chest(
    level: NDArray[np.float32], range_mm: NDArray[np.float64], around_db: float
) -> NDArray[np.float32]:
    """Lay the chest's wall before everything: layers that are bright and alike."""
    near = range_mm < 9.0
    layers = around_db + 6.0 * np.sin(range_mm[near] * 1.7)
    level[near] = np.maximum(layers, -12.0)[:, None]
    return level
