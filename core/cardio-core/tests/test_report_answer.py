"""The answer of the page: the declared model, the best baseline, their difference, and warnings."""

import json

import pytest

from cardio_core.io.run_artifact import read_artifact
from cardio_core.report.text.answer import MAX_WARNINGS, answer
from cardio_core.types.report import Metric, Scope
from cardio_stats.estimate import Estimate

MANIFEST = {
    "status": "done",
    "task_title": "Response to resynchronization from an ECG",
    "data": {"source": "real", "n_recordings": 60, "n_patients": 60},
    "models": ["net", "forest", "qrs", "age"],
    "model_titles": {"net": "ResNet, pretrained", "forest": "Forest", "qrs": "QRS duration",
                     "age": "Age"},
    "baselines": ["qrs", "age"],
    "primary": "net",
    "targets": [{"name": "response", "kind": "binary", "classes": ["no", "yes"], "unit": ""}],
}  # fmt: skip


def row(name, value, low, high, *, model="net", target="response", protocol="honest", **more):
    scope = {k: more.pop(k) for k in ("versus", "class_name") if k in more}
    estimate = Estimate(
        name, value, low, high, None if low is None else 0.95, "m",
        **({"n": 56, "unit": "patient", "n_patients": 56} | more),
    )  # fmt: skip
    return Metric(estimate, Scope(protocol, "t", target, model, **scope)).to_dict()


COUNTED = {"extra": {"n_rows": 56, "n_positive": 24, "n_negative": 32}}
GOOD = [
    row("auc", 0.812, 0.701, 0.902, **COUNTED),
    row("auc", 0.655, 0.602, 0.703, model="qrs"),
    row("auc", 0.622, 0.611, 0.633, model="age"),
    row("auc_difference", 0.157, 0.052, 0.263, versus="qrs"),
    row("auc_difference", 0.19, 0.101, 0.279, versus="age"),
]


@pytest.fixture
def told(tmp_path):
    def read(metrics, manifest=None, splits=None):
        (tmp_path / "metrics.json").write_text(json.dumps(metrics))
        (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST | (manifest or {})))
        (tmp_path / "splits.json").write_text(json.dumps({"protocols": splits or {}}))
        return answer(read_artifact(tmp_path))

    return read


def warned(found):
    return " ".join([*found.warnings, *found.more])


def test_it_says_what_was_asked_of_how_many_patients_with_how_many_events(told):
    assert told(GOOD).asked == (
        "In 56 patients (24 with response), the question was: response to resynchronization from "
        "an ECG."
    )
    synthetic = told(GOOD, {"data": {"source": "synthetic", "n_patients": 60}})
    assert synthetic.asked.startswith("In 56 synthetic patients (24 with response)")
    own = told(GOOD, {"outcome_column": "died"})
    assert "the question was: died, a column of the cohort table." in own.asked


def test_the_declared_model_stands_beside_the_best_baseline_and_their_paired_difference(told):
    found = told(GOOD)
    assert found.found == (
        "In patients kept apart from training, the primary model, declared before the run, "
        "“ResNet, pretrained” reached an area under the ROC curve of 0.812 (95 % interval 0.701 to "
        "0.902); the best of 2 simple baselines, picked afterwards, “QRS duration” reached 0.655; "
        "the paired difference is +0.157 (95 % interval +0.052 to +0.263), better than the "
        "baseline.",
    )
    assert found.warnings == ()


def test_intercept_and_slope_of_the_declared_model_always_stand_in_the_answer(told):
    own = [
        row("calibration_in_the_large", -0.12, -0.5, 0.26),
        row("calibration_slope", 0.84, 0.61, 1.07),
        row("calibration_slope", 2.71, 2.0, 3.0, model="qrs"),
    ]
    (_, calibration) = told([*GOOD, *own]).found
    for shown in ("−0.120", "−0.500", "0.260", "0.840", "0.610", "1.070"):
        assert shown in calibration
    assert "2.71" not in calibration


