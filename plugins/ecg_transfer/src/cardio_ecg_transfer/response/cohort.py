"""Load for `crt_response`: a cohort table with an outcome, or a PTB-XL folder with a label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardio_core.api import (
    Cohort,
    ConfigError,
    DataError,
    FollowUpRules,
    Opened,
    SampleSet,
    Targets,
    at_baseline,
    compute_outcome,
    find_cohort_table,
    read_cohort_table,
    text_of,
)
from cardio_ecg_transfer.load import files_of as files_behind
from cardio_ecg_transfer.load import load_recordings, open_ecg, recordings_of
from cardio_ecg_transfer.response.ptbxl import DATABASE, read_ptbxl
from cardio_ecg_transfer.response.rows import NEEDS_LBBB

if TYPE_CHECKING:
    from pathlib import Path

    from cardio_core.api import Context
    from cardio_ecg_transfer.config import LoadBlock

TARGET = "response"
TOLD_BY_LBBB = {
    "CD": "the label CD already contains left bundle branch block",
    "NORM": "the label NORM excludes left bundle branch block by definition",
}
"""Labels of PTB-XL that rows on LBBB would read off the label itself."""


@dataclass(frozen=True)
class Found:
    """What one input holds.

    Attributes
    ----------
    recordings : DataFrame
        One row a recording: recording_id, study_id, patient_id, subject_link, site_id, path, and
        what its features may use: sex, and lbbb_read (1 or 0 where a reader named the QRS).
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


def load_response(config: LoadBlock, ctx: Context) -> Cohort:
    """Find twelve-lead recordings and, in fit mode, who responded.

    A folder with ``ptbxl_database.csv`` is PTB-XL, whose label `config.label` names. A folder with
    ``cohort.csv``, or a cohort table, has its outcome computed from the measurements
    (`config.outcome`). In predict mode single recordings will do.

    Raises
    ------
    ConfigError
        If there is no label for PTB-XL, or there is one for a cohort table.
    DataError
        If nothing tells who responded.
    """
    if ctx.mode == "predict" and not any(_names_patients(path) for path in ctx.inputs):
        return load_recordings(config, ctx)
    parts = [_found(path, config, ctx) for path in ctx.inputs]
    recordings = pd.concat([part.recordings for part in parts], ignore_index=True)
    recordings, excluded = _kept(recordings, config)
    notes = [note for part in parts for note in part.notes]
    targets, clinical = None, None
    if ctx.mode == "fit":
        response = pd.concat([part.response for part in parts if part.response is not None])
        response = response[~response.index.duplicated()]
        response = response[response.index.isin(recordings["patient_id"])]
        if config.draw is not None:
            response = drawn(response, config.draw, ctx.rng("draw"))
            recordings = recordings[recordings["patient_id"].isin(response.index)]
            notes.append(f"{config.draw} patients with and without the outcome, drawn at random.")
        targets = Targets("patient", response.rename(TARGET).to_frame())
        tables = [part.clinical for part in parts if part.clinical is not None]
        clinical = pd.concat(tables) if tables else None
    paths = tuple(recordings.pop("path"))
    recordings.index = pd.Index(recordings["recording_id"], name="sample_id")
    opener = partial(open_ecg, min_s=config.min_s, max_s=config.max_s)
    return Cohort(
        SampleSet(recordings, Opened(paths, opener)),
        {name: files_behind(path) for name, path in zip(recordings.index, paths, strict=True)},
        targets,
        clinical,
        notes=tuple(notes),
        outcome=" ".join(dict.fromkeys(part.outcome for part in parts if part.outcome)),
        excluded={"load.exclude": excluded} if excluded else {},
        unsupported={k: v for part in parts for k, v in part.unsupported.items()},
    )


