"""Who is trained on and who is tested."""

import numpy as np
import pandas as pd
import pytest

from cardio_core.config import ProtocolBlock
from cardio_core.errors import LeakageError
from cardio_core.fold_assignment import (
    find_plan,
    guard_duplicates,
    inner_folds,
    link_subjects,
    plan_folds,
    same_folds,
)
from cardio_core.testing import refuses
from cardio_core.types.plans import Fixed, Holdout, Nested, RandomSamples, Resubstitution, Sites
from cardio_stats.errors import ConfigError, DataError


def cohort(n_patients: int = 20, n_each: int = 5, linked: dict[str, str] | None = None):
    patients = np.repeat([f"p{i:02d}" for i in range(n_patients)], n_each)
    table = pd.DataFrame(
        {"patient_id": patients},
        index=[f"{p}#{i}" for i, p in enumerate(patients)],
    )
    table["subject_link"] = table["patient_id"].map(linked or {})
    table["subject_id"] = link_subjects(table)
    y = np.where(np.arange(n_patients) % 3 == 0, "a", "b").repeat(n_each).astype(object)
    return table, y


def folds_of(plan, table, y, protocol="honest", seed=0):
    return plan_folds(plan, table, y, protocol=protocol, name="x", seed=seed)


@pytest.mark.parametrize("plan", [Nested(4), Nested(3, repeats=2), Holdout(0.25)])
def test_no_subject_stands_on_both_sides_of_an_honest_fold(plan):
    table, y = cohort(linked={"p00": "p07", "p07": "p07", "p03": "same man", "p11": "same man"})
    for fold in folds_of(plan, table, y).folds:
        train = set(table["subject_id"].iloc[fold.train])
        test = set(table["subject_id"].iloc[fold.test])
        assert not train & test
        assert len(fold.train) + len(fold.test) == len(table)


def test_linked_patients_are_one_subject_through_any_chain_of_links():
    rows = pd.DataFrame(
        {"patient_id": ["1", "2", "3", "4"], "subject_link": ["2", "3", None, None]}
    )
    assert list(link_subjects(rows)) == ["1", "1", "1", "4"]


def test_every_labelled_patient_is_tested_exactly_once_in_a_nested_repeat():
    table, y = cohort()
    plan = folds_of(Nested(5, repeats=2), table, y)
    for repeat in (0, 1):
        tested = np.concatenate([f.test for f in plan.folds if f.repeat == repeat])
        assert sorted(tested) == list(range(len(table)))


def test_the_order_of_the_rows_does_not_change_who_is_tested():
    table, y = cohort()
    shuffled = np.random.default_rng(1).permutation(len(table))
    straight = folds_of(Nested(4), table, y)
    other = folds_of(Nested(4), table.iloc[shuffled], y[shuffled])
    for one, two in zip(straight.folds, other.folds, strict=True):
        tested = set(table["patient_id"].iloc[one.test])
        assert tested == set(table.iloc[shuffled]["patient_id"].iloc[two.test])


def test_unlabelled_samples_train_but_are_never_tested():
    table, y = cohort()
    y[:5] = None
    for fold in folds_of(Nested(4), table, y).folds:
        assert not set(range(5)) & set(fold.test)
        assert set(range(5)) <= set(fold.train)


def test_honest_refuses_a_plan_that_puts_one_man_on_both_lists():
    table, y = cohort(linked={"p00": "p01", "p01": "p01"})
    plan = Fixed(("p00", "p02"), ("p01", "p03"), overlap="p00 and p01 are one man")
    with refuses(LeakageError, "p00", "paper"):
        folds_of(plan, table, y)
    assert folds_of(plan, table, y, protocol="paper").overlap == "p00 and p01 are one man"


def test_patients_on_neither_list_are_left_out_labelled_or_not():
    table, y = cohort()
    y[table["patient_id"] == "p05"] = None
    (fold,) = folds_of(Fixed(("p00", "p01"), ("p02", "p03")), table, y).folds
    used = set(table["patient_id"].iloc[np.concatenate([fold.train, fold.test])])
    assert used == {"p00", "p01", "p02", "p03"}


def test_paper_refuses_an_overlap_that_is_not_declared():
    table, y = cohort(linked={"p00": "p01", "p01": "p01"})
    with refuses(LeakageError, "p00"):
        folds_of(Fixed(("p00",), ("p01",)), table, y, protocol="paper")


def test_k_parts_of_random_samples_test_every_sample_once_and_count_as_repeats():
    table, y = cohort()
    made = folds_of(RandomSamples("beats at random", k=5), table, y, protocol="paper")
    assert [fold.name for fold in made.folds] == [f"r{part}-f0" for part in range(5)]
    tested = np.sort(np.concatenate([fold.test for fold in made.folds]))
    np.testing.assert_array_equal(tested, np.arange(len(table)))
    for fold in made.folds:
        assert not set(fold.train) & set(fold.test)
        assert np.mean(y[fold.test] == "a") == pytest.approx(np.mean(y == "a"), abs=0.06)


