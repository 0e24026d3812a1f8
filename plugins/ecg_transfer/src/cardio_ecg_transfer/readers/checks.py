"""What every recording must have, whatever its format."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cardio_core.api import DataError
from cardio_ecg_transfer.signal.ecg import Ecg

RATE_RANGE_HZ = (50.0, 50_000.0)
"""Below 50 Hz no QRS is resolved; above 50 kHz no surface ECG is recorded."""

SAME_RATE = 1e-3
"""Share by which two statements of one rate may differ: times are printed with few digits."""

FLAT_MV = 0.02
"""A lead that moves less is flat: the smallest deflection that the CSE working party counts as a
wave is 20 µV (Eur Heart J 1985; 6: 815-825)."""

MV_PER_UNIT = {"V": 1e3, "mV": 1.0, "uV": 1e-3, "µV": 1e-3, "μV": 1e-3, "nV": 1e-6}
"""Units of potential, spelt as UCUM and WFDB spell them, and with either micro sign."""


@contextmanager
def readable(name: str, expected: str, found: str, do: str) -> Iterator[None]:
    """Refuse what a library cannot read: its own errors and warnings may quote the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DataError:
        raise
    except Exception:  # of many kinds
        raise DataError.unusable(name, expected, found, do) from None


def require_size(name: str, n_leads: int, n_samples: int, max_values: int) -> None:
    """Refuse a claim of nothing, or of more than may be decoded."""
    if n_leads < 1 or n_samples < 1:
        raise DataError.unusable(
            name,
            "at least one lead and one sample",
            f"{n_leads} leads of {n_samples} samples",
            "export the recording again",
        )
    if n_leads * n_samples > max_values:
        raise too_large(name, max_values, f"{n_leads} × {n_samples} claimed by the header")


def too_large(name: str, max_values: int, found: str) -> DataError:
    """Word the refusal of more than may be decoded."""
    expected = f"at most {max_values} values (leads × samples)"
    return DataError.unusable(name, expected, found, "cut the recording into shorter ones")


def require_rate(name: str, rate_hz: float) -> None:
    """Refuse a sampling rate that no ECG has."""
    low, high = RATE_RANGE_HZ
    if not (math.isfinite(rate_hz) and low <= rate_hz <= high):
        raise DataError.unusable(
            name,
            f"a sampling rate of {low:g} to {high:g} Hz",
            f"{rate_hz:g} Hz",
            "correct the header or export the recording again",
        )


def require_usable(ecg: Ecg, name: str, min_duration_s: float) -> None:
    """Refuse a recording that is too short, or of which no lead carries a signal.

    One dead lead among others is no reason to refuse: `signal.quality` names it.

    Raises
    ------
    DataError
        Too short; nothing but missing values; infinite values; every lead flat.
    """
    if ecg.duration_s < min_duration_s:
        raise DataError.unusable(
            name,
            f"at least {min_duration_s:g} s of signal",
            f"{ecg.duration_s:.1f} s",
            "record longer, or leave this file out",
        )
    n_leads = len(ecg.signal_mv)
    if np.isinf(ecg.signal_mv).any():
        raise DataError.unusable(
            name, "finite potentials", "infinite ones", "export the recording again"
        )
    valid = [lead[~np.isnan(lead)] for lead in ecg.signal_mv]
    spans = [float(lead.max()) - float(lead.min()) for lead in valid if lead.size]
    if not spans:
        raise DataError.unusable(
            name,
            "samples",
            f"only missing values in all {n_leads} leads",
            "check the electrodes and export the recording again",
        )
    if max(spans) < FLAT_MV:
        raise DataError.unusable(
            name,
            f"a lead that moves by at least {FLAT_MV:g} mV",
            f"flat lines in all {n_leads} leads, the largest of {max(spans):.2g} mV",
            "check the electrodes, and whether the file names the right unit",
        )
