"""The synthetic cohort of septal flash: its labels, its files, its truth."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from cardio_core.api import CohortTable, DataError
from cardio_core.testing import refuses
from cardio_mmode_septal_flash.flash.models import PATHS
from cardio_mmode_septal_flash.synthetic import synthesize
from cardio_mmode_septal_flash.synthetic.septal_flash import SECTOR
from cardio_ultrasound import read_loop, read_r_times

from .mmode_loops import shorten_loops
from .mmode_studies import studies


def test_clear_labels_follow_the_flash_and_impossible_ones_nothing() -> None:
    clear = studies(120, "clear")
    assert all(study.label == (study.spec.septum.flash_mm > 0) for study in clear)
    assert min(s.spec.septum.flash_mm for s in clear if s.label) >= 3.0
    null = studies(120, "impossible")
    assert {study.spec.septum.flash_mm for study in null} == {0.0}
    assert {study.spec.septum.rebound_mm for study in null} == {0.0}
    labels = [study.label for study in null]
    assert binomtest(sum(labels), len(labels), 0.5).pvalue > 0.001
    early = [s.spec.septum.systolic_onset_ms for s in null]
    standard_error = np.sqrt(len(labels) / (12 * sum(labels) * (len(labels) - sum(labels))))
    assert roc_auc_score(labels, early) == pytest.approx(0.5, abs=3.5 * standard_error)


def test_medium_labels_rank_by_the_flash_as_the_bayes_auc_says() -> None:
    medium = studies(400, "medium")
    labels = [s.label for s in medium]
    found = roc_auc_score(labels, [s.spec.septum.flash_mm for s in medium])
    assert 0.86 < found < 0.97
    subtle = [s for s in medium if 0.5 <= s.spec.septum.flash_mm <= 1.5]
    assert len(subtle) > 100
    assert 0.2 < np.mean([s.spec.murky for s in medium]) < 0.4
    assert {45 < s.spec.rate_hz < 85 for s in medium} == {True, False}


def test_with_the_confounder_labels_go_with_the_time_and_leads_only_with_follow_up() -> None:
    confounded = studies(200, "impossible", confounder=True)
    labels = np.array([s.label for s in confounded])
    later = np.array([s.timepoint == "follow-up" for s in confounded])
    assert [s.spec.lead for s in confounded] == later.tolist()
    assert labels[~later].mean() > 0.75
    assert labels[later].mean() < 0.25
    assert roc_auc_score(labels, ~later) > 0.75
    plain = studies(200, "clear")
    assert not any(s.spec.lead for s in plain)
    later = np.array([s.timepoint == "follow-up" for s in plain])
    labels = np.array([s.label for s in plain])
    assert labels[later].mean() == pytest.approx(labels[~later].mean(), abs=0.2)


def test_follow_up_is_of_the_same_heart_as_baseline() -> None:
    pairs = [
        (one, two)
        for one, two in pairwise(studies(30, "clear"))
        if one.patient_id == two.patient_id
    ]
    assert len(pairs) > 5
    assert all(one.spec.anatomy == two.spec.anatomy for one, two in pairs)
    assert all(one.spec.beat != two.spec.beat for one, two in pairs)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flash")
    synthesize(folder, n_patients=3, seed=4, difficulty="clear", confounder=True)
    return folder


def test_the_cohort_table_is_valid_and_its_files_are_there(cohort: Path) -> None:
    table = CohortTable.find(cohort, PATHS).rows
    raw = pd.read_csv(cohort / "cohort.csv")
    assert len(table) == len(raw) > 3
    assert raw["patient_id"].nunique() == 3
    written = ("path_echo_a4c", "path_septum", "path_rpeaks")
    assert set(written) <= set(PATHS)  # a table of one's own may have loops of unnamed views, too
    for column in written:
        assert all((cohort / path).is_file() for path in raw[column])


def test_the_loops_read_back_with_their_rate_size_and_r_peaks(cohort: Path) -> None:
    truth = json.loads((cohort / "truth.json").read_text())
    for study_id, facts in truth["studies"].items():
        loop = read_loop(cohort / "loops" / f"{study_id}.dcm")
        assert loop.frame_rate_hz == pytest.approx(facts["rate_hz"], rel=1e-4)
        assert loop.mm_per_pixel == pytest.approx((0.58, 0.58), rel=1e-4)
        assert loop.n_frames == len(facts["displacement_mm"])
        np.testing.assert_allclose(loop.r_times_ms, 1000 * np.array(facts["r_s"]), atol=0.01)
        peaks = read_r_times(cohort / "rpeaks" / f"{study_id}.json")
        np.testing.assert_allclose(peaks, loop.r_times_ms, atol=0.01)
        outline = json.loads((cohort / "septum" / f"{study_id}.json").read_text())
        assert len(outline["points_px"]) == 62
        assert outline["frame"] == facts["ed_frame"]
        np.testing.assert_allclose(outline["points_px"][14], facts["centre_px"], atol=0.001)
        assert loop.frame(facts["ed_frame"])[:, :].shape == (SECTOR.n_rows, SECTOR.n_columns)


def test_the_truth_states_window_displacement_and_bayes_auc(cohort: Path) -> None:
    truth = json.loads((cohort / "truth.json").read_text())
    assert truth["bayes_auc"]["septal_flash"] == 1.0
    raw = pd.read_csv(cohort / "cohort.csv").set_index("study_id")
    for study_id, facts in truth["studies"].items():
        assert raw.loc[study_id, "sf_label"] == facts["sf_label"] == (facts["flash_mm"] > 0)
        assert raw.loc[study_id, "mvc_ms"] == pytest.approx(facts["mvc_ms"], abs=0.051)
        if not facts["sf_label"]:
            assert facts["flash_window_ms"] is None
            continue
        begin, end = facts["flash_window_ms"]
        since_r = 1000 * (np.arange(len(facts["displacement_mm"])) / facts["rate_hz"])
        since_r -= 1000 * facts["r_s"][0]
        inside = (since_r >= begin) & (since_r <= end)
        shown = np.array(facts["displacement_mm"])[inside]
        # The frame next to the peak is at most half an interval away from it.
        assert shown.max() > 0.75 * facts["flash_mm"]
        assert end < facts["avo_ms"]


@pytest.mark.usefixtures("sparse_speckle")
def test_the_same_seed_writes_the_same_bytes_and_more_patients_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten_loops(monkeypatch)
    fewer, more = tmp_path / "fewer", tmp_path / "more"
    for folder, n_patients in ((fewer, 2), (more, 3)):
        synthesize(folder, n_patients=n_patients, seed=9, difficulty="subtle")
    files = [path.relative_to(fewer) for path in sorted(fewer.glob("*/*"))]
    assert len(files) >= 6
    assert all((fewer / file).read_bytes() == (more / file).read_bytes() for file in files)
    rows = [(folder / "cohort.csv").read_text().splitlines() for folder in (fewer, more)]
    assert rows[0] == rows[1][: len(rows[0])]


def test_pretraining_phantoms_are_other_patients(tmp_path: Path, cohort: Path) -> None:
    synthesize(tmp_path, task="phantom_flash", n_patients=2, seed=4)
    tables = [pd.read_csv(folder / "cohort.csv") for folder in (tmp_path, cohort)]
    assert not set(tables[0]["patient_id"]) & set(tables[1]["patient_id"])
    assert not set(tables[0]["hr_bpm"]) & set(tables[1]["hr_bpm"])


@pytest.mark.parametrize(
    ("wrong", "code"), [({"difficulty": "hard"}, "unknown"), ({"n_patients": 1}, "too_few")]
)
def test_what_does_not_exist_is_refused(tmp_path: Path, wrong: dict, code: str) -> None:
    with refuses(DataError, "synthetic cohort", *wrong.values(), code=code):
        synthesize(tmp_path, **wrong)
