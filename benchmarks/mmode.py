"""M-modes a second: the batched gather beside vtkImageReslice, map_coordinates and cv2.remap.

    python benchmarks/mmode.py --lines 44 --frames 60

All make the same M-modes of one loop on one thread: oblique lines across a volume of rows, columns
and frames, 500 × 500. VTK has one pipeline for every line and imports the volume once. The largest
difference from map_coordinates in grey levels is printed beside the times, which are medians over
the repeats; in every repeat all take their turn. Beside the time that passed stands the processor's
time, which other programs on the machine change less; on a GPU it means nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from scipy import ndimage
from speed.ratios import add_ratios, keep_ratios
from vtkmodules.vtkCommonCore import vtkMultiThreader, vtkSMPTools

from cardio_mmode_septal_flash.mmode.reslice_torch import reslice_torch
from cardio_mmode_septal_flash.mmode.reslice_vtk import VtkVolume
from cardio_mmode_septal_flash.mmode.time import column_times_ms, time_weights
from cardio_ultrasound import CycleVolume, ScanLine

N_PIXELS = 500


def synthetic_volume(n_frames: int, size: int) -> CycleVolume:
    """Return smooth noise: one cycle of 900 ms, pixels of 0.3 mm."""
    rng = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(rng.normal(size=(n_frames, size, size)), (1.0, 2.0, 2.0))
    grey = np.clip(128 + 60 * noise / noise.std(), 0, 255).astype(np.uint8)
    times_ms = np.arange(n_frames) * (900.0 / (n_frames - 1))
    return CycleVolume(grey, times_ms, 900.0, (0.3, 0.3))


def oblique_lines(n_lines: int, size: int) -> list[ScanLine]:
    """Return lines near the middle, in different directions."""
    rng = np.random.default_rng(1)
    middle = rng.uniform(0.45, 0.55, (n_lines, 2)) * size
    angle = rng.uniform(-0.6, 0.6, n_lines)
    return [
        ScanLine((float(row), float(column)), (float(np.sin(a)), float(np.cos(a))), -30.0, 60.0)
        for (row, column), a in zip(middle, angle, strict=True)
    ]


def by_scipy(volume: CycleVolume, lines: list[ScanLine]) -> np.ndarray:
    """Interpolate space and time together by map_coordinates, a line at a time."""
    frame = np.interp(
        column_times_ms(volume.rr_ms, N_PIXELS), volume.times_ms, np.arange(len(volume.frames))
    )
    made = []
    for line in lines:
        row, column = line.places_px(N_PIXELS, volume.mm_per_pixel).T
        grid = np.broadcast_arrays(frame[None, :], row[:, None], column[:, None])
        made.append(
            ndimage.map_coordinates(
                volume.frames, np.stack(grid), output=np.float32, order=1, mode="constant"
            )
        )
    return np.stack(made)


def by_cv2(volume: CycleVolume, lines: list[ScanLine]) -> np.ndarray:
    """Remap every frame onto the line, then interpolate time by the same matrix."""
    weights = time_weights(volume, N_PIXELS)
    made = []
    for line in lines:
        places = line.places_px(N_PIXELS, volume.mm_per_pixel).astype(np.float32)
        row, column = np.ascontiguousarray(places.T)[:, :, None]
        by_frame = [cv2.remap(f, column, row, cv2.INTER_LINEAR)[:, 0] for f in volume.frames]
        made.append(np.floor(np.stack(by_frame, axis=1) @ weights + 0.5).astype(np.uint8))
    return np.stack(made)


def main() -> None:
    """Run all and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=44)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    add_ratios(parser)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    vtkMultiThreader.SetGlobalMaximumNumberOfThreads(1)
    vtkSMPTools.Initialize(1)
    volume = synthetic_volume(asked.frames, asked.size)
    lines = oblique_lines(asked.lines, asked.size)
    imported = VtkVolume(volume)
    methods: dict[str, Callable[[], np.ndarray]] = {
        "gather": lambda: reslice_torch([volume], [lines], device=asked.device)[0],
        "gather_line_by_line": lambda: np.concatenate(
            [reslice_torch([volume], [[line]], device=asked.device)[0] for line in lines]
        ),
        "vtk": lambda: np.stack([imported.mmode(line, N_PIXELS, N_PIXELS) for line in lines]),
        "map_coordinates": lambda: by_scipy(volume, lines),
        "cv2_remap": lambda: by_cv2(volume, lines),
    }
    expected = methods["map_coordinates"]()
    differs = {
        name: round(float(np.abs(method() - expected).max()), 2) for name, method in methods.items()
    }
    passed_s: dict[str, list[float]] = {name: [] for name in methods}
    processor_s: dict[str, list[float]] = {name: [] for name in methods}
    for _ in range(asked.repeats):
        for name, method in methods.items():
            begun, begun_cpu = time.perf_counter(), time.process_time()
            method()
            passed_s[name].append(time.perf_counter() - begun)
            processor_s[name].append(time.process_time() - begun_cpu)

    def milliseconds(times_s: dict[str, list[float]]) -> dict[str, float]:
        return {name: 1000 * statistics.median(t) / len(lines) for name, t in times_s.items()}

    ms, cpu_ms = milliseconds(passed_s), milliseconds(processor_s)
    ours = (cpu_ms if asked.device == "cpu" else ms)["gather"]
    peers = {"vtk": "vtkImageReslice", "map_coordinates": "map_coordinates"}
    keep_ratios(
        asked.ratios,
        {
            f"M-modes beside {title}": (cpu_ms if asked.device == "cpu" else ms)[name] / ours
            for name, title in (peers | {"cv2_remap": "cv2.remap"}).items()
        },
    )
    print(
        json.dumps(
            {
                "n_lines": len(lines),
                "volume": list(volume.frames.shape),
                "device": asked.device,
                "ms_an_mmode": {name: round(value, 3) for name, value in ms.items()},
                "processor_ms_an_mmode": {name: round(v, 3) for name, v in cpu_ms.items()},
                "mmodes_a_second": {name: round(1000 / value) for name, value in ms.items()},
                "times_vtk": {name: round(ms["vtk"] / value, 1) for name, value in ms.items()},
                "times_vtk_by_processor": {
                    name: round(cpu_ms["vtk"] / value, 1) for name, value in cpu_ms.items()
                },
                "largest_difference_grey_levels": differs,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
