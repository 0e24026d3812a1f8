"""The synthetic cohorts: twelve-lead ECGs made by code, every beat of which is known.

A moving heart vector (sums of Gaussians) is projected on the leads by Dower's matrix; see `waves`,
`beat_shapes`, `dower`, `rhythm`, `noise` and `simulation`. `synthesize` writes cohorts of such
patients as WFDB and DICOM files with their truth beside them. Nothing heavy is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

DIFFICULTIES = {"aami_beats": "easy", "crt_response": "medium"}
"""Of each task, unless told otherwise."""


def synthesize(
    out: str | Path,
    *,
    task: str,
    n_patients: int | None = None,
    seed: int = 0,
    difficulty: str | None = None,
    null: bool = False,
    duration_s: float | None = None,
    patients: pd.DataFrame | None = None,
) -> None:
    """Write a synthetic cohort; the same arguments write the same bytes.

    Parameters
    ----------
    out : str or Path
        Folder, made if it is not there.
    task : {'aami_beats', 'crt_response'}
        A folder like MIT-BIH's (`beat_cohort`), or a cohort table with 12-lead recordings as WFDB
        and DICOM in turn (`crt_cohort`).
    n_patients : int, optional
        48 records of beats, or 100 CRT patients.
    seed : int
        From 0.
    difficulty : {'easy', 'medium', 'impossible'}, optional
        Sets the Bayes AUC that ``truth.json`` states. Beats are easy unless told otherwise
        (about 1; medium .9, impossible .55), CRT is medium (.75; easy .9, impossible .55).
    null : bool
        Draw labels that have nothing to do with the recordings: a Bayes AUC of .5.
    duration_s : float, optional
        Length of a record of beats, 60 s by default; CRT recordings last 10 s.
    patients : DataFrame, optional
        Who is recorded for ``crt_response`` (`cardio data synth --patients TABLE`), a row each.
        ``effect`` is the degree of left bundle branch block, as a place among candidates for CRT
        (`crt_cohort.severity_of`), and tells the response; a ``shift`` of 1 takes 8 dB of signal
        to noise and a quarter of the gain.

    Raises
    ------
    DataError
        A task, a difficulty or a number that does not exist.

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize(folder, task="crt_response", n_patients=4, null=True)
    ...     truth = json.loads((Path(folder) / "truth.json").read_text())
    ...     names = sorted(path.name for path in (Path(folder) / "ecg").iterdir())
    >>> truth["bayes_auc"], names[:3]
    ({'response': 0.5}, ['p001.dcm', 'p002.dat', 'p002.hea'])
    """
    from cardio_core.api import DataError, synthetic_folder

    if patients is not None and task != "crt_response":
        raise DataError(
            f"synthetic cohort: {task} has labels of beats, none of patients; a table of patients "
            "goes with crt_response"
        )
    if patients is not None and (difficulty is not None or null):
        raise DataError(
            "synthetic cohort: with a table of patients its effect says how hard it is; leave the "
            "difficulty out"
        )
    difficulty = difficulty or DIFFICULTIES.get(task, "medium")
    folder = synthetic_folder(
        out,
        n_patients,
        task=(task, DIFFICULTIES),
        difficulty=(difficulty, ("easy", "medium", "impossible")),
    )
    if task == "aami_beats":
        from cardio_ecg_transfer.synthetic import beat_cohort

        beat_cohort.write_beat_cohort(
            folder,
            n_patients or beat_cohort.N_PATIENTS,
            seed,
            difficulty=difficulty,
            null=null,
            duration_s=duration_s or beat_cohort.DURATION_S,
        )
    else:
        from cardio_ecg_transfer.synthetic import crt_cohort

        crt_cohort.write_crt_cohort(
            folder,
            n_patients or crt_cohort.N_PATIENTS,
            seed,
            difficulty=difficulty,
            null=null,
            given=patients,
        )


def relabel(folder: Path, rng: np.random.Generator) -> None:
    """Deal out the symbols of all annotated beats anew, for the contract's check of `load`."""
    import wfdb

    records = sorted(path.with_suffix("") for path in folder.glob("*.atr"))
    read = [wfdb.rdann(str(record), "atr") for record in records]
    symbols = rng.permutation([symbol for item in read for symbol in item.symbol]).tolist()
    for record, beats in zip(records, read, strict=True):
        dealt, symbols = symbols[: len(beats.symbol)], symbols[len(beats.symbol) :]
        wfdb.wrann(
            record.name, "atr", beats.sample, dealt, fs=beats.fs, write_dir=str(record.parent)
        )
