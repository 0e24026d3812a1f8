"""New patients beside those of training: who is like them, and who is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.config import RunConfig
from cardio_core.evaluation.applicability.described import describe
from cardio_core.evaluation.applicability.judge import (
    BORDERLINE,
    COLUMNS,
    INSIDE,
    NOT_JUDGED,
    OUTSIDE,
    Applicability,
)
from cardio_core.registry import Plugin
from cardio_core.runner.preparing.clinical import table_of
from cardio_core.runner.preparing.features import Prepared

BEFORE = "the run was made before applicability was kept"
"""Why nobody is judged by an older run."""


def judge_patients(
    kept: Applicability | None,
    prepared: Prepared,
    inputs: Sequence[Path],
    vectors: Mapping[str, Mapping[str, NDArray[Any]]],
    plugin: Plugin,
    config: RunConfig,
) -> pd.DataFrame:
    """Return by patient whether he is like those whom the models were trained on, and why not.

    Parameters
    ----------
    kept : Applicability or None
        Of the run; None of one that was made before.
    prepared : Prepared
        The new patients.
    inputs : sequence of Path
        What was given; a cohort table among it knows age and scanner.
    vectors : mapping of str to mapping of str to ndarray
        By model and patient, what its network makes of him.
    plugin : Plugin
    config : RunConfig

    Returns
    -------
    DataFrame
        `patient_id`, `verdict`, `reasons`, `percentile`; see `Applicability.judge`.
    """
    if kept is None:
        everybody = prepared.features.table["patient_id"].astype(str).unique()
        rows = [(patient, NOT_JUDGED, BEFORE, np.nan) for patient in everybody]
        return pd.DataFrame(rows, columns=list(COLUMNS))
    outcome = config.outcome.column
    table = table_of(prepared.cohort, inputs)
    patients = describe(
        prepared.features,
        replace(prepared.cohort, table=table),
        words=plugin.info.words,
        also=config.covariates,
        never=() if outcome is None else (outcome,),
    )
    return kept.judge(patients, vectors)


def entries(judged: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what was judged as JSON has it: a percentile that nobody knows is None."""
    return [
        {
            "patient_id": row["patient_id"],
            "verdict": row["verdict"],
            "reasons": row["reasons"],
            "percentile": None if pd.isna(row["percentile"]) else round(row["percentile"], 1),
        }
        for row in judged.to_dict("records")
    ]


def with_applicability(
    cells: Sequence[Mapping[str, str]], judged: pd.DataFrame, table: pd.DataFrame
) -> list[dict[str, str]]:
    """Add to each file's cells what was judged of its patient; empty where it has none.

    `table` is that of the features, which knows whose each recording is.
    """
    verdicts = dict(zip(judged["patient_id"], judged["verdict"], strict=True))
    reasons = dict(zip(judged["patient_id"], judged["reasons"], strict=True))
    whose = dict(
        zip(table["recording_id"].astype(str), table["patient_id"].astype(str), strict=True)
    )
    made = []
    for row in cells:
        patient = whose.get(row["recording"], "")
        own = {"applicability": verdicts.get(patient, ""), "because": reasons.get(patient, "")}
        made.append({**row, **own})
    return made


def said_of_patients(judged: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return applicability in words: one sentence for all who are like those of training.

    Examples
    --------
    >>> like = {"patient_id": "a", "verdict": "inside", "reasons": ""}
    >>> fast = {"patient_id": "b", "verdict": "outside", "reasons": "heart rate 180 per min"}
    >>> for line in said_of_patients([like, fast]):
    ...     print(line)
    Applicability: 1 of 2 patients is like those of training (inside).
      b: outside: heart rate 180 per min.
    >>> said_of_patients([fast])
    ['Applicability: outside, not like the patients of training: heart rate 180 per min.']
    """
    if not judged:
        return []
    verdicts = [str(one["verdict"]) for one in judged]
    reasons = {str(one["reasons"]) for one in judged}
    if set(verdicts) == {NOT_JUDGED} and len(reasons) == 1:
        return [f"Applicability: not judged: {reasons.pop()}."]
    if len(judged) == 1:
        return [f"Applicability: {_ALONE[verdicts[0]]}{_because(judged[0])}."]
    n = verdicts.count(INSIDE)
    verb = "is" if n == 1 else "are"
    lines = [
        f"Applicability: {n} of {len(judged)} patients {verb} like those of training (inside)."
    ]
    others = [one for one in judged if one["verdict"] != INSIDE]
    lines += [f"  {one['patient_id']}: {one['verdict']}{_because(one)}." for one in others]
    return lines


_ALONE = {
    INSIDE: "inside, like the patients of training",
    BORDERLINE: "borderline, at the edge of the patients of training",
    OUTSIDE: "outside, not like the patients of training",
    NOT_JUDGED: NOT_JUDGED,
}


def _because(one: Mapping[str, Any]) -> str:
    return f": {one['reasons']}" if one["reasons"] else ""
