"""What is known of the studies of a cohort: who has which finding and which history."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cardio_core.api import Cohort, Targets, Task

HISTORY = ("htn", "dyslipidaemia", "dm")


def first_studies(cohort: Cohort, people: Mapping[str, str]) -> list[str]:
    """Return the first study of every person, in the cohort's order.

    Parameters
    ----------
    cohort : Cohort
    people : mapping of str to str
        The person behind a patient id, where it is another.
    """
    studies = cohort.samples.table.drop_duplicates("study_id")
    patients = studies["patient_id"].astype(str)
    one_each = ~patients.map(people).fillna(patients).duplicated()
    return studies.loc[one_each, "study_id"].astype(str).to_list()


def finding_flags(cohort: Cohort, targets: Targets, task: Task) -> pd.DataFrame:
    """Return findings and histories as 0, 1 and NA, one row a study of the cohort.

    Parameters
    ----------
    cohort : Cohort
    targets : Targets
        At unit study.
    task : Task
        Whose binary targets are findings.

    Returns
    -------
    DataFrame, indexed by study_id
        A column a binary target, and those of ``female``, ``htn``, ``dyslipidaemia`` and ``dm``
        that the cohort table knows.
    """
    studies = pd.Index(cohort.samples.table["study_id"].astype(str).unique(), name="study_id")
    found = pd.DataFrame(index=studies)
    for target in task.targets:
        if target.kind == "binary":
            truth = targets.table[target.name].reindex(studies)
            coded = truth.map({target.classes[0]: 0, target.classes[1]: 1})
            found[target.name] = coded.where(coded.notna(), pd.to_numeric(truth, errors="coerce"))
    if cohort.table is None:
        return found
    clinical = cohort.table[~cohort.table.index.duplicated()].reindex(studies)
    if "sex" in clinical.columns:
        found["female"] = clinical["sex"].map({"F": 1, "M": 0})
    for name in HISTORY:
        if name in clinical.columns:
            found[name] = pd.to_numeric(clinical[name], errors="coerce")
    return found
