"""The synthetic cohort: echo loops made by code, with known motion and thickness of segments.

`chambers` says what is around the left ventricle of `segments`, `tissue` how bright it
is, `beat` and `motion` how all of it moves, `loop` makes pictures, `findings` draws what the CMR
finds, `response` who responds to treatment, `patients` who is recorded, and `cohort` writes files.
Nothing heavy is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def synthesize(
    out: str | Path,
    *,
    task: str = "wma",
    n_patients: int | None = None,
    seed: int = 0,
    difficulty: str = "subtle",
    patients: pd.DataFrame | None = None,
) -> None:
    """Write a synthetic cohort, the same for every task; the same arguments write the same bytes.

    Parameters
    ----------
    out : str or Path
        Folder, made if it is not there.
    task : str
        Of this plugin. All of them run on the same patients and files.
    n_patients : int, optional
        100 unless told otherwise; two in five of them have two studies.
    seed : int
        From 0.
    difficulty : {'clear', 'medium', 'subtle', 'impossible'}
        How far wall motion and scar can be told from the loops: the Bayes AUC of scar is .95, .70,
        .70 or .50, that of a response to treatment .95, .86, .86 or .50. T1, T2 and ECV never can.
        ``subtle`` is ``medium`` in recordings as hard to read as those of the clinic.
    patients : DataFrame, optional
        Who is recorded (`cardio data synth --patients TABLE`), a row each. ``effect`` is how well
        the walls move, as a place among patients (`findings.draw_findings`), and tells the
        response to treatment, which is the table's; scar follows from thinning and ejection
        fraction as ever. A ``shift`` of 1 darkens the picture by 6 dB and lifts its noise by 8.

    Raises
    ------
    DataError
        A difficulty or a number that does not exist.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize(folder, task="wma", n_patients=1, seed=1)
    ...     truth = json.loads((Path(folder) / "truth.json").read_text())
    >>> len(truth["patients"]["p001"]["amplitude"])
    17
    """
    from cardio_core.api import synthetic_folder
    from cardio_echo_cmr.synthetic.cohort import DIFFICULTIES, N_PATIENTS, write_cmr_cohort

    # Where it is impossible, labels have nothing to do with the loops; given effects would.
    known = DIFFICULTIES if patients is None else DIFFICULTIES[:-1]
    folder = synthetic_folder(out, n_patients, least=1, difficulty=(difficulty, known))
    n = n_patients or N_PATIENTS
    write_cmr_cohort(folder, n, seed, difficulty=difficulty, given=patients)
