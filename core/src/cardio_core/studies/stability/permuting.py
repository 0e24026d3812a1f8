"""The whole run on labels that mean nothing: what it finds where there is nothing to find."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.runner.preparing.arms import split
from cardio_core.studies.stability.measuring import Measure, measure_of, values_of
from cardio_core.studies.stability.opening import Again
from cardio_core.studies.stability.pieces import Refit, fit_refits, predicted
from cardio_core.types.info import Target
from cardio_core.types.targets import KEY_OF_UNIT, Targets

WHAT = "permutations"
FEWEST = 19
"""With fewer no p-value reaches .05."""
FEWEST_EXCHANGED = 0.8
"""Share of the labelled patients who must have somebody to exchange labels with."""


@dataclass(frozen=True)
class Permuted:
    """One target under permutation.

    Attributes
    ----------
    null : DataFrame
        Columns permutation, model, value.
    own : dict of str to float
        The run's own values.
    chosen_among : tuple of str
        The models that are no baselines: the best of them is a choice, and has a row of its own.
    """

    target: Target
    measure: Measure
    primary: str
    null: pd.DataFrame
    own: dict[str, float]
    chosen_among: tuple[str, ...]

    @property
    def n(self) -> int:
        """Number of permutations."""
        return int(self.null["permutation"].nunique())

    def nulls(self, model: str) -> np.ndarray:
        """Return what the model reached on permuted labels."""
        return self.null.loc[self.null["model"] == model, "value"].to_numpy(float)

    def best(self) -> tuple[float, np.ndarray]:
        """Return the best model's value, and the best of each permutation."""
        sign = self.measure.sign
        among = self.null[self.null["model"].isin(self.chosen_among)]
        null = (sign * among["value"]).groupby(among["permutation"]).max() * sign
        own = sign * max(sign * self.own[m] for m in self.chosen_among if m in self.own)
        return float(own), null.to_numpy(float)


def permute(again: Again, n: int) -> list[Permuted]:
    """Rerun everything on `n` permutations of the labels; return a result a target.

    Labels are permuted before anything that sees them: the folds are drawn from them, candidates,
    epochs, thresholds and fusion weights are chosen by them. Seeds are the run's own.

    Raises
    ------
    ConfigError
        If fewer than nineteen are asked for.
    DataError
        If the labels cannot be permuted between patients.
    """
    if n < FEWEST:
        raise ConfigError(
            f"--permute {n}: expected {FEWEST} or more, or no p-value can reach .05; 199 are usual"
        )
    refits = [_refit(again, number) for number in range(1, n + 1)]
    fit_refits(again, WHAT, refits)
    return [
        _summed(again, target, refits)
        for target in again.task.targets
        if target.name in again.observed.frames
    ]


def p_value(own: float, null: np.ndarray, sign: int) -> float:
    """Return (1 + permutations at least as good) / (1 + permutations); never 0.

    Examples
    --------
    >>> p_value(0.9, np.array([0.5, 0.9, 0.4]), 1)
    0.5
    """
    at_least = np.count_nonzero(sign * null >= sign * own - 1e-12)
    return float((1 + at_least) / (1 + len(null)))


