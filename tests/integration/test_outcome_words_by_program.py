"""Ways of writing an outcome through six commands: the same counts, or a refusal by each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

Words = dict[str, int]
Cli = Callable[..., Any]

THIRD = {"English": ("yes", "no", "not known"), "German": ("ja", "nein", "unbekannt"),
         "French": ("oui", "non", "inconnu"), "Spanish": ("sí", "no", "desconocido"),
         "Dutch": ("ja", "nee", "onbekend")}  # fmt: skip

CASES: dict[str, tuple[Words, list[str], tuple[int, int] | None]] = {}
"""Words with their rows, what is typed, and rows with and without the event; None is a refusal."""

for language, (yes, no, unknown) in THIRD.items():
    event = ["--event", yes]
    spelled = {yes: 6, f"{yes.title()} ": 3, yes.upper(): 3, no: 6, f" {no.upper()}": 6}
    third = {yes: 12, no: 10, unknown: 2}
    CASES |= {
        language: ({yes: 12, no: 12}, event, (12, 12)),
        f"{language}, capitals and blanks": (spelled, event, (12, 12)),
        f"{language}, a third word": (third, event, None),
        f"{language}, a third word that is missing": (
            third, [*event, "--missing", unknown], (12, 10)
        ),
        f"{language}, a third word without the event": (
            third, [*event, "--negative", no, "--negative", unknown], (12, 12)
        ),
    }  # fmt: skip
CASES |= {
    "0 and 1": ({"0": 12, "1": 12}, ["--event", "1"], (12, 12)),
    "the event 0": ({"0": 14, "1": 10}, ["--event", "0"], (14, 10)),
    "TRUE, FALSE and NA": ({"TRUE": 12, "FALSE": 10, "NA": 2}, ["--event", "TRUE"], (12, 10)),
    "0, 1 and 9": ({"0": 10, "1": 12, "9": 2}, ["--event", "1"], None),
    "0, 1 and 9, which is missing": (
        {"0": 10, "1": 12, "9": 2}, ["--event", "1", "--missing", "9"], (12, 10)
    ),
    "1 and 2": ({"1": 12, "2": 12}, [], None),
    "1 and 2, the event 2": ({"1": 12, "2": 12}, ["--event", "2"], (12, 12)),
    "three arms, one of them": ({"P": 12, "D": 7, "none": 5}, ["--event", "P"], None),
    "three arms, all named": (
        {"P": 12, "D": 7, "none": 5},
        ["--event", "P", "--negative", "D", "--negative", "none"], (12, 12),
    ),
    "a word that does not occur": ({"ja": 12, "nein": 12}, ["--event", "yes"], None),
}  # fmt: skip
EVERY_DAY = ("German, capitals and blanks", "German, a third word", "0, 1 and 9, which is missing")


@pytest.fixture(scope="module")
def away(write_cohort: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four patients whom no run has seen."""
    folder = write_cohort(
        tmp_path_factory.mktemp("words") / "away", "mean_class", n_patients=24, seed=7
    )
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    for name in ("patient_id", "study_id"):
        table[name] = "W" + table[name]
    table["subject_link"] = ""
    table.drop_duplicates("patient_id").to_csv(folder / "cohort.csv", index=False)
    return folder


def with_words(away: Path, folder: Path, words: Words) -> Path:
    shutil.copytree(away, folder)
    table = pd.read_csv(folder / "cohort.csv", dtype=str, keep_default_na=False)
    cells = [word for word, n in words.items() for _ in range(n)]
    assert len(cells) == len(table)
    table["died"], table["risk"] = cells, np.linspace(0.1, 0.9, len(cells)).round(3)
    table.to_csv(folder / "cohort.csv", index=False)
    return folder


def of_area(out: Path, model: str = "risk") -> tuple[int, int]:
    """Return whom the pooled area of a model is of: with and without the event."""
    rows = json.loads((out / "metrics.json").read_text())
    extra = next(
        one["extra"] for one in rows
        if one["name"] == "auc" and one["model"] == model and one["fold"] is None
        and one["subgroup"] is None and one.get("protocol") in (None, "", "honest", "external")
    )  # fmt: skip
    return int(extra["n_positive"]), int(extra["n_rows"] - extra["n_positive"])


def six(
    cardio: Cli, clinic_run: Path, folder: Path, typed: list[str], out: Path
) -> dict[str, tuple[int, int] | int]:
    """Return what each command counts, or the code that it ends with."""
    table, asked = folder / "cohort.csv", ["--outcome", "died", *typed]
    scored = ["--score", "risk", "--patient", "patient_id"]
    found: dict[str, tuple[int, int] | int] = {}

    def count(name: str, words: list[Any], read: Callable[[Any], tuple[int, int]]) -> None:
        said = cardio(*words)
        found[name] = said.exit_code or read(said)

    def of_stats(said: Any) -> tuple[int, int]:
        [area] = [one for one in said.json if one["name"].startswith("auc")]
        return int(area["extra"]["units_positive"]), int(area["extra"]["units_negative"])

    def of_check(said: Any) -> tuple[int, int]:
        without, with_it = said.json["outcome"]["by_class"].values()
        return with_it, without

    count("stats", ["stats", "roc", table, *asked, *scored, "--json"], of_stats)
    count("judge", ["judge", table, *asked, *scored, "--out", out / "judged"],
          lambda _: of_area(out / "judged"))  # fmt: skip
    count("compare", ["compare", f"risk={table}", f"again={table}", *asked, *scored, "--out",
                      out / "compared"], lambda _: of_area(out / "compared"))  # fmt: skip
    count("data check", ["data", "check", folder, "--plugin", "toy", *asked, "--executor",
                         "local:1", "--json"], of_check)  # fmt: skip
    count("run", ["run", "--plugin", "toy", "--data", folder, *asked, "--device", "cpu",
                  "--executor", "local:1", "--protocol", "honest", "--out", out / "run"],
          lambda _: of_area(out / "run", "ridge"))  # fmt: skip
    count("evaluate", ["evaluate", clinic_run, "--data", folder, *asked, "--out", out / "new"],
          lambda _: of_area(out / "new", "ridge"))  # fmt: skip
    return found


@pytest.mark.parametrize(
    "case", [name if name in EVERY_DAY else pytest.param(name, marks=pytest.mark.slow)
             for name in CASES]
)  # fmt: skip
def test_six_commands_count_alike(
    cardio: Cli, clinic_run: Path, away: Path, tmp_path: Path, case: str
) -> None:
    words, typed, expected = CASES[case]
    folder = with_words(away, tmp_path / "cohort", words)
    found = six(cardio, clinic_run, folder, typed, tmp_path)
    assert len(found) == 6
    if expected is None:
        assert all(code in (2, 3) for code in found.values()), found
    else:
        assert found == dict.fromkeys(found, expected)
