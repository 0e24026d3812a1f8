"""Tables and files given to a command as a whole: `judge`, `stats`, `data check`, `deidentify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.testing import call_cardio

from ..cases import Reader, Seed
from .loops import _dicom
from .runs import refusals
from .tables import _csv


def _predictions(folder: Path) -> list[Seed]:
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    table = pd.DataFrame({
        "patient_id": [f"P{n:02d}" for n in range(40)],
        "y_true": truth,
        "score": (truth * 0.3 + rng.uniform(0, 0.7, 40)).round(4),
        "other": rng.uniform(0, 1, 40).round(4),
        "site": np.where(np.arange(40) < 20, "north", "south"),
    })  # fmt: skip
    return [Seed({"scores.csv": table.to_csv(index=False, sep=mark).encode()}, "scores.csv", "csv")
            for mark in (",", ";")]  # fmt: skip


def _printed(folder: Path) -> list[Seed]:
    root = Path(__file__).parents[3] / "docs" / "forensics"
    return [Seed({"paper.yaml": path.read_bytes()}, "paper.yaml", "yaml")
            for path in sorted(root.rglob("*.yaml"))]  # fmt: skip


def _in_folder(folder: Path) -> list[Seed]:
    made = []
    for one in _dicom(folder):
        files = {f"in/{name}": raw for name, raw in one.files.items()}
        made.append(Seed(files, f"in/{one.target}", one.kind))
    return made


def _cohort(folder: Path) -> list[Seed]:
    """Cohort tables that name a study, which is there and cannot be read."""
    made = []
    for one in _csv(folder):
        head, *rows = one.files["cohort.csv"].decode().splitlines()
        mark = max(",;\t", key=head.count)
        lines = [f"{head}{mark}path_spect", *(f"{row}{mark}P.dcm" for row in rows)]
        files = {"cohort.csv": "\n".join(lines).encode(), "P.dcm": b"nothing"}
        made.append(Seed(files, "cohort.csv", "csv"))
    return made


def _command(*words: Any) -> Any:
    def read(folder: Path, file: Path) -> Sequence[str]:
        places = {"FILE": file, "OUT": folder / "out", "FOLDER": file.parent}
        return refusals(call_cardio("--debug", *(places.get(word, word) for word in words)))

    return read


READERS = (
    Reader("judge", "Predictions of any tool: cardio judge", _predictions,
           _command("judge", "FILE", "--outcome", "y_true", "--score", "score", "--patient",
                    "patient_id", "--out", "OUT"), says_names=True, cost=60),
    Reader("stats_table1", "A table: cardio stats table1", _csv,
           _command("stats", "table1", "FILE", "--by", "x_event"), says_names=True, cost=10),
    Reader("stats_roc", "A table: cardio stats roc", _predictions,
           _command("stats", "roc", "FILE", "--outcome", "y_true", "--score", "score"),
           says_names=True, cost=10),
    Reader("stats_forensics", "A paper's numbers: cardio stats forensics", _printed,
           _command("stats", "forensics", "FILE"), says_names=True, cost=10),
    Reader("data_check", "A cohort table: cardio data check", _cohort,
           _command("data", "check", "FILE", "--plugin", "spect_polar"), says_names=True, cost=10,
           valid=False),
    Reader("deidentify", "A DICOM loop: cardio data deidentify", _in_folder,
           _command("data", "deidentify", "FOLDER", "OUT"), says_names=True, cost=20),
)  # fmt: skip
