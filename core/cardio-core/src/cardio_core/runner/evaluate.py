"""Writing explained cases: a picture, maps, a video, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardio_core.compute.executors import Executor
from cardio_core.context import Context
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.clinical_model import by_patient
from cardio_core.evaluation.conformal import CONFORMAL, Conformal
from cardio_core.evaluation.decision import Decision
from cardio_core.evaluation.parts import noting
from cardio_core.fold_assignment import SplitPlan
from cardio_core.io.run_artifact import RunManifest
from cardio_core.io.store import load_table
from cardio_core.runner.fits import (
    CHOSEN,
    FoldJob,
    open_artifact,
    open_decisions,
    read_predictions,
)
from cardio_core.runner.fused_models import weights_of
from cardio_core.runner.hook_calls import call
from cardio_core.runner.patients import (
    Truth,
    clinical_table,
    labels_of,
    named_classes,
    patient_labels,
)
from cardio_core.runner.protocols import ProtocolData, Session
from cardio_core.runner.setup import opened
from cardio_core.runner.train import original
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Note, NoteKind
from cardio_core.types.predictions import Predictions, Scored
from cardio_core.types.report import Case, EvaluationReport, Explanation
from cardio_stats.cells import write_table
from cardio_stats.errors import DataError
from cardio_stats.files import SafeName, file_in, inside, replacing, write_json

if TYPE_CHECKING:
    from cardio_core.evaluation.conformal import Calibrated
    from cardio_core.evaluation.shortcuts import Shortcut

FOLDER = "explanations"
Draw = Callable[[Any], None]


def write_case(out: Path, stem: str, case: Case, protocol: str) -> dict[str, Any]:
    """Write one case into ``out/explanations`` and return what its JSON says.

    Files are called `stem` as far as it is safe: see `SafeName`.
    """
    about: dict[str, Any] = {
        "sample_id": case.sample_id,
        "title": case.title,
        "caption": case.caption,
        "group": case.group,
        "model": case.model,
        "fold": case.fold,
        "protocol": protocol,
        "scores": dict(case.scores),
    }
    if case.draw is not None:
        from cardio_stats.figures import save_svg

        picture = file_in(out, FOLDER, SafeName(stem, ".svg"))
        save_svg(case.draw, picture, title=case.title, description=case.caption)
        about["figure"] = f"{FOLDER}/{picture.name}"
    if case.video is not None:
        video = file_in(out, FOLDER, SafeName(stem, ".webm"))
        with replacing(video) as temporary:
            temporary.write_bytes(case.video())
        about["video"] = f"{FOLDER}/{video.name}"
    if case.arrays:
        arrays = file_in(out, FOLDER, SafeName(stem, ".npz"))
        with replacing(arrays) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **dict(case.arrays))  # type: ignore[arg-type]
    write_json(file_in(out, FOLDER, SafeName(stem, ".json")), about)
    return about


# Out-of-fold predictions brought together, beside the truth.

CSV_COLUMNS = (
    "protocol", "sample_id", "recording_id", "study_id", "patient_id", "level", "time_s", "repeat",
    "fold", "model", "target", "event", "y_true", "predicted", "score",
)  # fmt: skip


def collect(jobs: Sequence[FoldJob], plan: SplitPlan, truth: Truth, task: Task) -> Scored:
    """Gather the test predictions of one protocol's jobs.

    Events that no sample matched are added once for every model that was tested on their patient,
    with `predicted` NA, so that they count as missed. Where samples rather than patients were
    split, missed events belong to no fold and are named in a note instead.
    """
    frames = {}
    notes: list[Note] = []
    if plan.overlap:
        notes.append(Note(NoteKind.DECLARED_OVERLAP, f"Declared overlap: {plan.overlap}"))
    for target in task.targets:
        parts = []
        for job in jobs:
            if target not in job.ctx.targets:
                continue
            frame = read_predictions(job.out, target).reset_index(drop=True)
            decision = open_decisions(job.out, (target,)).get(target.name)
            repeat = int(str(job.ctx.fold).partition("-")[0].removeprefix("r"))
            about = {"repeat": repeat, "fold": job.ctx.fold, "model": job.ctx.model}
            parts.append(scored_rows(frame, decision, target, truth, **about))
            if plan.unit == "patient":
                tested = job.features.table.iloc[job.test]
                parts.append(missed_rows(tested, target, truth, **about))
        if any(map(len, parts)):
            frames[target.name] = pd.concat(
                [part for part in parts if len(part)], ignore_index=True
            )
    if len(truth.missed) and plan.unit == "sample":
        text = (
            f"{len(truth.missed)} events were not found; under a split of samples they belong to "
            "no fold and are not counted"
        )
        notes.append(Note(NoteKind.SPLIT, text))
    sources = {
        f"{job.ctx.model}/{name}": decision.source
        for job in jobs
        for name, decision in open_decisions(job.out, task.targets).items()
    }
    notes += _notes_of_fits(jobs)
    fusions = [weights_of(job) for job in jobs if job.members]
    return Scored(
        frames,
        sources,
        _columns(jobs),
        tuple(notes),
        pd.concat(fusions, ignore_index=True) if fusions else None,
    )


def _notes_of_fits(jobs: Sequence[FoldJob]) -> list[Note]:
    """Return what the fits noted; what all folds of a model say alike is said once."""
    folds: dict[Note, list[str]] = {}
    for job in jobs:
        for note in CHOSEN.read(job.out / "chosen.json").notes:
            own = replace(note, model=str(job.ctx.model))
            folds.setdefault(own, []).append(str(job.ctx.fold))
    n_folds = len({job.ctx.fold for job in jobs})
    return [
        replace(note, where="every fold" if len(names) == n_folds > 1 else ", ".join(names))
        for note, names in folds.items()
    ]


def write_csv(path: Path, scored: dict[str, Scored], task: Task) -> None:
    """Write predictions.csv: all protocols, in the order of the folds.

    One row a unit, of several classes one a unit and class.
    """
    parts = []
    for protocol, value in scored.items():
        for target in task.targets:
            if target.name not in value.frames:
                continue
            frame = value.frames[target.name]
            columns = score_columns(target)
            # Of two classes the first has what the second leaves of 1.
            for column in columns[1:] if target.kind == "binary" else columns:
                part = frame.assign(
                    protocol=protocol, target=target.name, event=column.partition(":")[2],
                    score=frame[column],
                )  # fmt: skip
                parts.append(part.reindex(columns=list(CSV_COLUMNS)))
    # All digits: scores of a network may differ in their last ones alone, and the AUC is of them.
    write_table(pd.concat(parts), path)


def scored_rows(
    frame: pd.DataFrame, decision: Decision | None, target: Target, truth: Truth, **about: Any
) -> pd.DataFrame:
    """Return a prediction frame with the truth, what was decided, repeat, fold and model."""
    predicted = decision.apply(frame, target) if decision else frame["score"].to_numpy()
    y_true = labels_of(frame, target, truth.targets)
    return frame.assign(y_true=y_true, predicted=predicted, **about)


def missed_rows(samples: pd.DataFrame, target: Target, truth: Truth, **about: Any) -> pd.DataFrame:
    """Return the true events that no sample matches: they have a class, and no score."""
    if not len(truth.missed):
        return pd.DataFrame()
    ids = ["recording_id", "study_id", "patient_id", "subject_id"]
    here = truth.missed.merge(samples.drop_duplicates("recording_id")[ids], on="recording_id")
    missed: pd.DataFrame = here[[*ids, "time_s"]].assign(
        level="event", y_true=named_classes(here[target.name].to_numpy(), target),
        predicted=None, unit_id=None, sample_id=None, **about,
        **dict.fromkeys(score_columns(target), np.nan),
    )  # fmt: skip
    return missed


def _columns(jobs: Sequence[FoldJob]) -> pd.DataFrame | None:
    parts = [
        load_table(job.out / "columns.npz").assign(model=job.ctx.model, fold=job.ctx.fold)
        for job in jobs
        if (job.out / "columns.npz").exists()
    ]
    return pd.concat(parts).reset_index(names="unit_id") if parts else None


# Every fold's model explains some of its own test samples, in whichever process.


@dataclass(frozen=True)
class Explained:
    """What one fold explained, with the numbers of its pictures that were drawn and that were not.

    Its cases draw nothing any more: what they hold may not travel.
    """

    explanation: Explanation
    n_drawn: int = 0
    n_not_drawn: int = 0


def explain_all(
    session: Session, jobs: Sequence[FoldJob], notes: list[Note], *, draws: bool
) -> tuple[Explanation, int, int]:
    """Explain every fold and write its cases; why a fold or a case is missing goes to `notes`.

    Without `all_figures` the primary model alone draws, and after its first fold nobody where that
    has as many cases as the page shows open; where the model has none, the others draw theirs. With
    neither that nor `draws` nobody does. Returns how many pictures were drawn and were not, too.
    """
    from cardio_core.report.page import MAX_CASES_SHOWN as most  # noqa: N811

    # What the core owns nothing of a plugin explains.
    own = [job for job in jobs if not job.core_owned]
    models = [str(job.ctx.model) for job in own]
    leads = session.setup.primary if session.setup.primary in models else next(iter(models), "")
    first = [n for n, model in enumerate(models) if model == leads]
    rest = [n for n, model in enumerate(models) if model != leads]
    found: dict[int, Explained] = {}
    every = [(list(range(len(own))), 0)]
    parts = every if session.all_figures else [(first[:1], 1), (first[1:], most), (rest, 1)]
    for places, enough in [part for part in parts if part[0]]:
        n_drawn = sum(item.n_drawn for item in found.values())
        own_draw = session.all_figures or (draws and n_drawn < enough)
        explained = session.executor.map(
            partial(explain_fold, out=session.out, draws=own_draw),
            [own[n] for n in places],
            devices=session.setup.devices,
        )
        found |= dict(zip(places, explained, strict=True))
    in_order = [found[n] for n in sorted(found)]
    for entry in in_order:
        notes += entry.explanation.notes
    cases = [case for item in in_order for case in item.explanation.cases]
    rule = next((item.explanation.rule for item in in_order if item.explanation.rule), "")
    n_not_drawn = sum(item.n_not_drawn for item in in_order)
    return Explanation(cases, rule), sum(item.n_drawn for item in in_order), n_not_drawn


def explain_fold(fit: FoldJob, device: Any, *, out: Path, draws: bool) -> Explained:
    """Let one fold's model explain its test samples, and write every case that it gives.

    Their pictures are left out unless it `draws`.
    """
    notes = list[Note]()
    model, fold, protocol = str(fit.ctx.model), str(fit.ctx.fold), str(fit.protocol)
    part = Explanation()
    with noting(notes, f"No explanation of {model}, {fold}:", strict=fit.ctx.strict):
        part = _explain(fit, device)
    cases = [replace(case, model=model, fold=fold) for case in part.cases]
    for case in cases:
        with noting(notes, f"An explained case of {model} is left out:"):
            shown = case if draws else replace(case, draw=None)
            write_case(out, f"{protocol}-{fold}-{model}-{case.sample_id}", shown, protocol)
    n = sum(case.draw is not None for case in cases)
    # What draws and films may hold anything; what is drawn need not travel.
    written = tuple(replace(case, draw=None, video=None) for case in cases)
    made = Explanation(written, part.rule, (*notes, *part.notes))
    return Explained(made, n if draws else 0, 0 if draws else n)


def _explain(job: FoldJob, device: Any) -> Explanation:
    """Hand the fold's model its own test samples and what it predicted for them."""
    view = job.features.view(original(job.features.table, job.test))
    predictions = predictions_of(
        [(target, read_predictions(job.out, target)) for target in job.ctx.targets]
    )
    if not predictions.ids:
        return Explanation()
    explanation: Explanation = call(
        opened(job.plugin),
        "explain",
        job.ctx.replace(device=device),
        job.config,
        model=open_artifact(job.out),
        features=view,
        predictions=predictions,
    )
    return explanation


