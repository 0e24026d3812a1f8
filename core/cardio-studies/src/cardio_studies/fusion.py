"""Fuse finished runs: from their names to a run of its own, with its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from cardio_core import runs
from cardio_core.api import EvaluateBlock, Metric, Model, Note, Scored, Task
from cardio_core.evaluation import calibrate, in_a_sentence, subgroup_metrics
from cardio_stats.errors import ConfigError
from cardio_stats.words import counted, listed
from cardio_studies.comparison import with_adjusted_p
from cardio_studies.fusion_members import (
    BOTH,
    CLINICAL,
    FUSION,
    GUIDELINE,
    MEAN,
    Folds,
    Joined,
    join,
    keep_members,
    open_members,
    place_of,
    shared_folds,
)
from cardio_studies.fusion_weights import (
    EVERYBODY,
    OTHERS,
    Clinical,
    Fitted,
    added_value,
    adjusted_pairs,
    by_pattern,
    fit,
    groups,
    read_clinical,
    who_has_what,
)
from cardio_studies.ingest import Given
from cardio_studies.judgement import evaluated

# A fusion as a run directory: predictions, splits, metrics, final weights, manifest, page.

PROTOCOL = "honest"


@dataclass(frozen=True)
class Made:
    """Everything that is written.

    Attributes
    ----------
    joined, folds, fitted, clinical, config, seed
        What was joined, how it was divided, fitted, held against what, and evaluated how.
    """

    joined: Joined
    folds: Folds
    fitted: Fitted
    clinical: Clinical | None
    config: EvaluateBlock
    seed: int

    @property
    def task(self) -> Task:
        """The fusion as a task: its models in the order of the page."""
        joined, here = self.joined, set(self.fitted.frame["model"])
        covariates = (
            [in_a_sentence(covariate) for covariate in self.clinical.covariates]
            if self.clinical
            else []
        )
        column = self.clinical.column if self.clinical else ""
        labels = joined.labels
        about = {
            FUSION: Model(FUSION, f"Fusion: {' + '.join(labels)}", fuses=tuple(labels)),
            BOTH: Model(BOTH, f"Fusion: {' + '.join([*labels, 'clinical variables'])}",
                        fuses=(*labels, CLINICAL)),
            MEAN: Model(MEAN, f"Unweighted mean: {' + '.join(labels)}"),
            **{member.label: Model(member.label, member.title, partial=True)
               for member in joined.members},
            CLINICAL: Model(CLINICAL, f"Clinical variables: {listed(covariates)}",
                            baseline=True, partial=True),
            GUIDELINE: Model(GUIDELINE, f"Guideline: {column}", baseline=True, partial=True,
                             rule=True),
        }  # fmt: skip
        title = f"{joined.target.outcome} from {listed(labels)}, fused"
        return Task(
            "fused", title[:1].upper() + title[1:], "patient", (joined.target,),
            tuple(model for name, model in about.items() if name in here), primary=FUSION,
        )  # fmt: skip


def write(
    writer: runs.RunWriter, made: Made, places: Sequence[Mapping[str, Any]], identity: str
) -> list[str]:
    """Evaluate a fusion, write its run directory, and return what the user is told.

    `places` are the members as the manifest keeps them, `identity` is of everything that the fusion
    is made of.
    """
    task, target, out = made.task, made.joined.target, writer.folder
    splits = {PROTOCOL: made.folds.to_dict()}
    writer.manifest.update(**_about(made, task, places, identity, splits))
    writer.json("splits.json", {"protocols": splits})
    writer.json("cohort.json", _cohort(made.joined))
    settings = {"evaluate": made.config.model_dump(), "members": [dict(place) for place in places]}
    writer.text("config.yaml", yaml.safe_dump(settings, sort_keys=False))
    scored = _scored(made, task)
    writer.predictions(PROTOCOL, scored, task)
    _write_models(runs.FinalModels(out), made)
    _publish(writer, made, task, scored)
    return _area_lines(out, task, target.name)


def _scored(made: Made, task: Task) -> Scored:
    target = made.joined.target
    sources = {}
    for model in task.models:
        source = "inner folds" if model.name in made.joined.labels else OTHERS
        source = "fixed: the rule itself" if model.rule else source
        sources[f"{model.name}/{target.name}"] = source
    return Scored(
        {target.name: made.fitted.frame},
        sources,
        None,
        Note.each(runs.NoteKind.FUSION, made.fitted.notes),
        made.fitted.weights,
    )


def _publish(writer: runs.RunWriter, made: Made, task: Task, scored: Scored) -> None:
    """Write conformal rules, metrics, tables, figures and the page."""
    joined, target, config = made.joined, made.joined.target, made.config
    frame = made.fitted.frame
    predictions = Given(
        task, scored, groups(joined),
        tuple(model.name for model in task.models if not model.rule), (), len(joined.patients), {},
    )  # fmt: skip
    report = evaluated(predictions, config, made.seed)
    pairs = adjusted_pairs(frame, target, seed=made.seed)
    metrics = [_with_adjusted(metric, pairs) for metric in report.metrics]
    titles = {model.name: model.title for model in task.models}
    more = added_value(frame, target, titles, config, made.seed)
    within, small = subgroup_metrics(scored, task, predictions.groups, config, seed=made.seed)
    own = frame[frame["model"].isin([FUSION, BOTH])]
    calibrated = calibrate(replace(scored, frames={target.name: own}), task, config, seed=made.seed)
    rows = [*metrics, *more.metrics, *within, *calibrated.metrics]
    runs.FinalModels(writer.folder).write_rules(calibrated.rules)
    tables: dict[str, pd.DataFrame] = {
        "modalities": who_has_what(joined),
        "modalities-by-pattern": by_pattern(joined, frame, config),
        **more.tables,
        **report.tables,
    }
    clinical = made.clinical.notes if made.clinical else ()
    sentences = [
        *Note.each(runs.NoteKind.FUSION, [*joined.notes, made.folds.sentence, *clinical]),
        *report.notes, *more.notes, *small, *calibrated.notes,
    ]  # fmt: skip
    writer.publish(
        [row.to_dict() | {"protocol": PROTOCOL} for row in rows], sentences,
        {name: table.reset_index(drop=True) for name, table in tables.items()}, report.figures,
        protocol=PROTOCOL,
    )  # fmt: skip


def _with_adjusted(metric: Metric, pairs: Mapping[tuple[str, str], float]) -> Metric:
    pair = str(metric.scope.model), str(metric.scope.versus)
    if metric.estimate.name != "auc_difference" or pair not in pairs:
        return metric
    return replace(metric, estimate=with_adjusted_p(metric.estimate, pairs[pair], len(pairs)))


def _write_models(finals: runs.FinalModels, made: Made) -> None:
    """Write the final weights and thresholds where those of a run lie."""
    everybody = set(made.joined.patients["subject_id"].astype(str))
    note = Note(runs.NoteKind.FUSION, f"The threshold was {EVERYBODY}.")
    for name, decision in made.fitted.decisions.items():
        if name != GUIDELINE:  # it is what the table says, and has no threshold of its own
            finals.write(
                name, [decision], [note], fusion=made.fitted.rules.get(name),
                target=made.joined.target, seen=everybody,
            )  # fmt: skip


def _cohort(joined: Joined) -> dict[str, list[str]]:
    """Return who was trained on, and by which files, in any member: what overlap is checked by."""
    found: dict[str, list[str]] = {}
    for member in joined.members:
        for key, values in runs.Run(member.run).cohort.items():
            if isinstance(values, list):
                found[key] = sorted({*found.get(key, []), *map(str, values)})
    return found


def _about(
    made: Made,
    task: Task,
    places: Sequence[Mapping[str, Any]],
    identity: str,
    splits: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the manifest says of a fusion."""
    joined, target = made.joined, made.joined.target
    manifests = [member.manifest for member in joined.members]
    sources = {str((manifest.get("data") or {}).get("source")) for manifest in manifests}
    n, n_events = len(joined.patients), int(joined.patients["y"].sum())
    columns = {manifest.get("outcome_column") for manifest in manifests}
    words: dict[str, str] = {}
    for manifest in reversed(manifests):
        words |= manifest.get("words") or {}
    return {
        "task": task.name, "task_title": task.title,
        "papers": list(dict.fromkeys(text for m in manifests for text in m.get("papers", ()))),
        "protocols": [PROTOCOL], "models": [model.name for model in task.models],
        "model_titles": {model.name: model.title for model in task.models},
        "baselines": [model.name for model in task.models if model.baseline],
        "primary": FUSION, "targets": [vars(target)],
        "outcome_column": columns.pop() if len(columns) == 1 else None,
        "outcome": f"{target.name}: {n_events} {target.classes[1]}, {n - n_events} "
                   f"{target.classes[0]}, by patient",
        "words": words, "config_digest": runs.digest([made.config.model_dump(), identity]),
        "seed": made.seed, "split_digest": runs.digest(splits),
        "data": {
            "source": "synthetic" if "synthetic" in sources else "real",
            "path_shown": listed([str(place["name"]) for place in places]), "digest": identity,
            "n_patients": n,
        },
        "members": [dict(place) for place in places],
        "covariates": made.clinical.covariates if made.clinical else [],
        "guideline": made.clinical.column if made.clinical else "",
        "same_folds": made.folds.same, "left_out": _missing(joined),
        "quarantined": [], "flags": {},
    }  # fmt: skip


