"""What is compared on whole recordings."""

from __future__ import annotations

from cardio_core.api import Model, Need, Option, Resubstitution, Target, Task
from cardio_toy.parts.ill import ILL

APPARENT = Resubstitution(overlap="everybody is trained on and tested")
SEVERITY = Target("severity", "continuous", unit="SD")

MEAN_CLASS = Task(
    name="mean_class",
    title="Illness from the height of the beats",
    unit="patient",
    targets=(ILL,),
    models=(
        Model("ridge", "Penalised logistic regression"),
        Model("constant", "Prevalence, whoever it is", baseline=True),
    ),
    plans={"apparent": APPARENT},
    family="clinic",
    folder="cardio_toy.clinic",
    any_outcome=True,
    options=(
        Option("gain", "Factor of every value", "load.gain", form="NUMBER", for_new=True),
        Option("without", "Models that the cohort lacks", "load.without", form="MODEL,..."),
        Option("notes", "What the ward wrote", column="path_notes"),
    ),
)
SECOND = Task(
    name="second",
    title="Illness and severity of a study, from the first task's model and its features",
    unit="study",
    targets=(ILL, SEVERITY),
    models=(Model("ridge", "Ridge regression"),),
    needs=(Need("mean_class", "same"),),
    plans={"apparent": APPARENT},
    folder="cardio_toy.clinic",
)
JOINED = Task(
    name="joined",
    title="Illness and severity from one feature each, and fused",
    unit="study",
    targets=(ILL, SEVERITY),
    models=(
        Model("both", "Height and spread, fused", targets=("ill",), fuses=("height", "spread")),
        Model("height", "Height", targets=("ill",), partial=True),
        Model("spread", "Spread", targets=("ill",), partial=True),
        Model("height_value", "Severity from height", targets=("severity",), partial=True),
        Model("spread_value", "Severity from spread", targets=("severity",), partial=True),
        Model(
            "both_value",
            "Severity from both",
            targets=("severity",),
            fuses=("height_value", "spread_value"),
        ),
    ),
    needs=(Need("mean_class", "same", for_new=True, optional=True, models=("height", "spread")),),
    family="clinic",
    folder="cardio_toy.clinic",
)
