"""Loops that a video codec has been through: motion survives what it does to speckle."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardio_ultrasound import read_loop

from .mmode_phantoms import displacement_rmse_mm, measured_motion, phantom

CODECS = {
    "h264": ("-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-pix_fmt", "yuv420p"),
    "mpeg4": ("-c:v", "mpeg4", "-q:v", "9", "-pix_fmt", "yuv420p"),
}


def coded(frames: np.ndarray, rate_hz: float, codec: str, path: Path) -> np.ndarray:
    """Write a loop by ffmpeg, read it by the plugin's reader, and return it in grey."""
    n_rows, n_columns = frames.shape[1:]
    size, rate = f"{n_columns}x{n_rows}", f"{rate_hz:g}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "gray", "-s", size,
         "-r", rate, "-i", "-", *CODECS[codec], str(path)],
        input=frames.tobytes(),
        check=True,
    )  # fmt: skip
    stack = read_loop(path, frame_rate_hz=rate_hz).stack()
    return stack if stack.ndim == 3 else stack[..., 1]


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
@pytest.mark.parametrize("codec", CODECS)
def test_displacement_is_within_half_a_millimetre_after_a_video_codec(codec, tmp_path):
    one = phantom(5, "subtle")
    frames = coded(one.frames, one.spec.rate_hz, codec, tmp_path / "loop.mp4")
    assert len(frames) == len(one.frames)
    assert np.abs(frames.astype(float) - one.frames).mean() > 1.0  # it did lose something
    after = replace(one, frames=frames)
    assert displacement_rmse_mm(after, measured_motion(after, one.truth.polyline_px)) <= 0.5
