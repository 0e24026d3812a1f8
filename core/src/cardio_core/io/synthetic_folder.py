"""Where a plugin's synthetic cohort is written, once what was asked for is known to exist."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from cardio_core.errors import DataError


def synthetic_folder(
    out: str | Path,
    n_patients: int | None = None,
    *,
    least: int = 2,
    **chosen: tuple[str, Collection[str]],
) -> Path:
    """Make the folder of a synthetic cohort and return it, after a check of what was asked for.

    Parameters
    ----------
    out : str or Path
        The folder; it may be there already.
    n_patients : int, optional
        How many; None is the cohort's own number.
    least : int
        How few are possible.
    **chosen : tuple of str and collection of str
        What was chosen, under its word in messages, and what there is to choose from.

    Raises
    ------
    DataError
        A choice or a number that does not exist.

    Examples
    --------
    >>> synthetic_folder("made", 10, difficulty=("hopeless", ("easy", "medium")))
    Traceback (most recent call last):
        ...
    cardio_core.errors.DataError: synthetic cohort: expected a difficulty of easy, medium, found \
'hopeless'; choose one of them
    """
    for word, (value, known) in chosen.items():
        if value not in known:
            raise DataError(
                f"synthetic cohort: expected a {word} of {', '.join(known)}, found {value!r}; "
                "choose one of them"
            )
    if n_patients is not None and n_patients < least:
        patients = "patient" if least == 1 else "patients"
        raise DataError(
            f"synthetic cohort: expected at least {least} {patients}, found {n_patients}; ask for "
            "more"
        )
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
