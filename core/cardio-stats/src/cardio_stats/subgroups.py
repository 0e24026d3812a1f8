"""Subgroup audit: whether a model discriminates, decides and calibrates alike in every group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cardio_stats._numerics.display import BLANK, ResultTable
from cardio_stats._numerics.intervals import percentile_limits
from cardio_stats._numerics.options import Sampling
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    ScoredSample,
    binary_labels,
    scored_sample,
)
from cardio_stats.auc_covariance import RankedRows
from cardio_stats.decisions import Threshold
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.resampling import Units, defined, resample

HEADINGS = {
    "auc": "AUC",
    "tpr": "TPR",
    "fpr": "FPR",
    "observed_minus_predicted": "observed - predicted",
}
METRICS = tuple(HEADINGS)


@dataclass(frozen=True, slots=True)
class _Group:
    """One group's rows, prepared for resampling."""

    label: str
    n: int
    n_patients: int
    n_events: int
    ranked: RankedRows | None
    sums: Floats

    def statistics(self, counts: Floats) -> Floats:
        """Return the four metrics under unit counts, shape (n_resamples, 4)."""
        if self.ranked is None:
            return np.empty((len(counts), 0))
        events, others, true, false, excess = (counts @ self.sums).T
        with np.errstate(invalid="ignore", divide="ignore"):
            rates = [true / events, false / others, excess / (events + others)]
        return np.column_stack([self.ranked.aucs(counts), *rates])


def subgroup_audit(
    outcome: ArrayLike,
    scores: ArrayLike,
    groups: ArrayLike,
    *,
    event: str | None = None,
    threshold: Threshold,
    patient: ArrayLike | None = None,
    reference: str | None = None,
    min_per_class: int = 10,
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
    name: str = "group",
) -> ResultTable:
    """Compare discrimination, decisions and calibration between groups.

    Parameters
    ----------
    outcome : array-like, shape (n,)
        0 and 1, or words of which `event` is one.
    event : str, optional
        Word of the outcome that counts, where it is not 0 and 1, or yes and no.
    scores : array-like, shape (n,)
        Calibration is judged where all of them lie between 0 and 1.
    groups : array-like, shape (n,)
        Sex, age band, site, scanner, time point. Rows without a group are dropped and counted.
    threshold : Threshold
        A score at or above it is a positive call.
    patient : array-like, shape (n,), optional
        Patient of every row; whole patients are resampled, also across groups (a patient may have
        rows at two time points).
    reference : str, optional
        Group that the others are compared with; the largest by default.
    min_per_class : int
        A group with fewer rows of either class (or fewer than five patients) is named, not
        scored: its figures would be noise that reads as a finding.
    n_resamples, seed : int
    level : float
    name : str
        What the groups are.

    Returns
    -------
    ResultTable
        A row a group: rows, patients, events; AUC, TPR, FPR, observed minus predicted rate, each
        with its interval; and the gaps to the reference. The estimates of a gap are named
        ``auc_gap[group - reference]``; ``equalised_odds_gap`` is the largest difference of a TPR or
        FPR between any two groups, 0 where decisions are alike in all of them.

    Raises
    ------
    DataError
        No group, or only one, that is large enough.

    Notes
    -----
    All intervals are percentile intervals of one bootstrap of patients, but that of the largest
    difference, which is simultaneous. They are not corrected for the number of groups.

    References
    ----------
    Hardt M, Price E, Srebro N. Equality of opportunity in supervised learning. NIPS 2016:3315.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, 400)
    >>> p = np.clip(0.5 + 0.3 * (y - 0.5) + 0.2 * rng.normal(size=400), 0.01, 0.99)
    >>> sex = np.where(np.arange(400) < 250, "M", "F")
    >>> made = subgroup_audit(y, p, sex, threshold=Threshold(0.5, "fixed"), n_resamples=200)
    >>> [row[0] for row in made.rows]
    ['F', 'M (reference)']
    """
    sampling = Sampling(event, patient, n_resamples, seed, level)
    sample, names, n_dropped = _grouped(binary_labels(outcome, event), scores, groups, patient)
    unit = sampling.named_unit
    codes = np.arange(sample.n) if sample.clusters is None else sample.clusters
    n_units = sample.n_clusters or sample.n
    sample.require_clusters(unit)
    prepared = [
        _prepare(label, names == label, sample, codes, n_units, threshold.value, min_per_class)
        for label in np.unique(names)
    ]
    scored = [group for group in prepared if group.ranked is not None]
    if len(scored) < 2:
        raise DataError(
            f"subgroup audit: expected two {name}s with at least {min_per_class} rows of either "
            f"class, found {len(scored)} among {', '.join(group.label for group in prepared)}; "
            "describe them without comparing"
        )
    against = _reference(scored, reference)
    calibrated = bool(((sample.scores >= 0) & (sample.scores <= 1)).all())
    drawn = resample(
        lambda counts: np.column_stack([group.statistics(counts) for group in scored]),
        Units(n_units),
        sampling,
        redraw=False,
    )
    observed = np.column_stack([group.statistics(np.ones((1, n_units))) for group in scored])[0]
    estimates = _estimates(
        scored, against, observed, drawn.values, calibrated, level,
        Estimate("", 0.0, method=f"{unit} bootstrap, percentile, {n_resamples} resamples",
                 unit=unit, n_dropped=n_dropped, threshold_source=threshold.source, seed=seed),
    )  # fmt: skip
    return _as_table(prepared, against.label, estimates, name, threshold, n_dropped, level)


