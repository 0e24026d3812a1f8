"""What a column of outcomes is taken for, and where it is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_stats.errors import CardioError
from cardio_stats.outcome import Outcome, place_settled, settle_outcome
from cardio_studies.comparison import shared
from cardio_studies.ingest import Question, read_given


def counted(truth: Any) -> tuple[int, int]:
    known = pd.Series(truth).dropna()
    return int((known == 1).sum()), int((known == 0).sum())


def test_an_outcome_of_other_words_is_no_column_of_controls() -> None:
    """A run was trained on ja and nein; the new patients' column has 0 and 1."""
    settled = settle_outcome(pd.Series(["ja", "nein"]), Outcome("died", event="ja"))
    new = pd.Series([0, 1, 1, 0, 1])
    with pytest.raises(CardioError, match="--event"):
        place_settled(new, settled)
    named = Outcome("died", "1", kind="binary", classes=settled.classes)
    assert counted(place_settled(new, named).truth) == (3, 2)


def test_a_censored_outcome_is_not_judged_as_binary(tmp_path: Path) -> None:
    table = pd.DataFrame({"patient": [f"p{n}" for n in range(40)], "time": range(1, 41),
                          "status": [0, 1] * 20, "risk": np.linspace(0.1, 0.9, 40)})  # fmt: skip
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(CardioError, match="--horizon"):
        read_given(tmp_path / "t.csv", Question("status", scores=("risk",)))
    table.drop(columns="time").to_csv(tmp_path / "t.csv", index=False)
    assert read_given(tmp_path / "t.csv", Question("status", scores=("risk",))).n_rows == 40


def test_compare_decides_at_the_threshold_that_was_given(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], 30)
    for name in ("a", "b"):
        risk = np.clip(0.3 * truth + rng.uniform(0, 0.6, 60), 0, 1).round(3)
        pd.DataFrame({"patient": [f"p{n}" for n in range(60)], "died": truth, "risk": risk}).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    asked = Question("died", scores=("risk",), patient="patient")
    sources = [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")]
    for threshold in (None, 0.2):
        [frame] = shared(sources, asked, threshold).predictions.scored.frames.values()
        score = next(name for name in frame if str(name) in ("score:1", "score:yes"))
        called = frame["predicted"].isin(["1", "yes"])
        assert (called == (frame[score] >= (threshold or 0.5))).all()
