"""Cohort tables as strangers write them: read where they can be, told all at once where not."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cardio_core.io.cohort import find_cohort_table
from cardio_core.io.cohort_columns import COLUMNS, own_column
from cardio_core.io.cohort_table import (
    CohortTableError,
    existing_paths,
    forgiving,
    inspect_cohort_table,
    read_cohort_table,
)
from cardio_core.testing import names as named
from cardio_core.testing import refuses
from cardio_stats.errors import DataError
from cardio_stats.layout import Layout, laid_out, words_of


@pytest.fixture
def write(tmp_path):
    def write(text, name="cohort.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_whatever_excel_wrote_is_the_same_table(write, encoding, mark):
    rows = [
        ["patient_id", "sex", "lvef_bl_pct", "Herkunft", "", ""],
        [" Müller-1 ", "f", " 30 ", "Köln", "", ""],
        ["", "", "", "", "", ""],
        ["P2", "Male", "NA", "köln", "", ""],
        ["", "", "", "", "", ""],
    ]
    text = "\r\n".join(mark.join(row) for row in rows) + "\r\n"
    path = write(text, encoding=encoding)
    assert find_cohort_table(path) == path
    found = inspect_cohort_table(path)
    assert found.problems == ()
    assert found.numbers == {"Müller-1-1": 2, "P2-1": 4}
    assert found.rows["sex"].tolist() == ["F", "M"]
    assert found.rows["lvef_bl_pct"].tolist()[0] == 30.0
    assert found.rows["Herkunft"].tolist() == ["Köln", "Köln"]
    # what was taken as missing is said of every table
    assert found.notes[-1] == "Taken as missing: 'NA' once (lvef_bl_pct)."
    assert bool(found.notes[:-1]) == (encoding == "cp1252")


def test_none_is_a_word_and_no_missing_value(write):
    rows = inspect_cohort_table(write("patient_id,nyha\nA,None\nB,I\nC,None\nD,NA\n")).rows
    assert rows["nyha"].tolist()[:3] == ["None", "I", "None"]
    assert rows["nyha"].isna().tolist() == [False, False, False, True]


def test_own_columns_are_read_as_spreadsheets_write_them(write):
    text = "sep=;\npatient_id;bnp;share;ward\nA;1.204,5;35 %;007\nB;980,0;40%;012\n"
    path = write(text)
    assert find_cohort_table(path) == path
    rows = read_cohort_table(path)
    assert rows["bnp"].tolist() == [1204.5, 980.0]
    assert rows["share"].tolist() == [35.0, 40.0]
    assert rows["ward"].tolist() == ["007", "012"]


def test_a_decimal_comma_is_a_number_where_semicolons_divide(write):
    table = read_cohort_table(write("patient_id;lvesv_bl_ml;crp\nA;181,5;0,4\nB;90;1,25\n"))
    assert table["lvesv_bl_ml"].tolist() == [181.5, 90.0]
    assert table["crp"].tolist() == [0.4, 1.25]


def test_yes_and_no_are_flags(write):
    table = read_cohort_table(write("patient_id,dm\nA,yes\nB,No\nC,TRUE\nD,0\nE,?\n"))
    assert table["dm"].tolist()[:4] == [1, 0, 1, 0]
    assert pd.isna(table["dm"].iloc[4])


def test_everything_that_is_wrong_is_told_in_one_message(write):
    path = write(
        "patient_id,age_y,sex,dm\nA,200,M,1\n,50,M,1\nB,fifty,0,1\nC,40,F\nC,41,F,0\nC,41,F,0\n"
    )
    with pytest.raises(DataError) as caught:
        read_cohort_table(path)
    message = str(caught.value)
    assert named(message, "cohort.csv", 6, "row 2", "age_y")
    assert message.endswith("and 3 more. cardio data check lists all 6")
    problems = inspect_cohort_table(path).problems
    places = [(one.row, one.column, one.cell) for one in problems]
    assert places == [
        (2, "age_y", "200"), (3, "patient_id", ""), (4, "age_y", "fifty"), (4, "sex", "0"),
        (5, "", ""), (7, "", ""),
    ]  # fmt: skip
    with forgiving():
        rows = read_cohort_table(path)
    assert rows["patient_id"].tolist() == ["A", "B", "C"]
    assert rows["age_y"].isna().tolist() == [True, True, False]


def test_the_examples_of_a_template_are_refused_where_they_were_left_in(write):
    with refuses(DataError, "2"):
        read_cohort_table(write("patient_id,age_y\nEXAMPLE-1,60\nP1,50\n"))


@pytest.mark.parametrize(
    ("cells", "kind", "classes"),
    [
        (["0", "1", "1"], "yes or no", ("0", "1")),
        (["yes", "NO", "Yes"], "yes or no", ("NO", "yes")),
        (["mild", "severe", "mild"], "two words", ("mild", "severe")),
        (["a", "b", "c", "a"], "several words", ("a", "b", "c")),
        (["1.5", "2", "3"], "number", ()),
        (["2020-01-02", "2021-05-06", "NA"], "date", ()),
        (["01.02.2020", "3.4.2021", ""], "date", ()),
        (["one", "two", "three"], "text", ()),
        (["", "NA", "?"], "empty", ()),
    ],
)
def test_own_columns_say_what_they_hold(write, cells, kind, classes):
    rows = "".join(f"P{n},{cell}\n" for n, cell in enumerate(cells))
    found = own_column(read_cohort_table(write("patient_id,own\n" + rows))["own"])
    assert (found.kind, found.classes) == (kind, classes)


def test_paths_may_be_written_with_backslashes_and_from_home(write, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    for name in ("ecg/a.csv", "me/b.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    table = read_cohort_table(write("patient_id,path_ecg\nA,ecg\\a.csv\nB,~/b.csv\n"))
    found = [existing_paths(cell) for cell in table["path_ecg"]]
    assert found == [(tmp_path / "ecg/a.csv",), (tmp_path / "me/b.csv",)]


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("ecg/A1.CSV", "did you mean a1.csv?"),
        ("ecg/a1.dcm", "did you mean a1.csv?"),
        ("ecgs/a1.csv", "there is no folder ecgs in .*; did you mean ecg?"),
        ("C:\\data\\a1.csv", "a path of another computer; write it relative"),
        ("ecg/zzz.hea", "relative paths are relative to the cohort table"),
    ],
)
def test_a_wrong_path_is_told_what_it_may_have_meant(write, tmp_path, path, hint):
    (tmp_path / "ecg").mkdir()
    (tmp_path / "ecg/a1.csv").write_text("x")
    table = read_cohort_table(write(f"patient_id,path_ecg\nA,{path}\n"))
    with pytest.raises(DataError, match=f"no such file; .*{hint}"):
        existing_paths(table["path_ecg"].iloc[0])


def test_a_workbook_is_a_cohort_table(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["patient_id", "age_y", "sex"], ["A", 61, "männlich"], ["B", 55.5, "weiblich"]):
        book.active.append(row)
    path = tmp_path / "cohort.xlsx"
    book.save(path)
    assert find_cohort_table(path) == path
    with laid_out(Layout(words=words_of(["sex:männlich=male", "sex:weiblich=F"]))):
        table = read_cohort_table(path)
    assert table["sex"].tolist() == ["M", "F"]
    assert table["age_y"].tolist() == [61.0, 55.5]


def test_a_list_of_files_is_no_cohort_table_unless_it_has_one_of_its_columns(write):
    assert find_cohort_table(write("FileName,EF,Split\nx1,55,TRAIN\n")) is None
    path = write("FileName,patient_id\nx1,P1\n")
    assert find_cohort_table(path) == path


def test_a_table_of_unknown_columns_is_no_recording(write, tmp_path):
    path = write("Kennung;Befundung;Ablage\na1;links;ekg/a1.csv\na2;rechts;ekg/a2.csv\n")
    with refuses(DataError, "cohort.csv", "3", code="unknown") as error:
        find_cohort_table(path)
    assert "Kennung" not in str(error.value)  # without a header it is a patient
    with (
        forgiving(),
        refuses(DataError, "cohort.csv", "Kennung", "Befundung", "Ablage", code="unknown"),
    ):
        find_cohort_table(path)
    for recording in ("# rate_hz=500\nI,II\n0.1,0.2\n", "I,II\n0.1,0.2\n0.1,0.3\n"):
        assert find_cohort_table(write(recording)) is None


def test_words_that_no_column_knows_are_one_problem_and_no_row_each(write):
    path = write("patient_id,sex\n" + "".join(f"P{n},weiblich\n" for n in range(60)))
    with pytest.raises(CohortTableError) as error:
        read_cohort_table(path)
    assert len(error.value.problems) == 60
    assert named(error.value, "sex", 2, 3, 4, 57, "M", "F")
    assert "weiblich" not in str(error.value)  # a cell can be a name


def test_a_table_without_the_patients_name_is_found_and_told(write):
    path = write("Subject,age_y,path_ecg\nA,1,x\n")
    assert find_cohort_table(path) == path
    with refuses(DataError, "cohort.csv", "patient_id", "Subject", code="missing"):
        read_cohort_table(path)


cells = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "NA", "1", "0", "M", "f", "12,5", "1.234,5", "LBBB", "a;b", "~x", '"']),
    st.floats().map(repr),
)
names = st.one_of(st.sampled_from(sorted(COLUMNS)), st.text(max_size=8), st.just("patient_id"))


@given(
    st.lists(names, min_size=1, max_size=6),
    st.lists(st.lists(cells, max_size=7), max_size=6),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
@settings(deadline=None, max_examples=300)
def test_no_table_ends_in_a_traceback(tmp_path_factory, header, rows, mark, encoding):
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    text = "\n".join(mark.join(row) for row in [header, *rows])
    path.write_bytes(text.encode(encoding, errors="replace"))
    try:
        find_cohort_table(path)
        found = inspect_cohort_table(path)
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert found.rows.index.is_unique
    assert set(found.rows.index) == set(found.numbers)
    assert found.rows["patient_id"].notna().all()
    for name in found.own:
        own_column(found.rows[name])
    try:
        assert len(read_cohort_table(path)) == len(found.rows)
        assert not found.problems
    except DataError as error:
        assert found.problems
        assert "\n" not in str(error)


@given(st.binary(max_size=200))
@example(b"\xa0")  # a space that no comma-separated table is made of
@settings(deadline=None)
def test_no_bytes_end_in_a_traceback(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("cohort") / "cohort.csv"
    path.write_bytes(content)
    for read in (find_cohort_table, read_cohort_table):
        try:
            read(path)
        except DataError as error:
            assert "\n" not in str(error)
