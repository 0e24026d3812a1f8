"""Histograms, curves and tables: the numbers that figures show are those that were found."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.image import AxesImage
from matplotlib.text import Text
from spect_drawn import CAVITY_ML, colours_of, drawn, histogram_of, plain, words_of

from cardio_core.api import DataError
from cardio_spect_polar.drawing.charts import (
    Increment,
    binned_histogram_figure,
    correlation_figure,
    increments_figure,
    volume_figure,
)
from cardio_spect_polar.drawing.sheet import numbers_table
from cardio_spect_polar.phase.cycle import phase_histogram
from cardio_spect_polar.phase.dyssynchrony import phase_indices


def test_the_histogram_marks_the_numbers_it_names():
    phases = np.repeat([340.5, 0.5, 20.5], 100)
    figure = drawn(histogram_of(phases))
    said = " ".join(text.get_text() for text in words_of(figure))
    # Three equal lumps 20 degrees apart: SD 20 sqrt(2/3) sqrt(300/299), 95 % takes all three.
    assert "phase SD 16.4°" in said
    assert "bandwidth (95 % of samples) 40°" in said
    assert "n = 300" in said
    brackets = [line.get_xdata() for line in figure.axes[0].lines]
    # On an axis from -40 to 320 degrees, whoever the patient is.
    spans = {(round(float(x[0])) % 360, round(float(x[-1])) % 360) for x in brackets}
    assert (340, 20) in spans
    assert (344, 17) in spans


def test_a_histogram_of_kept_bins_shows_the_numbers_of_the_samples():
    phases = np.random.default_rng(2).normal(2, 20, 800)
    found = phase_indices(phases)
    said = {text.get_text() for text in words_of(drawn(histogram_of(phases)))}
    assert f"mean ± phase SD {found.psd_deg:.1f}°" in said
    assert f"bandwidth (95 % of samples) {found.pbw_deg:.0f}°" in said
    assert any(word.startswith("n = 800") for word in said)


def test_bars_of_the_histogram_have_the_colours_of_the_map():
    figure = plain(histogram_of(np.repeat([80.5, 140.5, 200.5, 300.5], 100)))
    bars = [bar for bar in figure.axes[0].patches if bar.get_width() == 3 and bar.get_height()]
    assert figure.axes[0].get_xlim() == (-40, 320)
    found = [np.array(bar.get_facecolor()[:3]) for bar in bars]
    # Bars of three degrees begin at -40.
    for colour, phase in zip(found, (81.5, 141.5, 201.5, 300.5), strict=True):
        np.testing.assert_allclose(colour, colours_of(phase, 140.0), atol=0.03)


def test_limits_of_normal_hearts_stand_beside_what_was_found():
    phases = np.random.default_rng(2).normal(130, 20, 800)
    draw = binned_histogram_figure(
        phase_histogram(phases), psd_deg=20, pbw_deg=75, normal_psd_deg=24, normal_pbw_deg=62
    )
    figure = plain(draw)
    said = {text.get_text() for text in figure.findobj(Text)}
    assert "mean ± phase SD 20.0° (ticks: normal up to 24°)" in said
    widths = [np.ptp(line.get_xdata()) for line in figure.axes[0].lines]
    assert {round(float(width)) for width in widths} == {40, 75, 48, 62}


def test_the_volume_curve_marks_its_extremes_and_the_gates_that_are_shown():
    figure = plain(volume_figure(CAVITY_ML, ef_pct=66.4, gates=(7, 2, 8)))
    said = {text.get_text() for text in figure.findobj(Text)}
    assert {"EDV 120 mL", "ESV 40 mL"} <= said
    assert "EF 66 %; grey: the gates that the slices show" in said
    shown = sorted((patch.get_x(), patch.get_x() + patch.get_width())
                   for patch in figure.axes[0].patches)  # fmt: skip
    assert shown == [(25.0, 37.5), (87.5, 100.0)]


def test_what_is_withheld_is_said_where_the_number_would_stand():
    figure = plain(numbers_table([("Phase SD", "no verdict", "°"), ("Scar", "12", "%")]))
    (axes,) = figure.axes
    said = [text.get_text() for text in axes.texts if text.get_text()]
    assert said == ["Phase SD", "no verdict", "Scar", "12", "%"]


def test_the_heat_map_holds_the_coefficients():
    r = np.array([[1.0, -0.82, np.nan], [-0.82, 1.0, 0.05], [np.nan, 0.05, 1.0]])
    figure = drawn(correlation_figure(["PSD", "PBW", "AE 1"], r, n=102))
    said = [text.get_text() for text in words_of(figure)]
    assert said.count("−.82") == 2
    assert said.count(".05") == 2
    assert "Pearson r (n = 102)" in said
    image = figure.axes[0].findobj(AxesImage)[0]
    assert image.get_array().mask.sum() == 2
    with pytest.raises(DataError, match="2 x 2"):
        correlation_figure(["PSD", "PBW"], r)
    with pytest.raises(DataError, match="from -1 to 1"):
        correlation_figure(["PSD"], [[3.0]])


def test_bars_carry_auc_and_p_of_the_published_increments():
    # Paper 000: the autoencoder adds chi-square 8.06 on 1 degree of freedom, p = .005, AUC .72.
    models = [Increment("clinical", 9.0, 0.63),
              Increment("+ autoencoder", 17.06, 0.72, over=0, p=0.00453)]  # fmt: skip
    figure = drawn(increments_figure(models))
    said = [text.get_text() for text in words_of(figure)]
    assert "AUC 0.72" in said
    assert "p = .005" in said
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [9.0, 17.06]


def test_a_model_is_tested_against_one_to_its_left():
    with pytest.raises(DataError, match="to its left"):
        increments_figure([Increment("clinical", 9.0, 0.6, over=0)])
    with pytest.raises(DataError, match="at least one"):
        increments_figure([])
