"""No word of a figure stands on another or beyond the edge, in the hardest cases we know."""

from __future__ import annotations

import pytest
from matplotlib.text import Text

from cardio_core.report.figures import ForestModel, forest, model_forest, svg_text
from cardio_core.report.figures.canvas import described, drawn
from cardio_core.report.figures.forest_plot import ForestRow
from cardio_core.testing.overlaps import colliding_texts

LONG = "Logistic regression on the duration and the area of QRS, LBBB, age, sex and aetiology"


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


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("case", FORESTS)
def test_no_words_of_the_forest_of_models_collide(case, narrow):
    draw = model_forest(
        FORESTS[case], metric="AUC", n_words="60 patients", reference=0.5, narrow=narrow
    )
    assert colliding_texts(draw) == []


def test_no_words_of_a_forest_by_class_collide():
    rows = [
        ForestRow(name, protocol, 0.5, 0.2, 0.9, panel)
        for name in ("supraventricular ectopic beat", "V", "Q")
        for protocol in ("honest", "paper")
        for panel in ("Sensitivity (Se)", "Positive predictivity (+P)")
    ]
    assert colliding_texts(forest(rows)) == []


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
    assert heights["0.600"] == heights["(0.500 to 0.700)"] > heights["0.900"] > heights["0.800"]


def test_a_figure_says_what_it_is():
    draw = described(model_forest(FORESTS["twenty models"], metric="AUC"), "AUC <b>", "All & one.")
    svg = svg_text(draw)
    assert "<title>AUC &lt;b&gt;</title>" in svg
    assert "<desc>All &amp; one.</desc>" in svg
    assert 'role="img"' in svg
