"""The report of a run: what it must say, and what must never get into it."""

from __future__ import annotations

import re

import pytest

from .reported_run import MANIFEST, METRICS, ONE, OVERLAP, SPLITS, Page, metric, section, writer


@pytest.fixture
def make_run(tmp_path):
    return writer(tmp_path)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    """The report of the run above."""
    return writer(tmp_path_factory.mktemp("standard"))()


def test_every_metric_is_there_with_its_interval_n_and_method(html):
    text = Page(html).text
    for row in METRICS:
        shown = f"{abs(row['value']):.3f}"
        assert shown in text, row
        if row["low"] is not None and row["fold"] is None:
            assert f"{abs(row['low']):.3f} to" in text, row
    assert "71 patients" in text
    assert "DeLong; threshold: inner folds" in text
    assert "DeLong; threshold: fixed 0.5" in text
    assert "95 % CI" in text


def test_honest_and_paper_stand_side_by_side_with_their_difference(html):
    row = next(r for r in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if ">0.711<" in r)
    assert ">0.944<" in row
    assert "+0.233" in row
    assert html.index(">0.711<") < html.index(">0.944<")


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


def test_without_the_honest_protocol_nothing_is_claimed(make_run):
    paper = [row for row in METRICS if row["protocol"] == "paper"]
    text = Page(make_run(metrics=paper)).text
    assert "The honest protocol did not run" in text
    assert "Under the honest protocol" not in text


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


def test_no_p_value_is_printed_as_zero_or_one(make_run):
    tables = {"honest-uni.csv": [["term", "p_value"], ["qrs", "0.00002"], ["age", "0.99999"]]}
    html = make_run(tables=tables)
    assert "<0.001" in section(html, "comparisons")
    found = section(html, "tables")
    assert "<0.001" in found
    assert ">0.999" in found
    assert "0.000" not in found


def test_comparisons_name_both_models_and_keep_the_sign(html):
    found = section(html, "comparisons")
    assert "ResNet-18 QRS duration AUC, difference, response −0.022 (−0.102 to 0.058)" in found


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


def test_subgroups_stand_apart_from_the_main_table(html):
    assert "0.777" in section(html, "subgroups")
    assert "sex = F" in section(html, "subgroups")
    assert "0.777" not in section(html, "metrics")


def test_folds_have_a_column_each_their_mean_and_their_spread(html):
    found = section(html, "folds")
    # (0.688 + 0.799) / 2 = 0.7435; SD = 0.111 / sqrt(2) = 0.0785.
    assert "Fold 1 Fold 2 Mean SD" in found
    assert re.search(r"0\.688 0\.799 0\.74[34] 0\.078", found)


def test_flags_of_recordings_that_were_used_are_counted(make_run):
    found = section(make_run(metrics=ONE, manifest=MANIFEST | {"flags": {"6 slots": 4}}), "data")
    assert "What was flagged in recordings that were used" in found
    assert "6 slots 4" in found
    assert "flagged" not in section(make_run(metrics=ONE), "data")


def test_the_overlap_of_every_fold_is_counted_again(make_run):
    leaky = {"honest": SPLITS["honest"] | {
        "folds": [{"name": "r0-f0", "train": ["P1", "P2"], "test": ["P2", "P3"]}]}}  # fmt: skip
    assert "fold 1 2 2 1" in section(make_run(metrics=ONE, splits=leaky), "splits")
    found = section(make_run(metrics=ONE), "splits")
    assert "fold 1 2 1 0 fold 2 1 2 0" in found
    # Samples A#0 | A#1 and B#0 | B#7 share their recordings, C#0 does not.
    assert "Recordings on both sides fold 1 2 3 2" in found


def test_quarantined_recordings_are_counted_by_reason_and_listed(make_run):
    found = section(make_run(metrics=ONE), "data")
    assert "3 recordings were set aside" in found
    assert "flat lead reading 2 3 s are too short preparing 1" in found
    assert all(name in found for name in ("R1", "R2", "R3"))
    empty = section(make_run(metrics=ONE, manifest=MANIFEST | {"quarantined": []}), "data")
    assert "No recording was set aside" in empty


