"""A long loop is read in the memory of one frame; measured in a process of its own."""

from __future__ import annotations

import io
import struct
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit

from cardio_core.testing.searching import HUNG_AFTER_S

from . import us_files as us

N_FRAMES = 2000
LIMIT_MB = 300  # of the issue that asked for it; what is measured is far below

MEASURE = """
import re, sys
from pathlib import Path
from cardio_ultrasound import read_loop

def peak_mb():  # getrusage would begin at the peak of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

list(read_loop(sys.argv[1]).frames(0, 2))  # what importing and decoding takes by itself
baseline = peak_mb()
n, total = 0, 0
for frame in read_loop(sys.argv[2]).frames():
    n, total = n + 1, total + int(frame[0, 0])
print(n, peak_mb() - baseline)
"""


def measured(small, large) -> tuple[int, float]:
    command = [sys.executable, "-c", MEASURE, str(small), str(large)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=HUNG_AFTER_S)
    n_frames, extra_mb = run.stdout.split()
    return int(n_frames), float(extra_mb)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak on Linux only")
def test_two_thousand_raw_frames_take_the_memory_of_one(tmp_path):
    frame = np.zeros((2, 480, 640), np.uint8)
    small = us.written(us.dataset(frame), tmp_path / "small.dcm")
    made = us.dataset(frame, NumberOfFrames=N_FRAMES)
    large = us.written(made, tmp_path / "large.dcm")
    length_at = large.stat().st_size - frame.size - 4
    with large.open("r+b") as file:
        file.seek(length_at)
        assert struct.unpack("<L", file.read(4)) == (frame.size,)
        file.seek(length_at)
        file.write(struct.pack("<L", N_FRAMES * 480 * 640))
        file.truncate(length_at + 4 + N_FRAMES * 480 * 640)  # sparse: no space on the disk
    n_frames, extra_mb = measured(small, large)
    assert n_frames == N_FRAMES
    assert extra_mb < LIMIT_MB / 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the peak on Linux only")
def test_two_thousand_jpeg_frames_take_the_memory_of_one(tmp_path):
    frame = np.repeat(us.moving_texture(1, 240, 320)[0, ..., None], 3, axis=-1)
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=30)
    stream = buffer.getvalue() + b"\0" * (len(buffer.getvalue()) % 2)
    paths = []
    for n_frames in (2, N_FRAMES):
        shape = np.broadcast_to(frame, (2, *frame.shape))
        made = us.dataset(
            shape,
            "YBR_FULL_422",
            JPEGBaseline8Bit,
            NumberOfFrames=n_frames,
            PixelData=encapsulate([stream] * n_frames),
        )
        paths.append(us.written(made, tmp_path / f"{n_frames}.dcm"))
    n_frames, extra_mb = measured(*paths)
    assert n_frames == N_FRAMES
    assert extra_mb < LIMIT_MB / 3
