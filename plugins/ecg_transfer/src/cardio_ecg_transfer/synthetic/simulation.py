"""A recording whose every beat is known: vector, leads, noise, truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.synthetic.noise import DOWER, noise_in_leads, twelve_leads
from cardio_ecg_transfer.synthetic.patient import PatientSpec, rotation_matrix
from cardio_ecg_transfer.synthetic.waves import (
    PACING_SPIKE_MS,
    PACING_SPIKE_MV,
    PVC_LEFT,
    PVC_RIGHT,
    BeatShape,
    QrsLimits,
    add_beat,
    conducted,
)

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


_CONDUCTED_SYMBOL = {"normal": "N", "lbbb": "L", "rbbb": "R", "paced": "/"}
_FUSION_MIXING = (0.35, 0.65)
_F_WAVE_MV = (0.02, 0.03, -0.06)  # towards the front: largest in V1


@dataclass(frozen=True)
class Truth:
    """What is known about a synthetic recording.

    Attributes
    ----------
    r_s : ndarray, shape (n_beats,)
        When each beat's QRS vector is longest, in s from the start; beats outside the recording
        are left out.
    symbols : tuple of str, length n_beats
        PhysioNet's codes: N L R / (conducted), V, A, F, f (fusion with a paced beat), Q.
    qrs_on_s, qrs_off_s : ndarray, shape (n_beats,)
        Onset and offset of each QRS (see `waves.QrsLimits`).
    p_s : ndarray, shape (n_beats,)
        Peak of the P wave, NaN where the beat has none.
    qrs_ms, qrs_area_uvs : ndarray, shape (n_beats,)
        Duration, and length of the three-dimensional QRS area.
    mixing : ndarray, shape (n_beats,)
        λ of `patient.Mixing`.
    prob_ventricular : ndarray, shape (n_beats,)
        The probability with which the label V was drawn, given everything visible.
    rhythm : str
        PhysioNet's rhythm code: ``(N``, ``(AFIB`` or ``(P``.
    """

    r_s: NDArray[np.float64]
    symbols: tuple[str, ...]
    qrs_on_s: NDArray[np.float64]
    qrs_off_s: NDArray[np.float64]
    p_s: NDArray[np.float64]
    qrs_ms: NDArray[np.float64]
    qrs_area_uvs: NDArray[np.float64]
    mixing: NDArray[np.float64]
    prob_ventricular: NDArray[np.float64]
    rhythm: str


def simulate(
    patient: PatientSpec, duration_s: float, rate_hz: float, seed: int
) -> tuple[Ecg, Truth]:
    """Record a synthetic patient's twelve leads.

    Parameters
    ----------
    patient : PatientSpec
        Who, and how disturbed.
    duration_s : float
        Length of the recording.
    rate_hz : float
        Sampling rate, 100 Hz or more.
    seed : int
        Rhythm, labels and noise have streams of their own: the same seed without noise gives the
        same beats, clean.

    Returns
    -------
    Ecg
        Twelve leads, not rounded to a converter's steps.
    Truth
        Every beat.

    Examples
    --------
    >>> ecg, truth = simulate(PatientSpec(conduction="lbbb"), 10.0, 500.0, seed=1)
    >>> ecg.leads[:3], ecg.signal_mv.shape, set(truth.symbols)
    (('I', 'II', 'III'), (12, 5000), {'L'})
    >>> round(float(truth.qrs_ms.mean())), truth.rhythm
    (166, '(N')
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(4)]
    rhythm_rng, label_rng, beat_rng, noise_rng = streams
    rhythm = draw_rhythm(patient, duration_s, rhythm_rng)
    shapes = _beat_shapes(patient, rhythm, beat_rng)
    limits = [shape.qrs_limits() for shape in shapes]
    n_samples = round(duration_s * rate_hz)
    vector_mv = np.zeros((3, n_samples))
    for time_s, rr_s, shape in zip(rhythm.time_s, rhythm.rr_s, shapes, strict=True):
        add_beat(vector_mv, rate_hz, time_s, shape, rr_s)
    if patient.rhythm == "af":
        vector_mv += _f_waves(patient, n_samples, rate_hz, beat_rng)
    if patient.conduction == "paced":
        _add_spikes(vector_mv, rate_hz, rhythm, limits)
    eight_mv = DOWER @ vector_mv
    if patient.noise.snr_db is not None:
        noise = noise_in_leads(patient.noise, n_samples, rate_hz, noise_rng)
        power = eight_mv.var(axis=1).mean() / 10 ** (patient.noise.snr_db / 10)
        eight_mv = eight_mv + np.sqrt(power) * noise
    ecg = Ecg(twelve_leads(eight_mv).astype(np.float32), rate_hz, STANDARD_LEADS)
    return ecg, _truth(patient, rhythm, shapes, limits, duration_s, label_rng)


