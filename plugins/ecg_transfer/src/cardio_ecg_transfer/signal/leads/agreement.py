"""Which limb lead contradicts the others: by Einthoven's and Goldberger's equations.

Two leads are all that six hold, so four that agree with each other foretell the other two, and a
wrong sign, an exchange of names or a foreign signal among those is told without any doubt. An
exchange of the electrodes themselves leaves all six in agreement (`exchanges` looks for these).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg, Finding
from cardio_ecg_transfer.signal.leads.names import LIMB_LEADS

_FROM_I_AND_II = {
    "I": (1.0, 0.0), "II": (0.0, 1.0), "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0),
}  # fmt: skip
EINTHOVEN_LIMIT = 0.1
"""Share of the limb leads' size that one may be off. Rounding of three leads, each by itself, stays
below .01 in 12-lead recordings of 1 to 5 µV a step; another moment, gain or sign is far above."""

_SAME_SHAPE = 0.98  # correlation of a lead that has another gain alone

Array = NDArray[np.float64]


def disagreements(ecg: Ecg, dead: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Name the limb leads that do not follow from the others as they must.

    Parameters
    ----------
    ecg : Ecg
        Usual lead names, as it was read.
    dead : frozenset of str, optional
        Leads without a signal, of which nothing is asked.

    Returns
    -------
    tuple of Finding
        Empty where the leads agree to a tenth of their size, or fewer than three were recorded.
        Offsets of single leads count for nothing.

    Examples
    --------
    >>> t = np.arange(5000) / 500
    >>> one, two = np.sin(7 * t), np.cos(5 * t)
    >>> limb = np.stack([np.array(part) @ (one, two) for part in _FROM_I_AND_II.values()])
    >>> limb[4] *= -1
    >>> disagreements(Ecg(np.float32(limb), 500.0, LIMB_LEADS))[0].text
    'aVL has the wrong sign: invert it in the file, or export the recording again'
    """
    names = [
        lead
        for lead in LIMB_LEADS
        if lead in ecg.leads and lead not in dead and lead not in ecg.derived
    ]
    if len(names) < 3:
        return ()
    rows = ecg.signal_mv[[ecg.leads.index(lead) for lead in names]].astype(np.float64)
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    if rows.shape[1] < 2:
        return ()
    rows -= rows.mean(axis=1, keepdims=True)
    size = float(np.sqrt((rows**2).mean()))
    if size == 0.0:
        return ()
    signals = dict(zip(names, rows / size, strict=True))
    if _agree(signals, names):
        return ()
    if len(names) == 3:
        return (_of_three(signals),)
    groups = _agreeing(signals, names)
    if (not groups or len(groups[0]) == 3) and _own_gains(signals, names):
        return (
            Finding(
                "limb leads have different gains: their amplitudes cannot be compared, check the "
                "gains in the file",
                tuple(names),
                "potential",
            ),
        )
    if not groups:
        return (_nothing_fits(names),)
    if len(groups) > 1 and len(groups[0]) == 3:
        return (_two_camps(names, groups),)
    return _outside(signals, groups[0])


def _plane(leads: list[str]) -> Array:
    return np.array([_FROM_I_AND_II[lead] for lead in leads])


def _foretold(signals: Mapping[str, Array], trusted: list[str], wanted: list[str]) -> Array:
    """Foretell leads from those that are trusted, by least squares."""
    rows = np.stack([signals[lead] for lead in trusted])
    return np.asarray(_plane(wanted) @ np.linalg.pinv(_plane(trusted)) @ rows)


def _agree(signals: Mapping[str, Array], leads: list[str]) -> bool:
    apart = _foretold(signals, leads, leads) - np.stack([signals[lead] for lead in leads])
    return bool((apart.std(axis=1) < EINTHOVEN_LIMIT / 2).all())


def _agreeing(signals: Mapping[str, Array], names: list[str]) -> list[list[str]]:
    """Return the largest groups of three leads or more that agree."""
    for n in range(len(names) - 1, 2, -1):
        groups = [list(group) for group in combinations(names, n) if _agree(signals, list(group))]
        if groups:
            return groups
    return []


