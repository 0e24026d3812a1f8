"""Loops that judge the view gate: hearts of tubes in space, sparse scatterers, whole screens.

Written after the network's own phantoms and the outlines that it is calibrated on, and shares no
code with them: ventricles are tubes of uneven cross-section, planes run through landmarks, a
slice has a thickness, and the picture passes speckle reduction, a colour map, print and a codec.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
KINDS = ("a4c", "a2c", "a3c", "plax", "psax", "subcostal", "off axis", "esophageal", "no heart")


@dataclass
class Anatomy:
    """A heart in mm: r to the right ventricle, a to the front, z from the mitral ring to the apex.

    Attributes
    ----------
    sizes : dict of str to float
        Of chambers, and echo levels in dB.
    uneven : ndarray, shape (2, 4)
        Amplitudes and phases of the cross-section's waves.
    """

    sizes: dict[str, float]
    uneven: Array
    beat: float = 0.0
    open: float = 0.0

    def distances(self, at: Array) -> dict[str, Array]:
        """Return signed distances in mm of points (n, 3) from cavities; negative inside."""
        s = self.sizes
        length = s["length"] * (1 - s["shorten"] * self.beat)
        r, a, z = at.T
        z = z - s["length"] * s["shorten"] * self.beat
        t = np.clip(z / length, 0, 1.2)
        r0, a0 = r - s["bend_r"] * t**2, a - s["bend_a"] * t**2
        turn, away = np.arctan2(a0, r0), np.hypot(r0, a0)
        waves = 1 + sum(
            share * np.cos((k + 2) * turn + phase) for k, (share, phase) in enumerate(self.uneven.T)
        )
        profile = np.clip(1 - np.minimum(t, 1) ** s["blunt"], 0, 1) ** 0.5
        radius = s["radius"] * (1 - s["eject"] * self.beat)
        wall = s["wall"] * (1 + 0.4 * self.beat) * (1 - s["thin_apex"] * np.clip(t, 0, 1) ** 2)
        inner = np.maximum(away - radius * waves * profile, np.maximum(-z, z - length))
        outer_mm = radius * waves * profile + wall
        outer = np.maximum(away - outer_mm, np.maximum(-4 - z, z - length - wall))
        span = np.abs(np.angle(np.exp(1j * (turn - s["right_turn"])))) / s["right_span"]
        reach = s["right"] * (1 - 0.25 * self.beat) * np.clip(1 - span**2, 0, 1) ** 0.6
        reach = reach * np.clip(1 - (t / s["right_ends"]) ** 2, 0, 1) ** 0.5
        right = np.maximum(away - outer_mm - reach, np.maximum(outer + 0.5, 2 - z))
        right = np.where(reach > 0.5, right, 30.0)
        aorta_r, aorta_a = s["aorta_r"] - 0.25 * z, s["aorta_a"] - 0.1 * z + 0.004 * z**2
        bulb = 2.0 * np.exp(-(((z + 10) / 7) ** 2))
        aorta = np.maximum(np.hypot(r - aorta_r, a - aorta_a) - s["aorta"] - bulb, z - 4)
        left_atrium = self._box(at, (s["la_r"], s["la_a"], -0.95 * s["la"]), s["la"], s["la_wide"])
        right_atrium = self._box(at, (s["ra_r"], -4.0, -0.9 * s["ra"] + 4), s["ra"], 1.0)
        start = np.array([s["radius"] + s["wall"] + 8, 20.0, 15.0])
        middle = np.array([s["aorta_r"] + 3, s["aorta_a"] + s["aorta"] + 11, -4.0])
        end = np.array([s["aorta_r"] - 24, s["aorta_a"] + s["aorta"] - 2, -22.0])
        outflow = np.minimum(_rod(at, start, middle), _rod(at, middle, end)) - s["outflow"]
        outflow = np.maximum(outflow, 2 - aorta)
        descending = np.hypot(r + 4, a + s["radius"] + s["wall"] + 16) - 0.8 * s["aorta"]
        return {
            "inner": inner, "outer": outer, "right": right, "aorta": aorta, "la": left_atrium,
            "ra": np.maximum(right_atrium, 2.5 - left_atrium), "outflow": outflow,
            "descending": np.maximum(descending, z - 0.2 * length), "z": z, "away": away,
            "turn": turn, "t": t, "r": r, "a": a,
        }  # fmt: skip

    @staticmethod
    def _box(at: Array, centre: tuple[float, float, float], size: float, wide: float) -> Array:
        """Return the distance from a rounded box of half-lengths about `size`."""
        part = np.abs(at - centre) / (size * np.array([wide, 0.95, 1.0]))
        return np.asarray(((part**2.6).sum(axis=1) ** (1 / 2.6) - 1) * size * 0.9)

    def levels(self, at: Array) -> tuple[Array, Array]:
        """Return levels in dB of points, and their distance from the nearest cavity's surface."""
        d, s = self.distances(at), self.sizes
        heart = np.minimum.reduce([d["outer"], d["right"] - 3, d["la"] - 2, d["ra"] - 2])
        level = np.where(heart < 12, s["fat_db"], s["lung_db"])
        level[(d["descending"] < 2)] = s["thin_db"]
        level[(d["descending"] < 0)] = s["blood_db"]
        level[heart < 2.0] = s["rim_db"]
        for name, wall in (("right", 4.0), ("outflow", 3.0), ("ra", 2.5), ("la", 2.5)):
            level[(d[name] < wall) & (d["outer"] > 0)] = s["thin_db"]
            level[(d[name] < 0) & (d["outer"] > 0)] = s["blood_db"]
        level[d["outer"] < 0] = s["muscle_db"]
        level[(d["la"] < 0)] = s["blood_db"]
        level[d["inner"] < 0] = s["blood_db"]
        muscle = np.minimum(
            np.hypot(d["r"] + 0.45 * s["radius"], d["a"] - 0.55 * s["radius"]),
            np.hypot(d["r"] + 0.2 * s["radius"], d["a"] + 0.68 * s["radius"]),
        )
        level[(muscle < 0.25 * s["radius"]) & (d["inner"] < 0) & (np.abs(d["t"] - 0.5) < 0.17)] = s[
            "muscle_db"
        ]
        level[(d["aorta"] < 2.5) & (d["z"] < 4)] = s["thin_db"] + 3
        level[d["aorta"] < 0] = s["blood_db"]
        ring = 0.62 * s["radius"]
        for centre_r, centre_a, size, base in (
            (-0.1 * s["radius"], -0.28 * s["radius"], ring, 0.0),
            (s["radius"] + s["wall"] + 0.45 * s["right"], 0.0, 0.6 * s["ra"], 4.0),
        ):
            away = np.hypot(d["r"] - centre_r, d["a"] - centre_a)
            z = d["z"] - base
            tent = size * (1 - z / (6 + 14 * self.open)) if self.open else size * (1 - z / 6)
            sheet = (np.abs(away - np.maximum(tent, 0.3 * self.open * size)) < 1.5) & (z > -1.5)
            level[sheet & (z < 6 + 14 * self.open) & (d["aorta"] > 0)] = s["valve_db"]
        if self.beat == 0:
            level[(d["aorta"] < 0) & (np.abs(d["z"] + 4) < 1.2)] = s["valve_db"]
        surface = np.minimum.reduce([np.abs(d[key]) for key in ("inner", "outer", "la", "aorta")])
        return level, surface


