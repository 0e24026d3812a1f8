"""Which models a cohort can support, and what it must have for a task to make sense."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import ConfigError, Context, DataError, Target
from cardio_echo_cmr.findings.config import LoadBlock
from cardio_echo_cmr.findings.labels.own import TOLD_BY
from cardio_echo_cmr.findings.models import MEASURED
from cardio_echo_cmr.findings.tasks import VIEW
from cardio_echo_cmr.studies.study import EchoStudy
from cardio_echo_cmr.views.names import VIEW_TITLES, VIEWS

_WHAT = {"lvef": "LVEF", "age_sex": "age and sex"}
_KINDS = {
    "binary": "without and with it",
    "multiclass": "of its two largest classes",
    "continuous": "with a value",
}


def require_a_study(
    studies: Sequence[EchoStudy], kept: Sequence[EchoStudy], excluded: Mapping[str, Collection[str]]
) -> None:
    """Raise DataError where studies were found and every one of them was left out.

    Parameters
    ----------
    studies, kept : sequence of EchoStudy
        Those found, and those of them that are used.
    excluded : mapping of str to collection of str
        Recordings of the others by reason.
    """
    if kept or not studies:
        return
    home = {name: study.study_id for study in studies for name in study.recording_ids}
    counted = [f"{len({home[name] for name in names})} {why}" for why, names in excluded.items()]
    raise DataError(
        f"expected studies to be left, found none of {len(studies)} ({'; '.join(counted)}); check "
        "timepoint and days_echo_to_cmr in the cohort table, or widen load.timepoint or "
        "load.max_days_to_cmr"
    )


def require_named_views(studies: Sequence[EchoStudy]) -> None:
    """Raise ConfigError where views come from the table and it names none of the networks'."""
    if not any(clip.view in VIEWS for study in studies for clip in study.clips):
        raise ConfigError(
            "load.views=table: expected clips in path_echo_a4c, path_echo_a2c or path_echo_plax, "
            "found none; name the views there, or have them predicted with load.views=predicted "
            "(--protocol honest, as the paper's protocol takes the table's)"
        )


def require_two_views(views: Collection[str]) -> None:
    """Raise DataError where nothing can be told apart."""
    if len(views) < 2:
        raise DataError(
            f"view: expected clips of at least two views, found {', '.join(views) or 'none named'};"
            " add clips of other views (path_echo_other takes any), or do without this task: "
            "load.views=table with needs.view.skip=true"
        )


def unsupported_models(
    samples: pd.DataFrame,
    named: NDArray[np.str_],
    labels: pd.DataFrame,
    ctx: Context,
    config: LoadBlock,
) -> dict[str, str]:
    """Return the models of a task that have nothing to work on, each with the reason.

    Parameters
    ----------
    samples : DataFrame
        One row a clip, as of `samples_table`.
    named : ndarray of str, shape (n_clips,)
        View of each clip as the table names it; empty where it does not. Where views are
        predicted the table's still count: from them the classifier learns, and a clip that nobody
        named is used in neither setting.
    labels : DataFrame
        The targets by study: places of classes, or values; NaN where unknown.
    ctx : Context
        Task, and the column that is predicted where the user chose one.
    config : LoadBlock
        How many studies are enough; those without the model's view or measurement do not count.

    Returns
    -------
    dict of str to str
        A view without a clip, a baseline without its measurement or that is the outcome itself, a
        label that too few studies have, a fusion of fewer than two models.
    """
    task = ctx.task
    told = TOLD_BY.get(ctx.outcome or "", ())
    if task.name == VIEW.name:
        return {}
    reasons: dict[str, str] = {}
    for model in sorted(task.models, key=lambda model: bool(model.fuses)):  # members come first
        first = task.targets_of(model.name)[0]
        view = model.name.removesuffix("_value")
        own, what = samples, ""
        if view in VIEWS:
            own = samples[named == view]
            what = " among those with a clip of the view"
        elif model.name in MEASURED:
            own = samples[samples[list(MEASURED[model.name])].notna().all(axis=1)]
            what = f" among those with {_WHAT[model.name]}"
        counted = _counts(labels[labels.index.isin(own["study_id"])], first)
        if model.fuses and len(set(model.fuses) - set(reasons)) < 2:
            reasons[model.name] = "fewer than two views are left to fuse"
        elif own.empty and view in VIEWS:
            reasons[model.name] = f"the table names no {VIEW_TITLES[view]} clip"
        elif set(told) & set(MEASURED.get(model.name, ())):
            reasons[model.name] = f"{_WHAT[model.name]} is, or tells, what is predicted"
        elif own.empty:
            reasons[model.name] = f"the table says no study's {_WHAT[model.name]}"
        elif min(counted) < config.min_studies:
            listed = " and ".join(str(n) for n in counted)
            kinds = _KINDS[first.kind]
            reasons[model.name] = (
                f"{first.name} is known of {listed} studies {kinds}{what}, and load.min_studies is "
                f"{config.min_studies}{_remedy(min(counted))}"
            )
    return reasons


def _remedy(n: int) -> str:
    """Say what keeps a model that so many studies of the rarer kind are known for."""
    return f"; label more studies{f', or set load.min_studies={n}' if n else ''}"


def _counts(labels: pd.DataFrame, target: Target) -> tuple[int, ...]:
    """Return how many studies are of each class, or have a value; of more the two largest."""
    column = labels[target.name]
    if target.kind == "continuous":
        return (int(column.notna().sum()),)
    if target.kind == "multiclass":
        first, second = sorted(int(column.eq(k).sum()) for k in range(len(target.classes)))[-2:]
        return second, first
    return int(column.eq(0).sum()), int(column.eq(1).sum())
