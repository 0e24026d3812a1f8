"""New patients through the final models of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.compute.devices import device_list
from cardio_core.compute.executors import parse_executor
from cardio_core.compute.threads import one_thread
from cardio_core.config import RunConfig, read_yaml, validated
from cardio_core.context import Context
from cardio_core.errors import ConfigError
from cardio_core.evaluation.aggregate import prediction_frame, score_columns, scored_members
from cardio_core.evaluation.conformal.sets import Conformal
from cardio_core.evaluation.decision import Decision
from cardio_core.evaluation.parts import noting
from cardio_core.evaluation.patients.covariates import with_clinical_model
from cardio_core.registry import resolve
from cardio_core.runner.accounts import summed
from cardio_core.runner.calls import call
from cardio_core.runner.fitting.clinical import open_clinical
from cardio_core.runner.fitting.stored import open_artifact, open_decisions
from cardio_core.runner.judging.cases import write_case
from cardio_core.runner.judging.judge import open_rule
from cardio_core.runner.manifest import Manifest
from cardio_core.runner.measuring.finding import Found, find_recordings
from cardio_core.runner.measuring.mapping import write_mapping
from cardio_core.runner.plugin_options import NOTHING_GIVEN, Given, with_given
from cardio_core.runner.predicting.stands_on import account_of, recordings_of, with_recordings
from cardio_core.runner.predicting.verdicts import without_verdicts
from cardio_core.runner.preparing.clinical import clinical_of
from cardio_core.runner.preparing.features import Prepared, UnusableCohortError, prepare
from cardio_core.runner.preparing.needs import open_kept_needs
from cardio_core.runner.preparing.outcome import asked_task
from cardio_core.runner.progress import Echo, Progress
from cardio_core.runner.setup import members_first, open_with_defaults, primary_of
from cardio_core.types.features import flags_of
from cardio_core.types.info import Target
from cardio_core.types.predictions import Predictions
from cardio_core.types.report import Explanation
from cardio_core.types.samples import Quarantined

_LACKING = "no recording has what this model works on"
_UNTOLD = "not known here; a cohort table can give them"


@one_thread()
def predict_new(
    run: Path,
    inputs: tuple[Path, ...],
    *,
    options: Given = NOTHING_GIVEN,
    device: str = "auto",
    explain_in: Path | None = None,
    mapping: Path | None = None,
    keep_features: bool = False,
    echo: Echo | None = None,
) -> dict[str, Any]:
    """Predict recordings that the run has never seen.

    Parameters
    ----------
    run : Path
        A finished run directory.
    inputs : tuple of Path
        Recordings, folders or a cohort table, as `load` of the plugin takes them.
    options : Given, optional
        What was said with options of the task: how to read these recordings, and files that
        belong to the one input.
    device : str
        As for `cardio run`.
    explain_in : Path, optional
        Folder where each row explains what it predicts, with pictures; nothing is explained
        without. Fused rows, and rows that have nothing to score by, explain nothing.
    mapping : Path, optional
        CSV that says which id is which file; names of files can hold names of people.
    keep_features : bool
        Keep what was measured in the run's folder `predicted`, so that the same recordings are
        answered sooner the next time; else nothing of them is kept.
    echo : callable, optional
        Takes progress lines.

    Returns
    -------
    dict
        JSON-ready: the run, its task, targets and models in words, the primary model, the
        predictions of every row (scores by class, decided class, the threshold and where it
        came from, and the conformal set or interval where the run calibrated one;
        withheld, with the reason in `no_verdict`, where no recording can be judged; on how many
        recordings it stands, and the range of their own scores), what the
        rows measured beside their scores (by id and name, with units), what explains them (files
        in `explain_in`), flags, and quarantined recordings with their reasons.

    Raises
    ------
    ConfigError
        If the run is not finished or has no model, an input does not exist, or an option's value
        is none of its setting.
    """
    manifest = _finished(run)
    with TemporaryDirectory(prefix="cardio-") as while_it_runs:
        place = run / "predicted" if keep_features else Path(while_it_runs)
        return _predict(run, manifest, inputs, options, device, place, explain_in, mapping, echo)


def _predict(
    run: Path,
    manifest: dict[str, Any],
    inputs: tuple[Path, ...],
    options: Given,
    device: str,
    features_in: Path,
    explain_in: Path | None,
    mapping: Path | None,
    echo: Echo | None,
) -> dict[str, Any]:
    plugin = open_with_defaults(manifest["plugin"])
    task = plugin.info.task(manifest["task"])
    text = (run / "config.yaml").read_text(encoding="utf-8")
    model: Any = resolve(plugin.info.config_of(task))
    config: RunConfig = validated(model, read_yaml(text, "config.yaml"), "config.yaml")
    config = with_given(config, options)
    protocol = manifest["protocols"][0]
    task = asked_task(with_clinical_model(task, config.covariates), config)
    config = config.for_protocol(protocol)
    devices = device_list(device, 1, manifest["device"]["precision"])
    ctx = Context(
        task,
        mode="predict",
        outcome=config.outcome.column,
        protocol=protocol,
        seed=manifest["seed"],
        device=devices[0],
        cache=features_in,
        _beside=options.files,
    )
    answer: dict[str, Any] = {
        "run": run.name,
        "plugin": plugin.info.name,
        "task": task.name,
        "title": task.title,
        "targets": [
            {"name": t.name, "kind": t.kind, "classes": list(t.classes), "unit": t.unit}
            for t in task.targets
        ],
        "models": {name: task.model(name).title for name in manifest["models"]},
        "primary": manifest.get("primary") or primary_of(task, config, tuple(manifest["models"])),
        "synthetic_training": manifest["data"]["source"] == "synthetic",
        "predictions": [],
        "measurements": {},
        "explanations": [],
        "flags": {},
        "notes": [],
        "quarantined": [],
        "files": [],
        "files_summed": "",
    }
    # One good recording among many bad ones is still worth its answer.
    limits = config.limits.model_copy(update={"bad_share": 1.0})
    config = config.model_copy(update={"limits": limits})
    try:
        found = find_recordings(plugin, config, ctx, inputs)
        serial = parse_executor("local:1")
        prepared = prepare(plugin, config, ctx, serial, echo, found.cohort)
    except UnusableCohortError as error:
        if not error.quarantined:
            raise
        return answer | {"quarantined": [vars(row) for row in error.quarantined]}
    quarantined = [*prepared.quarantined, *_without_any(found)]
    if mapping is not None:
        write_mapping(mapping, found.cohort, quarantined, inputs)
    clinical = clinical_of(config.covariates, prepared.cohort, prepared.features, inputs)
    rows: list[dict[str, Any]] = []
    explained: list[dict[str, Any]] = []
    notes = [*options.told("Read"), *prepared.cohort.notes]
    measured: dict[str, dict[str, Any]] = {}
    frames: dict[str, dict[str, pd.DataFrame]] = {target.name: {} for target in task.targets}
    members: dict[str, dict[str, pd.DataFrame]] = {target.name: {} for target in task.targets}
    withheld: dict[str, Mapping[str, str]] = {}
    with Progress("predicting", len(manifest["models"]), echo, "models") as progress:
        for name in progress.over(members_first(task, manifest["models"])):
            folder = run / "models" / "final" / name
            used = {need.task for need in task.needs_of([name])}
            needs = {one: kept for one, kept in open_kept_needs(run).items() if one in used}
            place = ctx.replace(model=name, fold="final", _needs=needs)
            if task.model(name).fuses:  # the core's own: no plugin predicts or explains it
                from cardio_core.runner.fitting.fuse import apply_fusion

                own = {t.name: apply_fusion(folder, frames[t.name], t, name) for t in place.targets}
                parts = [withheld.get(one, {}) for one in task.model(name).fuses]
                withheld[name] = {who: why for part in parts for who, why in part.items()}
            else:
                by_core = task.model(name).core_owned
                features = clinical if by_core and clinical is not None else prepared.features
                given = {"model": open_artifact(folder), "features": features}
                owner = open_clinical() if by_core else plugin
                predictions = call(owner, "predict", place, config, **given)
                _measure(measured, predictions)
                withheld[name] = predictions.withheld
                own = {
                    t.name: prediction_frame(predictions, prepared.features.table, t, task.unit)
                    for t in place.targets
                }
                for t in place.targets:
                    members[t.name][name] = scored_members(
                        predictions, prepared.features.table, t, task.unit
                    )
                explains = not by_core and plugin.implements("explain", ctx.task)
                if explain_in is not None and explains and _any(own):
                    given["predictions"] = predictions
                    with noting(notes, f"No explanation of {task.model(name).title}:"):
                        explanation = call(plugin, "explain", place, config, **given)
                        explained += _written(explanation, explain_in, name, protocol)
            if not _any(own):
                lacking = _UNTOLD if task.model(name).covariates else _LACKING
                notes.append(f"{task.model(name).title}: {lacking}.")
            decisions = open_decisions(folder, task.targets)
            for target in place.targets:
                frame = frames[target.name][name] = own[target.name]
                decision = decisions.get(target.name)
                decided = decision.apply(frame, target) if decision else None
                made = _rows(frame, target, name, decided, decision)
                made = with_recordings(made, members[target.name], task, target)
                rows += _with_sets(made, frame, target, open_rule(run, name, target.name))
    table = prepared.features.table
    answered = recordings_of(members[task.targets[0].name], task, answer["primary"])
    files = account_of(prepared.cohort, quarantined, table, answered, measured)
    return answer | {
        "predictions": without_verdicts(rows, prepared.features.table, withheld),
        "measurements": measured,
        "explanations": explained,
        "flags": _flags(prepared),
        "notes": notes,
        "quarantined": [vars(row) for row in quarantined],
        "files": [line.cells() for line in files],
        "files_summed": summed(files),
    }


def _any(frames: Mapping[str, pd.DataFrame]) -> bool:
    """Whether a row scored anything."""
    return any(map(len, frames.values()))


def _finished(run: Path) -> dict[str, Any]:
    content = Manifest.open(run).content
    if content["status"] != "done":
        raise ConfigError(f"{run}: this run is not finished ({content['status']}); resume it first")
    if not content["models"]:
        raise ConfigError(
            f"{run}: no model of this run could be fitted, so it can predict nothing; its notes "
            "say why; run again with more patients, or with fewer folds"
        )
    return content


def _written(
    explanation: Explanation, out: Path, model: str, protocol: str
) -> list[dict[str, Any]]:
    """Write what explains a row's predictions; return what each case says."""
    return [
        write_case(
            out, f"{model}-{case.sample_id}", replace(case, model=model, fold="final"), protocol
        )
        for case in explanation.cases
    ]


