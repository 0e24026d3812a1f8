"""Values that show no path, whatever they are made of."""

from __future__ import annotations

import collections
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_core.errors import ContractError
from cardio_core.testing import refuses
from cardio_core.types.samples import Opened, SampleSet, Sealed, column_with_path, paths_in, sealed
from cardio_stats.errors import DataError


@dataclass(frozen=True, slots=True)
class Trace:
    signal: np.ndarray
    about: Any = None


Named = collections.namedtuple("Named", "signal file")


class Plain:
    def __init__(self, **parts):
        self.__dict__.update(parts)


@pytest.fixture
def there(tmp_path):
    (tmp_path / "cohort.csv").write_text("patient_id\n")
    return tmp_path / "cohort.csv"


def test_a_path_is_found_wherever_it_can_be_read(there):
    signal = np.zeros(3)
    shown = {
        "v": there,
        "v[1]": [signal, str(there)],
        "v.file": Named(signal, there),
        "v['a'][0]": {"a": (there,)},
        "a key of v": {there: 1},
        "v.about.file": Trace(signal, Plain(file=str(there))),
        "v['file'][0]": pd.DataFrame({"file": [str(there)], "n": [1]}),
        "v[0]": np.array([str(there)]),
        "v[2]": np.array([None, 1, there], dtype=object),
    }
    for where, value in shown.items():
        assert next(paths_in(value, "v"), None) == where


def test_what_shows_no_path_is_let_through(there):
    absent = str(there.with_name("nobody.csv"))
    values = (None, 3.0, "cohort.csv", "AV/block", absent, np.zeros(5), Plain(_file=there), [""],
              Trace(np.zeros(2), {"unit": "mV/s"}), np.array(["I", "II"]), b"x")  # fmt: skip
    for value in values:
        assert list(paths_in(value, "v")) == []


def test_values_can_be_asked_for_one_by_one_in_slices_and_in_any_order():
    values = Sealed(Opened(("a", "b", "c"), str.upper))
    assert (len(values), values[1], values[-1], list(values)) == (3, "B", "C", ["A", "B", "C"])
    for chosen in (slice(1, None), np.array([1, 2]), np.array([False, True, True])):
        part = values[chosen]
        assert isinstance(part, Sealed)
        assert list(part) == ["B", "C"]
    with pytest.raises(IndexError):
        values[3]


def test_nothing_of_the_sources_can_be_seen_or_taken_along(there):
    values = Sealed(Opened((there,), Path.read_text))
    for name in ("sources", "open", "files", "values"):
        assert not hasattr(values, name)
    shown = [getattr(values, name) for name in dir(values) if name != "__doc__"]
    assert not any(isinstance(one, Path | Opened) for one in shown)
    assert str(there) not in repr(values)
    with pytest.raises((pickle.PicklingError, AttributeError, TypeError)):
        pickle.dumps(values)


def test_a_value_that_shows_a_path_is_refused_and_one_that_cannot_be_opened_says_why(there):
    with refuses(ContractError, "value.file"):
        Sealed([Named(1, there)])[0]

    def fails(_):
        raise DataError("a.csv: expected numbers, found none")

    table = pd.DataFrame(
        {"recording_id": ["r"], "study_id": ["s"], "patient_id": ["p"]}, index=["r"]
    )
    said = []
    samples = sealed(SampleSet(table, Opened(("a",), fails)))
    assert list(samples.opened(lambda *why: said.append(why))) == []
    assert [(name, str(why)) for name, why in said] == [
        ("r", "a.csv: expected numbers, found none")
    ]


def test_an_array_of_numbers_stays_one_and_attributes_of_the_table_go(there):
    table = pd.DataFrame(
        {"recording_id": ["r"], "study_id": ["s"], "patient_id": ["p"]}, index=["r"]
    )
    table.attrs["from"] = there
    array = np.ones((1, 4))
    samples = sealed(SampleSet(table, array))
    assert samples.values is array
    assert samples.table.attrs == {}
    assert table.attrs == {"from": there}
    assert isinstance(sealed(SampleSet(table, np.array([there], dtype=object))).values, Sealed)


@pytest.mark.parametrize("as_what", [lambda p: p, str, lambda p: [p], lambda p: {"file": str(p)}])
def test_the_column_of_a_path_is_named(there, as_what):
    table = pd.DataFrame({"sex": ["F", "M"], "age_y": [50.0, 60.0]})
    assert column_with_path(table) is None
    assert column_with_path(table.assign(source=[None, as_what(there)])) == "source"


def test_texts_of_other_kinds_are_looked_through_too(there):
    texts = pd.Series([str(there), None])
    for kind in ("string", "category"):
        assert column_with_path(pd.DataFrame({"file": texts.astype(kind)})) == "file"
