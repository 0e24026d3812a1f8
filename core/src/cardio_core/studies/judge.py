"""Judge predictions of any tool: the page that a run gets, from a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cardio_core import hookspecs
from cardio_core.config import EvaluateBlock
from cardio_core.errors import ConfigError, DataError
from cardio_core.evaluation.default import default_evaluate
from cardio_core.evaluation.patients.subgroups import subgroup_metrics
from cardio_core.evaluation.patients.table_one import describe_columns
from cardio_core.evaluation.pooling import pooled
from cardio_core.io.atomic import replacing, write_json
from cardio_core.io.hashing import file_digest
from cardio_core.io.tables.typed import read_typed
from cardio_core.runner.judging.cases import file_in
from cardio_core.runner.judging.judge import Figure, draw_figure
from cardio_core.runner.manifest import Manifest, git_commit, now, packages
from cardio_core.stats import calibration_metrics
from cardio_core.studies.given import PROTOCOL, Given, Question, read_given
from cardio_core.studies.guessing import PATIENTS, guessed
from cardio_core.types.predictions import Scored
from cardio_core.types.report import EvaluationReport, Metric, Scope

MOST_RESAMPLED = 20_000_000
"""Rows times resamples: beyond it fewer resamples are drawn, and the page says how many."""
FEWEST_RESAMPLES = 200
_OF_PROBABILITIES = ("calibration-", "decision-curve-")


def judge_predictions(
    path: Path,
    asked: Question,
    out: Path,
    *,
    cohort: Path | None = None,
    level: float = 0.95,
    seed: int = 0,
    command: Sequence[str] = (),
) -> tuple[Path, Given]:
    """Write a directory with metrics, tables, figures and the page of a table of predictions.

    Parameters
    ----------
    path : Path
        CSV or Parquet.
    asked : Question
    out : Path
        A new or empty folder, or one that this wrote from the same table.
    cohort : Path, optional
        Table with the patients' column, of which Table 1 is made.
    level : float
        Of the intervals.
    seed : int
        Of every resampling.
    command : sequence of str
        As typed, for the page.

    Returns
    -------
    Path
        Of ``report.html``.
    Given
        What was read, and what was taken for granted.

    Raises
    ------
    ConfigError
        The folder holds something else.
    DataError
        The table cannot be judged.
    """
    from cardio_core.report.build import build_report

    given = read_given(path, asked)
    _guard(out, path)
    n_rows = sum(map(len, given.scored.frames.values()))
    resamples = max(FEWEST_RESAMPLES, min(2000, MOST_RESAMPLED // max(1, n_rows)))
    config = EvaluateBlock(level=level, n_resamples=resamples)
    report = _evaluated(given, config, seed)
    within, small = subgroup_metrics(given.scored, given.task, given.groups, config, seed=seed)
    notes = [*given.assumed, *report.notes, *small, *_left_out(given), *_undivided(given)]
    if resamples < 2000:
        notes.append(f"Bootstrap intervals are of {resamples} resamples: the table is long.")
    out.mkdir(parents=True, exist_ok=True)
    manifest = Manifest(out / "manifest.json", {})
    manifest.update(**_about(given, path, asked, out, seed, command))
    rows = [metric.to_dict() | {"protocol": PROTOCOL} for metric in (*report.metrics, *within)]
    write_json(out / "metrics.json", rows)
    for name, table in report.tables.items():
        with replacing(file_in(out / "tables", name, "csv")) as temporary:
            table.to_csv(temporary, index=False, float_format="%.6g")
    notes += filter(None, (
        draw_figure(Figure(name, draw, file_in(out / "figures", name, "svg")))
        for name, draw in report.figures.items()
    ))  # fmt: skip
    table_one = _table_one(given, cohort, asked)
    if table_one is not None:
        (out / "tables").mkdir(exist_ok=True)
        with replacing(out / "tables" / "table1.csv") as temporary:
            table_one.frame.to_csv(temporary, index=False)
        about = {"title": table_one.title, "notes": list(table_one.notes)}
        manifest.update(table1=about)
    manifest.update(status="done", finished=now(), notes=list(dict.fromkeys(notes)))
    page = build_report(out)
    manifest.add_outputs(out)
    return page, given


def _guard(out: Path, path: Path) -> None:
    if not out.exists() or not any(out.iterdir()):
        return
    if (out / "manifest.json").is_file():
        content = Manifest.open(out).content
        if content.get("kind") == "judged" and content["data"].get("digest") == file_digest(path):
            return
    raise ConfigError(f"--out {out}: holds something else; name a new folder")


def _evaluated(given: Given, config: EvaluateBlock, seed: int) -> EvaluationReport:
    """Evaluate as a run is; what needs probabilities only for scores that are some."""
    task, scored = given.task, given.scored
    report = default_evaluate(scored, task, config, seed=seed)
    figures, metrics = dict(report.figures), list(report.metrics)
    if len(given.probabilities) < len(task.models):
        metrics = [
            one for one in metrics
            if one.estimate.name != "brier" or one.scope.model in given.probabilities
        ]  # fmt: skip
        figures = {
            name: draw for name, draw in figures.items() if not name.startswith(_OF_PROBABILITIES)
        }
        if given.probabilities:
            [(name, frame)] = scored.frames.items()
            fit = frame[frame["model"].isin(given.probabilities)].reset_index(drop=True)
            among = replace(
                task, models=tuple(m for m in task.models if m.name in given.probabilities),
                primary=task.primary if task.primary in given.probabilities else "",
            )  # fmt: skip
            own = default_evaluate(Scored({name: fit}, scored.thresholds), among, config, seed=seed)
            figures |= {
                name: draw for name, draw in own.figures.items()
                if name.startswith(_OF_PROBABILITIES)
            }  # fmt: skip
    calibrated, notes = _calibrated(given, config, seed)
    return replace(
        report, metrics=[*metrics, *calibrated], figures=figures, notes=[*report.notes, *notes]
    )


def _calibrated(given: Given, config: EvaluateBlock, seed: int) -> tuple[list[Metric], list[str]]:
    """Return calibration in the large, slope and error of every score that is a probability."""
    [(name, frame)] = given.scored.frames.items()
    [target] = given.task.targets
    metrics: list[Metric] = []
    notes: list[str] = []
    for model in given.probabilities:
        rows = pooled(frame, target, model)
        clusters = Scored.clusters_of(rows)
        found = calibration_metrics(
            (rows["y_true"] == target.classes[1]).to_numpy(int),
            rows[f"score:{target.classes[1]}"].to_numpy(float),
            clusters=clusters, n_resamples=config.n_resamples, seed=seed, level=config.level,
            unit="patient" if clusters is None else None,
        )  # fmt: skip
        place = Scope(task=given.task.name, target=name, model=model)
        metrics += [Metric(one, place) for one in found.estimates if one.name != "brier"]
        notes += [f"{model}: {metric}: {why}." for metric, why in found.refused.items()]
    return metrics, notes


def _left_out(given: Given) -> list[str]:
    if not given.lacking:
        return ["No value is missing among outcome, scores and patients."]
    counts = ", ".join(f"{name} in {count}" for name, count in given.lacking.items())
    return [f"Of {given.n_rows} rows these lack a value and were left out there: {counts}."]


def _undivided(given: Given) -> list[str]:
    many = [str(n) for n in given.groups.columns if given.groups[n].nunique() > 5]
    return [f"{', '.join(many)}: more than 5 values, so no groups were formed."] if many else []


def _table_one(given: Given, cohort: Path | None, asked: Question) -> Any:
    """Return Table 1 of the judged patients, None where nothing describes them."""
    [(_, frame)] = given.scored.frames.items()
    [target] = given.task.targets
    patients = list(dict.fromkeys(frame["patient_id"]))
    labels = frame.groupby("patient_id")["y_true"].agg(lambda one: one.iloc[0])
    table = given.groups
    if cohort is not None:
        read = read_typed(cohort).table
        named = asked.patient if asked.patient in read.columns else guessed(PATIENTS, read)
        if named is None:
            raise DataError(
                f"--cohort {cohort.name}: no column names the patients; expected "
                f"{asked.patient or 'patient_id'}"
            )
        keys = read[named].map(lambda v: f"{v:g}" if isinstance(v, int | float) else str(v))
        known = read.drop(columns=[named]).groupby(keys.to_numpy(), sort=False).first()
        missing = [one for one in patients if one not in known.index]
        if len(missing) == len(patients):
            raise DataError(
                f"--cohort {cohort.name}: none of the {len(patients)} judged patients is in it; "
                f"do {named} and the patients of the predictions speak of the same people?"
            )
        table = known.join(given.groups[[c for c in given.groups if c not in known.columns]])
    described = table.reindex(patients)
    if described.empty or not len(described.columns):
        return None
    try:
        made = describe_columns(described, labels, target)
    except DataError:
        return None
    if frame[frame["model"] == frame["model"].iloc[0]]["patient_id"].duplicated().any():
        first = "A patient with several rows is described by the first."
        return replace(made, notes=(*made.notes, first))
    return made


def _about(
    given: Given, path: Path, asked: Question, out: Path, seed: int, command: Sequence[str]
) -> dict[str, Any]:
    [(_, frame)] = given.scored.frames.items()
    [target] = given.task.targets
    names = [model.name for model in given.task.models]
    return {
        "status": "running",
        "kind": "judged",
        "name": out.name,
        "command": list(command),
        "core_version": packages().get("cardio-core"),
        "api": list(hookspecs.API_VERSION),
        "task": given.task.name,
        "task_title": given.task.title,
        "papers": [],
        "protocols": [PROTOCOL],
        "models": names,
        "model_titles": {name: name for name in names},
        "baselines": [],
        "primary": asked.primary,
        "targets": [vars(target)],
        "outcome_column": target.name,
        "outcome": " ".join(
            line for line in given.assumed if line.startswith("Outcome: ")
        ).removeprefix("Outcome: "),
        "words": {},
        "seed": seed,
        "packages": packages(),
        "git_commit": git_commit(Path(__file__).parent),
        "data": {
            "source": "given",
            "path_shown": path.name,
            "digest": file_digest(path),
            "n_patients": int(frame["patient_id"].nunique()),
        },
        "started": now(),
        "stages": {},
        "needs": [],
        "said": [],
    }
