"""Late fusion: against glm and Firth elsewhere, by simulation with known weights, and by guards."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from cardio_core.errors import LeakageError
from cardio_core.evaluation.fusion import fuse
from cardio_core.testing import refuses
from cardio_core.types.info import Target
from cardio_stats.errors import DataError

TARGET = Target("response", "binary", ("no", "yes"))


def prediction_frame(logits, y, *, model, n_folds=5, repeat=0):
    """Return a frame with the columns of an out-of-fold prediction frame."""
    n = len(y)
    p = expit(logits)
    names = [f"p{i:04d}" for i in range(n)]
    return pd.DataFrame(
        {
            "unit_id": names,
            "sample_id": None,
            "recording_id": None,
            "study_id": None,
            "patient_id": names,
            "subject_id": names,
            "time_s": np.nan,
            "score:no": 1 - p,
            "score:yes": p,
            "level": "patient",
            "y_true": np.where(y == 1, "yes", "no").astype(object),
            "predicted": np.where(p > 0.5, "yes", "no"),
            "repeat": repeat,
            "fold": [f"r{repeat}-f{i % n_folds}" for i in range(n)],
            "model": model,
        }
    )


def two_markers(n, seed=0, effects=(1.0, 1.0)):
    """Draw truth and the log-likelihood ratios of independent normal markers."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return y, [d * (rng.normal(d * y, 1) - d / 2) for d in effects]


def two_models(n, seed=0, effects=(1.0, 1.0)):
    y, logits = two_markers(n, seed, effects)
    names = ("ecg", "echo")
    return {m: prediction_frame(v, y, model=m) for m, v in zip(names, logits, strict=True)}


def crossed(frames, target=TARGET, name="fusion"):
    """Fuse each fold with the weights of the other folds of its repeat."""
    plan = (
        pd.concat(frames.values())[["repeat", "fold"]]
        .drop_duplicates()
        .sort_values(["repeat", "fold"])
    )
    parts = []
    for repeat, fold in plan.itertuples(index=False):
        own = {m: f[f["fold"] == fold] for m, f in frames.items()}
        others = {m: f[(f["repeat"] == repeat) & (f["fold"] != fold)] for m, f in frames.items()}
        found = fuse(others, own, target, name=name)
        parts.append((found, found.weights.assign(repeat=repeat, fold=fold)))
    return SimpleNamespace(
        frame=pd.concat([found.frame for found, _ in parts], ignore_index=True),
        weights=pd.concat([weights for _, weights in parts], ignore_index=True),
        notes=[note for found, _ in parts for note in found.notes],
    )


def auc_of(frame):
    return roc_auc_score(frame["y_true"] == "yes", frame["score:yes"])


def by_unit(fusion):
    return fusion.frame.set_index(["repeat", "unit_id"])["score:yes"].sort_index()


def test_two_complementary_models_reach_the_auc_of_theory():
    frames = two_models(3000)
    fused = crossed(frames, TARGET)
    # One marker with effect d has AUC Phi(d / sqrt 2); two independent ones have d = sqrt 2.
    for frame in frames.values():
        assert auc_of(frame) == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.02)
    assert auc_of(fused.frame) == pytest.approx(norm.cdf(1.0), abs=0.02)


def test_independent_log_likelihood_ratios_are_added_with_weight_one():
    weights = crossed(two_models(6000, seed=3), TARGET).weights
    np.testing.assert_allclose(weights[["logit:ecg", "logit:echo"]], 1.0, atol=0.12)
    np.testing.assert_allclose(weights["intercept"], 0.0, atol=0.12)


def test_a_model_of_noise_costs_almost_nothing():
    y, (signal,) = two_markers(800, seed=1, effects=(1.2,))
    noise = np.random.default_rng(9).normal(0, 1, 800)
    frames = {
        "signal": prediction_frame(signal, y, model="signal"),
        "noise": prediction_frame(noise, y, model="noise"),
    }
    fused = crossed(frames, TARGET)
    assert auc_of(fused.frame) == pytest.approx(auc_of(frames["signal"]), abs=0.01)
    assert fused.weights["logit:noise"].abs().max() < 0.3


