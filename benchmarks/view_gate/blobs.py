"""Loops of a view from tapered rods under gamma noise, for the network of views to learn from.

Cavities are rods of changing radius in the unit sector (probe at 0, 0; depth 1), tissue is a band
around them, and noise is gamma-distributed, averaged along arcs.
"""

from __future__ import annotations

import cv2
import numpy as np

from .looks import (
    MAP_HALF_RAD,
    MAP_SIDE,
    ViewPhantom,
    coded_levels,
    jpeg,
)

Rod = tuple[float, float, float, float, float, float, float]
"""From x, z to x, z; radius at either end, and thickness of the wall; no radius is a leaflet."""

_LEFT: Rod = (0.0, 0.21, 0.0, 0.51, 0.065, 0.125, 0.05)


def _leaflets(x: float, z: float, wide: float, tip: float) -> list[Rod]:
    shut = 0.9 - 0.7 * tip
    return [
        (x + side * wide, z, x + side * wide * (1 - shut), z - 0.02 - 0.08 * tip, 0.0, 0.0, 0.012)
        for side in (-1, 1)
    ]


def _rods(kind: str, rng: np.random.Generator, tip: float) -> list[Rod]:
    """Return what lies in a view, the first below."""
    u = rng.uniform
    if kind in ("a4c", "subcostal"):
        wide = u(0.06, 0.115)
        return [
            (-0.07, 0.33, -0.06 - wide, 0.54, 0.03, wide, 0.02),
            (-0.17, 0.75, -0.17, 0.79, 0.1, 0.1, 0.015),
            (0.09, 0.76, 0.09, 0.81, 0.11, 0.1, 0.015), (0.05, 0.21, 0.09, 0.51, 0.06, 0.12, 0.045),
            *_leaflets(0.09, 0.63, 0.11, tip), *_leaflets(-0.15, 0.62, 0.085, tip),
        ]  # fmt: skip
    if kind == "a2c":
        return [(0.0, 0.77, 0.0, 0.82, 0.12, 0.11, 0.015), _LEFT, *_leaflets(0.0, 0.63, 0.115, tip)]
    if kind == "a3c":
        right = [(0.25, 0.42, 0.26, 0.6, 0.025, 0.05, 0.015)] if rng.random() < 0.6 else []
        return [
            *right, (-0.1, 0.76, -0.1, 0.8, 0.11, 0.1, 0.015), _LEFT,
            (0.09, 0.6, 0.19, 0.92, 0.06, 0.07, 0.016), *_leaflets(-0.06, 0.63, 0.08, tip),
            *([(0.05, 0.68, 0.15, 0.65, 0.0, 0.0, 0.01)] if tip > 0.3 else []),
        ]  # fmt: skip
    if kind == "plax":
        return [
            (-0.25, 0.25, 0.1, 0.22, 0.05, 0.07, 0.015), (0.14, 0.62, 0.3, 0.6, 0.1, 0.1, 0.015),
            (-0.34, 0.5, -0.02, 0.5, 0.09, 0.125, 0.055),
            (0.07, 0.41, 0.36, 0.33, 0.075, 0.07, 0.018),
            (-0.45, 0.72, 0.1, 0.72, 0.0, 0.0, 0.012),
            (0.07, 0.49, -0.04, 0.53 - 0.05 * tip, 0, 0, 0.01),
            (0.08, 0.6, -0.03, 0.55 + 0.04 * tip, 0.0, 0.0, 0.01),
            *([(0.17, 0.85, 0.18, 0.85, 0.05, 0.05, 0.015)] if rng.random() < 0.6 else []),
        ]  # fmt: skip
    level = rng.integers(3)
    if level == 0:  # the great vessels
        cusps = [(0.0, 0.43, 0.08 * np.cos(way), 0.43 + 0.08 * np.sin(way), 0.0, 0.0, 0.01)
                 for way in (0.4, 2.5, 4.6)] if tip < 0.5 else []  # fmt: skip
        return [
            (-0.22, 0.34, 0.14, 0.26, 0.06, 0.06, 0.015),
            (0.2, 0.32, 0.21, 0.52, 0.05, 0.045, 0.015),
            (-0.2, 0.53, -0.19, 0.54, 0.1, 0.1, 0.012),
            (-0.04, 0.65, 0.12, 0.65, 0.09, 0.09, 0.012),
            (0.0, 0.43, 0.0, 0.44, 0.09, 0.09, 0.02), *cusps,
        ]  # fmt: skip
    across = u(0.1, 0.15)
    ring = [
        (-0.09, 0.4, -0.03, 0.44, 0.18, 0.2, 0.015),
        (0.05, 0.5, 0.06, 0.5, across, across, 0.07),
    ]
    if level == 1:  # the mitral valve
        return [
            *ring,
            *((-0.03, z, 0.13, z, 0.0, 0.0, 0.01) for z in (0.5 - 0.03 * tip, 0.51 + 0.04 * tip)),
        ]
    return ring + [(x, z, x, z + 0.01, 0.0, 0.0, 0.03) for x, z in ((0.13, 0.56), (-0.03, 0.57))]