def _grouped(
    labels: ArrayLike, scores: ArrayLike, groups: ArrayLike, clusters: ArrayLike | None
) -> tuple[ScoredSample, np.ndarray, int]:
    """Keep rows in which everything is known; text labels of the groups beside them."""
    column = pd.Series(groups)
    text = column.astype("string").to_numpy(dtype=object)
    table = pd.DataFrame({"labels": np.asarray(labels), "scores": np.asarray(scores)})
    if len(column) != len(table):
        raise DataError(f"groups: expected {len(table)} values, found {len(column)}")
    table["groups"] = text
    table["clusters"] = np.arange(len(table)) if clusters is None else np.asarray(clusters)
    known = table.notna().all(axis=1)
    retained = table[known]
    if not len(retained):
        raise DataError("subgroup audit: expected complete rows, found none")
    sample = scored_sample(
        retained["labels"],
        retained["scores"],
        clusters=None if clusters is None else retained["clusters"],
    )
    return sample, retained["groups"].to_numpy(dtype=object).astype(str), int((~known).sum())


def _prepare(
    label: str,
    inside: np.ndarray,
    sample: ScoredSample,
    codes: Ints,
    n_units: int,
    threshold: float,
    min_per_class: int,
) -> _Group:
    positive, score, units = sample.positive[inside], sample.scores[0][inside], codes[inside]
    called = score >= threshold
    adds = np.column_stack(
        [positive, ~positive, positive & called, ~positive & called, positive - score]
    ).astype(np.float64)
    sums = np.zeros((n_units, adds.shape[1]))
    np.add.at(sums, units, adds)
    n_patients = int(np.unique(units).size)
    n_events = int(positive.sum())
    enough = min(n_events, positive.size - n_events) >= min_per_class and n_patients >= 5
    ranked = RankedRows.of(positive, score, units) if enough else None
    return _Group(str(label), int(positive.size), n_patients, n_events, ranked, sums)


def _reference(scored: list[_Group], reference: str | None) -> _Group:
    if reference is None:
        return max(scored, key=lambda group: group.n)
    for group in scored:
        if group.label == reference:
            return group
    raise DataError(
        f"subgroup audit: reference {reference!r} is not among the scored groups; choose one of "
        f"{', '.join(group.label for group in scored)}"
    )


