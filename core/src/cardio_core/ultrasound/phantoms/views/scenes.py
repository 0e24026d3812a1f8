"""What else a probe shows: vessels in the neck's pit, liver, lung, noise, and no body at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SCENES = ("arch", "liver", "lung", "noise", "bars", "trace", "tissue", "balls")


def scene(
    kind: str, rng: np.random.Generator, range_mm: NDArray[np.float64], angle: NDArray[np.float64]
) -> Floats:
    """Return the echo levels in dB of one of `SCENES` on a polar grid.

    Parameters
    ----------
    kind : str
    rng : numpy.random.Generator
    range_mm, angle : ndarray, shape (n_ranges,), (n_beams,)
        The grid; angles in radians.
    """
    away = range_mm[:, None]
    x, z = away * np.sin(angle), away * np.cos(angle)
    share = away / range_mm[-1] + 0 * angle
    u = rng.uniform
    if kind == "arch":  # a bow of aorta over the right pulmonary artery, with branches upwards
        level = np.full(x.shape, u(-18, -4))
        centre = (u(-15, 15), u(55, 80))
        bow = np.abs(np.hypot(x - centre[0], (z - centre[1]) * u(0.8, 1.2)) - u(22, 32))
        wide = u(9, 14)
        level[(bow < wide + 2) & (z < centre[1] + u(0, 40))] = u(-2, 6)
        level[(bow < wide) & (z < centre[1] + u(0, 40))] = u(-40, -25)
        for place in (-14, 2, 18):
            branch = (np.abs(x - centre[0] - place - 0.2 * (z - 30)) < 3.5) & (z < centre[1] - 20)
            level[branch] = u(-38, -25)
        level[np.hypot(x - centre[0] - 3, z - centre[1]) < u(7, 11)] = u(-40, -25)
        return level.astype(np.float32)
    if kind == "liver":  # with vessels, and often the inferior vena cava
        level = np.full(x.shape, u(-8, 2))
        for _ in range(int(rng.integers(2, 9))):
            way, at, wide = u(0, np.pi), u(-60, 60), u(1.5, 6)
            along = (x * np.cos(way) + (z - 70) * np.sin(way)) - at
            level[(np.abs(along) < wide) & (np.abs(z - u(30, 130)) < u(15, 50))] = u(-40, -20)
        if rng.random() < 0.6:
            slope, at, wide = u(-0.3, 0.3), u(50, 100), u(6, 14)
            level[np.abs(z - at - slope * x) < wide + 2] = u(0, 5)
            level[np.abs(z - at - slope * x) < wide] = u(-40, -25)
        edge = u(100, 170)
        level[np.hypot(x - u(-20, 20), z) > edge] = u(5, 14)
        level[np.hypot(x, z) > edge + 5] = u(-25, -5)
        return level.astype(np.float32)
    if kind == "lung":  # the pleura and what it throws back, equidistant
        level = u(-30, -15) + 10 * np.exp(-share / 0.2)
        between = u(12, 35)
        level = level + u(8, 25) * np.exp(-((((away % between) - between / 2) / 1.5) ** 2)) * (
            1 - 0.7 * share
        )
        rays = np.exp(-(((angle - u(-0.4, 0.4)) / u(0.02, 0.08)) ** 2))
        return np.asarray(level + u(0, 25) * rays, dtype=np.float32)
    if kind == "noise":
        return np.full(x.shape, u(-80, -20), np.float32)
    if kind == "bars":  # a test picture
        n = int(rng.integers(3, 10))
        step = np.floor(n * (angle - angle[0]) / (angle[-1] - angle[0] + 1e-6)) + 0 * away
        if rng.random() < 0.5:
            step = np.floor(n * share)
        return np.asarray(-40 + 55 * rng.permutation(n + 1)[step.astype(int)] / n, np.float32)
    if kind == "trace":  # a spectral or M-mode strip under the sector's mask
        base, period = u(40, 110), u(25, 70)
        wave = np.abs(np.sin(np.pi * (x + u(0, 50)) / period)) ** u(1, 4) * u(15, 60)
        filled = (z < base) & (z > base - wave)
        return np.asarray(np.where(filled, u(-8, 6), u(-60, -35)), np.float32)
    if kind == "tissue":  # layers of muscle and fat, an abscess or a cyst
        level = u(-20, 0) + 8 * np.sin(away / u(2, 12) + 3 * np.sin(u(0, 3) * angle + u(0, 6)))
        if rng.random() < 0.5:
            level[np.hypot(x - u(-40, 40), z - u(30, 110)) < u(8, 35)] = u(-45, -25)
        return np.asarray(level, np.float32)
    level = np.full(x.shape, u(-25, 0))  # balls: chambers of no heart
    for _ in range(int(rng.integers(1, 7))):
        wide, high, turn = u(8, 40), u(8, 40), u(0, np.pi)
        right, down = x - u(-50, 50), z - u(25, 130)
        one = right * np.cos(turn) + down * np.sin(turn)
        other = down * np.cos(turn) - right * np.sin(turn)
        rho = np.hypot(one / wide, other / high)
        level[rho < 1 + u(2, 12) / wide] = u(-6, 8)
        level[rho < 1] = u(-45, -20)
    return level.astype(np.float32)
