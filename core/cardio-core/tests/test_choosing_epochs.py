"""When the inner folds may choose the number of epochs: the rule that all plugins share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cardio_core.runner.train import enough_to_choose
from cardio_core.types.info import Target
from cardio_core.types.targets import Targets

BINARY = Target("ill", "binary", ("no", "yes"))
NUMBER = Target("strain", "continuous", unit="%")
THREE = Target("grade", "multiclass", ("none", "mild", "severe"))


def asked(target, values, *, least=50, n_samples=1):
    """Ask for one patient a value, with some samples each."""
    patients = [f"p{number}" for number in range(len(values))]
    table = pd.DataFrame({"patient_id": patients, "subject_id": patients})
    table = table.loc[table.index.repeat(n_samples)].reset_index(drop=True)
    table.index = table.index.map(lambda number: f"s{number}")
    truth = Targets("patient", pd.DataFrame({target.name: values}, index=pd.Index(patients)))
    return enough_to_choose(table, truth, target, least=least)


def ill(n_no, n_yes):
    return np.array(["no"] * n_no + ["yes"] * n_yes, dtype=object)


@pytest.mark.parametrize(
    ("n_no", "n_yes", "enough"),
    [(25, 25, True), (25, 24, False), (40, 10, True), (41, 9, False), (9, 200, False)],
)
def test_fifty_patients_with_ten_of_either_class_may_choose(n_no, n_yes, enough):
    assert asked(BINARY, ill(n_no, n_yes)) is enough


def test_patients_count_and_not_their_samples():
    assert not asked(BINARY, ill(10, 10), n_samples=20)


def test_patients_without_an_outcome_do_not_count():
    assert not asked(BINARY, np.append(ill(24, 25), [None] * 30))


@pytest.mark.parametrize(("n", "enough"), [(49, False), (50, True)])
def test_a_number_or_several_classes_ask_for_the_patients_alone(n, enough):
    assert asked(NUMBER, np.linspace(-20.0, 0.0, n)) is enough
    assert asked(THREE, np.array(["none"] * n, dtype=object)) is enough


def test_where_none_are_asked_for_any_number_chooses():
    assert asked(BINARY, ill(1, 1), least=0)


def test_classes_may_be_given_as_numbers():
    assert asked(BINARY, np.repeat([0.0, 1.0], 25))
    assert not asked(BINARY, np.repeat([0.0, 1.0], [45, 5]))
