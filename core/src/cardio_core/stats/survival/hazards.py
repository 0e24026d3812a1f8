"""A Cox model as it is printed: hazard ratios, whether they are proportional, and its scores."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.foundation.design import AS_THEY_STAND, Coding, reference_note, trends
from cardio_core.stats.foundation.display import (
    BLANK,
    ResultTable,
    interval_text,
    number_text,
    p_text,
    ratio_text,
)
from cardio_core.stats.survival.cox import CoxModel, fit_cox
from cardio_core.stats.survival.follow_up import follow_up_of
from cardio_core.stats.survival.judged import score_estimates
from cardio_core.stats.survival.timed_scores import timed_brier
from cardio_core.types.estimate import Estimate


def cox_table(
    table: pd.DataFrame,
    time: str,
    event: str,
    features: Sequence[str],
    *,
    at: Sequence[float] = (),
    coding: Coding = AS_THEY_STAND,
    level: float = 0.95,
    unit: str = "row",
) -> ResultTable:
    """Regress the hazard on all columns together, on the rows where all are known.

    Parameters
    ----------
    table : DataFrame
    time, event : str
        As for :func:`~cardio_core.stats.survival.follow_up.follow_up_of`.
    features : sequence of str
    at : sequence of float
        Times for the model's apparent AUC and Brier score.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.
    level : float
    unit : str

    Returns
    -------
    ResultTable
        A row a coefficient: hazard ratios per unit and per SD, Wald p, and the p of the test of
        proportional hazards.
    """
    if {time, event.partition("=")[0]} & set(features):
        both = ({time, event.partition("=")[0]} & set(features)).pop()
        raise DataError(f"column {both!r}: is both outcome and predictor; leave it out")
    model = fit_cox(
        table, follow_up_of(table, time, event), features, coding=coding, level=level, unit=unit
    )
    kept = model.follow_up
    apparent = score_estimates(kept, model.score, at, level, unit)
    for moment in at:
        apparent += timed_brier(kept, model.risk(moment), moment, level=level, unit=unit)
    apparent = [
        one.replace(name=f"apparent_{one.name}", note="Apparent: scored on the rows that were "
                    "fitted.") for one in apparent
    ]  # fmt: skip
    tests = {one.name.partition("[")[2][:-1]: one for one in model.proportional}
    ci = f"({level * 100:g} % CI)"
    whole = model.whole
    return ResultTable(
        f"Cox regression of {kept.label}",
        ("Variable", f"HR per unit {ci}", "SD", f"HR per SD {ci}", "p Wald", "p proportional"),
        tuple(
            (term, *_ratios(model, i), p_text(model.hazard_ratios[i].p_value),
             p_text(tests[term].p_value if term in tests else None))
            for i, term in enumerate(model.terms)
        ),
        (
            *kept.sentences(unit),
            "Efron's ties, Wald intervals. p proportional: against a hazard ratio that changes "
            "with time; " + _whole_test(tests),
            f"Likelihood ratio chi2 {whole.value:.2f}, {whole.extra['df']:.0f} df, p "
            f"{p_text(whole.p_value)}.",
            *_apparent(apparent),
            *([model.note] if model.note else []),
            *reference_note(
                [
                    f"{name}={coding.levels(table, name)[0]}"
                    for name in features
                    if name not in model.terms
                ]
            ),
            *(
                f"{name} has {n} whole values: entered as one trend; --categorical {name} compares "
                "each with the first."
                for name, n in trends(table, features, coding).items()
            ),
        ),
        (*model.hazard_ratios, *model.hazard_ratios_per_sd, whole, *model.proportional, *apparent),
    )  # fmt: skip


def _whole_test(tests: dict[str, Estimate]) -> str:
    if not tests:
        return "not tested, all events are at one time."
    if "all" not in tests:
        return "a small p says that it does."
    return f"all together p {p_text(tests['all'].p_value)}. A small p says that it does."


def _ratios(model: CoxModel, i: int) -> tuple[str, str, str]:
    one, other = model.hazard_ratios[i], model.hazard_ratios_per_sd[i]
    if one.value == other.value:
        return ratio_text(one), BLANK, BLANK
    return ratio_text(one), number_text(float(model.spread[i])), ratio_text(other)


def _apparent(estimates: Sequence[Estimate]) -> list[str]:
    words = {"harrell_c": "Harrell's C", "uno_c": "Uno's C", "auc_at": "AUC at",
             "brier_at": "Brier score at", "scaled_brier_at": "scaled Brier score at"}  # fmt: skip
    parts = []
    for one in estimates:
        stem, _, moment = one.name.removeprefix("apparent_").partition("[")
        parts.append(f"{words[stem]} {moment[:-1]}".strip() + f" {interval_text(one)}")
    return ["Apparent, scored on the rows that were fitted: " + "; ".join(parts) + "."]
