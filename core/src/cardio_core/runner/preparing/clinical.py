"""The covariates that the user named: checked before anything slow, then handed to their model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from cardio_core.errors import ConfigError
from cardio_core.evaluation.patients.clinical import of_samples
from cardio_core.evaluation.patients.clinical_model import clinical_features
from cardio_core.evaluation.patients.covariates import check_covariates
from cardio_core.io.cohort import CohortTable
from cardio_core.runner.setup import Setup
from cardio_core.types.features import FeatureSet
from cardio_core.types.samples import Cohort


def checked_covariates(setup: Setup, inputs: Sequence[Path]) -> None:
    """Refuse what is no covariate of the cohort tables among some inputs.

    Raises
    ------
    ConfigError
        If no input is a cohort table, or a column is none, the outcome, or known only later.
    """
    names = setup.config.covariates
    if not names:
        return
    tables = _tables(inputs, setup.plugin.info.paths)
    if not tables:
        raise ConfigError(
            f"--covariate {names[0]}: expected a cohort table, or a folder with cohort.csv, found "
            f"none in {', '.join(path.name for path in inputs)}; see docs/cohort.md"
        )
    rows = pd.concat([table.rows for table in tables])
    outcome = setup.config.outcome.column
    check_covariates(names, rows, tables[0].name, outcome=outcome, task=setup.task)


def clinical_of(
    names: Sequence[str], cohort: Cohort, features: FeatureSet, inputs: Iterable[Path]
) -> FeatureSet | None:
    """Return the named covariates in the place of features; None where none is named.

    New patients without a cohort table have none of them: every value is missing.
    """
    if not names:
        return None
    table = table_of(cohort, inputs)
    if table is None:
        table = pd.DataFrame({"patient_id": []})
    values = of_samples(table, features.table, names)
    return clinical_features(features.table, values.reindex(columns=list(names)))


def table_of(cohort: Cohort, inputs: Iterable[Path]) -> pd.DataFrame | None:
    """Return the cohort table behind some inputs, whether `load` of the plugin keeps it or not."""
    if cohort.table is not None:
        return cohort.table
    found = [one.rows for one in _tables(inputs, ())]
    return pd.concat(found) if found else None


def _tables(inputs: Iterable[Path], paths: Iterable[str]) -> list[CohortTable]:
    found = (CohortTable.find(path, tuple(paths)) for path in inputs)
    return [table for table in found if table is not None]
