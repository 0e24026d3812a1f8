"""Whether 8 and 16 gates of one study agree, and rest and stress of one heart.

Forty random hearts are imaged twice, each time with 60 to 200 counts, moved by up to 5 mm and
tilted by up to 5 degrees; nothing else differs.

Slow: what came out last is stored with its date. To store it anew:
``python plugins/spect_polar/tests/test_spect_gates.py``.
"""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardio_spect_polar.phase.perfusion import REPEATS
from cardio_spect_polar.phase.sampling import sample_heart
from cardio_spect_polar.phase.summary import summarise
from cardio_spect_polar.polar.segment_names import TERRITORIES
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.synthetic.imaging import Camera, draw_camera, image
from cardio_spect_polar.synthetic.truth import Truth
from cardio_spect_polar.synthetic.ventricle import (
    Ventricle,
    draw_shortening,
    draw_ventricle,
    lbbb_delay,
    with_segments,
)

STORED = Path(__file__).parent / "stored" / "phantom_twice.json"

INDICES = ("psd_deg", "psd_corrected_deg", "pbw_deg", "pbw_corrected_deg", "entropy", "peak_deg",
           "ef_pct")  # fmt: skip
TWICE = (*INDICES, "reliable_psd_deg", "reliable_pbw_deg", "edv_ml", "esv_ml")
N_TWICE = 40
REST_STRESS_DEG = 4.0


def heart(seed: int) -> tuple[Ventricle, np.random.Generator]:
    """Draw a heart: every second with an LBBB, every third without a defect."""
    rng = np.random.default_rng([seed, 21])
    perfusion = (
        (1.0,) * 17,
        with_segments((1.0,) * 17, (3, 4, 9, 10, 15), 0.3),
        with_segments((1.0,) * 17, (7, 8, 13, 14, 17), 0.3),
    )[seed % 3]
    delay = lbbb_delay() if seed % 2 else (0.0,) * 17
    return draw_ventricle(rng, perfusion=perfusion, delay_rr=delay, **draw_shortening(rng)), rng


def measured(counts: np.ndarray, voxel_mm: tuple[float, float, float]) -> dict[str, Any]:
    """Find a heart, and return its indices, volumes and the perfusion of each territory."""
    found = sample_heart(GatedStack(counts, voxel_mm, apex_first=False))
    summary = summarise(found.sampled.curves, found.sampled.geometry)
    volumes = found.volumes
    indices = summary.indices | {
        "ef_pct": volumes.ef_pct, "edv_ml": volumes.edv_ml, "esv_ml": volumes.esv_ml
    }  # fmt: skip
    return {
        **{name: float(indices[name]) for name in TWICE},
        "mean_ml": float(volumes.curve_ml.mean()),
        "perfusion_pct": [
            float(np.nanmean(summary.segment_perfusion[np.array(segments) - 1]))
            for segments in TERRITORIES.values()
        ],
    }


def summed_in_pairs(counts: np.ndarray) -> np.ndarray:
    """Rebin 16 gates to 8."""
    return np.asarray(counts.reshape(-1, 2, *counts.shape[1:]).sum(axis=1))


def of_truth(truth: Truth) -> dict[str, float]:
    """Return the true values of what has one: entropy depends on bins, and peak on the shape."""
    return {"psd_deg": truth.psd_deg, "pbw_deg": truth.pbw_deg, "ef_pct": truth.ef_pct}


def measure_rest_stress(seed: int) -> dict[str, Any]:
    """Measure one heart twice, with other counts and a little moved."""
    ventricle, rng = heart(seed)
    camera = draw_camera(rng, n_slots=8)
    made: dict[str, Any] = {"seed": seed, "lbbb": bool(seed % 2)}
    for state in ("rest", "stress"):
        counts_per_voxel = float(rng.uniform(60.0, 200.0))
        moved = replace(
            ventricle,
            offset_mm=tuple(float(at + rng.uniform(-5.0, 5.0)) for at in ventricle.offset_mm),
            tilt_deg=abs(ventricle.tilt_deg + float(rng.uniform(-5.0, 5.0))),
            tilt_towards_deg=ventricle.tilt_towards_deg + float(rng.uniform(-5.0, 5.0)),
        )
        seen = replace(camera, counts_per_voxel=counts_per_voxel)
        counts, voxel_mm, truth = image(moved, rng, seen)
        made[state] = measured(counts, voxel_mm) | {"counts": counts_per_voxel}
        made["truth"] = of_truth(truth)
    return made


