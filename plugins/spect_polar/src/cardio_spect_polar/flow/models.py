"""What `mfr` and `risk_factor` predict, and the models that are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from cardio_core.api import Model, Need, Target, Task

if TYPE_CHECKING:
    from cardio_core.api import Context

N_SEGMENTS = 17
RISK_FACTORS = ("sex", "smoking", "hypertension", "dyslipidaemia", "diabetes")
MAPS = ("rest", "stress", "reserve")

_COLUMNS = {
    "path_polarmap_rest": "the map at rest",
    "path_polarmap_stress": "the map at stress",
    "path_polarmap_reserve": "the map of reserve; stress by rest where it is missing",
    "timepoint": "rows at baseline are taken; empty is baseline",
    "x_rate_pressure_product": "reserve corrected for it (load.reference_rate_pressure)",
    "age_y": "Table 1",
    "subject_link": "people with several patient_id",
    "site_id": "leaving one hospital out",
}
_RISKS = ("sex", "smoking", "htn", "dyslipidaemia", "dm")
"""Columns of `RISK_FACTORS`, in their order."""

_NETWORKS = tuple(Model(f"resnet_{name}", f"ResNet-50 on the {name} map") for name in MAPS)
_LOGISTIC = tuple(
    Model(
        f"logistic_{name}",
        f"Logistic regression on the 17 segment means of the {name} map",
        baseline=True,
    )
    for name in MAPS
)
_CHECKED = tuple(
    Model(f"resnet_{name}", f"ResNet-50 on the {name} map (sanity check)") for name in MAPS
)

MFR = Task(
    name="mfr",
    title="Segmental and impaired flow reserve from the map it was computed from (sanity check)",
    unit="patient",
    targets=(
        Target("impaired", "binary", ("no", "yes")),
        *(Target(f"mfr_{n:02d}", "continuous", unit="1") for n in range(1, N_SEGMENTS + 1)),
    ),
    models=_CHECKED,
    folder="cardio_spect_polar.flow",
    columns=_COLUMNS,
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
    needs=(Need("mfr", "same", models=tuple(model.name for model in _NETWORKS)),),
    folder="cardio_spect_polar.flow",
    columns={**_COLUMNS, **dict.fromkeys(_RISKS, "an outcome")},
    outcome_columns=_RISKS,
)


def kind_of(ctx: Context) -> Literal["resnet", "logistic"]:
    """Return whether the model is a network or a regression."""
    return "resnet" if str(ctx.model).startswith("resnet") else "logistic"


def map_of(ctx: Context) -> str:
    """Return the map that the model looks at: rest, stress or reserve."""
    return str(ctx.model).rpartition("_")[2]
