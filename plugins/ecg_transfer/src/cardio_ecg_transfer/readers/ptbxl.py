"""PTB-XL as a stand-in cohort: its diagnostic superclasses as the label."""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from cardio_core.api import ConfigError, DataError

DATABASE = "ptbxl_database.csv"
STATEMENTS = "scp_statements.csv"
SUPERCLASSES = ("NORM", "MI", "STTC", "CD", "HYP")
N_PARTS = 5
OLDEST_Y = 90.0
"""Ages above 89 stand in the table as 300; they become 90."""


def read_ptbxl(
    folder: Path, label: str | None, sites: str | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row an ECG, and whether its patient carries the label.

    Parameters
    ----------
    folder : Path
        With ``ptbxl_database.csv``, ``scp_statements.csv`` and the recordings that they name.
    label : str or None
        A diagnostic superclass. A patient carries it where at least half of his ECGs do: they are
        pooled to one prediction, whoever asks. None reads no labels.
    sites : {"date", "device", "site"}, optional
        What column site_id holds: which fifth in the order of recording, the make of the cart
        (AT-6, CS-12), or the recording site, of the patient's first ECG. Without it there are none.

    Returns
    -------
    DataFrame
        Columns patient_id, recording_id (the ecg_id), path (of the 500 Hz header), subject_link
        (shared by patients whose signals are identical), site_id, sex (M, F or NA), age_y, and
        label (1.0 or 0.0, the same in all rows of a patient; absent without a label); in the order
        of ecg_id.
    list of str
        What a reader should know: whose ECGs differ in the label, who was linked.

    Raises
    ------
    ConfigError
        If the label is no diagnostic superclass.
    DataError
        If a table cannot be read or lacks a column.

    Notes
    -----
    Wagner et al., Scientific Data 2020. A statement counts whatever its likelihood, as in the
    authors' own example code.
    """
    if label is not None and label not in SUPERCLASSES:
        raise ConfigError(
            f"load.label: expected a diagnostic superclass of PTB-XL ({', '.join(SUPERCLASSES)}), "
            f"found {label!r}"
        )
    table = _read(folder / DATABASE, ("ecg_id", "patient_id", "sex", "age", "scp_codes",
                                      "filename_hr"))  # fmt: skip
    table = _checked(table).sort_values("ecg_id", kind="stable")
    made = pd.DataFrame(
        {
            "patient_id": table["patient_id"].map(lambda value: f"{float(value):.0f}"),
            "recording_id": table["ecg_id"].astype(str),
            "path": [folder / f"{name}.hea" for name in table["filename_hr"]],
            "subject_link": _same_signal([folder / f"{n}.dat" for n in table["filename_hr"]]),
            "site_id": None,
            "sex": table["sex"].map({0: "M", 1: "F"}),
            "age_y": table["age"].astype(float).clip(upper=OLDEST_Y),
        }
    )
    if sites is not None:
        first = table[~table["patient_id"].duplicated()]
        of_first = _sites(folder / DATABASE, first, sites).set_axis(first["patient_id"])
        made["site_id"] = table["patient_id"].map(of_first)
    notes = []
    if label is not None:
        members = _members(folder / STATEMENTS, label)
        made["label"] = [float(bool(members & _codes(text))) for text in table["scp_codes"]]
        share = made.groupby("patient_id")["label"].transform("mean")
        differ = made.loc[~share.isin((0.0, 1.0)), "patient_id"].nunique()
        if differ:
            notes.append(
                f"Of {differ} patients some ECGs carry the label and others do not; at least half "
                "decide."
            )
        made["label"] = (share >= 0.5).astype(float)
    for _, alike in made.groupby("subject_link"):
        if len(set(alike["patient_id"])) == 1:
            continue  # stored twice for one patient, who is one person anyway
        notes.append(
            f"Recordings {' and '.join(alike['recording_id'])} hold the same signal under several "
            "patient ids; they are taken for one person and never parted by a fold."
        )
    return made.reset_index(drop=True), notes


def _sites(path: Path, first: pd.DataFrame, by: str) -> pd.Series:
    column = {"date": "recording_date"}.get(by, by)
    if column not in first.columns:
        raise DataError(f"{path.name}: expected the column {column!r} of PTB-XL, found none")
    found = first[column]
    if by == "device":
        return found.astype(str).str.split().str[0]
    if by == "site":
        values = pd.to_numeric(found, errors="coerce")
        _require_rows(values.notna() | found.isna(), column, "a number")
        return values.map(lambda value: pd.NA if pd.isna(value) else f"site {value:.0f}")
    # Ranks, so that the parts are equal however the dates lie; of one instant, as in the table.
    times = pd.to_datetime(found, errors="coerce")
    _require_rows(times.notna() | found.isna(), column, "a date")
    order = times.rank(method="first")
    part = ((order - 1) * N_PARTS / len(order)).astype(int) + 1
    return "part " + part.astype(str)


def _same_signal(files: list[Path]) -> list[str | None]:
    """Return, for each file, a name that it shares with files of the same content, or None."""
    hashes = [
        hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None for file in files
    ]
    often = Counter(hashes)
    return [f"signal {h[:12]}" if h is not None and often[h] > 1 else None for h in hashes]


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError):  # pandas quotes the cell that it cannot read
        raise DataError(
            f"{path.name}: expected a table of PTB-XL in UTF-8 with commas, found something else; "
            "copy it again"
        ) from None
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DataError(f"{path.name}: expected the column {missing[0]!r} of PTB-XL, found none")
    return table


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with numbers where PTB-XL has them, its files inside its folder."""
    numbers = {}
    for column in ("ecg_id", "patient_id", "sex", "age"):
        values = pd.to_numeric(table[column], errors="coerce")
        lacks = values.isna() if column.endswith("_id") else values.isna() & table[column].notna()
        _require_rows(~(lacks | np.isinf(values)), column, "a number")
        numbers[column] = values
    inside = table["filename_hr"].map(
        lambda name: isinstance(name, str) and not {"..", "/", ""} & set(PurePosixPath(name).parts)
    )
    _require_rows(inside, "filename_hr", "a path below its folder")
    _require_rows(~table["ecg_id"].duplicated(), "ecg_id", "an id that no other line has")
    return table.assign(**numbers)


def _require_rows(good: pd.Series, column: str, expected: str) -> None:
    if not good.all():
        row = int(np.flatnonzero(~good.to_numpy(bool))[0]) + 2
        raise DataError(
            f"{DATABASE}, row {row}: expected {expected} in column {column}, found something else; "
            "copy the table again"
        )


def _members(path: Path, label: str) -> set[str]:
    """Return the statements of a diagnostic superclass."""
    table = _read(path, ("diagnostic", "diagnostic_class"))
    codes = table[table.columns[0]].astype(str)
    member = (table["diagnostic"] == 1) & (table["diagnostic_class"] == label)
    return set(codes[np.asarray(member)])


def _codes(text: str) -> set[str]:
    """Return the statements of one ECG, written as a Python dict of code and likelihood."""
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        found = None
    if not isinstance(found, dict):
        raise DataError(
            f"{DATABASE}: expected scp_codes as a dict, found other text; copy the table again"
        )
    return set(map(str, found))
