"""Figures as they are drawn, and the words on them."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from cardio_spect_polar.drawing.charts import binned_histogram_figure
from cardio_spect_polar.drawing.polar_maps import phase_map
from cardio_spect_polar.phase.cycle import phase_histogram
from cardio_spect_polar.phase.dyssynchrony import phase_indices

ANGLES = np.arange(72) * 5.0


RING = np.linspace(0.1, 1, 24)[:, None]


PHASE = (130 - 35 * np.sin(np.radians(ANGLES)) * RING) % 360


CAVITY_ML = 80 + 40 * np.cos(2 * np.pi * ((np.arange(32) + 0.5) / 32 - 0.9))


NAMES = ["PSD", "PBW", "entropy", *(f"feature {k}" for k in range(1, 8))]


def drawn(draw):
    """The figure after layout, ready to be measured."""
    figure = Figure(figsize=(6.2, 4.0), dpi=100, layout="constrained")
    draw(figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return figure


def plain(draw):
    """The figure without its layout, which takes most of the time: for what is on it."""
    figure = Figure()
    draw(figure)
    return figure


def words_of(figure):
    """All texts that are drawn; ticks beyond the ends of an axis are not."""
    parts = [figure]
    for part in parts:
        parts += part.subfigs
    texts = [text for part in parts for text in part.texts]
    for axes in figure.axes:
        texts += [*axes.texts, axes.title, axes._left_title, axes._right_title]
        if axes.axison:
            texts += [axes.xaxis.label, axes.yaxis.label, *tick_labels(axes)]
    return [text for text in texts if text is not None and text.get_text().strip()]


def tick_labels(axes):
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        slack = 1e-6 * (high - low)
        for tick in axis.get_major_ticks():
            if low - slack <= tick.get_loc() <= high + slack:
                yield from (label for label in (tick.label1, tick.label2) if label.get_visible())


def histogram_of(phases):
    found = phase_indices(phases)
    heights = phase_histogram(phases)
    return binned_histogram_figure(heights, psd_deg=found.psd_deg, pbw_deg=found.pbw_deg)


def colours_of(phase_deg, middle_deg):
    image = phase_map(Figure().subplots(), np.full((24, 72), float(phase_deg)), middle_deg)
    pixels = image.to_rgba(image.get_array())
    return pixels[len(pixels) // 2, len(pixels) // 2, :3]