def _estimates(
    scored: list[_Group],
    against: _Group,
    observed: Floats,
    replicates: Floats,
    calibrated: bool,
    level: float,
    common: Estimate,
) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    home = scored.index(against)

    def add(name: str, value: float, drawn: Floats, n: int) -> None:
        low, high = percentile_limits(defined(drawn, name), level)
        found[name] = common.replace(
            name=name, value=float(value), low=low, high=high, level=level, n=n
        )

    for index, group in enumerate(scored):
        n = group.n_patients if common.unit == "patient" else group.n
        for offset, metric in enumerate(METRICS):
            if metric == "observed_minus_predicted" and not calibrated:
                continue
            own, other = 4 * index + offset, 4 * home + offset
            add(f"{metric}[{group.label}]", observed[own], replicates[:, own], n)
            if group is not against:
                name = f"{metric}_gap[{group.label} - {against.label}]"
                gap = replicates[:, own] - replicates[:, other]
                add(name, observed[own] - observed[other], gap, n)
    n_all = sum(group.n_patients if common.unit == "patient" else group.n for group in scored)
    odds = _equalised_odds(observed, replicates, level, common.replace(n=n_all))
    return found | {odds.name: odds}


def _equalised_odds(
    observed: Floats, replicates: Floats, level: float, about: Estimate
) -> Estimate:
    """Return the largest difference of a TPR or of an FPR between any two groups.

    A largest difference is above 0 also where all are 0, so percentiles would not hold: the limits
    are those of intervals that hold for all differences together (max-t over the replicates).
    """
    groups = range(0, observed.size, len(METRICS))
    pairs = [(a + rate, b + rate) for a, b in combinations(groups, 2) for rate in (1, 2)]
    first, second = np.array(pairs).T
    gaps, drawn = observed[first] - observed[second], replicates[:, first] - replicates[:, second]
    drawn = drawn[~np.isnan(drawn).any(axis=1)]
    se = drawn.std(axis=0, ddof=1)
    moved = np.abs(drawn - gaps) / np.where(se > 0, se, np.inf)
    reach = float(np.quantile(moved.max(axis=1), level)) * se
    return about.replace(
        name="equalised_odds_gap",
        value=float(np.abs(gaps).max()),
        low=float(max(0.0, (np.abs(gaps) - reach).max())),
        high=float(min(1.0, (np.abs(gaps) + reach).max())),
        level=level,
        method=f"{about.method.partition(',')[0]}, max-t over {len(pairs)} differences",
    )


def _as_table(
    prepared: list[_Group],
    reference: str,
    estimates: Mapping[str, Estimate],
    name: str,
    threshold: Threshold,
    n_dropped: int,
    level: float,
) -> ResultTable:
    rows, notes = [], []
    for group in prepared:
        label = f"{group.label} (reference)" if group.label == reference else group.label
        cells = [_cell(estimates.get(f"{metric}[{group.label}]")) for metric in METRICS]
        gaps = [
            _cell(estimates.get(f"{metric}_gap[{group.label} - {reference}]")) for metric in METRICS
        ]
        rows.append(
            (label, str(group.n), str(group.n_patients), str(group.n_events), *cells, *gaps)
        )
        if group.ranked is None:
            notes.append(
                f"{group.label}: too small to score ({group.n} rows of {group.n_patients} "
                f"patients, {group.n_events} events)."
            )
    headings = HEADINGS.values()
    return ResultTable(
        f"Subgroup audit by {name}",
        (name, "rows", "patients", "events", *headings, *(f"gap {text}" for text in headings)),
        tuple(rows),
        (
            f"Brackets: {level * 100:g} % intervals; gaps are group minus {reference}. "
            f"Threshold {threshold.value:g} ({threshold.source}).",
            "The intervals are not corrected for the number of groups.",
            f"Equalised odds: the largest difference of a TPR or FPR between two groups is "
            f"{_cell(estimates['equalised_odds_gap'])}, an interval for all differences together.",
            *notes,
            *([f"{n_dropped} rows dropped for missing values."] if n_dropped else []),
        ),
        tuple(estimates.values()),
    )


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return BLANK
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"
