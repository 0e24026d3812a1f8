"""The CRT cohort: what it writes, and that its response depends on what it says."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import cardio_stats as stats
from cardio_core.api import CohortTable, DataError
from cardio_spect_polar.polar.maps import LATERAL, SEPTAL
from cardio_spect_polar.readers.nm import read_nm
from cardio_spect_polar.synthetic import synthesize
from cardio_spect_polar.synthetic.crt import (
    OUTLIER,
    SLOPES,
    draw_heart,
    draw_site,
    index_terms,
    prob_response,
    regional_delay,
    small_heart,
    table_row,
)
from cardio_spect_polar.synthetic.truth import truth_of
from cardio_spect_polar.synthetic.ventricle import pose

N = 12
TABLE_1 = (
    "age_y", "sex", "smoking", "ckd", "cad", "ischemic_aetiology", "acei_arb", "betablocker",
    "nyha_bl", "qrs_ms", "lvesv_bl_ml", "lvesv_fu_ml", "lvedv_bl_ml", "lvef_bl_pct",
)  # fmt: skip


@pytest.fixture(scope="module")
def written(crt_cohort) -> Path:
    return crt_cohort


@pytest.fixture(scope="module")
def truth(written) -> dict:
    return json.loads((written / "truth.json").read_text())


@pytest.fixture(scope="module")
def hearts() -> list:
    return [draw_heart(np.random.default_rng([7, number])) for number in range(1500)]


def test_the_table_passes_the_cohort_schema_and_has_the_variables_of_table_1(written):
    table = CohortTable.find(written).rows
    assert len(table) == N
    assert set(TABLE_1) <= set(table.columns)
    assert table["vol_method"].eq("spect").all()
    assert not {"response", "psd_deg", "pbw_deg", "scar_pct"} & set(table.columns)
    assert all(path.is_file() for cell in table["path_spect"] for path in cell)


def test_response_has_to_be_computed_from_the_volumes_and_is_then_the_one_drawn(written, truth):
    table = CohortTable.find(written).rows
    found = CohortTable("cohort.csv", table).outcome("LVESV15").values
    lost = table["followup_status"] == "lost"
    assert found[lost].isna().all()
    for study, response in found[~lost].items():
        assert response == truth["patients"][study.removesuffix("-bl")]["response"]


def test_ejection_fractions_follow_from_the_volumes(written):
    table = CohortTable.find(written).rows
    for when in ("bl", "fu"):
        esv, edv, ef = (
            table[name].astype(float)
            for name in (f"lvesv_{when}_ml", f"lvedv_{when}_ml", f"lvef_{when}_pct")
        )
        known = edv.notna()
        assert np.abs(100 * (1 - esv / edv) - ef)[known].max() <= 0.051


def test_one_in_sixteen_is_lost_to_follow_up_and_then_has_no_volumes():
    """Rows only: the table's chance does not need the images."""
    heart = draw_heart(np.random.default_rng(0))
    known = truth_of(heart.ventricle, pose(heart.ventricle, (24, 40, 40), (6.4,) * 3), 6.4, 8)
    rows = [
        table_row(f"p{n}", heart, known, "north", bool(n % 2), np.random.default_rng(n))
        for n in range(2000)
    ]
    lost = np.array([row["followup_status"] == "lost" for row in rows])
    assert 0.045 < lost.mean() < 0.08  # one in sixteen
    assert all((row["lvesv_fu_ml"] == "") == gone for row, gone in zip(rows, lost, strict=True))


def test_the_outlier_has_16_ml_in_the_table_and_a_heart_to_match(written, truth):
    table = CohortTable.find(written).rows
    small = table.loc[f"p{OUTLIER:03d}-bl"]
    assert small["lvesv_bl_ml"] == 16.0
    assert small["followup_status"] == "complete"
    assert truth["patients"][f"p{OUTLIER:03d}"]["esv_ml"] == pytest.approx(16.0, abs=5)
    assert (table["lvesv_bl_ml"].drop(f"p{OUTLIER:03d}-bl") > 60).all()


