"""A de-identified loop as a video: FFV1 in Matroska, every grey level as it was.

What the container cannot say lies in a JSON beside it, as `read_loop` reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from cardio_stats.errors import DataError
from cardio_stats.files import write_text
from cardio_ultrasound.loop import Loop, irregular
from cardio_ultrasound.readers.video import opened

SUFFIX = ".mkv"
UNEVEN = "frames were shown at uneven times; the video shows them evenly"


def write_video(
    path: Path, loop: Loop, frames: Iterator[NDArray[np.uint8]], *, colour: bool, timed: bool
) -> tuple[str, ...]:
    """Write frames as FFV1, and what is known of the loop as JSON beside them; return flags.

    Parameters
    ----------
    path : Path
        Ends with ``.mkv``.
    loop : Loop
        Where the frames come from: its rate, its times, the size of a pixel, its R peaks.
    frames : iterator of ndarray of uint8
        Grey (n_rows, n_columns), or RGB (n_rows, n_columns, 3) where `colour`.
    colour : bool
    timed : bool
        Whether the loop's times are those of its acquisition; else the JSON says none.

    Raises
    ------
    DataError
        OpenCV cannot write it, or what is read again is not what was written.
    """
    n_rows, n_columns = loop.size
    writer = cv2.VideoWriter(
        str(path),
        cv2.CAP_FFMPEG,
        cv2.VideoWriter.fourcc(*"FFV1"),
        loop.frame_rate_hz,
        (n_columns, n_rows),
        [cv2.VIDEOWRITER_PROP_IS_COLOR, int(colour)],
    )
    before = sha256()
    try:
        for frame in frames if writer.isOpened() else ():
            shown = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) if colour else frame
            before.update(shown.tobytes())
            writer.write(shown)
    finally:
        writer.release()
    if not path.is_file() or _digest(path, colour=colour) != before.hexdigest():
        raise DataError(
            "expected a video that holds every pixel as it was, found another one; write DICOM "
            "(--as dicom), or install the tested opencv-python-headless"
        )
    stated: dict[str, Any] = {}
    if timed:
        stated["frame_times_ms"] = loop.frame_times_ms.tolist()
    if loop.mm_per_pixel is not None:
        stated["mm_per_pixel"] = list(loop.mm_per_pixel)
    if timed and loop.r_times_ms is not None:
        stated["r_times_ms"] = loop.r_times_ms.tolist()
    if stated:
        write_text(path.with_suffix(".json"), json.dumps(stated) + "\n")
    return () if timed or not irregular(loop.frame_times_ms) else (UNEVEN,)


def _digest(path: Path, *, colour: bool) -> str:
    found = sha256()
    capture = opened(path)
    try:
        while True:
            there, frame = capture.read()
            if not there:
                break
            found.update((frame if colour else frame[..., 0]).tobytes())
    finally:
        capture.release()
    return found.hexdigest()
