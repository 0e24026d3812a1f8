"""Checks of accuracy, of shares of patients, and of what a comparison of them shows."""

from __future__ import annotations

import math
from typing import Literal

from cardio_core.stats.classification.decisions import confusion_metrics
from cardio_core.stats.classification.discordance import mcnemar
from cardio_core.stats.classification.proportions import (
    binomial_all_correct,
    clopper_pearson_limits,
    proportion,
)
from cardio_core.stats.forensics.accuracy_identity import check_acc_identity
from cardio_core.stats.forensics.check import Check, Finding, PrintedNumber
from cardio_core.stats.forensics.summaries import grim
from cardio_core.stats.foundation.display import p_text


class Accuracy(Check):
    """Accuracy, sensitivity and specificity of one table: ``check: accuracy``.

    Attributes
    ----------
    accuracy, sensitivity, specificity : numbers in quotes, from 0 to 1
    n_events, n : int
        Patients with the outcome, and all.
    """

    check: Literal["accuracy"]
    accuracy: PrintedNumber
    sensitivity: PrintedNumber
    specificity: PrintedNumber
    n_events: int
    n: int

    def find(self) -> Finding:
        """Apply the accuracy identity."""
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
        if not found.feasible_pooled:
            side = "below" if self.accuracy.value < self.specificity.value else "above"
            return Finding(
                "contradiction",
                f"{figures}: accuracy lies {side} both, which no single table allows at any "
                "prevalence.",
                estimates,
            )
        implied, expected = found.implied_prevalence, found.accuracy_expected
        if found.at_prevalence or implied is None or expected is None:
            return Finding("agrees", f"{figures} agree at {self.n_events}/{self.n}.", estimates)
        return Finding(
            "contradiction",
            f"{figures} imply a prevalence of {implied.value:.2f}, not the {prevalence:.3f} of "
            f"{self.n_events}/{self.n}, at which accuracy would be {expected.value:.3f}.",
            estimates,
        )


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
            "contradiction",
            f"{self.value} is no share of {self.n} patients"
            + (f"; it would be {near}." if near else "."),
        )


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
        return Finding(
            "agrees" if good else "contradiction",
            f"printed {self.value}, but the counts {self.k}/{self.n} make it at least {bound:.3f}."
            if not good
            else f"printed {self.value}, at least the {bound:.3f} of {self.k}/{self.n}.",
        )


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
            "doubt" if better else "agrees",
            f"the rule alone has accuracy {accuracy:.3f} (sensitivity {sensitivity:.3f}, "
            f"specificity {specificity:.3f}), "
            + ("better" if better else "not better")
            + f" than the best published model ({self.best}).",
            tuple(found.values()),
        )


class FoldSpread(Check):
    """An SD over folds beside the least that chance gives: ``check: fold_spread``.

    Attributes
    ----------
    value, sd : numbers in quotes
        Accuracy and its SD over folds.
    n_per_fold : int
        Patients tested in a fold.
    """

    check: Literal["fold_spread"]
    value: PrintedNumber
    sd: PrintedNumber
    n_per_fold: int

    def find(self) -> Finding:
        """Compare with the binomial SD."""
        floor = math.sqrt(self.value.value * (1 - self.value.value) / self.n_per_fold)
        good = self.sd.high >= floor / 3
        return Finding(
            "agrees" if good else "doubt",
            f"an SD of {self.sd} over folds of {self.n_per_fold} patients"
            + (
                f", where chance alone gives {floor:.3f}."
                if good
                else f" lies far below the {floor:.3f} that chance alone gives: the unit is not "
                "the patient."
            ),
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
            "doubt" if p >= 0.05 else "agrees",
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
            "agrees" if superior else "doubt",
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
            text += "; wrong: " + ", ".join(f"{text} in {place}" for place, text in wrong.items())
        return Finding("contradiction" if wrong else "agrees", text + ".", (found,))
