"""Tables of predictions as other programs leave them: which column is taken for what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cardio_core.testing import call_cardio
from cardio_stats.errors import ConfigError
from cardio_studies.ingest import Given, read_given
from cardio_studies.ingest_columns import Question

N = 40
TRUTH = np.arange(N) % 2
RISK = np.round(0.3 + 0.3 * TRUTH + 0.2 * np.sin(np.arange(N)), 4)


def given(folder: Path, table: pd.DataFrame, **asked: str) -> Given:
    path = folder / "table.csv"
    table.to_csv(path, index=False)
    return read_given(path, Question(**asked))


def test_of_caret_and_tidymodels_the_column_of_the_event_is_the_score(tmp_path: Path) -> None:
    """Both put the first level first, and the event often is the first."""
    words = np.where(TRUTH, "yes", "no")
    folds = [f"Fold{i % 5 + 1}" for i in range(N)]
    tidy = pd.DataFrame({"id": folds, ".pred_yes": RISK, ".pred_no": 1 - RISK,
                         ".row": range(1, N + 1), "outcome": words})  # fmt: skip
    caret = pd.DataFrame({"obs": words, "yes": RISK, "no": 1 - RISK,
                          "rowIndex": range(1, N + 1), "Resample": folds})  # fmt: skip
    for table, score in ((tidy, ".pred_yes"), (caret, "yes")):
        found = given(tmp_path, table, event="yes")
        [frame] = found.scored.frames.values()
        assert [model.name for model in found.task.models] == [score]
        assert frame["score:yes"].tolist() == RISK.tolist()
        assert frame["patient_id"].nunique() == N  # not the folds, which tidymodels calls id


@pytest.mark.parametrize(
    ("names", "event", "score"),
    [
        (("proba_0", "proba_1"), None, "proba_1"),
        (("proba_1", "proba_0"), None, "proba_1"),
        (("X0", "X1"), None, "X1"),
        (("proba_0", "proba_1"), "0", "proba_0"),
        (("p.pred.a", "p.pred.b"), None, "p.pred.b"),
    ],
)
def test_of_two_columns_that_add_to_one_the_event_s_is_taken(
    tmp_path: Path, names: tuple[str, str], event: str | None, score: str
) -> None:
    own = RISK if score == names[0] else 1 - RISK
    table = pd.DataFrame({"y_test": TRUTH, names[0]: own, names[1]: 1 - own})
    asked = {"event": event} if event else {}
    assert [one.name for one in given(tmp_path, table, **asked).task.models] == [score]


@pytest.mark.parametrize(
    ("no", "yes"),
    [("no", "yes"), ("No", "Yes"), ("N", "Y"), ("non-responder", "responder"), ("nein", "ja"),
     ("non", "oui"), ("no", "sí"), ("nee", "ja")],
)  # fmt: skip
def test_a_pair_of_words_that_everybody_knows_needs_no_event(
    tmp_path: Path, no: str, yes: str
) -> None:
    table = pd.DataFrame({"id": range(N), "obs": np.where(TRUTH, yes, no), "risk": RISK})
    found = given(tmp_path, table)
    [target], [frame] = found.task.targets, found.scored.frames.values()
    assert target.classes == (no, yes)
    assert frame[f"score:{yes}"].tolist() == RISK.tolist()
    assert (
        f"Taken by its meaning: {yes} of obs as the event; --event takes the other one."
        in found.assumed
    )
    named = given(tmp_path, table, event=no)  # what the user says goes first
    assert named.task.targets[0].classes == (yes, no)
    assert not any("by its meaning" in line for line in named.assumed)


def test_of_a_known_pair_the_column_of_the_event_is_the_score(tmp_path: Path) -> None:
    table = pd.DataFrame({"outcome": np.where(TRUTH, "yes", "no"), ".pred_yes": RISK,
                          ".pred_no": 1 - RISK})  # fmt: skip
    assert [one.name for one in given(tmp_path, table).task.models] == [".pred_yes"]


def test_any_other_pair_of_words_asks_for_the_event(tmp_path: Path) -> None:
    table = pd.DataFrame({"obs": np.where(TRUTH, "severe", "mild"), "risk": RISK})
    with pytest.raises(ConfigError, match="--event severe"):
        given(tmp_path, table)


def test_the_word_that_was_taken_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    pd.DataFrame({"obs": np.where(TRUTH, "yes", "no"), "risk": RISK}).to_csv(path, index=False)
    said = call_cardio("judge", str(path), "--out", str(tmp_path / "out"))
    assert said.exit_code == 0, said.stderr
    assert "Taken by its meaning: yes of obs as the event" in said.stdout


def test_patients_with_long_numbers_are_not_taken_for_one_another(tmp_path: Path) -> None:
    table = pd.DataFrame({"patient_id": 12345600 + np.arange(N), "label": TRUTH, "prob": RISK})
    [frame] = given(tmp_path, table).scored.frames.values()
    assert frame["patient_id"].tolist() == [str(12345600 + i) for i in range(N)]


def test_redcap_s_names_with_blanks_are_known(tmp_path: Path) -> None:
    table = pd.DataFrame({"Record ID": range(1, N + 1), "Data Access Group": ["a", "b"] * (N // 2),
                          "Outcome": TRUTH, "Predicted risk": RISK})  # fmt: skip
    found = given(tmp_path, table)
    assert list(found.groups.columns) == ["Data Access Group"]
    assert "Record ID as the patient" in found.assumed[0]


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    path, file = tmp_path / "p.csv", tmp_path / "taken"
    pd.DataFrame({"label": TRUTH, "prob": RISK}).to_csv(path, index=False)
    file.write_text("mine")
    for out, why in ((file, "is a file"), (file / "below", "cannot be made")):
        said = call_cardio("judge", path, "--out", out)
        assert said.exit_code == 2
        assert f"--out {out}: {why}" in said.stderr and said.stderr.count("\n") == 1


def test_the_methods_text_of_judged_predictions_tells_measures_and_missing_values(
    tmp_path: Path,
) -> None:
    """Scores that run the wrong way, three of them missing: said in words, nothing flipped."""
    table = pd.DataFrame({"label": TRUTH, "prob": np.where(np.arange(N) < 3, np.nan, 1 - RISK)})
    table.to_csv(tmp_path / "p.csv", index=False)
    said = call_cardio("judge", tmp_path / "p.csv", "--out", tmp_path / "out")
    assert said.exit_code == 0, said.stderr
    page = (tmp_path / "out" / "report.html").read_text()
    methods = page.partition("Methods text to paste")[2].partition("To cite")[0]
    methods = methods.replace("<code>", "").replace("</code>", "")
    for words in (
        "The outcome, a column of p.csv, was label, of which 1 counts as the event.",
        "Of 40 rows these lack a value and were left out there: prob in 3.",
        "Brier score and scaled Brier score (patient bootstrap, percentile, 2000 resamples)",
        "Threshold of a positive decision: one half.",
    ):
        assert words in methods, words
    assert "lies below 0.5" in page
    for words in ("of the run", "by this run", "every model and protocol", "0 of them simple"):
        assert words not in page, words
    items = pd.read_csv(tmp_path / "out" / "tables" / "claim.csv", dtype={"item": str})
    status = items.set_index("item")["status"]
    assert status[["25", "32"]].tolist() == ["for the authors"] * 2  # how it was trained, on whom
    assert status["12"] != "for the authors"  # missing values


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda t: t.assign(risk=t["risk"].astype(object).where(t.index != 3, "inf")), "row 4"),
        (lambda t: t.assign(risk=4611686018427387904 + t.index), "4611686018427387904"),
        (lambda t: t.assign(id="one"), "patients"),
        (lambda t: t.assign(id=t.index % 2), "patients"),
        (lambda t: t.assign(risk=t["risk"] * 1e-320), "rescale"),
    ],
    ids=["one infinite score", "integers near 2^62", "one patient", "two patients", "subnormal"],
)
def test_what_cannot_be_judged_is_refused_with_the_reason_and_nothing_is_written(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], named: str
) -> None:
    table = pd.DataFrame({"id": [f"p{i}" for i in range(N)], "died": TRUTH, "risk": RISK})
    change(table).to_csv(tmp_path / "table.csv", index=False)
    words = ["--outcome", "died", "--score", "risk", "--patient", "id"]
    made = call_cardio("judge", str(tmp_path / "table.csv"), *words, "--out", str(tmp_path / "out"))
    assert made.exit_code == 3
    assert named in (made.stdout + made.stderr)
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.parametrize("right", [True, False], ids=["perfect", "inverse"])
def test_scores_of_exactly_0_and_1_have_a_calibration_table(tmp_path: Path, right: bool) -> None:
    score = TRUTH if right else 1 - TRUTH
    pd.DataFrame({"died": TRUTH, "risk": score}).to_csv(tmp_path / "table.csv", index=False)
    words = ["--outcome", "died", "--score", "risk"]
    made = call_cardio("stats", "calibration", str(tmp_path / "table.csv"), *words)
    assert made.exit_code == 0
    assert "Brier" in (made.stdout + made.stderr)


@pytest.mark.parametrize("cell", ["inf", str(2**62)])
def test_the_cell_that_keeps_the_only_score_from_being_numbers_is_named(
    tmp_path: Path, cell: str
) -> None:
    rows = [f"{n},{n % 2},{cell if n == 7 else n / 40},{n}" for n in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["id,died,risk,age", *rows, ""]), encoding="utf-8")
    said = call_cardio("judge", tmp_path / "t.csv", "--outcome", "died", "--out", tmp_path / "out")
    assert said.exit_code == 3
    assert "--score risk" in said.stderr and repr(cell) in said.stderr and "row 8" in said.stderr
    assert not (tmp_path / "out").exists()


def test_statistics_name_the_row_of_what_is_infinite(tmp_path: Path) -> None:
    rows = [f"{n % 2},{'inf' if n == 7 else n}" for n in range(40)]
    (tmp_path / "t.csv").write_text("\n".join(["died,risk", *rows, ""]), encoding="utf-8")
    said = call_cardio("stats", "roc", tmp_path / "t.csv", "--outcome", "died", "--score", "risk")
    assert (said.exit_code, "row 8" in said.stderr) == (3, True)
