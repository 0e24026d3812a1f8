"""Limits of agreement between two methods that measure the same quantity."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal, Unpack

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtri, fdtrc, fdtri, nctdtrit, stdtrit

from cardio_stats._numerics.intervals import normal_quantile, t_quantile, two_sided_p, wald_limits
from cardio_stats._numerics.options import DrawOptions, RowOptions, Sampling, spells_out
from cardio_stats._numerics.validate import (
    Floats,
    Ints,
    checked_level,
    group_sums,
    known_units,
    numeric_column,
    ratio,
    require_clusters,
    same_length,
    sample_count,
)
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.resampling import bootstrap_sums


@dataclass(frozen=True, slots=True)
class Agreement:
    """What :func:`limits_of_agreement` returns.

    Attributes
    ----------
    bias, sd, lower, upper : Estimate
        Mean and SD of the differences, measured less reference, and the two limits of agreement,
        each with its own interval, in the unit of the measurement.
    mean, difference : ndarray of float64, shape (n,)
        The points of the plot.
    """

    bias: Estimate
    sd: Estimate
    lower: Estimate
    upper: Estimate
    mean: Floats
    difference: Floats

    @property
    def estimates(self) -> list[Estimate]:
        """Bias, SD, lower and upper limit."""
        return [self.bias, self.sd, self.lower, self.upper]


@spells_out(RowOptions)
def limits_of_agreement(
    reference: ArrayLike, measured: ArrayLike, *, share: float = 0.95, **options: Unpack[RowOptions]
) -> Agreement:
    """Return Bland and Altman's limits of agreement.

    Parameters
    ----------
    reference, measured : array-like, shape (n,)
        The same quantity in the same unit. Rows in which anything is missing are left out.
    share : float
        Share of differences between the limits: 0.95 gives bias ± 1.96 SD.

    Returns
    -------
    Agreement

    Raises
    ------
    DataError
        Fewer than three pairs, fewer than five subjects, no subject with two pairs where
        `patient` are given, or differences that are all equal.

    Notes
    -----
    Without subjects the intervals are exact for normal differences. With them the variance is
    that between subjects' means plus that within subjects, and the intervals are Zou's (MOVER).
    Look at the plot first: limits that widen with the mean need a log scale.

    References
    ----------
    Bland JM, Altman DG. Lancet 1986;327:307; J Biopharm Stat 2007;17:571 (several pairs).
    Carkeet A. Optom Vis Sci 2015;92:e71 (exact limits). Zou GY. Stat Methods Med Res 2013;22:630.

    Examples
    --------
    >>> found = limits_of_agreement([50, 42, 61, 35, 47], [52, 41, 66, 35, 50])
    >>> found.bias.value, round(found.lower.value, 2), round(found.upper.value, 2)
    (1.8, -2.88, 6.48)
    """
    sampling = Sampling(**options)
    level, unit = sampling.level, sampling.unit
    multiple = normal_quantile(checked_level(share))
    item, other = numeric_column(reference, "reference"), numeric_column(measured, "measured")
    n_rows = same_length(reference=item, measured=other)
    known, groups = known_units(~(np.isnan(item) | np.isnan(other)), sampling.patient)
    difference, mean = (other - item)[known], (other + item)[known] / 2
    if difference.size < 3:
        raise DataError(
            f"reference, measured: expected at least 3 complete pairs, found {difference.size}"
        )
    if np.ptp(difference) == 0:
        raise DataError(
            f"measured: expected differences that vary, found {difference[0]:g} in every pair; the "
            "methods agree up to that constant"
        )
    if groups is None:
        parts = _simple(difference, multiple, level)
        n_subjects, method = None, "Bland-Altman, exact for normal differences"
    else:
        n_subjects = int(groups.max()) + 1
        require_clusters(n_subjects, unit or "patient")
        parts = _repeated(difference, groups, multiple, level)
        method = "Bland-Altman, several pairs a subject; Zou (MOVER)"
    n_dropped = n_rows - difference.size
    counted = sample_count(difference.size, n_subjects, unit, n_dropped)
    bias, sd, lower, upper = (
        Estimate(
            name,
            *part,
            level,
            method,
            extra={"n_rows": difference.size, "share": share},
            **counted,
        )
        for name, part in zip(
            ("bias", "sd_of_differences", "loa_lower", "loa_upper"), parts, strict=True
        )
    )
    return Agreement(_with_test(bias, counted["n"]), sd, lower, upper, mean, difference)


Part = tuple[float, float, float]


def _simple(difference: Floats, multiple: float, level: float) -> list[Part]:
    n = difference.size
    df, root_n = n - 1, math.sqrt(n)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    tail = (1 - level) / 2
    half_width = float(stdtrit(df, 1 - tail)) * sd / root_n
    # a limit is a normal quantile: its exact bounds are those of a non-central t
    inner, outer = (
        float(nctdtrit(df, multiple * root_n, p)) * sd / root_n for p in (tail, 1 - tail)
    )
    return [
        (bias, bias - half_width, bias + half_width),
        (sd, sd * math.sqrt(df / chdtri(df, tail)), sd * math.sqrt(df / chdtri(df, 1 - tail))),
        (bias - multiple * sd, bias - outer, bias - inner),
        (bias + multiple * sd, bias + inner, bias + outer),
    ]


def _repeated(difference: Floats, groups: Ints, multiple: float, level: float) -> list[Part]:
    """Variance of one difference: between subjects' means, plus what a mean hides within them."""
    m = group_sums(np.ones(difference.size), groups)
    means = group_sums(difference, groups) / m
    n, n_pairs = means.size, difference.size
    df_within = n_pairs - n
    if df_within == 0:
        raise DataError(
            "patient: expected some with two or more pairs, found one each; leave patient out"
        )
    tail = (1 - level) / 2
    bias, between = float(means.mean()), float(means.var(ddof=1))
    within = float(np.sum((difference - means[groups]) ** 2) / df_within)
    hidden = float(1 - np.mean(1 / m))
    variance = between + hidden * within
    sd = math.sqrt(variance)

    def reach(p: float) -> float:
        return math.hypot(
            between * (1 - (n - 1) / chdtri(n - 1, p)),
            hidden * within * (1 - df_within / chdtri(df_within, p)),
        )

    low, high = math.sqrt(max(0.0, variance - reach(tail))), math.sqrt(variance + reach(1 - tail))
    half_width = float(stdtrit(n - 1, 1 - tail)) * math.sqrt(between / n)
    error = normal_quantile(level) * math.sqrt(between / n)
    inner, outer = (math.hypot(error, multiple * gap) for gap in (sd - low, high - sd))
    lower, upper = bias - multiple * sd, bias + multiple * sd
    return [
        (bias, bias - half_width, bias + half_width),
        (sd, low, high),
        (lower, lower - outer, lower + inner),
        (upper, upper - inner, upper + outer),
    ]


