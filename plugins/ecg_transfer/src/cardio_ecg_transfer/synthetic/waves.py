"""One beat as a sum of Gaussians that moves the heart's vector.

The idea is McSharry's: each wave is a bump with a time, a width and here a direction in space.
Two beats with the same named waves can be blended wave by wave, which gives every degree between
them: between normal conduction and left bundle branch block, or between a normal beat and a
ventricular one.

References
----------
McSharry PE et al. A dynamical model for generating synthetic electrocardiogram signals. IEEE
Trans Biomed Eng 2003; 50: 289-294.
Sameni R et al. Multichannel ECG and noise modeling. EURASIP J Adv Signal Process 2007; 043407.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_QRS = slice(1, 4)  # of the waves

QRS_LIMIT_MV = 0.02
"""QRS lasts while its vector is longer than this: the CSE working party's smallest wave."""


@dataclass(frozen=True)
class BeatShape:
    """Six Gaussian waves: P; the QRS's first, main and late forces; T's rise and fall.

    Attributes
    ----------
    time_ms : ndarray, shape (6,)
        Centres relative to the beat's time; the T wave's are those at a rate of 75 a minute.
    width_ms : ndarray, shape (6,)
        Standard deviations.
    vector_mv : ndarray, shape (6, 3)
        Heights along x (left), y (feet) and z (back); zero where a beat lacks the wave.
    """

    time_ms: NDArray[np.float64]
    width_ms: NDArray[np.float64]
    vector_mv: NDArray[np.float64]

    def blend(self, other: BeatShape, weight: float) -> BeatShape:
        """Go from this shape (weight 0) to another (weight 1), wave by wave."""
        return BeatShape(
            (1 - weight) * self.time_ms + weight * other.time_ms,
            (1 - weight) * self.width_ms + weight * other.width_ms,
            (1 - weight) * self.vector_mv + weight * other.vector_mv,
        )

    def placed(
        self,
        rotation: NDArray[np.float64],
        gain: NDArray[np.float64] | float = 1.0,
        stretch: float = 1.0,
        pr_shift_ms: float = 0.0,
    ) -> BeatShape:
        """Put the beat into a chest of its own.

        Parameters
        ----------
        rotation : ndarray, shape (3, 3)
            The heart's position.
        gain : float or ndarray, shape (6,)
            Factor on the heights, of all waves or of each.
        stretch : float
            Factor on times and widths of the QRS waves.
        pr_shift_ms : float
            Added to the P wave's distance from the QRS.
        """
        time_ms, width_ms = self.time_ms.copy(), self.width_ms.copy()
        time_ms[_QRS] *= stretch
        width_ms[_QRS] *= stretch
        time_ms[0] -= pr_shift_ms
        gain = np.broadcast_to(np.asarray(gain, dtype=float), 6)
        return BeatShape(time_ms, width_ms, gain[:, None] * self.vector_mv @ rotation.T)

    def qrs_limits(self) -> QrsLimits:
        """Measure the QRS of this beat alone, on a grid of 0.1 ms.

        Examples
        --------
        >>> height_mv = np.zeros((6, 3))
        >>> height_mv[2, 0] = 1.0
        >>> limits = BeatShape(np.zeros(6), np.full(6, 10.0), height_mv).qrs_limits()
        >>> round(limits.duration_ms, 1), round(limits.area_uvs, 2)
        (55.8, 25.07)
        """
        time_ms, width_ms, vector_mv = (
            part[_QRS] for part in (self.time_ms, self.width_ms, self.vector_mv)
        )
        reach = 6 * width_ms.max()
        grid = np.arange(time_ms.min() - reach, time_ms.max() + reach, 0.1)
        bumps = np.exp(-0.5 * ((grid - time_ms[:, None]) / width_ms[:, None]) ** 2)
        length_mv = np.linalg.norm(bumps.T @ vector_mv, axis=1)
        inside = np.flatnonzero(length_mv >= QRS_LIMIT_MV)
        # The integral of a Gaussian is √(2π) σ times its height; 1 mV·ms is 1 µV·s.
        area = np.sqrt(2 * np.pi) * width_ms @ vector_mv
        return QrsLimits(
            onset_ms=float(grid[inside[0]]),
            peak_ms=float(grid[length_mv.argmax()]),
            offset_ms=float(grid[inside[-1]]),
            area_uvs=float(np.linalg.norm(area)),
        )


@dataclass(frozen=True)
class QrsLimits:
    """Where a QRS begins, peaks and ends, and its area.

    Attributes
    ----------
    onset_ms, offset_ms : float
        First and last time at which the QRS vector is longer than `QRS_LIMIT_MV`, relative to the
        beat's time.
    peak_ms : float
        When it is longest: the R peak.
    area_uvs : float
        Length of the vector of the three leads' QRS integrals, in µV·s (van Deursen et al.,
        J Electrocardiol 2012; 45: 528-533, use the same three-dimensional area).
    """

    onset_ms: float
    peak_ms: float
    offset_ms: float
    area_uvs: float

    @property
    def duration_ms(self) -> float:
        """From onset to offset."""
        return self.offset_ms - self.onset_ms