def test_the_weights_of_a_fold_equal_glm_on_the_rows_of_the_others():
    import statsmodels.api as sm

    frames = two_models(120, seed=4)
    frames["echo"] = frames["echo"].drop(index=range(0, 120, 7))
    weights = crossed(frames, TARGET).weights.set_index("fold").loc["r0-f2"]
    rows = frames["ecg"].merge(
        frames["echo"][["unit_id", "score:yes"]], on="unit_id", how="left", suffixes=("", ":echo")
    )
    rows = rows[rows["fold"] != "r0-f2"]
    design = np.column_stack(
        [
            np.ones(len(rows)),
            logit(rows["score:yes"]),
            logit(rows["score:yes:echo"]).fillna(0),
            rows["score:yes:echo"].isna(),
        ]
    ).astype(float)
    fit = sm.GLM(rows["y_true"] == "yes", design, family=sm.families.Binomial()).fit(tol=1e-12)
    mine = weights[["intercept", "logit:ecg", "logit:echo", "missing:echo"]].astype(float)
    np.testing.assert_allclose(mine, fit.params, atol=1e-6)
    assert weights["missing:ecg"] == 0.0
    assert (weights["n_rows"], weights["method"]) == (96, "ml")


def test_models_that_separate_the_classes_are_fused_by_firths_method():
    from firthmodels import FirthLogisticRegression

    y = np.arange(40) % 2
    rng = np.random.default_rng(0)
    logits = {
        "perfect": np.where(y == 1, 2.0, -2.0) + rng.normal(0, 0.3, 40),
        "weak": rng.normal(y, 1),
    }
    fold = [f"r0-f{i // 20}" for i in range(40)]
    frames = {m: prediction_frame(v, y, model=m).assign(fold=fold) for m, v in logits.items()}
    fused = crossed(frames, TARGET)
    assert set(fused.weights["method"]) == {"firth"}
    assert any("Firth" in note for note in fused.notes)
    design = np.column_stack([logit(frames[name]["score:yes"][20:]) for name in frames])
    oracle = FirthLogisticRegression(backend="numpy").fit(design, y[20:])
    mine = fused.weights[["logit:perfect", "logit:weak"]].iloc[0].astype(float)
    np.testing.assert_allclose(mine, oracle.coef_, rtol=1e-3)
    assert auc_of(fused.frame) == 1.0


def test_a_missing_model_leaves_the_others_and_its_indicator():
    frames = two_models(600, seed=6)
    y = (frames["ecg"]["y_true"] == "yes").to_numpy()
    # Echo is more often missing in responders, so that missing itself is evidence: odds 0.4/0.1.
    absent = np.random.default_rng(1).random(600) < np.where(y, 0.4, 0.1)
    frames["echo"] = frames["echo"][~absent]
    fused = crossed(frames, TARGET)
    assert len(fused.frame) == 600
    assert (fused.weights["missing:echo"] > 0.5).all()
    row = fused.frame[fused.frame["unit_id"].isin(frames["ecg"]["unit_id"][absent])].iloc[0]
    own = frames["ecg"].set_index("unit_id").loc[row["unit_id"], "score:yes"]
    w = fused.weights.set_index("fold").loc[row["fold"]]
    expected = expit(w["intercept"] + w["logit:ecg"] * logit(own) + w["missing:echo"])
    assert row["score:yes"] == pytest.approx(expected)
    assert auc_of(fused.frame) > auc_of(frames["ecg"])


def test_a_score_that_is_nan_is_a_missing_model():
    frames = two_models(200, seed=6)
    without = frames | {"echo": frames["echo"].iloc[20:]}
    with_nan = frames | {"echo": frames["echo"].copy()}
    with_nan["echo"].loc[:19, ["score:no", "score:yes"]] = np.nan
    pd.testing.assert_series_equal(
        by_unit(crossed(with_nan, TARGET)), by_unit(crossed(without, TARGET))
    )


def test_a_model_missing_only_where_it_is_tested_is_named_in_a_note():
    frames = two_models(200, seed=2)
    first = frames["echo"]["fold"] == "r0-f0"
    frames["echo"] = frames["echo"][~first | (frames["echo"].index > 30)]
    notes = crossed(frames, TARGET).notes
    assert len(notes) == 1
    assert "test set: 7 rows lack echo" in notes[0]


