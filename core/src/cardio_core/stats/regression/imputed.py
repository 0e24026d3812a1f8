"""A logistic regression on all patients: missing values imputed, estimates pooled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.stats.foundation.design import (
    AS_THEY_STAND,
    Coding,
    design_of,
    reference_note,
    terms_of,
)
from cardio_core.stats.foundation.display import BLANK, ResultTable, p_text, ratio_text
from cardio_core.stats.foundation.rubin import pool_rubin
from cardio_core.stats.foundation.validate import checked_level, unit_count
from cardio_core.stats.regression.imputation import imputed_tables
from cardio_core.stats.regression.logistic import Method, fit_logistic
from cardio_core.types.estimate import Estimate


def multivariable_imputed(
    table: pd.DataFrame,
    target: str,
    features: Sequence[str],
    *,
    m: int = 20,
    seed: int = 0,
    event: str | None = None,
    method: Method = "auto",
    level: float = 0.95,
    unit: str = "row",
    coding: Coding = AS_THEY_STAND,
) -> ResultTable:
    """Regress the outcome on all columns together, with missing predictors imputed m times.

    Parameters
    ----------
    table : DataFrame
        One row a patient; rows without the outcome are dropped.
    target, features, event, method, level, unit, coding
        As for :func:`~cardio_core.stats.regression.association.multivariable`. Where one completed
        table is separated, all are fitted by Firth's method.
    m, seed : int
        Of :func:`~cardio_core.stats.regression.imputation.imputed_tables`.

    Returns
    -------
    ResultTable
        A row a coefficient: odds ratios per unit and per SD (of the known values) pooled by
        Rubin's rules, p of Barnard and Rubin's t, missing values of its column, and the fraction of
        missing information.

    Raises
    ------
    DataError
        As `multivariable` and `imputed_tables`.
    """
    checked_level(level)
    tables = list(
        imputed_tables(table, target, features, m=m, event=event, coding=coding, seed=seed)
    )
    used = method
    models = [fit_logistic(t, target, features, event=event, method=used, coding=coding)
              for t in tables]  # fmt: skip
    if any(model.method == "firth" for model in models) and used == "auto":
        used = "firth"
        models = [fit_logistic(t, target, features, event=event, method=used, coding=coding)
                  for t in tables]  # fmt: skip
    first = models[0]
    pooled = pool_rubin(
        [model.coefficients for model in models],
        [model.se**2 for model in models],
        df_complete=first.n - len(first.terms) - 1,
    )
    encoded = np.column_stack([terms_of(table, name, coding)[0] for name in features])
    two_valued = [np.unique(column[~np.isnan(column)]).size == 2 for column in encoded.T]
    spreads = np.where(two_valued, 1.0, np.nanstd(encoded, axis=0, ddof=1))
    design = design_of(tables[0], target, features, event=event, coding=coding)
    with_outcome = table[table[target].notna()]
    n_missing = {name: int(with_outcome[name].isna().sum()) for name in features}
    n_dropped = len(table) - first.n
    label = "Firth's penalised logistic regression" if used == "firth" else "logistic regression"
    how = f"{label}, {m} imputations pooled by Rubin's rules"
    low, high = pooled.limits(level)
    p_values = pooled.p_values()

    def ratio(index: int, name: str, step: float) -> Estimate:
        value, lower, upper = np.exp(step * np.array([pooled.estimate, low, high])[:, index])
        return Estimate(
            f"{name}[{first.terms[index]}]",
            float(value),
            float(lower),
            float(upper),
            level,
            how,
            p_value=float(p_values[index]),
            n_dropped=n_dropped,
            seed=seed,
            extra={
                "coefficient": float(step * pooled.estimate[index]),
                "se": float(step * pooled.se[index]),
                "df": float(pooled.df[index]),
                "fmi": float(pooled.fmi[index]),
                "n_missing": float(n_missing[first.features[index]]),
                "n_events": float(first.n_events),
            },
            **unit_count(first.n, None, unit),
        )

    terms = range(len(first.terms))
    by_unit = [ratio(index, "odds_ratio", 1.0) for index in terms]
    by_sd = [ratio(index, "odds_ratio_per_sd", float(spreads[index])) for index in terms]
    n_complete = int(table[[target, *features]].notna().all(axis=1).sum())
    worst = max(pooled.fmi)
    notes = [
        f"{first.n} {unit}s with the outcome known, {first.n_events} events, of whom {n_complete} "
        f"have every column; {n_dropped} dropped for a missing outcome.",
        f"Missing values drawn {m} times by chained equations (predictive mean matching, the "
        f"outcome among the predictors, seed {seed}) and pooled by Rubin's rules; t limits with "
        "Barnard and Rubin's degrees of freedom. Taken as missing at random given these columns.",
        *reference_note(design.references),
    ]
    if 100 * worst > m:
        notes.append(
            f"{100 * worst:.0f} % of the information on one coefficient is missing: give about as "
            f"many imputations, --impute {int(np.ceil(100 * worst / 10) * 10)}."
        )
    if used == "firth" and method == "auto":
        notes.append("A completed table is separated: all are fitted by Firth's method.")
    ci = f"({level * 100:g} % CI)"
    return ResultTable(
        f"Multivariable logistic regression of {target} = {first.event}, missing values imputed",
        ("Variable", f"OR per unit {ci}", "SD", f"OR per SD {ci}", "p", "missing",
         "missing information"),
        tuple(
            (term, ratio_text(one), f"{spread:.3g}" if spread != 1.0 else BLANK,
             ratio_text(other) if spread != 1.0 else BLANK, p_text(one.p_value),
             f"{n_missing[feature]}", f"{100 * one.extra['fmi']:.0f} %")
            for term, feature, one, other, spread in zip(
                first.terms, first.features, by_unit, by_sd, spreads, strict=True)
        ),
        tuple(notes),
        (*by_unit, *by_sd),
    )  # fmt: skip