def _missing(joined: Joined) -> str:
    """Say who lacks what, and how that was handled."""
    lacking = (~joined.has).sum()
    if not lacking.any():
        return "Every patient has every modality."
    who = listed([f"{counted(int(n), 'patient')} {label}" for label, n in lacking.items() if n])
    return (
        f"Of {counted(len(joined.patients), 'patient')} these lacked a modality: {who}; an "
        "indicator stands for it, and nobody was left out."
    )


def _area_lines(out: Path, task: Task, target: str) -> list[str]:
    """Return the areas in lines, for the terminal."""
    rows = [
        row for row in runs.Run(out).artifact.metrics
        if row.name == "auc" and row.target == target and row.fold is None
        and not row.subgroup and not row.versus
    ]  # fmt: skip
    lines = []
    for row in rows:
        limits = "" if row.low is None else f" ({row.low:.3f} to {row.high:.3f})"
        title = task.model(row.model).title
        lines.append(f"{title}: AUC {row.value:.3f}{limits}, {row.n} patients.")
    return lines


RESAMPLES = 2000


@dataclass(frozen=True)
class Against:
    """What a fusion is held against beyond its members.

    Attributes
    ----------
    table : Path or None
        A cohort table of the same patients.
    covariates : sequence of str
        Its columns that the clinical model takes.
    guideline : str or None
        Its column of yes and no.
    """

    table: Path | None = None
    covariates: Sequence[str] = ()
    guideline: str | None = None

    def read(self, joined: Joined) -> Clinical | None:
        """Return the clinical variables of the patients, None where none are asked for."""
        if self.table is None:
            named = "--covariates" if self.covariates else "--guideline"
            if self.covariates or self.guideline:
                raise ConfigError(f"{named}: expected --clinical TABLE with it, found none")
            return None
        if not self.covariates and not self.guideline:
            raise ConfigError(
                f"--clinical {self.table}: expected --covariates or --guideline with it, found "
                "neither"
            )
        return read_clinical(
            self.table, self.covariates, self.guideline, joined.patients.index, joined.target
        )


