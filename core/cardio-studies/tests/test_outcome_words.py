"""Thirty ways of writing an outcome: every command counts the same, or refuses the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cardio_stats._numerics.columns import binary_outcome
from cardio_stats.errors import CardioError
from cardio_stats.outcome import Outcome, outcome_values, place_settled, settle_outcome
from cardio_stats.tables import read_typed
from cardio_studies.comparison import shared
from cardio_studies.ingest import Question, read_given

Words = dict[str, int]
Result = dict[str, Any]

LANGUAGES = {
    "English": ("yes", "no", "not known"),
    "German": ("ja", "nein", "unbekannt"),
    "French": ("oui", "non", "inconnu"),
    "Spanish": ("sí", "no", "desconocido"),
    "Dutch": ("ja", "nee", "onbekend"),
}
CASES: dict[str, tuple[Words, Result, tuple[int, int] | None]] = {}
"""Words with their rows, what is said of them, and rows with and without the event or None."""

for language, (yes, no, unknown) in LANGUAGES.items():
    CASES |= {
        f"{language}": ({yes: 8, no: 12}, {}, (8, 12)),
        f"{language}, capitals and blanks": (
            {yes: 3, f"{yes.title()} ": 2, yes.upper(): 3, no: 6, f" {no.upper()}": 6},
            {},
            (8, 12),
        ),
        f"{language}, a third word": ({yes: 8, no: 10, unknown: 2}, {}, None),
        f"{language}, a third word and the event": (
            {yes: 8, no: 10, unknown: 2},
            {"event": yes},
            None,
        ),
        f"{language}, a third word that is missing": (
            {yes: 8, no: 10, unknown: 2},
            {"event": yes, "missing": (unknown,)},
            (8, 10),
        ),
    }
CASES |= {
    "0 and 1": ({"0": 12, "1": 8}, {}, (8, 12)),
    "0 and 1, the event 0": ({"0": 12, "1": 8}, {"event": "0"}, (12, 8)),
    "TRUE, FALSE and NA": ({"TRUE": 8, "FALSE": 10, "NA": 2}, {}, (8, 10)),
    "0, 1 and 9": ({"0": 10, "1": 8, "9": 2}, {}, None),
    "0, 1 and 9, which is missing": (
        {"0": 10, "1": 8, "9": 2}, {"event": "1", "missing": ("9",)}, (8, 10)
    ),
    "1 and 2": ({"1": 12, "2": 8}, {}, None),
    "1 and 2, the event 2": ({"1": 12, "2": 8}, {"event": "2"}, (8, 12)),
    "three arms, one of them": ({"CRT-P": 8, "CRT-D": 7, "none": 5}, {"event": "CRT-P"}, None),
    "three arms, all named": (
        {"CRT-P": 8, "CRT-D": 7, "none": 5},
        {"event": "CRT-P", "negative": ("CRT-D", "none")}, (8, 12),
    ),
}  # fmt: skip


def written(folder: Path, words: Words) -> Path:
    cells = [word for word, n in words.items() for _ in range(n)]
    score = np.linspace(0.1, 0.9, len(cells)).round(3)
    path = folder / "table.csv"
    pd.DataFrame(
        {"patient": [f"p{n}" for n in range(len(cells))], "died": cells, "risk": score}
    ).to_csv(path, index=False)
    return path


def counted(truth: Any) -> tuple[int, int]:
    known = pd.Series(truth).dropna()
    return int((known == 1).sum()), int((known == 0).sum())


def in_a_run(path: Path, said: Result) -> tuple[int, int]:
    """As run and data check: cells as text, the outcome settled and then given."""
    column = pd.read_csv(path, dtype=str, keep_default_na=False)["died"]
    return counted(outcome_values(column, settle_outcome(column, Outcome("died", **said))))


def in_evaluate(path: Path, said: Result) -> tuple[int, int]:
    """As evaluate: by what a run has settled on the same words."""
    column = pd.read_csv(path, dtype=str, keep_default_na=False)["died"]
    settled = settle_outcome(column, Outcome("died", **said))
    return counted(place_settled(column, settled).truth)


def in_judge(path: Path, said: Result) -> tuple[int, int]:
    """As judge and compare."""
    asked = Question("died", scores=("risk",), patient="patient", **said)
    given = read_given(path, asked)
    [frame] = given.scored.frames.values()
    control, event = given.task.targets[0].classes
    return int((frame["y_true"] == event).sum()), int((frame["y_true"] == control).sum())


def in_stats(path: Path, said: Result) -> tuple[int, int]:
    table = read_typed(path, said.get("missing", ())).table
    return counted(binary_outcome(table, "died", said.get("event"), said.get("negative", ()))[0])


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("command", [in_a_run, in_evaluate, in_judge, in_stats])
def test_every_command_reads_an_outcome_alike(tmp_path: Path, case: str, command: Any) -> None:
    words, said, expected = CASES[case]
    path = written(tmp_path, words)
    if expected is None:
        with pytest.raises(CardioError) as refused:
            command(path, said)
        assert "\n" not in str(refused.value)
        assert any(option in str(refused.value) for option in ("--event", "--negative", "--kind"))
    else:
        assert command(path, said) == expected


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
