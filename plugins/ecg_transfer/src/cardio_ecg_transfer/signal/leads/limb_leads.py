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
