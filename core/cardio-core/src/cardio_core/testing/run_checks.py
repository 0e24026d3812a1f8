"""Checks of what a finished run leaves behind, and of what it does with new patients."""

from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

from cardio_core.evaluation.aggregate import prediction_frame, score_columns
from cardio_core.evaluation.parts import ABOUT_DATA
from cardio_core.fold_assignment import link_subjects
from cardio_core.io.synthetic import is_synthetic
from cardio_core.runner.fits import CHOSEN, FoldJob, open_artifact, read_predictions
from cardio_core.runner.hook_calls import PICKLES, call
from cardio_core.runner.patients import bring_to_samples
from cardio_core.runner.predict import predict_new
from cardio_core.runner.setup import opened
from cardio_core.runner.train import fit_model, original, usable
from cardio_core.runner.trial import try_hooks
from cardio_core.testing.case import BrokenContractError, NotCheckedError, TaskCase, require
from cardio_core.testing.driving import permuted_labels
from cardio_core.types.features import FeatureSet, concatenate
from cardio_core.types.info import Target, Task
from cardio_core.types.targets import Targets
from cardio_stats.errors import DataError

# A trial of the hooks behind the features, without a run.


def hooks_behind_the_features_work_on_a_few_patients(case: TaskCase) -> None:
    """A fault in `train`, `predict`, `explain` or `evaluate` shows before anything takes long."""
    bench, task = case.bench, case.task
    models = [
        model.name for model in task.models
        if model.name in (bench.config.models or [model.name])
        and not (model.fuses or task.needs_of([model.name]))
    ]  # fmt: skip
    if not models:
        raise NotCheckedError("its models need other tasks, which only a run makes")
    features = concatenate(list(case.features.values()))
    table = features.table.assign(subject_id=link_subjects(features.table))
    truth = bring_to_samples(case.cohort.targets, table, task)
    everyone = np.arange(len(table))
    job = FoldJob(
        case.name, "honest", bench.config, bench.ctx.replace(fold="r0-f0", _inputs=()),
        replace(features, table=table), truth.targets, everyone, everyone, "patient", "", None,
        case.folder,
    )  # fmt: skip
    jobs = [replace(job, ctx=job.ctx.replace(model=name)) for name in models]
    if not try_hooks(case.opened, jobs, truth, case.cohort, too_few=ABOUT_DATA):
        raise NotCheckedError(f"no model can be fitted on {len(case.features)} patients")


OF_TRIAL = (hooks_behind_the_features_work_on_a_few_patients,)

EXPECTED = (
    "manifest.json", "config.yaml", "splits.json", "predictions.csv", "metrics.json",
    "report.html", "log.jsonl", "models/final",
)  # fmt: skip


def a_run_ends_with_every_file_in_its_place(case: TaskCase) -> None:
    """The manifest says so, and every number stands with its interval's method."""
    status = _json(case, "manifest.json")["status"]
    require(status == "done", f"the run ended as {status!r}; see its log.jsonl")
    missing = [name for name in EXPECTED if not (case.finished / name).exists()]
    require(not missing, f"the run lacks {', '.join(missing)}")
    metrics = _json(case, "metrics.json")
    require(metrics, "the run has no metrics; return estimates from evaluate")
    bare = sorted({row["name"] for row in metrics if not row["method"]})
    require(not bare, f"metrics without a method: {', '.join(bare)}; name it in the Estimate")


def models_hold_no_pickle(case: TaskCase) -> None:
    """Opening a pickle runs whatever its author wrote into it."""
    for path in (case.finished / "models").rglob("*"):
        if path.is_file():
            by = "name" if path.suffix in PICKLES else "content" if _is_pickle(path) else ""
            require(not by, f"{path.name} is a pickle by its {by}; use safetensors, JSON or skops")


