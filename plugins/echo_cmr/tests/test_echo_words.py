"""Every target, model, measurement and label of a segment has words, with its unit."""

from __future__ import annotations

import pytest

from cardio_echo_cmr.findings.featurize import CLINICAL, TIMING
from cardio_echo_cmr.findings.models import VIEW_TITLES, VIEWS
from cardio_echo_cmr.findings.tasks import MAPPED, SEGMENTAL
from cardio_echo_cmr.plugin import INFO
from cardio_echo_cmr.results import KNOWN

WRITTEN = {"mm": "mm", "Hz": "Hz", "%": "%", "years": "years", "s": "s", "/min": "/min"}


@pytest.mark.parametrize(("name", "unit"), [*TIMING, *CLINICAL, *MAPPED.values()])
def test_a_measurement_is_told_in_words_with_its_unit(name, unit):
    words = INFO.words[name]
    assert "_" not in words
    assert unit not in WRITTEN or f"({WRITTEN[unit]})" in words


def test_targets_models_and_views_have_words():
    models = {model.name for task in INFO.tasks for model in task.models}
    targets = {target.name for task in INFO.tasks for target in task.targets}
    assert models | targets | set(VIEW_TITLES) <= set(INFO.words)
    assert not any("_" in words for words in INFO.words.values())
    assert "rmse" in set(KNOWN) & set(INFO.words)


def test_a_target_of_a_view_names_the_finding_and_the_view():
    for finding, title in SEGMENTAL.items():
        for view in VIEWS:
            words = INFO.words[f"{finding}_{view}"]
            assert title.lower() in words and VIEW_TITLES[view] in words
