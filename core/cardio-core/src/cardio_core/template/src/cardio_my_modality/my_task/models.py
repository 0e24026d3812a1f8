"""What is compared: a network, a regression, and the baseline that both have to beat."""

from cardio_core.api import Model, Option, Target, Task

REGRESSION = "sklearn.linear_model:LogisticRegression"

MY_TASK = Task(
    name="my_task",
    title="A finding in a pulse trace",
    unit="patient",
    targets=(Target("my_target", "binary", ("absent", "present")),),
    models=(
        Model(
            "regression",
            "Regression on height, width and rate",
            estimator=REGRESSION,
            columns=("measures.height", "measures.width", "measures.rate"),
        ),
        Model("network", "Convolutional network on the shape of a pulse"),
        Model(
            "rate",
            "Regression on the rate alone",
            baseline=True,
            estimator=REGRESSION,
            columns=("measures.rate",),
        ),
    ),
    folder="cardio_my_modality.my_task",
    options=(
        Option("refractory", "Least time between two pulses", "preprocess.refractory_s", unit="s"),
    ),
)
