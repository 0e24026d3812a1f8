"""The paper's Table 2 and Figures 2 and 3 under its own protocol, and what they owe to optimism."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    OUTCOME,
    STYLES,
    Added,
    collinear_rows,
    incremental_rows,
    multivariable_rows,
    univariable_rows,
    without_collinear,
)
from cardio_spect_polar.response.config import EvaluateBlock
from cardio_spect_polar.response.tables import codes_of, measurement_names

Floats = NDArray[np.float64]

STYLE = STYLES["paper"]
CODES_FROM = ("clinical_autoencoder", "autoencoder")
PHASE = ("psd_deg", "pbw_deg")
N_SHOWN = 12
"""Codes in the heat map besides phase SD and bandwidth."""
NEARLY_UNPENALISED = 1e6


@dataclass(frozen=True)
class Entered:
    """Who enters which model.

    Attributes
    ----------
    clinical, codes : list of str
        Below the entry p (the best one where none is), without those that another one tells.
    """

    clinical: list[str]
    codes: list[str]


def paper_parts(
    predictions: Scored, table: pd.DataFrame, config: EvaluateBlock, ctx: Context
) -> Added:
    """Return the published statistics, on patients that every model has seen.

    Parameters
    ----------
    predictions : Scored
        With the codes of the one fit among their columns.
    table : DataFrame
        One row a patient: ``response`` and measurements.
    config : EvaluateBlock
    ctx : Context
    """
    added = Added()
    codes = next(
        (found for name in CODES_FROM if (found := codes_of(predictions, name)) is not None), None
    )
    clinical = _clinical_names(table)
    joined = table if codes is None else table.join(codes)
    names = [*clinical, *(name for name in (*PHASE, "qrs_ms") if name in table)]
    code_names = [] if codes is None else list(codes.columns)
    rows, p_values = univariable_rows(joined, [*names, *code_names], STYLE)
    added.tables["table-2-univariable"] = rows
    entered = _entered(joined, clinical, code_names, p_values, config.entry_p)
    _multivariable(joined, entered, added)
    _increments(joined, entered, p_values, added)
    _heat_map(joined, code_names, p_values, added)
    if code_names:
        _multiplicity(p_values, code_names, added)
        if config.n_optimism:
            _optimism(joined, entered.clinical, code_names, config, ctx, added)
    return added


def _clinical_names(table: pd.DataFrame) -> list[str]:
    from cardio_spect_polar.response.config import COVARIATES

    return [name for name in measurement_names(table) if name in COVARIATES]


def _entered(
    table: pd.DataFrame,
    clinical: Sequence[str],
    codes: Sequence[str],
    p_values: dict[str, float],
    entry_p: float,
) -> Entered:
    def below(names: Sequence[str]) -> list[str]:
        tested = [name for name in names if name in p_values]
        chosen = [name for name in tested if p_values[name] < entry_p]
        if not chosen and tested:
            chosen = [min(tested, key=lambda name: p_values[name])]
        return without_collinear(table, chosen, p_values)

    return Entered(below(clinical), below(codes))


def _multivariable(table: pd.DataFrame, entered: Entered, added: Added) -> None:
    names = [*entered.clinical, *(name for name in PHASE[:1] if name in table), *entered.codes]
    n_rare = int(min(table[OUTCOME].sum(), (1 - table[OUTCOME]).sum()))
    if not names:
        return
    try:
        added.tables["table-2-multivariable"] = multivariable_rows(table, names, STYLE)
        added.notes.append(
            f"Table 2, multivariable: {n_rare / len(names):.1f} patients of the rarer outcome for "
            "each of its coefficients. The paper's multivariable odds ratios (1.16 for "
            "gender, 1.03 for AE 30) are exponentials of what stands here as risk_difference."
        )
    except DataError as error:
        added.notes.append(f"Table 2, multivariable, is left out: {error}")
    try:
        added.tables["collinearity"] = collinear_rows(table, names)
    except DataError as error:
        added.notes.append(f"Collinearity is left out: {error}")


def _increments(
    table: pd.DataFrame, entered: Entered, p_values: dict[str, float], added: Added
) -> None:
    """Test the best code, and all that entered, over clinical variables and each phase index."""
    parts = []
    best = sorted(entered.codes, key=lambda name: p_values[name])[:1]
    for index in (name for name in PHASE if name in table):
        label = {"psd_deg": "phase SD", "pbw_deg": "bandwidth"}[index]
        steps: list[tuple[str, Sequence[str]]] = []
        if entered.clinical:
            steps.append(("clinical", entered.clinical))
        steps.append((f"{'+ ' if steps else ''}{label}", [index]))
        if best:
            steps.append((f"+ {label} + {worded(best[0])}", best))
        if len(entered.codes) > 1:
            rest = [name for name in entered.codes if name not in best]
            steps.append((f"+ {label} + all {len(entered.codes)} features", rest))
        try:
            parts.append(incremental_rows(table, steps, STYLE).assign(over=label))
        except DataError as error:
            added.notes.append(f"Incremental value over {label} is left out: {error}")
    if parts:
        rows = pd.concat(parts, ignore_index=True)
        added.tables["table-2-incremental"] = rows
        note = "apparent: every model is scored on the patients it was fitted on"
        added.figures["figure-3-incremental"] = canvas.described(
            increments_of(rows, note), INCREMENTAL, INCREMENTAL_CAPTION
        )


def _heat_map(
    table: pd.DataFrame, codes: Sequence[str], p_values: dict[str, float], added: Added
) -> None:
    strongest = sorted((c for c in codes if c in p_values), key=lambda name: p_values[name])
    shown = [name for name in (*PHASE, *strongest[:N_SHOWN]) if name in table]
    known = table[shown].dropna()
    if len(shown) < 2 or len(known) < 4:
        return
    r = known.corr().to_numpy()
    added.tables["figure-2-pearson"] = pd.DataFrame(r, index=shown, columns=shown)
    added.figures["figure-2-pearson"] = canvas.described(
        correlation_figure([worded(name) for name in shown], r, n=len(known)),
        "Correlations of phase indices and the strongest features",
        "Pearson's r: red where two rise together, blue where one falls as the other rises.",
    )


def _multiplicity(p_values: dict[str, float], codes: Sequence[str], added: Added) -> None:
    tested = [p_values[name] for name in codes if name in p_values]
    if not tested:
        return
    small = sum(p < 0.05 for p in tested)
    found = stats.multiplicity_null(len(tested), alpha=0.05, k=small, p_min=min(tested))
    added.notes.append(
        f"{len(tested)} codes were tested and {small} have p below .05; as many independent codes "
        f"of meaningless maps would give {found.extra['n_expected']:.1f}, and as many or more with "
        f"probability {found.value:.2f}. The smallest p times the number of tests is "
        f"{found.extra['p_min_bonferroni']:.2f}."
    )


def _optimism(
    table: pd.DataFrame,
    clinical: Sequence[str],
    codes: Sequence[str],
    config: EvaluateBlock,
    ctx: Context,
    added: Added,
) -> None:
    """Correct the headline's apparent AUC, with the choice of the code inside every resample."""
    fixed = [*clinical, *(name for name in PHASE[:1] if name in table)]
    known = table[[OUTCOME, *fixed, *codes]].dropna()
    try:
        found = stats.optimism_bootstrap(
            known[[*fixed, *codes]].to_numpy(np.float64),
            known[OUTCOME].to_numpy(np.float64),
            best_code_model(len(fixed)),
            n_resamples=config.n_optimism,
            seed=ctx.seed_of("optimism"),
            level=config.level,
        )
    except DataError as error:
        added.notes.append(f"Optimism is left out: {error}")
        return
    added.tables["optimism"] = pd.DataFrame(
        [{"model": f"{', '.join(fixed)} and the best of {len(codes)} codes",
          "apparent_auc": found.extra["apparent"], "optimism": found.extra["optimism"],
          "corrected_auc": found.value, "low": found.low, "high": found.high, "n": len(known),
          "resamples": config.n_optimism}]
    )  # fmt: skip
    added.notes.append(
        "Optimism: the code is chosen anew in every resample; the covariates are not, so the "
        "correction is still too small."
    )


def best_code_model(n_fixed: int) -> stats.RidgeLogistic:
    """Return the published procedure as one fit: the strongest code beside the fixed columns.

    Parameters
    ----------
    n_fixed : int
        The first columns always enter; of the others the one with the largest |r|, which has the
        smallest univariable p.
    """

    def columns(features: Floats, outcome: Floats) -> NDArray[np.int64]:
        codes = features[:, :, n_fixed:]
        centred = codes - codes.mean(axis=1, keepdims=True)
        size = np.sqrt((centred**2).sum(axis=1))
        away = outcome - outcome.mean(axis=1, keepdims=True)
        r = np.abs(np.einsum("rn,rnk->rk", away, centred)) / np.where(size > 0, size, np.inf)
        fixed = np.tile(np.arange(n_fixed), (len(features), 1))
        return np.column_stack([fixed, n_fixed + r.argmax(axis=1)])

    return stats.RidgeLogistic(NEARLY_UNPENALISED, columns)