def fuse_runs(
    texts: Sequence[str],
    out: Path,
    *,
    against: Against | None = None,
    outcome: str | None = None,
    level: float = 0.95,
    seed: int = 0,
    n_resamples: int | None = None,
    command: Sequence[str] = (),
    echo: runs.Echo | None = None,
) -> tuple[Path, list[str]]:
    """Fuse runs by patient, cross-validated, and write a run of its own.

    Parameters
    ----------
    texts : sequence of str
        Two finished runs or more: ``[LABEL=]RUN[:MODEL]``.
    out : Path
        A new or empty folder, or one that this wrote from the same.
    against : Against, optional
    outcome : str, optional
        Target of runs that have several.
    level : float
        Of the intervals.
    seed : int
        Of new folds and of every resampling.
    n_resamples : int, optional
        2000 without.
    command : sequence of str
        As typed, for the page.
    echo : callable, optional
        Takes the line on what a killed command left.

    Returns
    -------
    Path
        Of ``report.html``.
    list of str
        What the user is told.

    Raises
    ------
    ConfigError, DataError
        In one line; nothing is written then.
    """
    against, n_resamples = against or Against(), n_resamples or RESAMPLES
    members = open_members(texts, outcome)
    joined = join(members)
    clinical = against.read(joined)
    places = [place_of(member, out) for member in joined.members]
    settings = (level, seed, n_resamples, list(against.covariates), against.guideline)
    table = runs.file_digest(against.table) if against.table and against.table.is_file() else None
    made_of = runs.digest([places, table, settings])
    runs.guard_place(out, runs.RunKind.FUSED, made_of)
    folds = shared_folds(joined, seed=seed)
    config = EvaluateBlock(level=level, n_resamples=n_resamples)
    with runs.write_run(out, runs.RunKind.FUSED, made_of, command=command, echo=echo) as writer:
        keep_members(joined.members, writer)
        fitted = fit(joined, folds, clinical, out)
        made = Made(joined, folds, fitted, clinical, config, seed)
        lines = write(writer, made, places, made_of)
    return out / "report.html", [*joined.notes, folds.sentence, *lines]
