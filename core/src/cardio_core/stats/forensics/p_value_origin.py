"""Which test, correction and divisor give a printed p-value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from cardio_core.stats.forensics.summaries import Printed
from cardio_core.stats.groups.contingency import chi2_2x2, chi2_rxc
from cardio_core.stats.groups.means import GroupSummary, ttest_codes, ttest_from_stats


@dataclass(frozen=True, slots=True)
class Candidate:
    """A test and the p-values that it can give within the rounding of its inputs."""

    test: str
    p_low: float
    p_high: float

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
        found = chi2_rxc(table)
        p = {"chi-square": found.extra["p_chi2"]}
        if "p_fisher" in found.extra:
            p["Fisher's exact"] = found.extra["p_fisher"]
    else:
        extra = chi2_2x2(table, yates=False).extra
        p = {
            "chi-square without correction": extra["p_uncorrected"],
            "chi-square with Yates correction": extra["p_yates"],
            "chi-square with n - 1": extra["p_n_minus_1"],
            "Fisher's exact": extra["p_fisher"],
            "Student's t on 0/1 codes": float(ttest_codes(table).p_value or 0.0),
        }
    return [Candidate(test, value, value) for test, value in p.items()]


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
    >>> from cardio_core.stats.forensics.summaries import printed
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
