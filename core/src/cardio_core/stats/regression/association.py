"""Tables of logistic regressions: one column at a time, and all together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.roc import auc
from cardio_core.stats.foundation.columns import binary_outcome
from cardio_core.stats.foundation.design import (
    AS_THEY_STAND,
    Coding,
    Design,
    design_of,
    reference_note,
)
from cardio_core.stats.foundation.display import BLANK, ResultTable, number_text, p_text, ratio_text
from cardio_core.stats.foundation.validate import Floats
from cardio_core.stats.foundation.watching import tell
from cardio_core.stats.regression.collinearity import inflation_factors
from cardio_core.stats.regression.logistic import IntervalKind, LogisticModel, Method, fit_scales
from cardio_core.stats.regression.nested_models import model_chi2
from cardio_core.types.estimate import Estimate


def univariable(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    method: Method = "auto",
    interval: IntervalKind = "profile",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Regress the outcome on one column at a time.

    Parameters
    ----------
    table : DataFrame
    target : str
    features : sequence of str
        Each is fitted on the rows where it and the target are known.
    event, method, interval, level, unit
        As for :func:`~cardio_core.stats.regression.logistic.fit_logistic`.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    ResultTable
        A row a coefficient: rows and events, odds ratio per unit and per SD, Wald and
        likelihood-ratio p. The p-values are not corrected for the number of columns.
    """
    if not features:
        raise DataError("univariable: expected at least one column, found none")
    rows: list[tuple[str, ...]] = []
    estimates: list[Estimate] = []
    notes: dict[str, None] = {}
    coding.require(features)
    designs = [
        design_of(table, target, [feature], event=event, coding=coding.only([feature]))
        for feature in features
    ]  # all before any is fitted: one that is refused costs no time
    for place, (feature, design) in enumerate(zip(features, designs, strict=True)):
        tell("columns", place, len(features))
        per_unit, per_sd = fit_scales(
            design, ("unit", "sd"), method=method, interval=interval, level=level, unit=unit
        )
        estimates += [*per_unit.odds_ratios, *per_sd.odds_ratios]
        rows += [
            (
                term,
                f"{design.n} ({design.n_events})",
                *cells,
                "Firth" if per_unit.method == "firth" else "",
            )
            for term, cells in _ratios(design, per_unit, per_sd)
        ]
        if per_unit.note:
            said = per_unit.note
            notes[said if said.startswith(feature) else f"{feature}: {said}"] = None
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Univariable logistic regression of {target} = {binary_outcome(table, target, event)[1]}",
        ("Variable", "n (events)", f"OR per unit {ci}", "SD", f"OR per SD {ci}", "p Wald", "p LR",
         "method"),
        tuple(rows),
        (
            f"{interval.capitalize()} intervals; each row uses the {unit}s where its column is "
            "known. Two-valued columns have no SD.",
            "The p-values are not corrected for the number of columns that were tested "
            f"({len(features)}).",
            *reference_note([one for design in designs for one in design.references]),
            *notes,
        ),
        tuple(estimates),
    )  # fmt: skip


def _ratios(
    design: Design, per_unit: LogisticModel, per_sd: LogisticModel
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Print each term's odds ratio per unit, SD, odds ratio per SD, Wald and likelihood-ratio p."""
    ratios = zip(per_unit.odds_ratios, per_sd.odds_ratios, strict=True)
    for term, column, (one, other) in zip(design.terms, design.matrix.T, ratios, strict=True):
        by_sd = (BLANK, BLANK)
        if one.value != other.value:
            by_sd = (number_text(float(column.std(ddof=1))), ratio_text(other))
        # Firth's estimates are too skew for a Wald p
        p_wald = BLANK if per_unit.method == "firth" else p_text(one.extra["p_wald"])
        p = p_text(one.extra["p_likelihood_ratio"])
        yield term, (ratio_text(one), *by_sd, p_wald, p)


def multivariable(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    event: str | None = None,
    method: Method = "auto",
    interval: IntervalKind = "profile",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Regress the outcome on all columns together, on the rows where all are known.

    Parameters
    ----------
    table : DataFrame
    target : str
    features : sequence of str
    event, method, interval, level, unit
        As for :func:`~cardio_core.stats.regression.logistic.fit_logistic`.
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    ResultTable
        A row a coefficient with odds ratios per unit and per SD, p-values and variance inflation;
        the notes give AIC, the model's chi-square and its apparent AUC.
    """
    design = design_of(table, target, features, event=event, coding=coding)
    per_unit, per_sd = fit_scales(
        design, ("unit", "sd"), method=method, interval=interval, level=level, unit=unit
    )
    inflation = inflation_factors(design.matrix, design.terms, design.n_dropped, unit)
    summary, notes = _fit_notes(per_unit, design.outcome, level, unit)
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Multivariable logistic regression of {target} = {design.event}",
        ("Variable", f"OR per unit {ci}", "SD", f"OR per SD {ci}", "p Wald", "p LR", "VIF"),
        tuple(
            (term, *cells, f"{vif.value:.2f}")
            for (term, cells), vif in zip(_ratios(design, per_unit, per_sd), inflation, strict=True)
        ),
        (
            f"{design.n} {unit}s with every column known, {design.n_events} events; "
            f"{design.n_dropped} dropped for missing values. {interval.capitalize()} intervals.",
            *reference_note(design.references),
            *notes,
        ),
        (*per_unit.odds_ratios, *per_sd.odds_ratios, *inflation, *summary),
    )


def _fit_notes(
    model: LogisticModel, outcome: Floats, level: float, unit: str
) -> tuple[list[Estimate], list[str]]:
    area = auc(outcome, model.fitted, level=level, unit=unit).replace(
        name="apparent_auc", note="Apparent: scored on the rows that were fitted."
    )
    estimates, notes = [area], []
    if model.method == "ml":
        fit = model_chi2(model, unit=unit)
        estimates.append(fit)
        notes.append(
            f"Likelihood ratio chi2 {fit.value:.2f}, {fit.extra['df']:.0f} df, "
            f"p {p_text(fit.p_value)}; AIC {model.aic:.1f}."
        )
    else:
        notes.append("Firth's penalised likelihood; AIC and the model's chi2 do not apply.")
    notes.append(
        f"Apparent AUC {area.value:.3f} ({area.low:.3f} to {area.high:.3f}), scored on the "
        f"{unit}s that were fitted."
    )
    if model.note:
        notes.append(model.note)
    return estimates, notes
