"""What this plugin is: its tasks, and where their hooks live. Nothing heavy is imported here."""

from __future__ import annotations

from cardio_core.api import PluginInfo
from cardio_ecg_transfer.beats.models import AAMI_BEATS
from cardio_ecg_transfer.response.models import CRT_RESPONSE
from cardio_ecg_transfer.signal.measurements.names import WORDS

INFO = PluginInfo(
    name="ecg_transfer",
    title="ECG spectrograms and residual networks, pretrained on MIT-BIH (He et al. 2023)",
    tasks=(CRT_RESPONSE, AAMI_BEATS),
    papers=(
        "He et al. 2023, A new method using deep transfer learning on ECG to predict the response "
        "to cardiac resynchronization therapy",
        "Moody and Mark 2001, The impact of the MIT-BIH Arrhythmia Database",
        "de Chazal et al. 2004, Automatic classification of heartbeats using ECG morphology and "
        "heartbeat interval features",
        "Dempster et al. 2020, ROCKET: exceptionally fast and accurate time series classification "
        "using random convolutional kernels",
    ),
    words=WORDS,
    paths={"path_ecg": "ECG recording."},
    tools={"datasets": "cardio_ecg_transfer.published.datasets:datasets"},
)
