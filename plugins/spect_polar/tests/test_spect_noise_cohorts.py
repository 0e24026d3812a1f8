"""What the published procedure finds in maps that mean nothing, and what the honest one does.

Fifty cohorts of 45 responders and 57 others. Phase maps are smooth noise. Three kinds of clinical
variables go with them:

- ``default``: the twelve covariates of the default configuration, none of which goes with the
  outcome; `paper` screens them at p < .1 and the 64 codes likewise, as the configuration says. This
  is pure noise through the whole published procedure.
- ``independent``: sex and ACE inhibitor alone, with their frequencies in all patients of He et al.
  2022, unscreened.
- ``published``: the same two with their frequencies in either group of Table 1, where sex goes with
  the outcome, so that an honest AUC is not .5 either.

Slow where it is made again: half an hour on a shared core.
``python plugins/spect_polar/tests/test_spect_noise_cohorts.py``.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spect_phase_maps import example_patients

import cardio_stats as stats
from cardio_core.api import Context, FeatureBlock, FeatureSet, Targets
from cardio_spect_polar.plugin import CRT_RESPONSE
from cardio_spect_polar.response.config import COVARIATES, TrainBlock
from cardio_spect_polar.response.predict import predict
from cardio_spect_polar.response.train import train

pytestmark = pytest.mark.slow  # of the stored study

STORED = Path(__file__).parent / "stored" / "spect_noise_cohorts.json"
N_COHORTS, N_WITH, N_WITHOUT, N_FOLDS = 50, 45, 57, 5
RINGS, ANGLES = 8, 24
COUNTS = {"male": (37, 37), "acei_arb": (37, 51)}
PSD_DEG = ((58.6, 18.3), (57.7, 19.0))
ROWS = ("clinical_psd", "clinical_autoencoder", "autoencoder")
FLAGS = {
    "male": 0.73, "smoking": 0.36, "ischemic_aetiology": 0.45, "cad": 0.25, "ckd": 0.07,
    "acei_arb": 0.86,
}  # fmt: skip
"""Of the twelve covariates of the configuration, the binary ones with about their frequencies."""
KINDS = ("default", "independent", "published")
COMMON: dict[str, Any] = {"covariates": ("male", "acei_arb")}
BLOCKS = {
    "paper": TrainBlock(
        **COMMON,
        autoencoder={"kind": "paper", "hidden": 64, "n_features": 64, "n_steps": 1000},
        screen={"by": "p", "alpha": 0.1, "at_most": 1},
        regression={"method": "ml", "ridge_c": 1.0},
    ),
    "honest": TrainBlock(
        **COMMON,
        autoencoder={
            "hidden": 64, "n_features": 64, "n_seeds": 5, "max_epochs": 10,
            "learning_rate": 3e-3,
        },
        screen={"n_permutations": 999, "at_least": 16},
        regression={"ridge_c": 0.1},
    ),
}  # fmt: skip


def block_of(covariates: str, protocol: str) -> TrainBlock:
    block = BLOCKS[protocol]
    if covariates != "default":
        return block
    screened = protocol == "paper"
    regression = block.regression.model_copy(update={"screen_covariates": screened})
    return block.model_copy(update={"covariates": COVARIATES, "regression": regression})


def meaningless_covariates(n: int, rng: np.random.Generator) -> FeatureBlock:
    """Twelve covariates, flags with a frequency and numbers with a scale, drawn for nobody."""
    columns = [
        rng.random(n) < FLAGS[name] if name in FLAGS else rng.normal(size=n) for name in COVARIATES
    ]
    values = np.column_stack(columns).astype(np.float32)
    return FeatureBlock(values, ("name",), COVARIATES, ("1",))


def cohort(number: int, covariates: str) -> tuple[FeatureSet, Targets, np.ndarray]:
    rng = np.random.default_rng([20261121, number])
    y = rng.permutation(np.repeat([1.0, 0.0], [N_WITH, N_WITHOUT]))
    features, targets = example_patients(y, seed=number, rings=RINGS, angles=ANGLES)
    clinical, indices = features["clinical"], features["indices"]
    values, measured = np.array(clinical.values), np.array(indices.values)
    for name, (with_event, without) in COUNTS.items() if covariates != "default" else ():
        share = np.full(len(y), (with_event + without) / (N_WITH + N_WITHOUT))
        if covariates == "published":
            share = np.where(y == 1, with_event / N_WITH, without / N_WITHOUT)
        values[:, clinical.names.index(name)] = rng.random(len(y)) < share
    (mean_1, sd_1), (mean_0, sd_0) = PSD_DEG
    if covariates != "published":
        mean_1 = mean_0 = (N_WITH * mean_1 + N_WITHOUT * mean_0) / (N_WITH + N_WITHOUT)
        sd_1 = sd_0 = (sd_1 + sd_0) / 2
    drawn = rng.normal(np.where(y == 1, mean_1, mean_0), np.where(y == 1, sd_1, sd_0))
    measured[:, indices.names.index("psd_deg")] = drawn
    clinical = replace(clinical, values=values)
    if covariates == "default":
        clinical = meaningless_covariates(len(y), rng)
    blocks = dict(features.blocks) | {
        "clinical": clinical,
        "indices": replace(indices, values=measured),
    }
    return FeatureSet(features.table, blocks), targets, y


def scores(
    features: FeatureSet,
    targets: Targets,
    row: str,
    protocol: str,
    block: TrainBlock,
    folds: np.ndarray,
    cache: Path,
) -> np.ndarray:
    """Probabilities of response: of the patients fitted on, or out of fold."""
    found = np.full(len(features), np.nan)
    everybody = np.arange(len(features))
    for fold in np.unique(folds):
        tested = np.flatnonzero(folds == fold)
        fitted = everybody if protocol == "paper" else np.flatnonzero(folds != fold)
        with tempfile.TemporaryDirectory() as out:
            ctx = Context(
                CRT_RESPONSE, hook="train", protocol=protocol, model=row, fold=f"r0-f{fold}",
                _out=Path(out), cache=cache,
            )  # fmt: skip
            model = train(features.view(fitted), None, targets, block, ctx)
            made = predict(model, features.view(tested), ctx)
        found[tested] = made.scores["response"]
    return found


def stratified(y: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    folds = np.empty(len(y), int)
    for label in (0, 1):
        own = np.flatnonzero(y == label)
        folds[own] = rng.permutation(np.arange(len(own)) % N_FOLDS)
    return folds


def one_cohort(number: int, cache: Path) -> list[dict[str, Any]]:
    rows = []
    for covariates in KINDS:
        features, targets, y = cohort(number, covariates)
        found: dict[str, Any] = {"cohort": number, "covariates": covariates}
        for protocol in BLOCKS:
            rng = np.random.default_rng([7, number])
            folds = np.zeros(len(y), int) if protocol == "paper" else stratified(y, rng)
            for row in ROWS:
                if row == "autoencoder" and rows:  # looks at nothing that differs
                    found[f"{protocol} {row}"] = rows[0][f"{protocol} {row}"]
                    continue
                block = block_of(covariates, protocol)
                score = scores(features, targets, row, protocol, block, folds, cache)
                found[f"{protocol} {row}"] = stats.auc(y, score).value
        rows.append(found)
    return rows


def make(n_cohorts: int = N_COHORTS) -> dict[str, Any]:
    started = time.monotonic()
    rows = []
    for number in range(n_cohorts):
        with tempfile.TemporaryDirectory() as cache:
            rows += one_cohort(number, Path(cache))
        sys.stderr.write(f"cohort {number}, {time.monotonic() - started:.0f} s\n")
    summary = {}
    for covariates in KINDS:
        own = [row for row in rows if row["covariates"] == covariates]
        for name in (key for key in own[0] if key not in ("cohort", "covariates")):
            values = np.array([row[name] for row in own])
            summary[f"{covariates}, {name}"] = {
                "mean": round(float(values.mean()), 4),
                "sd": round(float(values.std(ddof=1)), 4) if len(values) > 1 else None,
            }
    return {
        "made_by": "test_spect_noise_cohorts.make()", "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "n_cohorts": n_cohorts, "n_with": N_WITH, "n_without": N_WITHOUT, "n_folds": N_FOLDS,
        "grid": [RINGS, ANGLES], "seconds": round(time.monotonic() - started),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, shared",
        "train": {name: block.model_dump(mode="json") for name, block in BLOCKS.items()},
        "summary": summary, "cohorts": rows,
    }  # fmt: skip


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    return json.loads(STORED.read_text())


def mean(stored: dict[str, Any], covariates: str, row: str) -> float:
    """From the cohorts themselves, not from the summary."""
    own = [one for one in stored["cohorts"] if one["covariates"] == covariates]
    assert len(own) == N_COHORTS
    return float(np.mean([one[row] for one in own]))


def test_the_stored_study_is_dated_and_made_with_the_settings_of_this_file(stored):
    assert stored["date"]
    assert (stored["n_cohorts"], stored["n_with"], stored["n_without"]) == (50, 45, 57)
    for name, block in BLOCKS.items():
        assert TrainBlock(**stored["train"][name]) == block


def test_the_published_procedure_finds_its_published_auc_in_meaningless_maps(stored):
    assert 0.69 <= mean(stored, "published", "paper clinical_autoencoder") <= 0.73
    reached = [
        one["paper clinical_autoencoder"] >= 0.72
        for one in stored["cohorts"]
        if one["covariates"] == "published"
    ]
    # screening_noise, of independent normal features: .385 of 10,000 studies
    assert np.mean(reached) == pytest.approx(0.385, abs=0.14)


def test_the_whole_published_procedure_finds_an_auc_in_pure_noise_and_the_honest_one_does_not(
    stored,
):
    assert 0.69 <= mean(stored, "default", "paper clinical_autoencoder") <= 0.73
    assert 0.47 <= mean(stored, "default", "honest clinical_autoencoder") <= 0.55


def test_meaningless_maps_are_worth_nothing_out_of_fold(stored):
    assert 0.47 <= mean(stored, "published", "honest autoencoder") <= 0.55
    assert 0.47 <= mean(stored, "independent", "honest clinical_autoencoder") <= 0.55


def test_what_is_left_out_of_fold_belongs_to_sex_and_not_to_the_codes(stored):
    with_codes = mean(stored, "published", "honest clinical_autoencoder")
    without = mean(stored, "published", "honest clinical_psd")
    assert abs(with_codes - without) < 0.02
    apparent_gain = mean(stored, "published", "paper clinical_autoencoder") - mean(
        stored, "published", "paper clinical_psd"
    )
    assert apparent_gain > 0.05


def test_the_first_cohort_can_be_found_again(stored, tmp_path):
    made = one_cohort(0, tmp_path)
    for again, before in zip(made, stored["cohorts"][: len(KINDS)], strict=True):
        for name in (key for key in before if key not in ("cohort", "covariates")):
            assert again[name] == pytest.approx(before[name], abs=0.05)


if __name__ == "__main__":
    STORED.parent.mkdir(exist_ok=True)
    STORED.write_text(json.dumps(make(int(sys.argv[1]) if len(sys.argv) > 1 else N_COHORTS),
                                 indent=1) + "\n")  # fmt: skip
