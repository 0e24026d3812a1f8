"""All that is measured of a beat to tell ectopic from own, as columns with names and units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ectopy.complexes import complexes, own_kind
from cardio_ecg_transfer.signal.ectopy.noise import noise, unreadable
from cardio_ecg_transfer.signal.ectopy.p_waves import p_waves
from cardio_ecg_transfer.signal.ectopy.shapes import group_shapes
from cardio_ecg_transfer.signal.ectopy.timing import timing

BY_GROUP = ("rr_to_near", "pair_to_near", "rr_to_next", "p_cosine_z", "width", "own_cosine")
"""Of these, the median of a beat's group stands beside its own value: wide beats that come in time
are no ectopic ones."""

SECONDS = ("shift_s", "width", "w90", "half_width", "group_width")
_UNREADABLE = "unreadable"


def beat_evidence(
    signal_mv: NDArray[np.floating], r_samples: NDArray[np.int64], rate_hz: float
) -> dict[str, NDArray[np.float32]]:
    """Measure every beat of one recording, beside that recording and nobody else's.

    Parameters
    ----------
    signal_mv : ndarray, shape (n_leads, n_samples)
        Potentials in millivolt; NaN where missing.
    r_samples : ndarray of int64, shape (n_beats,)
        Increasing R peaks, three or more.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    dict of str to ndarray of float32, shape (n_beats,)
        The columns of `timing`, `p_waves`, `complexes` and `noise`, those of `BY_GROUP` as medians
        of the beat's group (``group_...``), and ``unreadable`` (1 or 0). Finite.
    """
    signal = np.nan_to_num(np.asarray(signal_mv, dtype=np.float64))
    shapes = group_shapes(signal, r_samples, rate_hz)
    own = own_kind(shapes)
    made: dict[str, NDArray[np.floating]] = dict(timing(r_samples / rate_hz, own))
    made |= p_waves(signal, r_samples, shapes, own, made["rr_to_near"], rate_hz)
    made |= complexes(signal, r_samples, shapes, rate_hz)
    made |= noise(signal, r_samples, shapes, own, rate_hz)
    groups = range(len(shapes.templates_mv))
    for name in BY_GROUP:
        medians = np.array([np.median(made[name][shapes.group == one]) for one in groups])
        made[f"group_{name}"] = medians[shapes.group]
    made[_UNREADABLE] = unreadable(made).astype(np.float32)
    return {
        name: np.nan_to_num(np.asarray(value, np.float32), posinf=10.0, neginf=-10.0)
        for name, value in made.items()
    }


def unit_of(name: str) -> str:
    """Return the unit of a column; most are pure numbers."""
    return "s" if name.partition(":")[0] in SECONDS else "1"
