"""The report of a run: what it must say, and what must never get into it."""

from __future__ import annotations

import re

import pytest

from cardio_core.io.run_artifact import CaseRecord
from cardio_core.report.page import cases_shown

from .reported_run import MANIFEST, METRICS, ONE, OVERLAP, SPLITS, Page, metric, section, writer


@pytest.fixture
def make_run(tmp_path):
    return writer(tmp_path)


CASE = {"sample_id": "200#5", "title": "V beat, called N", "model": "net", "protocol": "honest",
        "fold": "r0-f0", "scores": {"energy_in_qrs": 0.6125}}  # fmt: skip
TABLES = {
    "t.csv": [["variable", "lvesv_bl_ml"], ["ae_07", "1.5"], ["psd_deg", "2.5"]],
    "same.csv": [  # one value in every row, and a column that is empty
        ["model", "auc", "low", "high", "n_patients", "why"],
        ["net", "0.8", "0.7", "0.9", "71", ""],
        ["qrs", "0.6", "0.5", "0.7", "71", ""],
    ],
    "honest-uni.csv": [["term", "p_value"], ["qrs", "0.00002"], ["age", "0.99999"]],
}  # fmt: skip


def test_a_page_with_everything_reads_as_stored(make_run, same_text):
    note = "net, r0-f0: psd_deg is flat; see train.epochs and tables/t.csv"
    more = {
        "outcome": "the superclass CD, which stands in for response.",
        "primary": "net", "baselines": ["qrs"], "flags": {"6 slots": 4},
        "words": {"psd_deg": "spread of the phase (°)"},
        "notes": [*MANIFEST["notes"], {"kind": "fit", "text": note}],
    }  # fmt: skip
    html = make_run(MANIFEST | more, tables=TABLES, figures=["honest-roc.svg", "case.svg"],
                    cases=[CASE, CASE | {"figure": "figures/case.svg"}])  # fmt: skip
    same_text("run_page", html)
    assert 'id="case-case-root"' in html
    assert "<code>train.epochs</code>" in html


def test_a_page_of_one_honest_number_reads_as_stored(make_run, same_text):
    bare = {"quarantined": [], "notes": [], "needs": []}
    splits = {"honest": SPLITS["honest"]}
    same_text("run_page_of_little", make_run(MANIFEST | bare, ONE, splits))


def test_a_metric_that_stands_twice_is_shown_twice(make_run):
    twice = [
        *METRICS,
        metric("sensitivity", 0.511, protocol="honest", model="net", source="Youden"),
    ]
    results = section(make_run(metrics=twice), "metrics")
    assert "0.622" in results
    assert "0.511" in results


def test_the_answer_stands_first_with_the_declared_model_and_not_the_best(make_run):
    html = make_run(manifest=MANIFEST | {"primary": "net", "baselines": ["qrs"]})
    found = section(html, "answer")
    assert re.search(r"ResNet-18.*0\.711.*0\.631 to 0\.791", found)
    assert found.index("ResNet-18") < found.index("QRS duration")
    assert html.index('id="answer"') < html.index('id="metrics"')


def test_the_paper_protocol_is_stamped_optimistic_with_the_declared_reason(make_run):
    html = make_run(tables={"paper-a.csv": [["x"], ["1"]]}, figures=["paper-roc.svg"])
    assert OVERLAP in section(html, "answer")
    for name in ("answer", "performance", "metrics", "tables", "splits"):
        assert "optimistic" in section(html, name), name


def test_an_honest_run_alone_carries_no_stamp_and_no_empty_columns(make_run):
    honest = [row for row in METRICS if row["protocol"] == "honest"]
    html = make_run(metrics=honest, splits={"honest": SPLITS["honest"]})
    assert "optimistic" not in Page(html).text
    assert "Difference" not in section(html, "metrics")


@pytest.mark.parametrize(("source", "banner"), [("synthetic", True), ("real", False)])
def test_synthetic_data_are_announced_before_anything_else(make_run, source, banner):
    html = make_run(
        metrics=ONE, manifest=MANIFEST | {"data": MANIFEST["data"] | {"source": source}}
    )
    assert ('id="synthetic"' in html) is banner
    assert f"{source} data" in Page(html).text
    if banner:
        assert html.index("Synthetic data.") < html.index("<h1>")


def test_a_run_that_failed_says_so_with_its_error(make_run):
    html = make_run(metrics=ONE, manifest=MANIFEST | {"status": "failed", "error": "out of memory"})
    text = Page(html).text
    assert "Not finished." in text
    assert "out of memory" in text
    assert "Not finished." not in Page(make_run(metrics=ONE)).text


