"""Write a recording as a WFDB record, as a digital recorder of 200 steps a millivolt would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb
from numpy.typing import NDArray

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.synthetic.simulation import Truth

ADC_PER_MV = 200
_COMMENT = "Synthetic: made by code, of no patient."

# Format: (smallest, largest code for a sample, code for a missing one, code of 0 mV).
_RANGES = {"212": (-2047, 2047, -2048, 1024), "16": (-32767, 32767, -32768, 0)}


def quantised(signal_mv: NDArray[np.float32]) -> NDArray[np.float64]:
    """Round to whole steps of the converter, without its limits.

    Examples
    --------
    >>> quantised(np.float32([0.0051, -1.0])).tolist()
    [1.0, -200.0]
    """
    return np.rint(np.asarray(signal_mv, dtype=np.float64) * ADC_PER_MV)


def write_wfdb(
    folder: Path, record: str, ecg: Ecg, truth: Truth | None = None, fmt: str = "16"
) -> None:
    """Write header and signal file, and annotations where the truth is given.

    Parameters
    ----------
    folder : Path
        Must exist.
    record : str
        Name of the record; letters, digits, - and _.
    ecg : Ecg
        What is written; NaN becomes the format's code for a missing sample.
    truth : Truth, optional
        Beats go to ``record.atr``, each at its R peak, after a rhythm label at the start.
    fmt : {'16', '212'}
        212 is MIT-BIH's: 12 bits with 0 mV at 1024; what exceeds them is clipped, as there.
    """
    low, high, missing, zero = _RANGES[fmt]
    steps = quantised(ecg.signal_mv) + zero
    digital = np.where(np.isnan(steps), missing, np.clip(steps, low, high)).astype(np.int64)
    n_leads = len(ecg.leads)
    wfdb.wrsamp(
        record,
        fs=ecg.rate_hz,
        units=["mV"] * n_leads,
        sig_name=list(ecg.leads),
        d_signal=digital.T,
        fmt=[fmt] * n_leads,
        adc_gain=[float(ADC_PER_MV)] * n_leads,
        baseline=[zero] * n_leads,
        comments=[_COMMENT],
        write_dir=str(folder),
    )
    if truth is not None:
        samples = np.minimum(np.rint(truth.r_s * ecg.rate_hz), ecg.signal_mv.shape[1] - 1)
        wfdb.wrann(
            record,
            "atr",
            np.concatenate([[0], samples.astype(np.int64)]),
            ["+", *truth.symbols],
            aux_note=[truth.rhythm, *[""] * len(truth.symbols)],
            write_dir=str(folder),
        )
