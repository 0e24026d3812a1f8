"""`cardio stats forest` draws a table of estimates, or what other commands wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.testing import names


def test_what_univariable_writes_is_drawn(cardio: Any, file: Path, tmp_path: Path) -> None:
    made, figure = tmp_path / "ratios.csv", tmp_path / "forest.svg"
    asked = ["--outcome", "response", "--features", "qrs_ms,lvef_pct", "--csv", str(made)]
    assert cardio(["univariable", "FILE", *asked], file).code == 0
    ran = cardio(["forest", "FILE", "--svg", str(figure)], made)
    assert ran.code == 0, ran.err
    assert "2 estimates" in ran.out
    drawn = figure.read_text()
    assert "qrs_ms" in drawn
    assert "OR per unit" in drawn


def test_a_table_of_estimates_is_drawn_and_a_wrong_one_refused(cardio: Any, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"label": ["men", "women"], "estimate": [0.8, 0.7], "low": [0.7, 0.6],
         "high": [0.9, 0.8], "group": ["A", "B"], "n": [40, 30]}
    )  # fmt: skip
    path, figure = tmp_path / "estimates.csv", tmp_path / "forest.svg"
    table.to_csv(path, index=False)
    assert cardio(["forest", "FILE", "--axis", "AUC", "--svg", str(figure)], path).code == 0
    drawn = figure.read_text()
    for words in ("men", "women", "A", "B", "40", "30", "AUC", "(0.7"):
        assert words in drawn
    table.assign(low=[0.85, 0.6]).to_csv(path, index=False)
    ran = cardio(["forest", "FILE", "--svg", str(figure)], path)
    assert (ran.code, ran.fault) == (3, "contradiction")
    assert names(ran.err, "low", "estimate", "high", "0.85")
    table.drop(columns="low").to_csv(path, index=False)
    ran = cardio(["forest", "FILE", "--svg", str(figure)], path)
    assert (ran.code, ran.fault) == (3, "missing")
    assert names(ran.err, "label", "estimate", "low", "high")
