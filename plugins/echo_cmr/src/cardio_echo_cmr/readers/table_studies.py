"""Studies of a cohort table: clips by view, what is known of the patient, days to the CMR."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cardio_core.api import CohortTable, ConfigError
from cardio_echo_cmr.studies import TEXTS, Clip, EchoStudy
from cardio_echo_cmr.views.names import CLIPS
from cardio_ultrasound import FileSeen, LoopFactsBlock, loops_of_cell, stated_for, strangers

DAYS = "days_echo_to_cmr"
_FOLLOW_UP = "follow-up"


def studies_of_table(
    table: CohortTable, stated: LoopFactsBlock
) -> tuple[list[EchoStudy], tuple[FileSeen, ...], tuple[str, ...]]:
    """Return a study for each row that names clips; a folder or a ``;``-list is several.

    Parameters
    ----------
    table : CohortTable
    stated : LoopFactsBlock
        Of formats that do not say it.

    Returns
    -------
    (list of EchoStudy, tuple of FileSeen, tuple of str)
        The studies, every file of the folders that the table names, and what to tell of these.

    Raises
    ------
    ConfigError
        The table has no column of clips.
    """
    columns = {name: view for name, view in CLIPS.items() if name in table.rows.columns}
    if not columns:
        raise ConfigError(
            f"{table.name}: expected a column of clips ({', '.join(CLIPS)}), found none; add one"
        )
    studies: list[EchoStudy] = []
    seen: list[FileSeen] = []
    notes: list[str] = []
    for study_id, row in table.rows.iterrows():
        clips: list[Clip] = []
        for column, view in columns.items():
            cell = loops_of_cell(row[column])
            clips += (Clip(loop, view, stated_for(loop, stated)) for loop in cell.loops)
            seen += cell.files
            notes += strangers(str(study_id), cell)
        if clips:
            studies.append(study_of_row(str(study_id), row, tuple(clips)))
    return studies, tuple(seen), tuple(dict.fromkeys(notes))


def study_of_row(study_id: str, row: pd.Series[Any], clips: tuple[Clip, ...]) -> EchoStudy:
    """Return the study that a row of a cohort table tells of, with these clips.

    LVEF is that of the row's own time: `lvef_fu_pct` where `timepoint` is follow-up, else
    `lvef_bl_pct`.
    """
    texts = {name: CohortTable.text(row, name) for name in TEXTS}
    at_follow_up = (texts["timepoint"] or "").strip().lower() == _FOLLOW_UP
    sex = {"M": 1.0, "F": 0.0}.get(CohortTable.text(row, "sex") or "", float("nan"))
    return EchoStudy(
        study_id,
        str(row["patient_id"]),
        clips,
        texts,
        {
            "lvef_pct": _number(row, "lvef_fu_pct" if at_follow_up else "lvef_bl_pct"),
            "age_y": _number(row, "age_y"),
            "sex_male": sex,
        },
        _number(row, DAYS) if DAYS in row.index else None,
    )


def _number(row: pd.Series[Any], name: str) -> float:
    value = row.get(name)
    return float("nan") if value is None or pd.isna(value) else float(value)