def _own_gains(signals: Mapping[str, Array], names: list[str]) -> bool:
    """Tell whether gains alone, each above 0, would make the leads agree."""
    rows = np.stack([signals[lead] for lead in names])
    mixed, sizes, _ = np.linalg.svd(rows / rows.std(axis=1, keepdims=True), full_matrices=False)
    if np.sqrt((sizes[2:] ** 2).sum() / (sizes**2).sum()) > EINTHOVEN_LIMIT / 2:
        return False
    seen = mixed[:, :2] * sizes[:2]  # each lead as a mixture of the two that all hold
    plane = _plane(names)
    # A mixture is parallel to what the definitions say of it, after one change of basis.
    rules = np.stack([np.outer(d, (a[1], -a[0])).ravel() for d, a in zip(plane, seen, strict=True)])
    basis = np.linalg.svd(rules)[2][-1].reshape(2, 2)
    defined = plane @ basis
    gains = (seen * defined).sum(axis=1) / (defined**2).sum(axis=1)
    apart = seen - gains[:, None] * defined
    right = np.linalg.norm(apart, axis=1) < 0.15 * np.linalg.norm(seen, axis=1)
    return bool(right.all() and abs(np.sign(gains).sum()) == len(names))


def _outside(signals: Mapping[str, Array], trusted: list[str]) -> tuple[Finding, ...]:
    """Say what each lead outside the group is."""
    outside = [lead for lead in signals if lead not in trusted]
    holds = {lead: _held(signals, trusted, lead) for lead in outside}
    found = []
    for first, second in combinations(outside, 2):
        if holds[first] == second and holds[second] == first:
            text = f"{first} and {second} are exchanged: correct the file, or export it again"
            found.append(Finding(text, (first, second)))
    reported = {lead for item in found for lead in item.leads}
    for lead in outside:
        if lead in reported:
            continue
        what = holds[lead]
        if what == f"-{lead}":
            text = (
                f"{lead} has the wrong sign: invert it in the file, or export the recording again"
            )
        elif what:
            text = f"{lead} holds {what}: export the recording again"
        elif _likeness(signals[lead], _foretold(signals, trusted, [lead])[0]) > _SAME_SHAPE:
            found.append(
                Finding(
                    f"{lead} differs in gain from the other limb leads: check the file's gains",
                    (lead,),
                    "potential",
                )
            )
            continue
        else:
            text = (
                f"{lead} does not follow from the other limb leads (Einthoven, Goldberger): check "
                "its electrode, or export the recording again"
            )
        found.append(Finding(text, (lead,)))
    return tuple(found)


def _held(signals: Mapping[str, Array], trusted: list[str], lead: str) -> str:
    """Return which lead this one really is, with its sign; empty where it is none."""
    others = [name for name in LIMB_LEADS if name != lead]
    guesses = _foretold(signals, trusted, [lead, *others])
    for sign, guess, name in (
        (-1, guesses[0], f"-{lead}"),
        *((1, guess, name) for guess, name in zip(guesses[1:], others, strict=True)),
        *((-1, guess, f"-{name}") for guess, name in zip(guesses[1:], others, strict=True)),
    ):
        if np.std(signals[lead] - sign * guess) < EINTHOVEN_LIMIT / 2:
            return name
    return ""


def _likeness(first: Array, second: Array) -> float:
    size = float(np.std(first) * np.std(second))
    return float((first * second).mean() / size) if size else 0.0


def _of_three(signals: Mapping[str, Array]) -> Finding:
    """Of three leads a sign may be named, but an exchange of the two others says the same."""
    for lead in signals:
        turned = {name: -row if name == lead else row for name, row in signals.items()}
        if _agree(turned, list(signals)):
            one, other = (name for name in signals if name != lead)
            text = (
                f"{lead} has the wrong sign, or {one} and {other} are exchanged (I + III is not "
                "II): export the recording again"
            )
            return Finding(text, LIMB_LEADS)
    return _nothing_fits(list(signals))


def _two_camps(names: list[str], groups: list[list[str]]) -> Finding:
    camps = " and ".join(", ".join(group) for group in groups[:2])
    return Finding(
        f"the limb leads contradict each other; {camps} agree among themselves: one group is "
        "inverted or from another ECG, export the recording again",
        LIMB_LEADS if len(names) == len(LIMB_LEADS) else tuple(names),
    )


def _nothing_fits(names: list[str]) -> Finding:
    return Finding(
        f"{', '.join(names)} contradict each other (Einthoven, Goldberger): they differ in "
        "time, gain or sign, export the recording again",
        LIMB_LEADS,
    )
