"""Who is in the cohort of `crt_response`, and who responded."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import ConfigError, Context, DataError
from cardio_core.testing import call_cardio, refuses
from cardio_ecg_transfer.readers.ptbxl import read_ptbxl
from cardio_ecg_transfer.response.config import LoadBlock
from cardio_ecg_transfer.response.load import drawn, load
from cardio_ecg_transfer.response.models import CRT_RESPONSE
from cardio_ecg_transfer.shared.recordings import recordings_of
from cardio_ecg_transfer.synthetic import synthesize

STATEMENTS = """,description,diagnostic,diagnostic_class
CLBBB,complete left bundle branch block,1.0,CD
IMI,inferior myocardial infarction,1.0,MI
NORM,normal ECG,1.0,NORM
SR,sinus rhythm,,
"""
DATABASE = """ecg_id,patient_id,age,sex,scp_codes,filename_hr
7,20.0,300.0,1,"{'NORM': 100.0, 'SR': 0.0}",records500/00000/00007_hr
3,20.0,61.0,1,"{'CLBBB': 0.0, 'SR': 0.0}",records500/00000/00003_hr
5,30.0,300.0,0,"{'IMI': 35.0}",records500/00000/00005_hr
9,40.0,50.0,0,"{'SR': 0.0}",records500/00000/00009_hr
"""


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("crt")
    synthesize(folder, task="crt_response", n_patients=8, seed=3)
    return folder


@pytest.fixture
def ptbxl(tmp_path, synthetic) -> Path:
    """A PTB-XL folder of four ECGs of three people."""
    (tmp_path / "scp_statements.csv").write_text(STATEMENTS)
    (tmp_path / "ptbxl_database.csv").write_text(DATABASE)
    place = tmp_path / "records500/00000"
    place.mkdir(parents=True)
    for step, number in enumerate(("00003_hr", "00005_hr", "00007_hr", "00009_hr")):
        signal = bytearray((synthetic / "ecg/p002.dat").read_bytes())
        signal[0] ^= step
        (place / f"{number}.dat").write_bytes(bytes(signal))
        header = (synthetic / "ecg/p002.hea").read_text().replace("p002", number)
        (place / f"{number}.hea").write_text(header)
    return tmp_path


def context(path: Path, mode: str = "fit", seed: int = 0) -> Context:
    return Context(CRT_RESPONSE, hook="load", mode=mode, seed=seed, _inputs=(path,))


def test_recordings_that_the_table_of_ptb_xl_does_not_name_are_told_in_one_line(ptbxl):
    place = ptbxl / "records500/00000"
    ctx = Context(CRT_RESPONSE, hook="load", mode="predict", seed=0, _inputs=(ptbxl, place))
    with refuses(DataError, "ptbxl_database.csv", "00000"):
        load(LoadBlock(), ctx)


def test_a_statement_counts_whatever_its_likelihood_and_half_of_the_ecgs_decide(ptbxl):
    table, notes = read_ptbxl(ptbxl, "CD")
    assert table.set_index("patient_id")["label"].to_dict() == {"20": 1.0, "30": 0.0, "40": 0.0}
    assert list(table["recording_id"]) == ["3", "5", "7", "9"]
    assert len(notes) == 1


def test_carts_sites_and_dates_of_ptbxl_stand_in_for_hospitals(ptbxl):
    path = ptbxl / "ptbxl_database.csv"
    with refuses(DataError, "ptbxl_database.csv", "device"):
        read_ptbxl(ptbxl, "CD", "device")
    rows = path.read_text().splitlines()
    more = ["device,site,recording_date", "CS-12   E,0.0,1990-01-01 10:00:00",
            "CS-12,0.0,1986-05-01 10:00:00", "AT-6 C 5.5,2.0,1985-05-01 10:00:00",
            "AT-6 C,,1987-05-01 10:00:00"]  # fmt: skip
    path.write_text("\n".join(f"{row},{own}" for row, own in zip(rows, more, strict=True)))
    patients = ["20", "30", "40"]
    for by, expected in {
        "device": ["CS-12", "AT-6", "AT-6"],
        "site": ["site 0", "site 2", None],
        "date": ["part 2", "part 1", "part 4"],  # thirds, as fifths count them
    }.items():
        table, _ = read_ptbxl(ptbxl, "CD", by)
        found = table.drop_duplicates("patient_id").set_index("patient_id")["site_id"]
        found = found.astype(object)
        assert found.where(found.notna(), None).loc[patients].tolist() == expected
    assert read_ptbxl(ptbxl, "CD")[0]["site_id"].isna().all()


def test_every_ecg_of_a_ptbxl_folder_is_measured_later_ones_too(ptbxl):
    # Else what searches folders takes the files left over for recordings of their own.
    found = load(LoadBlock(), context(ptbxl, mode="predict"))
    assert list(found.samples.table["patient_id"].value_counts()) == [2, 1, 1]
    assert {file for own in found.files.values() for file in own} == {
        file.resolve() for file in (ptbxl / "records500/00000").iterdir()
    }


def test_models_on_lbbb_are_left_out_where_the_label_contains_it_and_only_there(ptbxl):
    of_cd = load(LoadBlock(label="CD"), context(ptbxl))
    assert set(of_cd.unsupported) == {"lbbb", "guideline", "qrs_lbbb"}
    assert "already contains" in of_cd.unsupported["lbbb"]
    assert "stands in for response" in of_cd.outcome
    assert not load(LoadBlock(label="MI"), context(ptbxl)).unsupported


def test_no_column_of_the_samples_is_the_label(ptbxl):
    cohort = load(LoadBlock(label="CD"), context(ptbxl))
    assert set(cohort.samples.table.columns) == {
        "recording_id", "study_id", "patient_id", "subject_link", "site_id", "sex", "age_y",
        "lbbb_read",
    }  # fmt: skip
    assert cohort.samples.table["lbbb_read"].isna().all()


def test_ptbxl_without_a_label_or_with_an_unknown_one_is_a_usage_error(ptbxl):
    with refuses(ConfigError, "--set", "load.label", "CD"):
        load(LoadBlock(), context(ptbxl))
    with refuses(ConfigError, "load.label", "NORM", "MI", "STTC", "CD", "HYP"):
        load(LoadBlock(label="LBBB"), context(ptbxl))


def test_new_patients_of_a_ptbxl_folder_need_no_label(ptbxl):
    cohort = load(LoadBlock(), context(ptbxl, "predict"))
    assert cohort.targets is None
    assert len(cohort.samples) == 4  # later ECGs too: there is no label to count a patient by


def test_a_damaged_database_is_refused_in_one_line(ptbxl):
    (ptbxl / "scp_statements.csv").write_text("a,b\n1,2\n")
    with refuses(DataError, "scp_statements.csv", "diagnostic"):
        load(LoadBlock(label="CD"), context(ptbxl))


def test_response_is_computed_from_the_volumes_and_agrees_with_the_cohort_s_truth(synthetic):
    cohort = load(LoadBlock(), context(synthetic))
    truth = json.loads((synthetic / "truth.json").read_text())["patients"]
    found = cohort.targets.table["response"]
    assert {p: int(v) for p, v in found.items()} == {p: t["response"] for p, t in truth.items()}
    assert cohort.outcome.startswith("LVESV15 (LVESV falls by ≥ 15 %), computed from the table: ")


def test_a_reader_s_morphology_goes_with_the_recording(synthetic):
    cohort = load(LoadBlock(), context(synthetic))
    table = pd.read_csv(synthetic / "cohort.csv").set_index("patient_id")
    read = cohort.samples.table.set_index("patient_id")["lbbb_read"]
    assert (read == (table["qrs_morph"] == "LBBB").astype(float)).all()


def test_a_label_of_ptbxl_is_refused_for_a_cohort_table(synthetic):
    with refuses(ConfigError, "load.outcome"):
        load(LoadBlock(label="CD"), context(synthetic))


def test_a_folder_that_says_nothing_of_response_is_refused(tmp_path):
    with refuses(DataError, "cohort.csv", "ptbxl_database.csv"):
        load(LoadBlock(), context(tmp_path))


def test_follow_up_rows_are_no_baseline_ecgs(synthetic, tmp_path):
    table = pd.read_csv(synthetic / "cohort.csv")
    later = table.assign(study_id=table["study_id"] + "-fu", timepoint="followup")
    shutil.copytree(synthetic / "ecg", tmp_path / "ecg")
    pd.concat([table, later]).to_csv(tmp_path / "cohort.csv", index=False)
    assert len(load(LoadBlock(), context(tmp_path)).samples) == len(table)


def test_a_draw_has_so_many_of_each_and_depends_on_the_seed_alone():
    everyone = pd.Series(
        [1.0] * 60 + [0.0] * 70 + [np.nan] * 5, index=[f"p{i}" for i in range(135)]
    )
    one = drawn(everyone, "46+25", np.random.default_rng(1))
    assert one.value_counts().to_dict() == {1.0: 46, 0.0: 25}
    shuffled = everyone.sample(frac=1, random_state=0)
    assert one.equals(drawn(shuffled, "46+25", np.random.default_rng(1)))
    assert not one.index.equals(drawn(everyone, "46+25", np.random.default_rng(2)).index)


@pytest.mark.parametrize("asked", ["46", "46+", "a+b", "-1+2"])
def test_a_draw_that_is_no_two_numbers_is_a_usage_error(asked):
    with refuses(ConfigError, "load.draw"):
        drawn(pd.Series([1, 0]), asked, np.random.default_rng(0))


def test_a_draw_of_more_than_there_are_says_how_many_there_are():
    with refuses(DataError, "load.draw=2+3", 3, 1):
        drawn(pd.Series([1, 1, 0], index=list("abc")), "2+3", np.random.default_rng(0))


def test_identical_signals_under_two_patients_are_one_person(ptbxl):
    place = ptbxl / "records500/00000"
    shutil.copy(place / "00003_hr.dat", place / "00009_hr.dat")
    table, notes = read_ptbxl(ptbxl, "CD")
    links = table.set_index("recording_id")["subject_link"]
    assert links["3"] == links["9"]
    assert links.isna().sum() == 2
    assert any(note.startswith("Recordings 3 and 9 hold the same signal") for note in notes)


def test_no_output_of_measuring_ptbxl_holds_the_name_of_a_file(ptbxl, tmp_path_factory):
    place, out = ptbxl / "records500/00000", tmp_path_factory.mktemp("out")
    shutil.copy(place / "00003_hr.dat", place / "00009_hr.dat")
    done = call_cardio(
        "measure", "--plugin", "ecg_transfer", ptbxl, "--no-sheets", "--out", out / "m"
    )
    table = pd.read_csv(out / "m/measurements.csv", dtype=str)
    assert set(table["id"]) == {"3", "5", "7", "9"}
    assert "the same file as recording 3" in table.set_index("id")["flags"]["9"]
    written = "".join(path.read_text() for path in (out / "m").iterdir())
    assert "_hr" not in done.stdout + done.stderr + written


@pytest.mark.realdata
@pytest.mark.skipif(
    "CARDIO_DATA" not in os.environ and "CI" not in os.environ, reason="CARDIO_DATA is not set"
)
def test_the_part_of_ptbxl_at_hand_has_its_documented_size():
    folder = Path(os.environ["CARDIO_DATA"]) / "ptbxl"
    table, _ = read_ptbxl(folder, "CD")
    assert (len(table), table["patient_id"].nunique()) == (353, 339)
    # 57 of 353 ECGs carry it.
    assert table.drop_duplicates("patient_id")["label"].sum() == 55
    assert all(path.is_file() for path in table["path"])


def cohort_like(synthetic: Path, folder: Path, change) -> Path:
    """The synthetic cohort with its table changed."""
    shutil.copytree(synthetic / "ecg", folder / "ecg")
    change(pd.read_csv(synthetic / "cohort.csv")).to_csv(folder / "cohort.csv", index=False)
    return folder


def test_new_patients_of_a_table_are_read_as_the_training_ones_without_an_outcome(
    synthetic, tmp_path
):
    def with_follow_up(table):
        later = table.assign(study_id=table["study_id"] + "-fu", timepoint="followup")
        both = pd.concat([table, later])
        return both.drop(columns=[name for name in both if name.startswith("lv")])

    cohort = load(LoadBlock(), context(cohort_like(synthetic, tmp_path, with_follow_up), "predict"))
    assert cohort.targets is None
    assert len(cohort.samples) == 8
    assert cohort.samples.table["lbbb_read"].notna().all()
    assert set(cohort.samples.table["sex"]) <= {"M", "F"}


def test_only_patients_with_an_ecg_are_drawn(synthetic, tmp_path):
    def half_without(table):
        table.loc[table.index[::2], "path_ecg"] = None
        return table

    folder = cohort_like(synthetic, tmp_path, half_without)
    whole = load(LoadBlock(), context(folder))
    response = whole.targets.table["response"]
    n_with, n_without = int((response == 1).sum()), int((response == 0).sum())
    assert n_with + n_without == 4
    drawn_all = load(LoadBlock(draw=f"{n_with}+{n_without}"), context(folder))
    assert len(drawn_all.samples) == 4


def test_a_table_without_a_baseline_ecg_says_so(synthetic, tmp_path):
    folder = cohort_like(synthetic, tmp_path, lambda table: table.assign(timepoint="pre"))
    with pytest.raises(DataError, match="timepoint is baseline"):
        load(LoadBlock(), context(folder))


def test_a_follow_up_outside_the_window_that_was_set_leaves_the_outcome_unknown(
    synthetic, tmp_path
):
    days = [100, 300, 180, 180, 180, 180, 180, None]
    folder = cohort_like(synthetic, tmp_path, lambda t: t.assign(days_to_followup=days))
    whole = load(LoadBlock(), context(folder)).targets.table["response"]
    cohort = load(LoadBlock.model_validate({"window_days": [120, 270]}), context(folder))
    within = cohort.targets.table["response"]
    assert whole.notna().all()
    assert within.isna().tolist() == [True, True, *[False] * 6]
    pd.testing.assert_series_equal(within[2:], whole[2:])
    assert "2 not known (2 follow-up outside its window)" in cohort.outcome


def test_timepoints_are_read_whatever_their_capitals(synthetic, tmp_path):
    folder = cohort_like(synthetic, tmp_path, lambda table: table.assign(timepoint="Baseline "))
    assert len(load(LoadBlock(), context(folder)).samples) == 8


def test_a_folder_of_recordings_stands_for_all_in_it_and_names_of_files_are_not_used(tmp_path):
    inside = tmp_path / "Doe_Jane"
    inside.mkdir()
    for name in ("ecg.xml", "b.edf", "notes.txt", "r.hea", "r.dat"):
        (inside / name).touch()
    made = recordings_of("S1", [inside, tmp_path / "c.dat"])
    assert [(name, path.name) for name, path in made] == [
        ("S1-1", "b.edf"), ("S1-2", "ecg.xml"), ("S1-3", "r.hea"), ("S1-4", "c.hea"),
    ]  # fmt: skip
    assert recordings_of("S2", [inside / "ecg.xml"]) == [("S2", inside / "ecg.xml")]
