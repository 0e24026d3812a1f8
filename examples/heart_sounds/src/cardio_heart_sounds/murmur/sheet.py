"""The sheet of `cardio measure`: one recording as a person checks it by eye."""

import numpy as np
from matplotlib.figure import Figure

from cardio_core.api import FeatureSet, SampleSet, canvas, write_measurements
from cardio_heart_sounds.readers.wav import Sound
from cardio_heart_sounds.signal.beats import find_rhythm
from cardio_heart_sounds.signal.mel import HIGH_HZ, LOW_HZ, mel
from cardio_heart_sounds.signal.windows import RATE_HZ, WINDOW_S


def sheet(figure: Figure, recording: Sound, samples: SampleSet, features: FeatureSet) -> None:
    """Draw the recording, its first window with S1 and S2, its picture, and what was measured."""
    grid = figure.add_gridspec(3, 2, width_ratios=(3, 1.2))
    whole, window, picture = (figure.add_subplot(grid[row, 0]) for row in range(3))
    times_s = np.arange(len(recording.values)) / recording.rate_hz
    step = max(1, len(times_s) // 20000)
    whole.plot(times_s[::step], recording.values[::step], color=canvas.INK, linewidth=0.4)
    start_s = samples.table["time_s"].iloc[0]
    whole.axvspan(start_s, start_s + WINDOW_S, color=canvas.BLUE, alpha=0.15, linewidth=0)
    canvas.bare_axes(whole, x="s", title="Recording; the window below is blue")
    sound = samples.values[0]
    window.plot(np.arange(len(sound)) / RATE_HZ, sound, color=canvas.INK, linewidth=0.4)
    rhythm = find_rhythm(sound)
    for first_s in rhythm.first_s:
        window.axvline(first_s, color=canvas.ORANGE, linewidth=0.9)
        window.axvline(first_s + rhythm.systole_s, color=canvas.BLUE, linewidth=0.9, linestyle="--")
    window.set_xlim(0, WINDOW_S)
    canvas.bare_axes(window, x="s", title="Window: S1 (orange) and S2 (blue, dashed) as found")
    picture.imshow(
        features["picture"].in_units()[0, 0], origin="lower", aspect="auto", cmap="magma",
        extent=(0, WINDOW_S, float(mel(LOW_HZ)), float(mel(HIGH_HZ))),
    )  # fmt: skip
    marks_hz = np.array([50, 100, 200, 400, 800])
    picture.set_yticks(mel(marks_hz), [str(mark) for mark in marks_hz])
    canvas.bare_axes(picture, x="s", y="Hz", title="The picture that the network is given")
    write_measurements(figure.add_subplot(grid[:, 1]), features)