def _flags(prepared: Prepared) -> dict[str, list[str]]:
    """Return what was flagged, by recording, and which recordings hold the file of another."""
    flags = flags_of(prepared.features.table)
    for recording, other in prepared.repeated.items():
        flags[recording] = [*flags.get(recording, []), f"the same file as recording {other}"]
    return flags


def _without_any(found: Found) -> list[Quarantined]:
    """Return a row for each input that holds no recording, numbered behind the others."""
    taken = set(found.cohort.samples.table["recording_id"].astype(str))
    taken |= {row.recording_id for row in found.cohort.quarantined}
    numbers = (name for name in map(str, range(1, 10**9)) if name not in taken)
    return [
        Quarantined(number, "load", reason)
        for number, (_, reason) in zip(numbers, found.refused, strict=False)
    ]


def _rows(
    frame: pd.DataFrame, target: Target, model: str, decided: Any, decision: Decision | None
) -> list[dict[str, Any]]:
    columns = score_columns(target)
    rows = []
    for number, row in enumerate(frame.to_dict("records")):
        entry: dict[str, Any] = {
            "id": row["unit_id"],
            "recording_id": row["recording_id"],
            "patient_id": row["patient_id"],
            "level": row["level"],
            "time_s": None if pd.isna(row["time_s"]) else round(float(row["time_s"]), 4),
            "model": model,
            "target": target.name,
        }
        if target.kind == "continuous":
            entry |= {"value": round(float(row["score"]), 6), "unit": target.unit}
        else:
            scores = {name.partition(":")[2]: round(float(row[name]), 6) for name in columns}
            entry |= {
                "scores": scores,
                "decided": decided[number],
                "threshold": round(decision.threshold, 6)
                if decision and target.kind == "binary"
                else None,
                "threshold_source": decision.source if decision else None,
            }
        rows.append(entry)
    return rows