def test_the_truth_of_a_fold_does_not_touch_its_own_predictions():
    frames = two_models(300, seed=8)
    here = frames["ecg"]["fold"] == "r0-f3"
    flip = {"yes": "no", "no": "yes"}
    flipped = {
        name: f.assign(y_true=f["y_true"].mask(here, f["y_true"].map(flip)))
        for name, f in frames.items()
    }
    before, after = (crossed(given, TARGET).frame for given in (frames, flipped))
    same = before["fold"] == "r0-f3"
    pd.testing.assert_series_equal(before["score:yes"][same], after["score:yes"][same])
    assert (before["score:yes"] != after["score:yes"])[~same].all()


def test_a_patient_validated_and_tested_is_a_leak():
    frames = two_models(100)
    first = {name: frame[:60] for name, frame in frames.items()}
    with refuses(LeakageError, "fusion, test set", "1", "p0059"):
        fuse(first, {name: frame[59:] for name, frame in frames.items()}, TARGET)


def test_neither_the_order_of_models_nor_of_rows_matters():
    frames = two_models(150, seed=5)
    frames["echo"] = frames["echo"].iloc[::3]
    fused = crossed(frames, TARGET)
    turned = crossed(dict(reversed(frames.items())), TARGET)
    pd.testing.assert_frame_equal(turned.frame, fused.frame)
    shuffled = {name: f.sample(frac=1, random_state=1) for name, f in frames.items()}
    pd.testing.assert_series_equal(by_unit(crossed(shuffled, TARGET)), by_unit(fused))


def test_the_same_model_twice_is_that_model_recalibrated():
    y, (signal,) = two_markers(300, effects=(1.0,))
    one = prediction_frame(signal, y, model="one")
    fused = crossed({"one": one, "twin": one.assign(model="twin")}, TARGET)
    assert (fused.weights["logit:twin"] == 0).all()
    for fold, rows in fused.frame.groupby("fold"):
        assert auc_of(rows) == pytest.approx(auc_of(one[one["fold"] == fold]))


def test_the_fused_frame_has_the_columns_of_the_models_and_plain_decisions():
    frames = two_models(100)
    fused = crossed(frames, TARGET, name="late").frame
    assert list(fused.columns) == list(frames["ecg"].columns)
    assert set(fused["model"]) == {"late"}
    assert sorted(fused["unit_id"]) == sorted(frames["ecg"]["unit_id"])
    np.testing.assert_allclose(fused["score:no"] + fused["score:yes"], 1)
    expected = np.where(fused["score:yes"] > 0.5, "yes", "no")
    np.testing.assert_array_equal(fused["predicted"], expected)


def test_repeats_are_fused_each_on_its_own():
    y, logits = two_markers(120)
    frames = {
        name: pd.concat(
            [prediction_frame(v, y, model=name, repeat=r, n_folds=3 + r) for r in range(2)]
        )
        for name, v in zip(("ecg", "echo"), logits, strict=True)
    }
    fused = crossed(frames, TARGET)
    assert fused.weights["repeat"].tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert fused.weights["n_rows"].tolist() == [80, 80, 80, 90, 90, 90, 90]
    alone = crossed({m: f[f["repeat"] == 1] for m, f in frames.items()}, TARGET)
    pd.testing.assert_series_equal(by_unit(alone), by_unit(fused).loc[[1]])


def test_rows_without_truth_are_fused_but_not_fitted_on():
    frames = two_models(100)
    for frame in frames.values():
        frame.loc[:9, "y_true"] = None
    fused = crossed(frames, TARGET)
    assert len(fused.frame) == 100
    assert fused.weights["n_rows"].tolist() == [72] * 5


MULTI = Target("beat", "multiclass", ("N", "S", "V"))


def changed(**columns):
    frames = two_models(60)
    return frames | {"echo": frames["echo"].assign(**columns)}


