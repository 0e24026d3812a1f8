"""A plugin that smuggles labels to its features is refused, or fails the contract and is told why.

Each leak is the toy with one function changed. Without the guard each would rank perfectly.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.errors import ContractError, HookError, LeakageError
from cardio_core.testing import Sizes, names, refuses
from cardio_core.testing.case import TaskCase, judge, own_cache
from cardio_core.testing.leak_checks import (
    OF_LEAKS,
    features_do_not_depend_on_neighbouring_files,
    what_a_recording_yields_is_the_same_in_a_reordered_cohort,
    what_a_recording_yields_is_the_same_in_half_of_the_cohort,
    what_load_hands_over_is_the_same_with_permuted_labels,
)
from cardio_core.testing.run_checks import (
    a_process_that_never_trained_predicts_the_same,
    training_learns_nothing_from_the_labels_of_those_who_validate,
)
from cardio_core.types.samples import Opened, SampleSet


@pytest.fixture
def toy(installed):
    """The modules of the toy that leaks change."""
    from cardio_toy.clinic import load, preprocess
    from cardio_toy.parts import cohort

    return {"load": load, "preprocess": preprocess, "cohort": cohort}


@pytest.fixture
def case(installed, tmp_path):
    with own_cache(tmp_path / "cache"):
        (tmp_path / "work").mkdir()
        yield TaskCase("toy", "mean_class", tmp_path / "work", Sizes(n_patients=6))


def label_of(recording: str, table: Path) -> float:
    with table.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return next(float(row["x_ill"]) for row in rows if recording in row["path_ecg"])


def change_load(toy, monkeypatch, change):
    """Let `load` change the cohort that it returns."""
    load = toy["load"].load

    def changed(config, ctx):
        return change(load(config, ctx), ctx)

    monkeypatch.setattr(toy["load"], "load", changed)


def with_column(name, values_of):
    """Return a change of `load` that adds a column to the sample table."""

    def change(cohort, ctx):
        samples = cohort.samples
        table = samples.table.assign(**{name: values_of(cohort, ctx)})
        return replace(cohort, samples=SampleSet(table, samples.values))

    return change


def test_the_toy_as_it_is_has_no_leak(case):
    for check in OF_LEAKS:
        verdict = judge(check, case)
        assert verdict.passed, verdict.text


def test_preprocess_finds_no_source_in_its_values(toy, case, monkeypatch, run_toy, tmp_path):
    def leaky(samples, ctx):
        return label_of("C00r0", samples.values.sources[0].with_name("cohort.csv"))

    monkeypatch.setattr(toy["preprocess"], "preprocess", leaky)
    with refuses(HookError, "'sources'"):
        run_toy(tmp_path / "run", data=(case.data,))
    verdict = judge(features_do_not_depend_on_neighbouring_files, case)
    assert not verdict.passed
    assert names(verdict.text, "sources")
    assert "hook preprocess" in verdict.text


@dataclass(frozen=True)
class WithPath:
    values_mv: np.ndarray
    rate_hz: float
    path: Path


@dataclass(frozen=True)
class WithHiddenPath:
    values_mv: np.ndarray
    rate_hz: float
    _path: Path


@pytest.mark.parametrize("as_what", [Path, str])
def test_a_value_that_shows_a_path_is_refused(
    toy, case, monkeypatch, run_toy, cardio, tmp_path, as_what
):
    opened = toy["cohort"].open_trace

    def with_path(path, gain):
        return WithPath(opened(path, gain).values_mv, 25.0, as_what(path))

    monkeypatch.setattr(toy["cohort"], "open_trace", with_path)
    with refuses(ContractError, "value.path"):
        run_toy(tmp_path / "run", data=(case.data,))
    # What is replaced here is unknown to another process.
    check = cardio("data", "check", case.data, "--plugin", "toy", "--executor", "local:1")
    assert check.exit_code == 1
    assert names(check.stderr, "value.path")


def test_a_value_may_keep_its_file_to_itself(toy, case, monkeypatch):
    opened = toy["cohort"].open_trace

    def lazily(path, gain):
        return WithHiddenPath(opened(path, gain).values_mv, 25.0, path)

    monkeypatch.setattr(toy["cohort"], "open_trace", lazily)
    assert len(case.features) == 6


@pytest.mark.parametrize("as_what", [lambda path: path, str, lambda path: (str(path),)])
def test_a_path_in_the_sample_table_is_refused(
    toy, case, monkeypatch, run_toy, cardio, tmp_path, as_what
):
    def paths(cohort, ctx):
        return [as_what(path) for path in cohort.samples.values.sources]

    change_load(toy, monkeypatch, with_column("file", paths))
    reason = "hook load: column 'file' of the sample table holds a path"
    with pytest.raises(ContractError, match=reason):
        run_toy(tmp_path / "run", data=(case.data,))
    said = cardio("data", "check", case.data, "--plugin", "toy")
    assert said.exit_code == 1
    assert reason in said.stderr


def test_the_context_of_preprocess_and_featurize_holds_no_folder(toy, case, monkeypatch):
    seen = []
    open_all = toy["preprocess"].preprocess

    def look(samples, ctx):
        seen.append(ctx)
        return open_all(samples, ctx)

    monkeypatch.setattr(toy["preprocess"], "preprocess", look)
    assert case.features
    paths = [value for ctx in seen for value in vars(ctx).values() if isinstance(value, Path)]
    assert seen
    assert paths == []
    assert all(not ctx._inputs and not ctx._option_files and not ctx._needs for ctx in seen)
    for ask in (lambda ctx: ctx.inputs, lambda ctx: ctx.out, lambda ctx: ctx.option_file("septum")):
        with pytest.raises(ContractError):
            ask(seen[0])


@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
def test_a_preprocess_that_opens_the_table_whose_folder_load_kept_fails(
    toy, case, monkeypatch, which
):
    kept = []

    def keep(cohort, ctx):
        kept.append(ctx.inputs[0])
        return cohort

    open_all = toy["preprocess"].preprocess

    def leaky(samples, ctx):
        label = label_of(samples.table["recording_id"].iloc[0], kept[which] / "cohort.csv")
        preprocessed = open_all(samples, ctx)
        values = [replace(one, values_mv=one.values_mv + 5 * label) for one in preprocessed.values]
        return SampleSet(preprocessed.table, values)

    change_load(toy, monkeypatch, keep)
    monkeypatch.setattr(toy["preprocess"], "preprocess", leaky)
    verdict = judge(features_do_not_depend_on_neighbouring_files, case)
    assert not verdict.passed
    assert "cohort.csv" in verdict.text


@pytest.mark.parametrize("carefully", [False, True], ids=["opens it", "only if it is there"])
def test_an_opener_that_reads_the_table_beside_the_recording_fails(
    toy, case, monkeypatch, carefully
):
    opened = toy["cohort"].open_trace

    def leaky(path, gain):
        trace, table = opened(path, gain), path.with_name("cohort.csv")
        label = 0.0 if carefully and not table.exists() else label_of(path.stem, table)
        return replace(trace, values_mv=trace.values_mv + 5 * label)

    monkeypatch.setattr(toy["cohort"], "open_trace", leaky)
    verdict = judge(features_do_not_depend_on_neighbouring_files, case)
    assert not verdict.passed
    assert "cohort.csv" in verdict.text


def test_features_that_come_from_the_name_of_a_file_fail(toy, case, monkeypatch):
    opened = toy["cohort"].open_trace

    def leaky(path, gain):
        trace = opened(path, gain)
        return replace(trace, values_mv=trace.values_mv + path.stem.startswith("C01"))

    monkeypatch.setattr(toy["cohort"], "open_trace", leaky)
    verdict = judge(features_do_not_depend_on_neighbouring_files, case)
    assert not verdict.passed
    assert names(verdict.text, "shape", "C01")


def test_a_load_that_stores_a_mean_over_the_cohort_in_the_sample_table_fails(
    toy, case, monkeypatch
):
    def mean_severity(cohort, ctx):
        return float(cohort.table["x_severity"].mean())

    change_load(toy, monkeypatch, with_column("level", mean_severity))
    verdict = judge(what_a_recording_yields_is_the_same_in_half_of_the_cohort, case)
    assert not verdict.passed
    assert names(verdict.text, "level", "C00r0")
    assert "where half of the cohort is absent; fit what needs the whole cohort" in verdict.text


def shifted(path, opened, by):
    trace = opened(path)
    return replace(trace, values_mv=trace.values_mv + by)


def test_a_load_that_stores_a_mean_over_the_cohort_in_the_opener_fails(toy, case, monkeypatch):
    def change(cohort, ctx):
        mean = float(cohort.table["x_severity"].mean())
        opener = partial(shifted, opened=cohort.samples.values.open, by=mean)
        values = Opened(cohort.samples.values.sources, opener)
        return replace(cohort, samples=SampleSet(cohort.samples.table, values))

    change_load(toy, monkeypatch, change)
    verdict = judge(what_a_recording_yields_is_the_same_in_half_of_the_cohort, case)
    assert not verdict.passed
    assert "block 'shape': other numbers when made where half of the cohort is" in verdict.text


def test_a_load_that_stores_the_place_in_the_table_fails(toy, case, monkeypatch):
    def place(cohort, ctx):
        return pd.factorize(cohort.samples.table["patient_id"])[0]

    change_load(toy, monkeypatch, with_column("place", place))
    verdict = judge(what_a_recording_yields_is_the_same_in_a_reordered_cohort, case)
    assert not verdict.passed
    assert "column 'place' of the sample table is another" in verdict.text
    assert "where the cohort table is in another order" in verdict.text


def ill_by_recording(cohort):
    """The label of each recording, in the order of the samples."""
    return cohort.samples.table["study_id"].map(cohort.table["x_ill"]).astype(float).to_numpy()


def test_a_label_in_the_recording_ids_fails(toy, case, monkeypatch):
    def change(cohort, ctx):
        table = cohort.samples.table.copy()
        old = list(table.index)
        new = [
            f"{name}-{int(ill)}" for name, ill in zip(old, ill_by_recording(cohort), strict=True)
        ]
        table = table.assign(recording_id=new).set_axis(pd.Index(new, name=table.index.name))
        files = {after: cohort.files[before] for before, after in zip(old, new, strict=True)}
        samples = SampleSet(table, cohort.samples.values)
        return replace(cohort, samples=samples, files=files)

    change_load(toy, monkeypatch, change)
    verdict = judge(what_load_hands_over_is_the_same_with_permuted_labels, case)
    assert verdict.failed
    assert "recording ids" in verdict.text


def test_a_label_with_noise_in_a_column_of_the_samples_fails(toy, case, monkeypatch):
    def noisy(cohort, ctx):
        rng = np.random.default_rng(0)
        return ill_by_recording(cohort) + rng.normal(0, 0.3, len(cohort.samples))

    change_load(toy, monkeypatch, with_column("height_cm", noisy))
    verdict = judge(what_load_hands_over_is_the_same_with_permuted_labels, case)
    assert verdict.failed
    assert "height_cm" in verdict.text


def test_recordings_sorted_by_their_label_fail(toy, case, monkeypatch):
    def change(cohort, ctx):
        order = np.argsort(ill_by_recording(cohort), kind="stable")
        return replace(cohort, samples=cohort.samples.take(order))

    change_load(toy, monkeypatch, change)
    verdict = judge(what_load_hands_over_is_the_same_with_permuted_labels, case)
    assert verdict.failed
    assert "order" in verdict.text


def test_a_label_bound_to_its_own_opener_fails(toy, case, monkeypatch):
    def change(cohort, ctx):
        sources = tuple(zip(cohort.samples.values.sources, ill_by_recording(cohort), strict=True))
        values = Opened(sources, partial(shifted_by_label, opened=cohort.samples.values.open))
        return replace(cohort, samples=SampleSet(cohort.samples.table, values))

    change_load(toy, monkeypatch, change)
    verdict = judge(what_load_hands_over_is_the_same_with_permuted_labels, case)
    assert verdict.failed
    assert "shape" in verdict.text


def shifted_by_label(source, opened):
    return shifted(source[0], opened, 5 * source[1])


def test_without_a_table_and_without_relabel_it_is_not_checked(installed, tmp_path):
    with own_cache(tmp_path / "cache"):
        (tmp_path / "work").mkdir()
        beats = TaskCase("toy", "beats", tmp_path / "work", Sizes(n_patients=4))
        verdict = judge(what_load_hands_over_is_the_same_with_permuted_labels, beats)
    assert (verdict.passed, verdict.failed, verdict.checked) == (False, False, False)
    assert "relabel" in verdict.text


@pytest.mark.parametrize("swallowed", [False, True])
def test_a_run_refuses_to_open_a_file_beside_the_recordings(
    toy, case, monkeypatch, run_toy, tmp_path, swallowed
):
    opened = toy["cohort"].open_trace

    def leaky(path, gain):
        try:
            label = label_of(path.stem, path.with_name("cohort.csv"))
        except Exception:
            if not swallowed:
                raise
            label = 0.0
        trace = opened(path, gain)
        return replace(trace, values_mv=trace.values_mv + label)

    monkeypatch.setattr(toy["cohort"], "open_trace", leaky)
    with pytest.raises(LeakageError, match=r"cohort\.csv"):
        run_toy(tmp_path / "run", data=(case.data,))


def test_labels_that_train_keeps_for_predict_fail(installed, case, monkeypatch):
    from cardio_toy.clinic import linear, predict, train

    known = {}
    genuine = train.train

    def keeps(training, targets, config, ctx):
        known.update(targets.table["ill"].to_dict())
        return genuine(training, targets, config, ctx)

    def recalls(model, features, ctx):
        made = linear.score_linear(model, features, ctx)
        patients = features.table["patient_id"]
        scores = [
            float(known.get(who, one))
            for who, one in zip(patients, made.scores["ill"], strict=True)
        ]
        return replace(made, scores={"ill": np.clip(scores, 0.01, 0.99)})

    monkeypatch.setattr(train, "train", keeps)
    monkeypatch.setattr(predict, "predict", recalls)
    verdict = judge(a_process_that_never_trained_predicts_the_same, case)
    assert verdict.failed
    assert "never trained" in verdict.text


def test_fitting_on_those_who_validate_fails(installed, case, monkeypatch):
    from cardio_toy.clinic import train

    from cardio_core.types.features import concatenate

    genuine = train.train

    def on_all(training, validation, targets, config, ctx):
        everybody = training if validation is None else concatenate([training, validation])
        return genuine(everybody, targets, config, ctx)

    monkeypatch.setattr(train, "train", on_all)
    verdict = judge(training_learns_nothing_from_the_labels_of_those_who_validate, case)
    assert verdict.failed
    assert "training" in verdict.text


def test_the_toy_as_it_is_trains_and_predicts_honestly(case):
    for check in (
        a_process_that_never_trained_predicts_the_same,
        training_learns_nothing_from_the_labels_of_those_who_validate,
    ):
        verdict = judge(check, case)
        assert verdict.passed, verdict.text
