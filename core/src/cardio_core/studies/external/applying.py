"""How many of the new patients are like those of training: inside, borderline, outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.evaluation.applicability.calibration import ALPHA_OUTSIDE
from cardio_core.evaluation.applicability.judge import BORDERLINE, INSIDE, NOT_JUDGED, OUTSIDE
from cardio_core.report.words import p_value
from cardio_core.runner.fitting.applicable import read_applicability
from cardio_core.stats import proportion
from cardio_core.stats.classification.conformal_check import lower_coverage_p
from cardio_core.studies.external.tables import shown
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.report import Metric, Scope

VERDICTS = {INSIDE: "Inside", BORDERLINE: "Borderline", OUTSIDE: "Outside"}
SHARE = "{verdict}_share"


def applicability_metrics(
    run: Path, judged: pd.DataFrame, sites: pd.Series | None, task: str, level: float
) -> tuple[list[Metric], list[Note]]:
    """Return the share of the judged patients who are inside, borderline and outside.

    Parameters
    ----------
    run : Path
        Whose summaries of training decided.
    judged : DataFrame
        `patient_id` and `verdict` of the validated patients.
    sites : Series or None
        Site by patient.
    task : str
    level : float

    Returns
    -------
    list of Metric
        With Wilson's interval, of all and by site; p of the share outside asks whether more are
        outside than chance brings where nothing changed (one in twenty at most).
    list of Note
        Who could not be judged, and why.
    """
    known = judged[judged["verdict"] != NOT_JUDGED]
    notes = []
    unknown = judged[judged["verdict"] == NOT_JUDGED]
    for why, rows in unknown.groupby("reasons", sort=False):
        text = f"Applicability of {len(rows)} patient(s) is not judged: {why}."
        notes.append(Note(NoteKind.APPLICABILITY, text))
    if not len(known):
        return [], notes
    kept = read_applicability(run)
    n = kept.calibration.n if kept is not None and kept.calibration is not None else 0
    found = list(_shares(known, n, Scope(task=task), level))
    if sites is not None:
        site = known["patient_id"].astype(str).map(sites)
        for one in sorted(site.dropna().unique()):
            here = known[(site == one).to_numpy(bool)]
            found += _shares(here, 0, Scope(task=task, subgroup=f"Site: {one}"), level)
    return found, notes


def _shares(known: pd.DataFrame, n: int, where: Scope, level: float) -> Iterator[Metric]:
    for verdict in VERDICTS:
        k = int((known["verdict"] == verdict).sum())
        name = SHARE.format(verdict=verdict)
        one = proportion(k, len(known), name=name, unit="patient", level=level)
        if verdict == OUTSIDE and n:
            p = lower_coverage_p(len(known) - k, len(known), n, ALPHA_OUTSIDE)
            one = one.replace(p_value=p)
        yield Metric(one, where)


def words_of_shares() -> dict[str, str]:
    """Return what a reader is shown in place of the names of the shares."""
    return {
        SHARE.format(verdict=verdict): f"{words} the patients of training, share"
        for verdict, words in (
            (INSIDE, "Inside"), (BORDERLINE, "At the edge of"), (OUTSIDE, "Outside"),
        )
    }  # fmt: skip


def applicability_table(metrics: list[Metric]) -> pd.DataFrame:
    """Return the shares as the page shows them: a row for all and for each site."""
    lines: dict[str, dict[str, Any]] = {}
    for metric in metrics:
        who = (metric.scope.subgroup or "all").removeprefix("Site: ")
        line = lines.setdefault(who, {"Patients": who, "n": metric.estimate.n})
        verdict = metric.estimate.name.removesuffix("_share")
        line[VERDICTS[verdict]] = shown(metric.estimate)
        if verdict == OUTSIDE:
            line["p, more outside than chance"] = p_value(metric.estimate.p_value)
    return pd.DataFrame(list(lines.values()))
