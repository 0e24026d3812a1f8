"""Load for `crt_response`: a cohort table with an outcome, or a PTB-XL folder with a label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.api import Cohort, CohortTable, ConfigError, Context, DataError, Note, Targets
from cardio_ecg_transfer.readers.ptbxl import DATABASE, read_ptbxl
from cardio_ecg_transfer.response.config import LoadBlock
from cardio_ecg_transfer.response.models import NEEDS_LBBB
from cardio_ecg_transfer.shared.recordings import (
    COLUMNS,
    new_recordings,
    opening,
    recordings_of_table,
    without_excluded,
)

TOLD_BY_LBBB = {
    "CD": "the label CD already contains left bundle branch block",
    "NORM": "the label NORM excludes left bundle branch block by definition",
}
"""Labels of PTB-XL that models on LBBB would read off the label itself."""


@dataclass(frozen=True)
class Found:
    """What one input holds.

    Attributes
    ----------
    recordings : DataFrame
        One row a recording: recording_id, study_id, patient_id, subject_link, site_id, path, and
        what its features may use: sex, and lbbb_read (1 or 0 where a reader named the QRS); age_y
        and study_date are for its sheet alone.
    response : Series or None
        By patient: 1, 0 or NA.
    clinical : DataFrame or None
        One row a study, indexed by study_id.
    """

    recordings: pd.DataFrame
    response: pd.Series | None
    clinical: pd.DataFrame | None
    notes: tuple[str, ...] = ()
    outcome: str = ""
    unsupported: dict[str, str] = field(default_factory=dict)


def load(config: LoadBlock, ctx: Context) -> Cohort:
    """Find twelve-lead recordings and, in fit mode, who responded.

    A folder with ``ptbxl_database.csv`` is PTB-XL, whose label `config.label` names. A folder with
    ``cohort.csv``, or a cohort table, has its outcome computed from the measurements
    (`config.outcome`), unless a column of it is predicted. In predict mode single recordings will
    do.

    All ECGs of a patient that the table takes (of PTB-XL every one, of a cohort table those at
    baseline) are pooled to one prediction: measurements and median beats are averaged, networks
    weigh the beats of all. That holds in `run`, `evaluate` and `predict`, and a note says of how
    many patients.

    Raises
    ------
    ConfigError
        If there is no label for PTB-XL, or there is one for a cohort table.
    DataError
        If nothing tells who responded.
    """
    found = [_found(path, config, ctx) for path in ctx.inputs]
    if ctx.mode == "predict" and not any(found):
        return new_recordings(config, ctx)
    parts = [part for part in found if part is not None]
    if len(parts) < len(found):
        nobodys = ctx.inputs[found.index(None)]
        if any((place / DATABASE).is_file() for place in nobodys.parents):
            raise DataError(
                f"{DATABASE}: expected a line for every recording of its folder, found recordings "
                f"in {nobodys.name} that no line names; add their lines, or move them elsewhere"
            )
        raise DataError(
            f"{nobodys.name}: expected a cohort table, a folder with "
            f"cohort.csv, or a PTB-XL folder with {DATABASE}; found none of them, so nothing says "
            "who has the outcome"
        )
    recordings = pd.concat([part.recordings for part in parts], ignore_index=True)
    recordings, excluded = without_excluded(recordings, config)
    notes = [note for part in parts for note in part.notes]
    often = int((recordings.groupby("patient_id").size() > 1).sum())
    if often:
        notes.append(
            f"{often} patient(s) have several ECGs: all of them are pooled to one prediction."
        )
    targets, clinical = None, None
    if ctx.mode == "fit" and ctx.outcome is None:
        response = pd.concat([part.response for part in parts if part.response is not None])
        response = response[~response.index.duplicated()]
        response = response[response.index.isin(recordings["patient_id"])]
        if config.draw is not None:
            response = drawn(response, config.draw, ctx.rng("draw"))
            chosen = recordings["patient_id"].isin(response.index)
            others = tuple(recordings.loc[~chosen, "recording_id"].astype(str))
            excluded |= {f"not drawn (load.draw={config.draw})": others} if others else {}
            recordings = recordings[chosen]
            notes.append(f"{config.draw} patients with and without the outcome, drawn at random.")
        targets = Targets("patient", response.rename(ctx.task.targets[0].name).to_frame())
    if ctx.mode == "fit":
        tables = [part.clinical for part in parts if part.clinical is not None]
        clinical = pd.concat(tables) if tables else None
    samples, files = opening(recordings, config)
    return Cohort(
        samples,
        files,
        targets,
        clinical,
        notes=Note.each("cohort", notes),
        outcome=" ".join(dict.fromkeys(part.outcome for part in parts if part.outcome)),
        excluded=excluded,
        unsupported={k: v for part in parts for k, v in part.unsupported.items()},
    )


def drawn(response: pd.Series, request: str, rng: np.random.Generator) -> pd.Series:
    """Draw so many patients with the outcome and so many without.

    Parameters
    ----------
    response : Series
        1, 0 or NA by patient.
    request : str
        ``"46+25"``: with, and without.
    rng : numpy.random.Generator
        Draws.

    Raises
    ------
    ConfigError
        If the text is not two numbers.
    DataError
        If there are not so many.

    Examples
    --------
    >>> everyone = pd.Series([1, 1, 0, 0, 0], index=list("abcde"))
    >>> drawn(everyone, "1+2", np.random.default_rng(0)).value_counts().to_dict()
    {0: 2, 1: 1}
    """
    numbers = re.fullmatch(r"(\d+)\+(\d+)", request)
    if numbers is None:
        raise ConfigError(f"load.draw: expected two numbers as in 46+25, found {request!r}")
    chosen: list[str] = []
    for value, text in zip((1, 0), numbers.groups(), strict=True):
        there = sorted(response.index[(response == value).fillna(False)])
        if len(there) < int(text):
            word = "with" if value else "without"
            raise DataError(
                f"load.draw={request}: expected {text} patients {word} the outcome, found "
                f"{len(there)}; draw fewer"
            )
        chosen += list(rng.choice(there, int(text), replace=False))
    return response.loc[sorted(chosen)]


def _found(path: Path, config: LoadBlock, ctx: Context) -> Found | None:
    if path.is_dir() and (path / DATABASE).is_file():
        return _from_ptbxl(path, config, ctx)
    table = CohortTable.find(path)
    return None if table is None else _from_table(table, config, ctx)


def _from_ptbxl(path: Path, config: LoadBlock, ctx: Context) -> Found:
    if ctx.mode == "fit" and config.label is None:
        raise ConfigError(
            "PTB-XL has no outcome of resynchronisation; choose the diagnostic superclass that is "
            "to be predicted, --set load.label=CD for conduction disturbances"
        )
    table, notes = read_ptbxl(path, config.label if ctx.mode == "fit" else None, config.sites)
    table = table.assign(study_id=table["recording_id"], lbbb_read=np.nan)
    recordings = table[[*COLUMNS, "sex", "age_y", "lbbb_read"]]
    if "label" not in table.columns:
        return Found(recordings, None, None, tuple(notes))
    clinical = table[["patient_id", "sex", "age_y"]].set_index(table["recording_id"])
    return Found(
        recordings,
        table.set_index("patient_id")["label"],
        clinical,
        tuple(notes),
        f"the diagnostic superclass {config.label} of PTB-XL, which stands in for response.",
        dict.fromkeys(NEEDS_LBBB, TOLD_BY_LBBB[config.label])
        if config.label in TOLD_BY_LBBB
        else {},
    )


def _from_table(table: CohortTable, config: LoadBlock, ctx: Context) -> Found:
    if ctx.mode == "fit" and config.label is not None:
        raise ConfigError(
            f"load.label={config.label} is for PTB-XL; {table.name} is a cohort table, whose "
            "outcome load.outcome names"
        )
    before = table.at_baseline()
    recordings = pd.DataFrame(recordings_of_table(before, _read_by_somebody))
    if recordings.empty:
        raise DataError(
            f"{table.name}: expected an ECG before implantation, found no row with a path_ecg "
            "whose timepoint is baseline (or empty); fill in path_ecg and timepoint"
        )
    if ctx.mode == "predict":
        return Found(recordings, None, None)
    if ctx.outcome is not None:
        if config.draw is not None:
            raise ConfigError(
                f"load.draw={config.draw} draws by the task's own outcome; leave it out with "
                f"--outcome {ctx.outcome}"
            )
        return Found(recordings, None, before.rows)
    outcome = before.outcome(
        config.outcome,
        died_or_transplanted=config.died_or_transplanted,
        window_days=config.window_days,
    )
    whose = before.rows["patient_id"].astype(str)
    text = f"{config.outcome} ({outcome.outcome.title}), computed from the table: {outcome.text()}."
    by_patient = outcome.values.groupby(whose, sort=False).first()
    return Found(recordings, by_patient, before.rows, outcome=text)


def _read_by_somebody(row: pd.Series) -> dict[str, object]:
    """Return what features and sheets may use; 1 or 0 where a reader named the QRS, else NaN."""
    morphology = CohortTable.text(row, "qrs_morph")
    return {
        "sex": CohortTable.text(row, "sex"),
        "age_y": row.get("age_y"),
        "study_date": CohortTable.text(row, "study_date"),
        "lbbb_read": np.nan if morphology is None else float(morphology == "LBBB"),
    }
