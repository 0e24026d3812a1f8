"""`cardio stats missing`: counts, patterns and tests, by hand and by R's chisq.test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def holes(tmp_path: Path) -> Path:
    """Of 40 responders 4 lack the QRS, of 40 others 12, of whom 6 lack the LVEF, too."""
    path = tmp_path / "holes.csv"
    rows = [f"{n % 2},{'NA' if n % 2 and n < 8 else 150 + n},{30 + n % 5},a" for n in range(80)]
    for place, n in enumerate(range(0, 24, 2)):
        rows[n] = f"0,,{'.' if place < 6 else 30},a"
    path.write_text("\n".join(["response,qrs_ms,lvef_pct,ward", *rows]))
    return path


def test_counts_and_patterns_are_those_of_the_table(cardio: Any, holes: Path) -> None:
    out = cardio(["missing", "FILE"], holes, "--csv", holes.with_suffix(".out")).out
    lines = [line.split(",") for line in holes.with_suffix(".out").read_text().splitlines()]
    assert [line[-1] for line in lines[1:3]] == ["16 (20.0)", "6 (7.5)"]
    assert [" ".join(line) for line in lines[4:]] == [
        "  complete 64 (80.0)", "  qrs_ms 10 (12.5)", '"  qrs_ms  lvef_pct" 6 (7.5)',
    ]  # fmt: skip
    assert "64 of 80 rows have every value." in out
    assert "No value missing: response, ward." in out
    assert "Taken as missing: 'NA' 4 times, '.' 6 times (qrs_ms, lvef_pct)." in out


def test_missing_is_tested_against_the_outcome(cardio: Any, holes: Path) -> None:
    command = ["missing", "FILE", "--outcome", "response", "--json"]
    found = {one["name"]: one for one in json.loads(cardio(command, holes).out)}
    assert found["missing[qrs_ms]"]["value"] == pytest.approx(0.2)
    # R 4.2.2: chisq.test(matrix(c(12, 4, 28, 36), 2), correct = FALSE)$p.value
    assert found["missing_by_group[qrs_ms]"]["p_value"] == pytest.approx(0.0253473186775)
    # R 4.2.2: fisher.test(matrix(c(6, 0, 34, 40), 2))$p.value
    assert found["missing_by_group[lvef_pct]"]["p_value"] == pytest.approx(0.0255466052934)
    text = cardio(command[:-1], holes).out
    assert "12 (30.0)" in text
    assert "4 (10.0)" in text
    assert "A small p speaks against" in text


def test_a_table_without_holes_says_so(cardio: Any, tmp_path: Path) -> None:
    path = tmp_path / "whole.csv"
    path.write_text("y,a\n" + "\n".join(f"{n % 2},{n}" for n in range(8)))
    ran = cardio(["missing", "FILE", "--outcome", "y"], path)
    assert ran.code == 0
    assert "8 of 8 rows have every value." in ran.out
