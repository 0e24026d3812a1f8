"""Of the hostile cases nothing that failed is passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow  # of the study, not of the page


@pytest.fixture(scope="module")
def page(of_benchmarks: Any) -> Any:
    return of_benchmarks("hostile_page")


@pytest.fixture(scope="module")
def stored(page: Any) -> Any:
    return json.loads(page.STORED.read_text(encoding="utf-8"))


def test_two_thousand_cases_are_stored(stored: Any) -> None:
    rows = [row for part in stored["parts"].values() for row in part["rows"]]
    assert sum(row["tried"] for row in rows) >= 2000
    assert {row["category"] for row in rows} >= {"pickles", "faults of reading", "damaged files"}


def test_what_failed_is_named_on_the_page(page: Any, stored: Any) -> None:
    spoiled = json.loads(json.dumps(stored))
    row = next(iter(spoiled["parts"].values()))["rows"][0]
    row["failed"], row["failures"] = 1, ["wrote outside of its folder"]
    assert "wrote outside of its folder" in page.rendered(spoiled)
