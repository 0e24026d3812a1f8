"""Checks of accuracy, of shares of patients, and of what a comparison of them shows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice, product
from typing import Literal

import numpy as np

from cardio_stats._numerics.display import p_text
from cardio_stats._numerics.validate import Floats
from cardio_stats.decisions import confusion_metrics, mcnemar
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.forensics.checks import UNLIKELY, Check, Finding, PrintedNumber, compared
from cardio_stats.forensics.formulas import check_acc_identity, grim
from cardio_stats.proportions import binomial_all_correct, clopper_pearson_limits, proportion

# How far chance moves means over folds: the identity's gap, and their spread.

DRAWS = 20_000


def fold_gap_probability(
    gap: float,
    *,
    sensitivity: float,
    specificity: float,
    n_events: int,
    n: int,
    folds: int,
    seed: int = 0,
) -> Estimate:
    """Return how often chance opens such a gap between a mean accuracy and the mean rates.

    A mean of accuracies over folds is not the accuracy of the mean rates: folds with more
    patients of the better class have the higher accuracy. The gap is mean accuracy minus
    ``pi * mean sensitivity + (1 - pi) * mean specificity``.

    Parameters
    ----------
    gap : float
        Its absolute size, after rounding was allowed for; 0 or more.
    sensitivity, specificity : float
        Chance of each patient of either class to be classified rightly, from 0 to 1.
    n_events, n : int
        Patients with the outcome, and all.
    folds : int
        2 or more, of equal size up to one patient, drawn without strata.

    Returns
    -------
    Estimate
        Share of 20,000 random divisions in which the gap is at least as large. A fold without a
        patient of a class has no rate of it: programs leave it out or write 0; the larger of the
        two shares is returned.

    Raises
    ------
    DataError
        More folds than patients of the smaller class, or a rate outside 0 to 1.

    Examples
    --------
    >>> rates = {"sensitivity": 0.783, "specificity": 0.792, "n_events": 46, "n": 71, "folds": 5}
    >>> fold_gap_probability(0.007, **rates).value > 0.5
    True
    >>> fold_gap_probability(0.065, **rates).value < 0.005
    True
    """
    if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1):
        raise DataError(
            f"rates: expected numbers from 0 to 1, found {sensitivity:g} and {specificity:g}"
        )
    if not 2 <= folds <= min(n_events, n - n_events):
        raise DataError(
            f"folds: expected 2 to {min(n_events, n - n_events)}, the patients of the smaller "
            f"class, found {folds}"
        )
    rng = np.random.default_rng(seed)
    events = np.arange(n) < n_events
    right = rng.random((DRAWS, n)) < np.where(events, sensitivity, specificity)
    order = rng.permuted(np.tile(np.arange(n), (DRAWS, 1)), axis=1)
    sums, counted = np.zeros((3, DRAWS)), np.zeros((3, DRAWS))
    for fold in range(folds):
        members = order[:, fold::folds]
        hit, event = np.take_along_axis(right, members, axis=1), events[members]
        for row, chosen in enumerate((np.ones_like(event), event, ~event)):
            size = chosen.sum(axis=1)
            sums[row] += (hit & chosen).sum(axis=1) / np.maximum(size, 1)
            counted[row] += size > 0
    share = n_events / n
    found = []
    for means in (sums / np.maximum(counted, 1), sums / folds):
        moved = np.abs(means[0] - (share * means[1] + (1 - share) * means[2]))
        found.append(float((moved >= gap - 1e-12).mean()))
    return Estimate(
        "p_gap_of_fold_means",
        max(found),
        method=f"{DRAWS:,} random divisions into {folds} folds without strata",
        n=n,
        unit="patient",
        seed=seed,
    )


def fold_spread_probability(
    sd: float, *, value: float, n_per_fold: int, folds: int, seed: int = 0
) -> Estimate:
    """Return how often accuracies of folds lie as close together as printed.

    Parameters
    ----------
    sd : float
        Largest SD over folds that rounds to the printed one.
    value : float
        Accuracy: chance of each patient to be classified rightly, from 0 to 1.
    n_per_fold, folds : int

    Returns
    -------
    Estimate
        Share of 20,000 draws of independent patients whose SD, divided by the number of folds
        (the smaller of the two usual ones), is no larger.

    Examples
    --------
    >>> fold_spread_probability(0.0185, value=0.721, n_per_fold=14, folds=5).value < 0.01
    True
    """
    if not (0 <= value <= 1 and n_per_fold >= 1 and folds >= 2):
        raise DataError(
            f"fold spread: expected a share from 0 to 1 and 2 folds or more, found {value:g} and "
            f"{folds}"
        )
    rng = np.random.default_rng(seed)
    accuracies: Floats = rng.binomial(n_per_fold, value, size=(DRAWS, folds)) / n_per_fold
    return Estimate(
        "p_spread_of_folds",
        float((accuracies.std(axis=1) <= sd + 1e-12).mean()),
        method=f"{DRAWS:,} draws of {folds} folds of {n_per_fold} independent patients",
        n=n_per_fold * folds,
        unit="patient",
        seed=seed,
    )


def tables_of_rates(
    accuracy: tuple[float, float],
    sensitivity: tuple[float, float],
    specificity: tuple[float, float],
    n_most: int,
) -> Iterator[tuple[int, int]]:
    """Yield (n, n with the outcome) of every whole-number table with these three figures.

    Parameters
    ----------
    accuracy, sensitivity, specificity : tuple of 2 float
        Limits before rounding, from 0 to 1.
    n_most : int
        Largest sample to be tried; the smallest come first.

    Examples
    --------
    >>> next(tables_of_rates((0.575, 0.585), (0.905, 0.915), (0.1245, 0.1255), 71))
    (19, 11)
    """
    hits = {m: _counts(m, sensitivity) for m in range(1, n_most)}
    rejections = {m: _counts(m, specificity) for m in range(1, n_most)}
    for n in range(2, n_most + 1):
        for events in range(1, n):
            pairs = product(hits[events], rejections[n - events])
            if any(_within((a + b) / n, accuracy) for a, b in pairs):
                yield n, events


def _counts(n: int, limits: tuple[float, float]) -> list[int]:
    return [k for k in range(n + 1) if _within(k / n, limits)]


def _within(share: float, limits: tuple[float, float]) -> bool:
    return limits[0] - 1e-9 <= share <= limits[1] + 1e-9


class Accuracy(Check):
    """Accuracy, sensitivity and specificity: ``check: accuracy``.

    Attributes
    ----------
    accuracy, sensitivity, specificity : numbers in quotes, from 0 to 1
    n_events, n : int
        Patients with the outcome, and all.
    folds : int, optional
        The figures are, or may be, means over so many folds; without it, of one table.
    """

    check: Literal["accuracy"]
    accuracy: PrintedNumber
    sensitivity: PrintedNumber
    specificity: PrintedNumber
    n_events: int
    n: int
    folds: int | None = None

    def find(self) -> Finding:
        """Apply the accuracy identity, and ask how far means over folds may leave it."""
        prevalence = self.n_events / self.n
        found = check_acc_identity(
            self.accuracy.value,
            self.sensitivity.value,
            self.specificity.value,
            prevalence,
            half_steps=(
                self.accuracy.half_step,
                self.sensitivity.half_step,
                self.specificity.half_step,
            ),
        )
        estimates = tuple(e for e in (found.implied_prevalence, found.accuracy_expected) if e)
        figures = (
            f"accuracy {self.accuracy}, sensitivity {self.sensitivity}, specificity "
            f"{self.specificity}"
        )
        expected = found.accuracy_expected
        if found.at_prevalence or expected is None:
            return Finding("agrees", f"{figures} agree at {self.n_events}/{self.n}.", estimates)
        gap = abs(self.accuracy.value - expected.value)
        slack = float(expected.high or 0.0) - expected.value + self.accuracy.half_step
        by_hand = (
            f"{self.n_events}/{self.n} x {self.sensitivity} + {self.n - self.n_events}/{self.n} x "
            f"{self.specificity} = {expected.value:.3f}, printed {self.accuracy}"
        )
        text = f"{figures}: at {self.n_events}/{self.n} accuracy would be {expected.value:.3f}"
        by_chance = self._by_chance(max(0.0, gap - slack))
        if by_chance is not None:
            estimates += (by_chance,)
            text += (
                f"; means over {self.folds} folds lie {gap:.3f} apart, rounding allowed for, with "
                f"probability {p_text(by_chance.value)}"
            )
            if by_chance.value >= UNLIKELY:
                return Finding("agrees", text + ".", estimates)
        tables = self._tables()
        if tables:
            listed = ", ".join(f"{events} of {n}" for n, events in tables)
            text += f"; {listed} patients with the outcome give all three figures as one table"
            return Finding("not reproduced", text + ".", estimates, by_hand)
        if by_chance is not None:
            return Finding("unlikely", text + ".", estimates, by_hand)
        if found.feasible_pooled:
            return Finding("not reproduced", text + ".", estimates, by_hand)
        side = "below" if self.accuracy.value < self.specificity.value else "above"
        return Finding(
            "impossible",
            f"{figures}: accuracy lies {side} both, which no single table allows.",
            estimates,
            by_hand,
        )

    def _by_chance(self, gap: float) -> Estimate | None:
        if self.folds is None:
            return None
        return fold_gap_probability(
            gap,
            sensitivity=self.sensitivity.value,
            specificity=self.specificity.value,
            n_events=self.n_events,
            n=self.n,
            folds=self.folds,
        )

    def _tables(self) -> list[tuple[int, int]]:
        """Return up to three small tables, n and its events, that give the figures."""
        accuracy, sensitivity, specificity = (
            (each.low, each.high) for each in (self.accuracy, self.sensitivity, self.specificity)
        )
        return list(islice(tables_of_rates(accuracy, sensitivity, specificity, self.n), 3))


class Share(Check):
    """A printed proportion as a share of whole patients: ``check: share``.

    Attributes
    ----------
    value : number in quotes, from 0 to 1
    n : int
    """

    check: Literal["share"]
    value: PrintedNumber
    n: int

    def find(self) -> Finding:
        """Apply GRIM."""
        found = grim(self.value, self.n)
        if found.possible:
            return Finding("agrees", f"{self.value} is {found.nearest_total}/{self.n}.")
        near = ", ".join(
            f"{round(self.value.value * size)}/{size}" for size in found.denominators[:4]
        )
        return Finding(
            "impossible",
            f"{self.value} is no share of {self.n} patients"
            + (f"; it would be {near}." if near else "."),
            by_hand=f"{self.value} x {self.n} = {self.value.value * self.n:.2f}, and "
            + ", ".join(f"{k}/{self.n} = {k / self.n:.4f}" for k in self._around()),
        )

    def _around(self) -> tuple[int, int]:
        below = math.floor(self.value.value * self.n)
        return below, below + 1


class AtLeast(Check):
    """A figure that counts printed elsewhere bound from below: ``check: at_least``.

    Attributes
    ----------
    value : number in quotes
    k, n : int
        The bound is k/n.
    """

    check: Literal["at_least"]
    value: PrintedNumber
    k: int
    n: int

    def find(self) -> Finding:
        """Compare."""
        bound = self.k / self.n
        good = self.value.high >= bound
        text = f"printed {self.value}, at least the {bound:.3f} of {self.k}/{self.n}."
        if not good:
            text = (
                f"printed {self.value}, but the counts {self.k}/{self.n} make it at least "
                f"{bound:.3f}."
            )
        by_hand = f"{self.k}/{self.n} = {bound:.3f} > {self.value}"
        return compared(good, "impossible", text, by_hand=by_hand)


class SimpleRule(Check):
    """A one-variable rule beside the published model: ``check: simple_rule``.

    Attributes
    ----------
    tp, fn, tn, fp : int
    best : number in quotes
        Accuracy of the best published model.
    """

    check: Literal["simple_rule"]
    tp: int
    fn: int
    tn: int
    fp: int
    best: PrintedNumber

    def find(self) -> Finding:
        """Compute the rule's accuracy from its counts."""
        found = confusion_metrics(tp=self.tp, fn=self.fn, tn=self.tn, fp=self.fp)
        accuracy, sensitivity, specificity = (
            found[key].value for key in ("accuracy", "sensitivity", "specificity")
        )
        better = accuracy > self.best.high
        return Finding(
            "note" if better else "agrees",
            f"the rule alone has accuracy {accuracy:.3f} (sensitivity {sensitivity:.3f}, "
            f"specificity {specificity:.3f}), "
            + ("better" if better else "not better")
            + f" than the best published model ({self.best}).",
            tuple(found.values()),
        )


