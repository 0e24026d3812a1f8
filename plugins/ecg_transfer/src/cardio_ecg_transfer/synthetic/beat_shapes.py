"""The kinds of beat: how each moves the heart's vector.

x points to the left, y to the feet, z to the back. NORMAL and LBBB are set so that QRS duration
is 79 and 166 ms and QRS area 27 and 148 µV·s (methods page, 5.2). The others follow the textbook
pictures: late forces to the right and front in right bundle branch block, slow one-sided forces
and a T wave against them after ventricular and paced beats. Ventricular beats have as much of the
detectors' band (6 to 18 Hz) beside conducted ones as MIT-BIH's: over patients, the ratio in lead II
is .6 to 1.3 (10 to 90 %; .5 to 1.5 in the 25 records of MIT-BIH with ten or more of them).
"""

from __future__ import annotations

import numpy as np

from cardio_ecg_transfer.synthetic.waves import BeatShape


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
