"""Pages that a script makes of what a study stored show what is stored."""

from __future__ import annotations

import json

import pytest


def rendered(page, text):
    """Return what a script makes of a page: of the page and what is stored, or of that alone."""
    match page.__name__:
        case "gpu_page":
            return page.page(page.stored())
        case "scaling_page":
            return page.page(json.loads(page.STORED.read_text(encoding="utf-8")))
        case "performance_page":
            return page.rendered(text, page.read())
        case "demo_study_page":
            return page.rendered(text, json.loads(page.STORED.read_text(encoding="utf-8")))
    return page.rendered(json.loads(page.STORED.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "name",
    ["demo_study_page", "gpu_page", "hostile_page", "kill_study_page", "performance_page",
     "scaling_page"],
)  # fmt: skip
def test_a_page_shows_what_is_stored(of_benchmarks, name):
    page = of_benchmarks(name)
    text = page.PAGE.read_text(encoding="utf-8")
    assert rendered(page, text) == text, f"run python benchmarks/{name}.py"
