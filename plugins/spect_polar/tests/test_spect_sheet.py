"""The sheet of a study: dots on the wall of each gate, numbers, and words where there are none."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from test_spect_drawing import drawn, words_of

from cardio_core.api import FeatureSet, SampleSet
from cardio_spect_polar.drawing.sheet import (
    ASSUMED,
    NO_LIMITS,
    NO_OWN_LIMITS,
    gate_slices,
    measured_study,
    study_cases,
)
from cardio_spect_polar.phase.geometry import SampledWall
from cardio_spect_polar.phase.sampling import CUTS, N_PIXELS, SHORT_AXIS, qc_view, sample_heart
from cardio_spect_polar.published.normal_limits import LIMITS
from cardio_spect_polar.readers.gated import GatedStack
from cardio_spect_polar.response.config import FeaturizeBlock
from cardio_spect_polar.response.featurize import featurize, withhold
from cardio_spect_polar.response.patients import CLINICAL
from cardio_spect_polar.response.preprocess import Heart
from cardio_spect_polar.response.sheet import sheet
from cardio_spect_polar.synthetic.imaging import Camera, image
from cardio_spect_polar.synthetic.ventricle import Ventricle, with_segments

NORMAL = (1.0,) * 17
SMALL = {"n_rows": 32, "n_columns": 32, "n_subframes": 2}
SHAPES = {
    "healthy": (Ventricle(shortening_mm=10.0, twist_deg=8.0), Camera(**SMALL)),
    "16 gates, defect": (
        Ventricle(
            shortening_mm=12.0,
            shortening_difference=0.25,
            perfusion=with_segments(NORMAL, (4, 10, 15), 0.35),
        ),
        Camera(**SMALL, n_slots=16),
    ),
    "tilted, gut": (
        Ventricle(shortening_mm=9.0, tilt_deg=10.0, tilt_towards_deg=200.0, gut_activity=1.2),
        Camera(**SMALL),
    ),
}


@cache
def heart_of(name):
    """Return a heart sampled with rings that move, the same with fixed ones, and the truth."""
    ventricle, camera = SHAPES[name]
    counts, voxel_mm, truth = image(ventricle, None, camera)
    stack = GatedStack(counts, voxel_mm, apex_first=False)
    return sample_heart(stack), sample_heart(stack, rings="fixed"), truth


def pixels_of(view, points_mm, cut):
    points = np.asarray(points_mm, float)
    known = points[np.isfinite(points).all(axis=1)]
    return known / view.pixels_mm[cut >= len(SHORT_AXIS)] + (N_PIXELS - 1) / 2


def ridge_mm(view, gate, cut):
    """How far each dot of a short-axis cut lies from the ridge on its ray; a defect has none."""
    middle, pixel_mm = (N_PIXELS - 1) / 2, view.pixels_mm[0]
    for x, y in pixels_of(view, view.dots_mm[gate, cut], cut):
        radius = np.hypot(x - middle, y - middle)
        steps = np.arange(radius - 8 / pixel_mm, radius + 8 / pixel_mm, 0.25)
        at = middle + np.outer(steps / radius, (x - middle, y - middle))
        seen = view.counts[gate, cut][np.rint(at[:, 1]).astype(int), np.rint(at[:, 0]).astype(int)]
        if seen.max() > 0.75 * view.counts[gate, cut].max():
            yield (steps[seen >= seen.max()].mean() - radius) * pixel_mm


@pytest.mark.parametrize("name", SHAPES)
def test_dots_lie_on_the_wall_at_base_middle_and_apex_of_both_gates(name):
    view = qc_view(heart_of(name)[0])
    for gate in (0, 1):
        for cut in range(len(SHORT_AXIS)):
            off = np.array(list(ridge_mm(view, gate, cut)))
            assert len(off) >= 20
            if CUTS[cut] == "apex":
                # The wall slants there: its brightest point moves to the middle of the disc.
                assert np.median(np.abs(off)) < 5, gate
            else:
                # Half a wall is 5 mm.
                assert np.percentile(np.abs(off), 90) < 4, (gate, CUTS[cut])


@pytest.mark.parametrize("name", SHAPES)
def test_the_base_is_drawn_where_it_is_in_each_gate(name):
    heart, fixed, truth = heart_of(name)
    view, still = qc_view(heart), qc_view(fixed)
    diastole, systole = view.slots
    descent = truth.base_by_slot_mm[systole] - truth.base_by_slot_mm[diastole]
    # The apex is on the right in the vertical cut and above in the horizontal one.
    vertical, horizontal = np.asarray(view.base_mm[1] - view.base_mm[0], float)
    assert vertical[:, 0].mean() == pytest.approx(descent, abs=2.5)
    assert -horizontal[:, 1].mean() == pytest.approx(descent, abs=2.5)
    assert vertical[:, 0].mean() > 4
    # The lateral side, second, comes farther.
    assert -horizontal[1, 1] > -horizontal[0, 1] - 0.5
    for cut in range(2):
        along = (0, 1)[cut]
        moved = np.asarray(still.base_mm[1] - still.base_mm[0], float)[cut, :, along]
        assert np.abs(moved).max() < 0.05


def test_both_gates_show_the_same_rings_and_all_of_them():
    heart, _, _ = heart_of("16 gates, defect")
    view = qc_view(heart)
    assert view.n_slots == 16
    shown = np.isfinite(view.dots_mm[..., 0]).sum(axis=2)
    rings = len(heart.sampled.geometry.arc)
    assert shown.tolist() == [[40, 40, 40, 2 * rings, 2 * rings]] * 2
    _, said = words_on(gate_slices(view))
    assert f"end-systole\ngate {view.slots[1] + 1} of 16" in said


def test_rings_that_were_cut_have_no_dots():
    heart, _, _ = heart_of("healthy")
    geometry, n_cut = heart.sampled.geometry, 2
    kept = replace(
        geometry,
        points_mm=geometry.points_mm[:-n_cut],
        directions=geometry.directions[:-n_cut],
        arc=geometry.arc[:-n_cut],
        area_mm2=geometry.area_mm2[:-n_cut],
    )
    cut = replace(heart, sampled=SampledWall(heart.sampled.curves[:, :-n_cut], kept), n_cut=n_cut)
    whole, less = qc_view(heart), qc_view(cut)
    lost = np.isfinite(whole.dots_mm).sum() - np.isfinite(less.dots_mm).sum()
    assert lost == 2 * 2 * 2 * n_cut * 2  # gates, cuts, sides, rings, coordinates
    words_on(gate_slices(less))


def test_a_bright_gut_does_not_darken_the_wall():
    view = qc_view(heart_of("tilted, gut")[0])
    for gate in (0, 1):
        x, y = np.rint(pixels_of(view, view.dots_mm[gate, 1], 1)).astype(int).T
        assert np.median(view.counts[gate, 1][y, x]) > 100


@cache
def features_of(names=tuple(SHAPES)):
    table = pd.DataFrame(
        {
            "recording_id": [str(n) for n in range(len(names))],
            "study_id": "s", "patient_id": "p", "flags": "", "no_verdict": "",
            "volumes_withheld": False,
            **{name: np.nan for name, _ in CLINICAL},
        },
        index=[str(n) for n in range(len(names))],
    )  # fmt: skip
    made = [Heart(heart_of(name)[0], None, None) for name in names]
    return featurize(SampleSet(table, made), FeaturizeBlock(), None)


def words_on(draw):
    """What a drawing says, and its figure, without the layout, which takes most of the time."""
    figure = Figure()
    draw(figure)
    return figure, [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def sheet_of(features):
    return words_on(measured_study(features, LIMITS))


@pytest.mark.parametrize("position", range(len(SHAPES)))
def test_a_sheet_holds_the_numbers_that_are_measured(position):
    features = features_of().view([position])
    figure, said = sheet_of(features)
    block = features["indices"]
    values = dict(zip(block.names, np.asarray(block.values)[0].tolist(), strict=True))
    assert f"{values['psd_deg']:.1f}" in said
    assert f"{values['lvef_spect_pct']:.0f}" in said
    assert f"{values['base_descent_mm']:.1f}" in said
    assert f"{values['reliable_psd_deg']:.1f}" in said
    assert "normal: mean ± 2 SD by ECTb (Chen 2005)" in said
    assert ASSUMED in said
    assert not {"no verdict", "not known", "nan"} & set(said)
    # One page on its side, for a screen of 1280 pixels and for A4.
    width, height = figure.get_size_inches()
    assert width * 110 <= 1280
    assert 1.3 < width / height < 1.5


@pytest.mark.parametrize(
    ("columns", "numbers", "missing"),
    [
        ({"no_verdict": "gates out of order"}, ("phase", "volumes"), "phases"),
        ({"flags": "an EF of 95 %", "volumes_withheld": True}, ("volumes",), "volumes"),
        ({"no_verdict": "peak at 300°"}, ("phase",), "phases"),
    ],
)
def test_what_has_no_verdict_is_said_to_have_none(columns, numbers, missing):
    one = features_of().view([0])
    bare = FeatureSet(one.table.assign(**columns), withhold(one.blocks, [numbers]))
    _, said = sheet_of(bare)
    assert "no verdict" in said
    assert f"No verdict on the {missing} of this study.\nThe flags say why." in said
    assert not [words for words in said if "nan" in words.lower()]


def test_numbers_that_nobody_withheld_are_not_known():
    one = features_of().view([0])
    block = one["indices"]
    values = np.array(block.values)
    values[:, block.names.index("base_descent_mm")] = np.nan
    blocks = dict(one.blocks) | {"indices": replace(block, values=values)}
    _, said = sheet_of(FeatureSet(one.table, blocks))
    assert said.count("not known") == 1


def test_sheets_fit_their_page():
    figure = drawn(measured_study(features_of().view([1]), LIMITS))
    width, height = figure.get_size_inches() * figure.dpi
    words = words_of(figure)
    assert min(text.get_fontsize() for text in words) >= 7
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in words]
    for said, box in boxes:
        assert -2 <= box.x0 <= box.x1 <= width + 2, said
        assert -2 <= box.y0 <= box.y1 <= height + 2, said
    clashes = [
        (a, b) for n, (a, one) in enumerate(boxes) for b, other in boxes[:n] if one.overlaps(other)
    ]
    assert clashes == []


def pair_of(limits=()):
    """The same heart at rest and, 30 % larger, at stress, as `cardio measure` has a patient."""
    counts, voxel_mm, _ = image(
        Ventricle(shortening_mm=10.0, twist_deg=8.0, radius_mm=30.0,
                  perfusion=with_segments(NORMAL, (4, 10, 15), 0.35)),
        None, Camera(**SMALL),
    )  # fmt: skip
    large = sample_heart(GatedStack(counts, voxel_mm, apex_first=False))
    made = [
        Heart(heart_of("healthy")[0], None, None, state="rest"),
        Heart(large, None, None, state="stress"),
    ]
    table = pd.DataFrame(
        {
            "recording_id": ["1", "2"], "study_id": ["1", "2"], "patient_id": "P1", "flags": "",
            "no_verdict": "", "volumes_withheld": False, "rest_of_pair": ["", "1"],
            **{name: np.nan for name, _ in CLINICAL},
        },
        index=["1", "2"],
    )  # fmt: skip
    return featurize(SampleSet(table, made), FeaturizeBlock(perfusion_limits=limits), None)


PAIR = pair_of()


def test_rest_and_stress_stand_on_the_sheet_of_the_stress_study():
    """Dilatation is the ratio of the means of the two volume curves that are drawn."""

    def drawn_of(row):
        return words_on(lambda figure: sheet(figure, PAIR.view([row]), PAIR))[1]

    assert "at stress" not in drawn_of(0)
    said = drawn_of(1)
    assert {"at rest", "at stress"} <= set(said)
    assert sum(words == "phase" for words in said) == 2
    rest_ml, stress_ml = np.asarray(PAIR["volume_curve"].values).mean(axis=1)
    assert stress_ml / rest_ml > 1.1
    assert f"{stress_ml / rest_ml:.2f} *" in said
    edv = PAIR["indices"].in_units()[:, PAIR["indices"].names.index("lvedv_spect_ml")]
    assert f"+{edv[1] - edv[0]:.1f} mL *" in said
    perfusion = PAIR["segment_perfusion"].in_units()[:, [0, 1, 6, 7, 12, 13, 16]].mean(axis=1)
    place = said.index("Perfusion, LAD territory")
    assert said[place + 1 : place + 3] == [f"{value:.0f} %" for value in perfusion]
    assert ASSUMED in said
    assert NO_LIMITS in said


def test_summed_scores_are_those_of_the_limits_given():
    """Three segments of 35 % of the activity; blur leaves the basal and mid one below 60 %."""
    limits = [
        {"segment": n, "score_1_below_pct": 70, "score_2_below_pct": 60, "score_3_below_pct": 0,
         "score_4_below_pct": 0}
        for n in range(1, 18)
    ]  # fmt: skip
    made = pair_of(limits)
    rest, stress = np.asarray(made["scores"].values)[:, 0]
    perfusion = made["segment_perfusion"].in_units()
    assert rest == np.sum(perfusion[0] < 70) + np.sum(perfusion[0] < 60)
    assert stress == np.sum(perfusion[1] < 70) + np.sum(perfusion[1] < 60)
    assert stress >= rest + 4
    change = made["change"]
    assert change.values[1, change.names.index("summed_score_change")] == stress - rest
    _, said = words_on(lambda figure: sheet(figure, made.view([1]), made))
    assert "Summed scores (SRS, SSS, SDS)" in said
    women = pair_of([limit | {"sex": "women"} for limit in limits])
    assert np.isnan(np.asarray(women["scores"].values)).all()
    _, said = words_on(lambda figure: sheet(figure, women.view([1]), women))
    assert NO_OWN_LIMITS in said


def test_the_pair_fits_its_page():
    figure = drawn(lambda figure: sheet(figure, PAIR.view([1]), PAIR))
    width, height = figure.get_size_inches() * figure.dpi
    boxes = [(text.get_text(), text.get_window_extent().padded(-1.5)) for text in words_of(figure)]
    for said, box in boxes:
        assert -2 <= box.x0 <= box.x1 <= width + 2, said
        assert -2 <= box.y0 <= box.y1 <= height + 2, said
    clashes = [
        (a, b) for n, (a, one) in enumerate(boxes) for b, other in boxes[:n] if one.overlaps(other)
    ]
    assert clashes == []


def test_endocardium_and_epicardium_lie_on_either_side_of_the_dots():
    view = qc_view(heart_of("healthy")[0])
    for gate in (0, 1):
        for cut in (0, 1):
            inner, dots, outer = (
                np.hypot(*np.asarray(line[np.isfinite(line[:, 0])], float).T)[:40]
                for line in (view.edges_mm[gate, cut, 0], view.dots_mm[gate, cut],
                             view.edges_mm[gate, cut, 1])
            )  # fmt: skip
            assert (dots - inner).min() > 2
            assert (outer - dots).min() > 2
    thickness = [
        np.nanmedian(np.hypot(*np.moveaxis(np.asarray(view.edges_mm[gate, 1, 1] -
                     view.edges_mm[gate, 1, 0], float), -1, 0))) for gate in (0, 1)
    ]  # fmt: skip
    # 9.5 mm at end-diastole, a third more at end-systole.
    assert thickness[0] == pytest.approx(9.5, abs=2.5)
    assert thickness[1] > 1.15 * thickness[0]


def test_cases_of_the_report_are_the_same_sheets():
    cases = study_cases(features_of(), 2, LIMITS)
    assert len({case.sample_id for case in cases}) == 2
    for case in cases:
        position = features_of().table.index.get_loc(case.sample_id)
        assert words_on(case.draw)[1] == sheet_of(features_of().view([position]))[1]


def test_a_case_without_verdict_says_so_in_its_title():
    reasons = ["gates out of order", "", ""]
    bare = FeatureSet(
        features_of().table.assign(no_verdict=reasons),
        withhold(features_of().blocks, [("phase", "volumes"), (), ()]),
    )
    (case,) = (case for case in study_cases(bare, 3, LIMITS) if case.sample_id == "0")
    assert case.title.startswith("No verdict on the phases, no verdict on the volumes, wall found")
    assert "no verdict: gates out of order" in case.title
    assert set(case.scores) == {"wall_confidence"}
