"""What `crt_response` predicts, and the rows that are compared."""

from __future__ import annotations

from cardio_core.api import Model, Resubstitution, Target, Task

CRT_RESPONSE = Task(
    name="crt_response",
    title="Response to cardiac resynchronization therapy from gated SPECT",
    unit="patient",
    folder="cardio_spect_polar.response",
    targets=(Target("response", "binary", ("no", "yes")),),
    models=(
        Model("clinical_autoencoder", "Clinical variables and autoencoder features"),
        Model("autoencoder", "Autoencoder features"),
        Model("clinical", "Clinical variables", baseline=True),
        Model("clinical_psd", "Clinical variables and phase SD"),
        Model("clinical_pbw", "Clinical variables and phase bandwidth"),
        Model("pca", "Principal components of the phase map", baseline=True),
        Model("psd", "Phase SD", baseline=True),
        Model("pbw", "Phase bandwidth", baseline=True),
        Model("indices", "Phase SD, bandwidth and entropy", baseline=True),
        Model("delay", "Delay of the lateral wall and latest viable segment", baseline=True),
        Model("qrs_duration", "QRS duration", baseline=True),
    ),
    uses_unlabelled=True,
    plans={
        "apparent": Resubstitution(
            overlap="autoencoder, screening and regression see every patient they are tested on"
        ),
    },
)
