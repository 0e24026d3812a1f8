"""The core's contract suite, applied to this plugin at the size of `smoke`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from cardio_core.testing import PluginContract, PluginTruth
from cardio_core.testing.searching import HUNG_AFTER_S
from cardio_echo_cmr.synthetic import patients

pytestmark = pytest.mark.usefixtures("blank_figures", "sparse_speckle")

SMALLER = (
    "evaluate.n_resamples=100",
    "inner.k=0",
    "explain.n_cases=0",
    "load.min_studies=2",
    "protocols.honest.k=2",
)
VIEW_FIRST = (
    "needs.view.settings={evaluate: {n_resamples: 100}, explain: {n_cases: 0}, inner: {k: 0}, "
    "protocols: {honest: {k: 2}}}"
)


class _Contract(PluginContract):
    plugin = "echo_cmr"
    protocol = "honest"
    n_checked = 2


class _ShortLoops(_Contract):
    """The fast ones: two loops of a few frames a patient."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def short_loops(cls):
        """Drawing speckle is what takes the time.

        So few patients are drawn in this process, where the change counts.
        """
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(patients, "SECOND_STUDY_SHARE", 0.0)
            patch.setattr(patients, "VIEWS", ("a4c", "plax"))
            patch.setattr(patients, "_FEWEST_FRAMES", 10)
            patch.setattr(patients, "_LENGTH_S", 0.0)
            yield


@pytest.mark.slow
class TestContractOfView(_ShortLoops):
    """Views are told from single frames; the outcome makes this task first."""

    tasks = ("view",)
    n_patients = 4
    sets = {"view": SMALLER}  # noqa: RUF012


class TestContractOfOutcome(_ShortLoops):
    tasks = ("outcome",)
    n_patients = 8
    sets = {  # noqa: RUF012
        "outcome": (*SMALLER, "load.min_studies=1", "models=[a4c, plax, age_sex]")
    }


@pytest.mark.slow
class TestContractOfWallMotion(_Contract):
    tasks = ("wma",)
    n_patients = 12
    sets = {"wma": (*SMALLER, VIEW_FIRST, "models=[a4c, a2c, plax, lvef]")}  # noqa: RUF012

    def test_a_real_four_chamber_loop_is_answered(self, task, finished):
        """With scores, or with how probable its views are where none is probable enough."""
        loop = get_testdata_file("examples_ybr_color.dcm", download=False)
        command = [Path(sys.executable).with_name("cardio"), "predict", "--json", finished, loop]
        said = subprocess.run(
            [*command, "--device", "cpu"],
            capture_output=True,
            text=True,
            check=False,
            timeout=HUNG_AFTER_S,
        )
        answer = json.loads(said.stdout)
        assert answer["quarantined"] == []
        views = answer["measurements"]["1"]
        seen = [views[f"view:{name}"]["value"] for name in ("a4c", "a2c", "plax", "other")]
        assert sum(seen) == pytest.approx(1.0, abs=1e-4)
        assert said.returncode == (0 if answer["predictions"] else 3)


@pytest.mark.slow
class TestContractOfT1(_Contract):
    tasks = ("t1",)
    n_patients = 24
    sets = {  # noqa: RUF012
        "t1": ("evaluate.n_resamples=100", "explain.n_cases=0",
               "models=[a4c, a2c, fused, a4c_value, a2c_value, fused_value, age_sex]")
    }  # fmt: skip


@pytest.mark.slow
class TestTruth(PluginTruth):
    """Chance on permuted labels, and the planted wall motion found."""

    plugin = "echo_cmr"
    tasks = ("wma",)
    config = "cpu"
    n_patients = 40
    sets = {  # noqa: RUF012
        "wma": ("models=[a4c]", "inner.k=0", "evaluate.n_resamples=100", "explain.n_cases=0")
    }
    permutations = (0, 1)
    planted = {"wma": 0.65}  # noqa: RUF012
