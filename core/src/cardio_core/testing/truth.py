"""Contract: with labels that mean nothing a plugin finds nothing, and what is planted it finds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from cardio_core.registry import Plugin
    from cardio_core.runner.request import RunRequest
    from cardio_core.types.info import Task


class TruthContract:
    """Chance and truth, over the whole pipeline under the honest protocol.

    Subclasses provide `opened` and `asked`: the request for a run of the task.
    """

    permutations: Sequence[int] = (0, 1, 2)
    planted: Mapping[str, float] = {}

    @pytest.fixture(scope="class")
    @classmethod
    def honest_run(cls, asked: RunRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A run on the twin as it is."""
        return _run(asked, tmp_path_factory.mktemp("honest") / "run")

    def test_the_planted_effect_is_recovered(
        self, opened: Plugin, task: str, honest_run: Path
    ) -> None:
        """The first row ranks patients of the twin at least as well as the author says it must."""
        from cardio_core.testing.ranking import ranking

        assert task in self.planted, (
            f"say in `planted` what concordance the first row of {task!r} must reach on the twin"
        )
        about = opened.info.task(task)
        found = ranking(honest_run, about, about.models[0].name, "honest")
        assert found.value >= self.planted[task], (
            f"{about.models[0].name}: {found.value:.3f} over {found.n} units, expected at least "
            f"{self.planted[task]:.3f}"
        )

    def test_permuted_labels_give_chance(
        self, opened: Plugin, task: str, asked: RunRequest, tmp_path: Path
    ) -> None:
        """The mean over the permutations lies within three standard errors of one half."""
        from cardio_core.testing.driving import permuted_labels
        from cardio_core.testing.ranking import ranking

        about = opened.info.task(task)
        found: dict[str, list[float]] = {name: [] for name in _rows(about)}
        errors: dict[str, list[float]] = {name: [] for name in found}
        for seed in self.permutations:
            with permuted_labels(seed):
                run = _run(asked, tmp_path / f"permuted-{seed}")
            for name in found:
                one = ranking(run, about, name, "honest")
                found[name].append(one.value)
                errors[name].append(one.se)
        for name, values in found.items():
            mean = float(np.mean(values))
            allowed = 3 * float(np.sqrt(np.mean(np.square(errors[name])) / len(values)))
            assert abs(mean - 0.5) <= allowed, (
                f"{name}: concordance {mean:.3f} with labels that mean nothing, allowed "
                f"{0.5 - allowed:.3f} to {0.5 + allowed:.3f}"
            )

    def test_the_same_request_gives_the_same_numbers(
        self, asked: RunRequest, honest_run: Path, tmp_path: Path
    ) -> None:
        """Every estimate of metrics.json, to the last digit."""
        again = _run(asked, tmp_path / "again")
        first, second = (
            json.loads((run / "metrics.json").read_text(encoding="utf-8"))
            for run in (honest_run, again)
        )
        different = [(a["name"], a["model"]) for a, b in zip(first, second, strict=True) if a != b]
        assert not different, f"{len(different)} of {len(first)} differ, such as {different[0]}"


def _run(request: RunRequest, out: Path) -> Path:
    from cardio_core.runner.run import run

    return run(replace(request, out=out, protocol="honest"), lambda _: None)


def _rows(task: Task) -> list[str]:
    """Return the rows that could learn something; a constant baseline cannot."""
    return [model.name for model in task.models if not model.baseline]