def _beat_shapes(patient: PatientSpec, rhythm: Rhythm, rng: np.random.Generator) -> list[BeatShape]:
    """Shape every beat: conducted, towards ventricular by its λ, larger and smaller by breath."""
    anatomy = patient.anatomy
    heart = rotation_matrix(anatomy.turn_deg)
    gains = anatomy.gain * np.array(anatomy.wave_gains)
    home = conducted(patient.conduction, patient.severity).placed(
        heart, gains, anatomy.stretch, anatomy.pr_shift_ms
    )
    if patient.rhythm == "af" or patient.conduction == "paced":
        home.vector_mv[0] = 0.0
    focus = PVC_RIGHT if patient.focus == "right" else PVC_LEFT
    ectopic = focus.placed(rotation_matrix(anatomy.focus_turn_deg) @ heart, gains, anatomy.stretch)
    own = conducted("normal").placed(heart, gains, anatomy.stretch)
    breath_phase = rng.uniform(0.0, 2 * np.pi)
    shapes = []
    for time_s, kind, mixing in zip(rhythm.time_s, rhythm.kind, rhythm.mixing, strict=True):
        partner = own if patient.conduction == "paced" and kind == "fusion" else ectopic
        shape = home.blend(partner, mixing)
        if kind == "atrial":
            shape.vector_mv[0] = anatomy.gain * heart @ np.array([0.03, -0.07, 0.04])
        if kind == "unclassifiable":
            shape = _distorted(shape, rng)
        breath = 1.0 + 0.04 * np.sin(2 * np.pi * 0.25 * time_s + breath_phase)
        shapes.append(shape.placed(np.eye(3), breath))
    return shapes


def _distorted(shape: BeatShape, rng: np.random.Generator) -> BeatShape:
    """Turn and stretch a beat beyond recognition."""
    axis = rng.normal(size=3)
    turn = rng.uniform(60.0, 120.0) * axis / np.linalg.norm(axis)
    return shape.placed(
        rotation_matrix((float(turn[0]), float(turn[1]), float(turn[2]))),
        gain=float(rng.uniform(0.5, 1.3)),
        stretch=float(rng.uniform(1.0, 1.6)),
    )


def _f_waves(
    patient: PatientSpec, n_samples: int, rate_hz: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Fibrillation of the atria: 5 to 8 Hz with a harmonic, drifting in rate and size."""
    t = np.arange(n_samples) / rate_hz
    rate, phases = rng.uniform(5.0, 8.0), rng.uniform(0.0, 2 * np.pi, 3)
    angle = 2 * np.pi * rate * t + 1.5 * np.sin(2 * np.pi * 0.13 * t + phases[0])
    size = 1.0 + 0.4 * np.sin(2 * np.pi * 0.21 * t + phases[1])
    wave = size * (np.sin(angle) + 0.4 * np.sin(2 * angle + phases[2]))
    direction = rotation_matrix(patient.anatomy.turn_deg) @ np.array(_F_WAVE_MV)
    return np.asarray(patient.anatomy.gain * np.outer(direction, wave))


def _add_spikes(
    vector_mv: NDArray[np.float64], rate_hz: float, rhythm: Rhythm, limits: list[QrsLimits]
) -> None:
    """Put a stimulus right before every paced QRS, in place."""
    spike = BeatShape(np.zeros(6), np.full(6, PACING_SPIKE_MS), np.zeros((6, 3)))
    spike.vector_mv[1] = PACING_SPIKE_MV
    for time_s, kind, limit in zip(rhythm.time_s, rhythm.kind, limits, strict=True):
        if kind != "ventricular":
            before_s = (limit.onset_ms - 3 * PACING_SPIKE_MS) / 1000
            add_beat(vector_mv, rate_hz, time_s + before_s, spike, 0.8)


def _truth(
    patient: PatientSpec,
    rhythm: Rhythm,
    shapes: list[BeatShape],
    limits: list[QrsLimits],
    duration_s: float,
    rng: np.random.Generator,
) -> Truth:
    """Draw the labels, and keep the beats whose R peak is inside the recording."""
    r_s = rhythm.time_s + np.array([limit.peak_ms for limit in limits]) / 1000
    drawn = [
        _draw_symbol(patient, kind, mixing, rng)
        for kind, mixing in zip(rhythm.kind, rhythm.mixing, strict=True)
    ]
    inside = np.flatnonzero((r_s >= 0.0) & (r_s < duration_s))

    def per_beat(values: list[float]) -> NDArray[np.float64]:
        return np.array(values, dtype=float)[inside]

    has_p = np.array([float(np.linalg.norm(shape.vector_mv[0])) > 0.01 for shape in shapes])
    p_s = rhythm.time_s + np.array([shape.time_ms[0] for shape in shapes]) / 1000
    by_rhythm = "(AFIB" if patient.rhythm == "af" else "(N"
    return Truth(
        r_s=r_s[inside],
        symbols=tuple(drawn[i][0] for i in inside),
        qrs_on_s=rhythm.time_s[inside] + per_beat([limit.onset_ms for limit in limits]) / 1000,
        qrs_off_s=rhythm.time_s[inside] + per_beat([limit.offset_ms for limit in limits]) / 1000,
        p_s=np.where(has_p, p_s, np.nan)[inside],
        qrs_ms=per_beat([limit.duration_ms for limit in limits]),
        qrs_area_uvs=per_beat([limit.area_uvs for limit in limits]),
        mixing=rhythm.mixing[inside],
        prob_ventricular=per_beat([probability for _, probability in drawn]),
        rhythm="(P" if patient.conduction == "paced" else by_rhythm,
    )


def _draw_symbol(
    patient: PatientSpec, kind: str, mixing: float, rng: np.random.Generator
) -> tuple[str, float]:
    """Draw a beat's label by its λ, and return the probability that it had of being V."""
    chance = float(rng.uniform())
    if kind == "unclassifiable":
        return "Q", 0.0
    if patient.conduction == "paced" and kind == "fusion":
        return "f", 0.0
    logit = patient.mixing.intercept + patient.mixing.slope * mixing
    probability = float(1.0 / (1.0 + np.exp(-logit)))
    if chance < probability:
        return "V", probability
    if _FUSION_MIXING[0] < mixing < _FUSION_MIXING[1]:
        return "F", probability
    return ("A" if kind == "atrial" else _CONDUCTED_SYMBOL[patient.conduction]), probability
