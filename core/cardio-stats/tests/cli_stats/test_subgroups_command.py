"""`cardio stats subgroups`: its table, its forest figure, and wrong options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RUN = ["subgroups", "FILE", "--outcome", "response"]


def test_the_forest_has_the_lines_of_the_table(cardio: Any, file: Path, tmp_path: Path) -> None:
    figure = tmp_path / "forest.svg"
    more = ["--exposure", "qrs_ms", "--per-sd", "--by", "sex,arm,lvef_pct:28"]
    ran = cardio([*RUN, *more], file, "--svg", figure)
    assert (ran.code, ran.err) == (0, "")
    drawn = figure.read_text()
    for words in ("  below 28", "  28 and above", "  OFF", "lvef_pct", "p interaction"):
        assert words in ran.out
        assert f">{words.strip()}</text>" in drawn
    assert "lvef_pct: 4 rows in no subgroup (missing)." in ran.out


def test_an_auc_in_subgroups(cardio: Any, file: Path) -> None:
    ran = cardio([*RUN, "--score", "risk", "--by", "sex"], file)
    assert ran.code == 0
    assert "p equal AUC" in ran.out


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--by", "sex"], "expected one of them, found neither"),
        (["--by", "sex", "--score", "risk", "--exposure", "arm"], "found both"),
        (["--by", "sex", "--score", "risk", "--per-sd"], "an AUC has no unit"),
    ],
)
def test_options_that_cannot_be_meant(cardio: Any, file: Path, more: list[str], words: str) -> None:
    ran = cardio([*RUN, *more], file)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert words in ran.err
