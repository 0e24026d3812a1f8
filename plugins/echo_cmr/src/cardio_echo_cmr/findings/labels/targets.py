"""The targets of the studies that are used, and the strata that their patients are split by."""

from __future__ import annotations

from typing import Any

import pandas as pd

from cardio_core.api import Context, DataError, Targets, Task
from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.labels.cutoffs import mapped_labels
from cardio_echo_cmr.findings.labels.own import stand_in
from cardio_echo_cmr.findings.labels.support import require_two_views
from cardio_echo_cmr.findings.tasks import MAPPED, OUTCOME, SEGMENTAL, STAND_IN, VIEW
from cardio_echo_cmr.segments.labels import segment_labels, unjudged_note
from cardio_echo_cmr.studies.study import EchoStudy

_MEASURED = {"t1": "native T1", "t2": "T2", "ecv": "extracellular volume"}


def targets_of(
    clinical: pd.DataFrame | None, kept: list[EchoStudy], config: LoadBlock, ctx: Context
) -> tuple[Targets, tuple[str, ...]]:
    """Return the targets of the kept studies, and notes on them."""
    name = ctx.task.name
    if name == VIEW.name:
        views = {
            recording: clip.view or None
            for study in kept
            for recording, clip in zip(study.recording_ids, study.clips, strict=True)
        }
        require_two_views({view for view in views.values() if view is not None})
        unnamed = sum(view is None for view in views.values())
        note = f"The view of {unnamed} of {len(views)} loops is not named: they teach nothing."
        column = pd.Series(views, dtype=object, name=VIEW.name)
        by_study = strata_of(clinical, config)
        strata = None
        if by_study is not None:
            homes = {name: study.study_id for study in kept for name in study.recording_ids}
            strata = pd.Series(homes, dtype=object).map(by_study)
        targets = Targets("recording", column.to_frame(), strata=strata)
        return targets, (note if unnamed else "",)
    if name == OUTCOME.name:
        return Targets("study", stand_in(clinical)), ()
    if clinical is None:
        raise DataError("expected a cohort table with CMR labels, found none; give one as --data")
    if name in SEGMENTAL:
        labels = segment_labels(clinical, name)
        notes: tuple[str, ...] = (unjudged_note(labels),)
    else:
        labels, notes = mapped_labels(clinical, name, config)
    return Targets("study", labels, strata=strata_of(clinical, config)), notes


def strata_of(clinical: pd.DataFrame | None, config: LoadBlock) -> pd.Series[str] | None:
    """Return what all tasks split their patients by, because all take the folds of the views.

    Every finding that the table knows: folds of unlike shares would push a pooled area of what
    cannot be told below one half. Studies whose segments are not all judged have no stratum; what
    was not measured counts as not raised.
    """
    if clinical is None:
        return None
    found: dict[str, pd.Series[Any]] = {}
    for name in SEGMENTAL:
        if f"{name}_seg_01" in clinical.columns:
            found[name] = segment_labels(clinical, name)[name]
    for name, (column, _) in MAPPED.items():
        if column in clinical.columns:
            labels, _notes = mapped_labels(clinical, name, config)
            found[name] = labels[f"{name}_high"].fillna(0.0)
    if not found:
        return None
    words = {name: own.map({0: f"no {name}", 1: name}) for name, own in found.items()}
    return pd.DataFrame(words).dropna().agg(", ".join, axis=1)


def outcome_sentence(task: Task, config: LoadBlock) -> str:
    """Say what the targets are.

    Examples
    --------
    >>> from cardio_echo_cmr.findings.config import LoadBlock
    >>> from cardio_echo_cmr.findings.tasks import TASKS
    >>> named = {task.name: task for task in TASKS}
    >>> print(outcome_sentence(named["lge"], LoadBlock()))
    late gadolinium enhancement in any of 17 segments, or in those that a view shows, at the \
nearest CMR within 30 days of the echo.
    >>> print(outcome_sentence(named["t2"], LoadBlock()))
    T2 and whether it is raised (58 ms or more) at the nearest CMR within 30 days of the echo.
    """
    if task.name == VIEW.name:
        return "the view of a loop as the cohort table names it."
    if task.name == OUTCOME.name:
        return f"{STAND_IN}, a column of the cohort table, by study."
    when = f"at the nearest CMR within {config.max_days_to_cmr} days of the echo"
    if task.name in SEGMENTAL:
        finding = SEGMENTAL[task.name].lower()
        return f"{finding} in any of 17 segments, or in those that a view shows, {when}."
    column, unit = MAPPED[task.name]
    cut = f"{getattr(config.cutoffs, column):g} {unit} or more"
    by_scanner = any(getattr(rule, column) is not None for rule in config.scanner_cutoffs)
    other = "; other cut-offs by scanner" if by_scanner else ""
    return f"{_MEASURED[task.name]} and whether it is raised ({cut}{other}) {when}."
