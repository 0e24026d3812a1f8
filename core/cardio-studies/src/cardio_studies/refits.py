"""A run fitted again: over other folds, on permuted labels, on fewer patients; and its metrics."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import Target, Targets
from cardio_core.evaluation import pooled
from cardio_core.runs import Refit, Reopened, SplitPlan
from cardio_stats import Estimate
from cardio_stats.auc_covariance import RankedRows
from cardio_stats.errors import DataError
from cardio_stats.resampling import Sampling, Units, resample

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


def repeat(again: Reopened, n: int) -> list[Repeated]:
    """Fit the run again over `n` other seeds of its splits and fits; return a result a target."""
    again.say_cost(n)
    # A nested plan of several repeats uses up as many seeds: none is drawn twice.
    seeds = [again.seed + number * again.block.repeats for number in range(1, n + 1)]
    refits = [again.refit(f"seed-{seed}", seed=seed, needs=f"seed-{seed}") for seed in seeds]
    again.fit(WHAT, refits)
    lost = again.unfitted(WHAT, refits)
    return [_summed(again, target, refits, lost) for target in again.targets]


def fixed_folds(again: Reopened) -> bool:
    """Whether the run's plan leaves nothing to a seed."""
    return again.plan.plan not in ("nested", "holdout")


def _summed(again: Reopened, target: Target, refits: list[Refit], lost: dict[str, int]) -> Repeated:
    frames = [again.predicted(WHAT, refit, target) for refit in refits]
    rows = [
        {"seed": refit.seed, "model": model, "value": value}
        for refit, frame in zip(refits, frames, strict=True)
        for model, value in values_of(frame, target).items()
    ]
    values = pd.DataFrame(rows, columns=["seed", "model", "value"])
    models = [m for m in again.models if m in set(values["model"])]
    primary = again.task.primary if again.task.primary in models else (models or [""])[0]
    pairs = [(primary, other) for other in models if other != primary]
    means, differences = over_refits(
        frames, target, pairs, level=again.evaluate.level, seed=again.seed
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


def spread_table(result: Repeated, titles: dict[str, str]) -> pd.DataFrame:
    """Return one row a model: the spread over repeats, and what the patients leave open."""
    best = result.best()
    rows = []
    for model, own in result.values.groupby("model", sort=False):
        values = own["value"].to_numpy(float)
        mean = result.means.get(str(model))
        better = result.measure.sign * values < result.measure.sign * result.own.get(
            str(model), np.nan
        )
        rows.append(
            {
                "target": result.target.name, "model": titles[str(model)],
                "metric": result.measure.title,
                "repeats": len(values), "this run": result.own.get(str(model)),
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
    order = table["mean"] * -result.measure.sign
    return table.iloc[np.argsort(order.to_numpy(), kind="stable")].reset_index(drop=True)


def pairs_table(result: Repeated, titles: dict[str, str], baselines: set[str]) -> pd.DataFrame:
    """Return the primary model against each other one: how often ahead, and by how much."""
    rows = []
    for (primary, other), difference in result.differences.items():
        ahead, equal, behind = result.ahead(other)
        rows.append(
            {
                "target": result.target.name, "primary model": titles[primary],
                "other": titles[other], "baseline": other in baselines,
                "ahead in": ahead, "equal in": equal, "behind in": behind, "repeats": result.n,
                "mean difference": difference.value, "low": difference.low,
                "high": difference.high, "n patients": difference.n,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


# The whole run on labels that mean nothing: what it finds where there is nothing to find.

PERMUTED_TITLE = "permutations"
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


def permute(again: Reopened, n: int) -> list[Permuted]:
    """Rerun everything on `n` permutations of the labels; return a result a target.

    Labels are permuted before anything that sees them: the folds are drawn from them, candidates,
    epochs, thresholds and fusion weights are chosen by them. Seeds are the run's own.

    Raises
    ------
    DataError
        If the labels cannot be permuted between patients.
    """
    refits = []
    for number in range(1, n + 1):
        rng = np.random.default_rng([again.seed, number])
        targets = permuted_targets(again.truth.targets, again.table, rng)
        refits.append(again.refit(f"permutation-{number}", targets=targets))
    again.fit(PERMUTED_TITLE, refits)
    return [_permuting_summed(again, target, refits) for target in again.targets]


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
    key = f"{targets.unit}_id"
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
            to, donor_rows = rows_of[subject], rows_of[str(other)]
            # Only what is known of equal targets changes places.
            for pattern in sorted({tuple(known.iloc[row]) for row in to}):
                here = [row for row in to if tuple(known.iloc[row]) == pattern]
                there = [row for row in donor_rows if tuple(known.iloc[row]) == pattern]
                source[here] = rng.permutation(there)
    moved = targets.table.iloc[source].set_axis(index)
    strata = targets.strata
    if strata is not None:
        own = strata.reindex(index)
        strata = own.iloc[source].set_axis(index)
    return replace(targets, table=moved, strata=strata)


def _permuting_summed(again: Reopened, target: Target, refits: list[Refit]) -> Permuted:
    rows = [
        {"permutation": number, "model": model, "value": value}
        for number, refit in enumerate(refits, start=1)
        for model, value in values_of(
            again.predicted(PERMUTED_TITLE, refit, target), target
        ).items()
    ]
    null = pd.DataFrame(rows, columns=["permutation", "model", "value"])
    own = values_of(again.observed.frames[target.name], target)
    task = again.task
    among = tuple(m for m in own if not task.model(m).baseline)
    primary = task.primary if task.primary in own else next(iter(own), "")
    return Permuted(target, measure_of(target), primary, null, own, among)


def null_table(result: Permuted, titles: dict[str, str], level: float = 0.95) -> pd.DataFrame:
    """Return one row a model, and one for the best of them: observed, null, p."""
    rows = [(titles[model], value, result.nulls(model)) for model, value in result.own.items()]
    if len(result.chosen_among) > 1:
        rows.append(("the best of them, chosen each time", *result.best()))
    tails, sign = [0.5 - level / 2, 0.5 + level / 2], result.measure.sign
    found = []
    for title, value, null in rows:
        if not len(null):
            continue
        low, high = np.quantile(null, tails)
        found.append(
            {
                "target": result.target.name, "model": title, "metric": result.measure.title,
                "this run": value, "permutations": len(null), "null mean": null.mean(),
                "null low": low, "null high": high,
                "at least as good": int(np.count_nonzero(sign * null >= sign * value - 1e-12)),
                "p": p_value(value, null, sign),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


# The learning curve: the same folds and tested patients, fewer and fewer patients in training.

CURVE_TITLE = "curve"
SHARES = (0.125, 0.25, 0.5)
"""Of each fold's training patients; all of them is the run itself."""
DRAWS = 3
"""Draws of the patients at each share: few patients differ more from draw to draw."""
FEWEST_PATIENTS, FEWEST_OF_A_CLASS = 10, 4
"""In training: with fewer no point is made."""

Array = np.ndarray


@dataclass(frozen=True)
class Learned:
    """One target by the number of patients in training.

    Attributes
    ----------
    points : DataFrame
        One row a model and size: model, n_trained (median over folds), value, low, high, n_tested.
    gains : DataFrame
        One row a model and step: model, from, to, gain, low, high; the same patients are tested.
    """

    target: Target
    measure: Measure
    primary: str
    points: pd.DataFrame
    gains: pd.DataFrame


def learn(again: Reopened) -> list[Learned]:
    """Fit the run again on shares of its training patients; return a result a target.

    Raises
    ------
    DataError
        If fewer than two sizes are left to compare with the run itself.
    """
    plan, by_share = planned(again)
    again.say(
        f"Learning curve: {len(by_share)} shares of the training patients, {DRAWS} draws each."
    )
    again.fit(CURVE_TITLE, [refit for refits in by_share.values() for refit in refits])
    return [_curve_summed(again, target, plan, by_share) for target in again.targets]


def planned(again: Reopened) -> tuple[SplitPlan, dict[float, list[Refit]]]:
    """Return the folds of the curve, and the refits of each share of their training patients.

    Raises
    ------
    DataError
        If the cohort is too small for any share.
    """
    plan = _first_repeat(again.plan)
    by_share: dict[float, list[Refit]] = {}
    for share in SHARES:
        for draw in range(DRAWS):
            smaller = _smaller(again, plan, share, draw)
            if smaller is not None:
                name = f"share-{share:g}-draw-{draw}"
                refit = Refit(name, smaller, again.truth, again.seed)
                by_share.setdefault(share, []).append(refit)
    if not by_share:
        n_all = _n_trained(again, plan)
        raise DataError(
            f"--learning-curve: expected folds with {FEWEST_PATIENTS} patients, "
            f"{FEWEST_OF_A_CLASS} of each class, at half their training patients, found {n_all} "
            "patients in training; the cohort is too small for a curve"
        )
    return plan, by_share


def _first_repeat(plan: SplitPlan) -> SplitPlan:
    return replace(plan, folds=tuple(fold for fold in plan.folds if fold.repeat == 0))


def _n_trained(again: Reopened, plan: SplitPlan) -> int:
    subjects = again.table["subject_id"]
    return int(np.median([subjects.iloc[fold.train].nunique() for fold in plan.folds]))


def _smaller(again: Reopened, plan: SplitPlan, share: float, draw: int) -> SplitPlan | None:
    """Return the plan with a share of each fold's training people; None where they are too few.

    Of each stratum the same share is kept. Larger shares of one draw hold the smaller ones.
    """
    strata = again.strata()
    subjects = again.table["subject_id"].astype(str).to_numpy()
    folds = []
    for fold in plan.folds:
        # A person belongs to the rarest of his strata, so that it keeps its share.
        rarity = np.bincount(strata[fold.train] + 1)
        own = pd.DataFrame({"who": subjects[fold.train], "stratum": strata[fold.train]})
        own["rarity"] = rarity[strata[fold.train] + 1]
        home = own.sort_values(["rarity", "stratum"]).groupby("who")["stratum"].first()
        rng = np.random.default_rng([again.seed, draw, fold.repeat, fold.index])
        chosen: set[str] = set()
        counts = []
        for stratum, people in home.groupby(home):
            order = rng.permutation(sorted(people.index))
            n = round(share * len(order))
            chosen |= set(order[:n])
            if stratum >= 0:
                counts.append(n)
        if sum(counts) < FEWEST_PATIENTS or min(counts) < FEWEST_OF_A_CLASS:
            return None
        folds.append(replace(fold, train=fold.train[np.isin(subjects[fold.train], list(chosen))]))
    return replace(plan, folds=tuple(folds))


def _curve_summed(
    again: Reopened, target: Target, plan: SplitPlan, by_share: dict[float, list[Refit]]
) -> Learned:
    config, seed = again.evaluate, again.seed
    whole = again.observed.frames[target.name]
    whole = whole[whole["repeat"] == 0].reset_index(drop=True)
    sizes: list[tuple[int, list[pd.DataFrame]]] = [
        (
            _n_trained(again, refits[0].plan),
            [again.predicted(CURVE_TITLE, refit, target) for refit in refits],
        )
        for refits in by_share.values()
    ]
    sizes.append((_n_trained(again, plan), [whole]))
    points, gains = [], []
    for n_trained, frames in sizes:
        own, _ = over_refits(frames, target, level=config.level, seed=seed)
        points += [
            {"model": m, "n_trained": n_trained, "value": e.value, "low": e.low, "high": e.high,
             "n_tested": e.n}
            for m, e in own.items()
        ]  # fmt: skip
    for (fewer, before), (more, after) in pairwise(sizes):
        for model, gain in _gains(before, after, target, config.level, seed).items():
            gains.append(
                {"model": model, "from": fewer, "to": more, "gain": gain.value, "low": gain.low,
                 "high": gain.high}
            )  # fmt: skip
    models = list(dict.fromkeys(str(row["model"]) for row in points))
    primary = again.task.primary if again.task.primary in models else models[0]
    order = {m: n for n, m in enumerate(again.models)}
    table = pd.DataFrame(points).sort_values(
        ["model", "n_trained"], kind="stable",
        key=lambda column: column.map(order) if column.name == "model" else column,
    )  # fmt: skip
    return Learned(
        target, measure_of(target), primary, table.reset_index(drop=True), pd.DataFrame(gains)
    )


def _gains(
    before: list[pd.DataFrame], after: list[pd.DataFrame], target: Target, level: float, seed: int
) -> dict[str, Estimate]:
    """Return what the larger training sets gain, on the same draws of the same patients."""
    n = max(len(before), len(after))
    pairs = []
    for number in range(n):
        # The run itself is one fit: it stands against every draw of the share below it.
        few, many = before[number % len(before)], after[number % len(after)]
        pairs.append(
            pd.concat(
                [few.assign(model="0:" + few["model"]), many.assign(model="1:" + many["model"])],
                ignore_index=True,
            )
        )
    models = sorted({str(m)[2:] for frame in pairs for m in frame["model"].unique()})
    steps = [(f"1:{m}", f"0:{m}") for m in models]
    _, found = over_refits(pairs, target, steps, level=level, seed=seed)
    return {key[0][2:]: estimate for key, estimate in found.items()}


def curve_tables(result: Learned, titles: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the points and the gains with models in words."""
    about = {"target": result.target.name, "metric": result.measure.title}
    points = result.points.assign(model=result.points["model"].map(titles), **about)
    gains = result.gains.assign(model=result.gains["model"].map(titles), **about)
    first = ["target", "model"]
    return (
        points[[*first, "n_trained", "metric", "value", "low", "high", "n_tested"]].rename(
            columns={"n_trained": "patients in training", "n_tested": "patients tested"}
        ),
        gains[[*first, "from", "to", "metric", "gain", "low", "high"]],
    )


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
    sampling = Sampling(n_resamples=n_resamples, seed=seed, level=level)
    drawn = resample(statistic, Units(len(people)), sampling).values
    within = f", each with all {len(frames)} refits" if len(frames) > 1 else ""

    def estimate(name: str, value: float, column: int) -> Estimate:
        bare = Estimate(name, value, n=len(people), unit="patient", n_patients=len(people))
        return sampling.bootstrapped(bare, drawn[:, column], within=within)

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
        is_class, called = truth == name, predicted == name
        columns += [is_class & called, is_class.astype(float) + called]
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
