"""The answer of the page: the declared model, the best baseline, their difference, and warnings.

What it says of each case below is stored in `texts/answers.txt`.
"""

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
def answered(tmp_path):
    def read(metrics, manifest=None, splits=None):
        (tmp_path / "metrics.json").write_text(json.dumps(metrics))
        (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST | (manifest or {})))
        (tmp_path / "splits.json").write_text(json.dumps({"protocols": splits or {}}))
        return answer(read_artifact(tmp_path))

    return read


def warned(found):
    return [*found.warnings, *found.more]


EF = {"targets": [{"name": "ef", "kind": "continuous", "classes": [], "unit": "%"}]}
BNP = {"targets": [{"name": "bnp", "kind": "continuous", "classes": []}]}
LETTERS = {"targets": [{"name": "response", "kind": "multiclass", "classes": ["a", "b"]}]}
NYHA = {
    "targets": [
        *MANIFEST["targets"],
        {"name": "nyha_iv", "kind": "binary", "classes": ["no", "yes"]},
    ],
    "words": {"nyha_iv": "NYHA class IV"},
}
SYNTHETIC = {"data": {"source": "synthetic", "n_patients": 60}}
ALL_BASELINES = {"baselines": ["net", "qrs", "age", "forest"]}
UNDECLARED = {"baselines": None, "primary": None, "targets": None}
OVERLAP = {"paper": {"declared_overlap": "beats are drawn at random", "folds": []}}
PAPER = [row("auc", 0.8, 0.7, 0.9, protocol="paper")]
WARNING = {
    "kind": "not_pretrained", "text": "Not pretrained.", "severity": "warning",
    "where": "every fold",
}  # fmt: skip


def of_error(model, baseline, low, high, *, target="ef"):
    """Rows of two models, whose errors have an interval of half a unit, and their difference."""
    return [
        row("mae", model, model - 0.4, model + 0.7, target=target),
        row("mae", baseline, baseline - 0.4, baseline + 0.7, target=target, model="qrs"),
        row("mae_difference", model - baseline, low, high, target=target, versus="qrs"),
    ]


def of_gain(value, low, high):
    return [
        row("auc", 0.62, 0.52, 0.72),
        row("auc", 0.62 - value, 0.55, 0.75, model="qrs"),
        row("auc_difference", value, low, high, versus="qrs"),
    ]


def few(n_positive):
    return [row("auc", 0.61, 0.55, 0.76, extra={"n_rows": 56, "n_positive": n_positive})]


CASES = {
    "better than the best baseline": (GOOD,),
    "synthetic": (GOOD, SYNTHETIC),
    "an outcome that the user chose": (GOOD, {"outcome_column": "died"}),
    "calibration of the declared model alone": (
        [*GOOD, row("calibration_in_the_large", -0.12, -0.5, 0.26),
         row("calibration_slope", 0.84, 0.61, 1.07),
         row("calibration_slope", 2.71, 2.0, 3.0, model="qrs")],
    ),
    "another model ranked first": ([*GOOD, row("auc", 0.901, 0.85, 0.95, model="forest")],),
    "a smaller error": (
        [*of_error(4.5, 6.5, -2.9, -1.1), row("mae", 9.5, 9.1, 9.9, target="ef", model="age")], EF
    ),
    "an error not shown to be smaller": (of_error(4.5, 6.5, -2.9, 0.4), EF),
    "a larger error": (of_error(6.5, 4.5, 1.1, 2.9), EF),
    "an error no smaller than that of the median": (
        [row("mae", 234.0, 195.0, 271.0, target="bnp"),
         row("mae_constant", 223.0, 186.0, 256.0, target="bnp")], BNP
    ),
    "an error smaller than that of the median": (
        [row("mae", 234.0, 195.0, 271.0, target="bnp"),
         row("mae_constant", 300.0, 186.0, 256.0, target="bnp")], BNP
    ),
    "the declared model is a baseline": (
        [row("auc", 0.6, 0.55, 0.65, model=name) for name in ("net", "qrs", "age", "forest")]
        + [row("auc_difference", 0.0, -0.1, 0.1, versus=name) for name in ("qrs", "age", "forest")],
        ALL_BASELINES,
    ),
    "no better": (of_gain(-0.02, -0.10, 0.06),),
    "not shown to be better": (of_gain(0.03, -0.05, 0.11),),
    "worse": (of_gain(-0.12, -0.20, -0.04),),
    "classes are counted once": (
        [row("macro_f1", 0.4, 0.3, 0.5)]
        + [row(f"support_{name}", n, None, None, class_name=name, unit="patient")
           for name, n in (("a", 30), ("b", 26))],
        LETTERS,
    ),
    "a further target": (
        [*GOOD, row("auc", 0.7, 0.6, 0.8, target="nyha_iv"),
         row("auc", 0.68, 0.6, 0.8, target="nyha_iv", model="qrs"),
         row("auc_difference", 0.02, -0.1, 0.1, target="nyha_iv", versus="qrs")], NYHA
    ),
    "the interval contains chance": ([row("auc", 0.61, 0.46, 0.76)],),
    "few with the event": (few(9),),
    "few without the event": (few(50),),
    "everybody is decided alike": (
        [*GOOD, row("sensitivity", 1.0, 0.9, 1.0), row("specificity", 0.0, 0.0, 0.1)],
    ),
    "a slope far from 1": ([*GOOD, row("calibration_slope", 0.31, 0.1, 0.6)],),
    "sets that rarely decide": ([*GOOD, row("sets_of_several", 0.81, 0.6, 0.9)],),
    "many were set aside": (
        GOOD, {"quarantined": [{"recording_id": f"r{i}", "hook": "load", "reason": "x"}
                               for i in range(9)]}
    ),
    "paper alone": (PAPER,),
    "paper alone, nothing could be fitted honestly": (
        PAPER, {"notes": [{"kind": "left_out_of_honest", "text": "Model Net cannot be fitted."}]}
    ),
    "a warning of the plugin": (GOOD, {"notes": [WARNING | {"model": "net"}]}),
    "a warning of the plugin, of all models": (GOOD, {"notes": [WARNING]}),
    "paper is higher": ([*GOOD, row("auc", 0.95, 0.9, 0.99, protocol="paper")], {}, OVERLAP),
    "paper is higher, nothing declared": ([*GOOD, row("auc", 0.95, 0.9, 0.99, protocol="paper")],),
    "paper is lower": ([*GOOD, row("auc", 0.6, 0.5, 0.7, protocol="paper")], {}, OVERLAP),
    "nothing was declared": (GOOD, UNDECLARED),
    "no metric": ([], UNDECLARED),
}  # fmt: skip


