"""Likelihood-ratio tests of nested logistic models, on identical rows only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from cardio_core.errors import DataError
from cardio_core.stats.discrimination.roc import auc
from cardio_core.stats.foundation.design import AS_THEY_STAND, Coding, design_of, reference_note
from cardio_core.stats.foundation.display import ResultTable, p_text
from cardio_core.stats.foundation.validate import unit_count
from cardio_core.stats.regression.logistic import LogisticModel, fit_scales
from cardio_core.types.estimate import Estimate


def likelihood_ratio_test(
    reduced: LogisticModel, full: LogisticModel, *, unit: str = "row"
) -> Estimate:
    """Ask whether the terms that `full` adds improve the fit.

    Parameters
    ----------
    reduced, full : LogisticModel
        Unpenalised fits of the same outcome on the same rows; the terms of the first are among
        those of the second.
    unit : str

    Returns
    -------
    Estimate
        Twice the gain in log-likelihood, with its chi-square p; ``extra["df"]`` counts the terms
        that were added.

    Raises
    ------
    DataError
        Different rows (as arise when each model drops its own missing values), models that are
        not nested, or a penalised fit.
    """
    if full.method == "firth" or reduced.method == "firth":
        raise DataError(
            "likelihood-ratio test: expected two unpenalised fits, found Firth's; penalised "
            "likelihoods of two models have two penalties, use the penalised p of one model"
        )
    if not np.array_equal(reduced.rows, full.rows):
        raise DataError(
            f"likelihood-ratio test: expected two models of the same rows, found {reduced.n} and "
            f"{full.n}; drop the missing values of all columns first, as incremental does"
        )
    same_outcome = (reduced.target, reduced.event) == (full.target, full.event)
    if not same_outcome or not set(reduced.terms) < set(full.terms):
        raise DataError(
            "likelihood-ratio test: expected nested models of one outcome, found "
            f"{reduced.target} on {', '.join(reduced.terms)} and {full.target} on "
            f"{', '.join(full.terms)}; compare them by cross-validated AUC"
        )
    gain = full.log_likelihood - reduced.log_likelihood
    return _gain(gain, len(full.terms) - len(reduced.terms), full, unit)


def model_chi2(model: LogisticModel, *, unit: str = "row") -> Estimate:
    """Test a model against the intercept alone."""
    if model.method == "firth":
        raise DataError(
            "likelihood-ratio test: expected an unpenalised fit, found Firth's; read the "
            "penalised p of its terms"
        )
    return _gain(model.log_likelihood - model.null_log_likelihood, len(model.terms), model, unit)


def _gain(gain: float, df: int, model: LogisticModel, unit: str) -> Estimate:
    statistic = max(0.0, 2 * gain)
    return Estimate(
        "likelihood_ratio_chi2",
        statistic,
        method=f"likelihood-ratio test, {df} df",
        **unit_count(model.n, None, unit),
        p_value=float(chdtrc(df, statistic)),
        n_dropped=model.n_dropped,
        extra={"df": float(df), "n_events": float(model.n_events)},
    )


def incremental(
    table: pd.DataFrame,
    target: str,
    base: Sequence[str],
    *additions: Sequence[str],
    event: str | None = None,
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Say what each addition gives beyond the columns before it.

    Parameters
    ----------
    table : DataFrame
    target : str
    base : sequence of str
        Columns of the first model.
    *additions : sequence of str
        Each gives the next model: all columns so far and these.
    event : str, optional
    level : float
    unit : str
    coding : Coding
        Which columns of numbers are categories, and the levels of reference.

    Returns
    -------
    ResultTable
        A row a model: its chi-square over the intercept, the chi-square, df and p of what was
        added, AIC and AUC. All models are fitted on the rows where every column is known.

    Notes
    -----
    The AUC is apparent: the model is scored on the patients it was fitted on, which favours the
    larger model even where the added column is noise. The p-value of a column that was chosen
    among many is not the p-value of a test; see
    :func:`~cardio_core.stats.selection.noise_screen.screening_noise`. DeLong's test does not apply
    to the AUCs of nested models (Demler 2012, Stat Med 31:2577); the likelihood-ratio test does.
    """
    if not additions or any(not added for added in additions):
        raise DataError("incremental: expected at least one column to add, found none")
    columns = [*base, *(name for added in additions for name in added)]
    design = design_of(table, target, columns, event=event, coding=coding)
    rows, estimates = [], []
    previous: LogisticModel | None = None
    features = list(base)
    for added in ([], *additions):
        features = features + list(added)
        (model,) = fit_scales(design.only(features), ("unit",), method="ml", level=level, unit=unit)
        label = ", ".join(base) if previous is None else "+ " + ", ".join(added)
        over_null = model_chi2(model, unit=unit).replace(name=f"model_chi2[{label}]")
        area = auc(design.outcome, model.fitted, level=level, unit=unit).replace(
            name=f"apparent_auc[{label}]", note="Apparent: scored on the rows that were fitted."
        )
        estimates += [over_null, area]
        cells = ["", "", ""]
        if previous is not None:
            gain = likelihood_ratio_test(previous, model, unit=unit)
            estimates.append(gain.replace(name=f"likelihood_ratio_chi2[{label}]"))
            cells = [f"{gain.value:.2f}", f"{gain.extra['df']:.0f}", p_text(gain.p_value)]
        rows.append(
            (
                label,
                f"{over_null.value:.2f}",
                p_text(over_null.p_value),
                *cells,
                f"{model.aic:.1f}",
                f"{area.value:.3f} ({area.low:.3f} to {area.high:.3f})",
            )
        )
        previous = model
    return ResultTable(
        f"Incremental value for {target} = {design.event}",
        ("Model", "chi2", "p", "added chi2", "df", "p added", "AIC",
         f"apparent AUC ({level * 100:g} % CI)"),
        tuple(rows),
        (
            f"{design.n} {unit}s with every column known, {design.n_events} events; "
            f"{design.n_dropped} dropped for missing values.",
            *reference_note(design.references),
            "chi2: likelihood ratio against the intercept. Added chi2: against the row above.",
            "The AUC is apparent and favours the larger model; it is no evidence on new patients.",
        ),
        tuple(estimates),
    )  # fmt: skip
