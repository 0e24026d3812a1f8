"""The contract suite notices what it is there to notice."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, mannwhitneyu
from sklearn.metrics import roc_auc_score

from cardio_core.testing import samples
from cardio_core.testing.driving import permuted
from cardio_core.testing.fitted import _is_pickle, no_unpickling
from cardio_core.testing.heavy import heavy_modules_after
from cardio_core.testing.ranking import ranking
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.info import Model, Target, Task
from cardio_core.types.targets import Targets


def features(values: np.ndarray, ids: tuple[str, ...] = ("a", "b")) -> FeatureSet:
    table = pd.DataFrame(
        {"recording_id": ids, "study_id": ids, "patient_id": "P"}, index=pd.Index(ids)
    )
    block = FeatureBlock(values, ("feature",), ("height",), ("mV",))
    return FeatureSet(table, {"shape": block})


def test_one_number_that_differs_is_noticed():
    one = {"P": features(np.array([[1.0], [2.0]]))}
    samples.require_equal(one, {"P": features(np.array([[1.0], [2.0]]))}, "made again")
    with pytest.raises(AssertionError, match="patient P, block 'shape': other numbers when made"):
        samples.require_equal({"P": features(np.array([[1.0], [2.0 + 1e-9]]))}, one, "made again")


def test_a_sample_that_differs_is_noticed_and_a_missing_value_equals_itself():
    one = {"P": features(np.array([[np.nan], [2.0]]))}
    samples.require_equal(one, {"P": features(np.array([[np.nan], [2.0]]))}, "made again")
    with pytest.raises(AssertionError, match="other samples"):
        samples.require_equal({"P": features(np.array([[np.nan], [2.0]]), ("a", "c"))}, one, "x")
    with pytest.raises(AssertionError, match="other patients"):
        samples.require_equal({}, one, "made again")


@pytest.mark.parametrize(
    ("column", "tells"),
    [
        (["x", "y", "x", "y"], True),
        ([7.0, 3.0, 7.0, 3.0], True),
        (["x", "x", "x", "x"], False),
        (["x", "y", "y", "x"], False),
        (["p", "q", "r", "s"], False),
    ],
)
def test_a_column_that_is_the_label_under_another_name_is_noticed(column, tells):
    assert samples._tells(np.array(column, dtype=object), np.array([1, 0, 1, 0])) is tells


def test_a_label_in_the_sample_table_fails_the_contract():
    table = features(np.zeros((2, 1))).table.assign(ill=[0, 1])
    targets = Targets("recording", pd.DataFrame({"ill": [0, 1]}, index=["a", "b"]))
    task = Task(
        "t", "T", "recording", (Target("ill", "binary", ("no", "yes")),), (Model("m", "M"),)
    )
    cohort = SimpleNamespace(samples=SimpleNamespace(table=table), targets=targets)
    check = samples.SamplesContract().test_no_column_of_the_samples_tells_the_label
    with pytest.raises(AssertionError, match="carries the target 'ill'"):
        check(SimpleNamespace(task=task), cohort)
    renamed = table.rename(columns={"ill": "x_group"})
    cohort = SimpleNamespace(samples=SimpleNamespace(table=renamed), targets=targets)
    with pytest.raises(AssertionError, match="'x_group' of the sample table is 'ill'"):
        check(SimpleNamespace(task=task), cohort)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_known_by_its_content(tmp_path, protocol):
    file = tmp_path / "model.bin"
    file.write_bytes(pickle.dumps({"weights": [1.0]}, protocol=protocol))
    assert _is_pickle(file)


def test_a_file_of_torch_is_a_pickle_and_safetensors_and_json_are_none(tmp_path):
    import torch
    from safetensors.torch import save_file

    torch.save({"w": torch.zeros(2)}, tmp_path / "model.bin")
    save_file({"w": torch.zeros(2)}, tmp_path / "weights.safetensors")
    (tmp_path / "model.json").write_text('{"w": [0, 0]}')
    assert _is_pickle(tmp_path / "model.bin")
    assert not _is_pickle(tmp_path / "weights.safetensors")
    assert not _is_pickle(tmp_path / "model.json")


def test_opening_a_pickle_fails_where_none_may_be_opened(tmp_path):
    content = pickle.dumps([1])
    with no_unpickling():
        with pytest.raises(AssertionError, match="a pickle was opened"):
            pickle.loads(content)  # noqa: S301
        with pytest.raises(AssertionError, match="a pickle was opened"):
            pickle.Unpickler(tmp_path)  # noqa: S301
    assert pickle.loads(content) == [1]  # noqa: S301


def test_a_front_door_that_imports_something_heavy_is_noticed():
    assert heavy_modules_after("import json, click, pluggy") == []
    assert "pandas" in heavy_modules_after("import pandas")
    with pytest.raises(AssertionError, match="exits with 1"):
        heavy_modules_after("raise ValueError")


def test_permuted_labels_keep_their_number_and_leave_their_owners():
    table = pd.DataFrame({"ill": [1] * 10 + [0] * 20}, index=[f"P{n}" for n in range(30)])
    dealt = permuted(Targets("patient", table), seed=1).table
    assert list(dealt.index) == list(table.index)
    assert dealt["ill"].sum() == 10
    assert (dealt["ill"] != table["ill"]).sum() > 4
    again = permuted(Targets("patient", table), seed=1).table
    pd.testing.assert_frame_equal(dealt, again)


def test_permuted_events_stay_where_they_are_and_change_their_names():
    table = pd.DataFrame(
        {"recording_id": ["r"] * 30, "time_s": np.arange(30.0), "shape": ["n"] * 20 + ["w"] * 10}
    )
    dealt = permuted(Targets("event", table), seed=2).table
    assert dealt["time_s"].tolist() == table["time_s"].tolist()
    assert sorted(dealt["shape"]) == sorted(table["shape"])
    assert dealt["shape"].tolist() != table["shape"].tolist()


def written(tmp_path, rows: list[dict[str, object]]):
    base = {"protocol": "honest", "model": "m", "target": "y", "class": np.nan}
    pd.DataFrame([base | row for row in rows]).to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path


def test_the_ranking_of_a_binary_target_is_its_auc_within_folds(tmp_path):
    rng = np.random.default_rng(0)
    rows, expected, weight, variance = [], [], [], []
    for fold in ("r0-f0", "r0-f1"):
        truth = rng.integers(0, 2, 15)
        # One fold's scores lie far above the other's, which must not matter.
        score = rng.normal(size=15).round(1) + truth + 10 * (fold == "r0-f1")
        rows += [
            {"fold": fold, "class": "ill", "y_true": ["well", "ill"][t], "score": s}
            for t, s in zip(truth, score, strict=True)
        ]
        rows += [row | {"class": "well", "score": -row["score"]} for row in rows[-15:]]
        n, m = truth.sum(), 15 - truth.sum()
        expected.append(roc_auc_score(truth, score))
        weight.append(n * m)
        variance.append((n + m + 1) / (12 * n * m))
        u = mannwhitneyu(score[truth == 1], score[truth == 0]).statistic
        assert u / (n * m) == pytest.approx(expected[-1])
    task = Task("t", "T", "patient", (Target("y", "binary", ("well", "ill")),), (Model("m", "M"),))
    found = ranking(written(tmp_path, rows), task, "m", "honest")
    share = np.array(weight) / sum(weight)
    assert found.value == pytest.approx(share @ expected)
    assert found.se == pytest.approx(np.sqrt(share**2 @ variance))
    assert found.n == 30


def test_the_ranking_of_a_continuous_target_is_kendalls_tau_on_the_scale_of_an_auc(tmp_path):
    rng = np.random.default_rng(1)
    truth = rng.normal(size=20)
    score = truth + rng.normal(size=20)
    rows = [{"fold": "r0-f0", "y_true": t, "score": s} for t, s in zip(truth, score, strict=True)]
    task = Task("t", "T", "study", (Target("y", "continuous", unit="SD"),), (Model("m", "M"),))
    found = ranking(written(tmp_path, rows), task, "m", "honest")
    assert found.value == pytest.approx(0.5 + kendalltau(truth, score).statistic / 2)


def test_the_ranking_of_a_multiclass_target_is_the_mean_of_one_against_the_rest(tmp_path):
    rng = np.random.default_rng(2)
    names = np.array(["n", "w", "i"])
    truth = rng.choice(names, 40)
    scores = rng.dirichlet(np.ones(3), 40)
    rows = [
        {"fold": "r0-f0", "class": name, "y_true": t, "score": s}
        for name, column in zip(names, scores.T, strict=True)
        for t, s in zip(truth, column, strict=True)
    ]
    target = Target("y", "multiclass", ("n", "w", "i"))
    task = Task("t", "T", "event", (target,), (Model("m", "M"),))
    found = ranking(written(tmp_path, rows), task, "m", "honest")
    counts = np.array([(truth == name).sum() for name in names])
    pairs = counts * (40 - counts)
    areas = [roc_auc_score(truth == name, scores[:, k]) for k, name in enumerate(names)]
    assert found.value == pytest.approx(pairs @ areas / pairs.sum())
    assert found.n == 40


def test_a_run_without_two_classes_in_a_fold_cannot_be_ranked(tmp_path):
    rows = [{"fold": "r0-f0", "class": "ill", "y_true": "ill", "score": 0.5}]
    task = Task("t", "T", "patient", (Target("y", "binary", ("well", "ill")),), (Model("m", "M"),))
    with pytest.raises(AssertionError, match="no fold of m holds two units of different y"):
        ranking(written(tmp_path, rows), task, "m", "honest")
