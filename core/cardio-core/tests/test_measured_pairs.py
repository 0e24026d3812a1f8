"""The page of `cardio measure` shows two recordings of one patient beside each other."""

from __future__ import annotations

from cardio_core.report.measured import differences, pairs, write_page
from cardio_core.report.measurements import Column, write_columns
from cardio_core.types.features import Difference

COLUMNS = [
    Column("id", "Recording"),
    Column("patient", "Patient"),
    Column("ef_pct", "EF", "%", "number"),
    Column("flow_change", "Change of flow", "", "number", Difference("stress", "rest")),
    Column("ef_change_pct", "Change of EF", "%", "number", Difference("stress", "rest", "ef_pct")),
    Column("ratio", "Ratio, stress minus rest", "", "number"),
]

TABLE = """id,patient,ef_pct,ef_change_pct,flow_change,ratio
1,P1,60,,,
2,P1,52.5,-7.5,0.25,
3,P2,48,,,
"""


def test_a_difference_stands_with_both_values_where_the_table_has_them(tmp_path):
    table = tmp_path / "measurements.csv"
    table.write_text(TABLE, encoding="utf-8")
    found = differences(COLUMNS)
    assert [column.name for column in found] == ["ef_change_pct", "flow_change"]
    (pair,) = pairs(table, found)
    assert (pair.patient, pair.recording) == ("P1", "2")
    assert pair.cells == ("60 → 52.5 (−7.5)", "+0.25")


def test_the_page_has_them_in_a_table_of_their_own_or_none(tmp_path):
    table = tmp_path / "measurements.csv"
    for text, shown in ((TABLE, True), ("id,ef_pct\n1,60\n", False)):
        table.write_text(text, encoding="utf-8")
        names = text.splitlines()[0].split(",")
        write_columns(table, [one for one in COLUMNS if one.name in names])
        write_page(tmp_path / "page.html", table, by="toy", made="2026-11-22T10:00:00Z", notes=())
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert ("<h2>Rest and stress of one patient</h2>" in page) == shown
        assert ("60 → 52.5 (−7.5)" in page) == shown
        assert ('<th scope="col">EF (%)</th><th scope="col">Change of flow</th>' in page) == shown