def _with_test(bias: Estimate, n: int) -> Estimate:
    """Add the t test of no bias, from the interval that belongs to it."""
    assert bias.low is not None and bias.level is not None  # noqa: S101 - for mypy
    df = n - 1
    se = (bias.value - bias.low) / t_quantile(bias.level, df)
    t = bias.value / se
    extra = {**bias.extra, "se": se, "t": t, "df": df}
    return bias.replace(p_value=two_sided_p(t, df), extra=extra)


# Pearson's and Spearman's correlation with their intervals.


def correlation(
    x: ArrayLike,
    y: ArrayLike,
    *,
    method: Literal["pearson", "spearman"] = "pearson",
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Return a correlation with Fisher's interval.

    Parameters
    ----------
    x, y : array-like, shape (n,)
        Rows in which either is missing are left out.
    method : {"pearson", "spearman"}
        ``"spearman"`` correlates midranks.
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    Estimate
        ``pearson_r`` or ``spearman_rho``; `p_value` from Student's t; `extra` holds ``t`` and
        ``df``. At exactly 1 or −1 there is no interval.

    Raises
    ------
    DataError
        Fewer than four complete rows, or a constant column.

    Notes
    -----
    Correlation is no agreement: a method that reads twice the truth correlates perfectly.

    References
    ----------
    Fisher RA. Metron 1921;1:3. Spearman's error on Fisher's scale: Bonett DG, Wright TA.
    Psychometrika 2000;65:23.

    Examples
    --------
    >>> found = correlation([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 7, 5])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.792, -0.055, 0.976)
    """
    item, other = numeric_column(x, "x"), numeric_column(y, "y")
    n_rows = same_length(x=item, y=other)
    known = ~(np.isnan(item) | np.isnan(other))
    item, other = item[known], other[known]
    n = item.size
    if n < 4:
        raise DataError(f"x, y: expected at least 4 complete rows, found {n}")
    for name, column in (("x", item), ("y", other)):
        if np.ptp(column) == 0:
            raise DataError(f"{name}: expected several values, found {column[0]:g} in every row")
    if method == "spearman":
        from scipy.stats import rankdata

        item, other = rankdata(item), rankdata(other)
    item, other = item - item.mean(), other - other.mean()
    value = float(item @ other / math.sqrt((item @ item) * (other @ other)))
    name = "pearson_r" if method == "pearson" else "spearman_rho"
    estimate = Estimate(name, max(-1.0, min(1.0, value)), **sample_count(n, None, unit, n_rows - n))
    if abs(value) > 1 - 1e-12:
        return estimate.replace(
            value=math.copysign(1.0, value),
            method="point estimate",
            p_value=0.0,
            note="the relation is perfect: no interval",
        )
    t = value * math.sqrt((n - 2) / (1 - value**2))
    inflation = 1.0 if method == "pearson" else 1 + value**2 / 2
    half_width = normal_quantile(checked_level(level)) * math.sqrt(inflation / (n - 3))
    return estimate.replace(
        low=math.tanh(math.atanh(value) - half_width),
        high=math.tanh(math.atanh(value) + half_width),
        level=level,
        method="Fisher's z" if method == "pearson" else "Fisher's z, Bonett-Wright error",
        p_value=two_sided_p(t, n - 2),
        extra={"t": t, "df": n - 2},
    )


# Cohen's kappa: agreement of two raters beyond chance, plain or weighted.

Weights = Literal["linear", "quadratic"]


def cohen_kappa(
    first: ArrayLike,
    second: ArrayLike,
    *,
    classes: Sequence[Hashable] | None = None,
    weights: Weights | None = None,
    level: float = 0.95,
    unit: str = "row",
) -> Estimate:
    """Return how far two raters agree beyond chance.

    Parameters
    ----------
    first, second : array-like of labels, shape (n,)
        Rows in which either is missing are left out.
    classes : sequence of labels, optional
        All classes, in their order where `weights` are given; those that occur, by default.
    weights : {"linear", "quadratic"}, optional
        Of a disagreement by the distance of ordered classes; without it all count the same.
    level : float
    unit : str
        What a row is; rows must be independent.

    Returns
    -------
    Estimate
        ``kappa``, or ``weighted_kappa``; `p_value` tests 0 with the error under independence;
        `extra` holds ``se``, ``se_null`` and ``observed`` agreement.

    Raises
    ------
    DataError
        Labels outside `classes`, no complete row, or one class only in both raters.

    References
    ----------
    Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa.
    Psychol Bull 1969;72:323.

    Examples
    --------
    >>> found = cohen_kappa(list("AAABBBCC"), list("AABBBBCA"))
    >>> round(found.value, 3), round(found.extra["se"], 3)
    (0.61, 0.23)
    """
    import pandas as pd
    from statsmodels.stats.inter_rater import cohens_kappa

    a, b = pd.Series(first), pd.Series(second)
    if len(a) != len(b):
        raise DataError(f"expected columns of one length, found {len(a)} and {len(b)}")
    known = (a.notna().to_numpy()) & (b.notna().to_numpy())
    a, b = a[known], b[known.copy()]
    if classes is None:
        classes = sorted({*a.unique(), *b.unique()})
        if weights is not None and not all(isinstance(c, int | float | np.number) for c in classes):
            raise DataError("weights: expected the order of the classes; give them as classes=")
    codes = [pd.Categorical(rated, categories=list(classes)).codes.astype(int) for rated in (a, b)]
    for rated, code in zip((a, b), codes, strict=True):
        if (code < 0).any():
            raise DataError(
                f"expected one of {', '.join(map(str, classes))}, found {rated[code < 0].iloc[0]!r}"
            )
    if len(a) == 0:
        raise DataError("first, second: expected complete rows, found none")
    if len({*codes[0], *codes[1]}) == 1:
        raise DataError(
            "first, second: expected two or more classes, found one in both raters; kappa is not "
            "defined, report the observed agreement"
        )
    k = len(classes)
    table = np.bincount(codes[0] * k + codes[1], minlength=k * k).reshape(k, k)
    with np.errstate(divide="ignore", invalid="ignore"):  # of a z that nothing here uses
        found = cohens_kappa(table, wt=weights)
    value = float(found.kappa)
    # a variance of 0 can come out a rounding below
    se, se_null = (math.sqrt(max(0.0, each)) for each in (found.var_kappa, found.var_kappa0))
    credit = np.eye(k) if weights is None else 1 - found.weights
    return Estimate(
        "kappa" if weights is None else "weighted_kappa",
        value,
        *wald_limits(value, se, checked_level(level), within=(-1.0, 1.0)),
        level,
        "Cohen" + (f", {weights} weights" if weights else "") + "; Fleiss-Cohen-Everitt error",
        p_value=two_sided_p(value / se_null) if se_null > 0 else None,
        note="" if se > 0 else "the raters never differ: the interval has no width",
        extra={"se": se, "se_null": se_null, "observed": float((credit * table).sum()) / len(a)},
        **sample_count(len(a), None, unit, int((~known).sum())),
    )


# Intraclass correlations: Shrout and Fleiss's six forms from one analysis of variance.


IccForm = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]


def icc(
    ratings: ArrayLike, form: IccForm = "2,1", *, level: float = 0.95, unit: str = "patient"
) -> Estimate:
    """Return how alike the ratings of one subject are.

    Parameters
    ----------
    ratings : array-like, shape (n_subjects, n_raters)
        Subjects with a missing rating are left out and counted.
    form : {"2,1", "1,1", "3,1", "1,k", "2,k", "3,k"}
        1: every subject has other raters; 2: random raters who rate everybody, absolute
        agreement; 3: these raters only, consistency. Of a single rating, or of the mean of all k.
    level : float
    unit : str
        What a row is.

    Returns
    -------
    Estimate
        ``icc_2_1`` and so on. `p_value` tests 0; `extra` holds ``f``, ``df1``, ``df2`` and
        ``n_raters``.

    Raises
    ------
    DataError
        Fewer than two raters or three complete subjects, or no variation; form "2,k" where raters
        disagree so much that its lower limit does not exist.

    Notes
    -----
    For agreement between interchangeable methods quote form 2; form 3 ignores a constant bias. An
    ICC rises with the spread of the subjects: do not compare it between cohorts.

    References
    ----------
    Shrout PE, Fleiss JL. Psychol Bull 1979;86:420. McGraw KO, Wong SP. Psychol Methods 1996;1:30.

    Examples
    --------
    >>> ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9],
    ...            [6, 2, 4, 7]]
    >>> [round(icc(ratings, form).value, 2) for form in ("1,1", "2,1", "3,1")]
    [0.17, 0.29, 0.71]
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise DataError(
            f"ratings: expected subjects in rows and at least 2 raters in columns, found shape "
            f"{table.shape}"
        )
    complete = table[~np.isnan(table).any(axis=1)]
    if len(complete) < 3:
        raise DataError(f"ratings: expected at least 3 complete subjects, found {len(complete)}")
    squares = _mean_squares(complete)
    if squares["rows"] == 0 or squares["error"] <= 1e-12 * squares["rows"]:
        raise DataError(
            "ratings: expected variation between subjects and beyond that of subjects and raters, "
            "found none; the ratings are identical or differ by a constant"
        )
    forms = _forms(squares, len(complete), complete.shape[1], checked_level(level))
    wanted = f"icc_{form.replace(',', '_')}"
    for name, value, low, high, p_value, extra in forms:
        if name == wanted:
            return Estimate(
                name,
                value,
                low,
                high,
                level,
                "Shrout-Fleiss, F interval",
                p_value=p_value,
                extra={**extra, "n_raters": complete.shape[1]},
                **sample_count(len(complete), None, unit, len(table) - len(complete)),
            )
    raise DataError(
        f"ICC({form}): raters disagree so much that its limits do not exist; use a single rating, "
        "form 2,1"
    )


