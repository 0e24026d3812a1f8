"""Checks of areas under the curve, errors, and the intervals around them."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import model_validator

from cardio_core.stats.agreement.regression_error import gaussian_constant_mae
from cardio_core.stats.discrimination.published_auc import (
    auc_binormal,
    hanley_mcneil,
    hanley_mcneil_effective_n,
)
from cardio_core.stats.forensics.check import Check, Finding, Part, PrintedNumber


class BinormalAuc(Check):
    """The AUC that two printed means and SDs imply: ``check: binormal_auc``.

    Attributes
    ----------
    mean_1, sd_1, mean_0, sd_0 : float
    compared_with : number in quotes, optional
        A published AUC of a larger model.
    """

    check: Literal["binormal_auc"]
    mean_1: float
    sd_1: float
    mean_0: float
    sd_0: float
    compared_with: PrintedNumber | None = None

    def find(self) -> Finding:
        """Assume two normal groups."""
        found = auc_binormal(self.mean_1, self.sd_1, self.mean_0, self.sd_0)
        text = f"alone has a binormal AUC of {found.value:.3f}"
        if self.compared_with is not None:
            text += f", beside the published {self.compared_with}"
        return Finding("note", text + ".", (found,))


class PrintedInterval(Part):
    """Limits of an interval, in quotes as printed."""

    low: PrintedNumber
    high: PrintedNumber


class AucInterval(Check):
    """An AUC's interval beside the one its patients allow: ``check: auc_interval``.

    Attributes
    ----------
    auc : number in quotes
    n_events, n_others : int
        Patients of either class.
    interval : {low, high}, optional
    """

    check: Literal["auc_interval"]
    auc: PrintedNumber
    n_events: int
    n_others: int
    interval: PrintedInterval | None = None

    def find(self) -> Finding:
        """Apply Hanley and McNeil's formula in both directions."""
        n = self.n_events + self.n_others
        expected = hanley_mcneil(self.auc.value, self.n_events, self.n_others, unit="patient")
        text = (
            f"AUC {self.auc} from {self.n_events} and {self.n_others} patients has a Hanley-McNeil "
            f"interval of {expected.low:.2f} to {expected.high:.2f} "
            f"(standard error {expected.extra['se']:.4f})"
        )
        if self.interval is None:
            return Finding("note", text + ".", (expected,))
        low, high = self.interval.low, self.interval.high
        effective = hanley_mcneil_effective_n(
            self.auc.value, low.value, high.value, self.n_events / n
        )
        # 1.5 times the patients is beyond what the choice of the formula explains
        too_narrow = effective.value > 1.5 * n
        text += (
            f"; the printed {low} to {high} is as narrow as that of {effective.value:.0f} "
            f"independent patients"
        )
        if too_narrow:
            by_hand = (
                f"1.96 x {expected.extra['se']:.4f} = {1.96 * expected.extra['se']:.3f} to either "
                f"side (Hanley-McNeil), printed ({high} - {low})/2 = "
                f"{(high.value - low.value) / 2:.3f}"
            )
            return Finding("not reproduced", text + ".", (expected, effective), by_hand)
        return Finding("agrees", text + ".", (expected, effective))


class Quantiles(Check):
    """Which interval two bootstrap quantiles give: ``check: quantiles``.

    Attributes
    ----------
    low_pct, high_pct : float
        Percentiles that the code returns.
    stated_pct : float
        Coverage that is printed.
    """

    check: Literal["quantiles"]
    low_pct: float
    high_pct: float
    stated_pct: float = 95.0

    @model_validator(mode="after")
    def _ordered(self) -> Quantiles:
        if not 0 <= self.low_pct < self.high_pct <= 100:
            raise ValueError("expected 0 <= low_pct < high_pct <= 100")
        return self

    def find(self) -> Finding:
        """Compare coverage."""
        covered = self.high_pct - self.low_pct
        good = math.isclose(covered, self.stated_pct)
        return Finding(
            "agrees" if good else "impossible",
            f"percentiles {self.low_pct:g} and {self.high_pct:g} are a {covered:g} % interval"
            + ("." if good else f", not one of {self.stated_pct:g} %."),
            by_hand="" if good else f"{self.high_pct:g} - {self.low_pct:g} = {covered:g}",
        )


class ConstantMae(Check):
    """A mean absolute error beside a constant's: ``check: constant_mae``."""

    check: Literal["constant_mae"]
    sd: PrintedNumber
    mae: PrintedNumber

    def find(self) -> Finding:
        """Assume a normal outcome."""
        found = gaussian_constant_mae(self.sd.value)
        worse = self.mae.low > gaussian_constant_mae(self.sd.high).value
        return Finding(
            "note" if worse else "agrees",
            f"were the outcome normal with an SD of {self.sd}, predicting the mean for everybody "
            f"would err by {found.value:.2f}; the model errs by {self.mae}"
            + (", no better than a constant." if worse else "."),
            (found,),
        )