def test_a_difference_that_was_computed_the_other_way_round_is_turned(told):
    turned = [*GOOD[:3], row("auc_difference", -0.157, -0.263, -0.052, model="qrs", versus="net")]
    assert told(turned).found == told(GOOD).found


def test_another_model_that_ranked_first_is_named_as_picked_afterwards(told):
    found = told([*GOOD, row("auc", 0.901, 0.85, 0.95, model="forest")])
    assert found.found[0].startswith("In patients kept apart from training, the primary model")
    assert found.found[1] == (
        "Of all 4 models, “Forest” ranked first with 0.901 (95 % interval 0.850 to 0.950); it was "
        "picked afterwards, which flatters its number."
    )


def test_an_error_is_better_where_it_is_smaller(told):
    targets = [{"name": "ef", "kind": "continuous", "classes": [], "unit": "%"}]
    rows = [
        row("mae", 4.5, 4.1, 5.2, target="ef"),
        row("mae", 6.5, 6.1, 7.2, target="ef", model="qrs"),
        row("mae", 9.5, 9.1, 9.9, target="ef", model="age"),
        row("mae_difference", -2.0, -2.9, -1.1, target="ef", versus="qrs"),
    ]
    found = told(rows, {"targets": targets})
    assert "“QRS duration” reached 6.500; the paired difference is −2.000" in found.found[0]
    assert found.found[0].endswith("better than the baseline.")
    assert "4.500 % (95 % interval" in found.found[0]
    worse = [*rows[:3], row("mae_difference", -2.0, -2.9, 0.4, target="ef", versus="qrs")]
    assert "not shown to be better than “QRS duration”" in warned(told(worse, {"targets": targets}))


def test_an_error_no_smaller_than_that_of_the_median_is_told(told):
    targets = [{"name": "bnp", "kind": "continuous", "classes": []}]
    rows = [row("mae", 234.0, 195.0, 271.0, target="bnp")]
    rows.append(row("mae_constant", 223.0, 186.0, 256.0, target="bnp"))
    said = "misses by 234.0 on average; always saying the median of the tested would miss by 223.0."
    assert said in warned(told(rows, {"targets": targets}))
    assert said[:6] not in warned(
        told([rows[0], {**rows[1], "value": 300.0}], {"targets": targets})
    )


def test_a_primary_model_that_is_a_baseline_is_not_counted_among_those_it_is_compared_with(told):
    rows = [row("auc", 0.6, 0.55, 0.65, model=name) for name in ("net", "qrs", "age", "forest")]
    rows += [
        row("auc_difference", 0.0, -0.1, 0.1, versus=name) for name in ("qrs", "age", "forest")
    ]
    found = told(rows, {"baselines": ["net", "qrs", "age", "forest"]})
    assert "the best of 3 simple baselines" in found.found[0]
    assert "not shown to be better than any of the 3 simple baselines" in warned(found)
    assert "0.000 (95 % interval −0.100 to +0.100)." in found.found[0]


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ((-0.02, -0.10, 0.06), "was no better than"),
        ((0.03, -0.05, 0.11), "was not shown to be better than"),
        ((-0.12, -0.20, -0.04), "was worse than"),
    ],
)
def test_the_verdict_leads_where_the_model_is_not_better_than_the_best_baseline(
    told, limits, verdict
):
    value, low, high = limits
    rows = [
        row("auc", 0.62, 0.52, 0.72),
        row("auc", 0.62 - value, 0.55, 0.75, model="qrs"),
        row("auc_difference", value, low, high, versus="qrs"),
    ]
    first = told(rows).found[0]
    assert first.startswith(
        "In patients kept apart from training, the primary model, declared before the run, "
        f"“ResNet, pretrained” {verdict} the simple baseline “QRS duration”: area under the "
        "ROC curve 0.620 (95 % interval 0.520 to 0.720) against "
        f"{0.62 - value:.3f} (95 % interval 0.550 to 0.750)"
    )
    assert ", which ranked first of all models; the paired difference" in first or value > 0