def _mean_squares(table: Floats) -> dict[str, float]:
    n, k = table.shape
    centre = table.mean()
    rows = k * np.sum((table.mean(axis=1) - centre) ** 2)
    columns = n * np.sum((table.mean(axis=0) - centre) ** 2)
    error = np.sum((table - centre) ** 2) - rows - columns
    return {
        "rows": float(rows / (n - 1)),
        "columns": float(columns / (k - 1)),
        "error": float(error / ((n - 1) * (k - 1))),
        "within": float((columns + error) / (n * (k - 1))),
    }


Form = tuple[str, float, float, float, float, dict[str, float]]


def _forms(squares: dict[str, float], n: int, k: int, level: float) -> list[Form]:
    ms_rows, ms_error, ms_within = squares["rows"], squares["error"], squares["within"]
    tail = 1 - (1 - level) / 2
    df1, df_within, df_error = n - 1, n * (k - 1), (n - 1) * (k - 1)
    found: list[Form] = []
    for form, ms, df2 in (("1", ms_within, df_within), ("3", ms_error, df_error)):
        f = ms_rows / ms
        low_f, high_f = f / float(fdtri(df1, df2, tail)), f * float(fdtri(df2, df1, tail))
        test = (float(fdtrc(df1, df2, f)), {"f": f, "df1": float(df1), "df2": float(df2)})
        single = [(each - 1) / (each + k - 1) for each in (f, low_f, high_f)]
        average = [1 - 1 / each for each in (f, low_f, high_f)]
        found.append((f"icc_{form}_1", single[0], single[1], single[2], *test))
        found.append((f"icc_{form}_k", average[0], average[1], average[2], *test))
    return sorted(
        [*found, *_two_way_random(squares, n, k, tail, test)], key=lambda item: item[0][::-1]
    )


