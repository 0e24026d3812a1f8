"""The learning curve: the same folds and tested patients, fewer and fewer patients in training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from cardio_core.dividing import strata_of
from cardio_core.errors import DataError
from cardio_core.splits import SplitPlan
from cardio_core.studies.stability.measuring import Measure, measure_of, over_refits
from cardio_core.studies.stability.opening import Again
from cardio_core.studies.stability.pieces import Refit, fit_refits, predicted
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target

WHAT = "curve"
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


def learn(again: Again) -> list[Learned]:
    """Fit the run again on shares of its training patients; return a result a target.

    Raises
    ------
    DataError
        If fewer than two sizes are left to compare with the run itself.
    """
    plan, by_share = planned(again)
    again.session.say(
        f"Learning curve: {len(by_share)} shares of the training patients, {DRAWS} draws each."
    )
    fit_refits(again, WHAT, [refit for refits in by_share.values() for refit in refits])
    return [
        _summed(again, target, plan, by_share)
        for target in again.task.targets
        if target.name in again.observed.frames
    ]


def planned(again: Again) -> tuple[SplitPlan, dict[float, list[Refit]]]:
    """Return the folds of the curve, and the refits of each share of their training patients.

    Raises
    ------
    DataError
        If the cohort is too small for any share.
    """
    plan = _first_repeat(again.arm.plan)
    by_share: dict[float, list[Refit]] = {}
    for share in SHARES:
        for draw in range(DRAWS):
            smaller = _smaller(again, plan, share, draw)
            if smaller is not None:
                name = f"share-{share:g}-draw-{draw}"
                refit = Refit(name, smaller, again.arm.truth, again.session.ctx.seed)
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


def _n_trained(again: Again, plan: SplitPlan) -> int:
    subjects = again.arm.prepared.features.table["subject_id"]
    return int(np.median([subjects.iloc[fold.train].nunique() for fold in plan.folds]))


def _smaller(again: Again, plan: SplitPlan, share: float, draw: int) -> SplitPlan | None:
    """Return the plan with a share of each fold's training people; None where they are too few.

    Of each stratum the same share is kept. Larger shares of one draw hold the smaller ones.
    """
    table = again.arm.prepared.features.table
    names = [target.name for target in again.task.targets]
    strata = strata_of(again.arm.truth.targets.stratum(table, names))
    subjects = table["subject_id"].astype(str).to_numpy()
    folds = []
    for fold in plan.folds:
        # A person belongs to the rarest of his strata, so that it keeps its share.
        rarity = np.bincount(strata[fold.train] + 1)
        own = pd.DataFrame({"who": subjects[fold.train], "stratum": strata[fold.train]})
        own["rarity"] = rarity[strata[fold.train] + 1]
        home = own.sort_values(["rarity", "stratum"]).groupby("who")["stratum"].first()
        rng = np.random.default_rng([again.session.ctx.seed, draw, fold.repeat, fold.index])
        kept: set[str] = set()
        counts = []
        for stratum, people in home.groupby(home):
            order = rng.permutation(sorted(people.index))
            n = round(share * len(order))
            kept |= set(order[:n])
            if stratum >= 0:
                counts.append(n)
        if sum(counts) < FEWEST_PATIENTS or min(counts) < FEWEST_OF_A_CLASS:
            return None
        folds.append(replace(fold, train=fold.train[np.isin(subjects[fold.train], list(kept))]))
    return replace(plan, folds=tuple(folds))


def _summed(
    again: Again, target: Target, plan: SplitPlan, by_share: dict[float, list[Refit]]
) -> Learned:
    config, seed = again.arm.config.evaluate, again.session.ctx.seed
    whole = again.observed.frames[target.name]
    whole = whole[whole["repeat"] == 0].reset_index(drop=True)
    sizes: list[tuple[int, list[pd.DataFrame]]] = [
        (
            _n_trained(again, refits[0].plan),
            [predicted(again, WHAT, refit, target) for refit in refits],
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
    order = {m: n for n, m in enumerate(again.session.setup.models)}
    table = pd.DataFrame(points).sort_values(
        ["model", "n_trained"], key=lambda one: one.map(order) if one.name == "model" else one,
        kind="stable",
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
    asked = [(f"1:{m}", f"0:{m}") for m in models]
    _, found = over_refits(pairs, target, asked, level=level, seed=seed)
    return {key[0][2:]: estimate for key, estimate in found.items()}


def curve_tables(one: Learned, titles: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the points and the gains with models in words."""
    about = {"target": one.target.name, "metric": one.measure.title}
    points = one.points.assign(model=one.points["model"].map(titles), **about)
    gains = one.gains.assign(model=one.gains["model"].map(titles), **about)
    first = ["target", "model"]
    return (
        points[[*first, "n_trained", "metric", "value", "low", "high", "n_tested"]].rename(
            columns={"n_trained": "patients in training", "n_tested": "patients tested"}
        ),
        gains[[*first, "from", "to", "metric", "gain", "low", "high"]],
    )