def predictions_of(frames: Sequence[tuple[Target, pd.DataFrame]]) -> Predictions:
    """Return a model's prediction frames as `explain` is given them: one table for all targets.

    Of every unit that has a score, at the frames' level; NaN where a target has none, because a
    partial model may score some of a unit's targets.
    """
    ids = tuple(dict.fromkeys(unit for _, frame in frames for unit in frame["unit_id"]))
    levels = [str(level) for _, frame in frames for level in frame["level"]]
    scores = {}
    for target, frame in frames:
        found = frame.set_index("unit_id")[score_columns(target)].reindex(list(ids))
        values = found.to_numpy(float)
        place = {"binary": 1, "continuous": 0}.get(target.kind)
        scores[target.name] = values if place is None else values[:, place]
    return Predictions(ids, scores, levels[0] if levels else "sample")  # type: ignore[arg-type]


# Explain, evaluate, and write down what came of it.


@dataclass(frozen=True)
class Judged:
    """One protocol, judged; of its explained cases some pictures are drawn, others are not."""

    report: EvaluationReport
    explanation: Explanation
    calibrated: Calibrated
    n_drawn: int = 0
    n_not_drawn: int = 0

    def rows(self, protocol: str) -> list[dict[str, Any]]:
        """Return the entries of metrics.json."""
        metrics = [*self.report.metrics, *self.calibrated.metrics]
        return [metric.to_dict() | {"protocol": protocol} for metric in metrics]