def test_a_study_read_back_is_the_ventricle_in_its_own_order_of_slices(written, truth):
    """An odd patient's file begins at the apex, an even one's at the base."""
    for patient, begins_at_apex in (("p001", True), ("p002", False), ("p003", True)):
        stack = read_nm(written / f"spect/{patient}_rest.dcm")
        known = truth["patients"][patient]
        assert stack.apex_first is begins_at_apex
        assert stack.state == "rest"
        brightest = stack.counts.mean(axis=0).max(axis=(1, 2))
        canonical = brightest[::-1] if begins_at_apex else brightest
        middle = np.average(
            np.arange(len(canonical)) * known["voxel_mm"], weights=canonical > canonical.max() / 2
        )
        assert middle == pytest.approx((known["base_mm"] + known["apex_mm"]) / 2, abs=6.4)
        assert stack.voxel_mm == pytest.approx((known["voxel_mm"],) * 3, abs=1e-4)
        peak = known["counts_per_voxel"]
        assert 0.8 * peak < stack.counts.mean(axis=0).max() < 1.5 * peak


def test_the_bases_descend_as_in_failing_hearts_and_most_in_those_that_beat_most(hearts):
    """3 to 9 mm, where healthy ones have 10 to 14, and farther at the lateral side."""
    descends = np.array([heart.ventricle.shortening_mm for heart in hearts])
    beats = np.array([np.mean(heart.ventricle.thickening) for heart in hearts])
    assert 3 <= descends.min() < 4
    assert 8 < descends.max() <= 9
    assert np.corrcoef(descends, beats)[0, 1] > 0.6
    assert all(0.05 <= heart.ventricle.shortening_difference <= 0.3 for heart in hearts)


def test_cameras_differ_in_voxels_gates_and_counts_of_the_gates():
    """Voxels 3 to 6.8 mm; a few last gates hold less than .8 of their counts, none less than .7."""
    cameras = [draw_site(np.random.default_rng([3, n]))[1] for n in range(400)]
    voxel = np.array([camera.voxel_mm[0] for camera in cameras])
    assert 3.0 <= voxel.min() < 3.2
    assert 6.6 < voxel.max() <= 6.8
    assert all(camera.n_rows * camera.voxel_mm[1] > 190 for camera in cameras)
    assert 0.18 < np.mean([camera.n_slots == 16 for camera in cameras]) < 0.32
    lost = np.array([camera.drop_off for camera in cameras])
    assert 0.02 < np.mean(lost > 0.2) < 0.12
    assert lost.max() < 0.3
    jumps = np.array([np.abs(np.diff(camera.slot_gain)).max() for camera in cameras])
    assert 0.01 < np.mean(jumps > 0.09) < 0.1
    empty = [max((max(end[1:]) for end in camera.empty_ends), default=0) for camera in cameras]
    assert 0.15 < np.mean(np.array(empty) > 0) < 0.35
    assert np.max(np.array(empty) * voxel) < 15.0


def test_every_fifth_patient_also_has_a_study_at_stress(written):
    table = CohortTable.find(written).rows
    states = table["path_spect"].map(lambda cell: [read_nm(path).state for path in cell])
    assert states["p005-bl"] == ["rest", "stress"]
    assert states["p004-bl"] == ["rest"]
    assert sum(map(len, states)) == N + N // 5


def test_the_same_seed_writes_the_same_bytes_and_the_first_patients_whatever_their_number(
    written, tmp_path
):
    synthesize(tmp_path, task="crt_response", n_patients=3, seed=0)
    for path in sorted((tmp_path / "spect").iterdir()):
        assert path.read_bytes() == (written / "spect" / path.name).read_bytes()
    few = (tmp_path / "cohort.csv").read_text().splitlines()
    assert few == (written / "cohort.csv").read_text().splitlines()[:4]


def test_another_seed_draws_other_patients(written, tmp_path):
    synthesize(tmp_path, task="crt_response", n_patients=2, seed=1)
    with (tmp_path / "cohort.csv").open() as other, (written / "cohort.csv").open() as one:
        assert (
            next(csv.DictReader(other))["lvesv_bl_ml"] != next(csv.DictReader(one))["lvesv_bl_ml"]
        )


@pytest.mark.parametrize(
    ("difficulty", "expected"), [("easy", 0.9), ("medium", 0.75), ("impossible", 0.55)]
)
def test_the_difficulties_have_the_bayes_auc_they_promise(hearts, difficulty, expected):
    eta = np.array([prob_response(heart, SLOPES[difficulty]) for heart in hearts])
    assert stats.bayes_auc(eta).value == pytest.approx(expected, abs=0.015)
    assert 0.35 < eta.mean() < 0.5  # 44 % in the paper