@pytest.mark.parametrize("plan", [Nested(4), RandomSamples("beats at random", k=3)])
def test_an_earlier_run_s_folds_are_made_again_and_nobody_without_a_label_is_tested(plan):
    table, y = cohort()
    protocol = "honest" if isinstance(plan, Nested) else "paper"
    made = folds_of(plan, table, y, protocol=protocol)
    fewer = y.copy()
    fewer[table["patient_id"] == "p03"] = None
    again = same_folds(made.to_dict(table), table.iloc[::-1], fewer[::-1])
    assert [fold.name for fold in again.folds] == [fold.name for fold in made.folds]
    backwards = table.index[::-1]
    for one, other in zip(made.folds, again.folds, strict=True):
        assert set(backwards[other.train]) == set(table.index[one.train])
        labelled = table.iloc[one.test]["patient_id"] != "p03"
        assert set(backwards[other.test]) == set(table.index[one.test][labelled])


def test_folds_of_an_earlier_run_are_refused_where_subjects_are_linked_across_them():
    table, y = cohort()
    stored = folds_of(Nested(4), table, y).to_dict(table)
    first, second = stored["folds"][0]["test"][0], stored["folds"][0]["train"][0]
    linked, _ = cohort(linked={first: "one", second: "one"})
    with pytest.raises(LeakageError):
        same_folds(stored, linked, y)


@pytest.mark.parametrize("name", ["fold 1", "r0", "r0-fx", "r٣-f0", "r0-f0-f1"])
def test_folds_of_odd_names_are_refused_in_one_line(name):
    stored = {"unit": "patient", "folds": [{"name": name, "train": ["a"], "test": ["b"]}]}
    table = pd.DataFrame({"patient_id": ["a", "b"]}, index=["s0", "s1"])
    with refuses(DataError, "splits.json", code="damaged"):
        same_folds(stored, table, np.array([0, 1]))


@pytest.mark.parametrize("plan", [RandomSamples("beats at random"), Resubstitution("apparent")])
def test_honest_refuses_plans_that_split_within_patients(plan):
    table, y = cohort()
    with pytest.raises(LeakageError):
        folds_of(plan, table, y)


def test_too_few_patients_for_the_folds_is_said_in_numbers():
    table, y = cohort(n_patients=3)
    with refuses(DataError, 5, 3, code="too_few"):
        folds_of(Nested(5), table, y)


def test_classes_smaller_than_the_number_of_folds_are_split_without_stratifying():
    # Six patients, three of each class: one validation split of a fifth has five parts.
    names = [f"p{i}" for i in range(6)]
    table = pd.DataFrame({"patient_id": names, "subject_id": names, "recording_id": names})
    labels = np.array(["no", "yes"] * 3, dtype=object)
    ((fit, validate),) = inner_folds(table, labels, k=1, share=0.2, unit="patient", seed=0)
    assert sorted([*fit, *validate]) == list(range(6))
    assert 1 <= len(validate) <= 2


def test_every_site_is_tested_once_by_models_of_the_others():
    table, y = cohort()
    sites = np.array(["north", "south", "west"])
    table["site_id"] = sites[pd.factorize(table["subject_id"])[0] % 3]
    plan = folds_of(Sites(), table, y)
    tested = [set(table["site_id"].iloc[fold.test]) for fold in plan.folds]
    assert tested == [{"north"}, {"south"}, {"west"}]
    for fold in plan.folds:
        assert len(fold.train) + len(fold.test) == len(table)


def test_a_person_seen_at_two_sites_belongs_to_the_first():
    table, y = cohort()
    subjects = pd.factorize(table["subject_id"])[0]
    table["site_id"] = np.where(subjects % 2 == 0, "north", "south")
    last = np.flatnonzero(subjects == 0)[-1]
    table.iloc[last, table.columns.get_loc("site_id")] = "south"
    north, south = folds_of(Sites(), table, y).folds
    assert last in north.test
    assert last not in south.test


def test_leaving_sites_out_needs_a_site_of_everybody_and_two_of_them():
    table, y = cohort()
    with refuses(DataError, "site_id", code="missing"):
        folds_of(Sites(), table, y)
    with refuses(DataError, "plan sites", 1, code="too_few"):
        folds_of(Sites(), table.assign(site_id="north"), y)


def test_inner_folds_keep_patients_apart_too():
    table, y = cohort()
    for k in (1, 3):
        splits = inner_folds(table, y, k=k, share=0.2, unit="patient", seed=0)
        assert len(splits) == k
        for fit, validate in splits:
            assert not set(table["subject_id"].iloc[fit]) & set(table["subject_id"].iloc[validate])


def test_an_identical_file_under_two_patients_raises():
    with refuses(LeakageError, "r1", "r2", "subject_link"):
        guard_duplicates({"r1": ["aa"], "r2": ["aa"]}, {"r1": "p1", "r2": "p2"})
    guard_duplicates({"r1": ["aa"], "r2": ["aa"]}, {"r1": "p1", "r2": "p1"})


def test_a_fixed_plan_gives_way_only_where_none_of_its_patients_is_there():
    plans = {"lists": Fixed(("a",), ("b",))}
    block = ProtocolBlock(plan="lists", otherwise="nested")
    assert find_plan(block, plans, {"a", "z"})[0] == "lists"
    assert find_plan(block, plans, {"y", "z"})[0] == "nested"
    with refuses(ConfigError, code="unknown"):
        find_plan(ProtocolBlock(plan="list"), plans, {"a"})


def test_continuous_labels_are_stratified_by_quartile():
    table, _ = cohort(n_patients=40, n_each=1)
    y = np.linspace(0, 100, 40)
    for fold in folds_of(Nested(4), table, y).folds:
        assert abs(np.mean(y[fold.test]) - 50) < 12
