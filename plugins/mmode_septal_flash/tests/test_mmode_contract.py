"""The core's contract suite, applied to this plugin at the size of `smoke`."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from cardio_core.testing import PluginContract, PluginTruth, call_cardio
from cardio_ultrasound import FROM_MOTION, TOO_LOW

from .mmode_loops import shorten_loops, write_loop, write_septum

pytestmark = pytest.mark.usefixtures("blank_figures", "sparse_speckle", "few_frames")

SMALLER = (
    "preprocess.n_pixels=100",
    "preprocess.max_shift=0",
    "featurize.size=32",
    "train.fit={epochs: 1, draw: 16}",
    "evaluate.n_resamples=100",
    "explain={methods: [layer_cam], n_random: 0}",
)


@pytest.fixture(scope="module")
def few_frames():
    with pytest.MonkeyPatch.context() as patch:
        shorten_loops(patch)
        yield


def predict(run, *words):
    """Call `cardio predict` in this process; return what it said."""
    return call_cardio("predict", "--json", "--device", "cpu", run, *words)


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

    def test_a_real_loop_of_too_few_frames_gets_its_flags_and_no_verdict(
        self, task, finished, tmp_path
    ):
        loop = get_testdata_file("examples_ybr_color.dcm", download=False)
        said = predict(finished, loop, "--explain", tmp_path)
        assert said.exit_code == 0, said.stderr
        answer = json.loads(said.stdout)
        assert answer["quarantined"] == []
        (flags,) = answer["flags"].values()
        assert TOO_LOW in flags and FROM_MOTION in flags
        assert any(flag.startswith("region rescaled by 0.5") for flag in flags)
        assert {row["model"] for row in answer["predictions"]} == {"densenet", "excursion"}
        for row in answer["predictions"]:
            assert row["scores"] is None and row["decided"] is None
            assert row["no_verdict"].startswith(TOO_LOW)
        (shown,) = answer["explanations"]
        assert shown["title"].startswith("No verdict")
        assert "No verdict" in (tmp_path / shown["figure"]).read_text()

    def test_a_septum_on_the_command_line_comes_before_one_beside_the_loop_and_one_that_is_found(
        self, task, finished, tmp_path
    ):
        truth = write_loop(tmp_path / "a.dcm", r_times_ms=None).truth
        found = json.loads(predict(finished, tmp_path / "a.dcm").stdout)
        write_septum(tmp_path / "a.septum.json", np.add(truth.polyline_px, (0.0, 30.0)))
        beside = json.loads(predict(finished, tmp_path / "a.dcm").stdout)
        write_septum(tmp_path / "drawn.json", truth.polyline_px[::-1])
        given = json.loads(
            predict(finished, tmp_path / "a.dcm", "--septum", tmp_path / "drawn.json").stdout
        )
        flags = [" ".join(*answer["flags"].values()) for answer in (found, beside, given)]
        assert ["septum found in the pictures" in text for text in flags] == [True, False, False]
        assert ["septum runs downwards" in text for text in flags] == [False, False, True]

    def test_peaks_on_the_command_line_make_a_verdict_possible(self, task, finished, tmp_path):
        spec = write_loop(tmp_path / "a.dcm", r_times_ms=None).spec
        (tmp_path / "peaks.json").write_text(json.dumps({"r_times_ms": (1000 * spec.r_s).tolist()}))
        without = json.loads(predict(finished, tmp_path / "a.dcm").stdout)
        said = predict(finished, tmp_path / "a.dcm", f"--rpeaks={tmp_path / 'peaks.json'}")
        assert {row["no_verdict"] is None for row in without["predictions"]} == {False}
        assert {row["no_verdict"] for row in json.loads(said.stdout)["predictions"]} == {None}

    def test_a_file_beside_no_recording_or_several_or_of_something_else_is_refused_in_a_line(
        self, task, finished, tmp_path
    ):
        write_loop(tmp_path / "a.dcm")
        write_loop(tmp_path / "b.dcm", number=2)
        septum, letter = tmp_path / "septum.json", tmp_path / "letter.json"
        write_septum(septum)
        letter.write_text("Dear colleague")
        loop = tmp_path / "a.dcm"
        refusals = {
            2: [
                ((loop, "--septum", tmp_path / "nobody.json"), "no such file"),
                ((loop, "--septa", septum), "--septum, --rpeaks"),
                ((tmp_path, "--septum", septum), "found 2; give them one at a time"),
            ],
            3: [((loop, "--septum", letter), 'expected {"points_px"')],
        }
        for code, cases in refusals.items():
            for words, reason in cases:
                said = predict(finished, *words)
                assert said.exit_code == code, (words, said.stderr)
                last = said.stderr.strip().splitlines()[-1]
                assert reason in last


@pytest.mark.slow
class TestContractOfPretraining(_Contract):
    """The task above makes this one first."""

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
