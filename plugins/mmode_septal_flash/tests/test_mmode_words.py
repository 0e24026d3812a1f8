"""Every measurement, score and control that a reader meets has words, with its unit."""

from __future__ import annotations

import pytest

from cardio_mmode_septal_flash.flash.featurize import TIMING
from cardio_mmode_septal_flash.localisation.tables import CONTROLS, SCORES
from cardio_mmode_septal_flash.motion import COURSE, MEASURES, SPREAD
from cardio_mmode_septal_flash.plugin import INFO

WRITTEN = {"mm": "mm", "ms": "ms", "Hz": "Hz"}


@pytest.mark.parametrize(
    ("name", "unit"), [*MEASURES, *TIMING, *(told[:2] for told in (*COURSE, *SPREAD))]
)
def test_a_measurement_is_told_in_words_with_its_unit(name, unit):
    words = INFO.words[name]
    assert "_" not in words
    assert unit not in WRITTEN or f"({WRITTEN[unit]}" in words


def test_scores_controls_models_and_targets_have_words():
    models = {model.name for task in INFO.tasks for model in task.models}
    targets = {target.name for task in INFO.tasks for target in task.targets}
    assert {*SCORES, *CONTROLS, *models, *targets} <= set(INFO.words)
    assert not any("_" in words for words in INFO.words.values())
