"""Speckle loops with a known sector, a patient's name and an ECG trace printed on them."""

from __future__ import annotations

from functools import cache

import numpy as np

from cardio_ultrasound import EchoScanner, Look, PointSpread, Sector, burn_in, draw_scatterers

NAME = "DOE^JANE"
LINES = (f"{NAME} 1961", "ID 4711-99")
FONT_PX = 12
TRACE_ROWS = (205, 250)
SECTOR = Sector(half_angle_deg=36.0)


@cache
def speckle(sector: Sector = SECTOR, seed: int = 0, n_frames: int = 8, look: Look | None = None):
    """Return tissue around a dark cavity that moves, shape (n_frames, n_rows, n_columns)."""
    rng = np.random.default_rng(seed)
    places = draw_scatterers(sector, PointSpread(), rng)
    amplitude = np.ones(len(places), np.float32)
    amplitude[np.hypot(places[:, 0], places[:, 1] - 70) < 35] = 0.03
    moved = [places + np.float32(0.8 * number) for number in range(n_frames)]
    return EchoScanner(sector, rng, look=look).frames(moved, amplitude)


def ecg_mv() -> np.ndarray:
    time = np.linspace(0, 1, 600)
    return np.exp(-(((time % 0.25 - 0.1) / 0.008) ** 2))


def printed(frames: np.ndarray, *, colour: bool = True, text_at: tuple[int, int] = (2, 2)):
    """Burn the name in at the top left, and a trace that crosses the arc of `SECTOR`."""
    shown = np.repeat(frames[..., None], 3, axis=-1) if colour else frames
    return burn_in(
        shown, LINES, ecg_mv=ecg_mv(), text_at=text_at, font_px=FONT_PX, trace_rows=TRACE_ROWS
    )
