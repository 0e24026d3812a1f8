"""Runs on a Dask cluster: the numbers of a local run, whoever dies; what workers must share."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cardio_core.compute.executors import SerialExecutor, parse_executor
from cardio_core.runner.provenance import alike, lacks
from cardio_core.runner.setup import open_with_defaults
from cardio_core.testing import refuses
from cardio_stats.errors import CardioError, ConfigError

ROOT = Path(__file__).parents[2]


sys.path.insert(0, str(ROOT / "benchmarks"))
try:
    import cluster as study
finally:
    sys.path.pop(0)


class Elsewhere(SerialExecutor):
    """Workers that might be anywhere, of which one is this process."""

    remote = True

    def requiring(self, check):
        self.here = check.args[0]
        if said := check():
            raise ConfigError(f"worker: {said}")
        return super().requiring(check)


@pytest.fixture(scope="module")
def here(installed, clinic, tmp_path_factory):
    """What a worker is asked for, while it is."""
    executor = Elsewhere()
    place = tmp_path_factory.mktemp("shared")
    folders = (place / "run", place / "cache")
    with alike(executor, open_with_defaults("toy"), folders=folders, inputs=(clinic,)):
        yield executor.here
    assert not [one for folder in folders for one in folder.iterdir()]


def test_a_worker_that_is_what_this_process_is_lacks_nothing(here, clinic):
    assert lacks(here) == ""
    assert dict(here.inputs) == {str(clinic): len(list(clinic.iterdir()))}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"plugin": "toys"}, "no plugin 'toys' is installed"),
        ({"packages": (("cardio-toy", "9.9", "x"),)}, "cardio-toy is 0.3.0 there and 9.9 here"),
        ({"packages": (("cardio-toy", "0.3.0", "x"),)}, "cardio-toy 0.3.0 has other code there"),
        ({"packages": (("numpy", "1.0", ""),)}, "there and 1.0 here; install the same version"),
        ({"packages": (("strange", "1.0", ""),)}, "strange is missing there and 1.0 here"),
        ({"inputs": (("/nowhere/ecg", 3),)}, "/nowhere/ecg is not there, or is another than here"),
        ({"marks": (("/nowhere/run/.shared-1", "x"),)}, "the folder /nowhere/run is not the one"),
    ],
)
def test_what_a_worker_lacks_is_said_in_one_line(here, changed, said):
    found = lacks(replace(here, **changed))
    assert said in found
    assert "\n" not in found


def test_another_folder_of_the_same_name_is_not_the_folder(here):
    (file, _), *others = here.marks
    found = lacks(replace(here, marks=((file, "another word"), *others)))
    assert "is not the one that this machine has there; put the data, --out" in found


def test_workers_of_this_machine_are_asked_nothing(clinic, tmp_path):
    with alike(SerialExecutor(), None, folders=(tmp_path / "run",), inputs=(clinic,)):
        assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def machines(installed, tmp_path_factory):
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(installed), prepend=":")
        yield tmp_path_factory.mktemp("machines")


@pytest.mark.slow
def test_a_worker_killed_midway_changes_no_number(
    machines, run_toy, clinic, clinic_run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with study.cluster(machines / "killed") as (address, processes):
        with study.Killing(processes[1], tmp_path / "run", 2) as killing:
            run = run_toy(Path("run"), data=(clinic,), executor=f"dask:{address}")
        assert processes[1].poll() == -9
        assert processes[2].poll() is None
    n_fits = len(list(run.glob("models/*/*/chosen.json")))
    assert 2 <= killing.n_fits < n_fits
    assert study.differing(clinic_run, run) == []
    assert not list(run.rglob("*.partial-*"))
    assert not list(run.rglob(".shared-*"))


@pytest.mark.slow
def test_a_scheduler_killed_midway_is_one_line_and_the_run_goes_on_elsewhere(
    machines, run_toy, clinic, clinic_run, tmp_path
):
    out = tmp_path / "run"
    with (
        study.cluster(machines / "lost") as (address, processes),
        study.Killing(processes[0], out, 2),
        refuses(CardioError, "Dask") as caught,
    ):
        run_toy(out, data=(clinic,), executor=f"dask:{address}")
    assert "\n" not in str(caught.value)
    run_toy(out, data=(clinic,), executor="local:1", resume=True)
    assert study.differing(clinic_run, out) == []


@pytest.mark.slow
def test_a_worker_without_the_plugin_is_named_before_anything_is_made(
    installed, run_toy, clinic, tmp_path, monkeypatch
):
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    without = [path for path in paths if path and path != str(installed)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(without))
    with study.cluster(tmp_path / "bare", 1) as (address, _):
        expected = r"worker tcp://\S+: no plugin 'toy' is installed"
        with pytest.raises(ConfigError, match=expected):
            run_toy(tmp_path / "run", data=(clinic,), executor=f"dask:{address}")
    assert not (tmp_path / "run" / "models").exists()


@pytest.mark.slow
def test_a_cluster_without_workers_says_how_to_start_one(tmp_path, monkeypatch):
    pytest.importorskip("distributed", reason="the extra [dask] is not installed")
    monkeypatch.setattr("cardio_core.compute.executors._FIRST_S", 1)
    with (
        study.cluster(tmp_path, 0) as (address, _),
        parse_executor(f"dask:{address}") as executor,
        refuses(ConfigError, "dask", code="network"),
    ):
        executor.map(abs, [1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "made"),
    [
        ("measure --plugin toy CLINIC --no-sheets --out OUT", "measurements.csv"),
        ("data check CLINIC --plugin toy --json", ""),
    ],
    ids=lambda text: text.partition(" ")[0],
)  # fmt: skip
def test_commands_without_a_run_say_the_same_with_a_cluster(
    words, made, all_machines, cardio, clinic, tmp_path
):
    found = []
    for name, executor in (("local", "local:1"), ("dask", f"dask:{all_machines}")):
        places = {"CLINIC": clinic, "OUT": name}
        typed = [places.get(word, word) for word in words.split()]
        said = cardio(*typed, "--executor", executor, folder=tmp_path)
        assert said.exit_code == 0, said.stderr
        found.append((tmp_path / name / made).read_bytes() if made else said.stdout)
    assert len(found[0]) > 100
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def all_machines(machines):
    with study.cluster(machines / "all") as (address, _):
        yield address