def add_beat(
    vector_mv: NDArray[np.float64], rate_hz: float, time_s: float, shape: BeatShape, rr_s: float
) -> None:
    """Add one beat to the heart's vector, in place.

    Parameters
    ----------
    vector_mv : ndarray, shape (3, n_samples)
        What is added to.
    rate_hz : float
        Its rate.
    time_s : float
        The beat's time; it may lie outside, where only the overlap is added.
    shape : BeatShape
        The beat.
    rr_s : float
        The RR interval before it: the T wave's time follows its square root (Bazett).
    """
    bazett = np.array([1.0, 1.0, 1.0, 1.0, *[np.sqrt(np.clip(rr_s, 0.35, 1.5) / 0.8)] * 2])
    for time_ms, width_ms, height_mv in zip(
        shape.time_ms * bazett, shape.width_ms, shape.vector_mv, strict=True
    ):
        if not height_mv.any():
            continue
        centre, width = (time_s + time_ms / 1000) * rate_hz, width_ms / 1000 * rate_hz
        first = max(0, int(np.floor(centre - 6 * width)))
        last = min(vector_mv.shape[1], int(np.ceil(centre + 6 * width)) + 1)
        if first < last:
            bump = np.exp(-0.5 * ((np.arange(first, last) - centre) / width) ** 2)
            vector_mv[:, first:last] += height_mv[:, None] * bump


def _shape(*waves: tuple[float, float, tuple[float, float, float]]) -> BeatShape:
    """Write a beat as six lines of time (ms), width (ms) and vector (mV)."""
    time_ms, width_ms, vector_mv = zip(*waves, strict=True)
    return BeatShape(np.array(time_ms), np.array(width_ms), np.array(vector_mv))


_P = (-160.0, 20.0, (0.12, 0.11, -0.02))
_NO_P = (-160.0, 20.0, (0.0, 0.0, 0.0))

NORMAL = _shape(
    _P,
    (-20.65, 7.23, (-0.124, -0.052, -0.311)),  # septum: to the right and front
    (0.0, 9.60, (1.140, 0.829, 0.363)),
    (19.61, 8.26, (-0.311, -0.259, 0.518)),  # base: upwards and back
    (230.0, 42.0, (0.20, 0.15, -0.15)),
    (275.0, 28.0, (0.15, 0.11, -0.10)),
)

LBBB = _shape(
    _P,
    (-42.46, 11.12, (0.403, 0.138, 0.023)),  # septum from right to left: no q in I and V6
    (-14.15, 15.17, (0.864, 0.461, 0.576)),
    (36.40, 19.72, (1.555, 0.023, 1.209)),  # the late lateral and posterior wall: the notch
    (275.0, 45.0, (-0.25, -0.05, -0.30)),
    (330.0, 32.0, (-0.20, -0.03, -0.22)),
)

RBBB = _shape(
    _P,
    (-20.65, 7.23, (-0.124, -0.052, -0.311)),
    (0.0, 9.60, (1.140, 0.829, 0.363)),
    (57.0, 17.0, (-0.60, -0.05, -0.72)),  # the late right ventricle
    (245.0, 42.0, (0.22, 0.15, 0.12)),
    (290.0, 28.0, (0.16, 0.11, 0.08)),
)

PVC_RIGHT = _shape(  # from the outflow tract: looks like left bundle branch block, points down
    _NO_P,
    (-36.0, 12.0, (0.16, 0.39, 0.12)),
    (-4.0, 17.0, (0.47, 1.36, 0.55)),
    (40.0, 18.0, (0.20, 0.43, 0.58)),
    (290.0, 48.0, (-0.20, -0.45, -0.30)),
    (345.0, 34.0, (-0.12, -0.30, -0.20)),
)

PVC_LEFT = _shape(  # from the left ventricle's wall: points right, front and up
    _NO_P,
    (-36.0, 12.0, (-0.12, -0.35, -0.27)),
    (-4.0, 17.0, (-0.62, -1.05, -0.90)),
    (40.0, 18.0, (-0.58, -0.20, -0.20)),
    (290.0, 48.0, (0.30, 0.35, 0.35)),
    (345.0, 34.0, (0.20, 0.24, 0.22)),
)

PACED = _shape(  # from the right ventricle's apex: left, up and back
    _NO_P,
    (-42.0, 12.0, (0.25, -0.30, 0.10)),
    (-7.0, 20.0, (0.70, -1.05, 0.55)),
    (39.0, 18.5, (0.85, -0.60, 0.70)),
    (300.0, 48.0, (-0.30, 0.35, -0.25)),
    (355.0, 34.0, (-0.20, 0.25, -0.16)),
)

PACING_SPIKE_MS = 1.5
"""Width (standard deviation) of the stimulus after a recorder's anti-alias filter."""

PACING_SPIKE_MV = (0.9, -1.1, 0.6)
"""Its vector: along the electrode, towards the apex."""


def conducted(conduction: str, severity: float = 1.0) -> BeatShape:
    """Return the beat that a ventricle with this conduction makes.

    Parameters
    ----------
    conduction : {'normal', 'lbbb', 'rbbb', 'paced'}
        The pathway.
    severity : float
        0 (normal) to 1 (complete block): everything between is a blend.

    Examples
    --------
    >>> [round(conducted("lbbb", s).qrs_limits().duration_ms) for s in (0.0, 0.5, 1.0)]
    [79, 119, 166]
    """
    block = {"normal": NORMAL, "lbbb": LBBB, "rbbb": RBBB, "paced": PACED}[conduction]
    return NORMAL.blend(block, severity)
