"""What is compared: a network, a regression, and the baseline that both have to beat."""

from cardio_core.api import Model, Target, Task

REGRESSION = "sklearn.linear_model:LogisticRegression"

MY_TASK = Task(
    name="my_task",
    title="A finding in a picture",
    unit="patient",
    targets=(Target("my_target", "binary", ("absent", "present")),),
    models=(
        Model(
            "regression",
            "Regression on height and width",
            estimator=REGRESSION,
            columns=("measures.height", "measures.width"),
        ),
        Model("network", "Convolutional network on the picture"),
        Model(
            "height",
            "Regression on the height alone",
            baseline=True,
            estimator=REGRESSION,
            columns=("measures.height",),
        ),
    ),
    folder="cardio_my_modality.my_task",
)
