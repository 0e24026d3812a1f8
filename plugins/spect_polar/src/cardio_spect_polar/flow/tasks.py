"""What `mfr` and `risk_factor` predict, and the rows that are compared."""

from __future__ import annotations

from cardio_core.api import Model, Need, Target, Task

N_SEGMENTS = 17
RISK_FACTORS = ("sex", "smoking", "hypertension", "dyslipidaemia", "diabetes")
MAPS = ("rest", "stress", "reserve")

_NETWORKS = tuple(Model(f"resnet_{name}", f"ResNet-50 on the {name} map") for name in MAPS)
_LOGISTIC = tuple(
    Model(f"logistic_{name}", f"Logistic regression on segments of the {name} map", baseline=True)
    for name in MAPS
)
_CHECKED = tuple(
    Model(f"resnet_{name}", f"ResNet-50 on the {name} map (sanity check)") for name in MAPS
)
_CONFIG = "cardio_spect_polar.flow.config:FlowConfig"

MFR = Task(
    name="mfr",
    title="Segmental and impaired flow reserve from the map it was computed from (sanity check)",
    unit="patient",
    targets=(
        Target("impaired", "binary", ("no", "yes")),
        *(Target(f"mfr_{n:02d}", "continuous", unit="1") for n in range(1, N_SEGMENTS + 1)),
    ),
    models=_CHECKED,
    config=_CONFIG,
    folder="cardio_spect_polar.flow",
)

RISK_FACTOR = Task(
    name="risk_factor",
    title="Risk factors from perfusion polar maps",
    unit="patient",
    targets=tuple(
        Target(name, "binary", ("F", "M") if name == "sex" else ("no", "yes"))
        for name in RISK_FACTORS
    ),
    models=(*_NETWORKS, *_LOGISTIC),
    needs=(Need("mfr", "same"),),
    config=_CONFIG,
    folder="cardio_spect_polar.flow",
)
