"""Scores against each other, in pairs: areas, decisions, what one adds to another, net benefit."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import logit

from cardio_core.config import EvaluateBlock
from cardio_core.errors import DataError
from cardio_core.evaluation.pooling import pooled
from cardio_core.stats import (
    bootstrap_sums,
    delong_covariance,
    delong_paired,
    fit_logistic,
    likelihood_ratio_test,
    max_z_adjusted,
    paired_proportions,
)
from cardio_core.studies.given import Given
from cardio_core.types.estimate import Estimate
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.report import EvaluationReport, Metric, Scope


def compare_pairs(
    given: Given, config: EvaluateBlock, threshold: float | None, seed: int
) -> tuple[EvaluationReport, dict[tuple[str, str], Estimate]]:
    """Compare every two scores on the same patients.

    Parameters
    ----------
    given : Given
        One row a patient and score.
    config : EvaluateBlock
    threshold : float, optional
        Probability from which one would act: net benefit is compared there.
    seed : int

    Returns
    -------
    EvaluationReport
        Shares decided rightly (McNemar), likelihood ratios (what the second adds to the first, and
        the first to the second), differences of net benefit; notes on what was not computed.
    dict of (str, str) to Estimate
        Paired differences of areas; ``extra["p_adjusted"]`` is p adjusted for all pairs (max-T).
    """
    [target] = given.task.targets
    [frame] = given.scored.frames.values()
    names = [model.name for model in given.task.models]
    tables = {name: pooled(frame, target, name) for name in names}
    truth = (tables[names[0]]["y_true"] == target.classes[1]).to_numpy(int)
    scores = {n: rows[f"score:{target.classes[1]}"].to_numpy(float) for n, rows in tables.items()}
    pairs = list(combinations(names, 2))
    differences = _areas(truth, scores, pairs, config, seed)
    metrics: list[Metric] = []
    notes: list[Note] = []
    for one, other in pairs:
        place = Scope(task=given.task.name, target=target.name, model=one, versus=other)
        right = [
            tables[n]["predicted"].to_numpy() == tables[n]["y_true"].to_numpy()
            for n in (one, other)
        ]
        found = paired_proportions(right[0], right[1], level=config.level, unit="patient")
        metrics.append(Metric(found.replace(name="accuracy_difference"), place))
        for first, second in ((one, other), (other, one)):
            try:
                added = likelihood_added(truth, scores[first], scores[second])
            except DataError as error:
                text = f"What {second} adds to {first}: not computed; {error}."
                notes.append(Note(NoteKind.NOT_COMPUTED, text, model=second))
                continue
            metrics.append(
                Metric(added, Scope(task=given.task.name, target=target.name, model=second,
                                    versus=first))
            )  # fmt: skip
        if threshold is not None and {one, other} <= set(given.probabilities):
            gained = _net_benefit(truth, scores[one], scores[other], threshold, config, seed)
            metrics.append(Metric(gained, place))
    return EvaluationReport(metrics, notes=notes), differences


def _areas(
    truth: np.ndarray,
    scores: dict[str, np.ndarray],
    pairs: list[tuple[str, str]],
    config: EvaluateBlock,
    seed: int,
) -> dict[tuple[str, str], Estimate]:
    names = list(scores)
    found = delong_covariance(truth, *scores.values())
    contrasts = np.zeros((len(pairs), len(names)))
    for row, (one, other) in enumerate(pairs):
        contrasts[row, names.index(one)], contrasts[row, names.index(other)] = 1.0, -1.0
    covariance = contrasts @ found.covariance @ contrasts.T
    estimates = [
        delong_paired(truth, scores[a], scores[b], level=config.level, unit="patient")
        for a, b in pairs
    ]
    if len(pairs) > 1:
        moved = np.diag(covariance) > 1e-15  # two scores of one order never differ
        adjusted = np.ones(len(pairs))
        if moved.any():
            kept = np.ix_(moved, moved)
            adjusted[moved] = max_z_adjusted(
                (contrasts @ found.aucs)[moved], covariance[kept], seed=seed
            )
        estimates = [
            each.replace(
                note=f"{each.note} adjusted p: for all {len(pairs)} pairs (max-T)".strip(),
                extra={**each.extra, "p_adjusted": float(p)},
            )
            for each, p in zip(estimates, adjusted, strict=True)
        ]
    return dict(zip(pairs, estimates, strict=True))


def likelihood_added(truth: np.ndarray, first: np.ndarray, second: np.ndarray) -> Estimate:
    """Return the likelihood-ratio test of adding a score to another, both as log odds."""
    table = pd.DataFrame({"y": truth, "first": _scale(first), "second": _scale(second)})
    models = [
        fit_logistic(table, "y", columns, interval="wald", method="ml", unit="patient")
        for columns in (["first"], ["first", "second"])
    ]
    return likelihood_ratio_test(models[0], models[1], unit="patient").replace(
        name="likelihood_ratio_added"
    )


def _scale(values: np.ndarray) -> np.ndarray:
    if values.min() < 0 or values.max() > 1:
        return values
    return np.asarray(logit(np.clip(values, 1e-6, 1 - 1e-6)))


def _net_benefit(
    truth: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    threshold: float,
    config: EvaluateBlock,
    seed: int,
) -> Estimate:
    price = threshold / (1 - threshold)
    gains = [
        np.where(s >= threshold, np.where(truth == 1, 1.0, -price), 0.0) for s in (first, second)
    ]
    rows = np.column_stack([np.ones(len(truth)), gains[0] - gains[1]])
    [found] = bootstrap_sums(
        rows, lambda sums: (sums[..., 1] / sums[..., 0])[..., None], ["net_benefit_difference"],
        n_resamples=config.n_resamples, seed=seed, level=config.level, unit="patient",
    )  # fmt: skip
    tidy = {k: 0.0 for k in ("value", "low", "high") if abs(getattr(found, k) or 0.0) < 1e-12}
    return found.replace(
        **tidy,  # sums of a patient more here and one less there leave a rest
        method=f"{found.method}, paired, at {threshold:g}",
        threshold_source="fixed: given",
    )
