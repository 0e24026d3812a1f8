"""Spectrogram pictures of beats: ours in blocks beside a loop over scipy and OpenCV, in one run.

    python benchmarks/spectrograms.py --beats 2000 --size 224

Both make the same pictures (mode M2) of the same synthetic beats on one thread; the largest
difference is printed beside the times. Times are of the processor, medians over the repeats. The
loop is timed twice: with new memory for its pictures each time, as ours takes, and writing over
the last ones, since new memory for floats costs it more than ours for bytes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

import cv2
import numpy as np
import torch
from scipy import signal
from speed.ratios import add_ratios, keep_ratios

from cardio_ecg_transfer.signal.segments import BeatSegments, segment_beats
from cardio_ecg_transfer.signal.spectrogram.pictures import Spectrograms, beat_spectrograms
from cardio_ecg_transfer.signal.spectrogram.settings import SpectrogramSettings

RATE_HZ = 360.0


def synthetic_segments(n_beats: int) -> BeatSegments:
    """Cut beats of one lead from noise with a pulse at every R peak, at a changing rate."""
    rng = np.random.default_rng(0)
    r_samples = np.cumsum(rng.integers(240, 420, size=n_beats + 4))
    ecg_mv = 0.02 * rng.standard_normal((1, int(r_samples[-1]) + 1000)).astype(np.float32)
    pulse = np.exp(-((np.arange(-40, 41) / 8) ** 2)).astype(np.float32)
    for r in r_samples:
        ecg_mv[0, r - 40 : r + 41] += pulse
    return segment_beats(ecg_mv, r_samples, RATE_HZ)


def scipy_and_cv2(
    cut: BeatSegments, settings: SpectrogramSettings, pictures: np.ndarray | None = None
) -> np.ndarray:
    """Return decibels, shape (n_beats, height, width), one beat at a time."""
    size = (settings.width, settings.height)
    if pictures is None:
        pictures = np.empty((len(cut.beat), settings.height, settings.width), dtype=np.float32)
    for i, length in enumerate(cut.length):
        segment = cut.segments_mv[i, 0, :length]
        hz, _, x = signal.stft(segment, RATE_HZ, window="hann", nperseg=64, noverlap=60, nfft=512)
        db = 10 * np.log10(np.maximum(np.abs(x[hz <= settings.max_hz]) ** 2, 1e-16))
        clipped = np.maximum(db, db.max() - settings.floor_db)
        pictures[i] = cv2.resize(clipped, size, interpolation=cv2.INTER_LINEAR)
    return pictures


def main() -> None:
    """Run both and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beats", type=int, default=2000)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--block", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    add_ratios(parser)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    cut = synthetic_segments(asked.beats)
    settings = SpectrogramSettings(height=asked.size, width=asked.size)

    def ours() -> Spectrograms:
        return beat_spectrograms(
            cut.segments_mv, cut.length, RATE_HZ, settings, device=asked.device, block=asked.block
        )

    times_s: dict[str, list[float]] = {"blocks": [], "scipy_cv2": [], "scipy_cv2_same_memory": []}
    for _ in range(asked.repeats):
        begun = time.process_time()
        made = ours()
        times_s["blocks"].append(time.process_time() - begun)
        begun = time.process_time()
        expected = scipy_and_cv2(cut, settings)
        times_s["scipy_cv2"].append(time.process_time() - begun)
        begun = time.process_time()
        scipy_and_cv2(cut, settings, expected)
        times_s["scipy_cv2_same_memory"].append(time.process_time() - begun)
    median_s = {name: statistics.median(times) for name, times in times_s.items()}
    peers = {"scipy_cv2": "", "scipy_cv2_same_memory": ", same memory"}
    keep_ratios(
        asked.ratios,
        {
            f"spectrograms beside scipy and OpenCV{title}": median_s[name] / median_s["blocks"]
            for name, title in peers.items()
        },
    )
    difference = np.abs(made.decibels()[:, 0] - expected).max()
    print(
        json.dumps(
            {
                "n_pictures": len(cut.beat),
                "size": asked.size,
                "device": asked.device,
                "seconds_per_10000": {
                    name: round(1e4 * s / len(cut.beat), 2) for name, s in median_s.items()
                },
                "ratio": {
                    name: round(s / median_s["blocks"], 1)
                    for name, s in median_s.items()
                    if name != "blocks"
                },
                "largest_difference_db": round(float(difference), 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