class FoldSpread(Check):
    """An SD over folds beside the one that chance gives: ``check: fold_spread``.

    Attributes
    ----------
    value, sd : numbers in quotes
        Accuracy and its SD over folds.
    n_per_fold : int
        Patients tested in a fold.
    folds : int
    """

    check: Literal["fold_spread"]
    value: PrintedNumber
    sd: PrintedNumber
    n_per_fold: int
    folds: int = 5

    def find(self) -> Finding:
        """Draw folds of independent patients, and compare."""
        chance = math.sqrt(self.value.value * (1 - self.value.value) / self.n_per_fold)
        found = fold_spread_probability(
            self.sd.high, value=self.value.value, n_per_fold=self.n_per_fold, folds=self.folds
        )
        good = found.value >= UNLIKELY
        return compared(
            good,
            "unlikely",
            f"an SD of {self.sd} over {self.folds} folds of {self.n_per_fold} patients, where "
            f"independent patients give {chance:.3f}, and so small an SD with probability "
            f"{p_text(found.value)}.",
            estimates=(found,),
            by_hand=f"sqrt({self.value} x {1 - self.value.value:.3f}/{self.n_per_fold}) = "
            f"{chance:.3f}",
        )


class Discordant(Check):
    """Two methods on the same patients: ``check: discordant``.

    Attributes
    ----------
    only_first, only_second : int
        Patients that only one of them gets right.
    """

    check: Literal["discordant"]
    only_first: int
    only_second: int

    def find(self) -> Finding:
        """Apply McNemar's exact test."""
        found = mcnemar(self.only_first, self.only_second)
        p = float(found.p_value or 0.0)
        return Finding(
            "note" if p >= 0.05 else "agrees",
            f"{self.only_first} patients against {self.only_second}: McNemar's exact p is {p:.4f}, "
            + ("no significant difference." if p >= 0.05 else "a significant difference."),
            (found,),
        )


