"""Checks of p-values: which test gave them, and what many of them mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from cardio_stats._numerics.display import p_text
from cardio_stats.contingency import chi2_2x2, chi2_p, chi2_rxc, counts_table, expected_counts
from cardio_stats.forensics.checks import Check, Finding, Part, PrintedNumber, Verdict, compared
from cardio_stats.forensics.formulas import Printed
from cardio_stats.means import GroupSummary, pooled_mean_sd, ttest_codes, ttest_from_stats
from cardio_stats.multiplicity import multiplicity_null

# Which test, correction and divisor give a printed p-value.


@dataclass(frozen=True, slots=True)
class Candidate:
    """A test and the p-values that it can give within the rounding of its inputs."""

    test: str
    p_low: float
    p_high: float
    kind: Literal["chi_square", "fisher", "t", "t_of_codes"] = "t"

    def gives(self, p: Printed) -> bool:
        """Say whether the printed p may come from this test."""
        return p.meets(self.p_low, self.p_high)


def candidates_from_counts(table: Sequence[Sequence[int]]) -> list[Candidate]:
    """Return the p of every usual test of a table of counts.

    Examples
    --------
    >>> [(c.test, round(c.p_low, 3)) for c in candidates_from_counts([[37, 8], [37, 20]])][:2]
    [('chi-square without correction', 0.052), ('chi-square with Yates correction', 0.085)]
    """
    if len(table) != 2 or len(table[0]) != 2:
        extra = chi2_rxc(table).extra
        tests = {"chi-square": extra["p_chi2"]}
        fisher, codes = extra.get("p_fisher"), None
    else:
        extra = chi2_2x2(table, yates=False).extra
        tests = {
            "chi-square without correction": extra["p_uncorrected"],
            "chi-square with Yates correction": extra["p_yates"],
            "chi-square with n - 1": extra["p_n_minus_1"],
        }
        fisher, codes = extra["p_fisher"], float(ttest_codes(table).p_value or 0.0)
    found = [Candidate(test, p, p, "chi_square") for test, p in tests.items()]
    if fisher is not None:
        found.append(Candidate("Fisher's exact", fisher, fisher, "fisher"))
    if codes is not None:
        found.append(Candidate("Student's t on 0/1 codes", codes, codes, "t_of_codes"))
    return found


@dataclass(frozen=True, slots=True)
class PrintedGroup:
    """Mean, SD and n as printed."""

    mean: Printed
    sd: Printed
    n: int


def candidates_from_means(group_1: PrintedGroup, group_0: PrintedGroup) -> list[Candidate]:
    """Return the p-values of both t-tests with both divisors of the SD, within rounding.

    Examples
    --------
    >>> from cardio_stats.forensics.checks import printed
    >>> groups = [PrintedGroup(printed(m), printed(s), n)
    ...           for m, s, n in (("270.5", "81.8", 45), ("307.5", "90.0", 57))]
    >>> [c.test for c in candidates_from_means(*groups) if c.gives(printed("0.036"))]
    ["Student's t, SD divided by n"]
    """
    kinds: tuple[tuple[Literal["student", "welch"], str], ...] = (
        ("student", "Student's t"), ("welch", "Welch's t"),
    )  # fmt: skip
    divisors = ((1, "SD divided by n - 1"), (0, "SD divided by n"))
    candidates = []
    for (kind, name), (ddof, divisor) in product(kinds, divisors):
        p_values = _corners(group_1, group_0, kind, ddof)
        candidates.append(Candidate(f"{name}, {divisor}", min(p_values), max(p_values)))
    return candidates


def _corners(
    group_1: PrintedGroup, group_0: PrintedGroup, kind: Literal["student", "welch"], ddof: int
) -> list[float]:
    """Return p at the corners of what rounding hides; p is 1 where the means may be equal."""
    gap = group_1.mean.value - group_0.mean.value
    slack = group_1.mean.half_step + group_0.mean.half_step
    p_values = [1.0] if abs(gap) <= slack else []
    for move, sd_1, sd_0 in product(
        (-slack, slack), (group_1.sd.low, group_1.sd.high), (group_0.sd.low, group_0.sd.high)
    ):
        found = ttest_from_stats(
            GroupSummary(gap + move, max(sd_1, 0.0), group_1.n),
            GroupSummary(0.0, max(sd_0, 0.0), group_0.n),
            test=kind,
            sd_ddof=ddof,
        )
        p_values.append(float(found.p_value or 0.0))
    return p_values


def _origin(p: Printed, candidates: list[Candidate]) -> tuple[list[Candidate], str]:
    """Return the tests that give the printed p, and a sentence: these, or what each would give."""
    fitting = [candidate for candidate in candidates if candidate.gives(p)]
    if fitting:
        *firsts, last = [candidate.test for candidate in fitting]
        listed = f"{', '.join(firsts)} or {last}" if firsts else last
        return fitting, f"p {p} fits {listed}"
    listed = "; ".join(f"{c.test} {_p_range(c)}" for c in candidates)
    return [], f"p {p} is given by no usual test ({listed})"


def _p_range(candidate: Candidate) -> str:
    if candidate.p_high - candidate.p_low < 5e-4:
        return p_text(candidate.p_low)
    return f"{p_text(candidate.p_low)} to {p_text(candidate.p_high)}"


class CountsP(Check):
    """The p-value of a table of counts: ``check: p_of_counts``.

    Attributes
    ----------
    counts : rows of counts
        One row a group.
    p : number in quotes
    """

    check: Literal["p_of_counts"]
    counts: tuple[tuple[int, ...], ...]
    p: PrintedNumber

    def find(self) -> Finding:
        """Name the test that gives the p, and say where chi-square is not valid."""
        candidates = candidates_from_counts(self.counts)
        known, sentence = _origin(self.p, candidates)
        smallest = float(expected_counts(counts_table(self.counts)).min())
        verdict: Verdict = "agrees" if known else "not reproduced"
        fisher = [c.p_low for c in candidates if c.kind == "fisher"]
        if smallest < 5 and known and fisher:
            verdict = "note"
            sentence += (
                f"; the smallest expected count is {smallest:.2f}, so chi-square is not valid: "
                f"Fisher's exact p is {p_text(fisher[0])}"
            )
        elif any(candidate.kind == "t_of_codes" for candidate in known):
            verdict = "note"
        return Finding(verdict, sentence + ".", by_hand="" if known else self._by_hand())

    def _by_hand(self) -> str:
        table = counts_table(self.counts)
        expected = expected_counts(table)
        terms = " + ".join(
            f"({seen:g} - {due:.2f})²/{due:.2f}"
            for seen, due in zip(table.ravel(), expected.ravel(), strict=True)
        )
        chi2 = float(((table - expected) ** 2 / expected).sum())
        return f"chi-square = {terms} = {chi2:.3f}"


class PrintedMean(Part):
    """Mean, SD and n of one group, mean and SD in quotes as printed."""

    mean: PrintedNumber
    sd: PrintedNumber
    n: int


class Overall(Part):
    """Mean and SD of all groups together."""

    mean: PrintedNumber
    sd: PrintedNumber


class MeansP(Check):
    """The p-value and the overall SD of two means: ``check: p_of_means``.

    Attributes
    ----------
    groups : two of {mean, sd, n}
    p : number in quotes, optional
    overall : {mean, sd}, optional
        As printed for both groups together.
    """

    check: Literal["p_of_means"]
    groups: tuple[PrintedMean, PrintedMean]
    p: PrintedNumber | None = None
    overall: Overall | None = None

    def find(self) -> Finding:
        """Name the test and the divisor of the SD, and pool the groups."""
        parts, good = [], True
        if self.p is not None:
            first, second = (PrintedGroup(g.mean, g.sd, g.n) for g in self.groups)
            known, sentence = _origin(self.p, candidates_from_means(first, second))
            parts.append(sentence)
            good = bool(known)
        if self.overall is not None:
            fits, sentence = self._pooled(self.overall)
            parts.append(sentence)
            good = good and fits
        verdict: Verdict = "agrees" if good else "not reproduced"
        by_hand = "" if good else self._t_by_hand()
        if self.overall is not None and not self._pooled(self.overall)[0]:
            verdict, by_hand = "impossible", self._sd_by_hand()
        return Finding(verdict, "; ".join(parts) + ".", by_hand=by_hand)

    def _t_by_hand(self) -> str:
        (m1, s1, n1), (m0, s0, n0) = ((g.mean.value, g.sd.value, g.n) for g in self.groups)
        within = math.sqrt(((n1 - 1) * s1**2 + (n0 - 1) * s0**2) / (n1 + n0 - 2))
        t = (m1 - m0) / (within * math.sqrt(1 / n1 + 1 / n0)) if within else math.inf
        return (
            f"t = ({m1:g} - {m0:g})/({within:.2f} sqrt(1/{n1} + 1/{n0})) = {t:.3f} with "
            f"{n1 + n0 - 2} degrees of freedom, {within:.2f} = sqrt(({n1 - 1} x {s1:g}² + "
            f"{n0 - 1} x {s0:g}²)/{n1 + n0 - 2})"
        )

    def _sd_by_hand(self) -> str:
        (m1, s1, n1), (m0, s0, n0) = ((g.mean.value, g.sd.value, g.n) for g in self.groups)
        n = n1 + n0
        mean = (n1 * m1 + n0 * m0) / n
        squares = (
            (n1 - 1) * s1**2 + (n0 - 1) * s0**2 + n1 * (m1 - mean) ** 2 + n0 * (m0 - mean) ** 2
        )
        return (
            f"sqrt([{n1 - 1} x {s1:g}² + {n0 - 1} x {s0:g}² + {n1} x ({m1:g} - {mean:.2f})² + {n0} "
            f"x ({m0:g} - {mean:.2f})²]/{n - 1}) = {math.sqrt(squares / (n - 1)):.2f}"
        )

    def _pooled(self, overall: Overall) -> tuple[bool, str]:
        fitting = []
        for ddof, divisor in ((1, "n - 1"), (0, "n")):
            pooled = [
                pooled_mean_sd(
                    [
                        GroupSummary(g.mean.value, max(g.sd.value + side * g.sd.half_step, 0), g.n)
                        for g in self.groups
                    ],
                    sd_ddof=ddof,
                )
                for side in (-1, 0, 1)
            ]
            slack = max(g.mean.half_step for g in self.groups)
            mean_fits = overall.mean.meets(pooled[1].mean - slack, pooled[1].mean + slack)
            # moving the means by their rounding moves the SD by less than that
            if mean_fits and overall.sd.meets(pooled[0].sd - slack, pooled[2].sd + slack):
                fitting.append(divisor)
        if fitting:
            return True, f"the overall {overall.mean} ± {overall.sd} is the pooled one"
        pooled_1 = pooled_mean_sd(
            [GroupSummary(g.mean.value, g.sd.value, g.n) for g in self.groups], sd_ddof=1
        )
        return False, (
            f"the overall is printed {overall.mean} ± {overall.sd}, but the groups pool to "
            f"{pooled_1.mean:.2f} ± {pooled_1.sd:.2f}"
        )


class Chi2P(Check):
    """The p-value of a chi-square statistic: ``check: p_of_chi2``."""

    check: Literal["p_of_chi2"]
    chi2: PrintedNumber
    df: int
    p: PrintedNumber

    def find(self) -> Finding:
        """Compute the p-value within the rounding of the statistic."""
        found = [chi2_p(max(value, 0.0), self.df) for value in (self.chi2.high, self.chi2.low)]
        exact = chi2_p(self.chi2.value, self.df)
        good = self.p.meets(float(found[0].p_value or 0.0), float(found[1].p_value or 0.0))
        gives = f"chi-square {self.chi2} with {self.df} df gives p {exact.p_value:.5f}"
        by_hand = f"P(chi-square with {self.df} df > {self.chi2}) = {exact.p_value:.5f}"
        text = f"{gives}, printed {self.p}."
        return compared(good, "impossible", text, estimates=(exact,), by_hand=by_hand)


class Screening(Check):
    """Many tests of which some were significant: ``check: screening``.

    Attributes
    ----------
    n_tests, n_significant : int
    alpha : float
    smallest_p : number in quotes
    """

    check: Literal["screening"]
    n_tests: int
    n_significant: int
    alpha: float = 0.05
    smallest_p: PrintedNumber

    def find(self) -> Finding:
        """Say how often noise alone does as well."""
        found = multiplicity_null(
            self.n_tests, alpha=self.alpha, k=self.n_significant, p_min=self.smallest_p.value
        )
        chance = found.value
        return Finding(
            "note" if chance > 0.05 else "agrees",
            f"{self.n_tests} independent tests of pure noise give {self.n_significant} or more "
            f"p-values below "
            f"{self.alpha:g} with probability {chance:.2f} "
            f"(expected {found.extra['n_expected']:.1f}) and a smallest p of {self.smallest_p} or "
            f"less with probability {found.extra['p_min_or_smaller']:.2f}; Bonferroni's p is "
            f"{found.extra['p_min_bonferroni']:.3f}.",
            (found,),
        )


class NoneSignificant(Check):
    """A claim that nothing was significant: ``check: none_significant``."""

    check: Literal["none_significant"]
    p_values: dict[str, PrintedNumber]
    alpha: float = 0.05

    def find(self) -> Finding:
        """List the printed p-values below the level."""
        below = [f"{name} p {p}" for name, p in self.p_values.items() if p.high < self.alpha]
        if not below:
            return Finding("agrees", f"no printed p-value lies below {self.alpha:g}.")
        return Finding(
            "not reproduced",
            f"the text says that none was significant; printed are {', '.join(below)}.",
            by_hand="; ".join(f"{each} < {self.alpha:g}" for each in below),
        )