def judge(
    session: Session, data: ProtocolData, jobs: Sequence[FoldJob], scored: Scored, *, draws: bool
) -> Judged:
    """Explain every fold's model on its own test samples, then evaluate the protocol.

    Whether it `draws` the cases that the page shows open: where no other protocol has.

    Prediction sets and intervals are calibrated under the honest protocol only, whose models
    `models/final` are. What the data do not allow is a note and not the end: of an explanation, the
    cases of that fold are missing; of the plugin's own evaluation, the default one stands instead.
    """
    from cardio_core.evaluation.conformal import Calibrated, calibrate
    from cardio_core.evaluation.default import default_evaluate
    from cardio_core.evaluation.patients import subgroup_metrics
    from cardio_core.evaluation.shortcuts import notes_on, table_of

    plugin, config = session.setup.plugin, data.config
    # The primary model may be the user's, declared for this run.
    task = replace(session.ctx.task, primary=session.setup.primary)
    ctx = session.ctx.replace(protocol=data.protocol, task=task)
    notes: list[Note] = []
    explanation, n_drawn, n_not_drawn = Explanation(), 0, 0
    if plugin.implements("explain", ctx.task):
        explanation, n_drawn, n_not_drawn = explain_all(session, jobs, notes, draws=draws)
    report = None
    missing = f"Only what the core reports by itself is here, not what {plugin.info.name} adds:"
    with noting(notes, missing, strict=ctx.strict):
        if scored.frames:
            report = call(
                plugin,
                "evaluate",
                ctx,
                config,
                predictions=scored,
                targets=data.prepared.cohort.targets,
                cohort=data.prepared.cohort,
                explanation=explanation,
            )
    if report is None:
        report = default_evaluate(scored, ctx.task, config.evaluate, seed=ctx.seed)
    calibrated = Calibrated({})
    if ctx.protocol == "honest":
        calibrated = calibrate(
            scored,
            ctx.task,
            config.evaluate,
            overlap=jobs[0].overlap if jobs else None,
            seed=ctx.seed,
        )
    if config.covariates:
        patients = by_patient(clinical_table(data.prepared.cohort), config.covariates)
        within, small = subgroup_metrics(scored, ctx.task, patients, config.evaluate, seed=ctx.seed)
        report = replace(report, metrics=[*report.metrics, *within])
        notes += small
    tables = dict(report.tables)
    if ctx.protocol == "honest":
        found = shortcuts_of(data, ctx)
        notes += notes_on(found)
        if found:
            tables["shortcuts"] = table_of(found)
    report = replace(report, tables=tables, notes=[*report.notes, *notes])
    return Judged(report, explanation, calibrated, n_drawn, n_not_drawn)


