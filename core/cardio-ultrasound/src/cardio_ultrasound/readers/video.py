"""Loops as video files, through OpenCV.

A container's own frame rate is how fast it plays: exports write 30 whatever was acquired. So the
rate is stated by the caller or by the JSON beside the file; ``frame_rate_hz="container"`` says
that the container's may be trusted, and the loop carries a flag.
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

from cardio_stats.errors import unusable
from cardio_ultrasound.colour import coloured_share, grey_of_rgb, is_colour_doppler
from cardio_ultrasound.loop import Loop, Stated, TimeSource, times_of_rate
from cardio_ultrasound.readers.limits import require_size

_EVERY = 25
_AGAIN = "copy or export the video again"


@dataclass(frozen=True)
class VideoFrames:
    """The frames of a video, decoded from the beginning whenever they are asked for."""

    _path: Path
    size: tuple[int, int]

    @property
    def backend(self) -> str:
        """Always ``cv2``."""
        return "cv2"

    def frames(self, indices: range, *, colour: bool) -> Iterator[NDArray[np.uint8]]:
        """Yield frames one by one; those before and between are passed over undisplayed.

        Seeking by number is not exact in all containers, so the video is read in order.
        """
        capture = _opened(self._path)
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

    `stated` must say the frame rate or times, or ``"container"``. `max_bytes` limits the decoded
    size, checked on the container's claim.

    Raises
    ------
    DataError
        Not decodable, fewer frames than the container claims, or no stated frame rate.
    """
    if not _is_container(path):
        raise unusable(path.name, "an AVI, MP4 or Matroska file", "another kind", _AGAIN)
    capture = _opened(path)
    try:
        if not capture.isOpened():
            raise unusable(path.name, "a video that OpenCV opens", "another file", _AGAIN)
        n_rows = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        n_columns = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        claimed = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        container_hz = float(capture.get(cv2.CAP_PROP_FPS))
        require_size(path.name, max(claimed, 2), n_rows, n_columns, 3, max_bytes)
        most = max_bytes // max(n_rows * n_columns * 3, 1)
        n_frames, share = _count(capture, most)
    finally:
        capture.release()
    require_size(path.name, n_frames, n_rows, n_columns, 3, max_bytes)
    if n_frames < claimed - 1:  # some writers count one too many
        raise unusable(path.name, f"{claimed} frames", f"{n_frames} that can be decoded", _AGAIN)
    times, time_source, flags = stated.times(
        path.name, n_frames, _container_times(path.name, n_frames, container_hz, stated)
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


def _is_container(path: Path) -> bool:
    """Tell a video by its first bytes: a playlist would make FFmpeg open what it names."""
    with path.open("rb") as file:
        head = file.read(12)
    return (
        (head[:4] == b"RIFF" and head[8:] == b"AVI ")
        or head[:4] == b"\x1aE\xdf\xa3"
        or head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
    )


def _opened(path: Path) -> Any:
    """Open a video with FFmpeg alone; other back ends take numbers in a name for a sequence.

    FFmpeg refuses pictures over 268 million pixels by itself, and would say so for every frame.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)


def _count(capture: Any, most: int) -> tuple[int, float]:
    """Count the frames up to one over `most`, and look for colours in every 25th."""
    n_frames, share = 0, 0.0
    while n_frames <= most and capture.grab():
        if n_frames % _EVERY == 0:
            there, frame = capture.retrieve()
            if there:
                share = max(share, coloured_share([frame], None))
        n_frames += 1
    return n_frames, share


def _container_times(
    name: str, n_frames: int, container_hz: float, stated: Stated
) -> tuple[NDArray[np.float64], TimeSource] | None:
    """Return the container's times where they may be trusted."""
    if stated.frame_rate_hz != "container" or stated.frame_times_ms is not None:
        return None
    return times_of_rate(name, n_frames, container_hz), "container"