def test_an_error_that_is_no_smaller_is_told_as_no_better(told):
    targets = [{"name": "ef", "kind": "continuous", "classes": [], "unit": "%"}]
    rows = [
        row("mae", 6.5, 6.1, 7.2, target="ef"),
        row("mae", 4.5, 4.1, 5.2, target="ef", model="qrs"),
        row("mae_difference", 2.0, 1.1, 2.9, target="ef", versus="qrs"),
    ]
    assert (
        "was worse than the simple baseline “QRS duration”"
        in (told(rows, {"targets": targets}).found[0])
    )


def test_patients_of_several_classes_are_counted_once(told):
    rows = [row("macro_f1", 0.4, 0.3, 0.5)]
    rows += [row(f"support_{name}", n, None, None, class_name=name, unit="patient")
             for name, n in (("a", 30), ("b", 26))]  # fmt: skip
    classes = [{"name": "response", "kind": "multiclass", "classes": ["a", "b"]}]
    assert told(rows, {"targets": classes}).asked.startswith("In 56 patients (a 30, b 26), the")


def test_further_targets_have_a_line_each(told):
    targets = [
        *MANIFEST["targets"],
        {"name": "nyha_iv", "kind": "binary", "classes": ["no", "yes"]},
    ]
    rows = [*GOOD, row("auc", 0.7, 0.6, 0.8, target="nyha_iv"),
            row("auc", 0.68, 0.6, 0.8, target="nyha_iv", model="qrs"),
            row("auc_difference", 0.02, -0.1, 0.1, target="nyha_iv", versus="qrs")]  # fmt: skip
    found = told(rows, {"targets": targets, "words": {"nyha_iv": "NYHA class IV"}})
    assert found.others == (
        (
            "NYHA class IV",
            "“ResNet, pretrained”: area under the ROC curve 0.700 (95 % interval 0.600 to 0.800); "
            "best baseline, “QRS duration”: 0.680, difference +0.020 (95 % interval −0.100 to "
            "+0.100)",
        ),
    )
    assert "Nor is the model shown to be better than the best baseline for NYHA class IV." in (
        warned(found)
    )


WARNING = {
    "kind": "not_pretrained", "text": "Not pretrained.", "severity": "warning",
    "where": "every fold",
}  # fmt: skip


@pytest.mark.parametrize(
    ("metrics", "more", "said"),
    [
        (GOOD, {"data": {"source": "synthetic"}}, "The data are synthetic"),
        ([row("auc_difference", 0.157, -0.01, 0.263, versus="qrs"), *GOOD[:3]], {},
         "not shown to be better than “QRS duration”"),
        ([row("auc", 0.61, 0.46, 0.76)], {}, "0.460 to 0.760, contains 0.5"),
        ([row("auc", 0.61, 0.55, 0.76, extra={"n_rows": 56, "n_positive": 9})], {},
         "Only 9 of the tested have response, fewer than 10"),
        ([row("auc", 0.61, 0.55, 0.76, extra={"n_rows": 56, "n_positive": 50})], {},
         "Only 6 of the tested are without response"),
        ([*GOOD, row("sensitivity", 1.0, 0.9, 1.0), row("specificity", 0.0, 0.0, 0.1)], {},
         "a sensitivity of 1 and a specificity of 0: it decides everybody alike."),
        ([*GOOD, row("calibration_slope", 0.31, 0.1, 0.6)], {}, "far from 1: predictions are too"),
        ([*GOOD, row("sets_of_several", 0.81, 0.6, 0.9)], {}, "leave about 81 % of the tested"),
        (GOOD, {"quarantined": [{"recording_id": f"r{i}", "hook": "load", "reason": "x"}
                                for i in range(9)]},
         "9 of 69 recordings (13 %) could not be used"),
        ([row("auc", 0.8, 0.7, 0.9, protocol="paper")], {},
         "The honest protocol did not run: nothing"),
        ([row("auc", 0.8, 0.7, 0.9, protocol="paper")],
         {"notes": [{"kind": "left_out_of_honest", "text": "Model Net cannot be fitted."}]},
         "The honest protocol did not run (no model could be fitted in it; the notes say why):"),
        (GOOD, {"notes": [WARNING | {"model": "net"}]}, WARNING["text"]),
        (GOOD, {"notes": [WARNING]}, WARNING["text"]),
    ],
)  # fmt: skip
def test_what_stands_in_the_way_is_said(told, metrics, more, said):
    assert said in warned(told(metrics, more))


