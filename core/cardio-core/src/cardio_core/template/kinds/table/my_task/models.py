"""What is compared: a regression, and the baseline that it has to beat."""

from cardio_core.api import Model, Target, Task

REGRESSION = "sklearn.linear_model:LogisticRegression"

MY_TASK = Task(
    name="my_task",
    title="A finding from measurements",
    unit="patient",
    targets=(Target("my_target", "binary", ("absent", "present")),),
    models=(
        Model(
            "regression",
            "Regression on volume and strain",
            estimator=REGRESSION,
            columns=("measures.volume_ml", "measures.strain_pct"),
        ),
        Model(
            "volume",
            "Regression on the volume alone",
            baseline=True,
            estimator=REGRESSION,
            columns=("measures.volume_ml",),
        ),
    ),
    folder="cardio_my_modality.my_task",
)
