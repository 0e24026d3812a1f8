"""Stress or rest: from codes and words that files carry."""

from __future__ import annotations

import re
from pathlib import Path

from cardio_spect_polar.readers.gated import State

_STRESS = re.compile(r"(?<![a-z])(stress|str|exercise|vasodilator)(?![a-z])", re.IGNORECASE)
_REST = re.compile(r"(?<![a-z])(rest|resting|rst)(?![a-z])", re.IGNORECASE)
_CODES: dict[tuple[str, str], State] = {
    ("SCT", "128975004"): "rest",
    ("SRT", "F-01604"): "rest",
    ("SCT", "432655005"): "stress",
    ("SRT", "F-05019"): "stress",
    ("DCM", "109091"): "stress",
}


def state_of_words(text: str) -> State | None:
    """Tell stress from rest by whole words; None where there are neither or both.

    Examples
    --------
    >>> state_of_words("P012_Stress_gate3"), state_of_words("forest"), state_of_words("rest_stress")
    ('stress', None, None)
    """
    stress, rest = bool(_STRESS.search(text)), bool(_REST.search(text))
    if stress == rest:
        return None
    return "stress" if stress else "rest"


def state_of_path(path: Path) -> State | None:
    """Tell stress from rest by a file's name, else by its folder's."""
    return state_of_words(path.name) or state_of_words(path.parent.name)


def without_state(text: str) -> str:
    """Take the words for stress and rest out of a name.

    Examples
    --------
    >>> without_state("stress_3")
    '_3'
    """
    return _REST.sub("", _STRESS.sub("", text))


def state_of_code(scheme: str, value: str) -> State | None:
    """Read a code of DICOM's rest and stress states (PS3.16 CID 3102)."""
    return _CODES.get((scheme, value))
