"""New patients through the final models of a finished run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from cardio_core.compute.processes import one_thread
from cardio_core.evaluation.aggregate import score_columns
from cardio_core.evaluation.conformal import Conformal
from cardio_core.evaluation.decision import Decision
from cardio_core.io.run_artifact import METRICS, MetricRow
from cardio_core.io.synthetic import lies_in_synthetic
from cardio_core.report.text.ranking import LEADING
from cardio_core.runner.answers import (
    Opened,
    answer,
    entries,
    open_finished,
    with_applicability,
)
from cardio_core.runner.evaluate import open_rule
from cardio_core.runner.inputs import Found, write_mapping
from cardio_core.runner.measure_tables import unjudged
from cardio_core.runner.prepare import FileLine, Prepared, UnusableCohortError, account, summed
from cardio_core.runner.progress import Echo
from cardio_core.runner.request import NOTHING_GIVEN, Given
from cardio_core.runner.setup import primary_of
from cardio_core.types.features import flags_of, verdicts_of
from cardio_core.types.info import Target, Task
from cardio_core.types.notes import Exclusion
from cardio_core.types.redaction import without_names
from cardio_core.types.samples import Cohort, Quarantined
from cardio_core.types.targets import KEY_OF_UNIT
from cardio_stats.files import read_json

# Which recordings an answer stands on, how far they agree, and why the others do not count.

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
    texts = []
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
        texts.append({**row, "n_recordings": n, "range": limits})
    return texts


def account_of(
    cohort: Cohort,
    quarantined: Sequence[Quarantined],
    table: pd.DataFrame,
    used: set[str] | None,
    measured: Mapping[str, Mapping[str, Any]],
    column: str,
) -> tuple[FileLine, ...]:
    """Return what became of every file that was searched.

    Parameters
    ----------
    cohort : Cohort
    quarantined : sequence of Quarantined
        Recordings that could not be used.
    table : DataFrame
        Of the features: flags, and what each recording shows where a column says it.
    used : set of str or None
        The recordings that the primary model's answers stand on; None where that is not known.
    measured : mapping of str to mapping
        What stands beside the scores, by sample.
    column : str
        `PluginInfo.shows`.
    """
    refused = {row.recording_id: row.exclusion for row in quarantined}
    verdicts = verdicts_of(table) if len(table) else {}
    for name in table["recording_id"].astype(str).unique() if used is not None else ():
        if used is not None and name not in used:
            known = verdicts.get(name)
            text = _NOT_SCORED if known is None else unjudged(known.reasons[0])
            refused.setdefault(name, Exclusion(text=text))
    return account(cohort, refused, _shown(table, measured, column))


def _shown(
    table: pd.DataFrame, measured: Mapping[str, Mapping[str, Any]], column: str
) -> dict[str, str]:
    found: dict[str, str] = {}
    if column in table.columns:
        known = table.dropna(subset=[column]).drop_duplicates("recording_id")
        found = dict(zip(known["recording_id"].astype(str), known[column].astype(str), strict=True))
    scores = f"{column}:"
    for sample, recording in table["recording_id"].astype(str).items() if column else ():
        seen = {
            name.removeprefix(scores): about["value"]
            for name, about in measured.get(str(sample), {}).items()
            if name.startswith(scores)
        }
        if seen:
            likeliest = max(seen, key=lambda name: seen[name])
            found[recording] = f"{likeliest} ({100 * seen[likeliest]:.0f} %)"
    return found


def _of(members: Mapping[str, pd.DataFrame], models: Sequence[str]) -> pd.DataFrame:
    found = [members[name] for name in models if name in members]
    return pd.concat(found) if found else pd.DataFrame()


def recordings_of(members: Mapping[str, pd.DataFrame], task: Task, primary: str) -> set[str] | None:
    """Return the recordings that a model's answers stand on; None where it scored nothing."""
    own = _of(members, task.model(primary).fuses or (primary,))
    return set(own["recording_id"].astype(str)) if len(own) else None


