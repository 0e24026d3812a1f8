"""Commands that take tables of any tool: judge, compare and every one of `cardio stats`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from .calling import EITHER, REFUSED, Answer, Watched
from .cohorts import empty
from .planting import cell
from .without_model import IN_TABLE, twice
from .words import HEADER, NAMES, TABLE

STATS = {
    "table1": ("--by", "arm", "--columns", "age_y,ef", "--csv", "OUT.csv", "--html", "OUT.html"),
    "missing": ("--outcome", "died", "--columns", "age_y,ef", "--csv", "OUT.csv"),
    "univariable": ("--outcome", "died", "--features", "age_y,ef", "--html", "OUT.html"),
    "multivariable": ("--outcome", "died", "--features", "age_y,ef", "--csv", "OUT.csv"),
    "incremental": ("--outcome", "died", "--base", "age_y", "--add", "risk", "--csv", "OUT.csv"),
    "roc": ("--outcome", "died", "--score", "risk", "--patient", "patient", "--csv", "OUT.csv"),
    "compare": ("--outcome", "died", "--scores", "risk,other", "--csv", "OUT.csv"),
    "agreement": ("--reference", "ef", "--measured", "ef2", "--csv", "OUT.csv"),
    "calibration": ("--outcome", "died", "--score", "risk", "--csv", "OUT.csv"),
    "mixed": ("--outcome", "ef", "--columns", "visit,arm", "--patient", "person", "--csv",
              "OUT.csv"),
    "subgroups": ("--outcome", "died", "--exposure", "arm", "--by", "sex", "--svg", "OUT.svg"),
    "survival": ("--time", "days", "--status", "died", "--groups", "arm", "--csv", "OUT.csv"),
    "forest": ("--svg", "OUT.svg"),
    "planner pilot": ("--outcome", "died", "--scores", "risk,other", "--json"),
}  # fmt: skip
"""Options of each command; FILE is the table, OUT a new file."""


def answered(watched: Watched, place: Path) -> Iterator[Answer]:
    """Call each command on a whole table, on a letter, on one that is cut and on an empty one."""
    folder = empty(place / NAMES["parent"] / f"{NAMES['folder']} Jürgen")
    _write(folder)
    yield watched.call("doctor", "none", "doctor", folder=folder)
    faults = {"letter": (HEADER["wrong content"] + "\n") * 9, "empty": "", "cut": None}
    for name, words in STATS.items():
        table = "estimates.csv" if name == "forest" else "scores.csv"
        out = watched.out / name.replace(" ", "_")
        typed = [word.replace("OUT", str(out)) for word in words]
        command = f"stats {name}"
        yield watched.call(command, "table", *command.split(), table, *typed, folder=folder)
        for fault, text in faults.items():
            broken = folder / "other.csv"
            whole = (folder / table).read_text(encoding="utf-8")
            broken.write_text(whole[: len(whole) * 2 // 3 + 3] if text is None else text)
            for debug, said in twice(*command.split(), broken.name, *typed):
                yield watched.call(command, f"{fault}{debug}", *said, folder=folder,
                                   ends=EITHER if text is None else REFUSED)  # fmt: skip
    yield watched.call("stats table1", "all columns", "stats", "table1", "scores.csv", "--by",
                       "arm", folder=folder,
                       shown=IN_TABLE | {HEADER["written date"]})  # fmt: skip
    yield from _judged(watched, folder)


def _judged(watched: Watched, folder: Path) -> Iterator[Answer]:
    named = ("--outcome", "died", "--patient", "patient")
    out = watched.out
    yield watched.call("judge", "table", "judge", "scores.csv", *named, "--score", "risk",
                       "--cohort", "cohort.csv", "--out", out / "judged",
                       folder=folder)  # fmt: skip
    yield watched.call("judge", "table, guessed", "judge", "guess.csv", "--out", out / "judged2",
                       folder=folder, shown=frozenset({TABLE["column"]}))  # fmt: skip
    yield watched.call("judge", "no outcome", "judge", "scores.csv", "--out", out / "judged3",
                       folder=folder, shown=frozenset({TABLE["column"]}), ends=REFUSED)  # fmt: skip
    yield watched.call("compare", "tables", "compare", "a=scores.csv", "b=theirs.csv", *named,
                       "--score", "risk", "--out", out / "compared", folder=folder)  # fmt: skip
    broken = folder / "other.csv"
    for fault, text in (("letter", (HEADER["wrong content"] + "\n") * 9), ("empty", "")):
        broken.write_text(text)
        for debug, said in twice("judge", "other.csv", *named):
            yield watched.call("judge", f"{fault}{debug}", *said, "--out", out / "judged4",
                               folder=folder, ends=REFUSED)  # fmt: skip
        for debug, said in twice("compare", "a=scores.csv", "b=other.csv", *named):
            yield watched.call("compare", f"{fault}{debug}", *said, "--out", out / "compared2",
                               folder=folder, ends=REFUSED)  # fmt: skip


def _write(folder: Path) -> None:
    """Write the tables, each with a column that nothing asks for, and free text in it."""
    rng = np.random.default_rng(5)
    n = 80
    died = rng.integers(0, 2, n)
    ef = rng.normal(45, 9, n)
    table = pd.DataFrame({
        "patient": [f"P{row}" for row in range(n)], "person": [f"P{row // 4}" for row in range(n)],
        "visit": [row % 4 for row in range(n)], "died": died,
        "risk": np.clip(0.3 * died + rng.uniform(0, 0.7, n), 0.01, 0.99).round(3),
        "other": np.clip(0.2 * died + rng.uniform(0, 0.8, n), 0.01, 0.99).round(3),
        "arm": rng.choice(["A", "B"], n), "sex": rng.choice(["F", "M"], n),
        "age_y": rng.normal(60, 9, n).round(1), "ef": ef.round(1),
        "ef2": (ef + rng.normal(0, 3, n)).round(1), "days": rng.integers(1, 900, n),
        TABLE["column"]: [cell(row) for row in range(n)],
        f"{TABLE['column']} name": [cell(row % 3) for row in range(n)],
    })  # fmt: skip
    table.loc[3, "age_y"] = np.nan
    table.to_csv(folder / "scores.csv", index=False)
    table.assign(risk=table["other"]).to_csv(folder / "theirs.csv", index=False)
    table[["patient", "age_y", "sex", TABLE["column"]]].to_csv(folder / "cohort.csv", index=False)
    guess = table.rename(columns={"patient": "patient_id", "died": "y_true", "risk": "score"})
    guess[["patient_id", "y_true", "score", TABLE["column"]]].to_csv(folder / "guess.csv",
                                                                    index=False)  # fmt: skip
    pd.DataFrame({
        "label": ["a", "b"], "estimate": [1.0, 1.4], "low": [0.7, 1.1], "high": [1.3, 1.9],
        TABLE["column"]: [TABLE["cell"], TABLE["cell"]],
    }).to_csv(folder / "estimates.csv", index=False)  # fmt: skip
