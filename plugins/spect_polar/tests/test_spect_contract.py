"""The core's contract suite, applied to this plugin at the size of `smoke`.

`test_spect_flow_run` has it for the risk factors.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from cardio_core.testing import PluginContract, PluginTruth
from cardio_spect_polar.synthetic import crt

pytestmark = pytest.mark.usefixtures("blank_figures")


class _Contract(PluginContract):
    plugin = "spect_polar"
    protocol = "honest"
    n_patients = 16
    n_checked = 2


class TestContract(_Contract):
    """On studies of few voxels and gates: drawing and measuring them takes most of the time."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def small_studies(cls):
        """Give every camera forty rows and eight gates."""
        drawn = crt.draw_site
        small = {"voxel_mm": (6.4,) * 3, "n_rows": 40, "n_columns": 40, "n_slots": 8,
                 "n_subframes": 2, "slot_gain": (), "empty_ends": ()}  # fmt: skip

        def smaller(rng):
            site, camera = drawn(rng)
            return site, replace(camera, **small)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(crt, "draw_site", smaller)
            yield

    tasks = ("crt_response",)
    sets = {  # noqa: RUF012
        "crt_response": (
            "inner.k=0",
            "models=[clinical_autoencoder, psd]",
            "train.autoencoder={hidden: 8, n_features: 4, n_seeds: 2, max_epochs: 2}",
            "evaluate={n_resamples: 100, n_optimism: 5}",
        ),
    }


@pytest.mark.slow
class TestContractOfFlowReserve(_Contract):
    """The risk factors make this task first."""

    tasks = ("mfr",)


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