def shortcuts_of(data: ProtocolData, ctx: Context) -> list[Shortcut]:
    """Return how well what is no physiology tells each outcome, on the folds of a protocol.

    Nothing where the units of a patient have outcomes of different kinds (beats, views).
    """
    prepared, samples = data.prepared, data.prepared.features.table
    patients = samples["patient_id"].astype(str).to_numpy()
    folds = [(frozenset(patients[fold.train]), frozenset(patients[fold.test]))
             for fold in data.plan.folds]  # fmt: skip
    from cardio_core.evaluation.shortcuts import find_shortcuts, properties_of

    found: list[Shortcut] = []
    properties = None
    for target in ctx.task.targets:
        labels = patient_labels(prepared.cohort, samples, data.truth.targets, target)
        if labels is None:
            continue
        if properties is None:
            properties = properties_of(prepared.cohort, prepared.acquired)
        found += find_shortcuts(properties, labels, target, folds, data.config.evaluate.level)
    return found


def write_tables(out: Path, tables: Mapping[str, pd.DataFrame], prefix: str = "") -> None:
    """Write tables as CSV into ``out/tables``."""
    for name, table in tables.items():
        path = file_in(out, "tables", SafeName(f"{prefix}{name}", ".csv"))
        index = not isinstance(table.index, pd.RangeIndex)
        write_table(table, path, index=index, digits="%.6g")


def shown_entries(report: EvaluationReport, protocol: str = "") -> dict[str, dict[str, Any]]:
    """Return what the manifest says of a report's tables and figures, by file."""
    prefix = f"{protocol}-" if protocol else ""
    return {
        f"{folder}/{SafeName(f'{prefix}{name}', suffix)}": {
            "name": name, "protocol": protocol, "published": name in report.published,
        }
        for folder, names, suffix in (
            ("tables", report.tables, ".csv"), ("figures", report.figures, ".svg"),
        )
        for name in names
    }  # fmt: skip


