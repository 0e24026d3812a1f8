"""Loops as video files, through OpenCV: 8 bits a channel, turned as the container says.

A container's own times are how fast it plays: exports write 30 a second whatever was acquired. So
the rate is stated by the caller or by the JSON beside the file; ``frame_rate_hz="container"`` says
that the container's times may be trusted, ``"unconfirmed"`` takes them all the same, and the loop
carries a flag. They are those of every frame, so that a variable rate stays one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError, unusable
from cardio_ultrasound.colour import coloured_share, grey_of_rgb, is_colour_doppler
from cardio_ultrasound.loop import (
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    Loop,
    Stated,
    TimeSource,
    checked_times,
    times_of_rate,
)
from cardio_ultrasound.readers.containers import look_at_container
from cardio_ultrasound.readers.limits import require_size

_EVERY = 25
_AGAIN = "copy or export the video again"


@dataclass(frozen=True)
class VideoFrames:
    """The frames of a video, decoded from the beginning whenever they are asked for."""

    _path: Path
    size: tuple[int, int]

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield frames one by one; those before and between are passed over undisplayed.

        Seeking by number is not exact in all containers, so the video is read in order.
        """
        capture = opened(self._path)
        try:
            at = 0
            for index in indices:
                while at < index:
                    capture.grab()
                    at += 1
                there, frame = capture.read()
                at += 1
                if not there or frame.shape[:2] != self.size:
                    raise unusable(
                        self._path.name,
                        f"a frame {index + 1} of {self.size[0]} × {self.size[1]}",
                        "none that can be decoded",
                        _AGAIN,
                    )
                rgb = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
                yield rgb if colour else grey_of_rgb(rgb)
        finally:
            capture.release()


def read_video_loop(path: Path, stated: Stated, max_bytes: int) -> Loop:
    """Open a video: decode it once to count its frames, as containers miscount them.

    `stated` must say the frame rate or times, ``"container"`` or ``"unconfirmed"``. `max_bytes`
    limits the decoded size, checked on the container's claim.

    Raises
    ------
    DataError
        Empty, cut short, not decodable, fewer frames than the container claims, or no stated frame
        rate.
    """
    require_whole(path)
    capture = opened(path)
    try:
        if not capture.isOpened():
            raise unusable(
                path.name, "a video that OpenCV opens", "another file", _AGAIN, code="damaged"
            )
        n_rows = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        n_columns = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        claimed = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        container_hz = float(capture.get(cv2.CAP_PROP_FPS))
        require_size(path.name, max(claimed, 2), n_rows, n_columns, 3, max_bytes)
        most = max_bytes // max(n_rows * n_columns * 3, 1)
        played_ms, share = _played(capture, most)
    finally:
        capture.release()
    n_frames = len(played_ms)
    require_size(path.name, n_frames, n_rows, n_columns, 3, max_bytes)
    if n_frames < claimed - 1:  # some writers count one too many
        raise unusable(path.name, f"{claimed} frames", f"{n_frames} that can be decoded", _AGAIN)
    times, time_source, flags = stated.times(
        path.name, n_frames, _container_times(path.name, played_ms, container_hz, stated)
    )
    doppler = is_colour_doppler(share, tagged=False)
    r_times, r_source = stated.r_peaks(path.name)
    return Loop(
        name=path.name,
        source=VideoFrames(path, (n_rows, n_columns)),
        n_frames=n_frames,
        size=(n_rows, n_columns),
        frame_times_ms=times,
        time_source=time_source,
        mm_per_pixel=stated.mm_per_pixel,
        r_times_ms=r_times,
        r_source=r_source,
        colour_doppler=doppler,
        flags=(*flags, *(["colour Doppler"] * doppler)),
    )


def require_whole(path: Path) -> None:
    """Check that a file is a video, by its first bytes, and whole, by the sizes that it states.

    A playlist is none: FFmpeg would open what it names.

    Raises
    ------
    DataError
        Empty, cut short, or another kind of file.
    """
    container = look_at_container(path)
    if container.damage:
        kind = container.kind or "video"
        raise unusable(
            path.name, "a whole video", f"{kind}, {container.damage}", _AGAIN, code="damaged"
        )
    if not container.kind:
        raise unusable(
            path.name, "an AVI, MP4 or Matroska file", "another kind", _AGAIN, code="unsupported"
        )


def rate_of_container(path: Path) -> float | None:
    """Return how many frames a second a video plays, by its header; None where it does not say."""
    require_whole(path)
    capture = opened(path)
    try:
        rate_hz = float(capture.get(cv2.CAP_PROP_FPS)) if capture.isOpened() else 0.0
    finally:
        capture.release()
    return rate_hz if MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ else None


def opened(path: Path) -> Any:
    """Open a video with FFmpeg alone; other back ends take numbers in a name for a sequence.

    FFmpeg refuses pictures over 268 million pixels by itself, and would say so for every frame.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)


def _played(capture: Any, most: int) -> tuple[list[float], float]:
    """Return when each frame is shown, up to one over `most`; look for colours in every 25th."""
    played_ms: list[float] = []
    share = 0.0
    while len(played_ms) <= most and capture.grab():
        if len(played_ms) % _EVERY == 0:
            there, frame = capture.retrieve()
            if there:
                share = max(share, coloured_share([frame], None))
        played_ms.append(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
    return played_ms, share


def _container_times(
    name: str, played_ms: list[float], container_hz: float, stated: Stated
) -> tuple[NDArray[np.float64], TimeSource] | None:
    """Return the container's times where they may be used: of every frame, else of its rate."""
    wanted = stated.frame_rate_hz
    if wanted not in ("container", "unconfirmed") or stated.frame_times_ms is not None:
        return None
    source: TimeSource = "container" if wanted == "container" else "unconfirmed"
    try:
        return checked_times(name, len(played_ms), played_ms), source
    except DataError:
        return times_of_rate(name, len(played_ms), container_hz), source