def _rod(at: Array, start: Array, end: Array) -> Array:
    way = end - start
    share = np.clip((at - start) @ way / (way @ way), 0, 1)
    return np.asarray(np.linalg.norm(at - start - share[:, None] * way, axis=1))


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw sizes and levels."""
    u = rng.uniform
    radius = u(17, 33)
    wall = u(6, 15)
    return Anatomy(
        {
            "radius": radius, "length": float(np.clip(u(2.8, 4.2) * radius, 60, 105)),
            "wall": wall, "thin_apex": u(0, 0.5), "blunt": u(2.0, 4.5), "shorten": u(0.03, 0.17),
            "eject": u(0.08, 0.4), "bend_r": u(-6, 6), "bend_a": u(-6, 6), "right": u(14, 38),
            "right_turn": u(0.1, 0.45), "right_span": u(1.0, 1.4), "right_ends": u(0.65, 0.95),
            "aorta": u(10, 16), "aorta_r": 0.28 * radius + u(-2, 3),
            "aorta_a": 0.5 * radius + u(0, 5),
            "la": u(17, 29), "la_wide": u(0.9, 1.25), "la_r": u(-7, 0), "la_a": u(-16, -8),
            "ra": u(16, 26), "ra_r": radius + wall + u(6, 14), "outflow": u(8, 14),
            "fat_db": u(-30, -2), "lung_db": u(-40, -6), "thin_db": u(-10, 4), "rim_db": u(-2, 10),
            "muscle_db": u(-8, 2), "blood_db": u(-40, -20), "valve_db": u(-4, 7),
        },
        np.stack([rng.normal(0, (0.06, 0.04, 0.03, 0.02)), u(0, 2 * np.pi, 4)]),
    )  # fmt: skip


def _plane(
    kind: str, heart: Anatomy, rng: np.random.Generator
) -> tuple[Array, Array, Array, float]:
    """Return where the probe is, the picture's directions down and right, and the depth."""
    s, u, n = heart.sizes, rng.uniform, rng.normal
    z, out = np.array([0.0, 0, 1]), s["radius"] + s["wall"]

    def spoke(turn_deg: float) -> Array:
        return np.array([np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg)), 0.0])

    apical = {"a4c": 0.0, "a2c": 120.0, "a3c": 58.0}
    if kind in apical:
        turn = apical[kind] + n(0, 6)
        right = spoke(turn) * (-1 if kind == "a4c" else 1)
        probe = z * (s["length"] + s["wall"] + u(2, 20)) + n(0, 5, 3) * (1, 1, 0)
        mitral = np.array([-0.1, -0.28, 0.0]) * s["radius"]
        aim = mitral + spoke(0) * (u(0, 0.4) * out if kind == "a4c" else 0) + n(0, 3, 3) - 8 * z
        depth = s["length"] + 2.0 * s["la"] + u(12, 42)
    elif kind == "plax":
        side, start = spoke(62 + n(0, 6)), u(-5, 0.4 * s["length"])
        probe = side * (out + u(0.6, 1.0) * s["right"] + u(8, 22)) + z * start + n(0, 3, 3)
        aim, right = z * (start + n(0, 8)) + n(0, 3, 3), -z
        depth = 2 * out + s["right"] + u(12, 60)
    elif kind == "psax":
        level = (u(-18, -8), u(3, 12), u(0.35, 0.65) * s["length"])[rng.integers(3)]
        side = spoke(u(45, 100))
        probe = side * (out + u(0.5, 1.0) * s["right"] + u(8, 22)) + z * (level + n(0, 5))
        aim, right = z * level + n(0, 4, 3) * (1, 1, 0), np.array([-1.0, 0, 0])
        depth = 2 * out + s["right"] + u(10, 55)
    elif kind == "subcostal":
        lean = np.radians(u(0, 45))
        away = np.cos(lean) * spoke(n(0, 12)) + np.sin(lean) * z
        aim = z * u(0.05, 0.35) * s["length"] + spoke(0) * u(0, 12) + n(0, 3, 3)
        liver = u(30, 60)
        probe, right = aim + away * (out + 0.5 * s["right"] + liver), z
        depth = 2 * out + s["right"] + liver + u(0, 45)
    elif kind == "esophageal":
        turn = u(0, 360)
        probe = np.array([s["la_r"], s["la_a"], -2 * s["la"]]) - z * u(0, 8) + n(0, 4, 3)
        aim, right = z * u(0.3, 0.9) * s["length"], spoke(turn)
        depth = 2 * s["la"] + u(0.5, 1.1) * s["length"]
    else:  # beside the ventricle, or from anywhere
        turn = u(0, 360)
        if rng.random() < 0.5:
            shift = spoke(turn + 90) * (out + u(4, 18))
            probe, aim = shift + z * (s["length"] + u(0, 20)), shift - 15 * z
        else:
            aim = n(0, 32, 3) + z * 20
            way = n(0, 1, 3)
            probe = aim + way / np.linalg.norm(way) * u(70, 105)
        right, depth = spoke(turn), u(100, 180)
    down = (aim - probe) / np.linalg.norm(aim - probe)
    right = right - (right @ down) * down
    right = right / np.linalg.norm(right)
    tilt = np.radians(n(0, 7))
    return (
        probe, np.cos(tilt) * down + np.sin(tilt) * right,
        np.cos(tilt) * right - np.sin(tilt) * down,
        depth * float(np.clip(np.exp(n(0, 0.12)), 0.8, 1.4)),
    )  # fmt: skip


