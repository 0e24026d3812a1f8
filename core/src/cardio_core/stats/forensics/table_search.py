"""Which whole-number tables give a printed odds ratio with its interval and p."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cardio_core.errors import DataError
from cardio_core.stats.forensics.summaries import Printed
from cardio_core.stats.foundation.intervals import normal_quantile
from cardio_core.stats.foundation.validate import Bools, Floats

MAX_N = 400


@dataclass(frozen=True, slots=True)
class PrintedOddsRatio:
    """An odds ratio as a paper prints it; p may be missing."""

    odds_ratio: Printed
    low: Printed
    high: Printed
    p: Printed | None = None


@dataclass(frozen=True, slots=True)
class SampleFound:
    """One sample in which every printed odds ratio has a table.

    Attributes
    ----------
    n, n_events : int
    tables : mapping of name to tuple
        All (exposed with event, exposed without) that fit; the unexposed follow.
    """

    n: int
    n_events: int
    tables: Mapping[str, tuple[tuple[int, int], ...]]


def search_2x2(
    published: Mapping[str, PrintedOddsRatio], n_range: tuple[int, int], *, level: float = 0.95
) -> list[SampleFound]:
    """Find every sample size and number of events in which all printed odds ratios can arise.

    Parameters
    ----------
    published : mapping of name to PrintedOddsRatio
        Univariable odds ratios of binary predictors in one sample.
    n_range : tuple of int
        Smallest and largest sample size, at most 400.
    level : float
        Of the printed intervals.

    Returns
    -------
    list of SampleFound
        Empty if no sample gives them all. A sample comes with its mirror: exchanging events with
        others and exposed with unexposed changes neither ratio nor interval.

    Notes
    -----
    All tables are tried. A univariable logistic regression of a binary predictor has the sample
    odds ratio, Woolf's standard error and the Wald p, so no model needs to be fitted.

    Examples
    --------
    >>> from cardio_core.stats.forensics.summaries import printed
    >>> row = PrintedOddsRatio(*map(printed, ("6.00", "0.81", "44.35", "0.079")))
    >>> [(s.n, s.n_events, s.tables["x"]) for s in search_2x2({"x": row}, (19, 20))]
    [(20, 8, ((6, 4),)), (20, 10, ((6, 2), (8, 4))), (20, 12, ((8, 2),))]
    """
    low, high = n_range
    if not published or not 4 <= low <= high <= MAX_N:
        raise DataError(
            f"2x2 search: expected odds ratios and sample sizes from 4 to {MAX_N}, found "
            f"{len(published)} and {low} to {high}"
        )
    z = normal_quantile(level)
    found = []
    for n in range(low, high + 1):
        for n_events in range(1, n):
            tables = _tables(published, n, n_events, z)
            if tables:
                found.append(SampleFound(n, n_events, tables))
    return found


def _tables(
    published: Mapping[str, PrintedOddsRatio], n: int, n_events: int, z: float
) -> dict[str, tuple[tuple[int, int], ...]]:
    """Return the fitting tables of every odds ratio, or nothing if one has none."""
    a = np.arange(1, n_events, dtype=np.float64)[:, None]
    b = np.arange(1, n - n_events, dtype=np.float64)[None, :]
    if a.size == 0 or b.size == 0:
        return {}
    c, d = n_events - a, n - n_events - b
    log_or = np.log(a * d / (b * c))
    se = np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    tables = {}
    for name, row in published.items():
        fits = (
            _within(np.exp(log_or), row.odds_ratio)
            & _within(np.exp(log_or - z * se), row.low)
            & _within(np.exp(log_or + z * se), row.high)
        )
        if row.p is not None and fits.any():
            fits &= _within(2 * ndtr(-np.abs(log_or / se)), row.p)
        cells = np.argwhere(fits) + 1
        if not len(cells):
            return {}
        tables[name] = tuple((int(i), int(j)) for i, j in cells)
    return tables


def _within(values: Floats, number: Printed) -> Bools:
    slack = 1e-9 * max(1.0, abs(number.value))
    return np.asarray((values >= number.low - slack) & (values <= number.high + slack))
