"""What synthetic cohorts hold: read back by the readers, divided by known lists, true to labels."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from cardio_core.api import CohortTable, DataError
from cardio_core.testing import refuses
from cardio_ecg_transfer.readers import read_ecg
from cardio_ecg_transfer.readers.wfdb_record import read_annotations
from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.synthetic import synthesize
from cardio_ecg_transfer.synthetic.patient import Noise, PatientSpec
from cardio_ecg_transfer.synthetic.simulation import simulate
from cardio_ecg_transfer.synthetic.writers import write_dicom, write_wfdb

HALF_STEP_MV = 0.5 / 200 + 1e-6


def truth_of(folder: Path) -> dict[str, object]:
    return json.loads((folder / "truth.json").read_text())


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def recording() -> tuple:
    spec = PatientSpec("lbbb", pvc_share=0.1, pac_share=0.1, noise=Noise(12.0))
    return simulate(spec, 20.0, 500.0, seed=11)


@pytest.mark.parametrize("fmt", ["16", "212"])
def test_a_wfdb_record_comes_back_within_half_a_step(
    tmp_path: Path, recording: tuple, fmt: str
) -> None:
    ecg, truth = recording
    write_wfdb(tmp_path, "made", ecg, truth, fmt)
    back = read_ecg(tmp_path / "made")
    assert (back.leads, back.rate_hz, back.flags) == (STANDARD_LEADS, 500.0, ())
    np.testing.assert_allclose(back.signal_mv, ecg.signal_mv, atol=HALF_STEP_MV)
    samples, symbols = read_annotations(tmp_path / "made")
    assert (samples[0], symbols[0]) == (0, "+")
    assert symbols[1:] == truth.symbols
    np.testing.assert_allclose(samples[1:] / 500.0, truth.r_s, atol=0.5 / 500 + 1e-9)


def test_a_dicom_file_comes_back_within_half_a_step_and_its_median_beat_does_not(
    tmp_path: Path, recording: tuple
) -> None:
    ecg, truth = recording
    write_dicom(tmp_path / "made.dcm", ecg, truth)
    back = read_ecg(tmp_path / "made.dcm")
    assert (back.leads, back.rate_hz, back.duration_s) == (STANDARD_LEADS, 500.0, 20.0)
    np.testing.assert_allclose(back.signal_mv, ecg.signal_mv, atol=HALF_STEP_MV)


def test_wfdb_and_dicom_hold_the_same_potentials(tmp_path: Path, recording: tuple) -> None:
    ecg, truth = recording
    write_wfdb(tmp_path, "made", ecg)
    write_dicom(tmp_path / "made.dcm", ecg, truth)
    one, other = read_ecg(tmp_path / "made"), read_ecg(tmp_path / "made.dcm")
    np.testing.assert_allclose(one.signal_mv, other.signal_mv, atol=1e-6)


@pytest.mark.parametrize("kind", ["16", "212", "dicom"])
def test_missing_samples_are_written_as_missing_and_excess_is_clipped(
    tmp_path: Path, recording: tuple, kind: str
) -> None:
    ecg, truth = recording
    signal_mv = ecg.signal_mv.copy()
    signal_mv[3, 100:110] = np.nan
    signal_mv[4, 200] = 500.0
    changed = Ecg(signal_mv, ecg.rate_hz, ecg.leads)
    if kind == "dicom":
        write_dicom(tmp_path / "made.dcm", changed, truth)
        back = read_ecg(tmp_path / "made.dcm").signal_mv
    else:
        write_wfdb(tmp_path, "made", changed, fmt=kind)
        back = read_ecg(tmp_path / "made").signal_mv
    assert np.array_equal(np.isnan(back), np.isnan(signal_mv))
    highest = {"16": 32767 / 200, "212": (2047 - 1024) / 200, "dicom": 32767 / 200}[kind]
    assert back[4, 200] == pytest.approx(highest)


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("beats")
    synthesize(folder, task="aami_beats", n_patients=12, seed=5, duration_s=30.0)
    return folder


def test_a_beat_cohort_is_a_folder_like_mit_bihs(beats: Path) -> None:
    names = (beats / "RECORDS").read_text().split()
    assert names == sorted(names)
    assert len(names) == 12
    assert {"100", "101", "102", "201", "202"} <= set(names)
    for name in names:
        ecg = read_ecg(beats / name)
        assert (ecg.rate_hz, ecg.signal_mv.shape) == (360.0, (2, 10_800))
        assert ecg.leads[0] == ("V5" if name == "102" else "MLII")
        header = (beats / f"{name}.hea").read_text()
        assert header.splitlines()[1].split()[1:3] == ["212", "200.0(1024)/mV"]
        assert "Synthetic" in header


def test_annotations_are_the_stated_truth(beats: Path) -> None:
    for name, facts in truth_of(beats)["records"].items():
        samples, symbols = read_annotations(beats / name)
        assert list(symbols[1:]) == facts["symbols"]
        np.testing.assert_allclose(samples[1:] / 360, facts["r_s"], atol=0.6 / 360)
        certain = [p > 0.5 for p in facts["prob_ventricular"]]
        assert [symbol == "V" for symbol in facts["symbols"]] == certain


def test_every_class_occurs_and_paced_records_hold_the_paced_beats(beats: Path) -> None:
    records = truth_of(beats)["records"]
    symbols = {symbol for facts in records.values() for symbol in facts["symbols"]}
    assert {"N", "L", "V", "A", "F", "/"} <= symbols
    assert set(records["102"]["symbols"]) <= {"/", "f", "V", "Q"}
    assert not any("/" in facts["symbols"] for name, facts in records.items() if name != "102")


def test_the_one_man_is_linked_and_has_one_heart(beats: Path) -> None:
    table = CohortTable.find(beats / "cohort.csv").rows
    linked = table[table["subject_link"].notna()]
    assert set(linked["patient_id"]) == {"201", "202"}
    assert linked["subject_link"].nunique() == 1

    def average_beat(name: str) -> np.ndarray:
        facts, mv = truth_of(beats)["records"][name], read_ecg(beats / name).signal_mv[0]
        centres = [
            round(r_s * 360)
            for r_s, symbol in zip(facts["r_s"], facts["symbols"], strict=True)
            if symbol in "NLR" and 1 < r_s < 29
        ]
        return np.median([mv[c - 30 : c + 30] - mv[c - 30] for c in centres], axis=0)

    same = np.corrcoef(average_beat("201"), average_beat("202"))[0, 1]
    others = [
        np.corrcoef(average_beat("201"), average_beat(name))[0, 1]
        for name in ("100", "101", "103", "105", "106", "108")
    ]
    assert same > 0.99
    assert same > max(others)


def test_records_do_not_depend_on_how_many_there_are(beats: Path, tmp_path: Path) -> None:
    synthesize(tmp_path, task="aami_beats", n_patients=3, seed=5, duration_s=30.0)
    for name in ("100.dat", "101.atr", "201.hea"):
        assert (tmp_path / name).read_bytes() == (beats / name).read_bytes()


@pytest.mark.parametrize("task", ["aami_beats", "crt_response"])
def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, task: str) -> None:
    options = {"duration_s": 10.0} if task == "aami_beats" else {}
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        synthesize(tmp_path / name, task=task, n_patients=4, seed=seed, **options)
    first, again, other = (contents(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert first.keys() == other.keys()
    assert all(first[name] != other[name] for name in first if name.endswith((".dat", ".dcm")))


@pytest.mark.parametrize(
    ("difficulty", "null", "low", "high"),
    [
        ("easy", False, 0.9999, 1.0),
        ("medium", False, 0.85, 0.95),
        ("impossible", False, 0.51, 0.6),
        ("easy", True, 0.5, 0.5),
    ],
)
def test_the_stated_bayes_auc_of_beats_is_reached_and_not_exceeded(
    tmp_path: Path, difficulty: str, null: bool, low: float, high: float
) -> None:
    """Ranking by λ, the most that can be seen, reaches the stated AUC but for sampling."""
    synthesize(
        tmp_path, task="aami_beats", n_patients=16, seed=1, difficulty=difficulty, null=null,
        duration_s=40.0,
    )  # fmt: skip
    truth = truth_of(tmp_path)
    stated = truth["bayes_auc"]["V against the rest"]
    assert low <= stated <= high
    records = [facts for name, facts in truth["records"].items() if name != "102"]
    is_v = np.array([s == "V" for facts in records for s in facts["symbols"]])
    mixing = np.array([m for facts in records for m in facts["mixing"]])
    error = 0.5 / np.sqrt(is_v.sum())  # upper limit of an AUC's standard error
    assert abs(roc_auc_score(is_v, mixing) - stated) < 2 * error


@pytest.fixture(scope="module")
def crt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crt")
    synthesize(folder, task="crt_response", n_patients=40, seed=3)
    return folder


def test_a_crt_cohort_is_a_valid_table_of_wfdb_and_dicom_recordings(crt: Path) -> None:
    table = CohortTable.find(crt / "cohort.csv").rows
    assert len(table) == 40
    paths = [path for files in table["path_ecg"] for path in files]
    assert {path.suffix for path in paths} == {".hea", ".dcm"}
    for path in paths[:6]:
        ecg = read_ecg(path)
        assert (ecg.leads, ecg.rate_hz, ecg.duration_s) == (STANDARD_LEADS, 500.0, 10.0)


def test_the_volumes_tell_the_drawn_response(crt: Path) -> None:
    table = pd.read_csv(crt / "cohort.csv", index_col="patient_id")
    shrinkage = 1 - table["lvesv_fu_ml"] / table["lvesv_bl_ml"]
    drawn = {name: facts["response"] for name, facts in truth_of(crt)["patients"].items()}
    assert (shrinkage >= 0.15).astype(int).to_dict() == drawn
    gained = table["lvef_fu_pct"] - table["lvef_bl_pct"] > 5
    assert gained.astype(int).to_dict() == drawn


def test_qrs_columns_are_the_recordings_truth(crt: Path) -> None:
    table = pd.read_csv(crt / "cohort.csv", index_col="patient_id")
    for name, facts in truth_of(crt)["patients"].items():
        assert table.loc[name, "qrs_ms"] == pytest.approx(facts["qrs_ms"], abs=0.5)
    assert set(table["qrs_morph"]) == {"LBBB", "RBBB", "IVCD", "narrow"}


@pytest.mark.parametrize(
    ("difficulty", "null", "expected"),
    [
        ("easy", False, 0.90),
        ("medium", False, 0.75),
        ("impossible", False, 0.55),
        ("easy", True, 0.5),
    ],
)
def test_the_bayes_auc_of_response_is_the_difficultys(
    tmp_path: Path, difficulty: str, null: bool, expected: float
) -> None:
    synthesize(
        tmp_path, task="crt_response", n_patients=20, seed=4, difficulty=difficulty, null=null
    )
    truth = truth_of(tmp_path)
    assert truth["bayes_auc"]["response"] == pytest.approx(expected, abs=0.0 if null else 0.08)


@pytest.mark.slow
def test_no_model_on_the_true_qrs_beats_the_bayes_auc_over_twenty_seeds(tmp_path: Path) -> None:
    """100 patients a seed: the known index reaches the Bayes AUC on average, and never beyond.

    2026-11-21, medium: mean difference -.002, standard deviation .053, largest +.09.
    """
    differences = []
    for seed in range(20):
        synthesize(tmp_path / str(seed), task="crt_response", n_patients=100, seed=seed)
        truth = truth_of(tmp_path / str(seed))
        patients = truth["patients"].values()
        index = [facts["prob_response"] for facts in patients]
        auc = roc_auc_score([facts["response"] for facts in patients], index)
        differences.append(auc - truth["bayes_auc"]["response"])
    standard_error = np.std(differences) / np.sqrt(20)
    assert abs(np.mean(differences)) < 2.5 * standard_error
    assert np.std(differences) < 0.08


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"task": "echo"}, "unknown"),
        ({"task": "crt_response", "difficulty": "hard"}, "unknown"),
        ({"task": "crt_response", "n_patients": 1}, "too_few"),
    ],
)
def test_a_cohort_that_does_not_exist_is_refused(
    tmp_path: Path, wrong: dict[str, object], code: str
) -> None:
    with refuses(DataError, "synthetic cohort", list(wrong.values())[-1], code=code):
        synthesize(tmp_path, **wrong)
