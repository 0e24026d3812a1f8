"""The sheet of `cardio measure`: one recording as a person checks it by eye."""

from typing import Any

from matplotlib.figure import Figure

from cardio_core.api import FeatureSet, canvas, write_measurements


def sheet(figure: Figure, recording: Any, features: FeatureSet) -> None:
    """Draw the picture, and write next to it what was measured."""
    picture, table = figure.subplots(1, 2, width_ratios=(2, 1))
    picture.imshow(recording, cmap="gray")
    canvas.bare_axes(picture, x="column", y="row", title="Picture")
    write_measurements(table, features)