def _no_heart(rng: np.random.Generator, x: Array, z: Array, depth: float) -> Array:
    """Return levels of liver and vein, of lung, of a kidney, or of nothing."""
    u, what = rng.uniform, rng.integers(4)
    if what == 0:
        level = np.full(x.shape, u(-6, 2))
        slope, at = u(-0.4, 0.4), u(0.35, 0.7) * depth
        level[np.abs(z - at - slope * x) < u(6, 13)] = u(-40, -25)
        for _ in range(int(rng.integers(1, 6))):
            ends = np.array([u(-60, 60), u(20, 0.9 * depth)]), np.array([u(-60, 60), u(20, depth)])
            level[_rod(np.stack([x, z], 1), *ends) < u(1.5, 5)] = u(-40, -25)
        return level
    if what == 1:
        away = np.hypot(x, z)
        gap = u(15, 40)
        return np.asarray(-25 - 0.12 * away + 22 * np.exp(-((((away % gap) - gap / 2) / 2) ** 2)))
    if what == 2:
        part = np.hypot((x - u(-15, 15)) / u(35, 60), (z - u(60, 90)) / u(22, 35))
        level = np.where(part < 1, u(-14, -6), u(-6, 2))
        level[part < 0.5] = u(2, 8)
        return level
    return np.full(x.shape, u(-50, -15))


