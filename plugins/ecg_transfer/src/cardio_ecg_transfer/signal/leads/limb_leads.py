"""Limb leads that follow from others, and the usual order of leads.

Einthoven: I + III = II. Goldberger's augmented leads follow from I and II alone, so two limb
leads are all the information that six hold.

References
----------
Kligfield P et al. Recommendations for the standardization and interpretation of the
electrocardiogram, part I. Circulation 2007; 115: 1306-1324 (lead definitions).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.signal.leads.names import standard_order

_FROM_I_AND_II = {"III": (-1.0, 1.0), "aVR": (-0.5, -0.5), "aVL": (1.0, -0.5), "aVF": (-0.5, 1.0)}

EINTHOVEN_LIMIT = 0.1
"""Share of the limb leads' size above which I + III ≠ II is named. Rounding of three leads, each
by itself, stays below .01 in 12-lead recordings of 1 to 5 µV a step; a lead of another moment,
gain or polarity is far above .1."""


def derive_limb_leads(ecg: Ecg) -> Ecg:
    """Add those of III, aVR, aVL and aVF that the recording lacks, from I and II.

    Parameters
    ----------
    ecg : Ecg
        With usual lead names.

    Returns
    -------
    Ecg
        The same leads, then the derived ones, each with a flag ``"III derived"``. A sample
        missing in I or II is missing in them. Without I or II the recording comes back as it is.

    Examples
    --------
    >>> ecg = Ecg(np.array([[1.0], [3.0]], dtype=np.float32), 500.0, ("I", "II"))
    >>> full = derive_limb_leads(ecg)
    >>> dict(zip(full.leads, full.signal_mv[:, 0].tolist(), strict=True))
    {'I': 1.0, 'II': 3.0, 'III': 2.0, 'aVR': -2.0, 'aVL': -0.5, 'aVF': 2.5}
    >>> full.flags
    ('III derived', 'aVR derived', 'aVL derived', 'aVF derived')
    """
    absent = [lead for lead in _FROM_I_AND_II if lead not in ecg.leads]
    if not absent or not {"I", "II"} <= set(ecg.leads):
        return ecg
    base = ecg.signal_mv[[ecg.leads.index("I"), ecg.leads.index("II")]]
    weights = np.array([_FROM_I_AND_II[lead] for lead in absent], dtype=np.float32)
    return replace(
        ecg,
        signal_mv=np.concatenate([ecg.signal_mv, weights @ base]),
        leads=ecg.leads + tuple(absent),
        flags=ecg.flags + tuple(f"{lead} derived" for lead in absent),
    )


def in_standard_order(ecg: Ecg) -> Ecg:
    """Sort the leads: I, II, III, aVR, aVL, aVF, V1 to V6, then the others as they were.

    Examples
    --------
    >>> ecg = Ecg(np.array([[5.0], [1.0]], dtype=np.float32), 500.0, ("V1", "I"))
    >>> in_standard_order(ecg).leads
    ('I', 'V1')
    """
    order = standard_order(ecg.leads)
    return replace(
        ecg, signal_mv=ecg.signal_mv[list(order)], leads=tuple(ecg.leads[i] for i in order)
    )


def einthoven_residual(ecg: Ecg) -> float | None:
    """Measure how far I + III is from II, as a share of the size of the three leads.

    Parameters
    ----------
    ecg : Ecg
        With usual lead names.

    Returns
    -------
    float or None
        Root mean square of ``I + III - II`` without its mean (electrodes add offsets), over that
        of the three leads; 0 for leads that fit, 1.7 for unrelated ones. None where a lead is
        absent or was derived, where nothing moves, or where no sample is common to all.

    Examples
    --------
    >>> t = np.arange(5000) / 500
    >>> one, two = np.sin(7 * t), np.cos(5 * t)
    >>> right = Ecg(np.array([one, two, two - one], dtype=np.float32), 500.0, ("I", "II", "III"))
    >>> wrong = replace(right, signal_mv=right.signal_mv * np.float32([[1], [1], [-1]]))
    >>> round(einthoven_residual(right), 6), round(einthoven_residual(wrong), 1)
    (0.0, 2.4)
    """
    if not {"I", "II", "III"} <= set(ecg.leads) or "III derived" in ecg.flags:
        return None
    limb = ecg.signal_mv[[ecg.leads.index(lead) for lead in ("I", "II", "III")]].astype(float)
    limb = limb[:, ~np.isnan(limb).any(axis=0)]
    if limb.shape[1] == 0:
        return None
    size = np.sqrt(np.mean(limb.var(axis=1)))
    if size == 0.0:
        return None
    one, two, three = limb
    return float(np.std(one + three - two) / size)