def _two_way_random(
    squares: dict[str, float], n: int, k: int, tail: float, test: tuple[float, dict[str, float]]
) -> list[Form]:
    """Form 2, with form 3's test; the interval is Satterthwaite's: three mean squares enter."""
    rows, columns, error = squares["rows"], squares["columns"], squares["error"]
    single = (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)
    ratio_f = columns / error
    numerator = k * single * ratio_f + n * (1 + (k - 1) * single) - k * single
    df = (
        (k - 1)
        * (n - 1)
        * numerator**2
        / ((n - 1) * k**2 * single**2 * ratio_f**2 + (n * (1 + (k - 1) * single) - k * single) ** 2)
    )
    upper_f, lower_f = float(fdtri(n - 1, df, tail)), float(fdtri(df, n - 1, tail))
    shared = k * columns + (k * n - k - n) * error
    low = n * (rows - upper_f * error) / (upper_f * shared + n * rows)
    high = n * (lower_f * rows - error) / (shared + n * lower_f * rows)
    found: list[Form] = [("icc_2_1", single, low, high, *test)]
    if 1 + (k - 1) * low > 0:
        average = [k * value / (1 + (k - 1) * value) for value in (single, low, high)]
        found.append(("icc_2_k", average[0], average[1], average[2], *test))
    return found


