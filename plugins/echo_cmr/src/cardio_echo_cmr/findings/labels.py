"""What the tables say is there: targets, cut-offs, and which models they support."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cardio_core.api import ConfigError, Context, DataError, Target, Targets, Task
from cardio_echo_cmr.findings.config import LoadBlock, ScannerCutoffsBlock
from cardio_echo_cmr.findings.models import MEASURED
from cardio_echo_cmr.findings.tasks import MAPPED, OUTCOME, SEGMENTAL, STAND_IN, VIEW
from cardio_echo_cmr.segments import segment_labels, unjudged_note
from cardio_echo_cmr.studies import EchoStudy
from cardio_echo_cmr.views.names import VIEW_TITLES, VIEWS

SHOWN_BY = {
    "lvef_bl_pct": ("lvef_pct",),
    "lvef_fu_pct": ("lvef_pct",),
    "age_y": ("age_y",),
    "sex": ("sex_male",),
}
"""What a model sees under another name, by the column of the cohort table that is predicted."""


def hidden(samples: pd.DataFrame, ctx: Context) -> pd.DataFrame:
    """Return the sample table without what is to be predicted: LVEF tells LVEF."""
    decisive = SHOWN_BY.get(ctx.outcome or "", ())
    return samples.assign(**dict.fromkeys(decisive, float("nan")))


def known_outcome(clinical: pd.DataFrame | None, ctx: Context) -> pd.DataFrame:
    """Return the asked column as numbers, by study: places of classes, or values; NaN if unknown.

    It only says how many studies there are of each class; the targets are the core's.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from cardio_echo_cmr.findings.tasks import OUTCOME
    >>> task = OUTCOME.predicting(Target("arm", "binary", ("not CRT-P", "CRT-P")))
    >>> table = pd.DataFrame({"arm": ["CRT-P", "CRT-D", "none", None]})
    >>> known_outcome(table, Context(task, outcome="arm"))["arm"].tolist()
    [1.0, 0.0, 0.0, nan]
    """
    target = ctx.targets[0]
    if clinical is None or ctx.outcome is None:
        return pd.DataFrame({target.name: pd.Series(dtype=float)})
    column = clinical[ctx.outcome]
    if target.kind == "continuous":
        return pd.DataFrame({target.name: pd.to_numeric(column, errors="coerce").astype(float)})
    return pd.DataFrame({target.name: [_place(cell, target) for cell in column]}, column.index)


def stand_in(clinical: pd.DataFrame | None) -> pd.DataFrame:
    """Return the outcome of the synthetic cohort, as labels by study.

    Raises
    ------
    ConfigError
        If the table has no such column: then somebody forgot to say what is to be predicted.
    """
    column = None if clinical is None else clinical.get(STAND_IN)
    known = pd.Series(dtype=float) if column is None else pd.to_numeric(column, errors="coerce")
    if not known.notna().any() or not known.dropna().isin([0, 1]).all():
        raise ConfigError(
            "task outcome: expected a column of the cohort table that is to be predicted, found "
            "none; name one with --outcome COLUMN"
        )
    return pd.DataFrame({STAND_IN: known.astype(float)})


def _place(cell: Any, target: Target) -> float:
    if cell is None or pd.isna(cell):
        return float("nan")
    text = f"{cell:g}" if isinstance(cell, int | float | np.number) else str(cell)
    names = [name.strip().casefold() for name in target.classes]
    plain = text.strip().casefold()
    if plain in names:
        return float(names.index(plain))
    if target.kind == "binary":  # 1 is shown as yes; against one value stand all others
        return 1.0 if plain == "1" and names[1] == "yes" else 0.0
    return float("nan")


_EXACT = 1e-9
"""Relative rounding within which a value is its cut-off."""


def mapped_labels(
    table: pd.DataFrame, finding: str, config: LoadBlock
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return whether a measured finding is raised, and its value.

    Parameters
    ----------
    table : DataFrame
        A cohort table with the finding's column, and `field_T` and `scanner_vendor` where the
        configuration has cut-offs for them.
    finding : {"t1", "t2", "ecv"}
    config : LoadBlock
        The cut-offs.

    Returns
    -------
    DataFrame
        Indexed like the table, columns ``t1_high`` (1 from the cut-off on, itself included; 0; NaN
        where not measured) and ``t1_ms``, say.
    tuple of str
        Notes: how many values are the cut-off itself, and what each cut-off was used for.

    Raises
    ------
    ConfigError
        The table has no such column.
    """
    name, unit = MAPPED[finding]
    if name not in table.columns:
        raise ConfigError(
            f"{finding}: expected a column {name} in the cohort table, found none; add the CMR's "
            "measurement"
        )
    value = table[name].to_numpy(float, na_value=np.nan)
    cut = cutoffs_of(table, name, config)
    exact = np.isclose(value, cut, rtol=_EXACT, atol=0.0)
    high = np.where(np.isnan(value), np.nan, ((value > cut) | exact).astype(float))
    labels = pd.DataFrame({f"{finding}_high": high, name: value}, index=table.index)
    return labels, _notes(finding, unit, value, cut, int(exact.sum()))


