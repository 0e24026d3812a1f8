"""A response to treatment, drawn: the stand-in for an outcome of somebody's own.

Patients whose walls move well respond more often. How many segments have a wall motion abnormality
decides, through a logistic function whose slope sets the Bayes AUC.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

TERRITORIES = {"lad": (1, 2, 7, 8, 13, 14, 17), "rca": (3, 4, 9, 10, 15), "lcx": (5, 6, 11, 12, 16)}
"""Segments that a coronary artery usually feeds."""

WMA_PREVALENCE = 0.5
N_WMA = (2, 6)
"""Fewest and most segments of a wall motion abnormality."""

_USUAL, _HYPOKINETIC = (0.7, 1.3), (0.0, 0.5)
_NORMAL = {"clear": (0.85, 1.15), "medium": _USUAL, "subtle": _USUAL, "impossible": _USUAL}
_ABNORMAL = {
    "clear": (0.0, 0.3), "medium": _HYPOKINETIC, "subtle": _HYPOKINETIC, "impossible": _USUAL,
}  # fmt: skip
ABNORMAL_BELOW = 0.5
"""A segment that moves less than this, 1 being usual, has a wall motion abnormality."""

_EF_USUAL_PCT, _EF_PER_AMPLITUDE_PCT, _EF_NOISE_PCT = 60.0, 90.0, 2.5
_EF_RANGE_PCT = (15.0, 78.0)

_THINNED_SHARE = {True: 0.85, False: 0.1}
"""How often wall is thinned, in patients with and without a wall motion abnormality."""

_USUAL_THICKNESS, _THIN = (0.92, 1.08), (0.5, 0.75)
THINNED_BELOW = 0.85

_LGE_LOGISTIC = {
    "clear": (-3.217, 6.805), "medium": (-1.009, 1.904), "subtle": (-1.009, 1.904),
    "impossible": (-0.201, 0.0),
}  # fmt: skip
"""Intercept and slope, found on 30,000 patients: 45 % have scar, and the Bayes AUC of many patients
is .95, .70, .70 and .50."""

_LGE_NEXT = 0.7

_PATIENTS_SHARE = 0.6
"""Of how a segment moves, where the patient's effect is told; the rest is the segment's own."""

_T1_MS, _T2_MS, _ECV_PCT = (1013.7, 72.0), (53.7, 6.1), (28.6, 5.7)
_NOT_MEASURED = {"t1_ms": 0.05, "t2_ms": 0.05, "ecv_pct": 0.1}


@dataclass(frozen=True)
class Findings:
    """What is known of a patient.

    Attributes
    ----------
    amplitude, thickness : dict of int to float
        Of segments 1 to 17; 1 is usual.
    wma, lge : tuple of int
        Segments with a wall motion abnormality, and with late enhancement.
    lvef_pct : float
        As it is reported: with an error of reading.
    lge_score, lge_probability : float
        What is seen of scar, 0 to 1, and how probable a label of scar it makes.
    tissue : dict of str to float or None
        ``t1_ms``, ``t2_ms`` and ``ecv_pct``; None where not measured.
    """

    amplitude: dict[int, float]
    thickness: dict[int, float]
    wma: tuple[int, ...]
    lge: tuple[int, ...]
    lvef_pct: float
    lge_score: float
    lge_probability: float
    tissue: dict[str, float | None]


def draw_findings(
    rng: np.random.Generator, difficulty: str = "medium", effect: float | None = None
) -> Findings:
    """Draw what the CMR finds in one patient.

    Parameters
    ----------
    rng : numpy.random.Generator
        The only source of chance.
    difficulty : {"clear", "medium", "subtle", "impossible"}
        ``clear``: abnormal segments hardly move, and scar has a Bayes AUC of .95. ``medium``: the
        published cohort's, with a Bayes AUC of .70. ``subtle``: the same patients, in recordings
        that are as hard to read as clinical ones. ``impossible``: labelled segments move as the
        others do, and scar is independent of all that is seen.
    effect : float, optional
        How well the walls move, standard normal: below 0 segments have a wall motion abnormality,
        the more the lower it is, and every segment moves the better the higher it is. Drawn unless
        told.

    Returns
    -------
    Findings
        With ``lge`` empty or not as the label says.

    Examples
    --------
    >>> found = draw_findings(np.random.default_rng(1))
    >>> found.wma == tuple(s for s in range(1, 18) if found.amplitude[s] < ABNORMAL_BELOW)
    True
    >>> drawn = [draw_findings(np.random.default_rng(1), effect=z) for z in (-2.0, -0.5, 0.5, 2.0)]
    >>> [len(it.wma) for it in drawn], [round(it.lvef_pct) for it in drawn]
    ([5, 4, 0, 0], [24, 37, 65, 75])
    """
    wma, amplitude = (
        _draw_motion(rng, difficulty)
        if effect is None
        else _motion_told(rng, difficulty, float(ndtr(effect)))
    )
    lost = 1.0 - float(np.mean(list(amplitude.values())))
    usual_pct = _EF_USUAL_PCT - _EF_PER_AMPLITUDE_PCT * lost
    lvef_pct = usual_pct + float(rng.normal(0.0, _EF_NOISE_PCT))
    lvef_pct = round(float(np.clip(lvef_pct, *_EF_RANGE_PCT)), 1)
    thickness = _draw_thickness(rng, wma)
    score = lge_score(thickness, lvef_pct)
    probability = lge_probability(score, difficulty)
    lge = _draw_scar(rng, thickness) if rng.uniform() < probability else ()
    return Findings(amplitude, thickness, wma, lge, lvef_pct, score, probability, _draw_tissue(rng))


def lge_score(thickness: dict[int, float], lvef_pct: float) -> float:
    """Return what is seen of scar, 0 to 1: half of it thinning, half of it a low ejection fraction.

    Both count to the full from two segments of half the thickness, and from 45 %.

    Examples
    --------
    >>> lge_score(dict.fromkeys(range(1, 18), 1.0), 60.0)
    0.0
    """
    thinned = [1.0 - share for share in thickness.values() if share < THINNED_BELOW]
    low_ef = np.clip((57.0 - lvef_pct) / 12.0, 0.0, 1.0)
    return float(0.5 * min(sum(thinned), 1.0) + 0.5 * low_ef)


def lge_probability(score: float, difficulty: str) -> float:
    """Return how probable a label of scar is."""
    intercept, slope = _LGE_LOGISTIC[difficulty]
    return float(1.0 / (1.0 + np.exp(-(intercept + slope * score))))


def _draw_motion(
    rng: np.random.Generator, difficulty: str
) -> tuple[tuple[int, ...], dict[int, float]]:
    """Draw which segments have a wall motion abnormality, and how far each moves."""
    wma = _draw_territory(rng, *N_WMA) if rng.uniform() < WMA_PREVALENCE else ()
    amplitude = {
        segment: float(rng.uniform(*(_ABNORMAL if segment in wma else _NORMAL)[difficulty]))
        for segment in range(1, 18)
    }
    return wma, amplitude


def _motion_told(
    rng: np.random.Generator, difficulty: str, share: float
) -> tuple[tuple[int, ...], dict[int, float]]:
    """Draw the same for a patient whose walls move better than those of this share of patients."""
    bad = max(0.0, 1.0 - share / WMA_PREVALENCE)  # 1 is the worst, 0 where nothing is abnormal
    n_wma = N_WMA[0] + round(bad * (N_WMA[1] - N_WMA[0]))
    wma = _draw_territory(rng, n_wma, n_wma) if share < WMA_PREVALENCE else ()
    amplitude = {}
    for segment in range(1, 18):
        low, high = (_ABNORMAL if segment in wma else _NORMAL)[difficulty]
        place = float(rng.uniform())
        moves = _PATIENTS_SHARE * share + (1.0 - _PATIENTS_SHARE) * place
        amplitude[segment] = low + moves * (high - low)
    return wma, amplitude


def _draw_thickness(rng: np.random.Generator, wma: tuple[int, ...]) -> dict[int, float]:
    """Draw the walls' thickness; what is thinned lies in the wall that moves badly, if any does."""
    thickness = {segment: float(rng.uniform(*_USUAL_THICKNESS)) for segment in range(1, 18)}
    if rng.uniform() >= _THINNED_SHARE[bool(wma)]:
        return thickness
    thin = float(rng.uniform(*_THIN))
    among = _grow(rng, wma, int(rng.integers(2, len(wma) + 1))) if wma else ()
    for segment in among or _draw_territory(rng, 1, 2):
        thickness[segment] = float(np.clip(thin + rng.normal(0.0, 0.04), 0.45, 0.8))
    return thickness