# Errors of a predicted number: R², r², MAE and RMSE beside the constant predictor.

ERRORS = ("r2", "pearson_r2", "mae", "mae_constant", "mae_skill", "rmse", "bias", "ccc",
          "pearson_r", "calibration_slope", "calibration_intercept")  # fmt: skip
_OF_A_LINE = ("pearson_r2", "pearson_r", "calibration_slope", "calibration_intercept")
"""What predictions have that are not all the same."""


@spells_out(DrawOptions)
def regression_errors(
    reference: ArrayLike,
    predicted: ArrayLike,
    *,
    weigh_clusters_alike: bool = False,
    **options: Unpack[DrawOptions],
) -> dict[str, Estimate]:
    """Return the errors of predicted numbers with bootstrap intervals.

    Parameters
    ----------
    reference, predicted : array-like, shape (n,)
        The same quantity in the same unit. Rows in which anything is missing are left out.
    weigh_clusters_alike : bool
        Whether every cluster counts alike, so that a row weighs one by the rows of its cluster, as
        in the bias of repeated pairs; otherwise every row does.

    Returns
    -------
    dict of str to Estimate
        ``r2`` is 1 − SSE/SST and negative where the mean would do better; ``pearson_r2`` is the
        squared correlation, which forgives any bias and scale. ``mae_constant`` is the error of
        predicting the median of these rows for all, and ``mae_skill`` is 1 − mae/mae_constant.
        ``ccc`` is Lin's concordance correlation (moments over n). ``calibration_slope`` and
        ``calibration_intercept`` are of the straight line of the reference on the predictions: 1
        and 0 where a prediction is worth its face value. ``pearson_r2``, ``pearson_r`` and that
        line are left out where the predictions are constant.

    Raises
    ------
    DataError
        Fewer than three complete rows, a constant reference, or fewer than five clusters.

    References
    ----------
    Kvålseth TO. Am Stat 1985;39:279, on the definitions of R². Lin LI. Biometrics 1989;45:255.

    Examples
    --------
    >>> found = regression_errors([50, 42, 61, 35, 47], [60, 52, 71, 45, 57], n_resamples=50)
    >>> round(found["r2"].value, 2), round(found["pearson_r2"].value, 2), found["mae"].value
    (-0.34, 1.0, 10.0)
    """
    truth, guess = numeric_column(reference, "reference"), numeric_column(predicted, "predicted")
    same_length(reference=truth, predicted=guess)
    known, codes = known_units(~(np.isnan(truth) | np.isnan(guess)), options.get("patient"))
    if known.sum() < 3:
        raise DataError(
            f"reference, predicted: expected at least 3 complete rows, found {int(known.sum())}"
        )
    if np.ptp(truth[known]) == 0:
        raise DataError(
            f"reference: expected several values, found {truth[known][0]:g} in every row; R² "
            "is not defined, report the mean absolute error"
        )
    weights = np.ones(truth.size)
    if codes is not None and weigh_clusters_alike:
        weights[known] = 1 / np.bincount(codes)[codes]
    # sums of squares lose digits far from zero: centre on the means, which changes no statistic
    centre = float(np.average(truth[known], weights=weights[known]))
    y, p = truth - centre, guess - centre
    median = _weighted_median(y[known], weights[known])
    rows = weights[:, np.newaxis] * np.column_stack(
        [np.ones(y.size), y, y**2, p, p**2, y * p, (y - p) ** 2, np.abs(y - p), np.abs(y - median)]
    )
    constant = np.ptp(guess[known]) == 0
    names = tuple(name for name in ERRORS if not (constant and name in _OF_A_LINE))
    chosen = [ERRORS.index(name) for name in names]
    estimates = bootstrap_sums(
        rows, lambda sums: _errors(sums, centre)[..., chosen], names, **options
    )
    return dict(zip(names, estimates, strict=True))