def test_the_answer_of_every_case_is_the_stored_one(answered, same_text):
    parts, first = [], answered(GOOD)
    usual = {first.question: "(as in the first case)", first.found[0]: "(as in the first case)"}
    for name, case in CASES.items():
        found = answered(*case)
        others = [f"{title}: {line}" for title, line in found.others]
        lines = [found.question, *found.found, *others, *(f"- {line}" for line in warned(found))]
        parts.append(
            "\n".join([f"## {name}", *(usual.get(line, line) if parts else line for line in lines)])
        )
    same_text("answers", "\n\n".join(parts) + "\n")


def test_a_difference_that_was_computed_the_other_way_round_is_turned(answered):
    turned = [*GOOD[:3], row("auc_difference", -0.157, -0.263, -0.052, model="qrs", versus="net")]
    assert answered(turned).found == answered(GOOD).found


def test_nothing_is_warned_of_where_nothing_stands_in_the_way(answered):
    fine = [
        *GOOD,
        row("sensitivity", 0.7, 0.6, 0.8),
        row("specificity", 0.8, 0.7, 0.9),
        row("calibration_slope", 1.1, 0.8, 1.4),
        row("sets_of_several", 0.3, 0.2, 0.4),
        row("auc", 0.85, 0.8, 0.9, protocol="paper"),
    ]
    notes = [WARNING | {"model": "qrs"}, WARNING | {"severity": "info"}]
    assert warned(answered(fine, {"notes": notes})) == []


@pytest.mark.parametrize(
    ("slope", "low", "high", "far"),
    [
        (2.05, -1.5, 5.6, False), (0.31, -0.2, 1.1, False), (0.31, None, None, False),
        (2.05, 1.2, 2.9, True), (-0.4, -0.9, 0.1, True),
    ],
)  # fmt: skip
def test_a_slope_is_far_from_1_only_where_its_interval_excludes_1(answered, slope, low, high, far):
    assert len(warned(answered([*GOOD, row("calibration_slope", slope, low, high)]))) == far


def test_no_more_than_six_warnings_lead_the_gravest_first(answered):
    bad = [
        row("auc", 0.55, 0.4, 0.7, extra={"n_rows": 12, "n_positive": 6}),
        row("auc", 0.9, 0.8, 0.99, model="qrs"),
        row("auc_difference", -0.35, -0.5, -0.2, versus="qrs"),
        row("sensitivity", 1.0, 0.9, 1.0), row("specificity", 0.0, 0.0, 0.1),
        row("calibration_slope", 0.2, 0.1, 0.3), row("sets_of_several", 0.9, 0.8, 1.0),
        row("auc", 0.95, 0.9, 0.99, protocol="paper"),
    ]  # fmt: skip
    found = answered(bad, {"data": {"source": "synthetic", "n_patients": 12}})
    assert found.warnings[0] == warned(answered(GOOD, SYNTHETIC))[0]
    assert (len(found.warnings), len(found.more)) == (MAX_WARNINGS, 2)
