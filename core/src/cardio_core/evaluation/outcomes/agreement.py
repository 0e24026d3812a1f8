"""How far two definitions of the same outcome call the same patients responders."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.errors import DataError
from cardio_core.evaluation.outcomes.rules import OutcomeColumn
from cardio_core.stats.agreement.inter_rater import cohen_kappa
from cardio_core.stats.classification.proportions import proportion
from cardio_core.stats.foundation.validate import checked_level
from cardio_core.types.estimate import Estimate

Answers = NDArray[np.bool_]
Counts = NDArray[np.int_]


@dataclass(frozen=True)
class OutcomeAgreement:
    """Two definitions on the patients for whom both are known.

    `n_both`, `n_first_only`, `n_second_only` and `n_neither` count responders; `n_unknown` the
    patients left out because one of the two is NA. `agreement` is the share of equal answers.
    `kappa`, Cohen's, is None where a definition gives everybody the same answer, so that kappa is 0
    or undefined whatever the other says; it has no limits at complete agreement, where the variance
    is 0 whatever n.
    """

    first: str
    second: str
    n_both: int
    n_first_only: int
    n_second_only: int
    n_neither: int
    n_unknown: int
    agreement: Estimate
    kappa: Estimate | None


def outcome_agreement(
    outcomes: Sequence[OutcomeColumn], *, level: float = 0.95, unit: str = "patient"
) -> list[OutcomeAgreement]:
    """Compare every pair of outcomes computed on the same table.

    Parameters
    ----------
    outcomes : sequence of OutcomeColumn
        From `compute_outcome`, on one table and under the same rules.
    level : float
        Coverage of the intervals.
    unit : str
        What a row of the table is.

    Returns
    -------
    list of OutcomeAgreement
        In the order of the pairs.

    Raises
    ------
    DataError
        Outcomes of different tables, or a pair without a patient in common.

    Notes
    -----
    The interval of kappa is Wald's with the large-sample variance.

    References
    ----------
    Cohen J. Educ Psychol Meas 1960;20:37. Fleiss JL, Cohen J, Everitt BS. Psychol Bull
    1969;72:323, equation 13.
    """
    return [
        _compare(first, second, checked_level(level), unit)
        for first, second in itertools.combinations(outcomes, 2)
    ]


def agreement_table(rows: Sequence[OutcomeAgreement]) -> pd.DataFrame:
    """Return the comparisons as a table for the report, one row a pair."""
    return pd.DataFrame([_row(row) for row in rows])


def _compare(
    first: OutcomeColumn, second: OutcomeColumn, level: float, unit: str
) -> OutcomeAgreement:
    names = first.outcome.name, second.outcome.name
    if not first.values.index.equals(second.values.index):
        raise DataError(
            f"outcomes {names[0]} and {names[1]}: expected the same rows; "
            "compute both from one cohort table"
        )
    known = first.values.notna() & second.values.notna()
    n_known = int(known.sum())
    if n_known == 0:
        raise DataError(
            f"outcomes {names[0]} and {names[1]}: expected rows with both, found none; drop one"
        )
    yes = (first.values[known] == 1).to_numpy(bool), (second.values[known] == 1).to_numpy(bool)
    counts = np.array([[np.sum(a & b) for b in (yes[1], ~yes[1])] for a in (yes[0], ~yes[0])])
    n_unknown = len(first.values) - n_known
    agreement = proportion(
        int(np.trace(counts)), n_known, level=level, name="agreement", unit=unit
    ).replace(n_dropped=n_unknown)
    kappa = _kappa(counts, yes, level, unit)
    return OutcomeAgreement(
        first=names[0],
        second=names[1],
        n_both=int(counts[0, 0]),
        n_first_only=int(counts[0, 1]),
        n_second_only=int(counts[1, 0]),
        n_neither=int(counts[1, 1]),
        n_unknown=n_unknown,
        agreement=agreement,
        kappa=None if kappa is None else kappa.replace(n_dropped=n_unknown),
    )


def _kappa(
    counts: Counts, yes: tuple[Answers, Answers], level: float, unit: str
) -> Estimate | None:
    if 0 in counts.sum(axis=0) or 0 in counts.sum(axis=1):
        return None
    kappa = cohen_kappa(*yes, level=level, unit=unit)
    if np.trace(counts) < counts.sum():
        return kappa
    return kappa.replace(
        low=None, high=None, level=None, note="complete agreement: the interval has no width"
    )


def _row(row: OutcomeAgreement) -> dict[str, object]:
    kappa = row.kappa
    return {
        "first": row.first,
        "second": row.second,
        "n": row.agreement.n,
        "both": row.n_both,
        "first only": row.n_first_only,
        "second only": row.n_second_only,
        "neither": row.n_neither,
        "not comparable": row.n_unknown,
        "agreement": row.agreement.value,
        "agreement low": row.agreement.low,
        "agreement high": row.agreement.high,
        "kappa": kappa.value if kappa else None,
        "kappa low": kappa.low if kappa else None,
        "kappa high": kappa.high if kappa else None,
    }