def permuted_targets(targets: Targets, table: pd.DataFrame, rng: np.random.Generator) -> Targets:
    """Return targets whose rows changed patients.

    A person takes the labels of another person with as many labelled units, in random order; all
    targets of a unit stay together, and what folds are stratified by goes with them. Unlabelled
    units stay where they are.

    Parameters
    ----------
    targets : Targets
        Not of events, whose labels belong to moments.
    table : DataFrame
        Of samples, with the ids and `subject_id`.
    rng : Generator

    Raises
    ------
    DataError
        If too few people have anybody to exchange with.
    """
    if targets.unit in ("event", "sample"):
        raise DataError(
            "--permute: expected labels of recordings, studies or patients, found labels of "
            "moments within recordings, which cannot change patients; leave --permute out"
        )
    key = KEY_OF_UNIT[targets.unit]
    owner = table.drop_duplicates(key).set_index(table.drop_duplicates(key)[key])["subject_id"]
    index = targets.table.index
    owners = owner.reindex(index)
    known = targets.table.notna()
    rows_of: dict[str, list[int]] = {}
    labelled = known.any(axis=1).to_numpy() & owners.notna().to_numpy()
    for position in np.flatnonzero(labelled):
        rows_of.setdefault(str(owners.iloc[position]), []).append(int(position))
    alike: dict[Hashable, list[str]] = {}
    for subject, rows in sorted(rows_of.items()):
        pattern = tuple(sorted(tuple(known.iloc[row]) for row in rows))
        alike.setdefault(pattern, []).append(subject)
    alone = sum(len(group) for group in alike.values() if len(group) == 1)
    if not rows_of or alone > (1 - FEWEST_EXCHANGED) * len(rows_of):
        raise DataError(
            f"--permute: expected patients with equal numbers of labels, found {alone} of "
            f"{len(rows_of)} with nobody to exchange with; predict an outcome of patients"
        )
    source = np.arange(len(index))
    for group in alike.values():
        for subject, other in zip(group, rng.permutation(group), strict=True):
            to, given = rows_of[subject], rows_of[str(other)]
            # Only what is known of equal targets changes places.
            for pattern in sorted({tuple(known.iloc[row]) for row in to}):
                here = [row for row in to if tuple(known.iloc[row]) == pattern]
                there = [row for row in given if tuple(known.iloc[row]) == pattern]
                source[here] = rng.permutation(there)
    moved = targets.table.iloc[source].set_axis(index)
    strata = targets.strata
    if strata is not None:
        own = strata.reindex(index)
        strata = own.iloc[source].set_axis(index)
    return replace(targets, table=moved, strata=strata)


def _refit(again: Again, number: int) -> Refit:
    session, arm = again.session, again.arm
    table = arm.prepared.features.table
    rng = np.random.default_rng([session.ctx.seed, number])
    truth = replace(arm.truth, targets=permuted_targets(arm.truth.targets, table, rng))
    plan = split(session, arm.config.protocols["honest"], table, truth, "honest")
    return Refit(f"permutation-{number}", plan, truth, session.ctx.seed)


def _summed(again: Again, target: Target, refits: list[Refit]) -> Permuted:
    rows = [
        {"permutation": number, "model": model, "value": value}
        for number, refit in enumerate(refits, start=1)
        for model, value in values_of(predicted(again, WHAT, refit, target), target).items()
    ]
    null = pd.DataFrame(rows, columns=["permutation", "model", "value"])
    own = values_of(again.observed.frames[target.name], target)
    task = again.task
    among = tuple(m for m in own if not task.model(m).baseline)
    primary = task.primary if task.primary in own else next(iter(own), "")
    return Permuted(target, measure_of(target), primary, null, own, among)


def null_table(one: Permuted, titles: dict[str, str], level: float = 0.95) -> pd.DataFrame:
    """Return one row a model, and one for the best of them: observed, null, p."""
    rows = [(titles[model], value, one.nulls(model)) for model, value in one.own.items()]
    if len(one.chosen_among) > 1:
        rows.append(("the best of them, chosen each time", *one.best()))
    tails = [0.5 - level / 2, 0.5 + level / 2]
    found = []
    for title, value, null in rows:
        if not len(null):
            continue
        low, high = np.quantile(null, tails)
        found.append(
            {
                "target": one.target.name, "model": title, "metric": one.measure.title,
                "this run": value, "permutations": len(null), "null mean": null.mean(),
                "null low": low, "null high": high,
                "at least as good": int(
                    np.count_nonzero(one.measure.sign * null >= one.measure.sign * value - 1e-12)
                ),
                "p": p_value(value, null, one.measure.sign),
            }
        )  # fmt: skip
    return pd.DataFrame(found)
