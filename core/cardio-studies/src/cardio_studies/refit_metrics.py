"""The leading metric of each model over refits, with intervals that draw patients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Target
from cardio_core.evaluation import pooled
from cardio_stats import Estimate, bootstrapped
from cardio_stats.auc_covariance import RankedRows
from cardio_stats.errors import DataError
from cardio_stats.resampling import Units, resample

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CELLS = 400_000_000
"""Rows times models times refits times resamples: beyond it fewer resamples are drawn."""
RESAMPLES, FEWEST_RESAMPLES = 2000, 200

Weighted = Callable[[Floats], Floats]
"""From counts of units, shape (n_resamples, n_units), to the metric of each resample."""


@dataclass(frozen=True)
class Measure:
    """The metric by which models are ranked: `sign` is 1 where more is better, else -1."""

    name: str
    title: str
    sign: int
    chance: float | None = None

    def better(self, first: float, other: float) -> bool:
        """Whether a value is better than another; NaN is better than nothing."""
        return bool(self.sign * first > self.sign * other)


def measure_of(target: Target) -> Measure:
    """Return the metric that leads a run's report for a target of this kind."""
    if target.kind == "binary":
        return Measure("auc", "AUC", 1, 0.5)
    if target.kind == "multiclass":
        return Measure("macro_f1", "macro F1", 1)
    unit = f", {target.unit}" if target.unit else ""
    return Measure("mae", f"mean absolute error{unit}", -1)


def values_of(frame: pd.DataFrame, target: Target) -> dict[str, float]:
    """Return each model's metric, pooled out of fold; undefined ones are left out.

    Parameters
    ----------
    frame : DataFrame
        As `Scored.frames` has it.
    target : Target
    """
    found = {}
    for model in map(str, frame["model"].unique()):
        weighted, n_units = _weighted(pooled(frame, target, model), target, None)
        value = float(weighted(np.ones((1, n_units)))[0]) if n_units else np.nan
        if np.isfinite(value):
            found[model] = value
    return found


