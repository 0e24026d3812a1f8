"""A judged directory: its files, its manifest, its page."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.config import EvaluateBlock
from cardio_core.errors import ConfigError
from cardio_core.evaluation.patients.subgroups import subgroup_metrics
from cardio_core.evaluation.patients.table_one import TableOne
from cardio_core.io.atomic import file_in, replacing, write_json
from cardio_core.io.run_artifact import RunKind
from cardio_core.io.tables.formula import write_table
from cardio_core.runner.judging.judge import Figure, draw_figure
from cardio_core.runner.manifest import Manifest, first_entries, now
from cardio_core.studies.evaluating import evaluated
from cardio_core.studies.given import Given
from cardio_core.types.estimate import Estimate
from cardio_core.types.file_names import SafeName
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.report import EvaluationReport, Metric

MOST_RESAMPLED = 20_000_000
"""Rows times resamples: beyond it fewer resamples are drawn, and the page says how many."""
RESAMPLES, FEWEST_RESAMPLES = 2000, 200


def settings(given: Given, level: float) -> EvaluateBlock:
    """Return the settings of an evaluation that ends in seconds, however long the table."""
    n_rows = sum(map(len, given.scored.frames.values()))
    resamples = max(FEWEST_RESAMPLES, min(RESAMPLES, MOST_RESAMPLED // max(1, n_rows)))
    return EvaluateBlock(level=level, n_resamples=resamples)


def guard(out: Path, digest: str) -> None:
    """Refuse a folder that holds anything but an earlier page of the same predictions.

    Raises
    ------
    ConfigError
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "is a file" if out.is_file() else f"cannot be made ({error.strerror})"
        raise ConfigError(f"--out {out}: {why}; name a folder") from None
    if not os.access(out, os.W_OK):
        raise ConfigError(f"--out {out}: nothing may be written there; name another folder")
    if not any(out.iterdir()):
        return
    if (out / "manifest.json").is_file():
        content = Manifest.open(out, complete=False).content
        if content.get("kind") == RunKind.JUDGED and content["data"].get("digest") == digest:
            return
    raise ConfigError(f"--out {out}: holds something else; name a new folder")


def write_page(
    given: Given,
    out: Path,
    about: Mapping[str, Any],
    *,
    config: EvaluateBlock,
    seed: int,
    table_one: TableOne | None = None,
    more: EvaluationReport | None = None,
    notes: Sequence[Note] = (),
    adjusted: Mapping[tuple[str, str], Estimate] | None = None,
) -> Path:
    """Evaluate predictions and write everything that the page is made of, and the page.

    Parameters
    ----------
    given : Given
    out : Path
    about : mapping
        Entries of the manifest.
    config : EvaluateBlock
    seed : int
    table_one : TableOne, optional
    more : EvaluationReport, optional
        Metrics, tables and notes beyond those of every judged table.
    notes : sequence of Note
        What the reader has to know.
    adjusted : mapping of (model, other model) to Estimate, optional
        What takes the place of the paired difference of two areas.

    Returns
    -------
    Path
        Of ``report.html``.
    """
    report = evaluated(given, config, seed)
    within, small = subgroup_metrics(
        given.scored, given.task, given.groups, config, seed=seed, most=given.may_divide
    )
    said = [*Note.each(NoteKind.TABLE, given.assumed), *notes, *report.notes, *small]
    tables = dict(report.tables)
    metrics = [_exchanged(one, adjusted or {}) for one in report.metrics]
    if more is not None:
        metrics, tables = [*metrics, *more.metrics], tables | dict(more.tables)
        said += more.notes
    if config.n_resamples < RESAMPLES:
        text = f"Bootstrap intervals are of {config.n_resamples} resamples: many rows."
        said.append(Note(NoteKind.TABLE, text))
    rows = [metric.to_dict() for metric in (*metrics, *within)]  # under no protocol of ours
    return publish(out, about, rows, tables, report.figures, said, table_one)


def publish(
    out: Path,
    about: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame],
    figures: Mapping[str, Callable[[Any], None]],
    said: Sequence[Note],
    table_one: TableOne | None = None,
) -> Path:
    """Write manifest, metrics, tables, figures and the page of something that is no run.

    Parameters
    ----------
    out : Path
        Made where it is not there.
    about : mapping
        Entries of the manifest.
    rows : sequence of mapping
        Of metrics.json.
    tables, figures : mapping of str
        By the names of their files.
    said : sequence of Note
        The same one is kept once.
    table_one : TableOne, optional

    Returns
    -------
    Path
        Of ``report.html``.
    """
    from cardio_core.report.build import build_report

    out.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(out / "manifest.json", {})
    manifest.update(**about)
    write_json(out / "metrics.json", rows)
    notes, every = list(said), dict(tables)
    if table_one is not None:
        every["table1"] = table_one.frame
        manifest.update(table1={"title": table_one.title, "notes": list(table_one.notes)})
    for name, table in every.items():
        with replacing(file_in(out, "tables", SafeName(name, ".csv"))) as temporary:
            index = not isinstance(table.index, pd.RangeIndex)
            write_table(table, temporary, index=index, digits="%.6g")
    for name, draw in figures.items():
        notes += draw_figure(Figure(name, draw, file_in(out, "figures", SafeName(name, ".svg"))))
    kept = [note.to_dict() for note in dict.fromkeys(notes)]
    manifest.update(status="done", finished=now(), notes=kept)
    page = build_report(out)
    manifest.add_outputs(out)
    return page


def _exchanged(metric: Metric, adjusted: Mapping[tuple[str, str], Estimate]) -> Metric:
    place = str(metric.scope.model), str(metric.scope.versus)
    if metric.estimate.name != "auc_difference" or place not in adjusted:
        return metric
    return replace(metric, estimate=adjusted[place])


def manifest_of(
    given: Given,
    out: Path,
    *,
    shown: str,
    digest: str,
    primary: str | None,
    seed: int,
    command: Sequence[str],
) -> dict[str, Any]:
    """Return the first entries of the manifest of a judged directory."""
    [frame] = given.scored.frames.values()
    [target] = given.task.targets
    names = [model.name for model in given.task.models]
    return first_entries(
        RunKind.JUDGED, out.name, command,
        task=given.task.name, task_title=given.task.title, papers=[], protocols=[], models=names,
        model_titles={name: name for name in names}, baselines=[], primary=primary,
        targets=[vars(target)], outcome_column=target.name,
        outcome=given.outcome, words={}, seed=seed,
        data={
            "source": "given", "path_shown": shown, "digest": digest,
            "n_patients": int(pd.Series(frame["patient_id"]).nunique()),
        },
    )  # fmt: skip
