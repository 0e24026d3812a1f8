"""Where a plugin's synthetic cohort is written, once what was asked for is known to exist."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from cardio_stats.errors import DataError


class Synthesize(Protocol):
    """Writes a synthetic cohort: recordings, ``cohort.csv`` and ``truth.json``."""

    def __call__(
        self, out: Path, *, task: str, n_patients: int | None = None, seed: int = 0
    ) -> None:
        """Write it into the folder `out`, the same for the same seed."""


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
    cardio_stats.errors.DataError: synthetic cohort: expected a difficulty of easy, medium, found \
'hopeless'; choose one of them
    """
    for word, (value, known) in chosen.items():
        if value not in known:
            raise DataError(
                f"synthetic cohort: expected a {word} of {', '.join(known)}, found {value!r}; "
                "choose one of them",
                code="unknown",
            )
    if n_patients is not None and n_patients < least:
        patients = "patient" if least == 1 else "patients"
        raise DataError(
            f"synthetic cohort: expected at least {least} {patients}, found {n_patients}; ask for "
            "more",
            code="too_few",
        )
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# truth.json: what is known about a synthetic cohort, beside its recordings.

_NAME = "truth.json"
_LEVELS = 4
"""Folders above a recording that may hold its truth; no layout is deeper."""


def synthetic_cohort(
    path: str, ending: str, n_patients: int
) -> Callable[[Callable[[Path, int, np.random.Generator], Mapping[str, Any]]], Synthesize]:
    """Make `synthesize` of a function that writes one patient's recording.

    Parameters
    ----------
    path : str
        Column of the recordings in ``cohort.csv``.
    ending : str
        Of their files.
    n_patients : int
        How many patients there are unless a number is asked for.

    Returns
    -------
    callable
        Decorates a function of file, number of the patient from 0, and random numbers, which
        writes the file and returns the patient's further columns, the target among them. They are
        the truth as well.

    Examples
    --------
    >>> @synthetic_cohort("path_signal", ".txt", 30)
    ... def synthesize(file, number, rng):
    ...     np.savetxt(file, (1 + number % 2) * rng.normal(size=200))
    ...     return {"ill": number % 2}
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> synthesize(folder, task="illness", n_patients=2)
    >>> sorted(file.name for file in folder.iterdir())
    ['P000.txt', 'P001.txt', 'cohort.csv', 'truth.json']
    """

    def decorate(
        write: Callable[[Path, int, np.random.Generator], Mapping[str, Any]],
    ) -> Synthesize:
        def synthesize(
            out: Path, *, task: str, n_patients: int | None = None, seed: int = 0
        ) -> None:
            folder = synthetic_folder(out, n_patients)
            rng = np.random.default_rng(seed)
            rows = {}
            for number in range(n_patients or default):
                file = folder / f"P{number:03d}{ending}"
                rows[file.stem] = {path: file.name, **write(file, number, rng)}
            table = pd.DataFrame.from_dict(rows, orient="index")
            table.to_csv(folder / "cohort.csv", index_label="patient_id")
            write_truth(folder / "truth.json", {"kind": task, "seed": seed, "patients": rows})

        synthesize.__doc__, synthesize.__module__ = write.__doc__, write.__module__
        return synthesize

    default = n_patients
    return decorate


def is_synthetic(path: Path) -> bool:
    """Tell whether a folder, or a cohort table in it, was made by code: its truth lies beside it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as made:
    ...     before = is_synthetic(Path(made))
    ...     write_truth(Path(made) / "truth.json", {"kind": "beats", "seed": 0})
    ...     before, is_synthetic(Path(made)), is_synthetic(Path(made) / "cohort.csv")
    (False, True, True)
    """
    return bool(_truth_of(path))


def lies_in_synthetic(path: Path) -> bool:
    """Tell whether a recording or a folder belongs to a synthetic cohort: itself or a folder above.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as made:
    ...     write_truth(Path(made) / "truth.json", {"kind": "beats", "seed": 0})
    ...     lies_in_synthetic(Path(made) / "records" / "p01.hea")
    True
    """
    places = path.resolve()
    return any(map(is_synthetic, (places, *places.parents[:_LEVELS])))


def difficulty_of(path: Path) -> str | None:
    """Return the difficulty of a synthetic cohort, by its truth; None where it states none.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as made:
    ...     truth = {"kind": "beats", "seed": 0, "difficulty": "clear"}
    ...     write_truth(Path(made) / "truth.json", truth)
    ...     difficulty_of(Path(made)), difficulty_of(Path(made).parent)
    ('clear', None)
    """
    stated = _truth_of(path).get("difficulty")
    return stated if isinstance(stated, str) else None


def _truth_of(path: Path) -> dict[str, Any]:
    """Return the truth of a folder, or of a table's folder; empty where there is none."""
    companion = (path if path.is_dir() else path.parent) / _NAME
    try:
        truth = json.loads(companion.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # as of a thousand brackets
        return {}
    return truth if isinstance(truth, dict) and {"kind", "seed"} <= set(truth) else {}


def write_truth(path: Path, truth: Mapping[str, Any]) -> None:
    """Write the truth as JSON, the same bytes for the same truth.

    Parameters
    ----------
    path : Path
        ``truth.json`` beside the recordings.
    truth : mapping of str
        With ``kind`` and ``seed``. Arrays become lists; floats are rounded to six decimals, and
        NaN becomes null.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp()) / "truth.json"
    >>> write_truth(file, {"kind": "beats", "seed": 0, "r_s": np.array([1 / 3, np.nan])})
    >>> json.loads(file.read_text())["r_s"]
    [0.333333, None]
    """
    text = json.dumps(_plain(truth), indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 6)
    return value