def difference(name: str, one: Any, other: Any) -> np.ndarray:
    """Return differences; those of the peak phase on the circle."""
    off = np.asarray(one, float) - np.asarray(other, float)
    return (off + 180.0) % 360.0 - 180.0 if name == "peak_deg" else off


def of_rest_stress(made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return median and 95 % of the absolute differences of stress and rest, and mean errors."""
    found = {}
    for name in (*TWICE, "perfusion_pct"):
        off = np.abs(difference(name, *([m[s][name] for m in made] for s in ("stress", "rest"))))
        found[name] = {"median": float(np.median(off)), "95 %": float(np.percentile(off, 95))}
        true = name.replace("_corrected", "")
        if true in made[0]["truth"]:
            errors = [m[s][name] - m["truth"][true] for m in made for s in ("rest", "stress")]
            found[name]["mean error"] = float(np.mean(errors))
    dilated = np.abs([m["stress"]["mean_ml"] / m["rest"]["mean_ml"] - 1 for m in made])
    found["tid_ratio"] = {
        "median": float(np.median(dilated)), "95 %": float(np.percentile(dilated, 95))
    }  # fmt: skip
    return found


def rounded(value: Any) -> Any:
    """Round every float to three digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


def study() -> dict[str, Any]:
    """Measure rest and stress."""
    with ProcessPoolExecutor() as workers:
        twice = list(workers.map(measure_rest_stress, range(N_TWICE)))
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "n": len(twice),
        "rest and stress": rounded(of_rest_stress(twice)),
    }


def check_study(made: dict[str, Any]) -> None:
    """Hold rest and stress against what users may rely on, and what sheets say of it."""
    assert made["n"] == N_TWICE
    found = made["rest and stress"]
    assert found["psd_corrected_deg"]["median"] <= REST_STRESS_DEG
    for name, within in REPEATS.items():
        of_study = name.replace("lvef_spect", "ef").replace("lv", "").replace("_spect", "")
        assert within == pytest.approx(found[of_study]["95 %"], rel=0.05), name


def test_stored_rest_repeats_as_stress() -> None:
    check_study(json.loads(STORED.read_text(encoding="utf-8")))


@pytest.mark.parametrize("lbbb", [False, True], ids=["synchronous", "lbbb"])
def test_eight_gates_say_what_sixteen_do(lbbb: bool) -> None:
    """Without noise, on a heart that shortens by 10 mm."""
    ventricle = Ventricle(rv_activity=0.3, shortening_mm=10.0, twist_deg=10.0)
    if lbbb:
        ventricle = replace(ventricle, delay_rr=lbbb_delay())
    camera = Camera(n_rows=40, n_columns=40, n_slots=16)
    counts, voxel_mm, _ = image(ventricle, None, camera)
    sixteen, eight = measured(counts, voxel_mm), measured(summed_in_pairs(counts), voxel_mm)
    for name, limit in (("psd_deg", 1.0), ("pbw_deg", 3.0), ("peak_deg", 3.0), ("ef_pct", 3.0)):
        assert abs(difference(name, eight[name], sixteen[name])) <= limit, name


def test_rebinning_keeps_every_count() -> None:
    counts = np.random.default_rng(1).poisson(5.0, (16, 2, 3, 4)).astype(float)
    eight = summed_in_pairs(counts)
    assert eight.shape == (8, 2, 3, 4)
    assert eight[3] == pytest.approx(counts[6] + counts[7])


@pytest.mark.slow
def test_rest_repeats_as_stress() -> None:
    check_study(study())


if __name__ == "__main__":
    STORED.write_text(json.dumps(study(), indent=1, ensure_ascii=False) + "\n", "utf-8")
