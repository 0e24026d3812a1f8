"""Figures: what is written on them, that they are the same every time, and leave no trace."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.layout_engine import ConstrainedLayoutEngine
from scipy.special import ndtri

from cardio_core.testing import refuses
from cardio_stats import figures
from cardio_stats.errors import DataError
from cardio_stats.estimate import Estimate
from cardio_stats.figures import (
    ForestLine,
    calibration,
    confusion_matrix,
    estimate_forest,
    roc,
    roc_of,
    save_svg,
    svg_text,
)
from cardio_stats.roc_curves import roc_band

RNG = np.random.default_rng(7)
LABELS = (RNG.random(80) < 0.4).astype(int)
SCORES = 1 / (1 + np.exp(-(RNG.normal(size=80) + LABELS - 0.5)))
CONFUSION = pd.DataFrame(
    [[90, 10, 0], [1, 1999, 1], [4, 3, 0]],
    index=["N", "V", "false"],
    columns=["N", "V", "missed"],
)


def texts(draw):
    """Return every text of a figure, in the order of the file."""
    return [unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg_text(draw))]


EVERY = {
    "confusion": confusion_matrix(CONFUSION, unit="beat"),
    "forest": estimate_forest([ForestLine("V", 0.8, 0.7, 0.9), ForestLine("S", 0.9)], x="AUC"),
    "roc": roc([roc_of("net", LABELS, SCORES, n_resamples=50)]),
    "calibration": calibration(LABELS, SCORES),
}  # fmt: skip


@pytest.mark.parametrize("name", EVERY)
def test_the_same_figure_is_the_same_file_byte_for_byte(name, tmp_path):
    save_svg(EVERY[name], tmp_path / "a.svg")
    save_svg(EVERY[name], tmp_path / "b.svg")
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes()
    assert b"<dc:date>" not in first
    assert mpl.__version__.encode() not in first
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["a.svg", "b.svg"]


def test_the_last_digits_that_the_layout_finds_do_not_reach_the_file(monkeypatch):
    def parts(figure):
        above, below = figure.subfigures(2, 1)
        figure.colorbar(above.subplots().imshow(CONFUSION), ax=above.axes[0])
        below.subplots(1, 2)[0].set_ylabel("beats")

    found = ConstrainedLayoutEngine.execute

    def shaken(self, figure):
        made = found(self, figure)
        for one in [*figure.subfigs, *figure.axes]:
            if hasattr(one, "bbox_relative"):
                one.bbox_relative.p0 = one.bbox_relative.p0 + 1e-9
            else:
                left, bottom, width, height = one.get_position(original=True).bounds
                one.set_position((left + 1e-9, bottom - 1e-9, width, height))
        return made

    plain = svg_text(parts)
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", shaken)
    assert svg_text(parts) == plain


def test_drawing_changes_no_setting_of_matplotlib_and_does_not_load_pyplot():
    before = dict(mpl.rcParams)
    for draw in EVERY.values():
        svg_text(draw)
    assert dict(mpl.rcParams) == before
    code = (
        "import sys; from cardio_stats.figures import estimate_forest, ForestLine, svg_text;"
        "svg_text(estimate_forest([ForestLine('a', .5)], x='AUC'));"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_of_the_figures_exists():
    for name in figures.__all__:
        assert getattr(figures, name) is not None


def test_a_confusion_matrix_shows_counts_row_shares_and_row_totals():
    found = texts(EVERY["confusion"])
    for expected in ("90", "90.0 %", "10", "10.0 %", "1\u202f999", "n = 100", "n = 2\u202f001"):
        assert expected in found
    # 1 of 2001 is 0.05 %, and 1999 of 2001 is 99.90 %: neither may be rounded to none or all.
    assert found.count("< 0.1 %") == 2
    assert "> 99.9 %" in found
    assert "beats; % of the row" in found


def test_a_false_detection_that_was_missed_has_no_cell():
    # Six cells of classes, two false detections, and "missed" for two classes: 8 shares, not 9.
    assert sum(text.endswith(" %") for text in texts(EVERY["confusion"])) == 8


def test_a_class_that_never_occurs_stays_white_and_is_counted_as_none():
    draw = confusion_matrix(pd.DataFrame([[3, 0], [0, 0]], index=["N", "Q"], columns=["N", "Q"]))
    found = texts(draw)
    assert "n = 0" in found
    assert sum(text.endswith(" %") for text in found) == 2


def test_a_dollar_sign_and_markup_in_a_name_are_taken_literally():
    svg = svg_text(estimate_forest([ForestLine("$x_1$ <script>", 0.5)], x="AUC"))
    assert "$x_1$ &lt;script&gt;" in svg
    assert "<script" not in svg


def test_the_roc_label_carries_the_estimate():
    estimate = Estimate("auc", 0.8123, 0.71, 0.90, 0.95, "DeLong", n=80)
    found = texts(roc([roc_of("net", LABELS, SCORES, estimate=estimate, n_resamples=50)]))
    assert "net: AUC 0.812 (0.710 to 0.900)".replace(" ", "\u00a0") in [
        text.replace(" ", "\u00a0") for text in found
    ]
    assert {"1 − specificity", "sensitivity", "95 % band, pointwise"} <= set(found)


def test_the_roc_band_agrees_with_proc():
    # R 4.2.2, pROC 1.18.0: y <- c(rep(1, 40), rep(0, 60));
    # s <- c(qnorm((1:40 - .5) / 40) + 1.2, qnorm((1:60 - .5) / 60)); set.seed(1);
    # ci.se(roc(y, s, direction = "<"), specificities = c(.9, .7, .5, .2), boot.n = 20000,
    # boot.stratified = FALSE). One row of 40 moves a limit by .025.
    labels = np.r_[np.ones(40), np.zeros(60)]
    scores = np.r_[ndtri((np.arange(1, 41) - 0.5) / 40) + 1.2, ndtri((np.arange(1, 61) - 0.5) / 60)]
    _, low, high = roc_band(labels, scores, n_resamples=4000, seed=3)
    at = [10, 30, 50, 80]
    np.testing.assert_allclose(low[at], [0.243902, 0.564103, 0.750000, 0.913043], atol=0.0125)
    np.testing.assert_allclose(high[at], [0.696970, 0.902439, 0.977273, 1.000000], atol=0.0125)


def test_the_roc_band_of_patients_is_wider_than_that_of_their_rows():
    labels, scores = np.repeat(LABELS, 10), np.repeat(SCORES, 10)
    patients = np.repeat(np.arange(80), 10)
    _, low, high = roc_band(labels, scores, n_resamples=300)
    _, low_p, high_p = roc_band(labels, scores, patient=patients, n_resamples=300)
    # Ten equal rows a patient: the variance of patients is ten times that of rows.
    ratio = np.mean(high_p - low_p) / np.mean(high - low)
    assert 2.3 < ratio < 4.2


def test_calibration_says_how_many_are_behind_each_group():
    found = texts(calibration(LABELS, SCORES, n_bins=8, unit="patient"))
    assert "groups of 10 patients; 95 % intervals (Wilson)" in found
    assert f"up: class 1, n = {LABELS.sum()}; down: others, n = {80 - LABELS.sum()}" in found


def test_calibration_refuses_scores_that_are_no_probabilities():
    with refuses(DataError, "probabilities", code="out_of_range"):
        calibration([0, 1], [0.2, 1.3])


def test_calibration_keeps_tied_predictions_in_one_group():
    # All 200 predictions are 0.3 or 0.6: two groups, however many were asked for.
    labels, probabilities = [0, 1, 0, 1] * 50, [0.3, 0.3, 0.6, 0.6] * 50
    found = texts(calibration(labels, probabilities))
    assert any(text.startswith("groups of 100 rows;") for text in found)
