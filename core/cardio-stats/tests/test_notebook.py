"""The package as it is used in a notebook: arrays and frames in, estimates and tables out."""

from __future__ import annotations

import importlib
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cardio_stats as stats
from cardio_core.testing import refuses
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.estimate import Estimate

RNG = np.random.default_rng(3)
Y = np.repeat([0, 1], 60)
SCORE = 1 / (1 + np.exp(-(RNG.normal(size=120) + Y)))
WORDS = np.where(Y == 1, "died", "alive")
PATIENT = np.repeat(np.arange(60), 2)
FRAME = pd.DataFrame({"died": WORDS, "age": 60 + 8 * RNG.normal(size=120), "score": SCORE,
                      "sex": np.where(RNG.random(120) < 0.5, "m", "f"),
                      "days": RNG.integers(1, 400, 120), "dead": Y})  # fmt: skip


def test_an_estimate_is_a_number_and_three() -> None:
    e = Estimate("auc", 0.8123, 0.71, 0.90, 0.95, "DeLong <", n=120, unit="patient", note="Small.")
    value, low, high = e
    assert (float(e), e.ci) == (value, (low, high)) == (0.8123, (0.71, 0.90))
    assert Estimate("n", 3.0).ci == (None, None)
    assert e._repr_html_() == (
        "<b>auc 0.812</b> <small>95 % CI 0.710 to 0.900; DeLong &lt;; n = 120 patients; "
        "Small.</small>"
    )
    frame = pd.concat([e.to_frame(), e.replace(name="other").to_frame()])
    assert frame["name"].tolist() == ["auc", "other"]
    assert frame.loc[0, ["value", "low", "high"]].to_numpy().tolist() == [[0.8123, 0.71, 0.90]] * 2


CALLS: dict[str, Any] = {
    "auc": lambda y, **how: stats.auc(y, SCORE, **how),
    "bootstrap_auc": lambda y, **how: stats.bootstrap_auc(y, SCORE, n_resamples=20, **how),
    "pr_auc": lambda y, **how: stats.pr_auc(y, SCORE, **how),
    "partial_auc": lambda y, **how: stats.partial_auc(y, SCORE, n_resamples=20, **how),
    "rate_at": lambda y, **how: stats.rate_at(y, SCORE, specificity=0.9, n_resamples=20, **how),
    "delong_paired": lambda y, **how: stats.delong_paired(y, SCORE, -SCORE, **how),
    "brier": lambda y, **how: stats.brier(y, SCORE, n_resamples=20, **how),
    "scaled_brier": lambda y, **how: stats.scaled_brier(y, SCORE, n_resamples=20, **how),
    "calibration_slope": lambda y, **how: stats.calibration_slope(y, SCORE, **how),
    "calibration_in_the_large": lambda y, **how: stats.calibration_in_the_large(y, SCORE, **how),
    "observed_to_expected": lambda y, **how: stats.observed_to_expected(y, SCORE, **how),
    "net_benefit": lambda y, **how: stats.net_benefit(y, SCORE, 0.4, **how),
    "youden": lambda y, **how: stats.youden_threshold(y, SCORE, source="these", **how),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_outcome_of_words_gives_the_numbers_of_zeros_and_ones(name: str) -> None:
    plain = CALLS[name](Y)
    for words in (WORDS, list(WORDS), pd.Series(WORDS, name="status")):
        assert CALLS[name](words, event="died") == plain
    assert CALLS[name](np.where(Y == 1, "yes", "no")) == plain
    assert CALLS[name](Y + 1, event="2") == plain


def test_of_three_words_each_is_named() -> None:
    words = ["died", "alive", "lost", "moved"]
    with refuses(ConfigError, "--outcome outcome", "lost", "moved", "1", code="unknown"):
        stats.binary_labels(words, "died", negative=["alive"])
    found = stats.binary_labels(words, "died", negative=["alive", "moved"], missing=["lost"])
    assert np.array_equal(found, [1, 0, np.nan, 0], equal_nan=True)


def test_words_that_leave_the_event_open_are_refused() -> None:
    with refuses(ConfigError, "--outcome outcome", "alive", "died", "60", code="ambiguous"):
        stats.auc(WORDS, SCORE)
    with refuses(ConfigError, "--outcome outcome", "dead", code="unknown"):
        stats.auc(WORDS, SCORE, event="dead")
    with refuses(DataError, "outcome", code="out_of_range"):
        stats.auc(Y + 1, SCORE)


def test_curves_by_group_are_those_of_each_group() -> None:
    curves = stats.kaplan_meier(FRAME["days"], FRAME["dead"], by=FRAME["sex"])
    assert [curve.label for curve in curves] == ["f", "m"]
    for curve, (_, own) in zip(curves, FRAME.groupby("sex"), strict=True):
        alone = stats.kaplan_meier(own["days"].to_list(), own["dead"].to_list())
        assert curve.survival.tolist() == alone.survival.tolist()
    test = stats.log_rank(FRAME["days"], FRAME["dead"], FRAME["sex"])
    made, _ = stats.survival_table(FRAME, "days", "dead", groups="sex")
    assert test == next(one for one in made.estimates if one.name == "log_rank_chi2")
    with refuses(DataError, code="mismatch"):
        stats.kaplan_meier([1, 2, 3], [1, 0])


def test_a_frame_is_described_by_its_name_alone() -> None:
    assert stats.table_one(FRAME, by="sex", columns=["age"]).rows[0][-1] == "Welch"
    assert len(stats.table_one(FRAME[["age", "days"]]).rows) == 2


@pytest.mark.parametrize("kind", ["logistic", "cox"])
def test_a_model_predicts_and_sums_itself_up(kind: str) -> None:
    model: Any = (
        stats.fit_logistic(FRAME, "died", ["age", "sex"], event="died")
        if kind == "logistic"
        else stats.fit_cox(FRAME, "days", "dead", ["age", "sex"])
    )
    assert model.coef["sex=m"] == model.coefficients[1]
    new = pd.DataFrame({"sex": ["m", "f", None], "age": [60, 70.0, 50]})
    risk = model.predict(new, *([100] if kind == "cox" else []))
    assert ((risk[:2] > 0) & (risk[:2] < 1)).all()
    assert np.isnan(risk[2])
    made = model.summary()
    assert made.rows[-1][0] == "sex=m"
    assert "<table>" in made._repr_html_()
    if kind == "cox":
        with refuses(DataError, "risk by 1000", code="out_of_range"):
            model.predict(new, 1000)


def test_a_table_for_latex_escapes_what_latex_reads() -> None:
    made = stats.ResultTable("50 % & more", ("a_b", "p"), (("  x", "<0.001"), ("±", "–")))
    lines = made.to_latex().splitlines()
    assert lines[1] == r"\caption{50 \% \& more}"
    assert [line for line in lines if line.endswith(r"\\")] == [
        r"a\_b & p \\", r"\quad x & \ensuremath{<}0.001 \\", r"\ensuremath{\pm} & -- \\",
    ]  # fmt: skip


def test_forensics_keeps_its_names_to_itself() -> None:
    theirs = importlib.import_module("cardio_stats.forensics").__all__
    assert "forensics" not in stats.__all__
    assert not set(theirs) & set(stats.__all__)


def test_an_estimate_is_json() -> None:
    assert json.loads(json.dumps(stats.auc(Y, SCORE).to_dict()))["name"] == "auc"
