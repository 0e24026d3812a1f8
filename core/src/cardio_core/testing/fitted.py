"""Contract: what a finished run of one task leaves behind, and what it does with new patients."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from unittest import mock

import numpy as np

from cardio_core.testing.samples import make_twin

if TYPE_CHECKING:
    from cardio_core.registry import Plugin
    from cardio_core.testing.driving import Bench
    from cardio_core.types.features import FeatureSet

EXPECTED = (
    "manifest.json", "config.yaml", "splits.json", "predictions.csv", "metrics.json",
    "report.html", "log.jsonl", "models/final",
)  # fmt: skip


class FittedContract:
    """A run ends with everything in its place; its models are data, and predict the same anywhere.

    Subclasses provide `opened`, `bench`, `cohort`, `features` and `finished`: a run directory of
    the task at small size.
    """

    score_tolerance = 1e-5

    def test_a_run_ends_with_every_file_in_its_place(self, finished: Path) -> None:
        """The manifest says so, and every number stands with its interval's method."""
        status = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))["status"]
        assert status == "done", f"the run ended as {status!r}"
        missing = [name for name in EXPECTED if not (finished / name).exists()]
        assert not missing, f"the run lacks {', '.join(missing)}"
        metrics = json.loads((finished / "metrics.json").read_text(encoding="utf-8"))
        assert metrics, "the run has no metrics"
        bare = [row["name"] for row in metrics if not row["method"]]
        assert not bare, f"metrics without a method: {', '.join(sorted(set(bare)))}"

    def test_models_hold_no_pickle(self, finished: Path) -> None:
        """Opening a pickle runs whatever its author wrote into it."""
        from cardio_core.runner.calls import PICKLES

        for path in (finished / "models").rglob("*"):
            if path.is_file():
                assert path.suffix not in PICKLES, f"{path.name} is a pickle by its name"
                assert not _is_pickle(path), f"{path.name} is a pickle by its content"

    def test_new_patients_are_predicted_without_unpickling_anything(
        self, opened: Plugin, task: str, finished: Path, tmp_path: Path
    ) -> None:
        """`cardio predict` answers for patients whom the run has never seen."""
        from cardio_core.runner.predicting.new_patients import predict_new

        new = make_twin(opened, task, tmp_path / "new", n_patients=3, seed=12345)
        with no_unpickling():
            answer = predict_new(finished, (new,), device="cpu")
        assert not answer["quarantined"], f"quarantined: {answer['quarantined'][0]}"
        models = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))["models"]
        about = opened.info.task(task)
        targets = {target.name for model in models for target in about.targets_of(model)}
        assert {row["target"] for row in answer["predictions"]} == targets
        json.dumps(answer, allow_nan=False)

    def test_a_prediction_does_not_depend_on_what_else_is_predicted(
        self, bench: Bench, finished: Path, features: dict[str, FeatureSet]
    ) -> None:
        """Neither on the order nor on the company: models see one sample at a time."""
        from cardio_core.types.features import concatenate

        together = concatenate(list(features.values()))
        first = next(iter(features.values()))
        backwards = together.view(np.arange(len(together))[::-1])
        manifest = json.loads((finished / "manifest.json").read_text(encoding="utf-8"))
        for model in manifest["models"]:
            if bench.task.model(model).fuses:
                continue
            whole = _scores(bench, finished, model, together)
            for how, some in (("alone", first), ("in reverse order", backwards)):
                again = _scores(bench, finished, model, some)
                worst = max(float(np.max(np.abs(again[i] - whole[i]))) for i in again)
                assert worst <= self.score_tolerance, (
                    f"row {model}: scores differ by {worst:.2g} when predicted {how}"
                )


@contextmanager
def no_unpickling() -> Iterator[None]:
    """Let every attempt to open a pickle fail."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a pickle was opened; use safetensors, JSON or skops")

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
    import zipfile

    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".pkl") for name in archive.namelist())
    head = path.read_bytes()[:2]
    # Protocols 2 and later begin with the opcode PROTO and the version.
    return len(head) == 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def _scores(bench: Bench, run: Path, model: str, features: FeatureSet) -> dict[str, Any]:
    """Return the scores of the row's first target by id, -1 where it has none."""
    predictions = bench.predict(run, model, features)
    target = bench.task.targets_of(model)[0]
    scores = np.nan_to_num(np.asarray(predictions.scores[target.name], dtype=float), nan=-1.0)
    return dict(zip(predictions.ids, scores, strict=True))
