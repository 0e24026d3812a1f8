"""Checks of what a finished run leaves behind, and of what it does with new patients."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock

import numpy as np

from cardio_core.runner.calls import PICKLES
from cardio_core.runner.predicting.new_patients import predict_new
from cardio_core.testing.case import TaskCase
from cardio_core.testing.verdict import BrokenContractError, require
from cardio_core.types.features import FeatureSet, concatenate

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
    """`cardio predict` answers for patients whom the run has never seen."""
    new = case.synthesize(case.task_name, n_patients=3, seed=12345)
    finished = case.finished
    with no_unpickling():
        answer = predict_new(finished, (new,), device="cpu")
    bad = answer["quarantined"]
    require(not bad, f"its own synthetic recordings are quarantined, such as {bad[:1]}")
    models = _json(case, "manifest.json")["models"]
    expected = {target.name for model in models for target in case.task.targets_of(model)}
    found = {row["target"] for row in answer["predictions"]}
    require(found == expected, f"predicts {sorted(found)}, expected {sorted(expected)}")
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
)
