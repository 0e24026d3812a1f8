"""Exchanged electrodes and inverted leads of a twelve-lead ECG, told from its median beat.

Every usual mistake is undone on trial, and what fits best is compared with the beat as it was
recorded: one score for all, fitted on real ECGs of which each was exchanged in every way
(`exchange_weights`). Nothing is corrected; a mistake is named.

What cannot be told: left leg and right leg exchanged (nothing changes), an electrode on the right
limb at a wrong place, limb and chest electrodes exchanged.

References
----------
Batchvarov VN, Malik M, Camm AJ. Incorrect electrode cable connection during electrocardiographic
recording. Europace 2007; 9: 1081-1090.
Haisty WK et al. Am J Cardiol 1993; 71: 1490-1494 (right leg: a lead almost without signal).
See also `exchange_features`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.delineation.median_beat import MedianBeat
from cardio_ecg_transfer.signal.leads.exchange_features import JUDGED_LEADS, features, shown
from cardio_ecg_transfer.signal.leads.exchange_weights import FORETOLD, WEIGHTS
from cardio_ecg_transfer.signal.leads.finding import Finding
from cardio_ecg_transfer.signal.leads.names import LIMB_LEADS, PRECORDIAL_LEADS, STANDARD_LEADS

PROBABLE, SURE = 2.2, 3.0
"""By how much an undone mistake must fit better than the recording (log odds) to be named, and to
have its leads withheld. Chosen by cross-validation on the tuning half."""

_SILENT_MV, _OTHERS_MV = 0.1, 0.3  # a whole beat between the legs, and in the other limb leads

_DO = "record again"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mistake:
    """One way in which electrodes get to wrong places.

    Attributes
    ----------
    said : str
        In words, as the subject and verb of a sentence.
    leads : tuple of str
        That are not what their names say.
    made : ndarray, shape (8, 8)
        From the true `JUDGED_LEADS` to the recorded ones.
    """

    said: str
    leads: tuple[str, ...]
    made: Array


_POTENTIALS = np.array([[-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
"""I and II of the right arm, the left arm and the left leg."""

_LIMB = (
    ("right arm and left arm electrodes are exchanged", (1, 0, 2)),
    ("right arm and left leg electrodes are exchanged", (2, 1, 0)),
    ("left arm and left leg electrodes are exchanged", (0, 2, 1)),
    (
        "right arm, left arm and left leg electrodes lie at the left leg, right arm and left arm",
        (2, 0, 1),
    ),
    (
        "right arm, left arm and left leg electrodes lie at the left arm, left leg and right arm",
        (1, 2, 0),
    ),
)
"""At each electrode's cable the place that it lies at: of right arm, left arm, left leg."""


@cache
def mistakes() -> tuple[Mistake, ...]:
    """Return every mistake that is looked for.

    Examples
    --------
    >>> first = mistakes()[0]
    >>> first.said, first.made[:2, :2].tolist()
    ('right arm and left arm electrodes are exchanged', [[-1.0, 0.0], [-1.0, 1.0]])
    """
    made = [
        Mistake(said, LIMB_LEADS, _of_limbs(np.eye(3)[list(lies_at)])) for said, lies_at in _LIMB
    ]
    made.append(Mistake("the limb leads are upside down", LIMB_LEADS, _of_limbs(-np.eye(3))))
    for one, other in combinations(range(6), 2):
        names = (PRECORDIAL_LEADS[one], PRECORDIAL_LEADS[other])
        order = list(range(6))
        order[one], order[other] = other, one
        made.append(Mistake(f"{names[0]} and {names[1]} are exchanged", names, _of_chest(order)))
    made.append(
        Mistake("V1 to V6 are in reversed order", PRECORDIAL_LEADS, _of_chest([5, 4, 3, 2, 1, 0]))
    )
    for order in ([1, 2, 0, 3, 4, 5], [2, 0, 1, 3, 4, 5]):
        placed = ", ".join(PRECORDIAL_LEADS[i] for i in order[:3])
        said = f"V1, V2 and V3 hold {placed}"
        made.append(Mistake(said, PRECORDIAL_LEADS[:3], _of_chest(order)))
    for place, name in enumerate(PRECORDIAL_LEADS):
        signs = np.ones(8)
        signs[2 + place] = -1
        made.append(Mistake(f"{name} is upside down", (name,), np.diag(signs)))
    chest_down = np.diag([1.0, 1.0, *[-1.0] * 6])
    made.append(Mistake("V1 to V6 are upside down", PRECORDIAL_LEADS, chest_down))
    made.append(Mistake("the whole ECG is upside down", STANDARD_LEADS, -np.eye(8)))
    return tuple(made)


def find_exchanges(beat: MedianBeat) -> tuple[Finding, ...]:
    """Name exchanged electrodes and inverted leads.

    Parameters
    ----------
    beat : MedianBeat
        With I, II and V1 to V6, each with a signal; high-passed.

    Returns
    -------
    tuple of Finding
        At most two mistakes, the clearer one first; with `leads` where it is sure.
    """
    silent = _right_leg(beat)
    if silent is not None:
        return (silent,)
    spans = shown(beat)
    found: list[Finding] = []
    ways = np.stack([np.eye(8), *(np.linalg.inv(one.made) for one in mistakes())])
    recorded = spans.leads_mv
    for least in (PROBABLE, SURE):  # a second mistake needs more than the first
        score = features(ways @ recorded, spans, FORETOLD) @ WEIGHTS
        best = int(score.argmax())
        margin = float(score[best] - score[0])
        if margin < least:
            break
        found.append(_said(mistakes()[best - 1], margin >= SURE))
        recorded = ways[best] @ recorded
    return tuple(found)


def _said(mistake: Mistake, sure: bool) -> Finding:
    if sure:
        return Finding(f"{mistake.said}: {_DO}, or put the leads right in the file", mistake.leads)
    said = mistake.said.replace(" are ", " may be ").replace(" is ", " may be ")
    said = said.replace(" lie ", " may lie ").replace(" hold ", " may hold ")
    return Finding(f"{said}: compare with another ECG of the patient")


def _right_leg(beat: MedianBeat) -> Finding | None:
    """Tell the right leg's cable on an arm: one lead then sees both legs, and is silent."""
    rows_mv = beat.rows(("I", "II"))
    limb = dict(zip(("I", "II", "III"), (*rows_mv, rows_mv[1] - rows_mv[0]), strict=True))
    span = {lead: float(np.ptp(row)) for lead, row in limb.items()}
    for lead, arm in (("II", "right arm"), ("III", "left arm")):
        others = [size for name, size in span.items() if name != lead]
        if span[lead] < _SILENT_MV and min(others) > _OTHERS_MV:
            return Finding(
                f"{arm} and right leg electrodes are exchanged, {lead} moves by {span[lead]:.2f} "
                f"mV: {_DO}",
                STANDARD_LEADS,  # Wilson's terminal is another, too
            )
    return None


def _of_limbs(lies_at: Array) -> Array:
    made = np.eye(8)
    made[:2, :2] = np.round(_POTENTIALS @ lies_at @ np.linalg.pinv(_POTENTIALS), 9)
    return made


def _of_chest(order: list[int]) -> Array:
    made = np.eye(8)
    made[2:, 2:] = np.eye(6)[order]
    return made


def judged(leads: tuple[str, ...]) -> bool:
    """Tell whether a recording has the leads that `find_exchanges` needs."""
    return set(JUDGED_LEADS) <= set(leads)
