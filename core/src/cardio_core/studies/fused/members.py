"""The members of a fusion: finished runs, each brought to one out-of-fold score a patient."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import ConfigError, DataError
from cardio_core.io.kept.predictions import read_predictions
from cardio_core.io.store import load_table
from cardio_core.runner.fitting.stored import open_decisions, predictions_file
from cardio_core.runner.manifest import Manifest
from cardio_core.studies.fused.scores import one_a_patient
from cardio_core.types.info import Target

FUSION, MEAN, GUIDELINE = "fusion", "mean_log_odds", "guideline"
CLINICAL, BOTH = "clinical", "fusion_clinical"
RESERVED = (FUSION, MEAN, CLINICAL, BOTH, GUIDELINE)
"""Names of the models that a fusion adds to its members, which no member can have."""

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_IDS = ("sample_id", "study_id", "patient_id")
_KINDS = {
    "judged": "holds predictions of others, which no final model can repeat for new patients",
    "exported": "holds final models without predictions; name the run that it was exported from",
    "fused": "is a fusion itself; name the runs that it fuses",
}


@dataclass(frozen=True)
class Member:
    """One run, and the model of it that is fused.

    Attributes
    ----------
    label : str
        How it is called.
    run : Path
    manifest : mapping
        Of the run.
    model : str
        Name in that run.
    target : Target
        Binary, as that run has it.
    rows : DataFrame
        One row a patient and repeat, in the order of the predictions: patient_id, subject_id,
        repeat, fold (its name in that run), y (0 or 1), score (probability of the event), decided
        (0 or 1, by the threshold of that run's fold), n_units (predictions behind the score).
    turned : bool
        Whether the event of the fusion is the first class of `target`, not the second.
    """

    label: str
    run: Path
    manifest: Mapping[str, Any]
    model: str
    target: Target
    rows: pd.DataFrame
    turned: bool = False

    @property
    def event(self) -> str:
        """The class of the run's own target whose probability `rows` holds."""
        return self.target.classes[0 if self.turned else 1]

    @property
    def title(self) -> str:
        """The model's title with the label before it."""
        titles: Mapping[str, str] = self.manifest.get("model_titles") or {}
        return f"{self.label}: {titles.get(self.model, self.model)}"

    @property
    def truth(self) -> pd.Series:
        """The outcome (0 or 1) by patient."""
        return self.rows.drop_duplicates("patient_id").set_index("patient_id")["y"]

    @property
    def n_repeats(self) -> int:
        """How often its folds were drawn."""
        return int(self.rows["repeat"].nunique())


def open_members(texts: Sequence[str], outcome: str | None = None) -> list[Member]:
    """Open the runs of a fusion.

    Parameters
    ----------
    texts : sequence of str
        ``RUN``, ``LABEL=RUN``, each with ``:MODEL`` behind it where not the primary model counts.
    outcome : str, optional
        Which target of runs that have several; the first that is a yes or no, without.

    Raises
    ------
    ConfigError
        Fewer than two, two of one label, no run, an unfinished run, one of another cardio-core,
        or one without this model or without the honest protocol.
    DataError
        A target that is no yes or no, or patients of both outcomes in one run.
    """
    if len(texts) < 2:
        raise ConfigError(f"fuse: expected two runs or more, found {len(texts)}")
    named = [_named(text) for text in texts]
    labels = [label for label, _, _ in named]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice}: two runs of this name; write NAME=RUN for one of them")
    return [_open(label, run, model, outcome) for label, run, model in named]


def _named(text: str) -> tuple[str, Path, str]:
    """Return label, run and model of what was typed; a folder's own name may hold a colon."""
    label, equals, rest = text.partition("=")
    rest = rest if equals else text
    path, model = Path(rest), ""
    if not path.exists() and ":" in rest:
        before, _, model = rest.rpartition(":")
        path = Path(before)
    if not path.is_dir():
        raise ConfigError(f"{path}: no such run")
    label = label if equals else path.resolve().name
    if label in RESERVED:
        raise ConfigError(
            f"{label}: a fusion has a model of this name; write NAME=RUN with another"
        )
    if not _LABEL.fullmatch(label):
        raise ConfigError(
            f"{label!r}: expected a name of letters, digits, '_', '.', '+' or '-'; write NAME=RUN"
        )
    return label, path, model


def _open(label: str, run: Path, model: str, outcome: str | None) -> Member:
    manifest = finished(run)
    models = list(manifest.get("models") or [])
    model = model or str(manifest.get("primary") or next(iter(models), ""))
    if model not in models:
        raise ConfigError(f"{run}: has no model {model!r}; it has {', '.join(models) or 'none'}")
    if "honest" not in (manifest.get("protocols") or []):
        raise ConfigError(
            f"{run}: ran the paper protocol alone, whose predictions are no out-of-fold ones; run "
            "it again with --protocol honest"
        )
    target = _target(label, manifest, outcome)
    return Member(label, run, manifest, model, target, _rows(label, run, model, target))


