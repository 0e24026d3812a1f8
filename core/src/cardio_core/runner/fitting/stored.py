"""What a finished fit leaves in its folder, and how it is read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.errors import DataError
from cardio_core.evaluation.aggregate import prediction_frame, score_columns
from cardio_core.evaluation.decision import Decision
from cardio_core.io.atomic import write_json
from cardio_core.io.kept.models import CHOSEN, SEEN
from cardio_core.io.kept.models import MADE_FOR as KEPT_FOR
from cardio_core.io.store import load_table, save_table
from cardio_core.runner.standing.differing import NotTheSameError
from cardio_core.types.artifact import ModelArtifact
from cardio_core.types.file_names import SafeName
from cardio_core.types.info import Target
from cardio_core.types.notes import Note
from cardio_core.types.predictions import Predictions
from cardio_core.types.unpacking.fitting import require_fitting

MADE_FOR = "made_for.json"


def note_split(folder: Path, split: str) -> None:
    """Write into the folder of a fit the digest of the split that it is made for."""
    write_json(folder / MADE_FOR, {"split": split})


def guard_split(folder: Path, split: str, title: str) -> None:
    """Raise where a kept fit was made for other patients.

    That of an older core does not tell, and passes.

    Raises
    ------
    NotTheSameError
        Naming the fit.
    """
    file = folder / MADE_FOR
    if file.is_file() and KEPT_FOR.read(file)["split"] != split:
        raise NotTheSameError(
            f"--resume: the kept fit {title} was made for other patients than fall into its fold "
            f"now; delete {'/'.join(folder.parts[-3:])} in the run directory, or start a new run"
        )


def write_chosen(
    folder: Path,
    *,
    candidate: dict[str, Any],
    epochs: int | None,
    decisions: list[Decision],
    notes: Sequence[Note],
) -> None:
    """Write what was chosen for a fit, and what it noted."""
    stored = [decision.to_dict() for decision in decisions]
    said = [note.to_dict() for note in notes]
    chosen = {"candidate": candidate, "epochs": epochs, "decisions": stored, "notes": said}
    write_json(folder / "chosen.json", chosen)


def open_artifact(folder: Path) -> ModelArtifact:
    """Return the fitted model in a model's folder, none of whose files is too large to read."""
    artifact = ModelArtifact(folder / "artifact")
    require_fitting(sorted(artifact.path.rglob("*")))
    seen = SEEN.read(artifact.path / "seen.json")["subjects"]
    return ModelArtifact(artifact.path, seen=tuple(seen))


def open_decisions(folder: Path, targets: tuple[Target, ...]) -> dict[str, Decision]:
    """Return the decision rules in a model's folder, by target."""
    path = folder / "chosen.json"
    stored = CHOSEN.read(path)["decisions"]
    found = {d["target"]: Decision(d["target"], tuple(d["offsets"]), d["source"]) for d in stored}
    for target in targets:
        n = len(found[target.name].offsets) if target.name in found else len(target.classes)
        if n != len(target.classes):
            raise DataError.unusable(
                path.name,
                f"an offset for each of {len(target.classes)} classes of {target.name}",
                f"{n}",
                CHOSEN.put_back,
            )
    return {target.name: found[target.name] for target in targets if target.name in found}


def predictions_file(target: Target) -> SafeName:
    """Return the name of the file of a model's predictions of one target."""
    return SafeName(f"predictions-{target.name}", ".npz")


def save_predictions(
    folder: Path,
    predictions: Predictions,
    samples: pd.DataFrame,
    targets: tuple[Target, ...],
    unit: Any,
) -> None:
    """Write one prediction frame a target, at the level at which it is tested."""
    for target in targets:
        frame = prediction_frame(predictions, samples, target, unit)
        save_table(folder / predictions_file(target), frame)
    if predictions.columns:
        named = {name: column.values for name, column in predictions.columns.items()}
        table = pd.DataFrame(named, index=pd.Index(predictions.ids, name="sample_id"))
        save_table(folder / "columns.npz", table)
        units = {name: column.unit for name, column in predictions.columns.items()}
        write_json(folder / "columns.json", units)


def read_predictions(folder: Path, target: Target) -> pd.DataFrame:
    """Return the prediction frame of one target of a finished model.

    Raises
    ------
    DataError
        If it is not there, is damaged, or lacks a score.
    """
    path = folder / predictions_file(target)
    frame = load_table(path)
    if not set(score_columns(target)) <= set(frame.columns):
        raise DataError.unusable(
            path.name, "a score of every class", "fewer", "put back a whole copy of the folder"
        )
    return frame
