"""How well phases, ends and volumes are measured, on digital ventricles that went through DICOM.

The ventricles and their errors are those of `spect_accuracy`; floors are those of the acceptance
list. Noisy cases are pooled over their seeds.

Slow: the whole list and sixty random ventricles; what came out last is stored with its date. To
store it anew: ``python plugins/spect_polar/tests/test_spect_accuracy.py``.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spect_accuracy import BASIC, Case, cases, measure, measure_random, measure_shortening

from cardio_spect_polar.synthetic.imaging import Camera
from cardio_spect_polar.synthetic.ventricle import lbbb_delay

STORED = Path(__file__).parent / "stored" / "phantom_accuracy.json"
FLOORS = {
    "synchronous": {"sample_deg": 0.5},
    "lbbb": {"segment_deg": 5.0, "psd_deg": 3.0, "pbw_deg": 6.0},
    "200 counts": {"segment_deg": 6.0},
    "60 counts": {"segment_deg": 8.0},
    "drop-off 10 %": {"spread_lost_deg": 5.0},
    "synchronous, base descends by 10 mm": {"psd_deg": 4.0, "pbw_deg": 12.0},
    "lbbb, base descends by 10 mm": {"psd_deg": 3.0, "pbw_deg": 8.0},
}
N_RANDOM = 60
WITHIN_ONE_SLICE = 0.95
EF_POINTS, EF_WITHIN_SHARE = 5.0, 0.95
PSD_MEDIAN_DEG, PSD_95_DEG = 2.0, 6.0
PSD = ("psd_deg", "psd_corrected_deg")


def pooled(results: list[dict[str, Any]], wall: str = "detected") -> dict[str, dict[str, float]]:
    """Return root mean squares over the seeds of every case, by case and quantity."""
    of_case: dict[str, list[dict[str, float]]] = {}
    for result in results:
        of_case.setdefault(result["case"], []).append(result[wall])
    return {
        name: {key: float(np.sqrt(np.mean([e[key] ** 2 for e in errors]))) for key in errors[0]}
        for name, errors in of_case.items()
    }


def missed(results: list[dict[str, Any]], wall: str = "detected") -> list[str]:
    """Return the floors that are missed."""
    floors_of = {result["case"]: FLOORS[result["floors"]] for result in results}
    return [
        f"{case}: {name} {errors[name]:.2f}, floor {floor:g}"
        for case, errors in pooled(results, wall).items()
        for name, floor in floors_of[case].items()
        if errors[name] > floor
    ]


FAST = ("synchronous, tilt of 10 degrees", "lbbb, 32 x 32 x 32 of 6.4 mm")


@pytest.mark.parametrize("name", FAST)
def test_a_ventricle_found_in_dicom_meets_the_floors(name: str) -> None:
    case = next(case for case in cases() if case.name == name)
    result = measure(case, *case.seeds[:1])
    assert missed([result]) == []
    assert abs(result["ends"]["base_slices"]) <= 1
    assert abs(result["ends"]["apex_slices"]) <= 1
    assert abs(result["ends"]["ef_points"]) <= EF_POINTS


def test_noise_and_lost_beats_leave_segment_phases_within_the_floor() -> None:
    """60 counts a voxel, gut, a tilt and a tenth of the last slot lost at once."""
    late = replace(
        BASIC, delay_rr=lbbb_delay(), gut_activity=0.9, gut_distance_mm=24.0, tilt_deg=8.0
    )
    camera = Camera(n_rows=40, n_columns=40, counts_per_voxel=60.0, drop_off=0.1)
    result = measure(Case("everything", "60 counts", late, camera), 5)
    assert missed([result]) == []


def test_stored_accuracy_meets_every_floor() -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    assert {result["case"] for result in stored["cases"]} == {case.name for case in cases()}
    check_study(stored)


def check_study(made: dict[str, Any]) -> None:
    """Hold a study against every floor."""
    assert missed(made["cases"]) == []
    raw, corrected = (abs(from_noise(made["cases"], name)) for name in PSD)
    assert corrected < raw / 2
    assert len(made["random"]) == N_RANDOM
    ends_of = [result["ends"] for result in made["random"]]
    within = [abs(end["base_slices"]) <= 1 and abs(end["apex_slices"]) <= 1 for end in ends_of]
    assert np.mean(within) >= WITHIN_ONE_SLICE
    errors = [abs(r["ends"]["ef_points"]) for r in (*made["cases"], *made["random"])]
    assert max(errors) <= EF_POINTS
    check_shortening(made["shortening"])


def from_noise(results: list[dict[str, Any]], name: str, counts: str = "60 counts") -> float:
    """Return what noise adds to a phase SD: its mean error less that of the noise-free heart.

    Against the truth, what noise adds and what blur takes (2 degrees of an LBBB) would cancel.
    """
    clean = {result["case"]: result["detected"]["psd_deg"] for result in results}
    return float(
        np.mean(
            [
                result["detected"][name] - clean[result["case"].replace(f"{counts}, ", "")]
                for result in results
                if result["floors"] == counts
            ]
        )
    )


def check_shortening(made: list[dict[str, Any]]) -> None:
    """Hold sixty ventricles whose base descends against the floors."""
    assert len(made) == N_RANDOM
    for name, kind in (("psd_deg", "noise-free"), ("psd_corrected_deg", "noisy")):
        off = np.abs([result[kind][name] for result in made])
        assert np.median(off) <= PSD_MEDIAN_DEG, (name, kind)
        assert np.percentile(off, 95) <= PSD_95_DEG, (name, kind)
    for name in ("noise-free", "noisy"):
        for base in ("base_ed_slices", "base_es_slices"):
            assert np.mean([abs(r[name][base]) <= 1 for r in made]) >= WITHIN_ONE_SLICE
        # A liver beside the wall pulls the endocardium outwards in one heart of sixty.
        assert max(abs(r[name]["ef_points"]) for r in made if not r["liver"]) <= EF_POINTS
        within = [abs(r[name]["ef_points"]) <= EF_POINTS for r in made if r["liver"]]
        assert np.mean(within) >= EF_WITHIN_SHARE


def study() -> dict[str, Any]:
    """Measure the whole list."""
    results = [measure(case, seed) for case in cases() for seed in (case.seeds or (None,))]
    random = [measure_random(seed) for seed in range(N_RANDOM)]
    shortening = [measure_shortening(seed) for seed in range(N_RANDOM)]
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "floors": FLOORS,
        "summary": summary(results, random) | {"base descends": of_shortening(shortening)},
        "missed": missed(results),
        "cases": rounded(results),
        "random": rounded(random),
        "shortening": rounded(shortening),
    }


def summary(results: list[dict[str, Any]], random: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the worst of each kind, detected and known side by side, and the shares."""
    worst: dict[str, Any] = {}
    for kind, floors in FLOORS.items():
        of_kind = [result for result in results if result["floors"] == kind]
        errors = {wall: pooled(of_kind, wall) for wall in ("detected", "known")}
        worst[kind] = {
            name: {
                wall: round(max(of_case[name] for of_case in by_case.values()), 2)
                for wall, by_case in errors.items()
            }
            | ({"floor": floors[name]} if name in floors else {})
            for name in ("sample_deg", "segment_deg", "psd_deg", "pbw_deg", "spread_deg", *floors)
        }
    noisy = [result for result in results if result["floors"] == "60 counts"]
    for wall in ("detected", "known"):
        for name in PSD:
            mean = float(np.mean([result[wall][name] for result in noisy]))
            worst["60 counts"].setdefault(f"mean bias of {name}", {})[wall] = round(mean, 2)
    for name in PSD:
        added = round(from_noise(results, name), 2)
        worst["60 counts"][f"noise adds to {name}"] = {"detected": added}
    base, apex, ef = (
        np.abs([result["ends"][name] for result in random])
        for name in ("base_slices", "apex_slices", "ef_points")
    )
    worst["base and apex within one slice"] = float(np.mean((base <= 1) & (apex <= 1)))
    worst["EF within 5 points"] = float(np.mean(ef <= EF_POINTS))
    worst["EF error of the listed cases, worst"] = round(
        max(abs(result["ends"]["ef_points"]) for result in results), 2
    )
    worst["EF error of the random ventricles, worst"] = round(float(ef.max()), 2)
    return worst


