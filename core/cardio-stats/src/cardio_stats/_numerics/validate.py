"""What every statistic asks of its columns, and what it says about them in an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardio_stats.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MIN_CLUSTERS = 5
"""Fewest clusters that are resampled: `m` clusters have ``C(2m-1, m)`` distinct resamples, and
four of them (35) cannot fill a 2.5 % tail."""


LARGEST = 1e75
"""Fourth powers of larger numbers are infinite to a computer."""


def numeric_column(values: ArrayLike, name: str) -> Floats:
    """Return `values` as a float vector in which NaN marks a missing value.

    Parameters
    ----------
    values : array-like, shape (n,)
        Numbers; None, NaN and pandas' NA are missing.
    name : str
        What to call the column in an error.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    DataError
        Text, an infinite number, or more than one axis.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        column = values.astype(np.float64, copy=False)
    else:
        import pandas as pd

        try:
            column = pd.to_numeric(pd.Series(values), errors="raise").to_numpy(
                dtype=np.float64, na_value=np.nan
            )
        except (TypeError, ValueError) as error:
            found = str(error).split(" at position")[0]
            raise DataError(
                f"{name}: expected numbers, found text ({found}); code the column as numbers"
            ) from None
    if column.ndim != 1:
        raise DataError(f"{name}: expected one column, found an array of shape {column.shape}")
    if (infinite := np.isinf(column)).any():
        raise DataError(
            f"{name}: expected finite numbers, found {int(infinite.sum())} infinite, the first in "
            f"data row {int(infinite.argmax()) + 1}; clip them or mark them as missing"
        )
    largest = np.nanmax(np.abs(column), initial=0.0)
    if largest > LARGEST:
        raise DataError(
            f"{name}: expected numbers up to {LARGEST:g}, whose powers can be computed, found "
            f"{largest:g}; rescale them or mark them as missing"
        )
    if 0 < largest < 1 / LARGEST:
        raise DataError(
            f"{name}: expected numbers whose powers are not 0 to a computer, found none above "
            f"{largest:g}; rescale them"
        )
    return column


def binary_column(values: ArrayLike, name: str) -> Floats:
    """Return 0/1 labels as floats in which NaN marks a missing label."""
    column = numeric_column(values, name)
    other = np.unique(column[~(np.isnan(column) | (column == 0) | (column == 1))])
    if other.size:
        raise DataError(
            f"{name}: expected labels 0 and 1, found {other[0]:g}; recode the positive class as 1",
            code="out_of_range",
        )
    return column