def cutoffs_of(table: pd.DataFrame, name: str, config: LoadBlock) -> NDArray[np.float64]:
    """Return the cut-off that holds for each study.

    The first of `scanner_cutoffs` that matches the study's field strength (within .01 T) and maker
    (upper and lower case alike) and gives a value holds; else the general one.

    Examples
    --------
    >>> from cardio_echo_cmr.findings.config import LoadBlock
    >>> config = LoadBlock(scanner_cutoffs=({"field_T": 3.0, "t1_ms": 1230.0},))
    >>> cutoffs_of(pd.DataFrame({"field_T": [1.5, 3.0, None]}), "t1_ms", config).tolist()
    [1060.0, 1230.0, 1060.0]
    """
    cut = np.full(len(table), float(getattr(config.cutoffs, name)))
    open_ = np.ones(len(table), bool)
    for rule in config.scanner_cutoffs:
        cutoff = getattr(rule, name)
        if cutoff is None:
            continue
        match = open_ & _matches(table, rule)
        cut[match] = cutoff
        open_ &= ~match
    return cut


def _matches(table: pd.DataFrame, rule: ScannerCutoffsBlock) -> NDArray[np.bool_]:
    match = np.ones(len(table), bool)
    if rule.field_T is not None:
        field = table.reindex(columns=["field_T"])["field_T"].to_numpy(float, na_value=np.nan)
        match &= np.abs(field - rule.field_T) <= 0.01
    if rule.vendor is not None:
        maker = table.reindex(columns=["scanner_vendor"])["scanner_vendor"].astype("string")
        match &= maker.str.strip().str.lower().eq(rule.vendor.strip().lower()).fillna(False)
    return match


def _notes(
    finding: str, unit: str, value: NDArray[np.float64], cut: NDArray[np.float64], n_exact: int
) -> tuple[str, ...]:
    measured = ~np.isnan(value)
    used = ", ".join(
        f"{level:g} {unit} for {int((cut[measured] == level).sum())}"
        for level in np.unique(cut[measured])
    )
    return (
        f"{finding.upper()} counts as raised from its cut-off on ({used} studies); {n_exact} of "
        f"{int(measured.sum())} are exactly at it, raised by the published table (≥) and not by "
        "its text (>).",
    )


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
    decisive = SHOWN_BY.get(ctx.outcome or "", ())
    if task.name == VIEW.name:
        return {}
    reasons: dict[str, str] = {}
    for model in sorted(task.models, key=lambda model: bool(model.fuses)):  # members come first
        first = task.targets_of(model.name)[0]
        view = model.name.removesuffix("_value")
        usable, what = samples, ""
        if view in VIEWS:
            usable = samples[named == view]
            what = " among those with a clip of the view"
        elif model.name in MEASURED:
            usable = samples[samples[list(MEASURED[model.name])].notna().all(axis=1)]
            what = f" among those with {_WHAT[model.name]}"
        counted = _counts(labels[labels.index.isin(usable["study_id"])], first)
        if model.fuses and len(set(model.fuses) - set(reasons)) < 2:
            reasons[model.name] = "fewer than two views are left to fuse"
        elif usable.empty and view in VIEWS:
            reasons[model.name] = f"the table names no {VIEW_TITLES[view]} clip"
        elif set(decisive) & set(MEASURED.get(model.name, ())):
            reasons[model.name] = f"{_WHAT[model.name]} is, or tells, what is predicted"
        elif usable.empty:
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
    words = {name: labels.map({0: f"no {name}", 1: name}) for name, labels in found.items()}
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
