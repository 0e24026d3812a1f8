"""Which recordings an answer stands on, how far they agree, and why the others do not count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cardio_core.evaluation.aggregate import score_columns
from cardio_core.runner.accounts import FileLine, account
from cardio_core.runner.measuring.recording import unjudged
from cardio_core.types.features import verdicts_of
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Exclusion
from cardio_core.types.samples import Cohort, Quarantined
from cardio_core.types.targets import KEY_OF_UNIT

_LIKELIEST = "view:"
_NOT_SCORED = "no model of the answer looks at it"


def with_recordings(
    rows: Sequence[dict[str, Any]], members: Mapping[str, pd.DataFrame], task: Task, target: Target
) -> list[dict[str, Any]]:
    """Say of each row on how many recordings it stands, and how far their own scores lie apart.

    Parameters
    ----------
    rows : sequence of dict
        Of one target, as `cardio predict` prints them.
    members : mapping of str to DataFrame
        By model, what its scores are made of (`scored_members`); a fused model's are those of the
        models that it fuses.
    task : Task
    target : Target

    Returns
    -------
    list of dict
        The rows with `n_recordings`, and `range` (lowest and highest own score; None for a fused
        model, for classes and where there is one recording). Rows of samples or recordings are
        returned as they are.
    """
    key = KEY_OF_UNIT.get(task.unit, "")
    if key not in ("study_id", "patient_id"):
        return list(rows)
    said = []
    by_unit: dict[tuple[str, ...], dict[str, pd.DataFrame]] = {}
    for row in rows:
        fused = task.model(row["model"]).fuses
        models = fused or (row["model"],)
        if models not in by_unit:
            found = _of(members, models)
            groups = found.groupby(found[key].astype(str)) if len(found) else ()
            by_unit[models] = {str(unit): own for unit, own in groups}
        own = by_unit[models].get(str(row["id"]))
        n = 0 if own is None else int(own["recording_id"].nunique())
        limits = None
        if own is not None and n > 1 and not fused and target.kind != "multiclass":
            scores = own.groupby("recording_id")[score_columns(target)[-1]].median()
            limits = [round(float(scores.min()), 6), round(float(scores.max()), 6)]
        said.append({**row, "n_recordings": n, "range": limits})
    return said


def account_of(
    cohort: Cohort,
    quarantined: Sequence[Quarantined],
    table: pd.DataFrame,
    used: set[str] | None,
    measured: Mapping[str, Mapping[str, Any]],
) -> tuple[FileLine, ...]:
    """Return what became of every file that was searched.

    Parameters
    ----------
    cohort : Cohort
    quarantined : sequence of Quarantined
        Recordings that could not be used.
    table : DataFrame
        Of the features: flags, and the view of each recording where a column says it.
    used : set of str or None
        The recordings that the primary model's answers stand on; None where that is not known.
    measured : mapping of str to mapping
        What stands beside the scores, by sample; of ``view:NAME`` the likeliest is told.
    """
    refused = {row.recording_id: row.exclusion for row in quarantined}
    verdicts = verdicts_of(table) if len(table) else {}
    for name in table["recording_id"].astype(str).unique() if used is not None else ():
        if used is not None and name not in used:
            known = verdicts.get(name)
            said = _NOT_SCORED if known is None else unjudged(known.reasons[0])
            refused.setdefault(name, Exclusion(text=said))
    return account(cohort, refused, _views(table, measured))


def _views(table: pd.DataFrame, measured: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    views: dict[str, str] = {}
    if "view" in table.columns:
        known = table.dropna(subset=["view"]).drop_duplicates("recording_id")
        views = dict(zip(known["recording_id"].astype(str), known["view"].astype(str), strict=True))
    for sample, recording in table["recording_id"].astype(str).items():
        seen = {
            name.removeprefix(_LIKELIEST): about["value"]
            for name, about in measured.get(str(sample), {}).items()
            if name.startswith(_LIKELIEST)
        }
        if seen:
            likeliest = max(seen, key=lambda name: seen[name])
            views[recording] = f"{likeliest} ({100 * seen[likeliest]:.0f} %)"
    return views


def _of(members: Mapping[str, pd.DataFrame], models: Sequence[str]) -> pd.DataFrame:
    found = [members[name] for name in models if name in members]
    return pd.concat(found) if found else pd.DataFrame()


def recordings_of(members: Mapping[str, pd.DataFrame], task: Task, primary: str) -> set[str] | None:
    """Return the recordings that a model's answers stand on; None where it scored nothing."""
    own = _of(members, task.model(primary).fuses or (primary,))
    return set(own["recording_id"].astype(str)) if len(own) else None