def new_patients_are_predicted_without_unpickling_anything(case: TaskCase) -> None:
    """`cardio predict` answers for patients whom the run has never seen.

    Without ``truth.json`` the new recordings count as real, and models of a synthetic cohort give
    scores, but no decision.
    """
    new = case.synthesize(case.task_name, n_patients=3, seed=12345)
    (new / "truth.json").unlink(missing_ok=True)
    finished = case.finished
    with no_unpickling():
        answer = predict_new(finished, (new,), device="cpu")
    bad = answer["quarantined"]
    require(not bad, f"its own synthetic recordings are quarantined, such as {bad[:1]}")
    models = _json(case, "manifest.json")["models"]
    expected = {target.name for model in models for target in case.task.targets_of(model)}
    found = {row["target"] for row in answer["predictions"]}
    require(found == expected, f"predicts {sorted(found)}, expected {sorted(expected)}")
    synthetic = is_synthetic(case.data)
    decided = [row for row in answer["predictions"] if row.get("decided") or "set" in row]
    require(
        answer["decisions_withheld"] == synthetic and not (synthetic and decided),
        "models trained on a synthetic cohort decide about recordings that are not known to be "
        "synthetic; predict through the core's hooks alone",
    )
    json.dumps(answer, allow_nan=False)


def a_prediction_does_not_depend_on_what_else_is_predicted(case: TaskCase) -> None:
    """Neither on the order nor on the company: models see one sample at a time."""
    together = concatenate(list(case.features.values()))
    first = next(iter(case.features.values()))
    backwards = together.view(np.arange(len(together))[::-1])
    for model in _json(case, "manifest.json")["models"]:
        if case.task.model(model).fuses:
            continue
        whole = _scores(case, model, together)
        for how, some in (("alone", first), ("in reverse order", backwards)):
            again = _scores(case, model, some)
            worst = max(float(np.max(np.abs(again[i] - whole[i]))) for i in again)
            require(
                worst <= case.sizes.score_tolerance,
                f"model {model}: scores differ by {worst:.2g} when predicted {how}; normalise with "
                "what train kept, not with the batch",
            )


def a_process_that_never_trained_predicts_the_same(case: TaskCase) -> None:
    """Labels that train keeps in memory must not reach predict: only the artifact may."""
    jobs = case.fits
    with ProcessPoolExecutor(1, mp_context=_never_trained()) as pool:
        found = pool.submit(_predict_again, jobs, dict(os.environ)).result()
    for job, again in zip(jobs, found, strict=True):
        for target in job.ctx.targets:
            stored = read_predictions(job.out, target).set_index("unit_id")[score_columns(target)]
            worst = _difference(stored, again[target.name])
            require(
                worst <= case.sizes.score_tolerance,
                f"{job.title}: scores of {target.name} differ by {worst:.2g} from those of a "
                "process that never trained; keep all that predict needs in the artifact, and "
                "nothing in globals or in the module",
            )


def training_learns_nothing_from_the_labels_of_those_who_validate(case: TaskCase) -> None:
    """Where epochs are not chosen by them, other labels of theirs change no prediction."""
    first = {
        str(job.ctx.model): job
        for job in reversed(case.fits)
        if not case.task.model(str(job.ctx.model)).rule
    }
    n_checked = 0
    for model, job in first.items():
        fit, validate = _parted(job)
        try:
            ours, others = (
                _validated(replace(job, targets=targets), fit, validate, case.empty(f"fit-{model}"))
                for targets in (job.targets, _contradicted(job, validate))
            )
        except DataError:
            continue  # so few patients teach it nothing
        n_checked += 1
        worst = _difference(ours, others)
        require(
            worst <= case.sizes.score_tolerance,
            f"model {model}: scores of those who validate differ by {worst:.2g} with other labels "
            "of theirs, though ctx.choose_epochs is False; fit on `training` alone",
        )
    if first and not n_checked:
        raise NotCheckedError(
            f"no model can be fitted on part of a fold of {case.sizes.n_patients} patients; "
            "check with more (n_patients)"
        )


