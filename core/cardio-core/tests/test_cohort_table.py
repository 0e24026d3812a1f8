"""The cohort table: what it accepts, what it refuses, and what its errors give away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio_core.io.cohort_columns import COLUMNS
from cardio_core.io.cohort_table import (
    existing_paths,
    inspect_cohort_table,
    own_columns,
    read_cohort_table,
)
from cardio_core.testing import names, refuses
from cardio_stats.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(text, name="cohort.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def refusal(path):
    with pytest.raises(DataError) as caught:
        read_cohort_table(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_table_comes_back_with_its_values_types_and_order(write):
    table = read_cohort_table(
        write(
            "patient_id,study_id,lvesv_bl_ml,nyha_bl,dm,sex,study_date,x_ward\n"
            "007,S2,181.5,3,1,F,2019-04-01,03\n"
            " 12 ,S1,90,2,0,M,2020-11-30,11\n"
        )
    )
    assert list(table.index) == ["S2", "S1"]
    assert table.index.name == "study_id"
    assert list(table.columns) == [
        "patient_id", "lvesv_bl_ml", "nyha_bl", "dm", "sex", "study_date", "x_ward",
    ]  # fmt: skip
    assert table["patient_id"].tolist() == ["007", "12"]
    assert table["lvesv_bl_ml"].tolist() == [181.5, 90.0]
    assert table["lvesv_bl_ml"].dtype == "float64"
    assert table["nyha_bl"].dtype == table["dm"].dtype == "Int64"
    assert table["x_ward"].tolist() == ["03", "11"]


@pytest.mark.parametrize(
    "missing", ["", "NA", "NaN", " ", "null", "N/A", "na", "n/a", ".", "-", "?", "Unknown", "#N/A"]
)
def test_a_missing_flag_is_na_and_never_zero(write, missing):
    table = read_cohort_table(
        write(f"patient_id,dm,qrs_ms,sex\nP1,{missing},{missing},{missing}\n")
    )
    assert table[["dm", "qrs_ms", "sex"]].isna().all(axis=None)


def test_studies_without_an_id_are_numbered_within_their_patient(write):
    table = read_cohort_table(write("patient_id,qrs_ms\nA,150\nB,140\nA,130\n"))
    assert list(table.index) == ["A-1", "B-1", "A-2"]


def test_a_missing_study_id_among_given_ones_is_numbered(write):
    table = read_cohort_table(write("patient_id,study_id\nA,echo7\nA,\n"))
    assert list(table.index) == ["echo7", "A-2"]


def test_paths_are_resolved_beside_the_table_and_split_at_semicolons(write, tmp_path):
    path = write("patient_id,path_ecg,path_echo_a4c\nA,ecg/1.hea,a.avi; b.avi\nB,/abs/2.hea,\n")
    table = read_cohort_table(path)
    assert table["path_ecg"].iloc[0] == (tmp_path / "ecg/1.hea",)
    assert table["path_ecg"].iloc[1][0].as_posix() == "/abs/2.hea"
    assert table["path_echo_a4c"].tolist() == [(tmp_path / "a.avi", tmp_path / "b.avi"), ()]


def test_paths_are_checked_only_when_they_are_asked_for(write, tmp_path):
    table = read_cohort_table(write("patient_id,path_ecg\nA,there.hea;gone.hea\n"))
    (tmp_path / "there.hea").touch()
    with refuses(DataError, "gone.hea", code="missing"):
        existing_paths(table["path_ecg"].iloc[0])


def test_a_folder_stands_for_the_files_in_it(tmp_path):
    clips = tmp_path / "clips"
    (clips / "inner").mkdir(parents=True)
    for name in ("b.avi", "a.avi", ".hidden"):
        (clips / name).touch()
    assert existing_paths([clips]) == (clips / "a.avi", clips / "b.avi")
    with refuses(DataError, "folder inner", code="missing"):
        existing_paths([clips / "inner"])


def test_parquet_and_csv_give_the_same_table(write, tmp_path):
    pytest.importorskip("pyarrow")
    text = (
        "patient_id,lvesv_bl_ml,nyha_bl,dm,smoking,sex,study_date,x_score\n"
        "201,181.5,3,1,1,F,2019-04-01,0.25\n202,,,0,,M,,\n"
    )
    pd.DataFrame(
        {
            "patient_id": [201, 202],
            "lvesv_bl_ml": np.array([181.5, np.nan], dtype="float32"),
            "nyha_bl": [3.0, np.nan],
            "dm": [True, False],
            "smoking": pd.array([1, None], dtype="Int64"),
            "sex": ["F", "M"],
            "study_date": pd.to_datetime(["2019-04-01", None]),
            "x_score": [0.25, np.nan],
        }
    ).to_parquet(tmp_path / "cohort.parquet")
    pd.testing.assert_frame_equal(
        read_cohort_table(tmp_path / "cohort.parquet"), read_cohort_table(write(text))
    )


def test_a_byte_order_mark_windows_line_ends_and_trailing_blank_lines_are_no_obstacle(write):
    path = write("patient_id,qrs_ms\r\nA,150\r\n\r\n\r\n", encoding="utf-8-sig")
    assert read_cohort_table(path)["qrs_ms"].tolist() == [150.0]


@pytest.mark.parametrize(
    ("header", "near"),
    [
        ("lvesv_bl", "lvesv_bl_ml"),
        ("LVEF_FU", "lvef_fu_pct"),
        ("lge_seg04", "lge_seg_04"),
        ("Age", "age_y"),
        ("x_diabetes", "dm"),
    ],
)
def test_an_unknown_column_is_the_cohorts_own_and_the_nearest_name_is_told(write, header, near):
    found = inspect_cohort_table(write(f"patient_id,{header},ward\nA,1,\nB,2,3\n"))
    assert found.own == (header, "ward")
    assert found.rows[header].tolist() == [1.0, 2.0]
    said = own_columns(found.own, COLUMNS)
    assert said.startswith(f"2 columns are the cohort's own: {header} (did you mean {near}?), ward")


def test_names_of_columns_may_be_written_as_people_write_them(write):
    table = read_cohort_table(write("Patient ID, LVEF BL (pct) ,QRS-ms,field_t\nA,30,150,1.5\n"))
    assert list(table.columns) == ["patient_id", "lvef_bl_pct", "qrs_ms", "field_T"]


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("lvesv_bl_ml", "abc", "a number in mL"),
        ("lvesv_bl_ml", "181;5", "a number in mL"),
        ("lvesv_bl_ml", '"181,5"', "found a decimal comma"),
        ("lvesv_bl_ml", "-1", "of at least 0"),
        ("lvesv_bl_ml", "inf", "infinite"),
        ("lvesv_bl_ml", "1_000", "a number in mL"),
        ("lvef_bl_pct", "101", "from 0 to 100"),
        ("nyha_bl", "II", "expected a number"),
        ("nyha_bl", "5", "from 1 to 4"),
        ("nyha_bl", "2.5", "a whole number"),
        ("dm", "perhaps", "0, 1 or NA"),
        ("dm", "2", "0, 1 or NA"),
        ("sex", "mle", "did you mean M?"),
        ("sex", "1", "expected M or F, found a number, which does not say who is who"),
        ("qrs_morph", "LBB", "did you mean LBBB?"),
        ("qrs_ms", '"1,500.5"', "marks of thousands"),
        ("qrs_ms", "158 ms", "a unit behind it"),
        ("qrs_ms", "<120", "a limit"),
        ("qrs_ms", "#DIV/0!", "an error of the spreadsheet's formula"),
        ("vol_method", "echo biplane", "did you mean echo_biplane?"),
        ("study_date", "04/01/2019", "YYYY-MM-DD"),
        ("lge_seg_17", "x", "0, 1 or NA"),
    ],
)
def test_a_bad_cell_is_refused_by_row_and_column(write, column, cell, expected):
    message = refusal(write(f"patient_id,{column}\nA,\nB,{cell}\nC,\n"))
    assert message.startswith(f"cohort.csv, row 3, column {column!r}: ")
    assert expected in message


@pytest.mark.parametrize("column", sorted(set(COLUMNS) - {"patient_id"}))
def test_no_error_repeats_what_stood_in_a_cell(write, column):
    path = write(f"patient_id,{column}\nA,Ottilie Quixley\n")
    if COLUMNS[column].kind in {"text", "path"}:
        read_cohort_table(path)
    else:
        message = refusal(path)
        assert "Ottilie" not in message
        assert "Quixley" not in message


def test_a_file_without_a_header_does_not_print_its_first_patient(write):
    message = refusal(write("Ottilie Quixley,1931-04-02\nB,2\n"))
    assert "Quixley" not in message
    assert "header" in message


def test_a_row_of_another_length_is_named(write):
    assert "row 3: expected 2 cells" in refusal(write("patient_id,qrs_ms\nA,150\nB,150,LBBB\n"))
    assert "row 3: expected 2 cells" in refusal(write("patient_id,qrs_ms\nA,150\nB\nC,140\n"))


def test_a_row_without_a_patient_is_refused(write):
    message = refusal(write("patient_id,qrs_ms\nA,150\n,140\n"))
    assert names(message, "row 3", "patient_id")


def test_one_study_id_for_two_rows_is_refused(write):
    message = refusal(write("patient_id,study_id\nA,1\nB,2\nB,1\n"))
    assert "rows 2 and 4" in message


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("patient_id,qrs_ms,qrs_ms\nA,1,2\n", "'qrs_ms' stands twice"),
        ("qrs_ms\n150\n", "no column 'patient_id'"),
        ("patient_id,qrs_ms\n", "no row"),
        ("", "no row"),
        ('patient_id,qrs_ms\nA,"150\n', "export the table again"),
    ],
)
def test_a_file_that_is_no_cohort_table_is_refused(write, text, word):
    assert word in refusal(write(text))


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(tmp_path):
    (tmp_path / "scan.csv").write_bytes(b"patient_id\n\xff\xfe\x00\x81\n")
    assert "UTF-8" in refusal(tmp_path / "scan.csv")
    (tmp_path / "scan.parquet").write_bytes(b"PAR1 it is not")
    assert "Parquet" in refusal(tmp_path / "scan.parquet")
    assert "no such file" in refusal(tmp_path / "nothing.csv")


@given(st.lists(st.floats(0, 1e4, allow_nan=False) | st.none(), min_size=1, max_size=20))
def test_numbers_survive_the_way_through_a_file(tmp_path_factory, values):
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    rows = "".join(f"P{i},{'' if v is None else repr(v)}\n" for i, v in enumerate(values))
    path.write_text("patient_id,lvesv_bl_ml\n" + rows)
    read = read_cohort_table(path)["lvesv_bl_ml"]
    np.testing.assert_array_equal(read, np.array(values, dtype=float))


def test_the_schema_lists_every_column_of_the_method_page():
    # Section 1.1 of the method description, written out.
    page = """
        patient_id subject_link study_id site_id scanner_id timepoint study_date days_from_implant
        days_echo_to_cmr
        lvesv_bl_ml lvesv_fu_ml lvedv_bl_ml lvedv_fu_ml lvef_bl_pct lvef_fu_pct vol_method nyha_bl
        nyha_fu mlhfq_bl mlhfq_fu followup_status age_y sex height_cm weight_kg bmi race_ethnicity
        gls_pct qrs_ms qrs_morph lbbb_criterion rhythm hr_bpm cad ischemic_aetiology ckd dm htn
        dyslipidaemia smoking acei_arb betablocker spironolactone digoxin diuretic scar_pct psd_deg
        pbw_deg lvedv_spect_ml lvesv_spect_ml lvef_spect_pct t1_ms t2_ms ecv_pct field_T
        scanner_vendor sf_label mvc_ms avo_ms
    """
    promised = page.split()
    promised += [f"{kind}_seg_{n:02d}" for kind in ("wma", "lge") for n in range(1, 18)]
    extensions = {"vol_method_fu", "days_to_followup"}
    assert set(COLUMNS) == set(promised) | extensions


def test_every_number_with_a_suffix_of_its_unit_carries_that_unit():
    units = {"ml": "mL", "pct": "%", "ms": "ms", "deg": "°", "cm": "cm", "kg": "kg", "T": "T"}
    for name, column in COLUMNS.items():
        suffix = name.rpartition("_")[2]
        if column.kind == "number" and suffix in units:
            assert column.unit == units[suffix], name
