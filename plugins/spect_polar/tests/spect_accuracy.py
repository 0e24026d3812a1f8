"""Digital ventricles whose truth is known, and how far off they are measured.

Every ventricle is imaged, written as NM DICOM, read back, found and sampled unattended. The same
counts are also sampled on the known wall, so that what detection costs can be told apart.
``spread`` is the largest difference of two segments: ``spread_deg`` compares it with the truth,
which blur narrows in every case, ``spread_lost_deg`` with the same ventricle imaged without lost
beats.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cardio_spect_polar.phase.curves import sample_wall, with_neighbours
from cardio_spect_polar.phase.dyssynchrony import phase_indices
from cardio_spect_polar.phase.geometry import N_RAYS, SampledWall
from cardio_spect_polar.phase.sampling import SampledHeart, sample_heart
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.phase.volumes import volumes
from cardio_spect_polar.polar.maps import segment_means, segments_of
from cardio_spect_polar.readers.nm import read_nm
from cardio_spect_polar.synthetic.imaging import Camera, draw_camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import (
    Ventricle,
    draw_shortening,
    draw_ventricle,
    lbbb_delay,
    with_segments,
)
from cardio_spect_polar.synthetic.write_nm import write_nm

NORMAL = (1.0,) * 17
SHORTENING = {"shortening_mm": 10.0, "twist_deg": 10.0}


@dataclass(frozen=True)
class Case:
    """A ventricle, a camera, and which floors hold."""

    name: str
    floors: str
    ventricle: Ventricle
    camera: Camera = field(default_factory=Camera)
    seeds: tuple[int, ...] = ()


BASIC = Ventricle(rv_activity=0.3)
SHAPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "64 x 64 of 6.4 mm": ({}, {}),
    "64 x 64 of 4 mm": ({}, {"voxel_mm": (4.0, 4.0, 4.0)}),
    "32 x 32 x 32 of 6.4 mm": ({}, {"n_rows": 32, "n_columns": 32, "n_slices": 32}),
    "tilt of 10 degrees": (
        {"tilt_deg": 10.0, "tilt_towards_deg": 200.0, "offset_mm": (10.0, -12.0)},
        {},
    ),
    "gut": ({"gut_activity": 0.9, "gut_distance_mm": 24.0}, {}),
    "large inferior defect": (
        {"perfusion": with_segments(NORMAL, (3, 4, 5, 9, 10, 11, 15), 0.3)},
        {},
    ),
    "dilated": (
        {"length_mm": 108.0, "radius_mm": 37.0, "thickening": (0.2,) * 17},
        {"fwhm_mm": 15.0},
    ),
    "small": ({"length_mm": 70.0, "radius_mm": 22.0}, {}),
}


def cases() -> list[Case]:
    """Return the whole list."""
    made = []
    for shape, (heart, seen) in SHAPES.items():
        still = replace(BASIC, **heart)
        late = replace(still, delay_rr=lbbb_delay())
        made += [
            Case(f"synchronous, {shape}", "synchronous", still, Camera(**seen)),
            Case(f"lbbb, {shape}", "lbbb", late, Camera(**seen)),
            Case(
                f"lbbb, 200 counts, {shape}",
                "200 counts",
                late,
                Camera(**seen, counts_per_voxel=200.0),
                (0, 1),
            ),
            Case(
                f"lbbb, 60 counts, {shape}",
                "60 counts",
                late,
                Camera(**seen, counts_per_voxel=60.0),
                (0, 1, 2, 3),
            ),
            Case(
                f"lbbb, drop-off 10 %, {shape}",
                "drop-off 10 %",
                late,
                Camera(**seen, drop_off=0.1),
            ),
            *(
                Case(
                    f"{kind}, 10 mm, {shape}",
                    f"{kind}, base descends by 10 mm",
                    replace(beating, **SHORTENING),
                    Camera(**seen),
                )
                for kind, beating in (("synchronous", still), ("lbbb", late))
            ),
        ]
    return made


def signed(difference_deg: np.ndarray) -> np.ndarray:
    """Return differences of angles, -180 to 180."""
    return (difference_deg + 180.0) % 360.0 - 180.0


def through_dicom(counts: np.ndarray, voxel_mm: tuple[float, float, float]) -> SampledHeart:
    """Write counts as NM DICOM, read them back and sample the heart."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gated.dcm"
        write_nm(path, counts, voxel_mm, apex_first=False)
        return sample_heart(read_nm(path))


def compare(sampled: SampledWall, truth: Truth) -> dict[str, float]:
    """Return the errors of phases read off a wall, detected or known."""
    found = summarise(sampled.curves, sampled.geometry)
    phase = found.sample_phase
    segments = segments_of(sampled.geometry.arc[:, None], np.arange(N_RAYS) * 360.0 / N_RAYS)
    means = segment_means(phase, segments, circular=True)
    off = signed(means - truth.segment_phase_deg)
    indices = phase_indices(phase)
    from_truth = signed(means - truth.segment_phase_deg[0])
    spread = np.ptp(from_truth) - np.ptp(
        signed(truth.segment_phase_deg - truth.segment_phase_deg[0])
    )
    return {
        "sample_deg": float(
            np.abs(signed(phase - truth.phase_at(sampled.geometry.points_mm))).max()
        ),
        "segment_deg": float(np.sqrt(np.mean(off**2))),
        "psd_deg": indices.psd_deg - truth.psd_deg,
        "psd_corrected_deg": found.indices["psd_corrected_deg"] - truth.psd_deg,
        "pbw_deg": indices.pbw_deg - truth.pbw_deg,
        "pbw_corrected_deg": found.indices["pbw_corrected_deg"] - truth.pbw_deg,
        "spread_deg": float(spread),
    }


