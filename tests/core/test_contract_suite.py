"""The contract suite notices what it is there to notice."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau, mannwhitneyu
from sklearn.metrics import roc_auc_score

from cardio_core.testing import Sizes, names, refuses
from cardio_core.testing import plugin_checks as samples
from cardio_core.testing import plugin_checks as says
from cardio_core.testing import run_checks as truth
from cardio_core.testing.case import NotReachedError, TaskCase, judge, require
from cardio_core.testing.driving import permuted
from cardio_core.testing.plugin_checks import heavy_modules_after
from cardio_core.testing.run_checks import _is_pickle, no_unpickling, ranking
from cardio_core.types.features import FeatureBlock, FeatureSet
from cardio_core.types.info import Model, Need, Option, Target, Task
from cardio_core.types.targets import Targets
from cardio_stats.errors import DataError


def features(values: np.ndarray, ids: tuple[str, ...] = ("a", "b")) -> FeatureSet:
    table = pd.DataFrame(
        {"recording_id": ids, "study_id": ids, "patient_id": "P"}, index=pd.Index(ids)
    )
    block = FeatureBlock(values, ("feature",), ("height",), ("mV",))
    return FeatureSet(table, {"shape": block})


def test_one_number_that_differs_is_noticed():
    one = {"P": features(np.array([[1.0], [2.0]]))}
    samples.require_equal(one, {"P": features(np.array([[1.0], [2.0]]))}, "made again")
    with pytest.raises(AssertionError, match="patient P, block 'shape'"):
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
    check = samples.no_column_of_the_samples_tells_the_label
    with pytest.raises(AssertionError, match=r"\['ill'\]"):
        check(SimpleNamespace(task=task, cohort=cohort))
    renamed = table.rename(columns={"ill": "x_group"})
    cohort = SimpleNamespace(samples=SimpleNamespace(table=renamed), targets=targets)
    with pytest.raises(AssertionError, match=r"'x_group' .* 'ill'"):
        check(SimpleNamespace(task=task, cohort=cohort))


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
        with pytest.raises(AssertionError, match="pickle"):
            pickle.loads(content)  # noqa: S301
        with pytest.raises(AssertionError, match="pickle"):
            pickle.Unpickler(tmp_path)  # noqa: S301
    assert pickle.loads(content) == [1]  # noqa: S301


def test_a_module_that_imports_something_heavy_is_noticed():
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
    base = {"protocol": "honest", "model": "m", "target": "y", "event": np.nan}
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
            {"fold": fold, "event": "ill", "y_true": ["well", "ill"][t], "score": s}
            for t, s in zip(truth, score, strict=True)
        ]
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
        {"fold": "r0-f0", "event": name, "y_true": t, "score": s}
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


def test_each_model_is_ranked_by_the_target_that_it_predicts(tmp_path):
    """The task's first target is another one, which the model knows nothing of."""
    targets = (Target("x", "binary", ("no", "yes")), Target("y", "binary", ("well", "ill")))
    task = Task("t", "T", "patient", targets, (Model("m", "M", targets=("y",)),))
    truth = ["ill", "well", "well"]
    rows = [
        {"fold": "r0-f0", "event": "ill", "y_true": t, "score": s}
        for t, s in zip(truth, [0.9, 0.1, 0.2], strict=True)
    ]
    assert ranking(written(tmp_path, rows), task, "m", "honest").value == 1.0


def test_fitted_baselines_take_part_in_the_check_on_permuted_labels_and_rules_do_not(tmp_path):
    models = (Model("network", "N"), Model("age", "Age", baseline=True),
              Model("guideline", "G", baseline=True, rule=True), Model("not_run", "X"))  # fmt: skip
    task = Task("t", "T", "patient", (Target("y", "binary", ("well", "ill")),), models)
    # 20 patients of each class: knowing nothing, an AUC has a standard error of 0.09.
    y = [0, 1] * 20
    blind = np.random.default_rng(0).permutation(40)
    scores = {"network": blind, "age": blind, "guideline": np.array(y)}

    def run_of(knows: str):
        def run(protocol):
            folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            names = ["network", "age", "guideline"]
            (folder / "manifest.json").write_text(json.dumps({"models": names}))
            rows = [
                {"model": name, "fold": "r0-f0", "event": "ill", "y_true": ["well", "ill"][one],
                 "score": one if name == knows else scores[name][n]}
                for name in names
                for n, one in enumerate(y)
            ]  # fmt: skip
            return written(folder, rows)

        sizes = Sizes(permutations=(0,))
        return SimpleNamespace(task=task, sizes=sizes, run=run, tell=lambda _: None)

    assert judge(truth.permuted_labels_give_chance, run_of("guideline")).passed
    for knows in ("network", "age"):
        verdict = judge(truth.permuted_labels_give_chance, run_of(knows))
        assert not verdict.passed
        assert verdict.text.startswith(f"{knows}: concordance 1.000 with labels that mean nothing")


