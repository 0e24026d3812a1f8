"""Screens on which an ECG is drawn in six styles, and screens that show other lines.

Drawn with OpenCV, independently of the package's own simulation. `python -m
core.cardio-ultrasound.tests.drawn_traces` is not needed: `test_drawn_traces` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

STYLES = ("growing", "erase bar", "running", "running, then stopped", "whole", "over tissue")
COLOURS = ((60, 230, 90), (255, 255, 255), (90, 200, 255), (255, 220, 60), (190, 190, 190))
ROWS, COLUMNS, SECTOR_ROWS = 200, 240, 150


@dataclass(frozen=True, eq=False)
class Traced:
    """Frames, their times, where no tissue is, and the R peaks that were drawn within the loop."""

    rgb: np.ndarray
    times_ms: np.ndarray
    outside: np.ndarray
    r_ms: np.ndarray
    style: str

    def cut(self, start: int, n: int) -> Traced:
        part = slice(start, start + n)
        begins = self.times_ms[part][0]
        times = self.times_ms[part] - begins
        r_ms = self.r_ms - begins
        r_ms = r_ms[(r_ms >= 0) & (r_ms <= times[-1])]
        return Traced(self.rgb[part], times, self.outside, r_ms, self.style)


def tissue(rng, n_frames):
    """A sector of speckle that moves, grey, in the upper part of the screen."""
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    across, down = columns - COLUMNS / 2, rows + 2.0
    inside = (np.abs(np.arctan2(across, down)) < 0.7) & (np.hypot(across, down) < SECTOR_ROWS)
    noise = cv2.GaussianBlur(rng.rayleigh(60, (ROWS + 40, COLUMNS)).astype(np.float32), (0, 0), 1.2)
    shift = (10 + 8 * np.sin(np.arange(n_frames) / 6)).astype(int)
    grey = np.stack([noise[s : s + ROWS] for s in shift])
    return np.where(inside, grey, 0).clip(0, 150).astype(np.uint8), inside


def ecg(rng, until_ms, sign):
    """R peaks, and the voltage at any time: P, Q, R, S, T on a baseline that wanders."""
    rr_ms = rng.uniform(550, 1150)
    r_ms = -12_000 + np.cumsum(rr_ms * (1 + 0.05 * rng.standard_normal(80)))
    r_ms = r_ms[r_ms < until_ms + 1500]
    begins, t_mv, s_mv = rng.uniform(0, 6), rng.uniform(0.1, 0.4), rng.uniform(-0.4, -0.1)
    waves = ((0.12, -160, 22), (-0.1, -28, 8), (1.0, 0, 12), (s_mv, 28, 11), (t_mv, 260, 45))

    def at(at_ms):
        at_ms = np.asarray(at_ms, float)
        near = (r_ms > at_ms.min() - 2000) & (r_ms < at_ms.max() + 2000)
        since = at_ms[..., None] - r_ms[near]
        own = sum(a * np.exp(-(((since - t) / w) ** 2) / 2).sum(axis=-1) for a, t, w in waves)
        return sign * own + 0.06 * np.sin(at_ms / 1700 * 2 * np.pi + begins)

    return r_ms, at


def traced(seed: int, style: str) -> Traced:
    """Draw one screen: 60 to 400 frames, 25 to 60 a second, thick or thin, clipped or negative."""
    rng = np.random.default_rng(seed)
    # Of a trace of the whole loop a frame is one column or more, as on a screen of its real width.
    n_frames = int(rng.integers(60, 201 if style == "whole" else 401))
    times_ms = np.arange(n_frames) * 1000.0 / rng.choice([25, 30, 40, 50, 60])
    negative, clipped = rng.random() < 0.2, rng.random() < 0.2
    r_ms, mv = ecg(rng, times_ms[-1], -1.0 if negative else 1.0)
    grey, inside = tissue(rng, n_frames)
    colour = COLOURS[int(rng.integers(len(COLOURS)))]
    # Grey over grey tissue is bright, as scanners draw it to be seen.
    if style == "over tissue" and len(set(colour)) == 1:
        colour = (255, 255, 255)
    top = int(rng.integers(96, 112)) if style == "over tissue" else 156
    bottom = min(top + int(rng.integers(28, 42)), ROWS - 3)
    left, right = int(rng.integers(2, 30)), int(rng.integers(COLUMNS - 40, COLUMNS - 3))
    px_per_s, thick = float(rng.choice([60, 75, 110, 150])), int(rng.integers(1, 3))
    per_px = 1000.0 / px_per_s
    gain = (1.6 if clipped else rng.uniform(0.5, 0.7)) * (bottom - top)
    middle = top + (0.3 if negative else 0.72) * (bottom - top)
    x = np.arange(left, right + 0.01, 0.25)
    width_ms = (right - left) * per_px
    grid = rng.random() < 0.3
    kind = style
    if style == "over tissue":
        kind = ("erase bar", "running", "growing")[seed % 3]
    stops_ms = times_ms[-1] * rng.uniform(0.5, 0.8) if kind == "running, then stopped" else np.inf
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    quality = int(rng.integers(70, 96))
    last_drawn = 0.0
    for number, now in enumerate(times_ms):
        page = np.ascontiguousarray(rgb[number])
        if grid:
            for column in np.arange(left, right, 0.2 * px_per_s):
                cv2.line(page, (int(column), top), (int(column), bottom), (38, 38, 46), 1)
        if kind == "whole":
            at = (x - left) / (right - left) * times_ms[-1]
            shown = np.ones(x.size, bool)
            cursor = int(left + (right - left) * now / times_ms[-1])
            cv2.line(page, (cursor, top), (cursor, bottom), (255, 210, 60), 1)
        elif kind == "growing":
            at = (x - left) * per_px
            shown = at <= now
            last_drawn = min(float(times_ms[-1]), width_ms)
        elif kind == "erase bar":
            head = now % width_ms
            behind = (head - (x - left) * per_px) % width_ms
            at = now - behind
            gap_ms = rng.uniform(60, 61) + 4 * per_px
            shown = (behind < width_ms - gap_ms) & (at >= -3000)
            last_drawn = float(times_ms[-1])
        else:
            at = min(now, stops_ms) - (right - x) * per_px
            shown = np.ones(x.size, bool)
            last_drawn = float(min(times_ms[-1], stops_ms))
        rows = np.clip(middle - gain * mv(at), top, bottom)
        breaks = np.flatnonzero(~shown[1:] | ~shown[:-1] | (np.diff(at) < 0)) + 1
        for part in np.split(np.arange(x.size), breaks):
            points = [(x[i], rows[i]) for i in part if shown[i]]
            if len(points) > 1:
                line = np.round(np.array(points)).astype(np.int32)
                cv2.polylines(page, [line], False, colour, thick)
        coded = cv2.imencode(".jpg", page[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        rgb[number] = cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1]
    if kind == "whole":
        last_drawn = float(times_ms[-1])
    own = r_ms[(r_ms >= 0) & (r_ms <= last_drawn)]
    return Traced(rgb, times_ms, ~inside, own, style)


OTHERS = ("graph", "graph that grows", "text", "ruler", "spectrum", "cursor over a graph", "breath")


def untraced(seed: int, what: str) -> Traced:
    """Draw a screen without an ECG: what a reader of traces must not take for one."""
    rng = np.random.default_rng(seed)
    n_frames = int(rng.integers(60, 200))
    times_ms = np.arange(n_frames) * 20.0
    grey, inside = tissue(rng, n_frames)
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    left, right, top, bottom = 10, COLUMNS - 10, 156, ROWS - 4
    x = np.arange(left, right)
    knots = rng.uniform(top + 4, bottom - 4, 9)
    curve = np.interp(x, np.linspace(left, right, 9), knots)
    curve = cv2.GaussianBlur(curve[None].astype(np.float32), (0, 0), 4)[0]
    spikes = [int(c) for c in rng.uniform(left + 8, right - 8, 3)]
    peaked = curve.copy()
    for column in spikes:  # a plot of points with outliers
        peaked[column - left - 1 : column - left + 2] = top + rng.uniform(0, 20)
    envelope = np.abs(np.sin(np.arange(4000) / 19.0 + rng.uniform(0, 6))) * (bottom - top) * 0.8
    for number, now in enumerate(times_ms):
        page = np.ascontiguousarray(rgb[number])
        share = number / n_frames
        if what in ("graph", "cursor over a graph", "graph that grows"):
            cv2.line(page, (left, top), (left, bottom), (180, 180, 180), 1)
            cv2.line(page, (left, bottom), (right, bottom), (180, 180, 180), 1)
            shown = x <= left + (right - left) * share if what == "graph that grows" else x > 0
            own = curve if what == "graph that grows" else peaked
            line = np.round(np.stack([x[shown], own[shown]], axis=1)).astype(np.int32)
            if len(line) > 1:
                cv2.polylines(page, [line], False, (90, 220, 120), 1)
            if what == "cursor over a graph":
                at = int(left + (right - left) * share)
                cv2.line(page, (at, top), (at, bottom), (255, 210, 60), 1)
        elif what == "text":
            words = f"HR {60 + number % 7} bpm  {number:03d}  TIS 0.8 MI 1.2 14cm"
            cv2.putText(page, words, (left, bottom - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45,
                        (220, 220, 220), 1)  # fmt: skip
        elif what == "ruler":
            cv2.line(page, (left, bottom - 10), (right, bottom - 10), (200, 200, 200), 1)
            for k, column in enumerate(range(left, right, 12)):
                tall = 12 if k % 5 == 0 else 6
                cv2.line(page, (column, bottom - 10 - tall), (column, bottom - 10),
                         (200, 200, 200), 1)  # fmt: skip
            at = int(left + (right - left) * share)
            cv2.line(page, (at, top), (at, bottom), (255, 255, 255), 1)
        elif what == "spectrum":
            for column in x:
                tall = envelope[(number * 2 + column) % 4000]
                speckle = rng.integers(60, 200)
                cv2.line(page, (int(column), bottom), (int(column), int(bottom - tall)),
                         (int(speckle),) * 3, 1)  # fmt: skip
        elif what == "breath":
            at = now - (right - x) * 20.0
            rows = (top + bottom) / 2 + 14 * np.sin(at / 560)
            line = np.round(np.stack([x, rows], axis=1)).astype(np.int32)
            cv2.polylines(page, [line], False, (90, 200, 255), 1)
        rgb[number] = page
    return Traced(rgb, times_ms, ~inside, np.zeros(0), what)