def drawn(response: pd.Series, asked: str, rng: np.random.Generator) -> pd.Series:
    """Draw so many patients with the outcome and so many without.

    Parameters
    ----------
    response : Series
        1, 0 or NA by patient.
    asked : str
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
    numbers = re.fullmatch(r"(\d+)\+(\d+)", asked)
    if numbers is None:
        raise ConfigError(f"load.draw: expected two numbers as in 46+25, found {asked!r}")
    chosen: list[str] = []
    for value, text in zip((1, 0), numbers.groups(), strict=True):
        there = sorted(response.index[(response == value).fillna(False)])
        if len(there) < int(text):
            word = "with" if value else "without"
            raise DataError(
                f"load.draw={asked}: expected {text} patients {word} the outcome, found "
                f"{len(there)}; draw fewer"
            )
        chosen += list(rng.choice(there, int(text), replace=False))
    return response.loc[sorted(chosen)]


def _found(path: Path, config: LoadBlock, ctx: Context) -> Found:
    if _is_ptbxl(path):
        return _from_ptbxl(path, config, ctx)
    table = find_cohort_table(path)
    if table is None:
        raise DataError(
            f"{path.name}: expected a cohort table, a folder with cohort.csv, or a PTB-XL folder "
            f"with {DATABASE}; found nothing that says who responded"
        )
    return _from_table(table, config, ctx)


def _names_patients(path: Path) -> bool:
    return _is_ptbxl(path) or find_cohort_table(path) is not None


def _is_ptbxl(path: Path) -> bool:
    return path.is_dir() and (path / DATABASE).is_file()


def _from_ptbxl(path: Path, config: LoadBlock, ctx: Context) -> Found:
    if ctx.mode == "fit" and config.label is None:
        raise ConfigError(
            "PTB-XL has no outcome of resynchronisation: choose the diagnostic superclass that is "
            "to be predicted, --set load.label=CD for conduction disturbances"
        )
    table, notes = read_ptbxl(path, config.label if ctx.mode == "fit" else None)
    recordings = pd.DataFrame(
        {
            "recording_id": table["recording_id"],
            "study_id": table["recording_id"],
            "patient_id": table["patient_id"],
            "subject_link": table["subject_link"],
            "site_id": None,
            "path": table["path"],
            "sex": table["sex"],
            "lbbb_read": np.nan,
        }
    )
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


def _from_table(path: Path, config: LoadBlock, ctx: Context) -> Found:
    if ctx.mode == "fit" and config.label is not None:
        raise ConfigError(
            f"load.label={config.label} is for PTB-XL; {path.name} is a cohort table, whose "
            "outcome load.outcome names"
        )
    table = read_cohort_table(path)
    if "path_ecg" not in table.columns:
        raise ConfigError(f"{path.name}: expected a column path_ecg, found none")
    before = table[at_baseline(table)]
    rows = [
        {
            "recording_id": recording_id,
            "study_id": str(study),
            "patient_id": str(row["patient_id"]),
            "subject_link": text_of(row, "subject_link"),
            "site_id": text_of(row, "site_id"),
            "path": file,
            "sex": text_of(row, "sex"),
            "lbbb_read": _lbbb(row),
        }
        for study, row in before.iterrows()
        for recording_id, file in recordings_of(str(study), row["path_ecg"])
    ]
    if not rows:
        raise DataError(
            f"{path.name}: expected an ECG before implantation, found no row with a path_ecg whose "
            "timepoint is baseline (or empty); fill in path_ecg and timepoint"
        )
    if ctx.mode == "predict":
        return Found(pd.DataFrame(rows), None, None)
    outcome = compute_outcome(config.outcome, before, FollowUpRules(config.died_or_transplanted))
    by_patient = outcome.values.groupby(before["patient_id"].astype(str), sort=False).first()
    counts = ", ".join(f"{n} {what}" for what, n in outcome.counts().items() if n)
    said = f"{config.outcome} ({outcome.outcome.title}), computed from the table: {counts}."
    return Found(pd.DataFrame(rows), by_patient, before, outcome=said)


def _lbbb(row: pd.Series) -> float:
    """Return 1 or 0 where a reader named the QRS morphology, else NaN."""
    morphology = text_of(row, "qrs_morph")
    return np.nan if morphology is None else float(morphology == "LBBB")


def _kept(recordings: pd.DataFrame, config: LoadBlock) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Apply `records` and `exclude`; return also what the latter left out."""
    names = recordings["recording_id"]
    wanted = names.isin(config.records) if config.records else pd.Series(True, index=names.index)
    out = wanted & names.isin(config.exclude)
    return recordings[wanted & ~out].copy(), tuple(names[out].astype(str))
