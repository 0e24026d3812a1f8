"""Write a recording as EDF: 16-bit samples of 200 steps a millivolt, labelled as EDF+ asks.

References
----------
Kemp B et al. Electroencephalogr Clin Neurophysiol 1992; 82: 391-393; EDF+, 2.1.3 (labels).
"""

from __future__ import annotations

from pathlib import Path

import edfio
import numpy as np

from cardio_ecg_transfer.signal.ecg import Ecg
from cardio_ecg_transfer.synthetic.writers import ADC_PER_MV, quantised

_DIGITAL = (-32768, 32767)


def write_edf(path: Path, ecg: Ecg) -> None:
    """Write every lead, of whole seconds without gaps, as a signal ``ECG II`` in µV."""
    uv_per_step = 1000 / ADC_PER_MV
    digital = np.clip(quantised(ecg.signal_mv), *_DIGITAL).astype(np.int16)
    signals = [
        edfio.EdfSignal.from_digital(
            samples,
            ecg.rate_hz,
            label=f"ECG {lead}",
            physical_dimension="uV",
            physical_range=(_DIGITAL[0] * uv_per_step, _DIGITAL[1] * uv_per_step),
            digital_range=_DIGITAL,
        )
        for lead, samples in zip(ecg.leads, digital, strict=True)
    ]
    edfio.Edf(signals, data_record_duration=1.0).write(path)
