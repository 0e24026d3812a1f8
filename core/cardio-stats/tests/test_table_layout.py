"""Tables as people have them: workbooks, words of another language, ids that look like codes."""

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest

from cardio_core.testing import call_cardio, refuses
from cardio_stats.errors import ConfigError, DataError, every
from cardio_stats.layout import Layout, laid_out, words_of
from cardio_stats.tables import read_raw, read_typed

openpyxl = pytest.importorskip("openpyxl")

GERMAN = """Patient;Geschlecht;LVEF (%);verstorben;Datum
9;männlich;22,1;nein;21.10.2019
8;männlich;17,0;Ja ;08.04.2019
7;weiblich;44,9;nein;13.11.2019
6;männlich;40,8;NEIN;17.07.2019
5;männlich;37,2;ja;10.01.2019
4;weiblich;39,7;unbekannt;13.12.2019
3;weiblich;38,6;nein;05.06.2019
2;männlich;45,0 %;nein;22.07.2019
1;weiblich;38,4;ja;13.10.2019
0;weiblich;keine;ja;22.01.2019
11;weiblich;31,4;nein;13.10.2019
12;weiblich;21,4;ja;13.10.2019
"""
MENDED = ("--missing", "unbekannt", "--missing", "keine", "--map", "LVEF (%):45,0 %=45")


def as_csv(folder: Path) -> Path:
    path = folder / "kohorte.csv"
    path.write_text(GERMAN, encoding="cp1252")
    return path


def as_workbook(folder: Path, *more: str) -> Path:
    """Write the same table with numbers as numbers and dates as dates."""
    book = openpyxl.Workbook()
    book.active.title = "Kohorte"
    head, *rows = csv.reader(io.StringIO(GERMAN), delimiter=";")
    book.active.append(head)
    for *cells, day in rows:
        numbers = [_number(cell) for cell in cells]
        book.active.append([*numbers, datetime.strptime(day, "%d.%m.%Y")])
    for name in more:
        book.create_sheet(name).append(["anything"])
    path = folder / "kohorte.xlsx"
    book.save(path)
    return path


def _number(cell: str) -> object:
    try:
        return float(cell.replace(",", "."))
    except ValueError:
        return cell


def test_a_sheet_holds_what_the_csv_holds(tmp_path):
    layout = Layout(words=words_of(["LVEF (%):45,0 %=45"]))
    with laid_out(layout):
        one = read_typed(as_csv(tmp_path), ("keine", "unbekannt")).table
        other = read_typed(as_workbook(tmp_path), ("keine", "unbekannt")).table
    for name in ("Patient", "Geschlecht", "LVEF (%)", "verstorben"):
        assert one[name].dropna().tolist() == other[name].dropna().tolist(), name
    assert other["Datum"].tolist()[0] == "2019-10-21"


def test_of_several_sheets_one_is_named(tmp_path):
    path = as_workbook(tmp_path, "Legende")
    with refuses(ConfigError, "kohorte.xlsx", "--sheet", "Kohorte", "Legende", code="ambiguous"):
        read_raw(path)
    with laid_out(Layout(sheet="Kohorte")):
        assert len(read_raw(path).cells) == 12
    with laid_out(Layout(sheet="Kohrte")), refuses(ConfigError, "--sheet Kohrte", code="unknown"):
        read_raw(path)


def test_a_damaged_workbook_is_refused_in_one_line(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04 no archive")
    with refuses(DataError, "a.xlsx", code="damaged"):
        read_raw(path)


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (["sex=male"], "expected COLUMN:WORD=WORD"),
        (["Alter:x=1"], "no column 'Alter'"),
        (["Geschlecht:divers=x"], "no cell of 'Geschlecht' says 'divers'"),
    ],
)
def test_a_mapping_that_maps_nothing_is_refused(tmp_path, maps, says):
    with pytest.raises(ConfigError, match=says), laid_out(Layout(words=words_of(maps))):
        read_raw(as_csv(tmp_path))


@pytest.mark.parametrize("as_file", [as_csv, as_workbook])
def test_two_tries_lead_from_the_table_to_the_result(tmp_path, as_file):
    words = (as_file(tmp_path), "--outcome", "verstorben", "--score", "LVEF (%)")
    first = call_cardio("stats", "roc", *words)
    assert first.exit_code == 2
    for named in ("'unbekannt' in 1 row", "'45,0 %' in data row 8", "'keine' in data row 10"):
        assert named in first.stderr
    second = call_cardio("stats", "roc", *words, *MENDED)
    assert second.exit_code == 0, second.stderr
    # cases 17, 37.2, 38.4, 21.4; controls 22.1, 44.9, 40.8, 38.6, 45, 31.4: 4 of 24 pairs
    assert "0.167" in second.stdout


def test_table_1_has_a_level_a_word_whatever_its_capitals_and_blanks(tmp_path):
    out = call_cardio("stats", "table1", as_csv(tmp_path), "--by", "verstorben", *MENDED)
    head = out.stdout.splitlines()[1]
    assert "verstorben = ja (n = 5)" in head
    assert "verstorben = nein (n = 6)" in head
    assert "'Ja'" in out.stdout  # and says so
    assert head.count("verstorben") == 2


def test_a_patient_called_9_is_not_missing(tmp_path):
    path = tmp_path / "codes.csv"
    path.write_text("patient_id,smoker\n9,1\n8,9\n7,0\n")
    made = read_typed(path, ("9",))
    assert made.table["patient_id"].tolist() == [9, 8, 7]
    assert made.table["smoker"].isna().tolist() == [False, True, False]
    assert made.missing == {"smoker": {"9": 1}}
    assert read_typed(path, ("patient_id=9",)).table["patient_id"].isna().tolist()[0]


def test_many_texts_keep_their_capitals(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("code,y\n" + "".join(f"{a}{n},{n}\n" for n in range(21) for a in "xX"))
    assert len(set(read_typed(path).table["code"])) == 42


def test_all_checks_speak_in_one_message():
    def refuse(words, kind=DataError):
        raise kind(words)

    with pytest.raises(ConfigError) as error:
        every(lambda: refuse("a; one", ConfigError), lambda: refuse("b; two"), lambda: None)
    assert str(error.value) == "2 things. a; one. b; two"
    with pytest.raises(DataError, match=r"^b; two$"):
        every(lambda: refuse("b; two"), lambda: refuse("b; two"))