def test_pairs_without_the_first_declared_model_are_folded_away(make_run):
    pair = next(row for row in METRICS if row.get("versus"))
    names = ("first", "second", "third")
    pairs = [("first", "second"), ("first", "third"), ("second", "third")]
    rows = [pair | {"model": one, "versus": other} for one, other in pairs]
    html = make_run(metrics=rows, manifest=MANIFEST | {"models": list(names), "model_titles": {}})
    shown, folded = section(html, "comparisons").split("One other comparison")
    assert "First Second" in shown
    assert "First Third" in shown
    assert "Second Third" not in shown
    assert "Second Third" in folded


def test_folds_have_their_mean_and_their_spread(make_run):
    # (0.688 + 0.799) / 2 = 0.7435; SD = 0.111 / sqrt(2) = 0.0785.
    assert re.search(r"0\.688 0\.799 0\.74[34] 0\.078", section(make_run(), "folds"))


def test_the_overlap_of_every_fold_is_counted_again(make_run):
    leaky = {"honest": SPLITS["honest"] | {
        "folds": [{"name": "r0-f0", "train": ["P1", "P2"], "test": ["P2", "P3"]}]}}  # fmt: skip
    assert "fold 1 2 2 1" in section(make_run(metrics=ONE, splits=leaky), "splits")
    # Samples A#0 | A#1 and B#0 | B#7 share their recordings, C#0 does not.
    assert "fold 1 2 3 2" in section(make_run(metrics=ONE), "splits")


def test_long_tables_are_folded_cut_and_say_so(make_run):
    rows = [["name", "n"], *([f"row {i}", str(i * 1000)] for i in range(100))]
    html = make_run(metrics=ONE, tables={"honest-cost.csv": rows, "short.csv": [["a"], ["b"]]})
    found = section(html, "tables")
    assert "Row 59" in found
    assert "Row 60" not in found
    assert "tables/honest-cost.csv" in found


def test_tables_align_numbers_and_leave_text_alone(make_run):
    rows = [
        ["id", "value", "note"],
        ["007a", "-1234.5678", "1"],
        ["9", "0.00012", "x"],
        ["8", "", ""],
    ]
    html = make_run(metrics=ONE, tables={"t.csv": rows})
    assert '<th scope="row">007a</th><td class="n"><data value="-1234.5678">' in html
    assert ">−1\u202f234.6</data></td><td>1</td>" in html
    assert '<td class="n">0.00012</td><td>x</td>' in html
    assert '<th scope="row">8</th><td class="n"></td><td></td>' in html


def test_identifiers_are_names_even_where_all_of_them_are_digits(make_run):
    rows = [["recording_id", "n"], ["1234", "1234"]]
    html = make_run(metrics=ONE, tables={"t.csv": rows})
    shown = '<th scope="row">1234</th><td class="n"><data value="1234">1\u202f234</data></td>'
    assert shown in html


def test_what_a_paper_printed_stands_beside_its_own_outcome_alone(make_run):
    tables = {
        "published-areas.csv": [["model", "auc"], ["theirs", "0.87654"]],
        "honest-table-2.csv": [["row", "paper_source", "paper_auc"],
                               ["Net", "", "0.811"], ["Theirs", "He et al.", "0.822"]],
    }  # fmt: skip
    synthetic = {**MANIFEST, "data": MANIFEST["data"] | {"source": "synthetic"}}
    for manifest, shown in (
        (synthetic | {"outcome_column": None}, True),
        (synthetic | {"outcome_column": "responder"}, False),
        (MANIFEST, False),
    ):
        html = make_run(metrics=ONE, manifest=manifest, tables=tables)
        for printed in ("0.877", "0.822", "0.811"):
            assert (printed in html) is shown, (printed, shown)
        assert "Net" in section(html, "tables")


@pytest.mark.parametrize("titles", [("For, .9", "For, .8", "Against, .1"), ("a", "b", "c"), "xxx"])
def test_the_page_opens_with_cases_of_different_groups_whatever_their_titles(titles):
    groups = ("for", "for", "against")
    cases = [
        CaseRecord(sample_id=str(n), title=title, group=group, model="net", figure="a.svg")
        for n, (title, group) in enumerate(zip(titles, groups, strict=True))
    ]
    assert [case.sample_id for case in cases_shown(cases, "net")] == ["0", "2"]