def _with_sets(
    rows: list[dict[str, Any]], frame: pd.DataFrame, target: Target, rule: Conformal | None
) -> list[dict[str, Any]]:
    """Add the conformal set or interval to each row, where the run calibrated one."""
    if rule is None:
        return rows
    level = round(1 - rule.alpha, 6)
    scores = frame[score_columns(target)].to_numpy(float)
    if target.kind == "continuous":
        limits = rule.intervals(scores[:, 0])
        return [
            row | {"interval": [round(float(limit), 6) for limit in own], "interval_level": level}
            for row, own in zip(rows, limits, strict=True)
        ]
    classes = target.classes
    return [
        row
        | {
            "set": [c for c, held in zip(classes, own, strict=True) if held],
            "set_level": level,
            "set_by_class": rule.by_class,
            "set_always": list(rule.always_held),
        }
        for row, own in zip(rows, rule.sets(scores), strict=True)
    ]


def _measure(measured: dict[str, dict[str, Any]], predictions: Predictions) -> None:
    """Add what stands beside the scores, by id and name; the first row that measures it counts."""
    for name, column in predictions.columns.items():
        for who, value in zip(predictions.ids, np.asarray(column.values, float), strict=True):
            if np.isfinite(value):
                known = {"value": round(float(value), 6), "unit": column.unit}
                measured.setdefault(str(who), {}).setdefault(name, known)
