"""What `cardio measure` says and shows of a loop."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from cardio_mmode_septal_flash.flash.config import Config
from cardio_mmode_septal_flash.flash.featurize import featurize
from cardio_mmode_septal_flash.flash.load import load
from cardio_mmode_septal_flash.flash.preprocess import preprocess
from cardio_mmode_septal_flash.flash.sheet import sheet

from .mmode_loops import SMALL, context, write_loop, write_septum


@pytest.fixture
def made(tmp_path):
    """One loop with a drawn septum: what its beat was, samples, features."""
    one = write_loop(tmp_path / "a.dcm")
    write_septum(tmp_path / "a.septum.json")
    config, ctx = Config(), context(tmp_path, "predict")
    block = config.preprocess.model_copy(update=SMALL)
    cohort = load(config.load, ctx)
    samples = preprocess(cohort.samples, block, ctx.replace(hook="preprocess"))
    return one, samples, featurize(samples, config.featurize)


def test_the_times_of_the_early_peak_are_given_and_the_heart_rate_is_that_of_the_beat(made):
    one, _, features = made
    block = features["course"]
    course = dict(zip(block.titles, np.asarray(block.values)[0].tolist(), strict=True))
    assert course["Heart rate"] == pytest.approx(60000 / one.spec.beat.rr_ms, rel=1e-3)
    if course["Early inward peak of the septum above its foot"] > 0:
        assert 0 < course["Time of the early inward peak after R"] < 180
    else:
        assert np.isnan(course["Time of the early inward peak after R"])


def test_the_sheet_draws_frame_mmode_and_excursion(made):
    _, samples, features = made
    figure = Figure(layout="constrained")
    sheet(figure, samples, features)
    figure.draw_without_rendering()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert any(title.startswith("End-diastolic frame") for title in titles)
    assert any(title.startswith("M-mode of the line") for title in titles)
    (curve,) = [axes for axes in figure.axes if axes.get_title(loc="left").startswith("Septal")]
    drawn = max((line.get_ydata() for line in curve.lines), key=len)
    np.testing.assert_allclose(drawn, features["trace"].values[0])
