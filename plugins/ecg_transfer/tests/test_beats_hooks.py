"""From files to features, through the plugin's own hooks."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wfdb

from cardio_core.api import Context, DataError, EvaluateBlock, FeatureBlock
from cardio_core.testing import refuses
from cardio_ecg_transfer.beats.config import FeaturizeBlock, PreprocessBlock
from cardio_ecg_transfer.beats.evaluate import by_the_standard, cost_by_recording
from cardio_ecg_transfer.beats.explain import choose_cases, share_around_r
from cardio_ecg_transfer.beats.featurize import featurize
from cardio_ecg_transfer.beats.load import load
from cardio_ecg_transfer.beats.models import AAMI_BEATS
from cardio_ecg_transfer.beats.preprocess import picture_leads, preprocess
from cardio_ecg_transfer.readers.mitbih import AAMI_CLASSES, DS1, DS2, DS2_STRICT, PACED
from cardio_ecg_transfer.shared.config import RecordingsBlock
from cardio_ecg_transfer.signal.spectrogram.pictures import RANGES_DB
from cardio_ecg_transfer.synthetic import synthesize


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("made")
    synthesize(path, task="aami_beats", n_patients=6, duration_s=20.0, seed=1)
    return path


def context(path, mode="fit") -> Context:
    return Context(AAMI_BEATS, hook="load", mode=mode, _inputs=(path,))


def first_patient(folder, **settings):
    ctx = context(folder)
    cohort = load(RecordingsBlock(), ctx)
    return preprocess(cohort.samples.take([0]), PreprocessBlock(**settings), ctx)


def test_the_published_lists_are_disjoint_complete_and_without_paced_records():
    assert len(DS1) == len(DS2) == 22
    assert not set(DS1) & set(DS2)
    assert not (set(DS1) | set(DS2)) & set(PACED)
    assert set(DS2) - set(DS2_STRICT) == {"202"}


def test_load_finds_recordings_patients_and_events(folder):
    cohort = load(RecordingsBlock(), context(folder))
    assert len(cohort.samples) == 6
    table = cohort.samples.table
    assert table.loc["202", "subject_link"] == table.loc["201", "subject_link"]
    events = cohort.targets.table
    assert set(events["aami_class"]) <= set(AAMI_CLASSES)
    assert events.groupby("recording_id").size().min() > 10
    assert {file.suffix for file in cohort.files["202"]} == {".hea", ".dat", ".atr"}


# ANSI/AAMI EC57, table 3, with the marks of the WFDB annotation format.
OF_THE_STANDARD = {"N": "NLRejB", "S": "AaJSn", "V": "VEr", "F": "F", "Q": "/fQ?"}


def test_every_mark_of_a_beat_has_the_class_of_the_standard_and_other_marks_are_no_beat(
    folder, tmp_path
):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    marks = [*"".join(OF_THE_STANDARD.values()), "+", "~", "|"]
    wfdb.wrann("202", "atr", 100 * np.arange(1, 1 + len(marks)), marks, write_dir=str(tmp_path))
    events = load(RecordingsBlock(), context(tmp_path)).targets.table
    found = events.loc[events["recording_id"] == "202", "aami_class"]
    assert "".join(found) == "".join(name * len(of) for name, of in OF_THE_STANDARD.items())


def test_predict_mode_needs_no_annotations_and_returns_no_targets(folder, tmp_path):
    for suffix in (".hea", ".dat"):
        (tmp_path / f"201{suffix}").write_bytes((folder / f"201{suffix}").read_bytes())
    ctx = context(tmp_path / "201.hea")
    assert not len(load(RecordingsBlock(), ctx).samples)
    assert "expected beat annotations" in ctx._quarantined[0].reason
    new = load(RecordingsBlock(), context(tmp_path / "201.dat", mode="predict"))
    assert list(new.samples.table.index) == ["1"]  # a file's name can be a person's
    assert new.targets is None


def test_minted_beats_lie_where_the_cohort_says_that_r_peaks_are(folder):
    preprocessed = first_patient(folder)
    recording = preprocessed.table["recording_id"].iloc[0]
    events = load(RecordingsBlock(), context(folder)).targets.table
    true_s = events.loc[events["recording_id"] == recording, "time_s"].to_numpy()
    gap = np.abs(preprocessed.table["time_s"].to_numpy()[:, None] - true_s[None, :]).min(axis=1)
    assert np.quantile(gap, 0.95) < 0.05
    assert len(preprocessed) >= 0.85 * len(true_s)


def test_one_flat_picture_lead_quarantines_the_recording_with_the_leads_name(folder):
    ctx = context(folder)
    samples = load(RecordingsBlock(), ctx).samples.take([0])
    ecg = samples.values[0]
    signal = ecg.signal_mv.copy()
    signal[1] = 0.0
    flat = replace(samples, values=[replace(ecg, signal_mv=signal)])
    with refuses(DataError, "recordings"):
        preprocess(flat, PreprocessBlock(), ctx)
    assert f"{ecg.leads[1]} flat" in ctx._quarantined[-1].reason
    assert len(preprocess(flat, PreprocessBlock(leads="first"), ctx)) > 0


def test_picture_leads_are_chosen_by_name_not_by_position():
    twelve = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert picture_leads(("V5", "MLII"), "two") == [1, 0]
    assert picture_leads(("V5", "MLII"), "first") == [1]
    assert picture_leads(("V5", "V2"), "two") == [0, 1]
    assert picture_leads(twelve, "two") == [1, 6]
    assert picture_leads(twelve, "all")[:2] == [1, 0]
    with refuses(DataError, "V3"):
        picture_leads(("V3",), "two")


@pytest.mark.parametrize("mode", ["M1", "M2", "M3"])
def test_features_carry_channels_units_and_extents(folder, mode):
    config = FeaturizeBlock(
        mode=mode, height=24, width=32, kinds=("beat", "difference", "residual")
    )
    made = featurize(first_patient(folder), config, context(folder))
    pictures = made["pictures"]
    assert pictures.values.shape == (len(made), 6, 24, 32)
    assert pictures.names[:2] == ("beat:0", "beat:1")
    assert pictures.units == ("dB",)
    begin, end, unit = pictures.extents["time"]
    assert (begin, end, unit) == (pytest.approx(-0.35, abs=0.011), pytest.approx(begin + 1.2), "RR")


def test_a_beat_like_its_recording_is_grey_in_change_and_dark_in_residual(folder):
    config = FeaturizeBlock(height=24, width=32, kinds=("difference", "residual"))
    made = featurize(first_patient(folder), config, context(folder))
    change = np.asarray(made["pictures"].values[:, 0], float)
    low, high = RANGES_DB["difference"]
    zero_db = (0 - low) / (high - low) * 255
    assert np.median(change) == pytest.approx(zero_db, abs=4)


def test_the_paper_anchor_begins_at_the_r_peak(folder):
    preprocessed = first_patient(folder, anchor="paper", leads="first")
    assert set(preprocessed.table["r_offset"]) == {0}
    assert preprocessed.values.shape[1:3] == (2, 1)


def test_the_cost_of_a_recording_counts_missed_and_false_beats():
    rows = pd.DataFrame(
        {
            "recording_id": ["a"] * 5 + ["b"],
            "y_true": ["V", "V", "V", None, "N", "N"],
            "predicted": ["V", "N", None, "V", "V", "N"],
        }
    )
    table = cost_by_recording(rows)
    first = table.iloc[0]
    assert (first["recording_id"], first["class"]) == ("a", "V")
    assert (first["n_true"], first["n_right"], first["n_missed"], first["n_false"]) == (3, 1, 2, 2)
    assert table.set_index(["recording_id", "class"]).loc[("b", "N"), "n_missed"] == 0


def test_the_standard_forgives_fusion_beats_called_ventricular_and_no_others():
    rows = pd.DataFrame(
        {
            "subject_id": list("abcdef") * 2,
            "y_true": ["V"] * 6 + ["F", "F", "N", "V", "N", "N"],
            "predicted": ["V"] * 6 + ["V", "V", "V", "N", "S", "N"],
        }
    )
    config = EvaluateBlock(n_resamples=200)
    table = by_the_standard(rows, AAMI_CLASSES, config, 0).set_index("class")
    # Six of seven V are found; nine are called V, of which two are F and one is N.
    assert table.loc["V", "sensitivity"] == pytest.approx(6 / 7)
    assert table.loc["V", "ppv"] == pytest.approx(6 / 7)


def test_cases_are_the_surest_and_least_sure_of_each_predicted_class():
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.55, 0.45], [0.3, 0.7]])
    assert choose_cases(scores, 1).tolist() == [0, 2, 3]
    assert choose_cases(scores, 0).tolist() == []


def test_weight_around_r_is_the_share_of_the_columns_near_it():
    block = FeatureBlock(
        np.zeros((1, 1, 2, 12), np.uint8),
        ("channel", "frequency", "time"),
        ("beat:0",),
        ("dB",),
        extents={"time": (-0.35, 0.85, "RR")},
    )
    cam = np.ones((2, 12))
    assert share_around_r(cam, block) == pytest.approx(3 / 12)
    assert share_around_r(np.zeros((2, 12)), block) == 0.0
