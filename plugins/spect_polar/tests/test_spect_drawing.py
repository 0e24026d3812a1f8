"""Figures: what they show stands where it should, in words and colours that can be read."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from spect_drawn import (
    ANGLES,
    CAVITY_ML,
    NAMES,
    PHASE,
    RING,
    colours_of,
    drawn,
    histogram_of,
    plain,
    words_of,
)

from cardio_core.api import DataError
from cardio_spect_polar.drawing.charts import (
    Increment,
    correlation_figure,
    increments_figure,
    volume_figure,
)
from cardio_spect_polar.drawing.polar_maps import (
    AMOUNT_COLOURS,
    CHANGE_COLOURS,
    MISSING,
    PHASE_COLOURS,
    flow_maps,
    phase_map,
    picture_of,
    segment_centres,
    segment_change_deg,
    study_maps,
    traverse_maps,
)
from cardio_spect_polar.drawing.sheet import in_words, numbers_table
from cardio_spect_polar.polar.maps import raster, segment_means, segments_of

# Machado, Oliveira and Fernandes 2009, severity 1.0, for linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def every_figure():
    rng = np.random.default_rng(1)
    flow = 1 + 0.2 * rng.normal(size=17)
    r = np.corrcoef(rng.normal(size=(10, 60)))
    bars = [
        Increment("clinical", 12.3, 0.63, 0.52, 0.74),
        Increment("clinical\n+ PSD", 13.1, 0.64, 0.53, 0.75, over=0, p=0.372),
        Increment("clinical\n+ autoencoder", 20.4, 0.72, 0.62, 0.82, over=0, p=0.0004),
    ]
    return {
        "maps": study_maps(PHASE, 80 * RING + 0 * PHASE, 30 + 0 * PHASE),
        "marked maps": study_maps(
            PHASE,
            80 * RING + 0 * PHASE,
            90 * RING - 20 + 0 * PHASE,
        ),
        "flow": flow_maps(
            {"rest flow": (flow, "ml/min/g", (0, 2)), "reserve": (3 * flow, "", (0, 5))}
        ),
        "one": flow_maps({"rest flow": (flow, "ml/min/g", (0, 2))}),
        "traverse": traverse_maps(PHASE - 10 * RING, PHASE, PHASE + 10 * RING, title="Feature 3"),
        "histogram": histogram_of(rng.normal(130, 20, 900)),
        "across zero": histogram_of(rng.normal(3, 6, 900)),
        "no direction": histogram_of(rng.uniform(0, 360, 900)),
        "volumes": volume_figure(CAVITY_ML, ef_pct=60, gates=(7, 2, 8)),
        "numbers": numbers_table([("Phase SD", "12.1", "°"), ("Scar", "no verdict", "%")]),
        "in words": in_words("No verdict on the phases of this study."),
        "correlation": correlation_figure(NAMES, r, n=60, title="Correlation"),
        "many correlations": correlation_figure(
            [f"feature {k}" for k in range(30)], np.corrcoef(rng.normal(size=(30, 60)))
        ),
        "increments": increments_figure(bars, note="paper protocol, n = 102"),
    }


FIGURES = every_figure()


@pytest.mark.parametrize("name", FIGURES)
def test_words_are_large_enough_inside_the_figure_and_do_not_overlap(name):
    figure = drawn(FIGURES[name])
    words = words_of(figure)
    assert words
    assert min(text.get_fontsize() for text in words) >= 7
    # Constrained layout and glyph metrics are good to a pixel or two.
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in words]
    width, height = figure.get_size_inches() * figure.dpi
    for said, box in boxes:
        assert box.x0 >= -2, said
        assert box.y0 >= -2, said
        assert box.x1 <= width + 2, said
        assert box.y1 <= height + 2, said
    # Slanted labels overlap as boxes though not as words.
    level = [(said, box) for (said, box), text in zip(boxes, words, strict=True)
             if text.get_rotation() % 90 == 0]  # fmt: skip
    clashes = [(a, b) for (a, one), (b, other) in itertools.combinations(level, 2)
               if one.overlaps(other)]  # fmt: skip
    assert clashes == []


def lab(rgb, blindness):
    """CIE L*a*b* (D65) of an sRGB colour as it is seen."""
    rgb = np.asarray(rgb, float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(BLINDNESS[blindness]) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722],
                       [0.0193, 0.1192, 0.9505]])  # fmt: skip
    t = to_xyz @ seen / [0.9505, 1.0, 1.089]
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_early_and_late_are_told_apart_by_every_eye(blindness):
    for away_deg in (20, 40, 60, 90, 120):
        early, late = (
            lab(PHASE_COLOURS(0.5 + sign * away_deg / 240)[:3], blindness) for sign in (-1, 1)
        )
        # A difference of 10 is plain to see; 2 is the smallest that is noticed.
        assert np.linalg.norm(early - late) > 10, away_deg


def test_phase_colours_darken_away_from_the_middle_and_are_black_beyond_the_ends():
    lightness = [lab(PHASE_COLOURS(x)[:3], "none")[0] for x in np.linspace(0, 1, 37)]
    assert np.all(np.diff(lightness[:19]) > 0)
    assert np.all(np.diff(lightness[18:]) < 0)
    for beyond in (-0.01, 1.01):
        assert lab(PHASE_COLOURS(beyond)[:3], "none")[0] == 0
    assert min(lightness) > 20


@pytest.mark.parametrize("blindness", BLINDNESS)
def test_a_missing_value_looks_like_no_value(blindness):
    grey = lab(to_rgb(MISSING), blindness)
    for colours in (mpl.colormaps[AMOUNT_COLOURS], mpl.colormaps[CHANGE_COLOURS], PHASE_COLOURS):
        nearest = min(
            np.linalg.norm(grey - lab(colours(x)[:3], blindness)) for x in np.linspace(0, 1, 101)
        )
        assert nearest > 8


def test_numbers_stand_inside_their_segments():
    x, y = segment_centres().T
    angle = np.degrees(np.arctan2(-x, y))
    assert segments_of(np.hypot(x, y), angle).tolist() == list(range(1, 18))


def test_a_segment_is_painted_where_its_number_stands():
    values = np.arange(1.0, 18.0)
    picture = picture_of(values)
    n = picture.shape[0]
    for segment, (x, y) in enumerate(segment_centres(), start=1):
        row, column = int((1 - y) / 2 * n), int((1 + x) / 2 * n)
        assert picture[row, column] == segment


def test_a_late_free_wall_is_orange_on_the_right_and_the_septum_blue_on_the_left():
    figure = Figure()
    image = phase_map(figure.subplots(), PHASE, 130.0)
    pixels = image.to_rgba(image.get_array())
    n = pixels.shape[0]
    left, right = pixels[n // 2, n // 20], pixels[n // 2, -n // 20]
    assert left[2] > left[0] + 0.2
    assert right[0] > right[2] + 0.2


def test_phases_across_zero_are_as_near_in_colour_as_on_the_circle():
    for away in (-100, -10, 10, 100):
        turned = colours_of((2 + away) % 360, 2.0)
        np.testing.assert_allclose(colours_of(140 + away, 140.0), turned, atol=0.02)
    assert not colours_of(140 + 130, 140.0).any()
    assert not colours_of(140 - 130, 140.0).any()


def image_titled(figure, title):
    (axes,) = (axes for axes in figure.axes if axes.get_title() == title)
    return axes.get_images()[0]


def test_patients_compare_by_colour_whatever_else_is_on_their_maps():
    narrow, wide = (
        plain(study_maps(PHASE * 0 + base + 60 * (RING > 0.9), 80 + 0 * PHASE, top * RING))
        for base, top in ((130.0, 20 + 0 * PHASE), (130.0, 55 + 0 * PHASE))
    )
    for title, low, high in (("phase", 20, 260), ("perfusion", 0, 100), ("thickening", -60, 60)):
        for figure in (narrow, wide):
            norm = image_titled(figure, title).norm
            assert (norm.vmin, norm.vmax) == (low, high)
    said = {text.get_text() for text in narrow.findobj(Text)}
    assert "peak of thickening (°)\nblack: beyond the scale" in said
    onset = image_titled(plain(study_maps(PHASE, PHASE, PHASE, convention="onset")), "phase")
    # A quarter of the cycle before the peak.
    assert (onset.norm.vmin, onset.norm.vmax) == (-70, 170)


def test_a_wall_that_does_not_thicken_has_no_colour_and_one_that_thins_another():
    figure = plain(study_maps(PHASE, 80 + 0 * PHASE, np.where(ANGLES < 180, 0.0, -30.0) + 0 * RING))
    image = image_titled(figure, "thickening")
    pixels = image.to_rgba(image.get_array())[..., :3]
    n = len(pixels)
    # The septum is on the left.
    still, thins = pixels[n // 2, n // 8], pixels[n // 2, -n // 8]
    assert np.ptp(still) < 0.02
    assert thins[2] > thins[0] + 0.3


def test_scar_is_outlined_where_perfusion_is_below_half():
    scar = np.where(np.abs(ANGLES - 180) <= 45, 30.0, 90.0) + 0 * RING
    figure = plain(study_maps(PHASE, scar, PHASE))
    (axes,) = (axes for axes in figure.axes if axes.get_title() == "phase")
    lines = np.concatenate([
        path.vertices for found in axes.collections for path in found.get_paths()
    ])  # fmt: skip
    # The inferior quarter, below; half a column of the grid either way.
    angle = np.degrees(np.arctan2(np.abs(lines[:, 0]), -lines[:, 1]))
    sides = np.hypot(*lines.T) > 0.2
    assert np.abs(angle[sides] - 47.5).max() < 6
    assert "perfusion below 50 %" in " ".join(t.get_text() for t in figure.findobj(Text))


def test_maps_of_segments_carry_their_values_and_missing_ones_a_dash():
    flow = np.linspace(0.5, 2.1, 17)
    flow[3] = np.nan
    figure = drawn(flow_maps({"rest flow": (flow, "ml/min/g", (0, 2))}))
    said = [text.get_text() for text in words_of(figure)]
    assert "0.5" in said
    assert "–" in said
    assert "rest flow (ml/min/g)" in said


def test_unusable_maps_are_refused():
    with pytest.raises(DataError, match="17 segments"):
        flow_maps({"": (np.ones(16), "", (0, 1))})(Figure())
    with pytest.raises(DataError, match="one shape"):
        segment_change_deg(np.ones((24, 72)), np.ones((24, 36)))


def test_the_change_by_segment_is_that_of_the_decoded_maps():
    late = np.zeros((24, 72))
    segments = segments_of((np.arange(24)[:, None] + 0.5) / 24, ANGLES)
    late[segments == 5] = 40
    late[segments == 14] = -25
    change = segment_change_deg((late * 0 + 350) % 360, (350 + late) % 360)
    expected = segment_means(late, segments)
    np.testing.assert_allclose(change, expected, atol=1e-6)
    arc = (np.arange(24) + 0.5) / 24
    pictures = (raster(part, arc, circular=True) for part in (late * 0 + 350, 350 + late))
    # Interpolation softens the borders by half a cell of the grid.
    np.testing.assert_allclose(segment_change_deg(*pictures), expected, atol=3)
    figure = drawn(traverse_maps(350 + 0 * late, 350 + late / 2, 350 + late))
    said = [text.get_text() for text in words_of(figure)]
    assert "+40" in said
    assert "−25" in said


def test_a_wall_without_phases_draws_grey_maps():
    missing = np.full((24, 72), np.nan)
    figure = drawn(study_maps(missing, 80 * RING + 0 * PHASE, missing))
    said = [text.get_text() for text in words_of(figure)]
    assert said.count("no verdict") == 2
    assert said.count("17") == 1  # segments are numbered where there is something in them
    assert len(figure.axes) == 6