@pytest.mark.parametrize(
    ("frames", "target", "message"),
    [
        ({"ecg": two_models(60)["ecg"]}, TARGET, "at least 2 models, found 1"),
        (two_models(60), MULTI, "binary or continuous target, found the multiclass"),
        ({m: f.assign(y_true="no") for m, f in two_models(60).items()}, TARGET, "both classes"),
        (changed(fold="r0-f0"), TARGET, "same fold in every model"),
        (changed(y_true="no"), TARGET, "same y_true in every model"),
        (changed(y_true="maybe"), TARGET, "'maybe'"),
        (changed(unit_id="p0000"), TARGET, "once a repeat"),
        (changed(unit_id=None), TARGET, "missed events"),
        (changed(**{"score:yes": 1.5}), TARGET, "outside 0 to 1"),
        ({m: f.drop(columns="y_true") for m, f in two_models(60).items()}, TARGET, "'y_true'"),
        ({m: f.assign(**{"score:yes": 0.5}) for m, f in two_models(60).items()}, TARGET, "vary"),
        ({m: f[2:5] for m, f in two_models(60, 1).items()}, TARGET, "more fitted rows"),
        ({m: f.assign(**{"score:yes": np.nan}) for m, f in two_models(60).items()}, TARGET, "none"),
    ],
)
def test_what_cannot_be_fused_is_refused_in_one_line(frames, target, message):
    with pytest.raises(DataError, match=message) as caught:
        fuse(frames, frames, target, overlap=True)
    assert "\n" not in str(caught.value)


def test_other_models_tested_than_fitted_are_refused():
    frames = two_models(60)
    other = {"ecg": frames["ecg"][40:], "mri": frames["echo"][40:]}
    with refuses(DataError, "fusion", code="mismatch"):
        fuse({name: frame[:40] for name, frame in frames.items()}, other, TARGET)


@pytest.mark.parametrize(
    ("fitted", "message"),
    [
        # two logits and an intercept
        (slice(2, 5), "fusion, inner folds: expected more fitted rows than the 3 weights, found 3"),
        (slice(1, 4), "fusion, inner folds: expected both classes .* found .'yes'."),
        (slice(0, 0), "fusion, inner folds: expected both classes .* found no truth"),
    ],
)
def test_weights_that_cannot_be_fitted_are_blamed_on_the_rows_that_they_come_from(fitted, message):
    """Not on the test set, which is large enough here."""
    frames = two_models(60, 1)
    tested = {name: frame[20:] for name, frame in frames.items()}
    with pytest.raises(DataError, match=message):
        fuse({name: frame[fitted] for name, frame in frames.items()}, tested, TARGET)


def test_fitted_patients_are_tested_only_where_an_overlap_is_declared():
    frames = two_models(80)
    with refuses(LeakageError, "fusion, test set", "80"):
        fuse(frames, frames, TARGET)
    declared = fuse(frames, frames, TARGET, overlap=True)
    apart = {m: f.assign(subject_id="x" + f["subject_id"]) for m, f in frames.items()}
    assert np.array_equal(
        declared.frame["score:yes"], fuse(apart, frames, TARGET).frame["score:yes"]
    )


def test_a_number_that_only_tested_rows_lack_counts_as_the_mean_of_the_fitted_ones():
    """As a regression on the other models' numbers and that mean, by numpy's least squares."""
    rng = np.random.default_rng(3)
    n, target = 60, Target("t1_ms", "continuous", unit="ms")
    truth = rng.normal(1000.0, 70.0, n)
    seen = {m: 1000.0 + 0.1 * (truth - 1000.0) + rng.normal(0, 5.0, n) for m in ("a4c", "plax")}
    names = [f"p{i:02d}" for i in range(n)]
    frames = {
        model: pd.DataFrame(
            {"unit_id": names, "subject_id": names, "repeat": 0, "y_true": truth, "score": values,
             "fold": np.where(np.arange(n) < 50, "r0-f0", "r0-f1"), "level": "study"}
        )
        for model, values in seen.items()
    }  # fmt: skip
    fitted = {model: frame[:50] for model, frame in frames.items()}
    tested = {"a4c": frames["a4c"][50:], "plax": frames["plax"][52:]}
    found = fuse(fitted, tested, target)
    beta = np.linalg.lstsq(
        np.column_stack([seen["a4c"][:50], seen["plax"][:50], np.ones(50)]), truth[:50], rcond=None
    )[0]
    lacking = beta @ [seen["a4c"][50], seen["plax"][:50].mean(), 1.0]
    assert found.frame.set_index("unit_id").loc["p50", "score"] == pytest.approx(lacking)
    assert "its number as the mean counts" in " ".join(found.notes)
