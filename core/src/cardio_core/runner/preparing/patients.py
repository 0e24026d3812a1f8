"""What is known of the patients of a cohort: their clinical table and their outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError
from cardio_core.evaluation.patients.clinical import by_patient
from cardio_core.evaluation.patients.same import tells_the_outcome
from cardio_core.io.cohort_rows import at_baseline
from cardio_core.types.info import Target
from cardio_core.types.samples import Cohort
from cardio_core.types.targets import Targets


def clinical_table(cohort: Cohort) -> pd.DataFrame:
    """Return the clinical table; without one what `load` knows of the recordings, age and sex."""
    if cohort.table is not None and "patient_id" in cohort.table.columns:
        return cohort.table
    return cohort.samples.table.drop_duplicates("study_id").set_index("study_id")


def patient_labels(
    cohort: Cohort, samples: pd.DataFrame, targets: Targets, target: Target
) -> pd.Series | None:
    """Return the outcome of each patient of a sample table whose outcome is known.

    Of a patient with several studies it is that of the first at baseline. None where the units of
    a patient, beats or views, have different outcomes by their nature.
    """
    if targets.unit in ("event", "sample", "recording") or target.name not in targets.table.columns:
        return None
    from cardio_core.runner.preparing.truth import labels_of  # scipy behind it: not for predict

    table = clinical_table(cohort)
    before = set(table.index[at_baseline(table)])
    later = ~samples["study_id"].isin(before).to_numpy()
    samples = samples.iloc[np.argsort(later, kind="stable")]
    frame = samples.assign(sample_id=samples.index).reset_index(drop=True)
    labels = pd.Series(
        labels_of(frame, target, targets), index=samples["patient_id"].astype(str)
    ).dropna()
    return labels[~labels.index.duplicated()]


def guard_covariates(cohort: Cohort, names: Sequence[str], targets: Sequence[Target]) -> None:
    """Refuse a covariate that says the outcome itself.

    Raises
    ------
    ConfigError
        Naming the covariate and what it says.
    """
    if not names or cohort.targets is None:
        return
    samples = cohort.samples.table
    values = by_patient(clinical_table(cohort), names)
    for target in targets:
        labels = patient_labels(cohort, samples, cohort.targets, target)
        if labels is None:
            continue
        for name in values.columns:
            if tells_the_outcome(values[name], labels):
                raise ConfigError(
                    f"--covariate {name}: it says {target.name}, the outcome, of every patient in "
                    "whom both are known; leave it out"
                )
