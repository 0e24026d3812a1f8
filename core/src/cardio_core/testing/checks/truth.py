"""Checks of chance and truth: with labels that mean nothing a plugin finds nothing, else it does.

Over the whole pipeline, under the honest protocol.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cardio_core.testing.case import TaskCase
from cardio_core.testing.checks.ranking import ranking
from cardio_core.testing.driving import permuted_labels
from cardio_core.testing.verdict import require


def the_planted_effect_is_recovered(case: TaskCase) -> None:
    """The first model ranks synthetic patients at least as well as the author says it must."""
    first, planted = case.task.models[0].name, case.sizes.planted
    require(
        planted is None or case.task_name in planted,
        f"say in `planted` what concordance the first model of {case.task_name!r} must reach on "
        "the synthetic cohort",
    )
    found = ranking(case.honest_run, case.task, first, "honest")
    # Where no floor is stated, more than chance gives in 39 of 40 cohorts.
    least = 0.5 + 1.96 * found.se if planted is None else planted[case.task_name]
    require(
        found.value >= least,
        f"{first}: concordance {found.value:.3f} over {found.n} units, expected at least "
        f"{least:.3f}; plant a larger effect, take more patients, or train longer",
    )


def permuted_labels_give_chance(case: TaskCase) -> None:
    """The mean over the permutations lies within three standard errors of one half.

    Every model that is fitted takes part, baselines too; a rule is fitted on nobody, so that labels
    cannot mislead it.
    """
    values: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    for seed in case.sizes.permutations:
        case.tell(f"running the task on permuted labels, seed {seed}")
        with permuted_labels(seed):
            run = case.run("honest")
        for name in _fitted(case, run):
            one = ranking(run, case.task, name, "honest")
            values.setdefault(name, []).append(one.value)
            errors.setdefault(name, []).append(one.se)
    for name, some in values.items():
        mean = float(np.mean(some))
        allowed = 3 * float(np.sqrt(np.mean(np.square(errors[name])) / len(some)))
        require(
            abs(mean - 0.5) <= allowed,
            f"{name}: concordance {mean:.3f} with labels that mean nothing, allowed "
            f"{0.5 - allowed:.3f} to {0.5 + allowed:.3f}; look for what tells it the tested labels",
        )


def the_same_request_gives_the_same_numbers(case: TaskCase) -> None:
    """Every estimate of metrics.json, to the last digit."""
    first, second = (_json(run, "metrics.json") for run in (case.honest_run, case.run("honest")))
    different = [(a["name"], a["model"]) for a, b in zip(first, second, strict=True) if a != b]
    require(
        not different,
        f"{len(different)} of {len(first)} numbers differ, such as {different[:1]}; draw every "
        "random number from ctx.rng",
    )


def _fitted(case: TaskCase, run: Path) -> list[str]:
    """Return the models of a run that were fitted; of a rule only its patients can be permuted."""
    models = _json(run, "manifest.json")["models"]
    return [name for name in models if not case.task.model(name).rule]


def _json(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text(encoding="utf-8"))


OF_TRUTH = (
    the_planted_effect_is_recovered,
    permuted_labels_give_chance,
    the_same_request_gives_the_same_numbers,
)