class AllCorrect(Check):
    """A perfect score beside an earlier method's accuracy: ``check: all_correct``."""

    check: Literal["all_correct"]
    n: int
    earlier: float

    def find(self) -> Finding:
        """Compute how often the earlier method would have been perfect too."""
        found = binomial_all_correct(self.earlier, self.n)
        interval = proportion(self.n, self.n, method="clopper-pearson")
        superior = found.value < 0.05
        return Finding(
            "agrees" if superior else "note",
            f"a method that is right in {self.earlier:.0%} gets {self.n} of {self.n} with "
            f"probability {p_text(found.value)}; the interval of {self.n}/{self.n} starts at "
            f"{interval.low:.3f}, so superiority is " + ("shown." if superior else "not shown."),
            (found, interval),
        )


class Counted(Check):
    """A count with its printed share: ``check: counted``.

    Attributes
    ----------
    k, n : int
    shares_pct : place to number in quotes
        Percentages printed for it.
    """

    check: Literal["counted"]
    k: int
    n: int
    shares_pct: dict[str, PrintedNumber]

    def find(self) -> Finding:
        """Compute the share, and its exact interval."""
        found = proportion(self.k, self.n, method="clopper-pearson")
        wrong = {
            place: text
            for place, text in self.shares_pct.items()
            if not text.holds(100 * found.value)
        }
        low, high = clopper_pearson_limits(self.k, self.n, 0.95)
        text = (
            f"{self.k}/{self.n} is {100 * found.value:.2f} % (exact interval {100 * low:.1f} "
            f"to {100 * high:.1f})"
        )
        if wrong:
            text += "; printed " + ", ".join(f"{text} in {place}" for place, text in wrong.items())
        by_hand = f"{self.k}/{self.n} = {found.value:.4f}"
        return compared(not wrong, "impossible", text + ".", estimates=(found,), by_hand=by_hand)
