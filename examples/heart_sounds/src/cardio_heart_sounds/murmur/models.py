"""What is compared: a network on the picture of the sound, and the baseline it has to beat."""

from cardio_core.api import Model, Target, Task

MURMUR = Task(
    name="murmur",
    title="Murmur of a diseased heart in phonocardiograms",
    unit="patient",
    targets=(Target("murmur", "binary", ("absent", "present")),),
    models=(
        Model("network", "Convolutional network on log-mel pictures"),
        Model(
            "energy",
            "Regression on sound in systole and diastole",
            baseline=True,
            estimator="sklearn.linear_model:LogisticRegression",
            columns=("measures.systolic_level", "measures.diastolic_level"),
        ),
    ),
    folder="cardio_heart_sounds.murmur",
)