def test_nothing_is_said_where_nothing_stands_in_the_way(told):
    fine = [
        *GOOD,
        row("sensitivity", 0.7, 0.6, 0.8),
        row("specificity", 0.8, 0.7, 0.9),
        row("calibration_slope", 1.1, 0.8, 1.4),
        row("sets_of_several", 0.3, 0.2, 0.4),
        row("auc", 0.85, 0.8, 0.9, protocol="paper"),
    ]
    notes = [WARNING | {"model": "qrs"}, WARNING | {"severity": "info"}]
    assert warned(told(fine, {"notes": notes})) == ""


def test_where_paper_and_honest_part_it_says_by_how_much_and_why(told):
    paper = [*GOOD, row("auc", 0.95, 0.9, 0.99, protocol="paper")]
    declared = {"paper": {"declared_overlap": "beats are drawn at random", "folds": []}}
    assert (
        "The paper protocol gives 0.950, 0.138 more than the honest 0.812: beats are drawn at "
        "random."
    ) in warned(told(paper, splits=declared))
    assert "no patient stands on both sides there" in warned(told(paper))
    less = [*GOOD, row("auc", 0.6, 0.5, 0.7, protocol="paper")]
    assert "0.212 less than the honest 0.812, although beats" in warned(told(less, splits=declared))


@pytest.mark.parametrize(
    ("slope", "low", "high", "far"),
    [
        (2.05, -1.5, 5.6, False), (0.31, -0.2, 1.1, False), (0.31, None, None, False),
        (2.05, 1.2, 2.9, True), (-0.4, -0.9, 0.1, True),
    ],
)  # fmt: skip
def test_a_slope_is_far_from_1_only_where_its_interval_excludes_1(told, slope, low, high, far):
    said = warned(told([*GOOD, row("calibration_slope", slope, low, high)]))
    assert ("far from 1" in said) is far


def test_no_more_than_six_warnings_lead(told):
    bad = [
        row("auc", 0.55, 0.4, 0.7, extra={"n_rows": 12, "n_positive": 6}),
        row("auc", 0.9, 0.8, 0.99, model="qrs"),
        row("auc_difference", -0.35, -0.5, -0.2, versus="qrs"),
        row("sensitivity", 1.0, 0.9, 1.0), row("specificity", 0.0, 0.0, 0.1),
        row("calibration_slope", 0.2, 0.1, 0.3), row("sets_of_several", 0.9, 0.8, 1.0),
        row("auc", 0.95, 0.9, 0.99, protocol="paper"),
    ]  # fmt: skip
    found = told(bad, {"data": {"source": "synthetic", "n_patients": 12}})
    assert len(found.warnings) == MAX_WARNINGS
    assert found.warnings[0].startswith("The data are synthetic")
    assert found.warnings[1].startswith("The primary model is not shown to be better")
    assert len(found.more) == 2


def test_a_run_that_declared_nothing_has_an_answer_all_the_same(told):
    older = {"baselines": None, "primary": None, "targets": None}
    found = told(GOOD, older)
    assert (
        "the model “ResNet, pretrained” reached an area under the ROC curve of 0.812"
        in (found.found[0])
    )
    assert "no simple baseline was run beside it" in found.found[0]
    assert told([], older).found == ("No metric was computed.",)
