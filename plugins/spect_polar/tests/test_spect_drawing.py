"""Figures: what they show stands where it should, in words and colours that can be read."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from cardio_core.api import DataError
from cardio_spect_polar.drawing.correlation import correlation_figure
from cardio_spect_polar.drawing.histogram import binned_histogram_figure
from cardio_spect_polar.drawing.increments import Increment, increments_figure
from cardio_spect_polar.drawing.polar_axes import phase_map, picture_of, segment_centres
from cardio_spect_polar.drawing.polar_maps import flow_maps, study_maps
from cardio_spect_polar.drawing.slices import slices_with_wall
from cardio_spect_polar.drawing.study_sheets import study_sheet
from cardio_spect_polar.drawing.style import AMOUNT_COLOURS, CHANGE_COLOURS, MISSING, PHASE_COLOURS
from cardio_spect_polar.drawing.traverse import segment_change_deg, traverse_maps
from cardio_spect_polar.phase.cycle.histogram import phase_histogram
from cardio_spect_polar.phase.indices.dyssynchrony import phase_indices
from cardio_spect_polar.phase.ventricle.wall import WallGeometry
from cardio_spect_polar.polar.raster import raster
from cardio_spect_polar.polar.segments import segment_means, segments_of

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

ANGLES = np.arange(72) * 5.0
RING = np.linspace(0.1, 1, 24)[:, None]
PHASE = (130 - 35 * np.sin(np.radians(ANGLES)) * RING) % 360
NAMES = ["PSD", "PBW", "entropy", *(f"feature {k}" for k in range(1, 8))]


def drawn(draw):
    """The figure after layout, ready to be measured."""
    figure = Figure(figsize=(6.2, 4.0), dpi=100, layout="constrained")
    draw(figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    return figure


def words_of(figure):
    """All texts that are drawn; ticks beyond the ends of an axis are not."""
    parts = [figure, *figure.subfigs]
    texts = [text for part in parts for text in (part._suptitle, part._supxlabel)]
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


def wall_and_volume():
    """A tube with a bright wall of radius 25 mm around (0, 100, 100) mm, 6 mm voxels."""
    z = np.linspace(110, 20, 16)
    theta = np.radians(np.arange(40) * 9)
    out = np.stack([0 * theta, -np.cos(theta), -np.sin(theta)], axis=-1)
    points = np.zeros((16, 40, 3)) + out * 25 + [0, 100, 100]
    points[..., 0] = z[:, None]
    arc = (np.arange(16) + 0.5) / 16
    geometry = WallGeometry(points, np.broadcast_to(out, points.shape), arc, np.ones((16, 40)), 3)
    at = np.arange(34) * 6.0
    radius = np.hypot(at[:, None] - 100, at - 100)
    slices = np.exp(-(((radius - 25) / 7) ** 2))
    volume = np.where(((np.arange(22) * 6 >= 15) & (np.arange(22) * 6 <= 115))[:, None, None],
                      slices, 0.0)  # fmt: skip
    return volume, (6.0, 6.0, 6.0), geometry


def histogram_of(phases):
    found = phase_indices(phases)
    heights = phase_histogram(phases)
    return binned_histogram_figure(heights, psd_deg=found.psd_deg, pbw_deg=found.pbw_deg)


def every_figure():
    rng = np.random.default_rng(1)
    flow = 1 + 0.2 * rng.normal(size=17)
    r = np.corrcoef(rng.normal(size=(10, 60)))
    volume, voxel_mm, geometry = wall_and_volume()
    bars = [
        Increment("clinical", 12.3, 0.63, 0.52, 0.74),
        Increment("clinical\n+ PSD", 13.1, 0.64, 0.53, 0.75, over=0, p=0.372),
        Increment("clinical\n+ autoencoder", 20.4, 0.72, 0.62, 0.82, over=0, p=0.0004),
    ]
    return {
        "maps": study_maps(PHASE, 80 * RING + 0 * PHASE, 30 + 0 * PHASE),
        "flow": flow_maps(
            {"rest flow": (flow, "ml/min/g", (0, 2)), "reserve": (3 * flow, "", (0, 5))}
        ),
        "one": flow_maps({"rest flow": (flow, "ml/min/g", (0, 2))}),
        "traverse": traverse_maps(PHASE - 10 * RING, PHASE, PHASE + 10 * RING, title="Feature 3"),
        "histogram": histogram_of(rng.normal(130, 20, 900)),
        "across zero": histogram_of(rng.normal(3, 6, 900)),
        "no direction": histogram_of(rng.uniform(0, 360, 900)),
        "slices": slices_with_wall(volume, voxel_mm, geometry),
        "sheet": study_sheet(
            slices_with_wall(volume, voxel_mm, geometry),
            study_maps(PHASE, 80 * RING + 0 * PHASE, 30 + 0 * PHASE),
            histogram_of(rng.normal(130, 20, 900)),
        ),
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
            lab(PHASE_COLOURS(0.5 + sign * away_deg / 360)[:3], blindness) for sign in (-1, 1)
        )
        # A difference of 10 is plain to see; 2 is the smallest that is noticed.
        assert np.linalg.norm(early - late) > 10, away_deg


def test_phase_colours_go_around_and_darken_away_from_the_mean():
    np.testing.assert_allclose(PHASE_COLOURS(0.0), PHASE_COLOURS(1.0), atol=0.02)
    lightness = [lab(PHASE_COLOURS(x)[:3], "none")[0] for x in np.linspace(0, 1, 37)]
    assert np.all(np.diff(lightness[:19]) > 0)
    assert np.all(np.diff(lightness[18:]) < 0)


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
    figure = Figure()
    axes = figure.subplots(1, 2)
    one = phase_map(axes[0], PHASE, 130.0)
    turned = phase_map(axes[1], (PHASE + 230) % 360, 0.0)
    np.testing.assert_allclose(
        one.to_rgba(one.get_array()), turned.to_rgba(turned.get_array()), atol=0.02
    )


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


def test_the_histogram_marks_the_numbers_it_names():
    phases = np.repeat([340.5, 0.5, 20.5], 100)
    figure = drawn(histogram_of(phases))
    said = " ".join(text.get_text() for text in words_of(figure))
    # Three equal lumps 20 degrees apart: SD 20 sqrt(2/3) sqrt(300/299), 95 % takes all three.
    assert "phase SD 16.4°" in said
    assert "bandwidth (95 % of samples) 40°" in said
    assert "n = 300" in said
    brackets = [line.get_xdata() for line in figure.axes[0].lines]
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


def test_the_wall_is_drawn_on_the_wall():
    volume, voxel_mm, geometry = wall_and_volume()
    figure = drawn(slices_with_wall(volume, voxel_mm, geometry, n_slices=6))
    panels = [axes for axes in figure.axes if axes.get_images()]
    assert len(panels) == 2 + 6
    for axes in panels[2:]:
        picture, dots = axes.get_images()[0].get_array(), axes.lines[0].get_xydata()
        assert len(dots) >= 40
        on = picture[np.rint(dots[:, 1]).astype(int), np.rint(dots[:, 0]).astype(int)]
        assert np.min(on) > 0.7 * picture.max()
    for axes in panels[:2]:
        dots = axes.lines[0].get_xydata()
        # Both walls, 25 mm on either side of the axis at 100 mm.
        np.testing.assert_allclose(np.unique(np.sign(dots[:, 1] * 6 - 100)), [-1, 1])
        assert np.abs(np.abs(dots[:, 1] * 6 - 100) - 25).max() < 1


def test_slices_run_from_the_apex_and_stay_within_the_wall():
    volume, voxel_mm, geometry = wall_and_volume()
    figure = drawn(slices_with_wall(volume, voxel_mm, geometry, n_slices=40))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title().endswith("mm")]
    distances = [float(title.split()[0]) for title in titles]
    assert distances == sorted(distances)
    # The wall is 90 mm long; slices are 6 mm apart.
    assert len(distances) == 16
    with pytest.raises(DataError, match="sum the time slots"):
        slices_with_wall(np.ones((8, 3, 4, 4)), voxel_mm, geometry)


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


def test_a_wall_without_phases_draws_grey_maps():
    figure = drawn(study_maps(*np.full((3, 24, 72), np.nan)))
    assert len(figure.axes) == 6
