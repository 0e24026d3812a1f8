"""Each task takes its own settings and refuses those of the other."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cardio_ecg_transfer.beats.config import Config as OfBeats
from cardio_ecg_transfer.response.config import Config as OfResponse

OF_BEATS_ALONE = (
    {"preprocess": {"leads": "first"}}, {"featurize": {"kinds": ["own"]}},
    {"train": {"shares": [1.0]}}, {"train": {"rhythm": False}}, {"train": {"label_smoothing": 0.1}},
    {"train": {"augmentation": {"side_noise": 0.1}}},
)  # fmt: skip
OF_RESPONSE_ALONE = (
    {"load": {"outcome": "NYHA1"}}, {"load": {"label": "CD"}}, {"load": {"draw": "4+3"}},
    {"preprocess": {"n_beats": 4}}, {"train": {"response": {"stem": "twelve"}}},
    {"train": {"classical": {"n_trees": 5}}}, {"explain": {"layer": 2}},
)  # fmt: skip
OF_BOTH = (
    {"load": {"min_s": 9.0}}, {"preprocess": {"anchor": "paper"}}, {"featurize": {"mode": "M3"}},
    {"train": {"depth": 50, "augmentation": {"mask": 0.1}}}, {"predict": {"batch_size": 8}},
    {"explain": {"n_cases": 1}}, {"evaluate": {"level": 0.9}},
)  # fmt: skip


def refuses(config, settings):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        config.model_validate(settings)


@pytest.mark.parametrize("settings", OF_BEATS_ALONE, ids=str)
def test_a_setting_of_beats_is_refused_by_response(settings):
    OfBeats.model_validate(settings)
    refuses(OfResponse, settings)


@pytest.mark.parametrize("settings", OF_RESPONSE_ALONE, ids=str)
def test_a_setting_of_response_is_refused_by_beats(settings):
    OfResponse.model_validate(settings)
    refuses(OfBeats, settings)


@pytest.mark.parametrize("settings", OF_BOTH, ids=str)
def test_what_means_the_same_in_both_is_taken_by_both(settings):
    OfBeats.model_validate(settings)
    OfResponse.model_validate(settings)