def _draw_scar(rng: np.random.Generator, thickness: dict[int, float]) -> tuple[int, ...]:
    """Draw at least one segment: the thinnest, and most of the other thinned ones."""
    thinnest = min(thickness, key=lambda segment: thickness[segment])
    return tuple(
        segment
        for segment, share in thickness.items()
        if segment == thinnest or (share < THINNED_BELOW and rng.uniform() < _LGE_NEXT)
    )


def _draw_tissue(rng: np.random.Generator) -> dict[str, float | None]:
    drawn: dict[str, float | None] = {}
    for name, (mean, spread) in (("t1_ms", _T1_MS), ("t2_ms", _T2_MS), ("ecv_pct", _ECV_PCT)):
        value, missing = float(rng.normal(mean, spread)), rng.uniform() < _NOT_MEASURED[name]
        drawn[name] = None if missing else round(value, 1)
    return drawn


def _draw_territory(rng: np.random.Generator, fewest: int, most: int) -> tuple[int, ...]:
    """Draw segments of one artery's territory that hang together."""
    territory = TERRITORIES[("lad", "rca", "lcx")[int(rng.integers(3))]]
    wanted = int(rng.integers(fewest, most + 1))
    return _grow(rng, territory, min(wanted, len(territory)))


def _grow(rng: np.random.Generator, among: tuple[int, ...], wanted: int) -> tuple[int, ...]:
    """Draw segments that hang together, from one on by neighbours."""
    grown = [int(rng.choice(among))]
    while len(grown) < wanted:
        neighbours = [
            s for s in among if s not in grown and any(are_neighbours(s, other) for other in grown)
        ]
        if not neighbours:
            break
        grown.append(int(rng.choice(neighbours)))
    return tuple(sorted(grown))


