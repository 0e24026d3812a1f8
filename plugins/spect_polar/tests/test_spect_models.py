"""Models of crt_response: what each looks at, is fitted on, and says of a patient."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from spect_phase_maps import Planted, example_patients

import cardio_stats as stats
from cardio_core.api import Context, DataError, ModelArtifact
from cardio_core.testing import refuses
from cardio_spect_polar.plugin import CRT_RESPONSE
from cardio_spect_polar.polar.segment_names import SEGMENT_NAMES
from cardio_spect_polar.response.config import ExplainBlock, TrainBlock
from cardio_spect_polar.response.explain import explain
from cardio_spect_polar.response.models import RECIPES
from cardio_spect_polar.response.patients import measured, outcomes, patients_of
from cardio_spect_polar.response.predict import predict
from cardio_spect_polar.response.train import train

Y = np.random.default_rng(0).permutation(
    np.concatenate([np.repeat([1.0, 0.0], [36, 44]), np.full(6, np.nan)])
)
FITTED, TESTED = np.arange(60), np.array([i for i in range(60, 86) if np.isfinite(Y[i])])
PLANTED = Planted(segments=(5, 6, 11, 12), mean_deg=45.0, sd_deg=10.0)
HONEST = TrainBlock(
    covariates=("age_y", "male", "acei_arb"),
    autoencoder={"hidden": 24, "n_features": 8, "n_seeds": 3, "max_epochs": 8,
                 "learning_rate": 3e-3},
    screen={"n_permutations": 499},
)  # fmt: skip
PAPER = TrainBlock(
    covariates=("age_y", "male", "acei_arb"),
    autoencoder={"kind": "paper", "hidden": 24, "n_features": 8, "n_steps": 60},
    screen={"by": "p", "at_most": 1, "n_permutations": 99},
    regression={"method": "ml", "screen_covariates": True},
)


@pytest.fixture(scope="module")
def cohort():
    return example_patients(Y, planted=PLANTED, rings=8, angles=24)


@pytest.fixture(scope="module")
def fit(cohort, tmp_path_factory):
    features, targets = cohort
    cache = tmp_path_factory.mktemp("cache")
    made: dict[tuple[str, str], tuple[ModelArtifact, Context]] = {}

    def fitted(recipe: str, protocol: str = "honest") -> tuple[ModelArtifact, Context]:
        if (recipe, protocol) not in made:
            ctx = Context(
                CRT_RESPONSE, hook="train", protocol=protocol, model=recipe, fold="r0-f0",
                _out=tmp_path_factory.mktemp(recipe), cache=cache,
            )  # fmt: skip
            block = HONEST if protocol == "honest" else PAPER
            made[recipe, protocol] = (train(features.view(FITTED), None, targets, block, ctx), ctx)
        return made[recipe, protocol]

    return fitted


def test_every_declared_row_is_defined_and_no_other():
    assert tuple(model.name for model in CRT_RESPONSE.models) == tuple(RECIPES)


@pytest.mark.parametrize("protocol", ["honest", "paper"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_model_gives_every_tested_patient_a_probability(cohort, fit, recipe, protocol):
    features, _ = cohort
    model, ctx = fit(recipe, protocol)
    found = predict(model, features.view(TESTED), None, ctx)
    scores = found.scores["response"]
    assert found.ids == tuple(f"p{i:03d}" for i in TESTED)
    assert ((scores > 0) & (scores < 1)).all()
    assert found.columns["psd_deg"].unit == "deg"
    assert not [file for file in model.path.rglob("*") if file.suffix in (".pkl", ".pt")]


def test_a_patient_is_scored_alike_in_any_company(cohort, fit):
    features, _ = cohort
    model, ctx = fit("clinical_autoencoder")
    together = predict(model, features.view(TESTED), None, ctx).scores["response"]
    alone = [
        predict(model, features.view(TESTED[i : i + 1]), None, ctx).scores["response"][0]
        for i in range(5)
    ]
    np.testing.assert_allclose(alone, together[:5], rtol=1e-9)


def test_codes_stand_beside_the_scores_with_their_unit(cohort, fit):
    features, _ = cohort
    for recipe, protocol, unit in (("autoencoder", "honest", "SD"), ("autoencoder", "paper", "1"),
                                ("pca", "honest", "SD")):  # fmt: skip
        model, ctx = fit(recipe, protocol)
        columns = predict(model, features.view(TESTED), None, ctx).columns
        prefix = "pc_" if recipe == "pca" else "ae_"
        codes = [name for name in columns if name.startswith(prefix)]
        assert codes == [f"{prefix}{i:02d}" for i in range(1, 9)]
        assert {columns[name].unit for name in codes} == {unit}


def test_the_honest_codes_find_a_planted_delay_in_patients_they_never_saw(cohort, fit):
    features, _ = cohort
    for recipe in ("autoencoder", "pca"):
        model, ctx = fit(recipe)
        scores = predict(model, features.view(TESTED), None, ctx).scores["response"]
        assert stats.auc(Y[TESTED], scores).value > 0.8


def test_the_traverse_map_of_the_entered_code_delays_the_planted_segments(cohort, fit):
    features, _ = cohort
    model, ctx = fit("autoencoder")
    view = features.view(TESTED)
    found = explain(model, view, predict(model, view, ctx), ExplainBlock(n_cases=1), ctx)
    (case,) = found.cases
    towards = np.sign(case.scores["r"])  # along the code, towards response
    change = [towards * case.scores[f"segment:{name}"] for name in SEGMENT_NAMES]
    planted = [segment - 1 for segment in PLANTED.segments]
    others = [i for i in range(17) if i not in planted]
    assert min(np.array(change)[planted]) > 20
    assert max(np.array(change)[others]) < min(np.array(change)[planted])
    assert case.scores["p_max_t"] < 0.05
    assert case.scores["mean_r"] > 0.9
    assert case.sample_id in view.table.index
    assert case.arrays["low"].shape == (8, 24)


def test_rows_without_codes_and_no_wanted_cases_explain_nothing(cohort, fit):
    features, _ = cohort
    view = features.view(TESTED)
    for recipe, n_cases in (("psd", 3), ("autoencoder", 0)):
        model, ctx = fit(recipe)
        predictions = predict(model, view, ctx)
        assert not explain(model, view, predictions, ExplainBlock(n_cases=n_cases), ctx).cases


def test_unlabelled_patients_shape_the_codes_but_not_the_regression(cohort, tmp_path):
    features, targets = cohort
    labelled = np.array([i for i in FITTED if np.isfinite(Y[i])])
    assert len(labelled) < len(FITTED)
    ctx = Context(CRT_RESPONSE, hook="train", protocol="honest", fold="r0-f0")

    def fitted(recipe: str, who: np.ndarray, name: str) -> dict:
        out = tmp_path / name
        out.mkdir()
        train(features.view(who), None, targets, HONEST, ctx.replace(model=recipe, _out=out))
        return json.loads((out / "model.json").read_text())["regression"]

    same = fitted("clinical", FITTED, "a"), fitted("clinical", labelled, "b")
    assert same[0] == same[1]
    other = fitted("pca", FITTED, "c"), fitted("pca", labelled, "d")
    assert other[0]["coefficients"] != other[1]["coefficients"]


def test_labels_of_patients_outside_the_fold_change_nothing(cohort, fit, tmp_path):
    features, targets = cohort
    flipped = targets.table.copy()
    flipped.iloc[TESTED] = 1 - flipped.iloc[TESTED]
    model, ctx = fit("clinical_autoencoder")
    other = train(
        features.view(FITTED), None, replace(targets, table=flipped), HONEST,
        ctx.replace(_out=tmp_path),
    )  # fmt: skip
    assert other.read_json("model.json") == model.read_json("model.json")


def test_the_published_row_adds_one_code_and_screens_covariates(fit):
    model, _ = fit("clinical_autoencoder", "paper")
    columns = model.read_json("model.json")["regression"]["columns"]
    assert sum(name.startswith("ae_") for name in columns) == 1
    assert "psd_deg" in columns
    notes = " ".join(map(str, model.notes))
    assert "the best linear code of as many features" in notes
    assert "covariates" in notes


def test_honest_codes_that_are_not_stable_are_not_tested(fit):
    model, _ = fit("autoencoder")
    about = json.loads((model.path / "codes.json").read_text())
    tested = model.read_json("screen.json")["tested"]["code"]
    assert set(tested) <= set(about["stable"])
    assert all(about["mean_r"][code] >= 0.9 for code in tested)


def test_a_validation_fold_chooses_the_epoch_and_a_given_one_is_kept(cohort, tmp_path):
    features, targets = cohort
    ctx = Context(CRT_RESPONSE, hook="train", protocol="honest", model="autoencoder",
                  fold="r0-f0-i0", _out=tmp_path)  # fmt: skip
    chosen = train(features.view(FITTED[:45]), features.view(FITTED[45:]), targets, HONEST, ctx)
    assert chosen.best_epoch is not None
    assert 1 <= chosen.best_epoch <= 8
    fitted = train(features.view(FITTED), None, targets, HONEST, ctx.replace(epochs=2))
    assert fitted.best_epoch == 2


def test_a_measurement_that_nobody_has_is_named(cohort):
    features, _ = cohort
    with refuses(DataError, "train.covariates", "bmi"):
        measured(features, ("bmi",))


def test_two_studies_of_one_patient_are_refused(cohort):
    features, _ = cohort
    table = features.table.assign(patient_id="one")
    with refuses(DataError, "crt_response", "--state"):
        patients_of(replace(features, table=table))


def test_class_names_and_numbers_say_the_same(cohort):
    features, targets = cohort
    named = targets.table["response"].map({1.0: "yes", 0.0: "no"}).astype(object)
    other = replace(targets, table=pd.DataFrame({"response": named}))
    target = CRT_RESPONSE.targets[0]
    np.testing.assert_array_equal(
        outcomes(features, other, target), outcomes(features, targets, target)
    )