# Withholding what is said of recordings that a stage found unfit to be judged.

PREDICTED = ("scores", "decided", "value", "set", "interval")
"""What a prediction says of its target."""


def without_verdicts(
    rows: Sequence[Mapping[str, Any]],
    table: pd.DataFrame,
    withheld: Mapping[str, Mapping[str, str]] | None = None,
) -> list[dict[str, Any]]:
    """Empty the predictions that rest on recordings without a verdict alone.

    Rows are as `cardio predict` prints them, `table` is of the feature set that they were made
    from; `withheld` says by model and id what that model says nothing of (`Predictions.withheld`;
    of a fusion what any of its members says). What is returned has `no_verdict`, the reason or
    None; where there is a reason, scores, decided class, value, set and interval are None.

    Examples
    --------
    >>> import pandas as pd
    >>> ids = {name: ["a"] for name in ("recording_id", "study_id", "patient_id")}
    >>> table = pd.DataFrame({**ids, "no_verdict": ["too slow"]}, index=["a#0"])
    >>> without_verdicts([{"id": "a", "level": "study", "decided": "yes"}], table)
    [{'id': 'a', 'level': 'study', 'decided': None, 'no_verdict': 'too slow'}]
    """
    reasons = {recording: verdict.why for recording, verdict in verdicts_of(table).items()}
    named = table.assign(sample_id=table.index)
    recordings_of = {
        level: _recordings(named, f"{level}_id") for level in {r["level"] for r in rows}
    }
    answers = []
    for row in rows:
        own = recordings_of[row["level"]].get(row["id"], {})
        found = [reasons[name] for name in own if reasons.get(name)]
        if len(found) < len(own):  # another recording could be judged, and was
            found = []
        by_model = (withheld or {}).get(str(row.get("model")), {}).get(str(row["id"]))
        found += [by_model] if by_model else []
        empty = dict.fromkeys((key for key in PREDICTED if key in row), None) if found else {}
        answers.append({**row, **empty, "no_verdict": "; ".join(dict.fromkeys(found)) or None})
    return answers


def _recordings(table: pd.DataFrame, key: str) -> dict[Any, dict[str, None]]:
    """Return the recordings of each unit, in their order."""
    found: dict[Any, dict[str, None]] = {}
    for unit, recording in zip(table[key], table["recording_id"].astype(str), strict=True):
        found.setdefault(unit, {})[recording] = None
    return found


# What the models are worth, by the evaluation of their run.

_CHANCE = {"auc": 0.5, "c_index": 0.5}

MODEL_CARD = "model_card.json"
"""The model card of an exported bundle, as data."""


def worth_of(run: Path, models: Sequence[str]) -> list[dict[str, Any]]:
    """Return what the evaluation of a run found for each target and model, JSON-ready.

    Parameters
    ----------
    run : Path
        A run directory, or an exported bundle, whose model card has the estimates.
    models : sequence of str
        The models that answer.

    Returns
    -------
    list of dict
        One entry a target and model: `protocol` (``"honest"`` where it ran), `metric` (the first of
        `LEADING` that was computed), `value`, `low`, `high`, `level`, `n`, `unit`, and
        `better_than_chance`: whether the interval lies above 0.5, None where chance has no fixed
        value or there is no interval.
    """
    rows: tuple[MetricRow, ...] = METRICS.read_or(run / "metrics.json", ()) or _of_card(run)
    pooled = [
        row
        for row in rows
        if row.pooled and row.repeat is None and not (row.subgroup or row.versus or row.class_name)
        if row.model in models and row.name in LEADING
    ]
    protocols = list(dict.fromkeys(row.protocol for row in pooled))
    protocol = "honest" if "honest" in protocols else next(iter(protocols), "")
    best: dict[tuple[str, str], MetricRow] = {}
    for row in sorted(pooled, key=lambda row: LEADING.index(row.name)):
        if row.protocol == protocol:
            best.setdefault((row.target, row.model), row)
    return [_worth(row) for row in best.values()]


