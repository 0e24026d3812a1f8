"""How near regions, thickening, mass, scar and rates come to the truth of random digital hearts.

Run as a script it writes `stored/measures.json`, which `test_spect_measures` holds to its limits.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from cardio_spect_polar.phase.sampling import sample_heart
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.phase.volumes import filling
from cardio_spect_polar.polar.segment_names import TERRITORIES, WALLS
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.imaging import draw_camera, image
from cardio_spect_polar.synthetic.ventricle import (
    CENTRE_DEG,
    PERFUSION_EDGE_DEG,
    Ventricle,
    angles,
    area_mm2,
    cavity_ml,
    draw_shortening,
    draw_ventricle,
    latitudes,
    mesh,
    over_wall,
    with_segments,
)

STORED = Path(__file__).parent / "stored" / "measures.json"
N_HEARTS = 80


def drawn_delays(rng: np.random.Generator) -> tuple[float, ...]:
    """Draw delays: in two of three a block that is late on one side, else segments at random."""
    if rng.integers(3) == 2:
        return tuple(rng.normal(0, 0.04, 17).tolist())
    angle = np.radians((*CENTRE_DEG, 0.0))
    late = rng.uniform(0.03, 0.12) * np.cos(angle - np.radians(rng.uniform(190, 350)))
    late[16] = 0
    level = np.array([1] * 6 + [0] * 6 + [-1] * 5) * rng.uniform(-0.03, 0.03)
    return tuple((late + level + rng.normal(0, 0.01, 17)).tolist())


def drawn_heart(rng: np.random.Generator, **fixed: Any) -> Ventricle:
    """Draw a heart that shortens by 0 to 14 mm, with delays, four of ten with a defect."""
    perfusion = (1.0,) * 17
    if rng.uniform() < 0.4:
        numbers = rng.choice(17, size=rng.integers(1, 5), replace=False) + 1
        perfusion = with_segments(perfusion, tuple(numbers), float(rng.uniform(0.2, 0.45)))
    drawn: dict[str, Any] = {**draw_shortening(rng), "delay_rr": drawn_delays(rng)}
    return draw_ventricle(rng, **drawn | {"perfusion": perfusion} | fixed)


def muscle_g(ventricle: Ventricle) -> float:
    """Return the true mass of the wall."""
    latitude, weight = latitudes(24)
    at = mesh(ventricle, latitude, angles(36))
    area = area_mm2(ventricle, latitude, weight, 36)[:, None]
    h0 = np.full((24, 36), ventricle.thickness_mm)
    return 1.05 * float((at.volume_mm(h0) * area).sum()) / 1000


def true_rates(ventricle: Ventricle) -> tuple[float, float, float]:
    """Return peak filling and ejection in EDV a cycle, and the time to peak filling in cycles."""
    time = (np.arange(1024) + 0.5) / 1024
    course = cavity_ml(ventricle, time)
    slope = np.gradient(course, 1 / 1024) / course.max()
    wait = (time[slope.argmax()] - time[course.argmin()]) % 1
    return float(slope.max()), float(-slope.min()), float(wait)


def measured(seed: int) -> dict[str, Any]:
    """Image a heart, measure it unattended, and return both sides of every comparison."""
    rng = np.random.default_rng([17, seed])
    thickening = tuple(rng.uniform(0.08, 0.45, 17).tolist())
    thickness = float(rng.uniform(7.5, 14.0))
    ventricle = drawn_heart(rng, thickening=thickening, thickness_mm=thickness)
    camera = draw_camera(rng, n_rows=48, n_columns=48, n_slots=8 if seed % 2 else 16)
    counts, voxel_mm, truth = image(ventricle, rng, camera)
    heart = sample_heart(GatedStack(counts.astype(np.float32), voxel_mm, apex_first=False))
    found = summarise(heart.sampled.curves, heart.sampled.geometry)
    rates = filling(heart.volumes.curve_ml, heart.volumes.edv_ml, 1000.0)
    true_filling, true_ejection, true_wait = true_rates(ventricle)
    wave = np.exp(1j * np.radians(truth.phase_deg))
    walls, scars = [], []
    for name, numbers in WALLS.items():
        inside = np.isin(truth.segments, numbers) & np.isfinite(truth.phase_deg)
        mean = np.degrees(np.angle(wave[inside].sum()))
        walls.append(float((found.regions[f"{name}_mean_deg"] - mean + 180) % 360 - 180))
    arc, angle = truth.arc_and_angle(truth.geometry.points_mm)
    activity = over_wall(ventricle.perfusion, angle, arc, edge_deg=PERFUSION_EDGE_DEG)
    for name, numbers in TERRITORIES.items():
        scarred = activity[np.isin(truth.segments, numbers)] < 0.5
        scars.append(found.regions[f"{name}_scar_pct"] - 100 * float(scarred.mean()))
    return {
        "n_slots": camera.n_slots,
        "walls_deg": walls,
        "scars_pct": scars,
        "thickening": [found.segment_thickening.tolist(), (100 * np.array(thickening)).tolist()],
        "mass": heart.volumes.mass_g / muscle_g(ventricle),
        "filling": rates.peak_filling_rate_edv_s / true_filling,
        "ejection": rates.peak_ejection_rate_edv_s / true_ejection,
        "wait_ms": rates.time_to_peak_filling_ms - 1000 * true_wait,
    }


def study() -> dict[str, Any]:
    """Return what all hearts together show."""
    found = [measured(seed) for seed in range(N_HEARTS)]
    walls = np.array([one["walls_deg"] for one in found])
    scars = np.array([one["scars_pct"] for one in found])
    pairs = np.concatenate([np.array(one["thickening"]) for one in found], axis=1)
    pairs = pairs[:, np.isfinite(pairs).all(axis=0)]
    slope, intercept = np.polyfit(pairs[1], pairs[0], 1)
    mass = np.array([one["mass"] for one in found])
    result: dict[str, Any] = {
        "made": f"{date.today()}, 25 to 200 counts a voxel, shortening 0 to 14 mm, "
        "walls 7.5 to 14 mm",
        "n": len(found),
        "wall_mean_deg": {"rms": _rms(walls), "worst": float(np.abs(walls).max())},
        "territory_scar_points": {"bias": float(scars.mean()), "rms": _rms(scars)},
        "segment_thickening": {
            "r": float(np.corrcoef(pairs)[0, 1]),
            "slope": float(slope),
            "intercept_pct": float(intercept),
        },
        "mass_ratio": {"mean": float(mass.mean()), "sd": float(mass.std(ddof=1))},
    }
    for n_slots in (8, 16):
        some = [one for one in found if one["n_slots"] == n_slots]
        result[f"{n_slots} gates"] = {
            name: {
                "mean": float(np.mean([one[name] for one in some])),
                "sd": float(np.std([one[name] for one in some], ddof=1)),
            }
            for name in ("filling", "ejection", "wait_ms")
        } | {"n": len(some)}
    return _rounded(result)


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return round(value, 3) if isinstance(value, float) else value


if __name__ == "__main__":
    STORED.write_text(json.dumps(study(), indent=1) + "\n", "utf-8")