def over_refits(
    frames: Sequence[pd.DataFrame],
    target: Target,
    pairs: Sequence[tuple[str, str]] = (),
    *,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[dict[str, Estimate], dict[tuple[str, str], Estimate]]:
    """Return each model's mean metric over refits, and mean differences, with intervals.

    Patients are drawn, each with what all refits said of him: the refits share their patients, so
    more refits steady the mean and do not narrow what the patients leave open.

    Parameters
    ----------
    frames : sequence of DataFrame
        One a refit, as `Scored.frames` has it.
    target : Target
    pairs : sequence of (model, other)
        Whose differences are asked for.
    level : float
    seed : int

    Returns
    -------
    dict of str to Estimate
        By model: those that every refit has.
    dict of (str, str) to Estimate
        The first less the second, where both are there.
    """
    measure = measure_of(target)
    models = sorted(set.intersection(*({str(m) for m in f["model"].unique()} for f in frames)))
    people = sorted({str(person) for f in frames for person in f["subject_id"].unique()})
    code = {item: number for number, item in enumerate(people)}
    rows = {m: [pooled(f, target, m) for f in frames] for m in models}
    weighted: dict[str, list[Weighted]] = {}
    for model in models:
        made = [_weighted(row, target, code) for row in rows[model]]
        weighted[model] = [metric for metric, _ in made]
    ones = np.ones((1, len(people)))
    values = {m: float(np.mean([metric(ones)[0] for metric in weighted[m]])) for m in models}
    models = [m for m in models if np.isfinite(values[m])]
    if not models or len(people) < 5:
        raise DataError(
            f"{target.name}: expected five patients or more and a model that every refit could "
            f"fit, found {len(people)} and {len(models)}"
        )
    compared_pairs = [pair for pair in pairs if set(pair) <= set(models)]

    def statistic(counts: Floats) -> Floats:
        means = {m: np.mean([metric(counts) for metric in weighted[m]], axis=0) for m in models}
        differences = [means[a] - means[b] for a, b in compared_pairs]
        return np.stack([*(means[m] for m in models), *differences], axis=1)

    cells = sum(len(row) for m in models for row in rows[m])
    n_resamples = max(FEWEST_RESAMPLES, min(RESAMPLES, MOST_CELLS // max(1, cells)))
    drawn = resample(statistic, Units(len(people)), n_resamples, seed).values
    within = f", each with all {len(frames)} refits" if len(frames) > 1 else ""

    def estimate(name: str, value: float, column: int) -> Estimate:
        bare = Estimate(name, value, n=len(people), unit="patient", n_patients=len(people))
        return bootstrapped(bare, drawn[:, column], level, seed, n_resamples, within=within)

    own = {m: estimate(measure.name, values[m], n) for n, m in enumerate(models)}
    compared = {
        (a, b): estimate(f"{measure.name}_difference", values[a] - values[b], len(models) + n)
        for n, (a, b) in enumerate(compared_pairs)
    }
    return own, compared


def _weighted(
    rows: pd.DataFrame, target: Target, code: Mapping[str, int] | None
) -> tuple[Weighted, int]:
    """Return the metric as a function of how often each unit was drawn, and the number of units.

    Without `code` every row is a unit.
    """
    if target.kind != "multiclass":
        score = f"score:{target.classes[1]}" if target.kind == "binary" else "score"
        rows = rows[rows[["y_true", "unit_id", score]].notna().all(axis=1)]
    codes: Ints = np.arange(len(rows)).astype(np.int64)
    if code is not None:
        codes = np.asarray(rows["subject_id"].astype(str).map(code), dtype=np.int64)
    n_units = len(rows) if code is None else len(code)
    if target.kind == "binary":
        truth = (rows["y_true"] == target.classes[1]).to_numpy(bool)
        return _area(truth, rows[score].to_numpy(float), codes), n_units
    if target.kind == "multiclass":
        return _macro_f1(rows, target, codes, n_units), n_units
    error = np.abs(rows["score"].to_numpy(float) - rows["y_true"].to_numpy(float))
    sums = _sums(np.column_stack([error, np.ones(len(error))]), codes, n_units)

    def mean_error(counts: Floats) -> Floats:
        total = counts @ sums
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(total[:, 0] / total[:, 1])

    return mean_error, n_units


def _area(truth: np.ndarray, score: Floats, codes: Ints) -> Weighted:
    if truth.all() or not truth.any():
        return lambda counts: np.full(len(counts), np.nan)
    return RankedRows.of(truth, score, codes).aucs


def _macro_f1(rows: pd.DataFrame, target: Target, codes: Ints, n_units: int) -> Weighted:
    """Return the mean F1 of the scored classes that occur."""
    truth, predicted = rows["y_true"].to_numpy(object), rows["predicted"].to_numpy(object)
    classes = [
        name for name in target.classes if name not in target.unscored and (truth == name).any()
    ]
    columns = []
    for name in classes:
        is_one, says_one = truth == name, predicted == name
        columns += [is_one & says_one, is_one.astype(float) + says_one]
    if not columns:
        return lambda counts: np.full(len(counts), np.nan)
    sums = _sums(np.column_stack(columns).astype(float), codes, n_units)

    def mean_f1(counts: Floats) -> Floats:
        total = counts @ sums
        with np.errstate(invalid="ignore", divide="ignore"):
            by_class = 2 * total[:, ::2] / total[:, 1::2]
        return np.asarray(np.nanmean(np.where(np.isfinite(by_class), by_class, np.nan), axis=1))

    return mean_f1


def _sums(columns: Floats, codes: Ints, n_units: int) -> Floats:
    sums = np.zeros((n_units, columns.shape[1]))
    np.add.at(sums, codes, columns)
    return sums
