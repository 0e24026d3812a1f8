"""Patients of the CRT cohort: their hearts, and the model of response."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from cardio_spect_polar.polar.segments import LATERAL, SEPTAL
from cardio_spect_polar.synthetic.phantom.ventricle import (
    CENTRE_DEG,
    N_SEGMENTS,
    Ventricle,
    draw_ventricle,
)

SLOPES = {"easy": 1.72, "medium": 0.75, "impossible": 0.13}
"""Slope of the logistic model on the index: a Bayes AUC of about .90, .75 and .55."""
B_DELAY, B_SCAR, B_QRS = 1.0, -0.45, 0.35
"""Weights of the index, each of a term with mean 0 and standard deviation 1."""
INTERCEPT = -0.25
"""Puts the share of responders at that of the paper, 44 %."""

_LATE_RR = (0.02, 0.30)
_DELAY_MEAN_DEG, _DELAY_SD_DEG = 42.0, 25.4
_SCAR_MEAN, _SCAR_SD = 0.175, 0.127
_QRS_MEAN_MS, _QRS_SD_MS = 157.7, 18.6
_N_LATERAL = len(LATERAL)
_LEAST_THICKENING, _THICKENING_RANGE = 0.12, 0.13
_TERRITORIES = (
    (17, 13, 14, 7, 8, 2, 1),  # left anterior descending: from the apex up
    (15, 10, 4, 9, 3),  # right coronary
    (16, 11, 12, 5, 6),  # circumflex
)


@dataclass(frozen=True)
class Heart:
    """What is drawn of a patient's heart.

    Attributes
    ----------
    ventricle : Ventricle
        Its wall.
    late_rr : float
        Delay of the latest part of the wall beyond the septum.
    late_deg : float
        Where that is: 270 is lateral.
    scarred : tuple of int
        AHA segments that are scar.
    qrs_ms : float
        QRS duration.
    """

    ventricle: Ventricle
    late_rr: float
    late_deg: float
    scarred: tuple[int, ...]
    qrs_ms: float


def lateness_of(effect: float) -> float:
    """Return the delay of the latest wall at the place of a standard normal effect, in RR.

    Examples
    --------
    >>> [round(lateness_of(effect), 2) for effect in (-3.0, -1.0, 0.0, 1.0, 3.0)]
    [0.02, 0.06, 0.16, 0.26, 0.3]
    """
    return float(np.interp(ndtr(effect), (0.0, 1.0), _LATE_RR))


def draw_heart(rng: np.random.Generator, late_rr: float | None = None) -> Heart:
    """Draw a dilated, failing heart with a late free wall and, in three of four, a scar.

    The septum is early by up to .05 RR; the latest wall is .02 to .30 RR behind it, centred at
    240 to 290 degrees (inferolateral to lateral), less so towards the apex. A scar takes 2 to 7
    segments of one coronary territory, from the apex up, with perfusion .2 to .45; it thickens a
    third as much as the rest, and up to .18 RR later than conduction makes it: such delay widens
    the phase histogram and tells nothing about response. The base descends by 3 to 9 mm
    (`failing_descent`). `late_rr` tells how late the latest wall is; all else is drawn.
    """
    drawn_rr = float(rng.uniform(*_LATE_RR))
    late_rr = drawn_rr if late_rr is None else late_rr
    late_deg = float(rng.uniform(240.0, 290.0))
    early_rr = float(rng.uniform(-0.05, 0.0))
    scarred = _draw_scar(rng)
    uptake = float(rng.uniform(0.2, 0.45))
    thickening = float(rng.uniform(0.15, 0.27))
    slow_rr = float(rng.uniform(0.0, 0.18))
    conducted = np.asarray(regional_delay(early_rr, late_rr, late_deg))
    delay = conducted + _where(scarred, slow_rr, 0.0)
    thickens = _where(scarred, thickening / 3, thickening)
    ventricle = draw_ventricle(
        rng,
        length_mm=float(rng.uniform(86.0, 110.0)),
        radius_mm=float(rng.uniform(30.0, 38.0)),
        thickness_mm=float(rng.uniform(8.0, 10.5)),
        delay_rr=tuple(delay.tolist()),
        perfusion=_where(scarred, uptake, 1.0),
        thickening=thickens,
        **failing_descent(rng.spawn(1)[0], float(np.mean(thickens))),
    )
    qrs_ms = float(np.clip(133.0 + 156.0 * late_rr + rng.normal(0.0, 14.0), 90.0, 230.0))
    return Heart(ventricle, late_rr, late_deg, scarred, qrs_ms)


def failing_descent(rng: np.random.Generator, thickening: float) -> dict[str, float]:
    """Draw how the base of a failing heart descends, as arguments of `Ventricle`.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    thickening : float
        Mean relative thickening of the wall: hearts that beat less also shorten less.

    Returns
    -------
    dict
        Shortening 3 to 9 mm, the lateral side .05 to .3 farther than the mean, atrial share .1 to
        .35, twist 0 to 6 degrees.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> low, high = (
    ...     np.mean([failing_descent(rng, share)["shortening_mm"] for _ in range(200)])
    ...     for share in (0.14, 0.26)
    ... )
    >>> bool(3 < low < 5 < 7 < high < 9)
    True
    """
    expected = 4.0 + 4.0 * (thickening - _LEAST_THICKENING) / _THICKENING_RANGE
    return {
        "shortening_mm": float(np.clip(expected + rng.normal(0.0, 1.0), 3.0, 9.0)),
        "shortening_difference": float(rng.uniform(0.05, 0.3)),
        "atrial_share": float(rng.uniform(0.1, 0.35)),
        "twist_deg": float(rng.uniform(0.0, 6.0)),
    }


def regional_delay(early_rr: float, late_rr: float, late_deg: float) -> tuple[float, ...]:
    """Return the delays of a wall that is early at the septum and late around one angle.

    Parameters
    ----------
    early_rr : float
        Delay opposite of the latest wall.
    late_rr : float
        By how much the latest wall is later.
    late_deg : float
        Its angle.

    Returns
    -------
    tuple of float, length 17
        In shares of RR; the apical ring has .7 of the lateness, the apex .35.

    Examples
    --------
    >>> delay = regional_delay(-0.05, 0.2, 270.0)
    >>> [round(delay[segment - 1], 3) for segment in (14, 11, 17)]
    [-0.05, 0.13, 0.02]
    """
    away = np.radians(np.asarray(CENTRE_DEG) - late_deg)
    ring = np.repeat([1.0, 1.0, 0.7], [6, 6, 4])
    around = early_rr + late_rr * ring * (0.5 * (1.0 + np.cos(away))) ** 1.5
    apex = early_rr + 0.35 * late_rr
    return (*np.round(around, 12).tolist(), float(apex))


def index_terms(heart: Heart) -> dict[str, float]:
    """Return what the response depends on.

    Returns
    -------
    dict
        ``viable_delay_deg``: how much later than the viable septum the free wall is, 0 for
        segments that are scar, averaged over the five lateral segments; ``scar_share`` of the 17
        segments; ``qrs_ms``.
    """
    delay = np.asarray(heart.ventricle.delay_rr) * 360.0
    # No scar takes the whole septum: segments 3 and 9 belong to another territory than 2, 8, 14.
    septum = float(np.mean([delay[n - 1] for n in SEPTAL if n not in heart.scarred]))
    viable = [delay[n - 1] - septum for n in LATERAL if n not in heart.scarred]
    return {
        "viable_delay_deg": float(sum(viable)) / _N_LATERAL,
        "scar_share": len(heart.scarred) / N_SEGMENTS,
        "qrs_ms": heart.qrs_ms,
    }


def prob_response(heart: Heart, slope: float) -> float:
    """Return the probability of response: logistic in delay that is not scarred, scar and QRS."""
    term = index_terms(heart)
    index = (
        B_DELAY * (term["viable_delay_deg"] - _DELAY_MEAN_DEG) / _DELAY_SD_DEG
        + B_SCAR * (term["scar_share"] - _SCAR_MEAN) / _SCAR_SD
        + B_QRS * (term["qrs_ms"] - _QRS_MEAN_MS) / _QRS_SD_MS
    )
    return float(1.0 / (1.0 + np.exp(-(INTERCEPT + slope * index))))


def small_heart(rng: np.random.Generator) -> Heart:
    """Draw the cohort's outlier: a small heart whose end-systolic volume is 16 mL."""
    ventricle = draw_ventricle(
        rng,
        length_mm=66.0,
        radius_mm=19.0,
        thickness_mm=9.0,
        thickening=(0.45,) * N_SEGMENTS,
        shortening_mm=6.0,
    )
    return Heart(ventricle, 0.0, 270.0, (), 118.0)


def _draw_scar(rng: np.random.Generator) -> tuple[int, ...]:
    """Draw a scar from the apical end of one territory, or none."""
    if rng.uniform() < 0.25:
        return ()
    territory = _TERRITORIES[int(rng.choice(3, p=[0.5, 0.28, 0.22]))]
    return tuple(sorted(territory[: int(rng.integers(2, len(territory) + 1))]))


def _where(segments: tuple[int, ...], inside: float, outside: float) -> tuple[float, ...]:
    return tuple(inside if n in segments else outside for n in range(1, N_SEGMENTS + 1))
