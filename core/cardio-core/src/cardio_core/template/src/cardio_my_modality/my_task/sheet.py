"""The sheet of `cardio measure`: one recording as a person checks it by eye."""

import numpy as np
from matplotlib.figure import Figure

from cardio_core.api import FeatureSet, SampleSet, canvas, write_measurements
from cardio_my_modality.readers.recording import Trace


def sheet(figure: Figure, recording: Trace, samples: SampleSet, features: FeatureSet) -> None:
    """Draw the trace with its pulses, a pulse over the other, and what was measured."""
    grid = figure.add_gridspec(2, 2, width_ratios=(2, 1))
    trace, shapes = figure.add_subplot(grid[0, :]), figure.add_subplot(grid[1, 0])
    times_s = np.arange(len(recording.values)) / recording.rate_hz
    trace.plot(times_s, recording.values, color=canvas.INK, linewidth=0.8)
    for time_s in samples.table["time_s"]:
        trace.axvline(time_s, color=canvas.ORANGE, linewidth=0.8)
    canvas.bare_axes(trace, x="s", title="Trace; the lines are the pulses that were found")
    for pulse in features["shape"].in_units()[:, 0]:
        shapes.plot(pulse, color=canvas.BLUE, linewidth=0.6, alpha=0.5)
    canvas.bare_axes(shapes, x="number of the value", title="Every pulse, by its height")
    write_measurements(figure.add_subplot(grid[1, 1]), features)
