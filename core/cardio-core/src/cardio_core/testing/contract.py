"""The checks as pytest classes, for plugins to inherit from in their tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cardio_core.runner.request import Protocols
from cardio_core.testing.case import (
    Check,
    NotCheckedError,
    PluginCase,
    Sizes,
    TaskCase,
    all_tasks,
    own_cache,
)
from cardio_core.testing.checking import OF_TASK
from cardio_core.testing.plugin_checks import OF_INFO
from cardio_core.testing.run_checks import OF_TRUTH


def _as_tests(checks: Iterable[Check], *, of_task: bool) -> Callable[[type[Any]], type[Any]]:
    """Give a class one test a check, named after it."""

    def add(suite: type[Any]) -> type[Any]:
        for check in checks:
            setattr(suite, f"test_{check.__name__}", _test_of(check, of_task))
        return suite

    return add


def _test_of(check: Check, of_task: bool) -> Callable[..., None]:
    if of_task:

        def test(self: _OfOnePlugin, case: TaskCase) -> None:
            try:
                check(case)
            except NotCheckedError as error:
                pytest.skip(f"not checked: {error}")
    else:

        def test(self: _OfOnePlugin, plugin_case: PluginCase) -> None:  # type: ignore[misc]
            check(plugin_case)

    test.__doc__ = check.__doc__
    return test


class _OfOnePlugin:
    """What both suites share: which plugin, which of its tasks (none named: all), which size."""

    plugin: str
    tasks: tuple[str, ...] = ()
    config = "smoke"
    sets: Mapping[str, Sequence[str]] = {}
    n_patients = 12

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test on a task once for each task."""
        if "task" in metafunc.fixturenames:
            metafunc.parametrize("task", self.tasks or all_tasks(self.plugin), scope="class")

    @pytest.fixture(scope="class")
    @classmethod
    def plugin_case(cls) -> PluginCase:
        """The plugin."""
        return PluginCase(cls.plugin)

    @pytest.fixture(scope="class")
    @classmethod
    def case(cls, task: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TaskCase]:
        """One task on its synthetic cohort, with a cache of its own."""
        stated = {f.name: getattr(cls, f.name) for f in fields(Sizes) if hasattr(cls, f.name)}
        with own_cache(tmp_path_factory.mktemp("cache")):
            yield TaskCase(cls.plugin, task, tmp_path_factory.mktemp("case"), Sizes(**stated))

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls, case: TaskCase) -> Path:
        """A finished run of the task, for tests of the plugin's own."""
        return case.finished


@_as_tests(OF_INFO, of_task=False)
@_as_tests(OF_TASK, of_task=True)
class PluginContract(_OfOnePlugin):
    """What every plugin must keep, tested on its synthetic cohort at small size.

    Inherit from it in a test module of the plugin, name the plugin, and pytest does the rest. Every
    failure says what was found and what to do. ``cardio plugins check NAME`` runs the same checks
    without pytest.

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
    What is tested: the plugin module imports nothing heavy, and everything that it names exists;
    the named configurations are valid for every task and refuse unknown keys; the synthetic cohort
    is deterministic; features are the same when made again, in another order, for one patient
    alone, and from copies of the recordings in empty folders under other names; what a recording
    yields is the same in half of the cohort and in a reordered one; each feature has a unit; no
    column of the samples tells the label; a run ends with every file in its place; models are no
    pickles; new patients are predicted, each the same in any company.

    Attributes
    ----------
    plugin, tasks, config, sets, n_patients
        As in every suite: which plugin, which tasks (all), at which size (``smoke``, 12 patients).
    protocol, n_checked, score_tolerance
        As of `cardio_core.testing.Sizes`.
    """

    protocol: Protocols = "both"
    n_checked = 6
    score_tolerance = 1e-5


@_as_tests(OF_TRUTH, of_task=True)
class PluginTruth(_OfOnePlugin):
    """Chance and truth over the whole pipeline; the longer suite, often marked slow.

    Attributes
    ----------
    plugin, tasks, config, sets, n_patients
        As in `PluginContract`; take as many patients as the planted effect needs.
    planted : mapping of task to float
        The concordance that the first model of each task must reach on the synthetic cohort, out of
        fold: the AUC, the mean of the classes' AUCs against the rest, or of a number 0.5 plus half
        of Kendall's tau. Take it from its known truth, below the best possible by what so few
        patients cost.
    permutations : sequence of int
        Seeds of the permutations; the more, the sharper.
    """

    n_patients = 24
    permutations: Sequence[int] = (0, 1, 2)
    planted: Mapping[str, float] = {}