def test_the_true_probabilities_rank_drawn_labels_as_well_as_the_bayes_auc_says(hearts):
    eta = np.array([prob_response(heart, SLOPES["medium"]) for heart in hearts])
    rng = np.random.default_rng(0)
    found = [roc_auc_score(rng.uniform(size=eta.size) < eta, eta) for _ in range(40)]
    assert np.mean(found) == pytest.approx(stats.bayes_auc(eta).value, abs=0.006)


def test_null_cohorts_respond_by_chance(hearts, tmp_path):
    eta = [prob_response(heart, 0.0) for heart in hearts]
    assert np.ptp(eta) == 0
    synthesize(tmp_path, task="crt_response", n_patients=2, null=True)
    written = json.loads((tmp_path / "truth.json").read_text())
    assert written["bayes_auc"] == {"response": 0.5}
    assert written["effect_segments"] == []


def test_response_rises_with_viable_delay_and_qrs_and_falls_with_scar(hearts):
    terms = {
        name: np.array([index_terms(h)[name] for h in hearts]) for name in index_terms(hearts[0])
    }
    logit = np.array([prob_response(heart, SLOPES["medium"]) for heart in hearts])
    logit = np.log(logit / (1 - logit))
    design = np.column_stack([np.ones(len(hearts)), *terms.values()])
    weights, residual, *_ = np.linalg.lstsq(design, logit, rcond=None)
    assert residual.sum() < 1e-12
    delay, scar, qrs = weights[1:] * design[:, 1:].std(axis=0)
    assert delay > qrs > 0 > scar
    for name, column in terms.items():  # each term is what the index says: mean 0, SD 1
        unit = {
            "viable_delay_deg": (42.0, 25.4),
            "scar_share": (0.175, 0.127),
            "qrs_ms": (157.7, 18.6),
        }
        assert column.mean() == pytest.approx(unit[name][0], abs=0.1 * unit[name][1])
        assert column.std() == pytest.approx(unit[name][1], rel=0.05)


def test_a_scar_in_the_free_wall_takes_its_delay_out_of_the_index(hearts):
    lateral_scar = [heart for heart in hearts if set(LATERAL) <= set(heart.scarred)]
    assert lateral_scar
    assert all(index_terms(heart)["viable_delay_deg"] == 0 for heart in lateral_scar)


def test_delay_of_scarred_segments_tells_nothing_about_response(hearts):
    for heart in [heart for heart in hearts if heart.scarred][:50]:
        delay = np.array(heart.ventricle.delay_rr)
        delay[np.array(heart.scarred) - 1] += 0.15
        later = replace(heart, ventricle=replace(heart.ventricle, delay_rr=tuple(delay)))
        assert index_terms(later) == index_terms(heart)


def test_the_planted_delay_is_regional():
    delay = np.array(regional_delay(-0.05, 0.2, 265.0))
    lateral, septal = delay[np.array(LATERAL) - 1], delay[np.array(SEPTAL) - 1]
    assert lateral.min() - septal.max() > 0.08
    assert delay.argmax() + 1 in LATERAL


def test_cohorts_look_like_candidates_for_crt(hearts):
    """The paper's: EDV 291 ± 88 mL, EF 29 ± 7 %."""
    known = [
        truth_of(h.ventricle, pose(h.ventricle, (26, 40, 40), (6.4,) * 3), 6.4, 8)
        for h in hearts[:40]
    ]
    edv, ef = np.mean([t.edv_ml for t in known]), np.mean([t.ef_pct for t in known])
    assert 200 < edv < 300
    assert 22 < ef < 35
    small = small_heart(np.random.default_rng(2)).ventricle
    assert 2 / 3 * np.pi * small.radius_mm**2 * small.length_mm / 1000 < 60


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"task": "echo"}, "task of crt_response, mfr, risk_factor"),
        ({"task": "crt_response", "difficulty": "hard"}, "difficulty of easy"),
        ({"task": "crt_response", "n_patients": 1}, "at least 2"),
        ({"task": "mfr", "null": True}, "no difficulty"),
    ],
)
def test_what_does_not_exist_is_refused_in_one_line(tmp_path, wrong, message):
    with pytest.raises(DataError, match=message) as error:
        synthesize(tmp_path, **wrong)
    assert "\n" not in str(error.value)