def measure(case: Case, seed: int | None = None) -> dict[str, Any]:
    """Return the errors on the detected and on the known wall, and those of ends and volumes."""
    rng = None if seed is None else np.random.default_rng(seed)
    counts, voxel_mm, truth = image(case.ventricle, rng, case.camera)
    heart = through_dicom(counts, voxel_mm)
    seen = heart.canonical.counts
    motion = heart.motion if case.ventricle.shortening_mm else None
    known = with_neighbours(sample_wall(seen, heart.voxel_mm, truth.geometry, motion=motion))
    detected_errors, known_errors = compare(heart.sampled, truth), compare(known, truth)
    if case.camera.drop_off:
        whole, _, _ = image(case.ventricle, None, replace(case.camera, drop_off=0.0))
        for errors, geometry, motion in (
            (detected_errors, heart.wall.geometry, heart.motion),
            (known_errors, truth.geometry, None),
        ):
            sampled = sample_wall(whole, heart.voxel_mm, geometry, motion=motion)
            unlost = compare(with_neighbours(sampled), truth)
            errors["spread_lost_deg"] = errors["spread_deg"] - unlost["spread_deg"]
    return {
        "case": case.name,
        "floors": case.floors,
        "seed": seed,
        "detected": detected_errors,
        "known": known_errors,
        "ends": ends(heart, truth),
        "ef_known_points": volumes(seen, heart.voxel_mm, truth.geometry, motion=motion).ef_pct
        - truth.ef_pct,
    }


def ends(heart: SampledHeart, truth: Truth) -> dict[str, float]:
    """Return the errors of base and apex in slices, and of volumes."""
    motion = heart.motion
    assert motion is not None
    moves = motion.axis.at(motion.base_by_slot_mm())[:, 0] - truth.base_by_slot_mm
    systole = int(truth.volume_ml.argmin())
    return {
        "base_ed_slices": float(moves[0]) / heart.voxel_mm[0],
        "base_es_slices": float(moves[systole]) / heart.voxel_mm[0],
        "base_slices": (heart.wall.base_z_mm - truth.base_mm) / heart.voxel_mm[0],
        "apex_slices": (heart.wall.apex_z_mm - truth.apex_mm) / heart.voxel_mm[0],
        "edv_ml": heart.volumes.edv_ml - truth.edv_ml,
        "esv_ml": heart.volumes.esv_ml - truth.esv_ml,
        "ef_points": heart.volumes.ef_pct - truth.ef_pct,
    }


def measure_random(seed: int) -> dict[str, Any]:
    """Draw, image and find one of the sixty."""
    rng = np.random.default_rng([seed, 11])
    ventricle = draw(seed, rng)
    counts, voxel_mm, truth = image(ventricle, rng, draw_camera(rng))
    heart = through_dicom(counts, voxel_mm)
    return {"seed": seed, "ends": ends(heart, truth), "flags": list(heart.flags)}


def draw(seed: int, rng: np.random.Generator) -> Ventricle:
    """Draw one of the sixty: every third without a defect, every second with an LBBB.

    Its base stays where it is, and there is no liver.
    """
    perfusion = (
        NORMAL,
        with_segments(NORMAL, (3, 4, 9, 10, 15), 0.3),
        with_segments(NORMAL, (7, 8, 13, 14, 17), 0.3),
    )[seed % 3]
    delay = lbbb_delay() if seed % 2 else (0.0,) * 17
    still = {"shortening_mm": 0.0, "twist_deg": 0.0, "liver_activity": 0.0}
    return draw_ventricle(rng, perfusion=perfusion, delay_rr=delay, **still)


def measure_shortening(seed: int) -> dict[str, Any]:
    """Draw, image and find one of the sixty whose base descends by 0 to 14 mm.

    36 have a liver. Without noise, and with it: noise alone widens phases by 3 to 20 degrees at
    these counts, moving base or not, so that only the number corrected for noise is held against
    the truth there.
    """
    rng = np.random.default_rng([seed, 11])
    more = np.random.default_rng([seed, 12])
    ventricle = replace(draw(seed, rng), **draw_shortening(more))
    if more.uniform() < 0.5:
        activity, distance_mm = (float(more.uniform(*ends)) for ends in ((0.3, 0.9), (45.0, 65.0)))
        ventricle = replace(ventricle, liver_activity=activity, liver_distance_mm=distance_mm)
    camera = draw_camera(rng)
    made: dict[str, Any] = {
        "seed": seed,
        "shortening_mm": ventricle.shortening_mm,
        "liver": ventricle.liver_activity > 0,
    }
    for name, noise in (("noise-free", None), ("noisy", rng)):
        counts, voxel_mm, truth = image(ventricle, noise, camera)
        heart = through_dicom(counts, voxel_mm)
        made[name] = {
            key: value
            for key, value in (compare(heart.sampled, truth) | ends(heart, truth)).items()
            if key not in ("sample_deg", "spread_deg")
        }
    return made
