"""Outer folds that are stratified by a column of the cohort table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cardio_core.errors import ConfigError
from cardio_core.io.outcome_column import MAX_CLASSES
from cardio_core.io.tables.cells import cell_text
from cardio_core.types.samples import Cohort


def stratified(cohort: Cohort, column: str) -> Cohort:
    """Return a cohort whose targets carry a column of its table as strata.

    Two tasks on the same patients share folds: the earlier one is split so that the later one,
    whose outcome it does not know, finds every class in each fold. A column of more than
    `MAX_CLASSES` numbers is parted at its median. A patient has the first known value of the
    studies.

    Raises
    ------
    ConfigError
        If the table has no such column.

    Examples
    --------
    >>> import numpy as np
    >>> from cardio_core.types.samples import SampleSet
    >>> from cardio_core.types.targets import Targets
    >>> rows = pd.DataFrame({"recording_id": ["r1", "r2"], "study_id": ["s1", "s2"],
    ...                      "patient_id": ["p1", "p2"]})
    >>> table = pd.DataFrame({"arm": ["b", None]}, index=["s1", "s2"])
    >>> views = Targets("recording", pd.DataFrame({"view": ["x", "y"]}, index=["r1", "r2"]))
    >>> cohort = Cohort(SampleSet(rows, np.zeros(2)), {}, views, table)
    >>> stratified(cohort, "arm").targets.strata.to_dict()
    {'r1': 'b', 'r2': None}
    """
    if cohort.targets is None or cohort.targets.unit not in ("recording", "study", "patient"):
        return cohort
    if cohort.table is None or column not in cohort.table.columns:
        raise ConfigError(f"stratify: expected the cohort table's column {column}, found none")
    words = _words(cohort.table[column])
    words.index = words.index.astype(str)
    words = words[~words.index.duplicated()]
    unit = cohort.targets.unit
    if unit != "study":
        samples = cohort.samples.table
        own = samples["study_id"].astype(str).map(words)
        keys = samples[f"{unit}_id"].astype(str)
        words = own.groupby(keys.to_numpy(), sort=False).first()
    return replace(cohort, targets=replace(cohort.targets, strata=words))


def _words(values: pd.Series) -> pd.Series:
    texts = pd.Series([cell_text(cell) for cell in values], index=values.index, dtype=object)
    if texts.nunique() <= MAX_CLASSES:
        return texts
    numbers = pd.to_numeric(texts, errors="coerce")
    high = (numbers >= numbers.median()).map({True: "high", False: "low"})
    return high.astype(object).where(numbers.notna(), None)