def binary_labels(
    outcome: ArrayLike,
    event: str | None = None,
    *,
    negative: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> ArrayLike:
    """Return an outcome of words as 1 with the event, 0 without and NaN; one of numbers as it is.

    Parameters
    ----------
    outcome : array-like, shape (n,)
    event : str, optional
        The word that counts; not needed of 0 and 1, or of yes and no.
    negative, missing : sequence of str
        Words without the event, where there are several, and words that mean missing.

    Returns
    -------
    array-like, shape (n,)
        What every function that takes an outcome takes.

    Raises
    ------
    ConfigError
        Words that leave open which is the event, or are neither the event nor a control nor
        missing, with their counts.

    Examples
    --------
    >>> binary_labels(["died", "alive", "lost"], "died", missing=["lost"]).tolist()
    [1.0, 0.0, nan]
    """
    named = event is not None or negative or missing
    if not named and np.asarray(outcome).dtype.kind in "biuf":
        return outcome
    import pandas as pd

    from cardio_stats.outcome import Outcome, place_words

    column = outcome if isinstance(outcome, pd.Series) else pd.Series(np.asarray(outcome))
    if not named and not any(isinstance(cell, str) for cell in column):
        return outcome
    requested = Outcome(
        str(column.name or "outcome"),
        None if event is None else str(event),
        tuple(map(str, negative)),
        tuple(map(str, missing)),
    )
    return place_words(column, requested).truth.to_numpy(dtype=np.float64, na_value=np.nan)


def group_codes(values: ArrayLike, name: str) -> Ints:
    """Number identifiers of any type 0, 1, ... as they first occur; -1 where missing."""
    import pandas as pd

    series = pd.Series(values)
    if series.ndim != 1:
        raise DataError(f"{name}: expected one column of identifiers, found shape {series.shape}")
    codes, _ = pd.factorize(series)
    return codes.astype(np.int64)


def known_units(
    known: Bools, patient: ArrayLike | None, name: str = "patient"
) -> tuple[Bools, Ints | None]:
    """Return which rows are known with their patient, and the number of each one's patient."""
    if patient is None:
        return known, None
    codes = group_codes(patient, name)
    same_length(data=known, **{name: codes})
    known = known & (codes >= 0)
    return known, np.unique(codes[known], return_inverse=True)[1].astype(np.int64)


def same_length(**columns: Floats | Ints | Bools | None) -> int:
    """Return the common length of the columns that are given."""
    lengths = {name: column.shape[-1] for name, column in columns.items() if column is not None}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(
            f"expected columns of one length, found {listed}; align the rows first", code="mismatch"
        )
    n_rows = int(next(iter(lengths.values())))
    if n_rows == 0:
        raise DataError(f"{', '.join(lengths)}: expected rows, found none")
    return n_rows


def checked_fraction(value: float, name: str) -> float:
    """Return a number that lies between 0 and 1, exclusive."""
    if not 0 < value < 1:
        raise DataError(
            f"{name}: expected a number strictly between 0 and 1, found {value:g}",
            code="out_of_range",
        )
    return value


def checked_level(level: float) -> float:
    """Return a coverage that lies between 0 and 1, exclusive."""
    if not 0 < level < 1:
        raise DataError(f"level: expected a number between 0 and 1 such as 0.95, found {level}")
    return level


@dataclass(frozen=True, slots=True)
class ScoredSample:
    """Labels and one or more scores on the same complete rows.

    Attributes
    ----------
    positive : ndarray of bool, shape (n,)
    scores : ndarray of float64, shape (n_scores, n)
    clusters : ndarray of int64, shape (n,), or None
        Cluster number 0 to ``n_clusters - 1`` of every row.
    n_clusters : int
        0 without clusters.
    n_dropped : int
        Rows left out because a label, a score or a cluster was missing.
    """

    positive: Bools
    scores: Floats
    clusters: Ints | None
    n_clusters: int
    n_dropped: int

    @property
    def n(self) -> int:
        """Number of complete rows."""
        return int(self.positive.size)

    @property
    def n_positive(self) -> int:
        """Number of rows of class 1."""
        return int(np.count_nonzero(self.positive))

    @property
    def units_of_each_class(self) -> tuple[int, int]:
        """Rows, or the clusters that hold rows, of class 1 and of class 0."""
        if self.clusters is None:
            return self.n_positive, self.n - self.n_positive
        n_positive, n_negative = (
            np.unique(self.clusters[rows]).size for rows in (self.positive, ~self.positive)
        )
        return n_positive, n_negative

    def counted(self, unit: str | None) -> SampleCount:
        """Return the fields of an estimate that describe this sample."""
        return sample_count(self.n, self.n_clusters, unit, self.n_dropped)

    def require_clusters(self, unit: str | None) -> None:
        """Refuse a handful of clusters, where rows have any."""
        if self.clusters is not None:
            require_clusters(self.n_clusters, unit or "patient")


def scored_sample(
    outcome: ArrayLike,
    *scores: ArrayLike,
    event: str | None = None,
    clusters: ArrayLike | None = None,
) -> ScoredSample:
    """Check labels and scores, and keep the rows on which everything is known."""
    truth = binary_column(binary_labels(outcome, event), "outcome")
    columns = [
        numeric_column(score, "scores" if len(scores) == 1 else f"scores {position}")
        for position, score in enumerate(scores, start=1)
    ]
    codes = None if clusters is None else group_codes(clusters, "clusters")
    named = {f"scores {position}": column for position, column in enumerate(columns, start=1)}
    n_rows = same_length(labels=truth, **named, clusters=codes)
    known = ~np.isnan(truth)
    for column in columns:
        known &= ~np.isnan(column)
    if codes is not None:
        known &= codes >= 0
    n_known = int(np.count_nonzero(known))
    if n_known < n_rows:
        truth, columns = truth[known], [column[known] for column in columns]
        codes = None if codes is None else np.unique(codes[known], return_inverse=True)[1]
    positive = truth == 1
    require_both_classes(positive)
    n_clusters = 0 if codes is None else int(codes.max()) + 1
    return ScoredSample(positive, np.stack(columns), codes, n_clusters, n_rows - n_known)


def require_both_classes(positive: Bools) -> None:
    """Refuse labels that hold one class only."""
    n_positive = int(np.count_nonzero(positive))
    if positive.size == 0:
        raise DataError("outcome: expected complete rows, found none; every row misses a value")
    if n_positive in (0, positive.size):
        raise DataError(
            f"outcome: expected both classes, found {positive.size} rows of class "
            f"{int(n_positive > 0)} only; discrimination needs both, give one class its mean",
            code="degenerate",
        )


def require_clusters(n_clusters: int, unit: str) -> None:
    """Refuse to resample, or to estimate a variance from, a handful of clusters."""
    if n_clusters < MIN_CLUSTERS:
        raise DataError(
            f"{unit}s: expected at least {MIN_CLUSTERS} to resample, found {n_clusters}; "
            f"report each {unit} on its own",
            code="too_few",
        )


def group_sums(values: Floats | Bools, groups: Ints, n_groups: int = 0) -> Floats:
    """Add `values` within each group, numbered from 0 to at least ``n_groups - 1``."""
    return np.bincount(groups, weights=values, minlength=n_groups).astype(np.float64, copy=False)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, with NaN where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(
        np.asarray(numerator, dtype=np.float64), np.asarray(denominator, dtype=np.float64)
    )
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


class SampleCount(TypedDict):
    """The fields of an estimate that describe its sample."""

    n: int
    unit: str
    n_patients: int | None
    n_dropped: int


def sample_count(
    n_rows: int, n_clusters: int | None, unit: str | None, n_dropped: int = 0
) -> SampleCount:
    """Count clusters where there are any, else rows.

    Examples
    --------
    >>> sample_count(900, 60, None)
    {'n': 60, 'unit': 'patient', 'n_patients': 60, 'n_dropped': 0}
    """
    n = n_clusters or n_rows
    unit = unit or ("patient" if n_clusters else "row")
    n_patients = n if unit == "patient" else None
    return {"n": n, "unit": unit, "n_patients": n_patients, "n_dropped": n_dropped}


# Labels beside predicted probabilities.


def require_probabilities(predicted: Floats) -> None:
    """Refuse numbers outside 0 to 1."""
    outside = (predicted < 0) | (predicted > 1)
    if outside.any():
        raise DataError(
            f"probabilities: expected numbers between 0 and 1, found {predicted[outside][0]:g} and "
            f"{int(outside.sum()) - 1} more outside; turn scores into probabilities first",
            code="out_of_range",
        )


def require_overlap(sample: ScoredSample) -> None:
    """Refuse probabilities that separate the classes, where a logistic slope is infinite."""
    of_positive, of_negative = sample.scores[0][sample.positive], sample.scores[0][~sample.positive]
    if of_positive.min() >= of_negative.max() or of_positive.max() <= of_negative.min():
        raise DataError(
            "probabilities: they separate the classes completely (separation), so the slope is "
            "infinite; use calibration in the large, or more rows"
        )


def require_variation(sample: ScoredSample) -> None:
    """Refuse a constant predictor where its spread matters."""
    predicted = sample.scores[0]
    if np.ptp(predicted) == 0:
        raise DataError(
            f"probabilities: expected several values, found {predicted[0]:g} in every row; a "
            "constant predictor has no slope or curve, use calibration in the large",
            code="degenerate",
        )
