"""Measurements as CSV, as a workstation exports them: a line ``name,value``, then one for each."""

import csv
from pathlib import Path

from cardio_core.api import DataError

HEADER = "name,value"


def check_recording(path: Path) -> None:
    """Raise DataError unless the first line is that of measurements."""
    with path.open(encoding="utf-8", errors="replace") as file:
        if file.readline().strip() != HEADER:
            raise DataError.unusable(path.name, HEADER, "another first line", "export it again")


def read_recording(path: Path) -> dict[str, float]:
    """Read measurements by name; raise DataError with one line where they cannot be used."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row["name"]: float(row["value"]) for row in csv.DictReader(file)}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError.unusable(path.name, "a number a name", "others", "repair it") from error
