"""Finished runs written by hand: the files that a fusion reads, and nothing else."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_stats.files import write_json

CLASSES = ("no", "yes")


def latent(n: int, seed: int = 0, a: float = 1.5, b: float = 1.0) -> pd.DataFrame:
    """Patients whose log odds are ``a z1 + b z2``; a modality sees one z each."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, 2))
    p = 1 / (1 + np.exp(-(a * z[:, 0] + b * z[:, 1])))
    y = (rng.random(n) < p).astype(int)
    names = [f"P{i:03d}" for i in range(n)]
    return pd.DataFrame({"z1": z[:, 0], "z2": z[:, 1], "p": p, "y": y}, index=names)


def folds_of(names: pd.Index, k: int = 4, seed: int = 0) -> np.ndarray:
    """Draw k folds at random."""
    drawn = np.random.default_rng(seed).permutation(len(names)) % k
    return np.array([f"r0-f{i}" for i in drawn])


def made_run(
    folder: Path,
    score: pd.Series,
    y: pd.Series,
    fold: np.ndarray | None = None,
    *,
    repeat: int | np.ndarray = 0,
    classes: tuple[str, str] = CLASSES,
    target: str = "sick",
    level: str = "patient",
    plan: str = "nested",
    **manifest: Any,
) -> Path:
    """Write a run whose only model has these out-of-fold probabilities, indexed by patient."""
    folder.mkdir(parents=True)
    fold = folds_of(score.index) if fold is None else fold
    about: dict[str, Any] = {
        "status": "done", "name": folder.name, "plugin": "toy",
        "task": "mean_class", "protocols": ["honest"], "models": ["net"], "primary": "net",
        "model_titles": {"net": "Small network"}, "outcome_column": None,
        "targets": [{"name": target, "kind": "binary", "classes": list(classes), "unit": "",
                     "unscored": []}],
        "data": {"source": "real", "n_patients": len(score)}, "seed": 0, "config_digest": "0",
        "device": {"name": "CPU", "precision": "32"}, "packages": {},
        "core_version": version("cardio-core"),
        "plugin_version": "0.1.0", "needs": [], "stages": {}, "notes": [], "split_digest": "0",
    }  # fmt: skip
    write_json(folder / "manifest.json", about | manifest)
    truth = np.asarray(classes, object)[y.loc[score.index].to_numpy(int)]
    pd.DataFrame(
        {"protocol": "honest", "sample_id": None, "recording_id": None, "study_id": None,
         "patient_id": score.index, "level": level, "time_s": None, "repeat": repeat,
         "fold": fold, "model": "net", "target": target, "event": classes[1], "y_true": truth,
         "predicted": np.where(score >= 0.5, classes[1], classes[0]),
         "score": score.to_numpy(float)}
    ).to_csv(folder / "predictions.csv", index=False)  # fmt: skip
    tested = pd.Series(score.index).groupby(fold).apply(list)
    folds = [{"name": name, "train": [], "test": who} for name, who in tested.items()]
    honest = {"protocol": "honest", "plan": plan, "unit": "patient", "folds": folds}
    write_json(folder / "splits.json", {"protocols": {"honest": honest}})
    return folder


def seen(z: pd.Series, slope: float) -> pd.Series:
    """The probability that a modality which sees one z would give, by a slope of its own."""
    return 1 / (1 + np.exp(-slope * z))