def finished(run: Path) -> dict[str, Any]:
    """Return the manifest of a run that can be a member.

    Raises
    ------
    ConfigError
        In one line: no run, another cardio-core, not finished, or of a kind without predictions.
    """
    content = Manifest.open(run).content
    kind = str(content.get("kind") or "run")
    if kind != "run":
        raise ConfigError(f"{run}: {_KINDS.get(kind, f'is no run but {kind}')}")
    status = content.get("status")
    if status != "done" or not (run / "predictions.csv").is_file():
        raise ConfigError(
            f"{run}: its run is not finished ({status or 'no status'}); finish it with --resume"
        )
    return content


def _target(label: str, manifest: Mapping[str, Any], outcome: str | None) -> Target:
    found = [
        Target(one["name"], one["kind"], tuple(one["classes"]), one["unit"], tuple(one["unscored"]))
        for one in manifest["targets"]
    ]
    if outcome is not None:
        found = [one for one in found if one.name == outcome]
        if not found:
            names = ", ".join(one["name"] for one in manifest["targets"])
            raise ConfigError(f"--outcome {outcome}: {label} does not predict it; it has {names}")
    binary = [one for one in found if one.kind == "binary"]
    if not binary:
        kinds = {"multiclass": "several classes", "continuous": "a number"}
        raise DataError(
            f"{label}: expected an outcome of two classes, found {found[0].name}, "
            f"{kinds.get(found[0].kind, found[0].kind)}; runs are fused on a yes or no"
        )
    return binary[0]


def _rows(label: str, run: Path, model: str, target: Target) -> pd.DataFrame:
    table = read_predictions(run / "predictions.csv")
    chosen = (
        (table["protocol"] == "honest")
        & (table["model"] == model)
        & (table["target"] == target.name)
        & (table["event"] == target.classes[1])
    )
    table = table[chosen & table["y_true"].notna() & table["score"].notna()]
    if table.empty:
        raise DataError(
            f"{label}: model {model!r} has no out-of-fold prediction of {target.name} under the "
            "honest protocol; name another with RUN:MODEL"
        )
    y = (table["y_true"] == target.classes[1]).astype(int)
    by_patient = y.groupby(table["patient_id"])
    mixed = int((by_patient.min() != by_patient.max()).sum())
    if mixed:
        raise DataError(
            f"{label}: {mixed} patients have predictions of both outcomes; runs are fused by "
            "patient, so give one outcome a patient"
        )
    rows = pd.DataFrame(
        {
            "patient_id": table["patient_id"],
            "repeat": table["repeat"].astype(int),
            "fold": table["fold"],
            "y": y,
            "score": table["score"].astype(float),
            "decided": (table["predicted"] == target.classes[1]).astype(int),
        }
    )
    made = one_a_patient(rows, ["repeat", "patient_id"])
    made["decided"] = _decided(made, run, model, target)
    subjects = _subjects(run, model, target, list(made["fold"].unique()))
    found = made["patient_id"].map(subjects)
    return made.assign(subject_id=found.where(found.notna(), made["patient_id"]))


def _decided(rows: pd.DataFrame, run: Path, model: str, target: Target) -> np.ndarray:
    """Return what the run decided; where a score is of several, its fold's threshold decides."""
    decided = rows["decided"].to_numpy(int)
    several = (rows["n_units"] > 1).to_numpy()
    for fold in rows.loc[several, "fold"].unique():
        folder = run / "models" / f"honest-{fold}" / model
        known = (folder / "chosen.json").is_file()
        rule = open_decisions(folder, (target,)).get(target.name) if known else None
        here = several & (rows["fold"] == fold).to_numpy()
        threshold = rule.threshold if rule is not None else 0.5
        decided[here] = rows.loc[here, "score"].to_numpy(float) >= threshold
    return decided


def _subjects(run: Path, model: str, target: Target, folds: Sequence[str]) -> dict[str, str]:
    """Return the person behind each patient id, as far as the run's own predictions tell it."""
    found: dict[str, str] = {}
    for fold in folds:
        path = run / "models" / f"honest-{fold}" / model / predictions_file(target)
        if path.is_file():
            frame = load_table(path)
            found |= dict(
                zip(frame["patient_id"].astype(str), frame["subject_id"].astype(str), strict=True)
            )
    return found


def renamed(member: Member, target: Target) -> Member:
    """Return a member whose outcome is told in the words of another; the event stays the event."""
    if member.target.classes == target.classes[::-1]:
        turned = member.rows.assign(
            y=1 - member.rows["y"],
            score=1 - member.rows["score"],
            decided=1 - member.rows["decided"],
        )
        return replace(member, rows=turned, turned=True)
    return member
