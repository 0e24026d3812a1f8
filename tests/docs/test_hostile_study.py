"""The page of hostile cases shows what is stored, and nothing that failed is passed over."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    yield importlib.import_module("hostile_page")
    sys.path.remove(str(ROOT / "benchmarks"))


@pytest.fixture(scope="module")
def stored(page: Any) -> Any:
    return json.loads(page.STORED.read_text(encoding="utf-8"))


def test_the_page_shows_what_is_stored(page: Any, stored: Any) -> None:
    shown = page.PAGE.read_text(encoding="utf-8")
    assert page.rendered(stored) == shown, "run python benchmarks/hostile_page.py"


def test_two_thousand_cases_are_stored(stored: Any) -> None:
    rows = [row for part in stored["parts"].values() for row in part["rows"]]
    assert sum(row["tried"] for row in rows) >= 2000
    assert {row["category"] for row in rows} >= {"pickles", "faults of reading", "damaged files"}


def test_what_failed_is_named_on_the_page(page: Any, stored: Any) -> None:
    spoiled = json.loads(json.dumps(stored))
    row = next(iter(spoiled["parts"].values()))["rows"][0]
    row["failed"], row["failures"] = 1, ["wrote outside of its folder"]
    assert "wrote outside of its folder" in page.rendered(spoiled)