def _weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value with half of the weight on either side, the middle of two if they tie."""
    order = np.argsort(values)
    ranked, reached = values[order], np.cumsum(weights[order])
    half = reached[-1] / 2
    first = int(np.searchsorted(reached, half * (1 - 1e-12)))
    tied = abs(reached[first] - half) <= 1e-12 * half and first + 1 < ranked.size
    return float((ranked[first] + ranked[first + 1]) / 2 if tied else ranked[first])


def _errors(sums: Floats, centre: float) -> Floats:
    n, y, yy, p, pp, yp, squared, absolute, of_constant = np.moveaxis(sums, -1, 0)
    spread_y, spread_p, shared = yy - y**2 / n, pp - p**2 / n, yp - y * p / n
    slope = ratio(shared, spread_p)
    return np.stack(
        [
            1 - ratio(squared, spread_y),
            ratio(shared**2, spread_y * spread_p),
            absolute / n,
            of_constant / n,
            1 - ratio(absolute, of_constant),
            np.sqrt(squared / n),
            (p - y) / n,
            ratio(2 * shared, spread_y + spread_p + (y - p) ** 2 / n),
            ratio(shared, np.sqrt(np.maximum(spread_y * spread_p, 0.0))),
            slope,
            (y - slope * p) / n + centre * (1 - slope),
        ],
        axis=-1,
    )


def gaussian_constant_mae(sd: float) -> Estimate:
    """Return the mean absolute error of always predicting the mean of a normal variable.

    A published error is judged against it when only the SD is known: 0.798 SD.

    Parameters
    ----------
    sd : float
        Standard deviation, above 0.

    Returns
    -------
    Estimate
        ``mae_constant``, without an interval.

    Examples
    --------
    >>> round(gaussian_constant_mae(72.1).value, 3)
    57.527
    """
    if not sd > 0:
        raise DataError(f"sd: expected a number above 0, found {sd}")
    return Estimate("mae_constant", math.sqrt(2 / math.pi) * sd, method="normal, sqrt(2/pi) SD")
