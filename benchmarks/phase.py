"""Gated SPECT volumes to phases and indices: ours beside map_coordinates ray by ray, in one run.

    OMP_NUM_THREADS=1 python benchmarks/phase.py --volumes 20

Volumes of 64 x 64 x 32 voxels in 8 slots of a heart whose base descends by 10 mm; the geometry of
the wall and the motion of its base given to both sides, the same
search along the rays (12 mm to either side, a quarter of a voxel apart; ours also reads the 5 mm
beyond and smooths along the ray, the peer does not);
then first harmonic, phase indices and segment means. The peer loops over slots and rays, as one
would write it first. Their largest difference, with our smoothing switched off, is printed beside
the times. The fully automatic path (orientation, heart, axis, base, apex, wall, gating, sampling,
volumes) is timed on its own, without a peer, and so are finding the base in every gate and
sampling on rings that stay at their slices. Times are medians over the volumes, of the processor.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates
from speed.ratios import add_ratios, keep_ratios

from cardio_spect_polar.phase.base_motion import BaseMotion, find_base_motion
from cardio_spect_polar.phase.curves import (
    STEP_VOXELS,
    WINDOW_MM,
    brightest_counts,
    sample_wall,
    wall_profiles,
    with_neighbours,
)
from cardio_spect_polar.phase.cycle import first_harmonic
from cardio_spect_polar.phase.dyssynchrony import phase_indices
from cardio_spect_polar.phase.geometry import N_RAYS, LongAxis, SampledWall, WallGeometry
from cardio_spect_polar.phase.sampling import sample_heart
from cardio_spect_polar.polar.maps import segment_means, segments_of
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.ventricle import Ventricle, lbbb_delay

VoxelMm = tuple[float, float, float]


def one_call_per_ray(
    counts: np.ndarray, voxel_mm: VoxelMm, geometry: WallGeometry, motion: BaseMotion
) -> SampledWall:
    """Sample as one would write it first: every ray of every slot by its own call."""
    offsets = np.arange(
        -round(WINDOW_MM / (STEP_VOXELS * min(voxel_mm))),
        round(WINDOW_MM / (STEP_VOXELS * min(voxel_mm))) + 1,
    ) * (STEP_VOXELS * min(voxel_mm))
    curves = np.empty((len(counts), *geometry.points_mm.shape[:2]))
    moved = motion.displacement(geometry.points_mm)[..., None] * np.array(motion.axis.direction)
    for slot, volume in enumerate(counts):
        for ring in range(curves.shape[1]):
            for ray in range(N_RAYS):
                points = (
                    geometry.points_mm[ring, ray]
                    + moved[slot, ring, ray]
                    + offsets[:, None] * geometry.directions[ring, ray]
                )
                at = points / np.array(voxel_mm)
                curves[slot, ring, ray] = map_coordinates(
                    volume, at.T, order=1, mode="nearest"
                ).max()
    return SampledWall(curves=curves, geometry=geometry)


def phases(sampled: SampledWall) -> float:
    """Return the phase standard deviation, having made the phases, indices and segment means."""
    phase = first_harmonic(sampled.curves).phase_deg
    angle = np.arange(N_RAYS) * 360.0 / N_RAYS
    segment_means(phase, segments_of(sampled.geometry.arc[:, None], angle), circular=True)
    return phase_indices(phase).psd_deg


def difference(
    counts: np.ndarray, voxel_mm: VoxelMm, geometry: WallGeometry, motion: BaseMotion
) -> float:
    """Return the largest relative difference of both where neither smooths nor stops at valleys."""
    profiles = wall_profiles(counts, voxel_mm, geometry, motion=motion)
    ours = np.moveaxis(brightest_counts(profiles, smooth=False), -1, 0)
    peer = one_call_per_ray(counts, voxel_mm, geometry, motion).curves
    whole = profiles.allowed.all(axis=-1)
    return float(np.abs(ours / peer - 1)[:, whole].max())


def timed(work: Callable[[np.ndarray], object], volumes: list[np.ndarray]) -> float:
    """Return the median seconds of processor time a volume."""
    times_s = []
    for counts in volumes:
        begun = time.process_time()
        work(counts)
        times_s.append(time.process_time() - begun)
    return statistics.median(times_s)


def main() -> None:
    """Run both and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--volumes", type=int, default=20)
    parser.add_argument("--peer-volumes", type=int, default=5)
    parser.add_argument("--automatic-volumes", type=int, default=5)
    parser.add_argument("--voxel-mm", type=float, default=4.0)
    add_ratios(parser)
    asked = parser.parse_args()
    ventricle = Ventricle(delay_rr=lbbb_delay(), rv_activity=0.3, tilt_deg=6.0, shortening_mm=10.0)
    camera = Camera(voxel_mm=(asked.voxel_mm,) * 3, n_slices=32)
    expected, voxel_mm, truth = image(ventricle, None, camera)
    rng = np.random.default_rng(0)
    volumes = [rng.poisson(expected).astype(np.float32) for _ in range(asked.volumes)]
    geometry = truth.geometry

    z, y, x = (float(mm) for mm in truth.pose.base_mm)
    along, across, deep = (float(part) for part in truth.pose.axis)
    axis = LongAxis((z, y, x), (along, across, deep))
    ends = (float((truth.base_mm - z) / along), ventricle.length_mm)

    def find(counts: np.ndarray) -> BaseMotion:
        return find_base_motion(counts, voxel_mm, axis, *ends, geometry)

    motion = find(expected.astype(np.float32))

    def ours(counts: np.ndarray) -> float:
        return phases(with_neighbours(sample_wall(counts, voxel_mm, geometry, motion=motion)))

    def fixed(counts: np.ndarray) -> float:
        return phases(with_neighbours(sample_wall(counts, voxel_mm, geometry)))

    def peer(counts: np.ndarray) -> float:
        return phases(one_call_per_ray(counts, voxel_mm, geometry, motion))

    def automatic(counts: np.ndarray) -> float:
        return phases(sample_heart(GatedStack(counts, voxel_mm, apex_first=False)).sampled)

    def automatic_fixed(counts: np.ndarray) -> float:
        stack = GatedStack(counts, voxel_mm, apex_first=False)
        return phases(sample_heart(stack, rings="fixed").sampled)

    ours(volumes[0])
    seconds = {
        "vectorised": timed(ours, volumes),
        "map_coordinates_per_ray": timed(peer, volumes[: asked.peer_volumes]),
        "vectorised_again": timed(ours, volumes),
        "fixed_rings": timed(fixed, volumes),
        "base_in_every_gate": timed(find, volumes),
        "fully_automatic": timed(automatic, volumes[: asked.automatic_volumes]),
        "fully_automatic_fixed": timed(automatic_fixed, volumes[: asked.automatic_volumes]),
    }
    fast = max(seconds["vectorised"], seconds["vectorised_again"])
    ratio = seconds["map_coordinates_per_ray"] / fast
    keep_ratios(asked.ratios, {"phases of a study beside map_coordinates ray by ray": ratio})
    print(
        json.dumps(
            {
                "shape": list(expected.shape),
                "n_samples": int(geometry.area_mm2.size),
                "seconds_a_volume": {name: round(s, 4) for name, s in seconds.items()},
                "ratio": round(ratio, 1),
                "largest_relative_difference": difference(volumes[0], voxel_mm, geometry, motion),
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
