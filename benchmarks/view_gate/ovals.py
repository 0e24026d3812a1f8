"""Loops of a view from superellipses under K-distributed noise: what the network is calibrated on.

No loop of these is learned from, and they share no code with what is. Chambers are superellipses in
the unit sector (probe at 0, 0; depth 1), muscle is what lies within a wall's reach of them, and
speckle is drawn on the screen rather than along beams, then smoothed as scanners do it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .looks import ViewPhantom

Oval = tuple[float, float, float, float, float, float, float]
"""Middle x, z; half-axes; turn in radians; exponent; thickness of the wall."""

Grid = NDArray[np.float32]
_VIEWS = ("a4c", "a2c", "a3c", "plax", "psax", "subcostal")


def _ovals(kind: str, rng: np.random.Generator, beat: float) -> list[Oval]:
    """Return the chambers of a view at a moment; `beat` is 1 at the end of systole."""
    u = rng.uniform
    small = 1 - u(0.1, 0.3) * beat
    muscle, thin = u(0.035, 0.07) * (1 + 0.3 * beat), u(0.01, 0.02)
    if kind in ("a4c", "subcostal"):
        wide, large = u(0.06, 0.1), u(0.08, 0.12)
        return [
            (0.07, 0.37 + 0.02 * beat, u(0.09, 0.12) * small, 0.25, u(-0.1, 0.02), 2.2, muscle),
            (0.085, 0.75, u(0.08, 0.115), u(0.08, 0.115), 0.0, 2.3, thin),
            (-0.12, 0.43, wide, u(0.16, 0.2), u(0.1, 0.3), 2.0, u(0.015, 0.025)),
            (-0.13, 0.74, large, u(0.08, 0.11), 0.0, 2.3, thin),
        ]
    if kind == "a2c":
        more = [(0.13, 0.68, 0.03, 0.035, 0.0, 2.0, thin)] if rng.random() < 0.4 else []
        dot = [(-0.15, 0.65, 0.015, 0.015, 0.0, 2.0, thin)] if rng.random() < 0.3 else []
        return [
            (0.0, 0.38 + 0.02 * beat, u(0.1, 0.14) * small, 0.26, u(-0.08, 0.08), 2.2, muscle),
            (0.0, 0.76, u(0.09, 0.13), u(0.08, 0.11), 0.0, 2.3, thin), *more, *dot,
        ]  # fmt: skip
    if kind == "a3c":
        right = [(0.24, 0.47, 0.04, 0.12, -0.15, 2.0, 0.015)] if rng.random() < 0.6 else []
        return [
            (0.0, 0.38 + 0.02 * beat, u(0.1, 0.14) * small, 0.25, u(-0.08, 0.08), 2.2, muscle),
            (-0.08, 0.765, u(0.07, 0.1), u(0.08, 0.1), 0.1, 2.3, thin),
            (u(0.1, 0.13), 0.77, u(0.04, 0.06), 0.17, -u(0.15, 0.4), 4.0, thin), *right,
        ]  # fmt: skip
    if kind == "plax":
        far = [(0.17, u(0.8, 0.86), 0.045, 0.045, 0.0, 2.0, thin)] if rng.random() < 0.6 else []
        return [
            (-0.2, 0.52, 0.25, u(0.1, 0.13) * small, u(-0.12, 0.05), 2.3, muscle),
            (0.2, 0.64, u(0.11, 0.15), u(0.08, 0.11), 0.0, 2.3, thin),
            (0.22, 0.43, 0.18, u(0.055, 0.075), -u(0.1, 0.3), 4.0, thin),
            (-0.04, u(0.26, 0.31), 0.24, u(0.035, 0.06), 0.0, 2.4, thin), *far,
        ]  # fmt: skip
    level = rng.integers(2)
    if level == 0:  # the great vessels
        size = u(0.065, 0.085)
        return [
            (0.0, 0.45, size, size, 0.0, 2.0, thin),
            (0.02, 0.65, u(0.11, 0.15), u(0.06, 0.09), 0.0, 2.3, thin),
            (-0.18, 0.56, 0.08, 0.09, 0.3, 2.2, thin), (-0.05, 0.305, 0.17, 0.05, -0.1, 2.4, thin),
            (0.165, 0.45, 0.045, u(0.11, 0.15), -0.05, 2.6, thin),
        ]  # fmt: skip
    size = u(0.1, 0.15)
    return [
        (-0.13, 0.38, 0.15, 0.17, 0.4, 2.0, 0.015),
        (0.05, 0.5, size * small, size * u(0.9, 1.1) * small, 0.0, 2.0, muscle * 1.2),
    ]


def _leaves(kind: str, rng: np.random.Generator, gap: float) -> list[tuple[float, ...]]:
    """Return lines of valves from x, z to x, z."""
    rings = {
        "a4c": [(-0.02, 0.17, 0.63), (-0.2, -0.05, 0.61)], "a2c": [(-0.11, 0.11, 0.64)],
        "a3c": [(-0.13, 0.04, 0.65)],
    }  # fmt: skip
    made: list[tuple[float, ...]] = []
    for left, right, z in rings.get("a4c" if kind == "subcostal" else kind, []):
        middle, half = (left + right) / 2, gap * (right - left) / 2
        made += [
            (left, z, middle - half, z - 0.03 - 0.05 * gap),
            (right, z, middle + half, z - 0.03 - 0.05 * gap),
        ]
    if kind == "plax":
        made = [(0.06, 0.5, -0.04, 0.55 - 0.05 * gap), (0.07, 0.61, -0.03, 0.56 + 0.04 * gap)]
    return made


def oval_phantom(kind: str, rng: np.random.Generator, n_frames: int = 2) -> ViewPhantom:
    """Draw a loop of one of the six views, of ``esophageal``, or (any other kind) of no heart.

    Examples
    --------
    >>> phantom = oval_phantom("a3c", np.random.default_rng(0), n_frames=2)
    >>> phantom.frames.shape[0], phantom.target
    (2, {'a3c': 1.0})
    """
    u = rng.uniform
    drawn = str(rng.choice(_VIEWS[:3])) if kind == "esophageal" else kind
    n_px, half = int(u(140, 300)), u(0.4, 0.95)
    row, column = np.indices((n_px, int(2 * np.sin(half) * n_px) + 6)).astype(np.float32)
    near = u(0.03, 0.12) if rng.random() < 0.25 else 0.0
    x, z = (column - column.shape[1] / 2) / n_px, row / n_px
    away, angle = np.hypot(x, z), np.arctan2(x, z + 1e-6)
    mask = (away < 0.995) & (away > near) & (np.abs(angle) < half)
    # The heart is sheared, stretched, turned and moved.
    shape = np.eye(2) * np.exp(rng.normal(0.03, 0.11, 2)) + rng.normal(0, 0.07, (2, 2))
    turn = rng.normal(0, 0.1) + (-u(1.0, 1.6) if kind == "subcostal" else 0.0)
    shape = shape @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = np.array([0.05, 0.62]) if kind == "subcostal" else np.array([0.0, 0.5])
    off = middle + rng.normal(0, 0.03, 2)
    at_x = shape[0, 0] * (x - off[0]) + shape[0, 1] * (z - off[1])
    at_z = shape[1, 0] * (x - off[0]) + shape[1, 1] * (z - off[1]) + 0.5
    at_x = at_x + u(0, 0.02) * np.sin(at_z * u(5, 14) + u(0, 6))
    if kind == "esophageal":
        at_z = u(0.88, 1.0) - at_z
    blood, behind, lined = u(-32, -16), u(-24, 0), u(-3, 8) if rng.random() < 0.4 else -99.0
    hollow = u(5, 14) if rng.random() < 0.25 else 0.0
    slide = np.polynomial.chebyshev.chebval(2 * z - 1, rng.normal(0, (1, 4, 3, 2)))
    loss = u(0, 14) * (np.abs(angle) / half) ** u(2, 8)
    for _ in range(int(rng.integers(0, 3))):
        inside = np.abs(angle / half - u(-1, 1)) < u(0.04, 0.25)
        loss = loss + u(6, 22) * cv2.GaussianBlur((inside & (away > u(0, 0.5))) * 1.0, (0, 0), 3)
    fog = u(-30, -5) - u(20, 90) * away
    floor, soft = u(-36, -16), u(0.3, 0.012 * n_px)
    order, wide = u(0.5, 5), (int(rng.choice([1, 3, 5, 7])), int(rng.choice([1, 3])))
    white, span, curve, how = u(2, 9), u(30, 55), u(0.7, 1.4), rng.integers(4)
    seed, start, frames = int(rng.integers(1 << 30)), u(0, 1), []
    for number in range(n_frames):
        phase = (start + number / n_frames) % 1
        beat = float(np.sin(np.pi * phase / 0.38)) if phase < 0.38 else 0.0
        again = np.random.default_rng(seed)
        level = np.full(x.shape, behind, np.float32)
        if drawn in _VIEWS:
            ovals = _ovals(drawn, again, beat)
            leaves = _leaves(drawn, again, 0.0 if phase < 0.38 else u(0.3, 0.9))
        else:
            ovals = [
                (*again.uniform((-0.3, 0.15), (0.3, 0.9)), *again.uniform(0.01, 0.2, 2),
                 *again.uniform((0, 2, 0.003), (3, 5, 0.06)))
                for _ in range(again.integers(0, 6))
            ]  # fmt: skip
            leaves = []
        gone = [_distance(at_x, at_z, oval, again) for oval in ovals]
        if drawn == "psax" and len(gone) == 2:  # the left ventricle cuts the right one
            gone[0] = np.maximum(gone[0], ovals[1][6] - gone[1])
        for from_oval, oval in zip(gone, ovals, strict=True):
            wall = np.clip(1 - (from_oval - oval[6]) / 0.008, 0, 1)
            core = hollow * (np.abs(from_oval - oval[6] / 2) < 0.3 * oval[6]) * (oval[6] > 0.03)
            level = level + wall * (again.uniform(-4, 2) - core - level)
            edge = np.abs(from_oval - oval[6]) < 0.008
            level = np.where(edge & (oval[6] > 0.03), np.maximum(level, lined), level)
        for from_oval in gone:
            level = level + np.clip(1 - from_oval / 0.008, 0, 1) * (blood - level)
        for x0, z0, x1, z1 in leaves:
            long = (x1 - x0) ** 2 + (z1 - z0) ** 2
            share = np.clip(((at_x - x0) * (x1 - x0) + (at_z - z0) * (z1 - z0)) / long, 0, 1)
            near_line = np.hypot(at_x - x0 - share * (x1 - x0), at_z - z0 - share * (z1 - z0))
            level = np.where(near_line < 0.008, 3.0, level)
        if kind == "subcostal":
            level = np.where(away < 0.3, -3.0, level)
        level = cv2.GaussianBlur(level.astype(np.float32), (0, 0), soft)
        noise = rng.gamma(order, 1 / order, x.shape) * rng.exponential(1.0, x.shape)
        power = 10 ** ((level + slide - loss) / 10) + 10 ** (fog / 10)
        echo = cv2.blur(power * noise, wide) + 10 ** (floor / 10) * rng.exponential(1.0, x.shape)
        seen = np.clip(1 + (10 * np.log10(echo) - white) / span, 0, 1) ** curve
        grey = np.asarray(seen * 255, np.uint8)
        if how == 1:
            grey = np.asarray(cv2.medianBlur(grey, 5), np.uint8)
        if how == 2:
            grey = np.asarray(cv2.bilateralFilter(grey, 7, 60, 3), np.uint8)
        if how == 3:
            grey = np.asarray(cv2.createCLAHE(2.0, (4, 4)).apply(grey), np.uint8)
        frames.append(np.where(mask, np.maximum(grey, 1), 0).astype(np.uint8))
    stack = np.stack(frames)
    if rng.random() < 0.4:
        stack, mask = stack[:, :, ::-1].copy(), mask[:, ::-1].copy()
    none = dict.fromkeys((*_VIEWS, "other"), 1 / 7) if kind == "esophageal" else {"other": 1.0}
    return ViewPhantom(stack, mask, kind, {kind: 1.0} if kind in _VIEWS else none)


def _distance(x: Grid, z: Grid, oval: Oval, rng: np.random.Generator) -> Grid:
    """Return about how far points lie outside a superellipse, a little misplaced."""
    at_x, at_z, across, along, turn, power, _ = oval
    at_x, at_z = at_x + rng.normal(0, 0.008), at_z + rng.normal(0, 0.008)
    right = (x - at_x) * np.cos(turn) + (z - at_z) * np.sin(turn)
    down = (z - at_z) * np.cos(turn) - (x - at_x) * np.sin(turn)
    rho = ((np.abs(right) / across) ** power + (np.abs(down) / along) ** power) ** (1 / power)
    made: Grid = np.asarray((rho - 1) * np.hypot(right, down) / np.maximum(rho, 1e-3), np.float32)
    return made
