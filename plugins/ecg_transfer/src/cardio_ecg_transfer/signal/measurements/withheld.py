"""Which leads each measurement stands on, and what is withheld where some are unfit."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.leads.finding import Finding, Unfit, unfit_leads
from cardio_ecg_transfer.signal.leads.names import STANDARD_LEADS
from cardio_ecg_transfer.signal.measurements.vcg import INDEPENDENT_LEADS

_SHAPE: tuple[Unfit, ...] = ("signal", "place")
_SIZE: tuple[Unfit, ...] = (*_SHAPE, "potential")
_MILLIVOLT: tuple[Unfit, ...] = (*_SIZE, "unit")
_CONDUCTED: tuple[Unfit, ...] = (*_SHAPE, "paced")

_SIX = ("I", "aVL", "V1", "V2", "V5", "V6")
_STANDS_ON: dict[str, tuple[tuple[str, ...], tuple[Unfit, ...]]] = {
    "axis_deg": (("I", "aVF"), _SIZE),
    "axis_error_deg": (("I", "aVF"), _SIZE),
    "p_axis_deg": (("I", "aVF"), _SIZE),
    "t_axis_deg": (("I", "aVF"), _SIZE),
    "qrs_area_uvs": (INDEPENDENT_LEADS, _MILLIVOLT),
    "n_notched": (_SIX, _CONDUCTED),
    "n_fragmented": (STANDARD_LEADS, _CONDUCTED),
    "r_peak_v6_ms": (("V6",), _CONDUCTED),
    "lbbb": (_SIX, _CONDUCTED),
    "lbbb_esc": (("I", "V1", "V5", "V6"), _CONDUCTED),
    "lbbb_aha": (("I", "aVL", "V5", "V6"), _CONDUCTED),
    "rbbb": (("I", "V1", "V6"), _CONDUCTED),
    **{f"{wave}_{lead.lower()}_mv": ((lead,), _MILLIVOLT) for wave in "rs" for lead in _SIX},
}
"""Leads, and what makes them unfit for it. Times over all leads rest on those that are left."""


def without_unfit(
    values: Mapping[str, float], findings: tuple[Finding, ...]
) -> tuple[dict[str, float], dict[str, str]]:
    """Empty the measurements whose leads are unfit for them.

    Parameters
    ----------
    values : mapping of str to float
        By the names of `measure.MEASUREMENTS`.
    findings : tuple of Finding
        What was found in the recording.

    Returns
    -------
    dict of str to float
        NaN where something is withheld.
    dict of str to str
        Why, by the name of what was.

    Examples
    --------
    >>> flat = Finding("V6 flat", ("V6",), "signal")
    >>> without_unfit({"qrs_ms": 96.0, "r_v6_mv": 0.0}, (flat,))
    ({'qrs_ms': 96.0, 'r_v6_mv': nan}, {'r_v6_mv': 'V6 flat'})
    """
    emptied = {
        name: next(one.text for one in findings if unfit_leads((one,), *kinds) & set(leads))
        for name in values
        if (stands_on := _STANDS_ON.get(name.removesuffix("_share")))
        for leads, kinds in [stands_on]
        if unfit_leads(findings, *kinds) & set(leads)
    }
    kept = {name: np.nan if name in emptied else value for name, value in values.items()}
    return kept, emptied


def rows_without_unfit(
    rows_mv: NDArray[np.float32], findings: tuple[Finding, ...]
) -> NDArray[np.float32]:
    """Empty the leads, in the order of `STANDARD_LEADS`, whose potentials are not theirs."""
    unfit = unfit_leads(findings, *_MILLIVOLT)
    place = [lead in unfit for lead in STANDARD_LEADS]
    return np.where(np.array(place)[:, None], np.float32(np.nan), rows_mv)
