"""Files, ids and devices that tell the outcome are warned of; those that do not are not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.api import Target
from cardio_core.evaluation.shortcuts import find_shortcuts, notes_on

N = 60
ILL = Target("ill", "binary", ("no", "yes"))


def cohort_of(seed: int) -> tuple[pd.DataFrame, pd.Series, list]:
    """Return properties that know nothing of the labels, the labels, and five folds."""
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"P{n:03d}" for n in range(N)])
    properties = pd.DataFrame(
        {
            "place in the data": np.arange(N),
            "file size": rng.normal(40_000, 900, N).round(),
            "file date": np.sort(rng.uniform(0, 9e6, N)),
            "number in the recording id": rng.permutation(N),
            "last digit of the patient id": [name[-1] for name in patients],
            "scanner": rng.choice(["A", "B", "C"], N),
            "length of axis 1": rng.integers(30, 60, N),
        },
        index=patients,
    )
    labels = pd.Series(np.where(rng.random(N) < 0.4, "yes", "no"), index=patients)
    folds = []
    for k in range(5):
        test = frozenset(patients[k::5])
        folds.append((frozenset(patients) - test, test))
    return properties, labels, folds


def warned(properties, labels, folds) -> list[str]:
    found = list(find_shortcuts(properties, labels, ILL, folds))
    return [note.text for note in notes_on(found) if note.severity == "warning"]


@pytest.mark.parametrize("first", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (20, 40))])
def test_of_twenty_cohorts_without_a_shortcut_one_at_most_is_warned_of(first):
    assert sum(bool(warned(*cohort_of(seed))) for seed in range(first, first + 20)) <= 1


def test_a_holdout_of_a_patient_of_each_class_says_nothing_out_of_fold():
    properties, labels, _ = cohort_of(0)
    test = frozenset(labels[labels == label].index[0] for label in ("no", "yes"))
    found = list(find_shortcuts(properties, labels, ILL, [(frozenset(labels.index) - test, test)]))
    assert {item.property for item in found} == set(properties.select_dtypes("number"))


@pytest.mark.parametrize(
    "kind",
    [
        "scanner",
        "date",
        *(pytest.param(k, marks=pytest.mark.slow) for k in ("size", "id", "order")),
    ],
)
def test_of_twenty_cohorts_with_a_planted_one_nineteen_are_warned_of(kind):
    found = 0
    for seed in range(20):
        properties, labels, folds = cohort_of(seed)
        ill = (labels == "yes").to_numpy()
        rng = np.random.default_rng(1000 + seed)
        if kind == "scanner":  # in four of five patients
            told = np.where(rng.random(N) < 0.9, ill, ~ill)
            properties["scanner"] = np.where(told, "A", "B")
        elif kind == "size":
            properties["file size"] += 2500 * ill
        elif kind == "id":
            properties["number in the recording id"] = rng.permutation(N) + 1000 * ill
        elif kind == "order":
            properties["place in the data"] = np.argsort(np.argsort(ill + rng.normal(0, 0.4, N)))
        else:
            properties["file date"] += 8e6 * ill
        found += bool(warned(properties, labels, folds))
    assert found >= 19


def test_a_perfect_one_is_named(run_toy, write_cohort, tmp_path):
    folder = write_cohort(tmp_path / "clinic", "mean_class", n_patients=24)
    table = pd.read_csv(folder / "cohort.csv", dtype=str)
    for _, row in table.iterrows():
        for file in row["path_ecg"].split(";"):
            day = 86_400 * (365 if row["x_ill"] == "1" else 1)
            os.utime(folder / file, (1.6e9 + day, 1.6e9 + day))
    out = run_toy(tmp_path / "run", data=(folder,), task="mean_class", protocol="honest")
    notes = json.loads((out / "manifest.json").read_text())["notes"]
    [note] = [one for one in notes if one["kind"] == "shortcut"]
    assert note["severity"] == "warning"
    assert "file date" in note["text"]
    first = pd.read_csv(Path(out) / "tables" / "honest-shortcuts.csv")
    assert "file date" in set(first["Known alone"])
    assert note["text"] in (out / "report.html").read_text()