def _anything(rng: np.random.Generator) -> list[Rod]:
    """Return cavities of no heart: vessels, a vein, cysts, or none."""
    u = rng.uniform
    return [
        (*u((-0.4, 0.15), (0.4, 0.95)), *u((-0.4, 0.15), (0.4, 0.95)), *u(0.01, 0.06, 2),
         u(0, 0.02))
        if rng.random() < 0.6 else (x := u(-0.35, 0.35), z := u(0.2, 0.9), x,
                                    z + 0.02, *u(0.03, 0.2, 2), u(0, 0.03))
        for _ in range(int(rng.integers(0, 6)))
    ]  # fmt: skip


def blob_phantom(
    kind: str, rng: np.random.Generator, n_frames: int = 3, *, plain: bool = False
) -> ViewPhantom:
    """Draw a loop of one of the six views, of ``esophageal``, or (any other kind) of no heart.

    With `plain`, frames are maps of `coded_levels` that no scanner showed.

    Examples
    --------
    >>> phantom = blob_phantom("a2c", np.random.default_rng(0), n_frames=2)
    >>> phantom.frames.shape[0], phantom.target
    (2, {'a2c': 1.0})
    """
    u = rng.uniform
    views = ("a4c", "a2c", "a3c", "plax", "psax", "subcostal")
    drawn = str(rng.choice(views[:3])) if kind == "esophageal" else kind
    n_px, half = int(u(110, 240)), np.radians(u(22.5, 55))
    if plain:
        n_px, half = MAP_SIDE, MAP_HALF_RAD
    row, column = np.indices((n_px, int(2 * np.sin(half) * n_px) + 4)).astype(np.float32)
    x, z = (column - column.shape[1] / 2) / n_px, row / n_px
    away, angle = np.hypot(x, z), np.arctan2(x, z + 1e-6) / half
    mask = plain | ((away <= 1) & (np.abs(angle) <= 1))
    # Where pixels look at: turned, stretched, zoomed and bent.
    turn, zoom = rng.normal(0, 0.12), np.exp(rng.normal(0.05, 0.12, 2))
    at_x, at_z = x - rng.normal(0, 0.035), z - 0.5
    at_x, at_z = (
        at_x * np.cos(turn) + at_z * np.sin(turn),
        at_z * np.cos(turn) - at_x * np.sin(turn),
    )
    at_x, at_z = (
        at_x * zoom[0],
        at_z * zoom[1] + 0.5 * (1 + 0.6 * (zoom[1] - 1)) + rng.normal(0, 0.02),
    )
    bend = [cv2.resize(rng.normal(0, u(0, 0.02), (5, 5)), x.shape[::-1],
                       interpolation=cv2.INTER_CUBIC)
            for _ in range(2)]  # fmt: skip
    at_x, at_z = at_x + bend[0], at_z + bend[1]
    if kind == "subcostal":
        lie = np.radians(u(55, 100))
        across, down = at_x - 0.03, at_z - u(0.55, 0.65)
        at_x, at_z = (
            across * np.cos(lie) + down * np.sin(lie),
            0.48 + down * np.cos(lie) - across * np.sin(lie),
        )
    if kind == "esophageal":
        at_z = u(0.85, 0.98) - at_z
    blood, tissue, thin, around = u(-38, -16), u(-6, 2), u(-8, 5), u(-35, -4)
    liver_at, soft = u(0.22, 0.4), u(0.004, 0.015)
    seed, start = int(rng.integers(1 << 30)), u(0, 1)
    gain = np.interp(away, np.linspace(0, 1, 9), rng.normal(0, 3, 9)) - u(0, 15) * away**3
    gain -= u(0, 20) * np.abs(angle) ** u(2, 6)
    for _ in range(int(rng.integers(0, 3))):
        gain -= (
            u(5, 25) * np.exp(-(((angle - u(-1, 1)) / u(0.05, 0.3)) ** 4)) * (away > u(0.05, 0.6))
        )
    haze = u(-30, -2) - 30 * away / u(0.1, 0.8)
    shape, size = u(0.3, 2.0), (int(rng.integers(1, 4)), int(rng.integers(1, 3)))
    white, span, curve, hollow = u(0, 10), u(30, 65), u(0.6, 1.6), u(0, 14) * (rng.random() < 0.4)
    place = (
        ((np.clip(angle, -1, 1) + 1) * 48).astype(np.float32),
        (np.clip(away, 0, 1) * 199).astype(np.float32),
    )
    frames = []
    for number in range(n_frames):
        phase = (start + number / n_frames) % 1
        tip, beat = (0.0, np.sin(np.pi * phase / 0.4)) if phase < 0.4 else (u(0.3, 1), 0.0)
        again = np.random.default_rng(seed)
        level = np.full(x.shape, around)
        rods = _rods(drawn, again, tip) if drawn in views else _anything(again)
        for x0, z0, x1, z1, near, far, wall in rods:
            x0, z0, x1, z1 = np.array([x0, z0, x1, z1]) + again.normal(0, 0.008, 4)
            long = (x1 - x0) ** 2 + (z1 - z0) ** 2 + 1e-9
            share = np.clip(((at_x - x0) * (x1 - x0) + (at_z - z0) * (z1 - z0)) / long, 0, 1)
            width = (near + (far - near) * share) * again.uniform(0.85, 1.15)
            is_left = wall > 0.03
            gone = np.hypot(at_x - x0 - share * (x1 - x0), at_z - z0 - share * (z1 - z0))
            gone = gone - width * (1 - 0.25 * beat * is_left)
            thick = wall * again.uniform(0.7, 1.4) * (1 + 0.3 * beat * is_left)
            wall_db = (
                tissue - hollow * (np.abs(gone - thick / 2) < 0.3 * thick) if is_left else thin
            )
            inside = 1 / (1 + np.exp(np.clip((gone - thick) / soft, -30, 30)))
            level = level + inside * (wall_db - level)
            if near:
                level = level + (blood - level) / (1 + np.exp(np.clip(gone / soft, -30, 30)))
        if kind == "subcostal":
            level = np.where(away < liver_at, tissue - 2, level)
        if plain:
            frames.append(coded_levels(level))
            continue
        noise = cv2.blur(rng.gamma(shape, 1 / shape, (200, 97)), size)
        power = 10 ** ((level + gain) / 10) + 10 ** (haze / 10)
        seen = 10 * np.log10(power * cv2.remap(noise, *place, cv2.INTER_LINEAR) + 1e-5)
        grey = np.clip(1 + (seen - white) / span, 0, 1) ** curve * 255
        frames.append(np.where(mask, np.maximum(grey, 1), 0).astype(np.uint8))
    stack = np.stack(frames)
    if rng.random() < 0.4 and not plain:
        stack = jpeg(stack, int(u(8, 60)))
    if rng.random() < 0.4:
        stack, mask = stack[:, :, ::-1].copy(), mask[:, ::-1].copy()
    none = dict.fromkeys((*views, "other"), 1 / 7) if kind == "esophageal" else {"other": 1.0}
    return ViewPhantom(stack, mask, kind, {kind: 1.0} if kind in views else none)