def _of_card(run: Path) -> tuple[MetricRow, ...]:
    """Return the estimates of a bundle's model card, where absent words are null."""
    card = run / MODEL_CARD
    listed = read_json(card).get("metrics", []) if card.is_file() else []
    known = [{key: value for key, value in row.items() if value is not None} for row in listed]
    rows: tuple[MetricRow, ...] = METRICS.check(known, card)
    return rows


def _worth(row: MetricRow) -> dict[str, Any]:
    chance = _CHANCE.get(row.name)
    better = None if chance is None or row.low is None else row.low > chance
    return {
        "target": row.target,
        "model": row.model,
        "protocol": row.protocol,
        "metric": row.name,
        **{key: getattr(row, key) for key in ("value", "low", "high", "level", "n", "unit")},
        "better_than_chance": better,
    }


# Models that saw synthetic recordings alone decide nothing about a real one.

_HELD = ("set", "interval")
"""Beginnings of the keys that say what remains possible."""


def without_decisions(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with their scores, without decided class, prediction set and interval.

    Examples
    --------
    >>> without_decisions([{"scores": {"no": 0.4, "yes": 0.6}, "decided": "yes", "set": ["yes"]}])
    [{'scores': {'no': 0.4, 'yes': 0.6}, 'decided': None}]
    """
    return [
        {key: None if key == "decided" else value for key, value in row.items()
         if key == "decided" or not key.startswith(_HELD)}
        for row in rows
    ]  # fmt: skip


@one_thread()
def predict_new(
    run: Path,
    inputs: tuple[Path, ...],
    *,
    options: Given = NOTHING_GIVEN,
    device: str = "auto",
    executor: str = "local:1",
    explain_in: Path | None = None,
    mapping: Path | None = None,
    keep_features: bool = False,
    accept_synthetic: bool = False,
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
    device, executor : str
        As for `cardio run`; the recordings of patients are read and measured by these workers.
    explain_in : Path, optional
        Folder where each row explains what it predicts, with pictures; nothing is explained
        without. Fused rows, and rows that have nothing to score by, explain nothing.
    mapping : Path, optional
        CSV that says which id is which file; names of files can hold names of people.
    keep_features : bool
        Keep what was measured in the run's folder `predicted`, so that the same recordings are
        answered sooner the next time; else nothing of them is kept.
    accept_synthetic : bool
        Let models that were trained on synthetic recordings alone decide about real ones.
    echo : callable, optional
        Takes progress lines.

    Returns
    -------
    dict
        JSON-ready: the run, its task, targets and models in words, the primary model, the
        predictions of every row (scores by class, decided class, the threshold and where it
        came from, and the conformal set or interval where the run calibrated one;
        withheld, with the reason in `no_verdict`, where no recording can be judged; on how many
        recordings it stands, and the range of their own scores), whether each patient is like those
        of training (`applicability`: inside, borderline, outside, not judged, and why), what the
        rows measured beside their scores (by id and name, with units), what explains them (files
        in `explain_in`), flags, and quarantined recordings with their reasons. `worth` says how
        well each model did in the run's evaluation (see `worth_of`). Where `decisions_withheld` is
        true, models trained on synthetic recordings met real ones: rows have scores, but no decided
        class, prediction set or interval.

    Raises
    ------
    ConfigError
        If the run is not finished or has no model, an input does not exist, or an option's value
        is none of its setting.
    """
    with TemporaryDirectory(prefix="cardio-") as while_it_runs:
        place = run / "predicted" if keep_features else Path(while_it_runs)
        opened = open_finished(
            run, options=options, device=device, executor=executor, features_in=place
        )
        answered = _predict(opened, inputs, explain_in, mapping, echo)
    if accept_synthetic or not answered["synthetic_training"]:
        return answered
    if all(map(lies_in_synthetic, inputs)):
        return answered
    rows = without_decisions(answered["predictions"])
    return answered | {"decisions_withheld": True, "predictions": rows}


def _predict(
    opened: Opened,
    inputs: tuple[Path, ...],
    explain_in: Path | None,
    mapping: Path | None,
    echo: Echo | None,
) -> dict[str, Any]:
    task, report = opened.task, _about(opened)
    try:
        made = answer(opened, inputs, echo=echo, explain_in=explain_in)
    except UnusableCohortError as error:
        if not error.quarantined:
            raise
        return report | {"quarantined": [row.cells() for row in error.quarantined]}
    prepared = made.prepared
    quarantined = [*prepared.quarantined, *(_without_any(made.found) if made.found else ())]
    if mapping is not None:
        samples = prepared.cohort.samples.table.index.astype(str)
        own = {name: tuple(prepared.cohort.files[name]) for name in samples}
        others = {row.recording_id: row.files for row in quarantined}
        write_mapping(mapping, {**own, **others} | own, prepared.cohort.seen)
    rows: list[dict[str, Any]] = []
    for name in opened.models:
        for target in task.targets:
            if name not in made.frames[target.name]:
                continue
            frame = made.frames[target.name][name]
            decision = made.decisions[target.name].get(name)
            answers = rows_of(opened.folder, frame, target, name, decision)
            rows += with_recordings(answers, made.members[target.name], task, target)
    table = prepared.features.table
    answered = recordings_of(made.members[task.targets[0].name], task, report["primary"])
    files = account_of(
        prepared.cohort, quarantined, table, answered, made.measured, opened.plugin.info.shows
    )
    return report | {
        "predictions": without_verdicts(rows, table, made.withheld),
        "measurements": made.measured,
        "explanations": made.explained,
        "flags": _flags(prepared),
        "notes": [str(note) for note in made.notes],
        "quarantined": [row.cells() for row in quarantined],
        "applicability": entries(made.applicability),
        "files": with_applicability([line.cells() for line in files], made.applicability, table),
        "files_summed": summed(files, opened.plugin.info.recording),
    }


def _about(opened: Opened) -> dict[str, Any]:
    """Return what an answer says of the run, with nothing answered yet."""
    task, manifest = opened.task, opened.manifest
    models = tuple(manifest["models"])
    return {
        "run": opened.folder.name,
        "plugin": opened.plugin.info.name,
        "task": task.name,
        "title": task.title,
        "targets": [
            {"name": t.name, "kind": t.kind, "classes": list(t.classes), "unit": t.unit}
            for t in task.targets
        ],
        "models": {name: task.model(name).title for name in models},
        "primary": manifest.get("primary") or primary_of(task, opened.config, models),
        "synthetic_training": manifest["data"]["source"] == "synthetic",
        "decisions_withheld": False,
        "worth": worth_of(opened.folder, models),
        "predictions": [],
        "applicability": [],
        "measurements": {},
        "explanations": [],
        "flags": {},
        "notes": [],
        "quarantined": [],
        "files": [],
        "files_summed": "",
    }


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
        Quarantined(number, "load", without_names(reason, [path]), (path,))
        for number, (path, reason) in zip(numbers, found.refused, strict=False)
    ]


def rows_of(
    run: Path, frame: pd.DataFrame, target: Target, model: str, decision: Decision | None
) -> list[dict[str, Any]]:
    """Return the entries of an answer for a prediction frame of one of a run's final models.

    With what the decision makes of it, and the conformal set or interval where the run calibrated
    one.
    """
    decided = decision.apply(frame, target) if decision else None
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
            with_threshold = decision is not None and target.kind == "binary"
            entry |= {
                "scores": {
                    name.partition(":")[2]: round(float(row[name]), 6)
                    for name in score_columns(target)
                },
                "decided": None if decided is None else decided[number],
                "threshold": round(decision.threshold, 6) if decision and with_threshold else None,
                "threshold_source": decision.source if decision else None,
            }
        rows.append(entry)
    return _with_sets(rows, frame, target, open_rule(run, model, target.name))


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
