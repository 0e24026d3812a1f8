"""The difference of two estimates from other patients, from their own intervals."""

from __future__ import annotations

import math

from cardio_core.errors import DataError
from cardio_core.types.estimate import Estimate

METHOD = "independent samples, MOVER"


def independent_difference(one: Estimate, other: Estimate, *, name: str = "") -> Estimate:
    """Return one estimate less another that no patient shares, with an interval.

    Parameters
    ----------
    one, other : Estimate
        Of the same quantity, each with an interval of the same coverage.
    name : str, optional
        Of the difference; by default ``NAME_difference``.

    Returns
    -------
    Estimate
        `n` counts both; `note` says how many each.

    Raises
    ------
    DataError
        An estimate without an interval, or intervals of two coverages.

    Notes
    -----
    The limits are ``d - sqrt((a - a_low)² + (b_high - b)²)`` and
    ``d + sqrt((a_high - a)² + (b - b_low)²)`` (MOVER): each side of the difference takes the sides
    of the two intervals that lead there, so that intervals need not be symmetric. With Wilson's
    intervals of two proportions it is Newcombe's method 10, with symmetric ones the Wald interval.

    References
    ----------
    Zou GY, Donner A. Stat Med 2008;27:1693. Newcombe RG. Stat Med 1998;17:873.

    Examples
    --------
    >>> one = Estimate("auc", 0.80, 0.74, 0.86, 0.95, "DeLong", n=200, unit="patient")
    >>> other = Estimate("auc", 0.90, 0.82, 0.98, 0.95, "DeLong", n=100, unit="patient")
    >>> found = independent_difference(one, other)
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (-0.1, -0.2, 0.0)
    """
    for estimate in (one, other):
        if estimate.low is None or estimate.high is None:
            raise DataError(f"{estimate.name}: expected an interval, found none")
    if one.level != other.level:
        raise DataError(
            f"{one.name}: expected intervals of one coverage, found {one.level} and {other.level}"
        )
    a, a_low, a_high = one.value, float(one.low or 0.0), float(one.high or 0.0)
    b, b_low, b_high = other.value, float(other.low or 0.0), float(other.high or 0.0)
    value = a - b
    return Estimate(
        name or f"{one.name}_difference",
        value,
        value - math.hypot(a - a_low, b_high - b),
        value + math.hypot(a_high - a, b - b_low),
        one.level,
        METHOD,
        n=one.n + other.n,
        unit=one.unit if one.unit == other.unit else "row",
        n_patients=None
        if one.n_patients is None or other.n_patients is None
        else one.n_patients + other.n_patients,
        note=f"{one.n} and {other.n} {one.unit}s." if one.unit == other.unit else "",
    )
