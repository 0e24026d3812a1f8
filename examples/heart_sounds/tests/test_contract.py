"""What cardio asks of every plugin, and what this one must find on its synthetic cohort."""

from typing import ClassVar

import pytest

from cardio_core.testing import PluginContract, PluginTruth


class TestContract(PluginContract):
    plugin = "heart_sounds"
    tasks = ("murmur",)
    n_patients = 8
    n_checked = 2
    sets: ClassVar = {"murmur": ("inner.k=0", "evaluate.n_resamples=100", "train.fit.epochs=1")}


@pytest.mark.slow
class TestTruth(PluginTruth):
    plugin = "heart_sounds"
    tasks = ("murmur",)
    planted: ClassVar = {"murmur": 0.75}
