"""The contract suite, applied to the toy."""

from __future__ import annotations

import pytest

from cardio_core.testing import PluginContract, PluginTruth


@pytest.mark.usefixtures("installed")
class TestContract(PluginContract):
    plugin = "toy"
    tasks = ("mean_class", "beats", "second", "third")
    protocol = "honest"
    n_patients = 24
    sets = dict.fromkeys(("mean_class", "beats", "second", "third"), ("inner.k=0",))


@pytest.mark.usefixtures("installed")
class TestTruth(PluginTruth):
    # The Bayes AUC of its synthetic cohort is 0.921; 24 patients cost a standard error of 0.06.
    plugin = "toy"
    tasks = ("mean_class",)
    config = "default"
    sets = {"mean_class": ("inner.k=0", "search=[]", "models=[ridge, constant]")}  # noqa: RUF012
    planted = {"mean_class": 0.8}  # noqa: RUF012
