"""Associations and increments that hold on patients nobody was fitted on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import Context, DataError, Scored, canvas
from cardio_spect_polar.drawing.charts import (
    INCREMENTAL,
    INCREMENTAL_CAPTION,
    correlation_figure,
    increments_of,
)
from cardio_spect_polar.drawing.words import worded
from cardio_spect_polar.published.he_2022 import (
    MEASURED,
    OUTCOME,
    STYLES,
    Added,
    collinear_rows,
    incremental_rows,
    univariable_rows,
)
from cardio_spect_polar.response.config import EvaluateBlock, RegressionBlock
from cardio_spect_polar.response.tables import scores_of

Floats = NDArray[np.float64]

STYLE = STYLES["honest"]
BASES = ("clinical", "qrs_duration", "clinical_psd")
ADDED = ("psd", "pbw", "indices", "delay", "autoencoder", "pca", "qrs_duration")
INDICES = ("psd_deg", "pbw_deg", "entropy", "delay_deg", "qrs_ms")


def honest_parts(
    predictions: Scored, table: pd.DataFrame, config: EvaluateBlock, ctx: Context
) -> Added:
    """Return univariable associations of what was measured, and increments of out-of-fold scores.

    Parameters
    ----------
    predictions : Scored
    table : DataFrame
        One row a patient: ``response`` and measurements.
    config : EvaluateBlock
    ctx : Context
    """
    added = Added()
    names = [name for name in MEASURED if name in table]
    rows, p_values = univariable_rows(table, names, STYLE)
    added.tables["table-2-univariable"] = _with_max_t(rows, table, list(p_values), ctx)
    collinear = collinear_rows(table, [name for name in names if name in p_values])
    added.tables["collinearity"] = collinear[collinear["too_high"].astype(bool)].reset_index(
        drop=True
    )
    _increments(predictions, table, added, ctx)
    if config.n_optimism:
        _optimism(table, config, ctx, added)
    _heat_map(predictions, table, added, ctx)
    return added


def _with_max_t(
    rows: pd.DataFrame, table: pd.DataFrame, names: list[str], ctx: Context
) -> pd.DataFrame:
    """Add the max-T p over all columns, from the patients in whom all are known."""
    known = table[[OUTCOME, *names]].dropna()
    try:
        found = stats.max_t_screen(
            known[names], known[OUTCOME], names=names, n_permutations=5000,
            seed=ctx.seed_of("max-T"),
        )  # fmt: skip
    except DataError:
        return rows
    p_values = dict(zip(names, (estimate.p_value for estimate in found), strict=True))
    return rows.assign(p_max_t=rows["variable"].map(p_values), n_max_t=len(known))


def _increments(predictions: Scored, table: pd.DataFrame, added: Added, ctx: Context) -> None:
    scores = scores_of(predictions, ctx.task.targets[0])
    joined = table[[OUTCOME]].join(scores)
    parts = []
    for base in (name for name in BASES if name in scores):
        for other in (name for name in ADDED if name in scores and name != base):
            steps = [(base, [base]), (f"{base} + {other}", [other])]
            try:
                parts.append(incremental_rows(joined, steps, STYLE).assign(over=base))
            except DataError as error:
                added.notes.append(f"{other} over {base} is left out: {error}")
    if not parts:
        return
    rows = pd.concat(parts, ignore_index=True)
    added.tables["table-2-incremental"] = rows
    over_clinical = rows[rows["over"] == rows["over"].iloc[0]]
    note = "log odds of out-of-fold scores; the AUC has two or three fitted weights"
    added.figures["figure-3-incremental"] = canvas.described(
        increments_of(over_clinical, note), INCREMENTAL, INCREMENTAL_CAPTION
    )
    added.notes.append(
        "Incremental value: each model's out-of-fold log odds enter as one column, so no patient "
        "helped to choose the codes that he is scored with; folds share training patients, which "
        "the p-values do not know."
    )


def _optimism(table: pd.DataFrame, config: EvaluateBlock, ctx: Context, added: Added) -> None:
    """Correct what models without codes seem to reach on all patients: a second way to judge."""
    from cardio_spect_polar.response.config import COVARIATES

    clinical = [name for name in COVARIATES if name in table]
    models = {"clinical": clinical, "clinical_psd": [*clinical, "psd_deg"],
              "psd": ["psd_deg"], "qrs_duration": ["qrs_ms"]}  # fmt: skip
    rows = []
    for model, columns in models.items():
        if not columns or not set(columns) <= set(table.columns):
            continue
        try:
            found = stats.optimism_bootstrap(
                table[columns].to_numpy(np.float64),
                table[OUTCOME].to_numpy(np.float64),
                stats.RidgeLogistic(RegressionBlock().ridge_c),
                n_resamples=config.n_optimism,
                seed=ctx.seed_of(f"optimism of {model}"),
                level=config.level,
            )
        except DataError as error:
            added.notes.append(f"Optimism of {model} is left out: {error}")
            continue
        rows.append(
            {"model": model, "apparent_auc": found.extra["apparent"],
             "optimism": found.extra["optimism"], "corrected_auc": found.value, "low": found.low,
             "high": found.high, "n": len(table), "resamples": config.n_optimism}
        )  # fmt: skip
    if rows:
        added.tables["optimism"] = pd.DataFrame(rows)
        added.notes.append(
            f"Optimism: ridge regressions of C = {RegressionBlock().ridge_c:g} on all patients, "
            "whatever train.regression gave the models themselves."
        )


def _heat_map(predictions: Scored, table: pd.DataFrame, added: Added, ctx: Context) -> None:
    """Correlate indices with out-of-fold scores; codes of different folds cannot be."""
    scores = scores_of(predictions, ctx.task.targets[0])
    kept = [name for name in ("autoencoder", "pca", "clinical") if name in scores]
    models = {f"score of {name}": name for name in kept}
    joined = table[[name for name in INDICES if name in table]].join(
        scores[kept].set_axis(list(models), axis=1)
    )
    known = joined.dropna()
    known = known.loc[:, known.std() > 0]
    if known.shape[1] < 2 or len(known) < 4:
        return
    r = known.corr().to_numpy()
    names = [str(name) for name in known.columns]
    added.tables["figure-2-pearson"] = pd.DataFrame(r, index=names, columns=names)
    titles = [
        f"Score: {ctx.task.model(models[name]).title}" if name in models else worded(name)
        for name in names
    ]
    added.figures["figure-2-pearson"] = canvas.described(
        correlation_figure(titles, r, n=len(known)),
        "Correlations of phase indices and out-of-fold scores",
        "Pearson's r: red where two rise together, blue where one falls as the other rises.",
    )