def are_neighbours(first: int, second: int) -> bool:
    """Tell whether two segments touch.

    Examples
    --------
    >>> [are_neighbours(1, n) for n in (6, 7, 3)], are_neighbours(8, 14), are_neighbours(17, 15)
    ([True, True, False], True, True)
    """
    low, high = sorted((first, second))
    if high == 17:
        return low >= 13
    if (low - 1) // 6 == (high - 1) // 6:  # the same ring, of six or, at the apex, of four
        n = 4 if low > 12 else 6
        return (high - low) % n in (1, n - 1)
    if high <= 12:
        return high - low == 6
    above = {13: (7,), 14: (8, 9), 15: (10,), 16: (11, 12)}
    return low in above[high]


_LOGISTIC = {
    "clear": (2.5, -1.6), "medium": (1.5, -0.9), "subtle": (1.5, -0.9), "impossible": (0.0, 0.0),
}  # fmt: skip
"""Intercept and slope a segment, found on 6,000 patients: half of them respond, and the Bayes AUC
of many patients is .95, .86, .86 and .50."""


def response_probability(findings: Findings, difficulty: str) -> float:
    """Return how probable it is that a patient responds.

    Examples
    --------
    >>> from cardio_echo_cmr.synthetic.findings import draw_findings
    >>> found = draw_findings(np.random.default_rng(1))
    >>> len(found.wma), round(response_probability(found, "medium"), 2)
    (0, 0.82)
    """
    intercept, slope = _LOGISTIC[difficulty]
    return float(1.0 / (1.0 + np.exp(-(intercept + slope * len(findings.wma)))))


def draw_response(rng: np.random.Generator, probability: float) -> bool:
    """Draw whether a patient responds."""
    return bool(rng.uniform() < probability)