def judged_loop(kind: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return RGB screens of a kind of `KINDS`, shape (n_frames, n_rows, n_columns, 3)."""
    u = rng.uniform
    heart = draw_anatomy(rng)
    probe, down, right, depth = _plane("off axis" if kind == "no heart" else kind, heart, rng)
    half, n_beams, n_ranges = np.radians(u(22.5, 55)), int(u(70, 150)), 420
    n_points = int(u(25000, 60000))
    away = depth * rng.random(n_points) ** u(0.5, 1.0)
    angle = u(-half, half, n_points) * 1.02
    x, z = away * np.sin(angle), away * np.cos(angle)
    thick = rng.standard_normal(n_points) * (1.0 + 0.015 * away)
    at = probe + z[:, None] * down + x[:, None] * right + thick[:, None] * np.cross(down, right)
    beam = (z / away)[:, None] * down + (x / away)[:, None] * right
    crowd = rng.gamma(u(0.6, 3.0), size=n_points) ** 0.5
    echo = rng.standard_normal(n_points) + 1j * rng.standard_normal(n_points)
    row = np.clip((away / depth * n_ranges).astype(int), 0, n_ranges - 1)
    column = np.clip(((angle / half + 1) / 2 * n_beams).astype(int), 0, n_beams - 1)
    share = np.linspace(0, 1, n_ranges)[:, None]
    beams = np.linspace(-1, 1, n_beams)
    gain = np.interp(share[:, 0], np.linspace(0, 1, 8), rng.normal(0, 3, 8))[:, None]
    gain = gain - u(-4, 14) * share**2 - u(0, 22) * np.clip(np.abs(beams) - u(0.3, 0.9), 0, 1)
    for _ in range(int(rng.integers(0, 4))):
        rib = 1 / (1 + np.exp((np.abs(beams - u(-1, 1)) - u(0.04, 0.2)) / 0.03))
        gain = gain - u(5, 30) * rib * (share > u(0, 0.5))
    haze_db = u(-20, 6) - 60 * share / u(0.2, 1.5)
    spread = (u(0.9, 2.2), u(0.6, 1.8))
    glance, liver = u(0, 14), u(30, 60)
    white, span = u(4, 18), u(38, 75)
    knots = np.sort(np.r_[0, u(0.02, 0.98, 3), 1])
    start, frames = u(0, 1), []
    n_frames = 1 if rng.random() < 0.2 else 4
    none = _no_heart(rng, x, z, depth) if kind == "no heart" else None
    n_px = int(u(200, 460))
    calm = rng.integers(3)
    for number in range(n_frames):
        phase = (start + number / n_frames) % 1
        heart.beat = float(np.sin(np.pi * phase / 0.38)) if phase < 0.38 else 0.0
        heart.open = 0.0 if phase < 0.42 else float(u(0.4, 1))
        if none is None:
            level, surface = heart.levels(at)
            ahead = heart.levels(at + beam)[1]
            near = surface < 2.5
            level = level + glance * near * (np.abs(ahead - surface) - 0.7)
        else:
            level = none
        if kind == "subcostal":
            level = np.where(away < liver, heart.sizes["muscle_db"] - 2, level)
        level = np.where(away < 8, np.maximum(level, -8), level)
        value = echo * crowd * 10 ** (level / 20)
        grid = np.zeros((n_ranges, n_beams), complex)
        np.add.at(grid, (row, column), value)
        count = np.maximum(np.bincount(row, minlength=n_ranges)[:, None] / n_beams, 0.2)
        grid = grid / np.sqrt(count)
        noise = rng.standard_normal((2, n_ranges, n_beams))
        parts = [
            cv2.GaussianBlur(
                part + 10 ** (haze_db / 20) * extra, (0, 0), spread[1], None, spread[0]
            )
            for part, extra in zip((grid.real, grid.imag), noise, strict=True)
        ]
        power = parts[0] ** 2 + parts[1] ** 2
        decibel = 10 * np.log10(power * 4 * np.pi * spread[0] * spread[1] + 1e-6) + gain
        level_of = np.interp((decibel - white) / span + 1, knots, np.linspace(0, 1, 5))
        polar = (255 * np.clip(level_of, 0, 1)).astype(np.uint8)
        if calm == 1:
            polar = cv2.medianBlur(polar, 5)
        elif calm == 2:
            polar = cv2.bilateralFilter(polar, 7, 60, 3)
        frames.append(_scan_converted(polar, half, n_px))
    if n_frames == 1:
        frames = frames * 3
    return _on_screen(np.stack(frames), half, rng)


def _scan_converted(polar: NDArray[np.uint8], half: float, n_px: int) -> NDArray[np.uint8]:
    n_columns = int(2 * np.sin(half) * n_px) + 6
    row, column = np.indices((n_px, n_columns)).astype(np.float32)
    away = np.hypot(row, column - n_columns / 2) / n_px
    angle = np.arctan2(column - n_columns / 2, row + 1e-3) / half
    picture = cv2.remap(
        polar,
        ((np.clip(angle, -1, 1) + 1) / 2 * (polar.shape[1] - 1)).astype(np.float32),
        (away * (polar.shape[0] - 1)).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    inside = (away <= 1) & (np.abs(angle) <= 1)
    return np.asarray(np.where(inside, np.maximum(picture, 1), 0), np.uint8)


def _on_screen(
    frames: NDArray[np.uint8], half: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return RGB screens: mirrored, zoomed, coloured, printed on and coded as it comes."""
    u = rng.uniform
    if rng.random() < 0.3:
        frames = frames[:, :, ::-1]
    n_rows, n_columns = frames.shape[1:]
    if rng.random() < 0.1:
        frames = frames[:, : round(n_rows * u(0.8, 0.95))]
    made = np.zeros((len(frames), n_rows + 60, n_columns + 120), np.uint8)
    top, left = int(u(5, 50)), int(u(10, 100))
    made[:, top : top + frames.shape[1], left : left + n_columns] = frames
    tint = ((1, 1, 1), (1.0, 0.9, 0.7), (0.75, 0.9, 1.0))[rng.choice(3, p=(0.6, 0.2, 0.2))]
    screens = np.clip(made[..., None] * np.array(tint), 0, 255).astype(np.uint8)
    flow = rng.random() < 0.05
    trace = rng.random() < 0.4
    ink, words = [int(u(120, 255))] * 3, rng.random() < 0.5
    at = (int(u(0, n_columns)), int(u(15, n_rows)))
    for screen in screens:
        if words:
            cv2.putText(screen, "S5-1 72 HR", at, cv2.FONT_HERSHEY_PLAIN, 0.9, ink)
            screen[top : top + n_rows : 25, -14:-6] = 200
        if trace:
            along = np.arange(screen.shape[1])
            rows = n_rows + 40 - 14 * (np.abs(along / 90 % 1 - 0.5) < 0.03)
            line = np.stack([along, rows], 1)[None].astype(np.int32)
            cv2.polylines(screen, line, False, (40, 220, 60), 1)
        if flow:
            centre = (left + n_columns // 2 + int(u(-20, 20)), top + n_rows // 2)
            cv2.ellipse(
                screen, centre, (n_columns // 9, n_rows // 8), u(0, 90), 0, 360, (220, 60, 20), -1
            )
    if rng.random() < 0.6:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(u(10, 70))]
        screens = np.stack(
            [cv2.imdecode(cv2.imencode(".jpg", item, quality)[1], 1) for item in screens]
        )
    return screens
