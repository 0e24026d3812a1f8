"""The core's contract suite, applied to this plugin at the size of `smoke`."""

from __future__ import annotations

import pytest

from cardio_core.testing import PluginContract, PluginTruth

pytestmark = pytest.mark.usefixtures("blank_figures")


class TestContract(PluginContract):
    plugin = "ecg_transfer"
    protocol = "honest"
    n_checked = 2
    sets = {  # noqa: RUF012
        "aami_beats": (
            "protocols.honest.k=2",
            "inner.k=0",
            "evaluate.n_resamples=100",
            "train.fit={epochs: 2, draw: 256}",
            "explain.n_cases=1",
        ),
        "crt_response": (
            "models=[pretrained, forest, qrs_duration, guideline]",
            "protocols.honest.k=2",
            "inner.k=0",
            "evaluate.n_resamples=100",
            "needs.aami_beats.settings={n_synthetic: 10, inner: {k: 0}, train: {fit: {epochs: 1}}}",
        ),
    }


@pytest.mark.slow
class TestTruth(PluginTruth):
    plugin = "ecg_transfer"
    tasks = ("aami_beats",)
    n_patients = 12
    sets = {  # noqa: RUF012
        "aami_beats": ("protocols.honest.k=2", "inner.k=0", "explain.n_cases=0"),
    }
    permutations = (0, 1)
    planted = {"aami_beats": 0.85}  # noqa: RUF012
