"""The synthetic cohorts: gated left ventricles and flow maps with known truth.

A digital left ventricle is imaged by a gamma camera (`phantom`) and written as DICOM (`write_nm`);
`synthesize` writes cohorts (`crt`, `flow`) with their truth beside them. Nothing heavy is imported
here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

DIFFICULTIES = ("easy", "medium", "impossible")


def synthesize(
    out: str | Path,
    *,
    task: str,
    n_patients: int | None = None,
    seed: int = 0,
    difficulty: str | None = None,
    null: bool = False,
    patients: pd.DataFrame | None = None,
) -> None:
    """Write the cohort that a task runs on without data; the same arguments write the same bytes.

    Parameters
    ----------
    out : str or Path
        Folder, made if it is not there.
    task : {'crt_response', 'mfr', 'risk_factor'}
        The first has a cohort table with gated studies as DICOM (`crt`); the others share one with
        PET flow maps (`flow`).
    n_patients : int, optional
        100 CRT patients, or 240 with flow maps.
    seed : int
        From 0.
    difficulty : {'easy', 'medium', 'impossible'}, optional
        Of CRT: sets the Bayes AUC that ``truth.json`` states, about .90, .75 and .55; medium
        unless told otherwise.
    null : bool
        Of CRT: draw responses that have nothing to do with the heart, a Bayes AUC of .5.
    patients : DataFrame, optional
        Of CRT: who is recorded (`cardio data synth --patients TABLE`), a row each. ``effect`` is
        how late the free wall is, as a place among candidates (`crt.patients.lateness_of`), and
        tells the response; scars are drawn beside it. A ``shift`` of 1 leaves 40 % of the counts
        and blurs by 3 mm more.

    Raises
    ------
    DataError
        A task, a difficulty or a number that does not exist.

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize(folder, task="crt_response", n_patients=2, null=True)
    ...     truth = json.loads((Path(folder) / "truth.json").read_text())
    ...     names = sorted(path.name for path in (Path(folder) / "spect").iterdir())
    >>> truth["bayes_auc"], names
    ({'response': 0.5}, ['p001_rest.dcm', 'p002_rest.dcm'])
    """
    from cardio_core.api import DataError, synthetic_folder

    if task != "crt_response" and (difficulty is not None or null):
        raise DataError(
            f"synthetic cohort: expected no difficulty and no null for {task}, found one; leave it "
            "out"
        )
    if patients is not None and task != "crt_response":
        raise DataError(
            f"synthetic cohort: {task} has no outcome of a table; a table of patients goes with "
            "crt_response"
        )
    if patients is not None and (difficulty is not None or null):
        raise DataError(
            "synthetic cohort: with a table of patients its effect says how hard it is; leave the "
            "difficulty out"
        )
    folder = synthetic_folder(
        out,
        n_patients,
        task=(task, ("crt_response", "mfr", "risk_factor")),
        difficulty=(difficulty or "medium", DIFFICULTIES),
    )
    if task == "crt_response":
        from cardio_spect_polar.synthetic.crt import N_PATIENTS, write_crt_cohort

        n = n_patients or N_PATIENTS
        write_crt_cohort(
            folder, n, seed, difficulty=difficulty or "medium", null=null, given=patients
        )
    else:
        from cardio_spect_polar.synthetic import flow

        flow.write_flow_cohort(folder, n_patients or flow.N_PATIENTS, seed)
