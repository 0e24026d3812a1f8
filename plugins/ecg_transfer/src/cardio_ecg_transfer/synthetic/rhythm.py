"""When beats come, and what kind each is.

Sinus intervals vary at 0.1 Hz (blood pressure) and 0.25 Hz (breathing), as in McSharry 2003. In
atrial fibrillation they are drawn independently. A ventricular beat comes early and is followed by
a full compensatory pause; an atrial one resets the sinus node.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.synthetic.patient import PatientSpec

_PRESSURE_HZ = 0.1
_BREATHING_HZ = 0.25
_AF_VARIATION = 0.22
_SHORTEST_RR_S = 0.33
_VENTRICULAR_COUPLING = 0.62
_ATRIAL_COUPLING = 0.72
_FUSION_RANGE = (0.42, 0.58)


@dataclass(frozen=True)
class Rhythm:
    """The beats of a recording in order of time.

    Attributes
    ----------
    time_s : ndarray, shape (n_beats,)
        Each beat's time, from one interval before the start to one after the end.
    rr_s : ndarray, shape (n_beats,)
        The interval before it.
    kind : tuple of str
        conducted, ventricular, atrial, fusion or unclassifiable.
    mixing : ndarray, shape (n_beats,)
        λ of `patient.Mixing`.
    """

    time_s: NDArray[np.float64]
    rr_s: NDArray[np.float64]
    kind: tuple[str, ...]
    mixing: NDArray[np.float64]


def draw_rhythm(spec: PatientSpec, duration_s: float, rng: np.random.Generator) -> Rhythm:
    """Draw the beats of one recording.

    Parameters
    ----------
    spec : PatientSpec
        Rate, rhythm, shares of ectopic beats.
    duration_s : float
        Length of the recording.
    rng : numpy.random.Generator
        The only source of chance.
    """
    mean_rr_s = 60.0 / spec.heart_rate_bpm
    phases = rng.uniform(0.0, 2 * np.pi, 2)
    time_s = -mean_rr_s * rng.uniform(0.2, 1.0)
    times, intervals, kinds, mixings = [], [], [], []
    rr_s, previous, pause = mean_rr_s, "conducted", 1.0
    while time_s < duration_s + mean_rr_s:
        kind = _draw_kind(spec, previous, rng)
        mixing = _draw_mixing(spec, kind, rng)
        base_s = _base_interval(spec, mean_rr_s, time_s, phases, rng)
        coupling = (
            _ATRIAL_COUPLING if kind == "atrial" else 1 - mixing * (1 - _VENTRICULAR_COUPLING)
        )
        rr_s = max(_SHORTEST_RR_S, base_s * pause * coupling)
        time_s += rr_s
        # The sinus node keeps its time through a ventricular beat: what it was early is made up
        # after it. An atrial beat resets the node, with a little delay.
        pause = 1.05 if kind == "atrial" else 2.0 - coupling
        times.append(time_s)
        intervals.append(rr_s)
        kinds.append(kind)
        mixings.append(mixing)
        previous = kind
    return Rhythm(np.array(times), np.array(intervals), tuple(kinds), np.array(mixings))


def _draw_kind(spec: PatientSpec, previous: str, rng: np.random.Generator) -> str:
    """Draw a beat's kind; an early beat is never followed by another."""
    chance = rng.uniform()
    if previous in {"ventricular", "atrial", "fusion"}:
        return "conducted"
    shares = (
        ("ventricular", spec.pvc_share),
        ("atrial", spec.pac_share if spec.rhythm == "sinus" else 0.0),
        ("fusion", spec.fusion_share),
        ("unclassifiable", spec.unclassifiable_share),
    )
    for kind, share in shares:
        if chance < share:
            return kind
        chance -= share
    return "conducted"


def _draw_mixing(spec: PatientSpec, kind: str, rng: np.random.Generator) -> float:
    """Draw λ: near 0 for conducted beats, near 1 for ventricular ones, about .5 for fusion."""
    distance = spec.mixing.spread * float(rng.beta(1.2, 3.0))
    if kind == "fusion":
        return float(rng.uniform(*_FUSION_RANGE))
    return 1.0 - distance if kind == "ventricular" else distance


def _base_interval(
    spec: PatientSpec,
    mean_rr_s: float,
    time_s: float,
    phases: NDArray[np.float64],
    rng: np.random.Generator,
) -> float:
    """Return the interval that sinus node, fibrillating atria or pacemaker would give."""
    chance = float(rng.normal())
    if spec.conduction == "paced":
        return mean_rr_s
    if spec.rhythm == "af":
        return mean_rr_s * float(np.exp(_AF_VARIATION * chance - _AF_VARIATION**2 / 2))
    angles = 2 * np.pi * np.array([_PRESSURE_HZ, _BREATHING_HZ]) * time_s + phases
    # Two sines of amplitude σ have a joint standard deviation of σ.
    return mean_rr_s * (1.0 + spec.rr_variability * float(np.sin(angles).sum()))
