"""Outcomes of the user's own, as strangers write them in a table."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardio_stats.errors import ConfigError
from cardio_stats.outcome import Outcome, outcome_values, settle_outcome


def settled(values: list[object], **asked: object) -> Outcome:
    return settle_outcome(pd.Series(values, dtype=object), Outcome(column="o", **asked))


@pytest.mark.parametrize(
    ("values", "asked", "kind", "classes", "targets"),
    [
        ([1, 0, None, 1.0], {}, "binary", ("no", "yes"), [1, 0, None, 1]),
        (["yes", "No", "YES", "NA"], {}, "binary", ("No", "YES"), [1, 0, 1, None]),
        (["yes", "no", "No", "no"], {}, "binary", ("no", "yes"), [1, 0, 0, 0]),
        ([True, False, True], {}, "binary", ("no", "yes"), [1, 0, 1]),
        (["Nonresponder", "Responder"], {}, "binary", ("Nonresponder", "Responder"), [0, 1]),
        ([1, 2, 2], {"event": "2"}, "binary", ("1", "2"), [0, 1, 1]),
        (["A", "B", "B"], {"event": "a"}, "binary", ("B", "A"), [1, 0, 0]),
        (
            ["A", "B", "C"],
            {"event": "C", "negative": ("A", "b")},
            "binary",
            ("not C", "C"),
            [0, 0, 1],
        ),
        (
            ["Ja ", "ja", "nein", "weiß nicht"],
            {"event": "ja", "missing": ("weiß nicht",)},
            "binary",
            ("nein", "Ja"),
            [1, 1, 0, None],
        ),
        ([0, 1, 9], {"event": "1", "missing": ("9",)}, "binary", ("no", "yes"), [0, 1, None]),
        (["mild", "none", "severe"], {}, "multiclass", ("mild", "none", "severe"), None),
        ([1, 2, 3], {"kind": "multiclass"}, "multiclass", ("1", "2", "3"), None),
        ([31.5, 40, 22, None], {}, "continuous", (), [31.5, 40.0, 22.0, None]),
    ],
)
def test_values_say_what_a_column_is(
    values: list[object], asked: dict[str, object], kind: str, classes: object, targets: object
) -> None:
    found = settled(values, **asked)
    assert (found.kind, found.classes) == (kind, classes)
    truth = outcome_values(pd.Series(values, dtype=object), found)
    plain = [None if pd.isna(one) else one for one in truth]
    assert plain == (targets if targets is not None else [str(one) for one in values])


@pytest.mark.parametrize(
    ("values", "asked", "words"),
    [
        (["A", "B"], {}, "--event B"),
        ([1, 2], {}, "--event 2"),
        ([None, "NA"], {}, "found no value"),
        (["yes", "yes", None], {}, "the same value in every row"),
        ([f"name {n}" for n in range(40)], {}, "at most 10 different words, found 40 in 40 rows"),
        (["A", "B"], {"event": "C"}, "'A' in 1 row, 'B' in 1 row"),
        (
            ["ja", "nein", "unbekannt", "unbekannt", "tot"],
            {"event": "ja"},
            "'tot' in 1 row, 'unbekannt' in 2 rows",
        ),
        (["yes", "no", "maybe"], {}, "'maybe' in 1 row"),
        ([0, 1, 9], {}, "'9' in 1 row"),
        (["low", 1, 2], {"kind": "continuous"}, "found 1 different words"),
    ],
)
def test_what_is_no_outcome_is_told(
    values: list[object], asked: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        settled(values, **asked)


def test_free_text_is_never_repeated() -> None:
    with pytest.raises(ConfigError) as raised:
        settled([f"Mrs {n}" for n in range(11)])
    assert "Mrs" not in str(raised.value)


@given(st.lists(st.sampled_from(["yes", "no", None, "", "NA"]), min_size=2))
def test_missing_stays_missing(values: list[object]) -> None:
    found = Outcome(column="o", kind="binary", classes=("no", "yes"))
    truth = outcome_values(pd.Series(values, dtype=object), found)
    expected = {"yes": 1, "no": 0}
    assert [None if pd.isna(t) else t for t in truth] == [expected.get(v) for v in values]
