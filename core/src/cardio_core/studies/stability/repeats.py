"""The same run over other split seeds: how much of its answer was the luck of the folds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cardio_core.config import ProtocolBlock
from cardio_core.errors import ConfigError
from cardio_core.runner.preparing.arms import split
from cardio_core.studies.stability.earlier import needs_for, say_cost
from cardio_core.studies.stability.measuring import Measure, measure_of, over_refits, values_of
from cardio_core.studies.stability.opening import Again
from cardio_core.studies.stability.pieces import Refit, fit_refits, predicted, unfitted_in
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target

WHAT = "repeats"


@dataclass(frozen=True)
class Repeated:
    """One target over the repeats.

    Attributes
    ----------
    values : DataFrame, one row a seed and model
        Columns seed, model, value.
    own : dict of str to float
        The run's own values, by model.
    means : dict of str to Estimate
        The mean over repeats, with the interval that the patients leave open.
    differences : dict of (primary, other) to Estimate
    unfitted : dict of str to int
        In how many repeats a model could not be fitted.
    """

    target: Target
    measure: Measure
    primary: str
    values: pd.DataFrame
    own: dict[str, float]
    means: dict[str, Estimate]
    differences: dict[tuple[str, str], Estimate]
    unfitted: dict[str, int]

    @property
    def n(self) -> int:
        """Number of repeats."""
        return int(self.values["seed"].nunique())

    def wide(self) -> pd.DataFrame:
        """Return one row a repeat, one column a model; NaN where it could not be fitted."""
        return self.values.set_index(["seed", "model"])["value"].unstack("model")  # noqa: PD010 - no sums

    def best(self) -> pd.Series:
        """Return in how many repeats each model is the best; equal ones share it."""
        wide = self.measure.sign * self.wide()
        top = wide.eq(wide.max(axis=1), axis=0)
        return top.div(top.sum(axis=1), axis=0).sum()

    def ahead(self, other: str) -> tuple[int, int, int]:
        """Return in how many repeats the primary model is better, equal and worse."""
        wide = self.measure.sign * self.wide()
        if self.primary not in wide or other not in wide:
            return 0, 0, 0
        gain = (wide[self.primary] - wide[other]).dropna()
        return int((gain > 0).sum()), int((gain == 0).sum()), int((gain < 0).sum())


def repeat(again: Again, n: int, *, executor: str) -> list[Repeated]:
    """Fit the run again over `n` other seeds of its splits and fits; return a result a target.

    Raises
    ------
    ConfigError
        If fewer than two are asked for.
    """
    if n < 2:
        raise ConfigError(
            f"--repeats {n}: expected two or more; one repeat says nothing of a spread, 20 do"
        )
    say_cost(again, n)
    refits = [_refit(again, number, executor) for number in range(1, n + 1)]
    fit_refits(again, WHAT, refits)
    lost = unfitted_in(again, WHAT, refits)
    return [
        _summed(again, target, refits, lost)
        for target in again.task.targets
        if target.name in again.observed.frames
    ]


def fixed_folds(again: Again) -> bool:
    """Whether the run's plan leaves nothing to a seed."""
    return again.arm.plan.plan not in ("nested", "holdout")


def _refit(again: Again, number: int, executor: str) -> Refit:
    block: ProtocolBlock = again.arm.config.protocols["honest"]
    # A nested plan of several repeats uses up as many seeds: none is drawn twice.
    seed = again.session.ctx.seed + number * block.repeats
    name = f"seed-{seed}"
    needs = needs_for(again, name, seed=seed, executor=executor)
    session = replace(again.session, ctx=again.session.ctx.replace(seed=seed), needs=needs)
    table = again.arm.prepared.features.table
    plan = split(session, block, table, again.arm.truth, "honest")
    return Refit(name, plan, again.arm.truth, seed, needs)


def _summed(again: Again, target: Target, refits: list[Refit], lost: dict[str, int]) -> Repeated:
    frames = [predicted(again, WHAT, refit, target) for refit in refits]
    rows = [
        {"seed": refit.seed, "model": model, "value": value}
        for refit, frame in zip(refits, frames, strict=True)
        for model, value in values_of(frame, target).items()
    ]
    values = pd.DataFrame(rows, columns=["seed", "model", "value"])
    models = [m for m in again.session.setup.models if m in set(values["model"])]
    primary = again.task.primary if again.task.primary in models else (models or [""])[0]
    pairs = [(primary, other) for other in models if other != primary]
    config = again.arm.config.evaluate
    means, differences = over_refits(
        frames, target, pairs, level=config.level, seed=again.session.ctx.seed
    )
    observed = values_of(again.observed.frames[target.name], target)
    return Repeated(target, measure_of(target), primary, values, observed, means, differences, lost)


def number_of(share: float) -> str:
    """Return a count that ties may have broken.

    Examples
    --------
    >>> number_of(7.0), number_of(2.5)
    ('7', '2.5')
    """
    return f"{share:.2g}" if share % 1 else f"{share:.0f}"


def spread_table(one: Repeated, titles: dict[str, str]) -> pd.DataFrame:
    """Return one row a model: the spread over repeats, and what the patients leave open."""
    best = one.best()
    rows = []
    for model, own in one.values.groupby("model", sort=False):
        values = own["value"].to_numpy(float)
        mean = one.means.get(str(model))
        better = one.measure.sign * values < one.measure.sign * one.own.get(str(model), np.nan)
        rows.append(
            {
                "target": one.target.name, "model": titles[str(model)], "metric": one.measure.title,
                "repeats": len(values), "this run": one.own.get(str(model)),
                "repeats worse than this run": int(better.sum()),
                "mean": values.mean(),
                "SD over repeats": values.std(ddof=1) if len(values) > 1 else np.nan,
                "lowest": values.min(), "median": np.median(values), "highest": values.max(),
                "low": mean.low if mean else None, "high": mean.high if mean else None,
                "n patients": mean.n if mean else None,
                "best in": number_of(float(best[model])),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    order = table["mean"] * -one.measure.sign
    return table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def pairs_table(one: Repeated, titles: dict[str, str], baselines: set[str]) -> pd.DataFrame:
    """Return the primary model against each other one: how often ahead, and by how much."""
    rows = []
    for (primary, other), difference in one.differences.items():
        ahead, equal, behind = one.ahead(other)
        rows.append(
            {
                "target": one.target.name, "primary model": titles[primary],
                "other": titles[other], "baseline": other in baselines,
                "ahead in": ahead, "equal in": equal, "behind in": behind, "repeats": one.n,
                "mean difference": difference.value, "low": difference.low,
                "high": difference.high, "n patients": difference.n,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)