def _parted(job: FoldJob) -> tuple[Array, Array]:
    """Return whom a fold is fitted on, and a few who validate: of the commonest class."""
    table, target = job.features.table, job.ctx.targets[0]
    known = usable(job, job.train)
    labels = pd.Series(job.targets.of(table.iloc[known], target.name), dtype=object)
    people = table["subject_id"].to_numpy()[known]
    common = labels.notna() if target.kind == "continuous" else labels == labels.mode().iloc[0]
    theirs = np.unique(people[common.to_numpy(bool)])
    held = np.isin(people, theirs[: max(1, len(theirs) // 4)])
    return known[~held], original(table, known[held])


def _validated(job: FoldJob, fit: Array, validate: Array, out: Path) -> pd.DataFrame:
    """Fit one model with somebody to validate it, whom it then predicts."""
    ctx = job.ctx.replace(choose_epochs=False, fold=f"{job.ctx.fold}-i0")
    plugin = opened(job.plugin)
    artifact = fit_model(job, plugin, job.config, ctx, out, fit, validate)
    view = job.features.view(validate)
    predictions = call(plugin, "predict", ctx, job.config, model=artifact, features=view)
    target = job.ctx.targets[0]
    frame = prediction_frame(predictions, view.table, target, job.ctx.task.unit)
    return frame.set_index("unit_id")[score_columns(target)]


def _never_trained() -> BaseContext:
    """Return a way to start such processes: from one that has only imported, where possible."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, *({"torch"} & set(sys.modules))])
    return context


def _predict_again(
    jobs: Sequence[FoldJob], environment: dict[str, str]
) -> list[dict[str, pd.DataFrame]]:
    """Return what each job's model predicts of its test patients, by target."""
    os.environ.update(environment)  # that of the process which asks, not of the one it came from
    found = []
    for job in jobs:
        candidate = CHOSEN.read(job.out / "chosen.json").candidate
        view = job.features.view(original(job.features.table, job.test))
        predictions = call(
            opened(job.plugin), "predict", job.ctx, job.config.with_train(candidate),
            model=open_artifact(job.out), features=view,
        )  # fmt: skip
        frames = {}
        for target in job.ctx.targets:
            frame = prediction_frame(predictions, view.table, target, job.ctx.task.unit)
            frames[target.name] = frame.set_index("unit_id")[score_columns(target)]
        found.append(frames)
    return found


def _difference(item: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the largest difference of two tables of scores; infinite where one lacks a score."""
    values = item.to_numpy(float), other.reindex(item.index).to_numpy(float)
    if (np.isnan(values[0]) != np.isnan(values[1])).any():
        return float("inf")
    return float(np.nanmax(np.abs(values[0] - values[1]), initial=0.0))


def _contradicted(job: FoldJob, positions: Array) -> Targets:
    """Return targets in which some samples have the next class, or a number mirrored."""
    rows = job.targets.only(job.features.table.iloc[positions]).table.index
    table = job.targets.table.copy()
    for target in job.ctx.targets:
        values = table.loc[rows, target.name]
        if target.kind == "continuous":
            values = values.max() + values.min() - values
        else:
            names = list(target.classes)
            following = dict(zip(names, [*names[1:], names[0]], strict=True)) | {0: 1, 1: 0}
            values = values.map(lambda item, next_=following: next_.get(item, item))
        table.loc[rows, target.name] = values.astype(table[target.name].dtype)
    return replace(job.targets, table=table)


@contextmanager
def no_unpickling() -> Iterator[None]:
    """Let every attempt to open a pickle fail."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise BrokenContractError("a pickle was opened; use safetensors, JSON or skops")

    # A class, because modules that are imported meanwhile may derive theirs from it.
    refusing = type("Unpickler", (pickle.Unpickler,), {"__init__": refuse})
    with (
        mock.patch.object(pickle, "load", refuse),
        mock.patch.object(pickle, "loads", refuse),
        mock.patch.object(pickle, "Unpickler", refusing),
    ):
        yield


def _is_pickle(path: Path) -> bool:
    """Whether a file is a pickle, or an archive that holds one (torch's files do)."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    head = path.read_bytes()[:2]
    # Protocols 2 and later begin with the opcode PROTO and the version.
    return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def _scores(case: TaskCase, model: str, features: FeatureSet) -> dict[str, Any]:
    """Return the scores of the model's first target by id, -1 where it has none."""
    predictions = case.bench.predict(case.finished, model, features)
    target = case.task.targets_of(model)[0]
    scores = np.nan_to_num(np.asarray(predictions.scores[target.name], dtype=float), nan=-1.0)
    return dict(zip(predictions.ids, scores, strict=True))


def _json(case: TaskCase, name: str) -> Any:
    return json.loads((case.finished / name).read_text(encoding="utf-8"))


OF_RUNS = (
    a_run_ends_with_every_file_in_its_place,
    models_hold_no_pickle,
    new_patients_are_predicted_without_unpickling_anything,
    a_prediction_does_not_depend_on_what_else_is_predicted,
    a_process_that_never_trained_predicts_the_same,
    training_learns_nothing_from_the_labels_of_those_who_validate,
)

# How well a run ranks what it was to predict, and what chance would give.

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ranking:
    """The concordance of a model's out-of-fold scores with the truth.

    Attributes
    ----------
    value : float
        Share of pairs with different truth that are ranked right, ties counting half: the AUC of a
        binary target, the mean one-against-rest AUC of a multiclass one. Only units of the same
        fold make pairs: scores of different models need not be comparable.
    se : float
        Its standard error if the scores knew nothing.
    n : int
        Predicted units with a known truth.
    """

    value: float
    se: float
    n: int


def ranking(run: Path, task: Task, model: str, protocol: str) -> Ranking:
    """Return the ranking of one model's first target, from a run's ``predictions.csv``.

    Raises
    ------
    BrokenContractError
        If no fold holds two units of different truth.
    """
    target = task.targets_of(model)[0]
    table = pd.read_csv(run / "predictions.csv", dtype={"event": str, "y_true": str})
    chosen = (table["protocol"] == protocol) & (table["model"] == model)
    table = table[chosen & (table["target"] == target.name)].dropna(subset=["y_true", "score"])
    parts: list[Array] = []
    for name in _ranked_classes(target):
        rows = table if name is None else table[table["event"] == name]
        folds = [
            _continuous(fold) if name is None else _binary(fold, name)
            for _, fold in rows.groupby("fold")
        ]
        known = [fold for fold in folds if fold is not None]
        parts += [np.array(known)] if known else []
    require(
        parts, f"no fold of {model} holds two units of different {target.name}; take more patients"
    )
    n_pairs = sum(float(part[:, 2].sum()) for part in parts)
    value = sum(float(part[:, 2] @ part[:, 0]) for part in parts) / n_pairs
    # Folds are independent; classes share their units, so their errors may add up in full.
    se = sum(float(np.sqrt(part[:, 2] ** 2 @ part[:, 1])) for part in parts) / n_pairs
    return Ranking(value, se, len(table) // max(1, table["event"].nunique()))


def _ranked_classes(target: Target) -> tuple[str | None, ...]:
    """Return the classes that are ranked against the rest; None for a number."""
    if target.kind == "continuous":
        return (None,)
    return target.classes[1:] if target.kind == "binary" else target.classes


def _binary(fold: pd.DataFrame, name: str) -> tuple[float, float, float] | None:
    """Return AUC, its null variance (Mann and Whitney 1947) and the number of pairs."""
    positive = (fold["y_true"] == name).to_numpy()
    n, m = int(positive.sum()), int((~positive).sum())
    if not n or not m:
        return None
    ranks = fold["score"].rank().to_numpy()
    area = (ranks[positive].sum() - n * (n + 1) / 2) / (n * m)
    return float(area), (n + m + 1) / (12 * n * m), n * m


def _continuous(fold: pd.DataFrame) -> tuple[float, float, float] | None:
    """Return Kendall's tau on the scale of an AUC, its null variance and the number of pairs."""
    n = len(fold)
    if n < 2:
        return None
    tau = kendalltau(fold["y_true"].astype(float), fold["score"]).statistic
    variance = 2 * (2 * n + 5) / (9 * n * (n - 1))
    # A constant score ranks nothing; its tau is not a number.
    return 0.5 + (0.0 if np.isnan(tau) else tau / 2), variance / 4, n * (n - 1) / 2


# Checks of chance and truth: with labels that mean nothing a plugin finds nothing, else it does.
#
# Over the whole pipeline, under the honest protocol.


def the_planted_effect_is_recovered(case: TaskCase) -> None:
    """The first model ranks synthetic patients at least as well as the author says it must."""
    first, planted = case.task.models[0].name, case.sizes.planted
    require(
        planted is None or case.task_name in planted,
        f"say in `planted` what concordance the first model of {case.task_name!r} must reach on "
        "the synthetic cohort",
    )
    found = ranking(case.honest_run, case.task, first, "honest")
    # Where no floor is stated, more than chance gives in 39 of 40 cohorts.
    least = 0.5 + 1.96 * found.se if planted is None else planted[case.task_name]
    require(
        found.value >= least,
        f"{first}: concordance {found.value:.3f} over {found.n} units, expected at least "
        f"{least:.3f}; plant a larger effect, take more patients, or train longer",
    )


def permuted_labels_give_chance(case: TaskCase) -> None:
    """The mean over the permutations lies within three standard errors of one half.

    Every model that is fitted takes part, baselines too; a rule is fitted on nobody, so that labels
    cannot mislead it.
    """
    values: dict[str, list[float]] = {}
    errors: dict[str, list[float]] = {}
    for seed in case.sizes.permutations:
        case.tell(f"running the task on permuted labels, seed {seed}")
        with permuted_labels(seed):
            run = case.run("honest")
        for name in _fitted(case, run):
            item = ranking(run, case.task, name, "honest")
            values.setdefault(name, []).append(item.value)
            errors.setdefault(name, []).append(item.se)
    for name, some in values.items():
        mean = float(np.mean(some))
        allowed = 3 * float(np.sqrt(np.mean(np.square(errors[name])) / len(some)))
        require(
            abs(mean - 0.5) <= allowed,
            f"{name}: concordance {mean:.3f} with labels that mean nothing, allowed "
            f"{0.5 - allowed:.3f} to {0.5 + allowed:.3f}; look for what tells it the tested labels",
        )


def the_same_request_gives_the_same_numbers(case: TaskCase) -> None:
    """Every estimate of metrics.json, to the last digit."""
    first, second = (
        _truth_json(run, "metrics.json") for run in (case.honest_run, case.run("honest"))
    )
    different = [(a["name"], a["model"]) for a, b in zip(first, second, strict=True) if a != b]
    require(
        not different,
        f"{len(different)} of {len(first)} numbers differ, such as {different[:1]}; draw every "
        "random number from ctx.rng",
    )


def _fitted(case: TaskCase, run: Path) -> list[str]:
    """Return the models of a run that were fitted; of a rule only its patients can be permuted."""
    models = _truth_json(run, "manifest.json")["models"]
    return [name for name in models if not case.task.model(name).rule]


def _truth_json(run: Path, name: str) -> Any:
    return json.loads((run / name).read_text(encoding="utf-8"))


OF_TRUTH = (
    the_planted_effect_is_recovered,
    permuted_labels_give_chance,
    the_same_request_gives_the_same_numbers,
)
