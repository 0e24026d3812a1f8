"""The contract suite, for plugins to inherit from in their tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cardio_core.testing.fitted import FittedContract
from cardio_core.testing.front_door import FrontDoorContract
from cardio_core.testing.samples import SamplesContract, make_twin
from cardio_core.testing.truth import TruthContract

if TYPE_CHECKING:
    from cardio_core.registry import Plugin
    from cardio_core.runner.request import Protocols, RunRequest
    from cardio_core.testing.driving import Bench


class _OfOnePlugin:
    """What both suites share: which plugin, which tasks, at which size.

    Attributes
    ----------
    plugin : str
        Entry-point name of an installed plugin.
    tasks : tuple of str
        Tasks to test; empty means all of them.
    config : str
        Configuration by name, laid over the default.
    sets : mapping of task to tuple of str
        Settings as `--set` takes them, for tasks that need smaller sizes still.
    n_patients : int
        Patients of the synthetic twin.
    """

    plugin: str
    tasks: tuple[str, ...] = ()
    config = "smoke"
    sets: Mapping[str, tuple[str, ...]] = {}
    n_patients = 12

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test on a task once for each task."""
        if "task" in metafunc.fixturenames:
            metafunc.parametrize("task", self.tasks or _all_tasks(self.plugin), scope="class")

    @pytest.fixture(scope="class")
    @classmethod
    def opened(
        cls,
    ) -> Plugin:
        """The plugin as the runner opens it."""
        from cardio_core.runner.opening import open_with_defaults

        return open_with_defaults(cls.plugin)

    @pytest.fixture(scope="class")
    @classmethod
    def own_cache(cls, tmp_path_factory: pytest.TempPathFactory) -> Any:
        """A cache of the suite's own, so that nothing is found that it did not make."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CARDIO_CACHE", str(tmp_path_factory.mktemp("cache")))
            yield

    @pytest.fixture(scope="class")
    @classmethod
    def twin(cls, opened: Plugin, task: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder with the synthetic twin of the task."""
        folder = tmp_path_factory.mktemp("twin") / task
        return make_twin(opened, task, folder, n_patients=cls.n_patients, seed=0)

    @pytest.fixture(scope="class")
    @classmethod
    def asked(cls, task: str, twin: Path, own_cache: None) -> RunRequest:
        """The request for a run of the task on its twin."""
        from cardio_core.runner.request import RunRequest

        return RunRequest(
            plugin=cls.plugin,
            task=task,
            data=(twin,),
            config=cls.config,
            sets=cls.sets.get(task, ()),
            device="cpu",
            executor="local:1",
        )


class PluginContract(_OfOnePlugin, FrontDoorContract, SamplesContract, FittedContract):
    """What every plugin must keep, tested on its synthetic twin at small size.

    Inherit from it in a test module of the plugin, name the plugin, and pytest does the rest. Every
    failure says what was expected, what was found, and where.

    Examples
    --------
    The whole of ``tests/test_contract.py`` of a plugin::

        from cardio_core.testing import PluginContract, PluginTruth

        class TestContract(PluginContract):
            plugin = "my_method"

        class TestTruth(PluginTruth):
            plugin = "my_method"
            planted = {"crt_response": 0.75}

    Notes
    -----
    What is tested: the front door imports nothing heavy, and everything that it names exists; the
    four named configurations are valid for every task and refuse unknown keys; the twin is
    deterministic; features are the same when made again, in another order, or for one patient
    alone, and each has a unit; no column of the samples tells the label; a run ends with every file
    in its place; models are no pickles; new patients are predicted, each the same in any company.

    Attributes
    ----------
    plugin, tasks, config, sets, n_patients
        As in every suite: which plugin, which tasks (all), at which size (``smoke``, 12 patients).
    protocol : {"both", "honest", "paper"}
        What the finished run is made of.
    n_checked : int
        Patients whose features are made repeatedly.
    score_tolerance : float
        How far a score may move with the company in which it is predicted (rounding in a batch).
    """

    protocol: Protocols = "both"

    @pytest.fixture(scope="class")
    @classmethod
    def bench(cls, asked: RunRequest) -> Bench:
        """The task, set up over its twin, with nothing run yet."""
        from cardio_core.testing.driving import set_up_bench

        return set_up_bench(asked)

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls, asked: RunRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A finished run of the task; what it needs is made first, on its own twin."""
        from dataclasses import replace

        from cardio_core.runner.run import run

        out = tmp_path_factory.mktemp("run") / "run"
        return run(replace(asked, out=out, protocol=cls.protocol), lambda _: None)


class PluginTruth(_OfOnePlugin, TruthContract):
    """Chance and truth over the whole pipeline; the longer suite, often marked slow.

    Attributes
    ----------
    plugin, tasks, config, sets, n_patients
        As in `PluginContract`; take as many patients as the planted effect needs.
    planted : mapping of task to float
        The concordance (AUC) that the first row of each task must reach on the twin, out of fold.
        Take it from the twin's known truth, below its Bayes AUC by what so few patients cost.
    permutations : sequence of int
        Seeds of the permutations; the more, the sharper.
    """

    n_patients = 24


def _all_tasks(plugin: str) -> tuple[str, ...]:
    from cardio_core.registry import open_plugin

    return tuple(task.name for task in open_plugin(plugin).info.tasks)
