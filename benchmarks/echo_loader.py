"""Clips a second: the cache of decoded sectors beside a loader that decodes a video for each clip.

    python benchmarks/echo_loader.py --videos 16 --frames 176

The same AVI files (112 × 112, Motion JPEG, as EchoNet-Dynamic publishes them) go both ways, on one
thread and in one process. The peer does for every clip what EchoNet-Dynamic's data set does: open
the file, decode all of its frames, turn them into RGB and float32, standardise, fill up what is
short, pad by 12, cut a random clip and a random window. Ours decoded each file once (that time is
printed too), and cuts the same forms of clips from the cache on disk. Frames a second are frames of
clips; in every repeat all take their turn, and times are medians. Below stands what decoding alone
costs, and pydicom's pixel_array beside the frames of our reader on the loop that pydicom ships.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pydicom
import torch
from pydicom.data import get_testdata_file
from scipy import ndimage
from speed.ratios import add_ratios, keep_ratios
from torch.utils.data import DataLoader, Dataset

from cardio_core.api import FeatureSet, SampleSet
from cardio_core.io.store import load_features, save_features
from cardio_core.training.loader import BatchSize, InOrder, TrainingOrder, make_loader
from cardio_core.types.features import concatenate
from cardio_echo_cmr.clips import ClipForm, middle_starts
from cardio_echo_cmr.findings.config import FeaturizeBlock, PreprocessBlock
from cardio_echo_cmr.findings.featurize import featurize
from cardio_echo_cmr.findings.preprocess import preprocess
from cardio_echo_cmr.networks.examples import Clips, Grey, clips_of, grey_of
from cardio_ultrasound import read_loop
from cardio_ultrasound.simulation.sector import Sector

SIDE, RATE_HZ, BATCH = 112, 50.0, 10
FORMS = {
    "paper 16 x 2": ClipForm("paper", 16, 2),
    "echonet 32 x 2": ClipForm("echonet", 32, 2, 12),
    "honest 32": ClipForm("honest", 32, 1, 12),
}
"""The clips; the peer has no form by time."""


def write_videos(folder: Path, n_videos: int, n_frames: int) -> list[Path]:
    """Write loops of moving speckle in a sector."""
    sector = Sector(depth_mm=108.0, n_rows=SIDE, n_columns=SIDE, spacing_mm=1.08, apex_row=3.0)
    rng, mask = np.random.default_rng(0), sector.mask()
    files = []
    for number in range(n_videos):
        grain = ndimage.gaussian_filter(rng.normal(size=(2 * SIDE, 2 * SIDE)), 1.2)
        grain = np.clip(90 + 60 * grain / grain.std(), 0, 255).astype(np.uint8)
        file = folder / f"{number:03d}.avi"
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), RATE_HZ, (SIDE, SIDE))
        for at in range(n_frames):
            shift = round(20 + 15 * np.sin(2 * np.pi * at / 45))
            frame = grain[shift : shift + SIDE, 10 : 10 + SIDE] * mask
            writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
        writer.release()
        files.append(file)
    return files


class _NoContext:
    """Stands in for a run: nothing may be set aside here."""

    mode = "fit"

    def quarantine(self, recording_id: str, reason: str) -> None:
        raise SystemExit(f"{recording_id}: {reason}")


def cached(files: list[Path], folder: Path) -> FeatureSet:
    """Make the features of every file, a patient each, and open them from the disk."""
    import pandas as pd

    parts = []
    for file in files:
        row = {"recording_id": file.stem, "study_id": file.stem, "patient_id": file.stem}
        table = pd.DataFrame([row], index=pd.Index([file.stem], name="sample_id"))
        samples = SampleSet(table, [read_loop(file, frame_rate_hz=RATE_HZ)])
        made = preprocess(samples, PreprocessBlock(), _NoContext())
        own = folder / file.stem
        own.mkdir()
        save_features(own, featurize(made, FeaturizeBlock()))
        parts.append(load_features(own))
    return concatenate(parts)


def examples(features: FeatureSet, form: ClipForm, grey: Grey, labels: np.ndarray) -> Clips:
    """Return one clip of every video, drawn anew in training and from its middle otherwise."""
    starts = middle_starts(form, np.asarray(features["times"].values))
    return clips_of(features, form, grey, starts, labels)


def decoded(file: Path) -> np.ndarray:
    """Decode all frames of a video into RGB, (3, n_frames, rows, columns)."""
    capture = cv2.VideoCapture(str(file))
    n_frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    rows = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    columns = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    frames = np.zeros((n_frames, rows, columns, 3), np.uint8)
    for number in range(n_frames):
        _, frame = capture.read()
        frames[number] = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
    capture.release()
    return frames.transpose((3, 0, 1, 2))


class DecodedForEachClip(Dataset):
    """What EchoNet-Dynamic's data set does for every item."""

    def __init__(self, files: list[Path], form: ClipForm, mean: float, sd: float) -> None:
        self.files, self.form = files, form
        paper = form.name == "paper"
        self.mean = np.full(3, 0.0 if paper else mean, np.float32).reshape(3, 1, 1, 1)
        self.sd = np.full(3, 255.0 if paper else sd, np.float32).reshape(3, 1, 1, 1)
        self.rng = np.random.default_rng(0)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> np.ndarray:
        form = self.form
        video = decoded(self.files[number]).astype(np.float32)
        video -= self.mean
        video /= self.sd
        n_channels, n_frames, rows, columns = video.shape
        needed = form.n_frames * form.period
        if n_frames < needed:
            short = np.zeros((n_channels, needed - n_frames, rows, columns), np.float32)
            video = np.concatenate([video, short], axis=1)
            n_frames = needed
        latest = n_frames - (form.n_frames - 1) * form.period
        start = 0 if form.name == "paper" else int(self.rng.integers(latest))
        clip = video[:, start + form.period * np.arange(form.n_frames)]
        if form.pad == 0:
            return clip
        pad = form.pad
        wide = np.zeros((*clip.shape[:2], rows + 2 * pad, columns + 2 * pad), np.float32)
        wide[..., pad:-pad, pad:-pad] = clip
        down, right = self.rng.integers(0, 2 * pad, 2)
        return wide[..., down : down + rows, right : right + columns]


def seconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def exhaust(loader: DataLoader) -> None:
    """Go through all batches."""
    for _ in loader:
        pass


def dicom_rates(repeats: int) -> dict[str, float]:
    """Return frames a second of the loop that pydicom ships."""
    file = get_testdata_file("examples_ybr_color.dcm", download=False)
    loop = read_loop(file)
    ways = {
        "pydicom pixel_array": lambda: pydicom.dcmread(file).pixel_array,
        "our frames, RGB": lambda: [None for _ in loop.frames(colour=True)],
        "our frames, grey": lambda: [None for _ in loop.frames()],
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            taken[name].append(seconds(way))
    return {name: loop.n_frames / statistics.median(times) for name, times in taken.items()}


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=16)
    parser.add_argument("--frames", type=int, default=176, help="of a video; EchoNet's median")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=4, help="of ours within a repeat")
    add_ratios(parser)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = write_videos(folder, asked.videos, asked.frames)
        begun = time.perf_counter()
        features = cached(files, folder)
        once_s = time.perf_counter() - begun
        grey = grey_of(features)
        labels = np.zeros(len(files), np.float32)
        print(f"{len(files)} videos of {asked.frames} frames, {SIDE} x {SIDE}; medians")
        print(f"made once for all epochs: {once_s / len(files):.3f} s a video\n")
        print(f"{'clips':16}{'way':28}{'clips/s':>9}{'frames/s':>10}{'ratio':>8}")
        ratios: dict[str, float | None] = {}
        for name, form in FORMS.items():
            clips = examples(features, form, grey, labels)
            ratios |= compare(name, form, files, clips, asked)
        alone_s = statistics.median(
            seconds(lambda: [decoded(file) for file in files]) for _ in range(asked.repeats)
        )
        print(f"\ndecoding alone: {len(files) * asked.frames / alone_s:.0f} frames/s")
    rates = dicom_rates(asked.repeats)
    for name, rate in rates.items():
        ratio = rate / rates["pydicom pixel_array"]
        print(f"{name}: {rate:.0f} frames/s, {ratio:.1f} x pydicom")
        if name != "pydicom pixel_array":
            ratios[f"{name.replace('our ', '')} beside pydicom's pixel_array"] = ratio
    keep_ratios(asked.ratios, ratios)


def compare(name, form, files, clips, asked) -> dict[str, float | None]:
    """Time one form of clips, all ways in turn, print its rows and return the ratios of ours."""
    drawn = TrainingOrder(len(files), BatchSize(BATCH, BATCH), seed=0)
    ways: dict[str, tuple[DataLoader, int]] = {
        "ours, random clips": (make_loader(clips, drawn), asked.epochs),
        "ours, fixed clips": (make_loader(clips, InOrder(len(clips), BATCH)), asked.epochs),
    }
    if not form.by_time:
        peer = DecodedForEachClip(files, form, clips.grey.mean, clips.grey.sd)
        ways = {
            "decoded for each clip": (DataLoader(peer, batch_size=BATCH, shuffle=True), 1)
        } | ways
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(asked.repeats):
        for way, (loader, epochs) in ways.items():
            taken[way].append(seconds(lambda: [exhaust(loader) for _ in range(epochs)]) / epochs)  # noqa: B023
    rate = {way: len(files) / statistics.median(times) for way, times in taken.items()}
    first = rate.get("decoded for each clip")
    for way, clips_s in rate.items():
        ratio = "" if first is None else f"{clips_s / first:.1f}"
        print(f"{name:16}{way:28}{clips_s:9.1f}{clips_s * form.n_frames:10.0f}{ratio:>8}")
    return {
        f"{way.replace('ours, ', '')}, {name}, beside decoding for each clip": clips_s / first
        for way, clips_s in rate.items()
        if first is not None and way.startswith("ours")
    }


if __name__ == "__main__":
    main()
