"""The same hearts through another scanner: scatterers under a point spread, as `EchoScanner` sums.

Nothing of how these pictures are made is shared with `stills`. A network that learned from stills
is calibrated and measured on these, each with its own range of looks.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from cardio_core.ultrasound.phantoms.appearance import Look
from cardio_core.ultrasound.phantoms.echo import EchoScanner
from cardio_core.ultrasound.phantoms.sector import Sector
from cardio_core.ultrasound.phantoms.speckle import PointSpread, draw_scatterers
from cardio_core.ultrasound.phantoms.views.draw import ViewPhantom
from cardio_core.ultrasound.phantoms.views.heart import draw_heart, levels
from cardio_core.ultrasound.phantoms.views.planes import plane_of
from cardio_core.ultrasound.phantoms.views.scenes import SCENES, scene
from cardio_core.ultrasound.phantoms.views.spoiling import spoil

Looks = Literal["calibration", "held back"]
_RADIUS_PX = 130


def scanned_phantom(
    kind: str, rng: np.random.Generator, n_frames: int = 4, looks: Looks = "calibration"
) -> ViewPhantom:
    """Draw a loop of a view with moving scatterers' physics.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    rng : numpy.random.Generator
        The only source of chance.
    n_frames : int
        Moments, spread over a beat.
    looks : {"calibration", "held back"}
        Two makes of scanner that share no range of point spread, dynamic range or contrast; the
        second spoils its pictures by haze, arcs and shadows alone.

    Examples
    --------
    >>> phantom = scanned_phantom("plax", np.random.default_rng(0), n_frames=2)
    >>> phantom.frames.shape[0], phantom.target
    (2, {'plax': 1.0})
    """
    u = rng.uniform
    heart = draw_heart(rng)
    plane = None if kind == "scene" else plane_of(kind, heart, rng)
    depth = plane.depth_mm if plane else u(90, 180)
    half = u(33, 46)
    sector = Sector(
        depth_mm=depth,
        half_angle_deg=half,
        n_rows=_RADIUS_PX + 8,
        n_columns=int(2 * _RADIUS_PX * np.sin(np.radians(half))) + 10,
        spacing_mm=depth / _RADIUS_PX,
        apex_row=3.0,
    )
    if looks == "calibration":
        spread = PointSpread(axial_mm=1.3, lateral_deg=(2.2, 4.0), focus_mm=u(40, 110))
        look = Look(
            dynamic_range_db=u(48, 62), white_db=u(10, 22), contrast=u(0.9, 1.2),
            slider_error_db=u(0.5, 3), noise_db=u(-42, -24), haze_db=u(-4, 8), haze_mm=u(4, 12),
            n_dropouts=int(rng.integers(0, 3)), dropout_db=u(8, 22), per_cell=6.0,
        )  # fmt: skip
    else:
        spread = PointSpread(axial_mm=1.0, lateral_deg=(1.5, 2.2), focus_mm=u(60, 130))
        wide = rng.random() < 0.5
        look = Look(
            dynamic_range_db=u(62, 74) if wide else u(40, 48), white_db=u(8, 20),
            contrast=u(1.2, 1.4) if wide else u(0.75, 0.9), attenuation_db=u(0.5, 0.8),
            slider_error_db=u(1, 4), noise_db=u(-38, -22), haze_db=u(0, 10), haze_mm=u(5, 15),
            echoes_db=u(-24, -12), n_dropouts=int(rng.integers(0, 4)), dropout_db=u(10, 25),
            per_cell=6.0,
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
    start, frames = u(0, 1), []
    for number in range(n_frames):
        phase = (start + number / n_frames) % 1.0
        systole = float(np.sin(np.pi * phase / 0.4)) if phase < 0.4 else 0.0
        if plane is None:
            level = drawn[row, column]
        else:
            points = plane.probe_mm + places[:, 1:] * plane.down + places[:, :1] * plane.right
            level, _ = levels(
                heart.at(systole),
                points.astype(np.float32),
                liver_mm=plane.liver_mm,
                depth_mm=away.astype(np.float32),
            )
        amplitude = (10.0 ** (level / 20.0)).astype(np.float32)
        frames.append(scanner.frames([places], amplitude)[0])
    stack, mask = np.stack(frames), sector.mask()
    apical = kind in ("a4c", "a2c", "a3c", "a5c", "between")
    if rng.random() < (0.25 if apical else 0.05):
        stack, mask = stack[:, :, ::-1], mask[:, ::-1]
    if looks == "calibration":
        stack, mask = spoil(stack, mask, rng)
    target = plane.target if plane else {"other": 1.0}
    return ViewPhantom(np.ascontiguousarray(stack), np.ascontiguousarray(mask), kind, target)
