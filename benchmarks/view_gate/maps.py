"""Maps of echo levels of a view, and looks at them that are drawn afresh as often as wanted.

A map is drawn once, from a heart in space, flat outlines or rods; `shown` shows a batch of maps in
a hundredth of a second each, every time through another sector and another scanner.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .blobs import blob_phantom
from .hearts import SCENES, draw_heart, levels, plane_of, scene
from .looks import (
    LEAST_DB,
    MAP_SIDE,
    STEPS_PER_DB,
    ViewPhantom,
    bent,
    coded_levels,
)
from .outlines import outlined_phantom


def level_map(kind: str, rng: np.random.Generator) -> tuple[NDArray[np.uint8], dict[str, float]]:
    """Draw the map of a kind, and what its picture shares between views.

    Examples
    --------
    >>> made, target = level_map("a2c", np.random.default_rng(0))
    >>> made.shape, target
    ((112, 112), {'a2c': 1.0})
    """
    which = rng.random()
    if which < 0.5 or kind in ("a5c", "between", "off_axis"):
        return _in_space(kind, rng)
    draw = outlined_phantom if which < 0.75 else blob_phantom
    phantom: ViewPhantom = draw(kind, rng, 1, plain=True)
    size = (MAP_SIDE, MAP_SIDE)
    return np.asarray(cv2.resize(phantom.frames[0], size), np.uint8), phantom.target


def _in_space(kind: str, rng: np.random.Generator) -> tuple[NDArray[np.uint8], dict[str, float]]:
    heart = draw_heart(rng)
    z, x = np.meshgrid(np.linspace(0, 1, MAP_SIDE), np.linspace(-0.8, 0.8, MAP_SIDE), indexing="ij")
    if kind == "scene":
        # Scenes are drawn on ranges and angles.
        range_mm, angle = np.linspace(0.1, 180, 160), np.linspace(-0.95, 0.95, 120)
        polar = coded_levels(scene(str(rng.choice(SCENES)), rng, range_mm, angle))
        at = (np.arctan2(x, z + 1e-6) + 0.95) / 1.9 * 119, np.hypot(x, z) * 159
        made = cv2.remap(
            polar, at[0].astype(np.float32), at[1].astype(np.float32), cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return np.asarray(made, np.uint8), {"other": 1.0}
    plane = plane_of(kind, heart, rng)
    depth = 1.2 * plane.depth_mm
    places = (
        plane.probe_mm
        + depth * (z.ravel()[:, None] * plane.down + x.ravel()[:, None] * plane.right)
    )  # fmt: skip
    systole = max(0.0, float(np.sin(2 * np.pi * rng.random())))
    away = depth * np.hypot(x, z).ravel().astype(np.float32)
    level, _ = levels(
        heart.at(systole), bent(rng)(places).astype(np.float32), liver_mm=plane.liver_mm,
        depth_mm=away,
    )  # fmt: skip
    near = away < 9.0
    level[near] = np.maximum(heart.around_db + 6.0 * np.sin(away[near] * 1.7), -12.0)
    return coded_levels(level).reshape(MAP_SIDE, MAP_SIDE), plane.target


_RANGES, _BEAMS = 112, 64
_LOOKS = 4
"""Blurs of a batch."""


def shown(maps: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Return pictures of maps, each through a sector and a scanner drawn for it.

    Parameters
    ----------
    maps : Tensor of uint8, shape (n, 112, 112)
    side : int
        Rows and columns of a picture.
    generator : torch.Generator

    Returns
    -------
    Tensor, shape (n, side, side)
        As `cardio_ultrasound.views.pictures` gives them.
    """
    n = len(maps)

    def u(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, generator=generator)

    def often(share: float) -> Tensor:
        return (torch.rand(n, 1, 1, generator=generator) < share).float()

    def slow(rows: int, columns: int, channels: int = 1) -> Tensor:
        coarse = torch.randn(n, channels, rows, columns, generator=generator)
        return nn.functional.interpolate(coarse, (_RANGES, _BEAMS), mode="bilinear")

    half, inner, depth = u(0.38, 0.97), u(0.02, 0.18) * often(0.25), u(0.72, 1.05)
    down = torch.linspace(0, 1, _RANGES)[:, None]
    beam = torch.linspace(-1, 1, _BEAMS)
    away = inner + (1 - inner) * down
    x = away * torch.sin(half * beam) * depth
    z = (away * torch.cos(half * beam) - 0.98 * inner * torch.cos(half)) * depth
    # The heart is turned, stretched, moved and bent; the probe stays.
    turn = 0.12 * torch.randn(n, 1, 1, generator=generator)
    wide, high = (torch.exp(0.12 * torch.randn(n, 1, 1, generator=generator)) for _ in range(2))
    mirror = 1 - 2 * often(0.5)
    bend = slow(5, 5, 2) * u(0.0, 0.035)[:, None]
    z = z - 0.5
    at_x = (x * turn.cos() + z * turn.sin()) * wide * mirror + u(-0.07, 0.07) + bend[:, 0]
    at_z = (z * turn.cos() - x * turn.sin()) * high + 0.5 + u(-0.06, 0.05) + bend[:, 1]
    at = torch.stack([at_x / 0.8, 2 * at_z - 1], dim=3)
    code = nn.functional.grid_sample(
        maps[:, None].float(), at, padding_mode="border", align_corners=True
    )[:, 0]
    level = (code / STEPS_PER_DB + LEAST_DB).clamp(-45, 12) * u(0.6, 1.3)
    # Surfaces across the beam gain, walls along it lose; muscle may be seen by its edges alone.
    padded = nn.functional.pad(level[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    deeper = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]
    aside = padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    steep = nn.functional.avg_pool2d(deeper.abs() + aside.abs(), 3, 1, 1)
    along = nn.functional.avg_pool2d(aside.abs(), 5, 1, 2) / (
        nn.functional.avg_pool2d(deeper.abs() + aside.abs(), 5, 1, 2) + 4.0
    )
    level = level + u(0, 12) * (deeper.clamp(0, 20) / 20) - u(0, 18) * often(0.6) * along
    level = level - u(4, 22) * often(0.3) * (1 - (steep / 8).clamp(0, 1))
    level = level + u(0, 9) * often(0.2) * (steep / 8).clamp(0, 1)
    # Gain: slow changes, sliders, depth, the outer beams, and up to three shadows.
    gain = slow(12, 8)[:, 0] * u(0, 4) + slow(8, 1)[:, 0] * u(0, 4) + u(-14, 4) * down**1.5
    gain = gain - u(0, 28) * often(0.4) * ((beam.abs() - u(0.2, 0.8)) / 0.5).clamp(0, 1)
    for _ in range(3):
        wedge = torch.exp(-(((beam - u(-1, 1)) / u(0.06, 0.35)) ** 2))
        gain = gain - u(4, 26) * often(0.35) * wedge * torch.sigmoid((down - u(0, 0.6)) / 0.03)
    level = level + gain

    def complex_noise() -> Tensor:
        return torch.randn(2, n, _RANGES, _BEAMS, generator=generator)

    haze = u(-25, 8) * 1.0 - 9 * away / u(0.03, 0.3)
    clutter = u(-50, -20) + 5 * slow(12, 7)[:, 0]
    steady = u(0, 2.5) * often(0.6)
    speckle = complex_noise()
    speckle[0] += steady
    echo = torch.exp(0.1151 * level) * speckle
    echo = echo + (torch.exp(0.1151 * haze) + torch.exp(0.1151 * clutter)) * complex_noise()
    parts = []
    for part in echo.chunk(_LOOKS, dim=1):
        axial, lateral = (0.5 + torch.rand(2, generator=generator)).tolist()
        parts.append(_blurred(part, axial, 0.3 + 1.2 * lateral))
    echo = torch.cat(parts, dim=1) + torch.exp(0.1151 * u(-54, -26)) * complex_noise()
    decibel = 10 * torch.log10((echo**2).sum(dim=0) + 1e-6)
    mean, spread = decibel.mean(dim=(1, 2), keepdim=True), decibel.std(dim=(1, 2), keepdim=True)
    white = mean + u(0.9, 2.4) * spread
    linear = (1 + (decibel - white) / u(28, 75)).clamp(0, 1) ** torch.exp(u(-0.5, 0.6))
    bent_curve = torch.sigmoid((decibel - white + u(3, 20)) * u(0.06, 0.25))
    grey = torch.where(often(0.25) > 0, bent_curve, linear)
    # The screen.
    pixel = (torch.arange(2 * side) + 0.5) / (2 * side)
    half_width, top = torch.sin(half), inner * torch.cos(half)
    size = torch.maximum(2 * half_width, 1 - top)
    right = (pixel - 0.5) * size
    low = (pixel[:, None] - 0.5) * size + (1 + top) / 2
    radius, angle = torch.hypot(right, low), torch.atan2(right, low)
    place = torch.stack([angle / half, 2 * (radius - inner) / (1 - inner) - 1], dim=3)
    seen = nn.functional.grid_sample(grey[:, None], place, align_corners=True)
    there = (place.abs() <= 1).all(dim=3).float()[:, None]
    share = nn.functional.avg_pool2d(there, 2)
    picture = (nn.functional.avg_pool2d(seen * there, 2) / share.clamp(min=0.5))[:, 0]
    inside = (share > 0.5).float()[:, 0]
    count = inside.sum(dim=(1, 2), keepdim=True)
    picture = picture - (picture * inside).sum(dim=(1, 2), keepdim=True) / count
    spread = ((picture**2 * inside).sum(dim=(1, 2), keepdim=True) / count).sqrt()
    return (picture / spread.clamp(min=0.004)).clamp(-3, 3) * inside


def _blurred(echo: Tensor, axial: float, lateral: float) -> Tensor:
    """Return echoes (2, n, ranges, beams) blurred along and across beams at about equal power."""
    reach = torch.arange(-4, 5)
    made = echo.flatten(0, 1)[:, None]
    for sigma, shape in ((axial, (1, 1, 9, 1)), (lateral, (1, 1, 1, 9))):
        weight = torch.exp(-0.5 * (reach / sigma) ** 2)
        made = nn.functional.conv2d(
            made, (weight / weight.norm()).reshape(shape), padding=(shape[2] // 2, shape[3] // 2)
        )
    return made[:, 0].reshape(echo.shape)
