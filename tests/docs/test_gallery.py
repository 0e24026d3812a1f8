"""The gallery of `cardio_stats`: its examples run, and draw what the page shows.

``CARDIO_STORE=1 python -m pytest tests/docs/test_gallery.py`` draws the pictures again.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from .test_commands import ROOT

PAGE = (ROOT / "docs/howto/statistics_in_python.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs/images/statistics"
EXAMPLE = re.compile(
    r"```python\n(.*?)```(?:\n\n!\[[^\]]+\]\(\.\./images/statistics/(\w+)\.svg\))?", re.DOTALL
)
WORDS = re.compile(r"<text[^>]*>(?:<tspan[^>]*>)?([^<]+)<|<!-- (.+?) -->")


@pytest.fixture(scope="module")
def drawings() -> dict[str, str]:
    """Run the page from top to bottom, and return each picture as SVG."""
    from cardio_stats.figures import svg_text

    made: dict[str, str] = {}
    names: dict[str, Any] = {}
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        for code, name in EXAMPLE.findall(PAGE):
            exec(compile(code, name or "beginning", "exec"), names)  # noqa: S102  our own page
            if name:
                made[name] = svg_text(names.pop("drawing"))
    finally:
        os.chdir(before)
    if os.environ.get("CARDIO_STORE"):
        for name, svg in made.items():
            (PICTURES / f"{name}.svg").write_text(svg, encoding="utf-8")
    return made


def test_there_are_twelve_examples_and_no_other_pictures(drawings: dict[str, str]) -> None:
    assert len(drawings) == 12
    assert {path.stem for path in PICTURES.iterdir()} == set(drawings)


@pytest.mark.parametrize("name", [name for _, name in EXAMPLE.findall(PAGE) if name])
def test_a_picture_says_what_its_example_draws(drawings: dict[str, str], name: str) -> None:
    stored = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert WORDS.findall(drawings[name])
    assert WORDS.findall(drawings[name]) == WORDS.findall(stored)
