"""Who a synthetic patient is: conduction, rhythm, anatomy, and how the recording was disturbed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from cardio_core.api import DataError

CONDUCTIONS = ("normal", "lbbb", "rbbb", "paced")
RHYTHMS = ("sinus", "af")
FOCI = ("right", "left")


@dataclass(frozen=True)
class Anatomy:
    """What makes this patient's ECG differ from the next one's.

    Attributes
    ----------
    turn_deg : tuple of float
        The heart's rotation as a rotation vector, in degrees about x, y and z.
    focus_turn_deg : tuple of float
        The same for the ectopic focus, added to it.
    gain : float
        Factor on all potentials.
    wave_gains : tuple of float, length 6
        Factor on each wave.
    stretch : float
        Factor on the QRS's times.
    pr_shift_ms : float
        Added to the PR interval.
    """

    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    focus_turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gain: float = 1.0
    wave_gains: tuple[float, ...] = (1.0,) * 6
    stretch: float = 1.0
    pr_shift_ms: float = 0.0


@dataclass(frozen=True)
class Noise:
    """What disturbs the electrodes.

    Attributes
    ----------
    snr_db : float or None
        Ratio of power, 10·log10(signal / noise): each is the variance over time, averaged over
        the eight independent leads (I, II, V1 to V6). None records without noise. A single lead's
        own ratio differs, since leads differ in size.
    wander, muscle, mains, motion : float
        Shares of the noise's power: breathing and drift below 0.5 Hz; muscle, 20 to 150 Hz;
        50 Hz; and bumps of moving electrodes, in the QRS's own band.
    mains_hz : float
        50 or 60.
    """

    snr_db: float | None = None
    wander: float = 0.55
    muscle: float = 0.2
    mains: float = 0.1
    motion: float = 0.15
    mains_hz: float = 50.0


@dataclass(frozen=True)
class Mixing:
    """How far a beat's shape and time lie between conducted (0) and ventricular (1).

    A latent number λ is drawn for each beat; it alone sets the shape, the prematurity and the
    probability that the beat is called ventricular, ``1 / (1 + exp(-(intercept + slope·λ)))``.
    Whatever a classifier sees depends on the label through λ only, so no classifier can rank
    better than that probability: its AUC is the Bayes AUC.

    Attributes
    ----------
    spread : float
        Conducted beats have λ between 0 and `spread`, ectopic ones between 1 - `spread` and 1,
        fusion beats around 0.5.
    intercept, slope : float
        Of the logistic curve.
    """

    spread: float = 0.0
    intercept: float = -75.0
    slope: float = 100.0


@dataclass(frozen=True)
class PatientSpec:
    """One synthetic patient.

    Attributes
    ----------
    conduction : {'normal', 'lbbb', 'rbbb', 'paced'}
        How the ventricles are activated. Paced patients have no P waves and a regular rhythm.
    severity : float
        0 to 1: the degree of a bundle branch block.
    rhythm : {'sinus', 'af'}
        Sinus rhythm, or atrial fibrillation with irregular RR and f waves.
    heart_rate_bpm : float
        30 to 180.
    rr_variability : float
        Standard deviation of sinus RR over its mean; half of the variance at 0.1 Hz, half at the
        breathing rate of 0.25 Hz.
    pvc_share, pac_share, fusion_share, unclassifiable_share : float
        Probability that a beat is ventricular, atrial premature, a fusion of both, or too
        distorted to classify.
    focus : {'right', 'left'}
        Where ventricular beats come from.
    anatomy, noise, mixing
        See there.
    """

    conduction: str = "normal"
    severity: float = 1.0
    rhythm: str = "sinus"
    heart_rate_bpm: float = 72.0
    rr_variability: float = 0.04
    pvc_share: float = 0.0
    pac_share: float = 0.0
    fusion_share: float = 0.0
    unclassifiable_share: float = 0.0
    focus: str = "right"
    anatomy: Anatomy = field(default_factory=Anatomy)
    noise: Noise = field(default_factory=Noise)
    mixing: Mixing = field(default_factory=Mixing)

    def __post_init__(self) -> None:
        for name, known in (("conduction", CONDUCTIONS), ("rhythm", RHYTHMS), ("focus", FOCI)):
            if getattr(self, name) not in known:
                raise DataError(
                    f"patient: expected {name} to be one of {', '.join(known)}, "
                    f"found {getattr(self, name)!r}; correct the specification"
                )
        shares = (self.pvc_share, self.pac_share, self.fusion_share, self.unclassifiable_share)
        if min(shares) < 0 or sum(shares) > 0.9 or not 30 <= self.heart_rate_bpm <= 180:
            raise DataError(
                "patient: expected shares of beats that add up to at most .9 and a rate of 30 to "
                f"180, found {sum(shares):g} and {self.heart_rate_bpm:g}; correct the specification"
            )


def rotation_matrix(turn_deg: tuple[float, float, float]) -> np.ndarray:
    """Turn a rotation vector in degrees into a matrix, shape (3, 3).

    Examples
    --------
    >>> rotation_matrix((0.0, 0.0, 90.0)).round(6)[:, 0].tolist()
    [0.0, 1.0, 0.0]
    """
    return np.asarray(Rotation.from_rotvec(turn_deg, degrees=True).as_matrix())


def draw_anatomy(rng: np.random.Generator) -> Anatomy:
    """Draw a patient's anatomy.

    Rotations of 12 degrees (standard deviation about each axis; 15 more for the ectopic focus),
    a gain of ±20 %, waves of ±12 %, QRS times of ±5 %, a PR interval of ±15 ms.
    """
    turn = rng.normal(0.0, 12.0, 3)
    focus = rng.normal(0.0, 15.0, 3)
    return Anatomy(
        turn_deg=(float(turn[0]), float(turn[1]), float(turn[2])),
        focus_turn_deg=(float(focus[0]), float(focus[1]), float(focus[2])),
        gain=float(np.exp(rng.normal(0.0, 0.2))),
        wave_gains=tuple(np.exp(rng.normal(0.0, 0.12, 6)).tolist()),
        stretch=float(np.exp(rng.normal(0.0, 0.05))),
        pr_shift_ms=float(rng.normal(0.0, 15.0)),
    )
