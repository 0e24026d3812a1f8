"""What is known of the studies of a cohort: the columns of Table 1, and who has which finding."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from cardio_core.api import Cohort, Targets, Task

CLINICAL = (
    "age_y", "sex", "bmi", "race_ethnicity", "htn", "dyslipidaemia", "dm", "cad", "ckd", "smoking",
    "lvef_bl_pct", "lvef_fu_pct", "lvedv_bl_ml", "lvesv_bl_ml", "gls_pct", "t1_ms", "t2_ms",
    "ecv_pct", "days_echo_to_cmr", "field_T", "scanner_vendor",
)  # fmt: skip
"""Columns of the cohort table that describe studies."""

HISTORY = ("htn", "dyslipidaemia", "dm")


def described_studies(cohort: Cohort) -> pd.DataFrame:
    """Return the columns of Table 1, one row a study, and how many loops each has.

    Parameters
    ----------
    cohort : Cohort
        Its table may be None; then age, sex and LVEF come from the samples where they stand there.
    """
    samples = cohort.samples.table
    by_study = samples.groupby(samples["study_id"].astype(str), sort=False)
    found = pd.DataFrame({"n_loops": by_study.size()})
    if cohort.table is not None:
        clinical = cohort.table[~cohort.table.index.duplicated()]
        named = [name for name in CLINICAL if name in clinical.columns]
        return clinical[named].reindex(found.index).join(found)
    own = [name for name in ("age_y", "sex_male", "lvef_pct") if name in samples.columns]
    return by_study[own].first().join(found) if own else found


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
