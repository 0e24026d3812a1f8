"""No word of a figure stands on another or beyond the edge, in the hardest cases we know."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Annotation, Text

from cardio_core.evaluation.figures import _picked
from cardio_core.types.info import Model, Target, Task
from cardio_stats.estimate import Estimate
from cardio_stats.figures import ForestLine, ForestModel, estimate_forest, model_forest, svg_text
from cardio_stats.figures.agreement import agreement_figure
from cardio_stats.figures.canvas import Draw, described, drawn, write_rows
from cardio_stats.figures.classes import classes_figure
from cardio_stats.figures.curves import (
    ModelScores,
    calibration_of_models,
    decision_curves,
    roc,
)

LONG = "Logistic regression on the duration and the area of QRS, LBBB, age, sex and aetiology"


SLACK_PX = 1.5
"""How far two boxes may reach into each other, at 100 pixels an inch: a box has a margin."""


def colliding_texts(draw: Draw) -> list[str]:
    """Draw a figure and return what is wrong with the places of its texts, a sentence each.

    Only what is really drawn counts, where it is drawn. Two slanted texts are not compared: their
    boxes meet where the letters do not. Letters with an outline are shapes, and not seen.
    """
    figure = drawn(draw)
    found: list[tuple[str, Any, bool]] = []

    class Recording(RendererAgg):
        def draw_text(self, *args: Any, **options: Any) -> None:
            text = options.get("mtext") or (args[7] if len(args) > 7 else None)
            if text is not None and text.get_text().strip():
                slanted = text.get_rotation() % 90 != 0
                found.append((text.get_text(), text.get_window_extent(self), slanted))

    figure.set_dpi(100)
    width, height = figure.bbox.size
    renderer: Any = Recording(width, height, 100)
    # As when a file is written: what the first drawing laid out is what is shown.
    figure.draw(renderer)
    figure.set_layout_engine("none")
    found.clear()
    figure.draw(renderer)
    # One text of several lines is drawn in several calls.
    boxes = list(
        dict.fromkeys((words, tuple(box.extents), slanted) for words, box, slanted in found)
    )
    texts = [
        f"{words!r} leaves the figure"
        for words, box, _ in boxes
        if box[0] < -SLACK_PX or box[1] < -SLACK_PX
        or box[2] > width + SLACK_PX or box[3] > height + SLACK_PX
    ]  # fmt: skip
    for (item, a, slanted), (other, b, also) in combinations(boxes, 2):
        across = min(a[2], b[2]) - max(a[0], b[0])
        down = min(a[3], b[3]) - max(a[1], b[1])
        if across > SLACK_PX and down > SLACK_PX and not (slanted and also):
            texts.append(f"{item!r} stands on {other!r}")
    return texts


def many(n, title="Random forest on the median beat"):
    return [
        ForestModel(
            f"{title} {i}",
            {"honest": (0.5 + i / 50, 0.1, 1.0), "paper": (1.0, 0.9, 1.0)},
            ("primary", "model", "baseline")[min(2, i // 5) if i else 0],
        )
        for i in range(n)
    ]


FORESTS = {
    "twenty models": many(20),
    "long titles": many(8, LONG),
    "one word that is too long": many(3, "x" * 70),
    "one model, no interval": [ForestModel("QRS duration", {"honest": (0.5, None, None)})],
    "large values": [
        ForestModel("T1", {"honest": (1034.2, 998.1, 1100.0), "paper": (-12.5, -30.0, 4.0)}),
        ForestModel("ECV", {"honest": (2.0, 1.0, 3.0)}),
    ],
}


@pytest.mark.parametrize("narrow", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("case", FORESTS)
def test_no_words_of_the_forest_of_models_collide(case, narrow):
    draw = model_forest(
        FORESTS[case], metric="AUC", n_words="60 patients", reference=0.5, narrow=narrow
    )
    assert colliding_texts(draw) == []


def test_no_words_of_a_forest_by_class_collide():
    lines = []
    for head in ("Sensitivity (Se)", "Positive predictivity (+P)"):
        lines.append(ForestLine(head))
        for name in ("supraventricular ectopic beat, honest", "V, paper", "Q, honest"):
            text = "0.500 (0.200 to 0.900)"
            lines.append(ForestLine(name, 0.5, 0.2, 0.9, text, indented=True))
    assert colliding_texts(estimate_forest(lines, x="share", heads=("", "95 % CI", ""))) == []


def test_words_on_words_and_words_beyond_the_edge_are_found():
    def draw(figure):
        figure.text(0.2, 0.5, "one")
        figure.text(0.21, 0.5, "two")
        figure.text(0.99, 0.1, "beyond")

    assert colliding_texts(draw) == ["'beyond' leaves the figure", "'one' stands on 'two'"]


def test_the_forest_names_the_primary_model_first_and_the_baselines_last():
    models = [
        ForestModel("QRS duration", {"honest": (0.8, 0.7, 0.9)}, "baseline"),
        ForestModel("Forest", {"honest": (0.7, 0.6, 0.8)}),
        ForestModel("Network", {"honest": (0.6, 0.5, 0.7), "paper": (0.9, 0.8, 1.0)}, "primary"),
    ]
    figure = drawn(model_forest(models, metric="AUC", n_words="60 patients"))
    figure.canvas.draw()
    heights = {
        text.get_text(): round(text.get_window_extent().y1 / 5) for text in figure.findobj(Text)
        if text.get_text()
    }  # fmt: skip
    order = ["Primary model, declared before the run", "Network", "Other models", "Forest",
             "Baselines", "QRS duration", "60 patients; lines: 95 % intervals"]  # fmt: skip
    found = [heights[words] for words in order]
    assert found == sorted(found, reverse=True)
    numbers = ("0.600 (0.500 to 0.700)", "0.900 (0.800 to 1.000)", "0.800 (0.700 to 0.900)")
    assert heights[numbers[0]] > heights[numbers[1]] > heights[numbers[2]]


def test_a_figure_says_what_it_is():
    draw = described(model_forest(FORESTS["twenty models"], metric="AUC"), "AUC <b>", "All & one.")
    svg = svg_text(draw)
    assert "<title>AUC &lt;b&gt;</title>" in svg
    assert "<desc>All &amp; one.</desc>" in svg
    assert 'role="img"' in svg


def scores(n_models, n=24, title="Random forest on the median beat", seed=3):
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 3 == 0
    area = Estimate("auc", 0.8123, 0.71, 0.90, 0.95, "DeLong", n=n)
    grid = np.linspace(0, 1, 11)
    return [
        ModelScores(
            f"{title} {i}",
            positive,
            rng.random(n),
            ("primary", "model", "baseline")[min(2, i // 8) if i else 0],
            area,
            (grid, grid / 2, grid) if i == 0 else None,
        )
        for i in range(n_models)
    ]


MODELS = {
    "twenty models": scores(20),
    "long titles": scores(6, title=LONG),
    "nine patients": scores(2, n=9),
    "one word that is too long": scores(3, title="x" * 90),
}


@pytest.mark.parametrize("case", MODELS)
def test_no_words_of_the_roc_figure_collide(case):
    assert colliding_texts(roc(MODELS[case])) == []


@pytest.mark.parametrize("case", MODELS)
def test_no_words_of_the_decision_curve_collide(case):
    few = MODELS[case][:3]
    assert colliding_texts(decision_curves(few, positive=LONG.lower()[:30])) == []


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["N", "S", "V"], marks=pytest.mark.slow),
        ["apical four-chamber view", "a2c", "parasternal long axis"],
        pytest.param(["x" * 30, "b"], marks=pytest.mark.slow),
        [f"class {i}" for i in range(12)],
    ],
)
def test_no_words_of_the_figure_of_classes_collide(names):
    counts = np.arange(len(names) ** 2).reshape(len(names), -1) * 1234
    table = pd.DataFrame(counts, index=names, columns=names)
    classes = [replace(scores(1)[0], title=name, band=None) for name in names]
    assert colliding_texts(classes_figure(table, classes, unit="recording")) == []


@pytest.mark.parametrize("spread", [0.001, pytest.param(1.0, marks=pytest.mark.slow), 1000.0])
@pytest.mark.parametrize("bias", [0.0, 5000.0, -5000.0])
def test_no_words_of_the_agreement_figure_collide(spread, bias):
    rng = np.random.default_rng(5)
    truth = rng.normal(1000, 50, 12)
    said = truth + bias + spread * rng.normal(size=12)
    assert colliding_texts(agreement_figure(truth, said, unit="ml/min/g")) == []


@pytest.mark.parametrize(
    "n_models", [*(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2)), 5]
)
@pytest.mark.parametrize("name", MODELS)
def test_no_words_of_the_panels_of_calibration_collide(name, n_models):
    few = MODELS[name][:n_models]
    draw = calibration_of_models(few, positive=LONG.lower()[:40], unit="recording")
    assert colliding_texts(draw) == []


def test_the_roc_figure_names_models_by_titles_with_their_areas():
    svg = svg_text(roc(MODELS["twenty models"]))
    area = "AUC\u00a00.812\u00a0(0.710\u00a0to\u00a00.900)"
    assert svg.count(area) == 20
    assert "95 % band, pointwise" in svg


def test_a_decision_curve_has_those_who_treat_all_and_none():
    svg = svg_text(decision_curves(scores(1), positive="response"))
    for words in ("treat everybody", "treat nobody", "net benefit"):
        assert f">{words}<" in svg


def test_a_long_title_of_a_measurement_stands_clear_of_its_value():
    rows = [("Pulse rate", "71.2", "per min"),
            ("Irregularity of pulse intervals (RMSSD by mean)", "27.6", "%"),
            ("Time from the foot of a pulse to its notch, over all that are kept", "", ""),
            ("Augmentation index at a heart rate of 75", "-3.3", "%")]  # fmt: skip

    def draw(figure):
        figure.set_size_inches(11, 5)
        write_rows(figure.subplots(1, 2, width_ratios=(3, 1))[1], rows)

    figure = drawn(draw)
    figure.draw_without_rendering()
    shown = [one for one in figure.findobj(Annotation) if one.get_text()]
    boxes = [(one.get_text(), one.get_window_extent().padded(-1)) for one in shown]
    pairs = [
        (a, b) for n, (a, one) in enumerate(boxes) for b, two in boxes[:n] if one.overlaps(two)
    ]
    assert pairs == []
    assert any("\n" in text for text, _ in boxes)
    assert min(one.get_fontsize() for one in shown) >= 5


@pytest.mark.parametrize("rule", [False, True])
def test_the_baseline_that_is_drawn_is_not_called_best_where_a_rule_may_be(rule):
    """A rule has no probabilities, so it is in no calibration figure, whatever its AUC."""
    task = Task(
        "t", "T", "patient", (Target("y", "binary", ("no", "yes")),),
        (Model("net", "Network"), Model("area", "QRS area", baseline=True),
         Model("age", "Age", baseline=True), Model("lbbb", "LBBB", baseline=True, rule=rule)),
    )  # fmt: skip
    there = ["net", "area", "age", *([] if rule else ["lbbb"])]
    said = _picked(there, task, ["net", "area"])
    assert f"{1 if rule else 2} more {'is' if rule else 'are'} not drawn." in said
    assert "QRS area is the baseline" in said
    assert _picked(["net", "area"], task, ["net", "area"]) == ""
    assert ("with its own probabilities" in said) == rule
