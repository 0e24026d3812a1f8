"""Two means compared by Student's or Welch's t, from samples or from a published mean and SD.

scipy's ttest_ind_from_stats gives the same t and p to 2e-15, but neither degrees of freedom nor an
interval, and importing scipy.stats takes .45 s of processor time. Analyses of variance are
statsmodels', rank tests scipy's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from cardio_stats._numerics.intervals import two_sided_p, wald_limits
from cardio_stats._numerics.validate import Floats, checked_level, numeric_column, sample_count
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate

TTest = Literal["student", "welch"]


@dataclass(frozen=True, slots=True)
class GroupSummary:
    """A group as a paper prints it.

    Attributes
    ----------
    mean, sd : float
        In the unit of the variable.
    n : int
        At least 2.
    """

    mean: float
    sd: float
    n: int


def _sample_sd(group: GroupSummary, sd_ddof: int) -> float:
    """Return the SD with n - 1 in the denominator, whatever was published."""
    if sd_ddof not in (0, 1):
        raise DataError(f"sd_ddof: expected 0 (divided by n) or 1 (by n - 1), found {sd_ddof}")
    if group.n < 2:
        raise DataError(
            f"t-test: expected at least 2 values in each group, found {group.n}; describe the "
            "groups without a test"
        )
    if group.sd < 0:
        raise DataError(f"t-test: expected a standard deviation of 0 or more, found {group.sd:g}")
    return group.sd if sd_ddof == 1 else group.sd * math.sqrt(group.n / (group.n - 1))


def ttest_from_stats(
    group_1: GroupSummary,
    group_0: GroupSummary,
    *,
    test: TTest,
    sd_ddof: int,
    level: float = 0.95,
    name: str = "mean_difference",
    unit: str = "patient",
    n_dropped: int = 0,
) -> Estimate:
    """Compare two means from their published mean, SD and n.

    Parameters
    ----------
    group_1, group_0 : GroupSummary
        The difference is group 1 minus group 0.
    test : {"student", "welch"}
        Pooled variance, or separate variances with Satterthwaite's degrees of freedom.
    sd_ddof : {0, 1}
        What the SDs were divided by: 0 for n (``numpy.std``), 1 for n - 1. Papers use both, and
        the p-value depends on it, so there is no default.
    level : float
    name, unit : str
    n_dropped : int

    Returns
    -------
    Estimate
        The difference with its t interval; ``extra`` holds ``t``, ``df`` and ``se``.

    Raises
    ------
    DataError
        Fewer than two values in a group, a negative SD, or two constant groups.

    Examples
    --------
    Left ventricular end-diastolic volume, 45 patients of one group against 57 of another:

    >>> e = ttest_from_stats(GroupSummary(270.5, 81.8, 45), GroupSummary(307.5, 90.0, 57),
    ...                      test="student", sd_ddof=0)
    >>> round(e.value, 1), round(e.p_value, 3)
    (-37.0, 0.036)
    """
    checked_level(level)
    sd_1, sd_0 = _sample_sd(group_1, sd_ddof), _sample_sd(group_0, sd_ddof)
    n_1, n_0 = group_1.n, group_0.n
    if test == "student":
        df = float(n_1 + n_0 - 2)
        pooled_variance = ((n_1 - 1) * sd_1**2 + (n_0 - 1) * sd_0**2) / df
        variance = pooled_variance * (1 / n_1 + 1 / n_0)
    else:
        share_1, share_0 = sd_1**2 / n_1, sd_0**2 / n_0
        variance = share_1 + share_0
        # Satterthwaite, Biometrics Bulletin 1946;2:110
        df = variance**2 / (share_1**2 / (n_1 - 1) + share_0**2 / (n_0 - 1)) if variance else 1.0
    if variance == 0:
        raise DataError(
            "t-test: expected values that vary in at least one group, found two constant groups; "
            "describe them without a test"
        )
    difference, se = group_1.mean - group_0.mean, math.sqrt(variance)
    t = difference / se
    return Estimate(
        name,
        difference,
        *wald_limits(difference, se, level, df=df),
        level,
        f"{test.capitalize()}'s t, {df:.4g} df" + (", SDs divided by n" if sd_ddof == 0 else ""),
        **sample_count(n_1 + n_0, None, unit, n_dropped),
        p_value=two_sided_p(t, df),
        extra={"t": t, "df": df, "se": se},
    )


def known_values(values: ArrayLike, name: str) -> tuple[Floats, int]:
    """Return the values that are not missing, and how many are."""
    column = numeric_column(values, name)
    known = column[~np.isnan(column)]
    return known, int(column.size - known.size)


def summary_of(values: Floats) -> GroupSummary:
    """Return mean, SD (n - 1) and n of at least one value."""
    sd = float(np.std(values, ddof=1)) if values.size > 1 else 0.0
    return GroupSummary(float(values.mean()) if values.size else math.nan, sd, int(values.size))


def ttest(
    values_1: ArrayLike,
    values_0: ArrayLike,
    *,
    test: TTest,
    level: float = 0.95,
    name: str = "mean_difference",
    unit: str = "patient",
) -> Estimate:
    """Compare the means of two independent samples.

    Parameters
    ----------
    values_1, values_0 : array-like, shape (n_1,) and (n_0,)
        Missing values are left out and counted.
    test : {"student", "welch"}
        Welch's needs no equal variances and loses little where they are equal.
    level : float
    name, unit : str

    Returns
    -------
    Estimate
        Mean of `values_1` minus mean of `values_0`; see :func:`ttest_from_stats`.

    Examples
    --------
    >>> e = ttest([5.1, 4.9, 6.2, 5.8], [4.1, 4.0, 5.2, 4.4], test="welch")
    >>> round(e.value, 3), round(e.p_value, 3)
    (1.075, 0.039)
    """
    known_1, dropped_1 = known_values(values_1, "values_1")
    known_0, dropped_0 = known_values(values_0, "values_0")
    return ttest_from_stats(
        summary_of(known_1),
        summary_of(known_0),
        test=test,
        sd_ddof=1,
        level=level,
        name=name,
        unit=unit,
        n_dropped=dropped_1 + dropped_0,
    )


def ttest_codes(
    table: Sequence[Sequence[int]], *, level: float = 0.95, unit: str = "patient"
) -> Estimate:
    """Apply Student's t to a 2x2 table coded 0 and 1, as some papers do.

    It is here to recognise such p-values, not to recommend them: use
    :func:`~cardio_stats.contingency.chi2_2x2`.

    Parameters
    ----------
    table : sequence, shape (2, 2)
        One row a group: with the property, without it.
    level : float
    unit : str

    Returns
    -------
    Estimate
        Difference of the two proportions.

    Examples
    --------
    >>> round(ttest_codes([[6, 40], [9, 16]]).p_value, 4)
    0.0235
    """
    groups = []
    for n_with, n_without in table:
        codes = np.repeat([1.0, 0.0], [n_with, n_without])
        groups.append(summary_of(codes))
    found = ttest_from_stats(
        groups[0], groups[1], test="student", sd_ddof=1, level=level, unit=unit,
        name="proportion_difference",
    )  # fmt: skip
    return found.replace(
        method="Student's t on 0/1 codes",
        note="A t-test on 0/1 codes is an approximation; report chi-square or Fisher's test.",
    )


def pooled_mean_sd(groups: Sequence[GroupSummary], *, sd_ddof: int) -> GroupSummary:
    """Return mean, SD and n of all groups taken together.

    Parameters
    ----------
    groups : sequence of GroupSummary
        Groups without common members.
    sd_ddof : {0, 1}
        What the SDs were divided by; the combined SD is divided in the same way.

    Returns
    -------
    GroupSummary

    Notes
    -----
    The sum of squares about the common mean is that within the groups plus that between them; the
    combined SD is therefore at least as large as the smallest within-group SD, up to `sd_ddof`.

    Examples
    --------
    >>> both = pooled_mean_sd([GroupSummary(23.2, 11.2, 46), GroupSummary(32.0, 11.8, 25)],
    ...                       sd_ddof=1)
    >>> round(both.mean, 1), round(both.sd, 1), both.n
    (26.3, 12.1, 71)
    """
    if sd_ddof not in (0, 1):
        raise DataError(f"sd_ddof: expected 0 (divided by n) or 1 (by n - 1), found {sd_ddof}")
    n = sum(group.n for group in groups)
    if n - sd_ddof < 1:
        raise DataError(f"pooled SD: expected at least 2 values, found {n}; give larger groups")
    mean = sum(group.n * group.mean for group in groups) / n
    squares = sum(
        (group.n - sd_ddof) * group.sd**2 + group.n * (group.mean - mean) ** 2 for group in groups
    )
    return GroupSummary(mean, math.sqrt(squares / (n - sd_ddof)), n)


def anova(
    samples: Sequence[ArrayLike], *, test: TTest, unit: str = "patient", name: str = "anova_f"
) -> Estimate:
    """Compare the means of two or more groups by one-way analysis of variance.

    Parameters
    ----------
    samples : sequence of array-like, each shape (n_g,)
        Missing values are left out and counted.
    test : {"student", "welch"}
        Equal variances (Fisher's F), or Welch's F for unequal ones.
    unit, name : str

    Returns
    -------
    Estimate
        The F statistic without interval; ``extra`` holds ``df1`` and ``df2``.

    Raises
    ------
    DataError
        Fewer than two groups, fewer than two values in one, or groups without spread.

    References
    ----------
    Welch BL. On the comparison of several mean values. Biometrika 1951;38:330.

    Examples
    --------
    >>> round(anova([[1, 2, 3], [2, 3, 4], [5, 6, 7]], test="student").p_value, 4)
    0.0066
    """
    from statsmodels.stats.oneway import anova_generic

    columns = [known_values(values, f"group {index}") for index, values in enumerate(samples, 1)]
    groups = [summary_of(known) for known, _ in columns]
    if len(groups) < 2 or min(group.n for group in groups) < 2:
        raise DataError(
            "analysis of variance: expected two or more groups of at least 2 values, found groups "
            f"of {', '.join(str(group.n) for group in groups)}; describe them without a test"
        )
    least = (max if test == "student" else min)(group.sd for group in groups)
    if least == 0:
        raise DataError(
            "analysis of variance: expected values that vary within a group, and Welch's within "
            "every one, found constant groups; use a rank test, or describe them without a test"
        )
    means, sds, sizes = zip(*((g.mean, g.sd, g.n) for g in groups), strict=True)
    use_var = "equal" if test == "student" else "unequal"
    found = anova_generic(np.array(means), np.array(sds) ** 2, np.array(sizes), use_var=use_var)
    df1, df2 = map(float, found.df)
    label = "one-way analysis of variance" if test == "student" else "Welch's analysis of variance"
    return Estimate(
        name,
        float(found.statistic),
        method=f"{label}, {df1:g} and {df2:.4g} df",
        **sample_count(sum(sizes), None, unit, sum(dropped for _, dropped in columns)),
        p_value=float(found.pvalue),
        extra={"df1": df1, "df2": df2},
    )


# Rank tests for measurements that a mean describes badly.

MAX_EXACT = 50
"""Groups below this size, without ties, get the exact distribution (R's rule)."""


def mann_whitney(
    values_1: ArrayLike,
    values_0: ArrayLike,
    *,
    continuity: bool = True,
    name: str = "probability_of_superiority",
    unit: str = "patient",
) -> Estimate:
    """Compare two samples by the Mann-Whitney (Wilcoxon rank-sum) test.

    Parameters
    ----------
    values_1, values_0 : array-like, shape (n_1,) and (n_0,)
        Missing values are left out and counted.
    continuity : bool
        Correct the normal approximation by one half, as R does; used where a group has 50 or more
        values, or where values are tied.
    name, unit : str

    Returns
    -------
    Estimate
        P(a value of group 1 exceeds one of group 0) + half the ties, which is the AUC; ``extra``
        holds ``u``. For its interval use :func:`~cardio_stats.auc.auc`.

    Raises
    ------
    DataError
        An empty group, or all values equal.

    References
    ----------
    Mann HB, Whitney DR. Ann Math Stat 1947;18:50.

    Examples
    --------
    >>> e = mann_whitney([1.1, 2.2, 3.3, 4.4], [0.5, 1.0, 2.0, 2.1])
    >>> round(e.value, 3), round(e.p_value, 3)
    (0.875, 0.114)
    """
    known_1, dropped_1 = known_values(values_1, "values_1")
    known_0, dropped_0 = known_values(values_0, "values_0")
    if min(known_1.size, known_0.size) == 0:
        raise DataError(
            "Mann-Whitney test: expected values in both groups, found an empty one; describe the "
            "other without a test"
        )
    pooled = np.concatenate([known_1, known_0])
    n_distinct = np.unique(pooled).size
    if n_distinct == 1:
        raise DataError(
            "Mann-Whitney test: expected values that vary, found one value only; nothing to test"
        )
    exact = max(known_1.size, known_0.size) < MAX_EXACT and n_distinct == pooled.size
    from scipy.stats import mannwhitneyu

    u, p = mannwhitneyu(
        known_1, known_0, use_continuity=continuity, method="exact" if exact else "asymptotic"
    )
    kind = "exact" if exact else "normal approximation"
    if continuity and not exact:
        kind += " with continuity correction"
    return Estimate(
        name,
        float(u) / (known_1.size * known_0.size),
        method=f"Mann-Whitney test, {kind}",
        **sample_count(int(pooled.size), None, unit, dropped_1 + dropped_0),
        p_value=float(p),
        extra={"u": float(u)},
    )


def kruskal_wallis(
    samples: Sequence[ArrayLike], *, name: str = "kruskal_wallis_h", unit: str = "patient"
) -> Estimate:
    """Compare two or more samples by the Kruskal-Wallis test.

    Parameters
    ----------
    samples : sequence of array-like, each shape (n_g,)
        Missing values are left out and counted.
    name, unit : str

    Returns
    -------
    Estimate
        The statistic H, corrected for ties, without interval; ``extra`` holds ``df``.

    References
    ----------
    Kruskal WH, Wallis WA. J Am Stat Assoc 1952;47:583.

    Examples
    --------
    >>> round(kruskal_wallis([[1, 2, 3], [2, 3, 4], [7, 8, 9]]).p_value, 3)
    0.048
    """
    columns = [known_values(values, f"group {index}") for index, values in enumerate(samples, 1)]
    sizes = [known.size for known, _ in columns]
    if len(sizes) < 2 or min(sizes) == 0:
        raise DataError(
            "Kruskal-Wallis test: expected values in two or more groups, found groups of "
            f"{', '.join(map(str, sizes))}; describe them without a test"
        )
    if np.unique(np.concatenate([known for known, _ in columns])).size == 1:
        raise DataError(
            "Kruskal-Wallis test: expected values that vary, found one value only; nothing to test"
        )
    from scipy.stats import kruskal

    h, p = kruskal(*(known for known, _ in columns))
    df = len(sizes) - 1
    return Estimate(
        name,
        float(h),
        method=f"Kruskal-Wallis test, {df} df",
        **sample_count(sum(sizes), None, unit, sum(dropped for _, dropped in columns)),
        p_value=float(p),
        extra={"df": float(df)},
    )
