"""AUC within a timepoint: what is left of a ranking when it cannot read the time off a lead."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cardio_stats as stats
from cardio_core.api import DataError, EvaluateBlock, Metric, Scope
from cardio_stats import Estimate

EVERYBODY, WITHIN, ALONE = "all studies", "within a timepoint", "the timepoint alone"


def within_timepoints(
    tested: pd.DataFrame, timepoints: pd.Series[str], scope: Scope, config: EvaluateBlock, seed: int
) -> tuple[pd.DataFrame, list[Metric], list[str]]:
    """Compare the AUC over all studies with the AUCs within each timepoint.

    Parameters
    ----------
    tested : DataFrame
        Of one model, as of `evaluate.judged_studies`.
    timepoints : Series of str
        By study_id.
    scope : Scope
        Of the model.
    config : EvaluateBlock
        Level and number of resamples; patients are drawn.
    seed : int

    Returns
    -------
    DataFrame
        Columns model, among, n, n_flash, auc, low, high, method. ``within a timepoint`` is the
        share of pairs of one timepoint, one with flash and one without, that are ranked rightly.
        ``the timepoint alone`` ranks by the time, earliest first: what a network that recognises a
        pacing lead would reach.
    list of Metric
        ``auc`` with the subgroup ``timepoint: NAME``, and ``auc_within_timepoint``.
    list of str
        What could not be computed.
    """
    known = tested[tested["study_id"].isin(timepoints.index)]
    at = timepoints.reindex(known["study_id"]).to_numpy(str)
    if len(set(at)) < 2:
        return pd.DataFrame(), [], ["AUC within timepoints: the cohort has one timepoint only."]
    y, score = known["y"].to_numpy(int), known["score"].to_numpy(float)
    clusters = known["subject_id"].to_numpy(str)
    rank = {name: float(i) for i, name in enumerate(sorted(set(at), reverse=True))}
    time = np.array([rank[name] for name in at])
    everyone = np.ones(len(at), bool)
    parts = [(EVERYBODY, everyone, score)]
    parts += [(name, at == name, score) for name in sorted(set(at))]
    parts += [(ALONE, everyone, time)]
    rows, metrics, notes = [], [], []
    for among, chosen, values in parts:
        try:
            found = _auc(y[chosen], values[chosen], clusters[chosen], config)
        except DataError as error:
            notes.append(f"AUC of {scope.model}, {among}: not computed. {error}")
            continue
        rows.append(_row(scope, among, y[chosen], found))
        if among not in (EVERYBODY, ALONE):
            place = Scope(scope.protocol, scope.task, scope.target, scope.model,
                          subgroup=f"timepoint: {among}")  # fmt: skip
            metrics.append(Metric(found, place))
    try:
        pairs = stats.bootstrap(
            concordance_within, (y, score, time), patient=clusters, level=config.level,
            n_resamples=config.n_resamples, seed=seed, name="auc_within_timepoint",
        )  # fmt: skip
    except DataError as error:
        notes.append(f"AUC of {scope.model}, {WITHIN}: not computed. {error}")
    else:
        rows.insert(1, _row(scope, WITHIN, y, pairs))
        metrics.append(Metric(pairs, scope))
    return pd.DataFrame(rows), metrics, notes


def concordance_within(
    y: NDArray[np.floating], score: NDArray[np.floating], stratum: NDArray[np.floating]
) -> float:
    """Return the share of pairs of one stratum, one positive and one negative, ranked rightly.

    Ties count half; NaN without a pair.

    Examples
    --------
    >>> y, time = np.array([1, 1, 0, 0]), np.array([0, 1, 1, 1])
    >>> concordance_within(y, np.array([0.1, 0.5, 0.2, 0.5]), time)
    0.75
    """
    right, n_pairs = 0.0, 0
    for name in np.unique(stratum):
        own = stratum == name
        gap = score[own & (y == 1)][:, None] - score[own & (y == 0)][None]
        right += float((gap > 0).sum() + 0.5 * (gap == 0).sum())
        n_pairs += gap.size
    return right / n_pairs if n_pairs else float("nan")


def _auc(
    y: NDArray[np.int_],
    score: NDArray[np.float64],
    clusters: NDArray[np.str_],
    config: EvaluateBlock,
) -> Estimate:
    paired = len(set(clusters)) < len(clusters)
    return stats.auc(
        y, score, patient=clusters if paired else None, level=config.level,
        unit=None if paired else "study",
    )  # fmt: skip


def _row(scope: Scope, among: str, y: NDArray[np.int_], found: Estimate) -> dict[str, object]:
    return {
        "model": scope.model, "among": among, "n": len(y), "n_flash": int(y.sum()),
        "auc": found.value, "low": found.low, "high": found.high, "method": found.method,
    }  # fmt: skip
