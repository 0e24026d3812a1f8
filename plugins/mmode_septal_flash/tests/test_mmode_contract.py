"""The core's contract suite, applied to this plugin at the size of `smoke`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from cardio_core.testing import PluginContract, PluginTruth
from cardio_mmode_septal_flash.cycle import FROM_MOTION, TOO_LOW

SMALLER = (
    "preprocess.n_pixels=100",
    "preprocess.max_shift=0",
    "featurize.size=32",
    "train.fit={epochs: 1, draw: 16}",
    "evaluate.n_resamples=100",
    "explain={methods: [layer_cam], n_random: 0}",
)


class _Contract(PluginContract):
    plugin = "mmode_septal_flash"
    protocol = "honest"
    n_checked = 2


class TestContract(_Contract):
    tasks = ("septal_flash",)
    n_patients = 10
    sets = {  # noqa: RUF012
        "septal_flash": (
            *SMALLER,
            "models=[densenet, excursion]",
            "inner.k=0",
            "needs.phantom_flash.settings={n_synthetic: 6, models: [densenet], evaluate: "
            "{n_resamples: 100}, featurize: {size: 32}, preprocess: {n_pixels: 100, max_shift: 0}, "
            "train: {fit: {epochs: 1, draw: 16}}}",
        ),
    }

    def test_a_real_loop_of_too_few_frames_gets_its_flags_and_no_verdict(self, task, finished):
        loop = get_testdata_file("examples_ybr_color.dcm", download=False)
        command = [Path(sys.executable).with_name("cardio"), "predict", finished, loop]
        said = subprocess.run(
            [*command, "--device", "cpu"], capture_output=True, text=True, check=True, timeout=120
        )
        answer = json.loads(said.stdout)
        assert answer["quarantined"] == []
        (flags,) = answer["flags"].values()
        assert TOO_LOW in flags and FROM_MOTION in flags
        assert any(flag.startswith("region rescaled by 0.5") for flag in flags)
        assert {row["model"] for row in answer["predictions"]} == {"densenet", "excursion"}
        for row in answer["predictions"]:
            assert row["scores"] is None and row["decided"] is None
            assert row["no_verdict"].startswith(TOO_LOW)


class TestContractOfPretraining(_Contract):
    tasks = ("phantom_flash",)
    n_patients = 6
    sets = {"phantom_flash": (*SMALLER, "models=[densenet]")}  # noqa: RUF012


@pytest.mark.slow
class TestTruth(PluginTruth):
    """The networks alone, on phantoms: flashes of 3 to 6 mm or none."""

    plugin = "mmode_septal_flash"
    tasks = ("phantom_flash",)
    n_patients = 30
    sets = {  # noqa: RUF012
        "phantom_flash": (
            "protocols.honest={plan: nested, k: 3, decision: fixed}",
            "train.fit={epochs: 12, draw: 128}",
            "explain={n_cases: 0, n_random: 0, methods: [layer_cam]}",
        ),
    }
    permutations = (0, 1)
    planted = {"phantom_flash": 0.7}  # noqa: RUF012