def write_figures(
    out: Path,
    figures: Mapping[str, Draw],
    prefix: str = "",
    spread: Callable[..., Iterable[list[Note]]] = map,
) -> list[Note]:
    """Draw figures into ``out/figures``; return a note for each that is left out.

    `spread` is ``map``, or that of an executor.
    """
    jobs = [
        (name, draw, file_in(out, "figures", SafeName(f"{prefix}{name}", ".svg")))
        for name, draw in figures.items()
    ]
    return [note for left_out in spread(draw_figure, jobs) for note in left_out]


def draw_figure(job: tuple[str, Draw, Path]) -> list[Note]:
    """Draw one figure (its name, what draws it, its file); return a note where it is left out."""
    from cardio_stats.figures import save_svg

    name, draw, path = job
    notes: list[Note] = []
    with noting(notes, f"Figure {name} is left out:"):
        save_svg(draw, path)
    return notes


def shown_first(judged: Mapping[str, Judged], manifest: RunManifest) -> dict[str, dict[str, Draw]]:
    """Return by protocol the figures that the page of a run shows open."""
    from cardio_core.report.page import main_figures
    from cardio_core.report.run_figures import Picture

    there = [
        Picture("", protocol, f"{protocol}-{name}.svg", None, name=name)
        for protocol, item in judged.items() for name in item.report.figures
    ]  # fmt: skip
    found: dict[str, dict[str, Draw]] = {protocol: {} for protocol in judged}
    for picture in main_figures(sorted(there, key=lambda item: item.file), manifest):
        draw = judged[picture.protocol].report.figures[picture.name]
        found[picture.protocol][picture.name] = draw
    return found


def write_judged(
    out: Path, protocol: str, judged: Judged, figures: Mapping[str, Draw], executor: Executor
) -> list[Note]:
    """Write tables and some figures of one protocol, whose cases are written; return notes."""
    notes: list[Note] = [*judged.report.notes, *judged.calibrated.notes]
    if judged.explanation.rule:
        notes.append(Note(NoteKind.EXPLAINED_CASES, f"Explained cases: {judged.explanation.rule}"))
    notes += judged.explanation.notes
    for (model, target), rule in judged.calibrated.rules.items():
        CONFORMAL.write(inside(out, rule_path(out, model, target)), rule)
    write_tables(out, judged.report.tables, f"{protocol}-")
    return [*notes, *write_figures(out, figures, f"{protocol}-", executor.map)]


def rule_path(run: Path, model: str, target: str) -> Path:
    """Return where the conformal rule of one model and target lies in a run directory."""
    return run / "conformal" / SafeName(f"{model}-{target}", ".json")


def open_rule(run: Path, model: str, target: str) -> Conformal | None:
    """Return the conformal rule of one model and target, None where a run has none."""
    found: Conformal | None = CONFORMAL.read_or(rule_path(run, model, target), None)
    return found


# Table 1 of a run, written once: it is of the patients, not of a protocol.

NAME = "table1"


def write_table_one(session: Session, data: ProtocolData) -> None:
    """Write ``tables/table1.csv`` where the cohort has a clinical table; say where it cannot be.

    Those are described whose outcome is known and whose recordings can be used. Title and the
    sentences below the table go to the manifest, as `table1`.
    """
    from cardio_core.evaluation.patients import describe_patients

    table = clinical_table(data.prepared.cohort)
    target = session.setup.task.targets[0]
    samples = data.prepared.features.table
    labels = patient_labels(data.prepared.cohort, samples, data.truth.targets, target)
    patients = list(dict.fromkeys(samples["patient_id"].astype(str)))
    if labels is not None:
        patients = [patient for patient in patients if patient in labels.index]
    try:
        made = describe_patients(
            table, patients, labels, target, covariates=session.setup.config.covariates
        )
    except DataError as error:
        if data.prepared.cohort.table is not None:
            session.note([Note(NoteKind.NOT_COMPUTED, f"Table 1 is left out: {error}")])
        return
    folder = session.out / "tables"
    folder.mkdir(exist_ok=True)
    write_table(made.frame, folder / f"{NAME}.csv")
    about = made.about
    if samples.groupby("patient_id")["study_id"].nunique().max() > 1:
        about["notes"].append("A patient with several studies is described by the first.")
    session.manifest.update(table1=about)