def test_the_page_says_how_to_run_it_again_and_with_what(html):
    found = section(html, "reproduce")
    for expected in ("cardio run --plugin ecg_transfer", "numpy 2.3.1", "abc123", "epochs: 3",
                     "Seed 17", "1.0", "1 min 1 s", "He et al. 2023"):  # fmt: skip
        assert expected in found, expected
    assert "took 48 min 37 s" in found
    assert "cpu (no CUDA device), precision 32" in found
    notes = section(html, "notes")
    assert "202 is left out." in notes
    assert "Needed aami beats, taken from run-7: of other patients" in notes


def test_long_tables_are_folded_cut_and_say_so(make_run):
    rows = [["name", "n"], *([f"row {i}", str(i * 1000)] for i in range(100))]
    html = make_run(metrics=ONE, tables={"honest-cost.csv": rows, "short.csv": [["a"], ["b"]]})
    found = section(html, "tables")
    assert "Row 59" in found
    assert "Row 60" not in found
    assert "The first 60 of 100 rows." in found
    assert "tables/honest-cost.csv" in found
    assert "Cost, honest 100 rows" in found


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


def test_what_is_the_same_in_every_row_is_said_once_and_empty_columns_are_gone(make_run):
    rows = [
        ["model", "auc", "low", "high", "n_patients", "why"],
        ["net", "0.8", "0.7", "0.9", "71", ""],
        ["qrs", "0.6", "0.5", "0.7", "71", ""],
    ]
    found = section(make_run(metrics=ONE, tables={"t.csv": rows}), "tables")
    assert "Patients: 71 Model AUC (95 % CI) ResNet-18 0.800 (0.700 to 0.900) QRS" in found
    assert found.count("71") == 1


def test_identifiers_of_code_become_words(make_run):
    rows = [["variable", "lvesv_bl_ml"], ["ae_07", "1.5"], ["psd_deg", "2.5"]]
    manifest = MANIFEST | {"words": {"psd_deg": "spread of the phase (°)"}}
    note = "net, r0-f0: psd_deg is flat; see train.epochs and tables/t.csv"
    html = make_run(
        metrics=ONE,
        manifest=manifest | {"notes": [{"kind": "fit", "text": note}]},
        tables={"t.csv": rows},
    )
    found = section(html, "tables")
    assert "Variable LV end-systolic volume (mL)" in found
    assert "Autoencoder feature 07" in found
    assert "Spread of the phase (°)" in found
    notes = section(html, "notes")
    assert "ResNet-18, fold 1: spread of the phase (°) is flat; see train.epochs" in notes
    assert "<code>train.epochs</code>" in html


def test_what_a_paper_printed_stands_beside_its_own_outcome_alone(make_run):
    tables = {
        "published-areas.csv": [["model", "auc"], ["theirs", "0.87654"]],
        "honest-table-2.csv": [["row", "source", "paper_auc"],
                               ["Net", "this run", "0.811"], ["Theirs", "He et al.", "0.822"]],
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


def test_an_explained_case_shows_its_picture_and_scores(make_run):
    case = {"sample_id": "200#5", "title": "V beat, called N", "model": "net", "protocol": "honest",
            "fold": "r0-f0", "scores": {"energy_in_qrs": 0.6125},
            "figure": "figures/case.svg"}  # fmt: skip
    html = make_run(metrics=ONE, cases=[case], figures=["case.svg"])
    found = section(html, "explanations")
    assert "V beat, called N" in found
    assert "ResNet-18, honest, fold 1" in found
    assert "figures/case.svg" not in found
    assert 'id="case-case-root"' in html
    other = {key: value for key, value in case.items() if key != "figure"}
    assert "Energy in QRS 0.61" in section(make_run(metrics=ONE, cases=[other]), "cases")


def test_what_the_outcome_is_stands_on_the_page(make_run):
    said = "the superclass CD, which stands in for response."
    text = Page(make_run(metrics=ONE, manifest=MANIFEST | {"outcome": said})).text
    assert f"Outcome: {said}" in text
