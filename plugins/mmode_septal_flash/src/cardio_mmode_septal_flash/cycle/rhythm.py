"""Which beats of a loop are usual ones: by their length, and by what comes before them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EARLY, PAUSE = 0.8, 1.5
"""Shares of the usual interval: an R peak before the first is premature, an interval longer than
the second is a pause, or one in which an R peak was missed."""

IRREGULAR = 0.1
"""Where the other beats differ by more than this share of their mean (SD), no beat is left out: in
atrial fibrillation none of them is premature."""

FEW = 3
"""Of fewer beats than this nobody can tell which is the usual one."""

CUT_SHORT = "cut short by a premature beat"
PREMATURE = "premature"
LONG = "followed by a pause, or by an R peak that was missed"


def unusual_beats(
    r_times_ms: NDArray[np.floating], whole: NDArray[np.bool_]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return which beats are not usual, and why.

    A beat is what lies between an R peak and the next, so that the premature beat is the one that
    begins with an R peak too early, and the beat before it is cut short. The beat after its pause
    is conducted as usual, and stays.

    Parameters
    ----------
    r_times_ms : ndarray, shape (n_beats + 1,)
        Ascending; peaks outside the loop tell whether its first beat came too early.
    whole : ndarray of bool, shape (n_beats,)
        Beats that lie in the loop and are as long as a beat can be.

    Returns
    -------
    unusual : dict of int to str
        Among the whole beats, by their place.
    flags : tuple of str
        Where no beat can be called premature: two beats of different length, an irregular rhythm,
        or no usual beat at all. Then every beat stays.

    Examples
    --------
    >>> r_ms = np.array([0.0, 800.0, 1600.0, 2100.0, 3200.0, 4000.0])
    >>> unusual_beats(r_ms, np.ones(5, bool))
    ({2: 'cut short by a premature beat', 3: 'premature'}, ())
    >>> unusual_beats(np.array([0.0, 500.0, 1600.0]), np.ones(2, bool))
    ({}, ('two beats of different length, 500 and 1100 ms: either may be ectopic',))
    """
    lengths = np.diff(r_times_ms)
    own = np.flatnonzero(whole)
    if own.size < FEW:
        return {}, _of_two(lengths[own])
    usual = float(np.median(lengths[own]))
    unusual: dict[int, str] = {}
    for place in own:
        if place and lengths[place - 1] < EARLY * usual:
            unusual[int(place)] = PREMATURE
        elif lengths[place] < EARLY * usual:
            unusual[int(place)] = CUT_SHORT
        elif lengths[place] > PAUSE * usual:
            unusual[int(place)] = LONG
    if len(unusual) == own.size:
        return {}, (NO_USUAL,)
    kept = lengths[[place for place in own if int(place) not in unusual]]
    if unusual and kept.std() > IRREGULAR * kept.mean():
        low, high = lengths[own].min(), lengths[own].max()
        return {}, (f"irregular rhythm, beats of {low:.0f} to {high:.0f} ms: none is left out",)
    return unusual, ()


NO_USUAL = "no beat of this loop follows another of usual length"
"""As in bigeminy: premature beats cannot be told from the others."""


def _of_two(lengths_ms: NDArray[np.floating]) -> tuple[str, ...]:
    if lengths_ms.size < 2 or lengths_ms.min() >= EARLY * lengths_ms.max():
        return ()
    one, other = lengths_ms
    return (f"two beats of different length, {one:.0f} and {other:.0f} ms: either may be ectopic",)
