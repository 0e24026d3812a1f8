"""The core's contract suite, applied to this plugin at the size of `smoke`."""

from __future__ import annotations

import pytest

from cardio_core.testing import PluginContract, PluginTruth

pytestmark = pytest.mark.usefixtures("blank_figures")


class TestContract(PluginContract):
    plugin = "spect_polar"
    protocol = "honest"
    n_patients = 18
    n_checked = 2
    sets = {  # noqa: RUF012
        "crt_response": ("inner.k=0", "models=[clinical_autoencoder, psd]"),
    }


@pytest.mark.slow
class TestTruth(PluginTruth):
    plugin = "spect_polar"
    tasks = ("crt_response",)
    n_patients = 40
    sets = {  # noqa: RUF012
        "crt_response": ("models=[clinical_autoencoder]", "explain.n_cases=0", "inner.k=0"),
    }
    permutations = (0, 1)
    planted = {"crt_response": 0.55}  # noqa: RUF012
