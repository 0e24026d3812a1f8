"""The synthetic cohort: apical four-chamber loops made by code, the septum of which is known.

`anatomy` says where blood and wall are, `beat`, `motion` and `valves` how they move, `septal_flash`
makes loops of them, `patients` draws who is recorded, and `cohort` writes files. Nothing heavy is
imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SEED_OF_OTHERS = 20_000
"""Phantoms for pretraining are drawn with seeds that no cohort has: they are other patients."""


def synthesize(
    out: str | Path,
    *,
    task: str = "septal_flash",
    n_patients: int | None = None,
    seed: int = 0,
    difficulty: str | None = None,
    confounder: bool = False,
    patients: pd.DataFrame | None = None,
) -> None:
    """Write a synthetic cohort; the same arguments write the same bytes.

    Parameters
    ----------
    out : str or Path
        Folder, made if it is not there.
    task : {'septal_flash', 'phantom_flash'}
        Whose cohort: the pretraining has other patients.
    n_patients : int, optional
        100 unless told otherwise; about half of them have a follow-up study as well.
    seed : int
        From 0.
    difficulty : {'clear', 'medium', 'subtle', 'impossible'}, optional
        Flashes of 3 to 6 mm or none; of 0 to 3.5 mm, some at low contrast, and a reader who
        misses small ones; of 1 to 3 mm or none, a reader who misses the smallest, and recordings
        as hard to read as those of the clinic; none at all, and labels that mean nothing. Subtle
        unless told otherwise, but clear in the pretraining, which shows a network what a flash is.
    confounder : bool
        Follow-up studies show a pacing lead and seldom a flash.
    patients : DataFrame, optional
        Who is recorded once, at baseline (`cardio data synth --patients TABLE`), a row each.
        ``effect`` sets the size of the flash, as a place among patients (`patients.flash_mm_of`);
        the reader's label follows from the flash, and the table's outcome stands beside it. A
        ``shift`` of 1 darkens the picture by 6 dB and lifts its noise by 8.

    Raises
    ------
    DataError
        A difficulty or a number that does not exist.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synthesize(folder, n_patients=2, seed=1)
    ...     truth = json.loads((Path(folder) / "truth.json").read_text())
    >>> sorted(truth["studies"])[0], truth["studies"]["p001-bl"]["ed_frame"] >= 0
    ('p001-bl', True)
    """
    from cardio_core.api import DataError, synthetic_folder
    from cardio_mmode_septal_flash.synthetic.cohort import (
        DIFFICULTIES,
        N_PATIENTS,
        write_septal_flash_cohort,
    )

    others = task == "phantom_flash"
    if patients is not None and (others or confounder):
        raise DataError(
            "synthetic cohort: phantom_flash and the confounder have separate patients; a "
            "table of patients goes with septal_flash"
        )
    difficulty = difficulty or ("clear" if others else "subtle")
    # Where it is impossible nobody has a flash, whatever the effect.
    known = DIFFICULTIES if patients is None else DIFFICULTIES[:-1]
    folder = synthetic_folder(out, n_patients, difficulty=(difficulty, known))
    write_septal_flash_cohort(
        folder,
        n_patients or N_PATIENTS,
        seed + _SEED_OF_OTHERS if others else seed,
        difficulty=difficulty,
        confounder=confounder,
        id_prefix="phantom" if others else "p",
        given=patients,
    )