def of_shortening(made: list[dict[str, Any]]) -> dict[str, Any]:
    """Return median, 95 % and worst of the absolute errors, without noise and with it."""
    names = ("psd_deg", "psd_corrected_deg", "pbw_deg", "pbw_corrected_deg", "ef_points",
             "base_ed_slices", "base_es_slices")  # fmt: skip
    return {
        kind: {
            name: dict(
                zip(
                    ("median", "95 %", "worst"),
                    np.percentile([abs(r[kind][name]) for r in made], [50, 95, 100])
                    .round(2)
                    .tolist(),
                    strict=True,
                )
            )
            for name in names
        }
        for kind in ("noise-free", "noisy")
    }


def rounded(value: Any) -> Any:
    """Round every float to three digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


@pytest.mark.xfail(
    strict=True, reason="one study of 120 is 7.1 points off: a liver lies against the wall"
)
def test_no_stored_ventricle_whose_base_descends_is_five_ef_points_off() -> None:
    made = json.loads(STORED.read_text(encoding="utf-8"))["shortening"]
    worst = [abs(r[kind]["ef_points"]) for r in made for kind in ("noise-free", "noisy")]
    assert max(worst) <= EF_POINTS


@pytest.mark.xfail(
    strict=True,
    reason="+.1 degrees raw and -2.1 corrected: blur takes from an LBBB what noise adds to the raw "
    "phase SD; against the noise-free heart the correction does take off half, see check_study",
)
def test_the_corrected_phase_sd_has_half_the_bias_of_the_raw_one_against_the_truth() -> None:
    made = json.loads(STORED.read_text(encoding="utf-8"))["cases"]
    noisy = [result["detected"] for result in made if result["floors"] == "60 counts"]
    raw, corrected = (abs(np.mean([result[name] for result in noisy])) for name in PSD)
    assert corrected < raw / 2


@pytest.mark.slow
def test_the_whole_list_meets_every_floor() -> None:
    check_study(study())


if __name__ == "__main__":
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_text(json.dumps(study(), indent=1, ensure_ascii=False) + "\n", "utf-8")