def test_without_a_stated_floor_the_first_model_must_beat_chance(tmp_path):
    rng = np.random.default_rng(0)
    task = Task("t", "T", "patient", (Target("y", "binary", ("well", "ill")),), (Model("m", "M"),))

    def case_of(effect: float, sizes: Sizes):
        rows = [
            {"fold": "r0-f0", "event": "ill", "y_true": ["well", "ill"][n % 2],
             "score": effect * (n % 2) + rng.normal()}
            for n in range(40)
        ]  # fmt: skip
        run = written(tmp_path, rows)
        return SimpleNamespace(task=task, task_name="t", sizes=sizes, honest_run=run)

    check = truth.the_planted_effect_is_recovered
    assert judge(check, case_of(3.0, Sizes())).passed
    verdict = judge(check, case_of(0.0, Sizes()))
    assert not verdict.passed
    assert "plant a larger effect" in verdict.text
    assert not judge(check, case_of(3.0, Sizes(planted={"t": 1.01}))).passed
    assert "say in `planted`" in judge(check, case_of(3.0, Sizes(planted={}))).text


@pytest.mark.parametrize(("named", "right"), [((), True), (("net",), True), (("nets",), False),
                                              (("all",), False)])  # fmt: skip
def test_a_need_names_models_that_the_plugin_fits(named, right):
    models = (Model("net", "Network"), Model("all", "Fused", fuses=("net",)))
    target = Target("ill", "binary", ("no", "yes"))
    earlier = Task("first", "First", "patient", (target,), models)
    needs = (Need("first", "other", models=named),)
    task = Task("second", "Second", "patient", (target,), models, needs=needs)
    verdict = judge(
        says.needs_name_tasks_and_run_in_no_circle,
        SimpleNamespace(info=SimpleNamespace(tasks=(earlier, task))),
    )
    assert verdict.passed == right
    assert right or f"the need first names ['{named[0]}']" in verdict.text


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (Option("folds", "Folds", "inner.k"), ""),
        (Option("voxel-mm", "Voxels", "load.voxl_mm"), "has no setting 'load.voxl_mm'"),
        (Option("--folds", "Folds", "inner.k"), "without its dashes"),
        (Option("folds", "Folds"), "expected a setting that it stands for"),
        (Option("folds", "Folds", "inner.k", column="path_folds"), "expected a setting that it"),
        (Option("folds", "Folds", "inner.k", for_new=True), "settings of the load block alone"),
        (Option("folds", " ", "inner.k"), "no title"),
    ],
)
def test_an_option_leads_to_a_setting_or_a_file(option, said):
    target = Target("ill", "binary", ("no", "yes"))
    task = Task("t", "T", "patient", (target,), (), options=(option,))
    info = SimpleNamespace(tasks=(task,), config_of=lambda _: "cardio_core.config:RunConfig")
    verdict = judge(says.every_option_stands_for_a_setting_or_a_file, SimpleNamespace(info=info))
    assert verdict.passed == (not said)
    assert said in verdict.text


def test_a_verdict_says_in_a_sentence_what_was_found_and_where():
    def numbers_are_positive(case):
        """A length below zero is none."""
        case()

    def stops():
        raise SystemExit("bye")

    def fails():
        raise KeyError("sick")

    def refuses():
        require(1 < 0, "found -1;\n  take the absolute")

    def unusable():
        raise DataError("a.csv: expected numbers, found none; export it again")

    passed = judge(numbers_are_positive, lambda: require(True, "never said"), "rhythm")
    assert (passed.name, passed.task, passed.passed) == ("Numbers are positive", "rhythm", True)
    assert passed.text == "A length below zero is none."
    said = {one: judge(numbers_are_positive, one) for one in (stops, fails, refuses, unusable)}
    assert not any(verdict.passed for verdict in said.values())
    assert said[stops].text.startswith("SystemExit: bye (test_contract_suite.py, line ")
    assert names(said[fails].text, "sick", "KeyError", "test_contract_suite.py", "DataError")
    assert said[refuses].text == "found -1; take the absolute"
    assert said[unusable].text == "a.csv: expected numbers, found none; export it again"
    with pytest.raises(KeyboardInterrupt):
        judge(lambda _: (_ for _ in ()).throw(KeyboardInterrupt), None)


def test_what_failed_once_is_not_tried_again_and_says_why(tmp_path, monkeypatch):
    tried = []

    def synthesize(self, task, *, n_patients, seed):
        tried.append(task)
        raise DataError("no patient can be drawn")

    monkeypatch.setattr(TaskCase, "synthesize", synthesize)
    case = TaskCase("p", "t", tmp_path, Sizes())
    with refuses(DataError, "patient"):
        _ = case.data
    with pytest.raises(NotReachedError, match="not checked: no patient can be drawn"):
        _ = case.data
    for _ in range(2):
        with pytest.raises(NotReachedError, match=r"^not checked: no patient can be drawn$"):
            _ = case.request
    assert tried == ["t"]


def test_pytest_is_asked_for_only_by_its_classes():
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import cardio_core.testing as t\n"
        "from cardio_core.testing import Sizes, check_plugin, run_plugin, training_context\n"
        "assert not hasattr(t, 'Bohcort')\n"
        "try: t.PluginContract\n"
        "except ImportError: print('needed')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "needed"


def test_a_run_without_two_classes_in_a_fold_cannot_be_ranked(tmp_path):
    rows = [{"fold": "r0-f0", "event": "ill", "y_true": "ill", "score": 0.5}]
    task = Task("t", "T", "patient", (Target("y", "binary", ("well", "ill")),), (Model("m", "M"),))
    with pytest.raises(AssertionError, match="no fold of m"):
        ranking(written(tmp_path, rows), task, "m", "honest")
