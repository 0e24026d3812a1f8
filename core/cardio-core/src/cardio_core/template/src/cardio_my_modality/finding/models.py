"""What is compared: a network, a regression, and the baseline that both have to beat."""

from cardio_core.api import Model, Option, Target, Task

FINDING = Task(
    name="finding",
    title="A finding in a pulse trace",
    unit="patient",
    targets=(Target("finding", "binary", ("absent", "present")),),
    models=(
        Model("regression", "Regression on height, width and rate"),
        Model("network", "Convolutional network on the shape of a pulse"),
        Model("rate", "Regression on the rate alone", baseline=True),
    ),
    folder="cardio_my_modality.finding",
    options=(
        Option("refractory", "Least time between two pulses", "preprocess.refractory_s", unit="s"),
    ),
)

MEASURES = {"regression": ("height", "width", "rate"), "rate": ("rate",)}
"""What each regression is fitted on."""
