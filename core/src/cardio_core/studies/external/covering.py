"""Whether the run's prediction sets and intervals hold what they promise, in new patients."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.evaluation.conformal.coverage import set_sizes, share_of_patients
from cardio_core.evaluation.conformal.nonconformity import nonconformity
from cardio_core.evaluation.conformal.sets import Conformal
from cardio_core.evaluation.parts import noting
from cardio_core.runner.judging.judge import open_rule
from cardio_core.stats.classification.conformal_check import lower_coverage_p
from cardio_core.types.estimate import Estimate
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Scored
from cardio_core.types.report import Metric, Scope

NAME = "conformal_coverage"


def coverage_metrics(
    run: Path,
    scored: Scored,
    task: Task,
    sites: pd.Series | None,
    config: EvaluateBlock,
    *,
    seed: int = 0,
) -> tuple[list[Metric], list[Note]]:
    """Return how many patients' sets or intervals hold the truth: of all, by class, by site.

    Parameters
    ----------
    run : Path
        Whose rules are applied as they are.
    scored : Scored
        Of the new patients.
    task : Task
    sites : Series or None
        Site by patient.
    config : EvaluateBlock
    seed : int

    Returns
    -------
    list of Metric
        ``conformal_coverage`` with Wilson's interval, one patient each; p tests whether it is lower
        than the calibration patients of the run allow. Sizes of sets.
    list of Note
        Models without a rule.
    """
    metrics: list[Metric] = []
    notes: list[Note] = []
    for target in task.targets:
        frame = scored.frames.get(target.name)
        if frame is None:
            continue
        for model in frame["model"].unique():
            rule = open_rule(run, str(model), target.name)
            where = Scope(task=task.name, target=target.name, model=str(model))
            if rule is None:
                text = (
                    f"{task.model(str(model)).title}: the run calibrated no prediction sets for "
                    f"{target.name}, so their coverage cannot be validated."
                )
                notes.append(Note(NoteKind.PREDICTION_SETS, text, model=str(model)))
                continue
            own = frame[frame["model"] == model]
            with noting(notes, f"Coverage of {target.name} of {model}: not computed."):
                metrics += list(_covered(rule, own, target, where, sites, config.level))
                for one in set_sizes(rule, own, target, config.level, config.n_resamples, seed):
                    metrics.append(Metric(one, where))
    return metrics, notes


def _covered(
    rule: Conformal,
    frame: pd.DataFrame,
    target: Target,
    where: Scope,
    sites: pd.Series | None,
    level: float,
) -> Iterator[Metric]:
    scored = nonconformity(frame, target)
    rows = scored.rows
    rows = rows.assign(covered=rows["score"].to_numpy() <= rule.limits[rows["code"].to_numpy()])
    yield Metric(_share(rows, level, rule, None, target), where)
    classes = target.classes if target.kind != "continuous" else ()
    for code, name in enumerate(classes):
        own = rows[rows["code"] == code]
        if len(own) and name not in rule.always_held:
            found = _share(own, level, rule, code, target)
            yield Metric(found, _at(where, class_name=name))
    if sites is None:
        return
    site = scored.known["patient_id"].astype(str).map(sites).to_numpy()
    for one in sorted({str(name) for name in site if pd.notna(name)}):
        here = rows[site == one]
        yield Metric(_share(here, level, rule, None, target, by_site=True),
                     _at(where, subgroup=f"Site: {one}"))  # fmt: skip
        for code, name in enumerate(classes):
            own = here[here["code"] == code]
            if len(own) and name not in rule.always_held:
                found = _share(own, level, rule, code, target, by_site=True)
                yield Metric(found, _at(where, class_name=name, subgroup=f"Site: {one}"))


def _at(where: Scope, *, class_name: str | None = None, subgroup: str | None = None) -> Scope:
    return Scope(task=where.task, target=where.target, model=where.model, class_name=class_name,
                 subgroup=subgroup)  # fmt: skip


def _share(
    rows: pd.DataFrame,
    level: float,
    rule: Conformal,
    code: int | None,
    target: Target,
    *,
    by_site: bool = False,
) -> Estimate:
    """Return the share of patients who are covered; p against what the run promised."""
    promised = f"{100 * (1 - rule.alpha):g} %"
    what = "intervals" if target.kind == "continuous" else "sets"
    found = share_of_patients(
        NAME, rows, level, f"Wilson; {promised} {what} as the run calibrated them",
        "A patient is covered when every one of the rows is.",
    )  # fmt: skip
    # All classes together are a mixture, whose promise is that of each class.
    n = rule.class_patients[code] if rule.by_class and code is not None else rule.n_patients
    if by_site or (rule.by_class and code is None):
        return found
    p = lower_coverage_p(int(np.floor(found.extra["k"])), found.n, n, rule.alpha)
    return found.replace(p_value=p)
