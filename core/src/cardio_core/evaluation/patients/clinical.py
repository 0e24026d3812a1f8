"""The clinical cohort table, by patient and by study, as far as it may be looked at."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from cardio_core.io.cohort_rows import at_baseline


def by_patient(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return columns of a cohort table with one row a patient: of the first study that knows them.

    Studies from before the treatment come first; of patients who have none of those, the others
    are taken.

    Parameters
    ----------
    table : DataFrame
        As `read_cohort_table` returns it.
    columns : iterable of str
        Those that it lacks are left out.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["a", "a", "b"], "age_y": [None, 61.0, 50.0]})
    >>> by_patient(table, ["age_y", "sex"]).to_dict()
    {'age_y': {'a': 61.0, 'b': 50.0}}
    """
    named = [name for name in columns if name in table.columns]
    before = at_baseline(table)
    known = set(table.loc[before, "patient_id"])
    rows = table[before | ~table["patient_id"].isin(known)]
    patients = rows["patient_id"].astype(str).rename("patient_id")
    return rows[named].groupby(patients.to_numpy(), sort=False).first()


def of_samples(table: pd.DataFrame, samples: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return columns of a cohort table aligned with a sample table, NA where nothing is known.

    A sample has the value of its study; where that study has none, its patient's.

    Examples
    --------
    >>> table = pd.DataFrame({"patient_id": ["a", "b"], "age_y": [61.0, 50.0]}, index=["s", "t"])
    >>> samples = pd.DataFrame({"study_id": ["s", "u"], "patient_id": ["a", "b"]})
    >>> of_samples(table, samples, ["age_y"])["age_y"].tolist()
    [61.0, 50.0]
    """
    named = [name for name in columns if name in table.columns]
    studies = table[~table.index.duplicated()]
    own = studies[named].reindex(samples["study_id"]).set_axis(samples.index)
    patients = by_patient(table, named).reindex(samples["patient_id"].astype(str))
    return own.where(own.notna(), patients.set_axis(samples.index))
