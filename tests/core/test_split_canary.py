"""The leakage canary: beats that carry nothing but their patient's signature.

71 patients with 12 beats each, labels drawn at random by patient. A split of beats finds every
test beat's patient in the training set and so its label; a split of patients can find nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier

from cardio_core.fold_assignment import inner_folds, plan_folds
from cardio_core.types.plans import Nested, RandomSamples

N_PATIENTS, N_BEATS, N_FEATURES = 71, 12, 8


def canary(seed: int, draw: int = 0) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the sample table, the features and one draw of the labels."""
    rng = np.random.default_rng([seed, draw])
    patients = np.repeat([f"P{n:02d}" for n in range(N_PATIENTS)], N_BEATS)
    signature = np.repeat(rng.normal(size=(N_PATIENTS, N_FEATURES)), N_BEATS, axis=0)
    x = signature + 0.1 * rng.normal(size=signature.shape)
    y = np.repeat(rng.permutation(np.arange(N_PATIENTS) % 2), N_BEATS)
    index = [f"{patient}#{n % N_BEATS}" for n, patient in enumerate(patients)]
    table = pd.DataFrame({"patient_id": patients, "subject_id": patients}, index=index)
    return table, x, y


def out_of_fold(plan: object, protocol: str, seed: int, draw: int = 0) -> pd.DataFrame:
    """Return the scores of all tested beats, beside their patient and label."""
    table, x, y = canary(seed, draw)
    made = plan_folds(plan, table, y, protocol=protocol, name="canary", seed=seed)
    parts = []
    for fold in made.folds:
        fitted = KNeighborsClassifier(5).fit(x[fold.train], y[fold.train])
        scores = fitted.predict_proba(x[fold.test])[:, 1]
        patients = table["patient_id"].to_numpy()[fold.test]
        parts.append(pd.DataFrame({"patient": patients, "y": y[fold.test], "score": scores}))
    return pd.concat(parts)


@pytest.mark.parametrize("seed", range(5))
def test_a_split_of_beats_recognises_the_patient(seed):
    plan = RandomSamples(overlap="beats are split at random", test_share=0.2)
    beats = out_of_fold(plan, "paper", seed)
    assert roc_auc_score(beats["y"], beats["score"]) >= 0.99


def test_a_split_of_patients_finds_nothing():
    # One draw of 71 labels scatters by 0.08, so the mean of 20 draws would leave 0.5 +- 0.04 once
    # in 30 times by chance alone; four draws for each seed make that once in 100,000.
    found = np.empty((20, 4))
    for seed, draw in np.ndindex(found.shape):
        beats = out_of_fold(Nested(k=5), "honest", seed, draw)
        assert len(beats) == N_PATIENTS * N_BEATS
        patients = beats.groupby("patient")[["y", "score"]].mean()
        found[seed, draw] = roc_auc_score(patients["y"], patients["score"])
    assert found.mean() == pytest.approx(0.5, abs=0.04)
    # Measured elsewhere for this design: 0.515 +- 0.090.
    assert found.std() == pytest.approx(0.09, abs=0.03)


@pytest.mark.parametrize("k", [1, 4])
def test_inner_folds_keep_a_patient_on_one_side_as_well(k):
    table, _, y = canary(0)
    folds = inner_folds(table, y, k=k, share=0.2, unit="patient", seed=0)
    assert len(folds) == k
    subjects = table["subject_id"].to_numpy()
    for fit, validate in folds:
        assert not set(subjects[fit]) & set(subjects[validate])
        assert len(fit) + len(validate) == len(table)
