"""The files of a run directory, read for its report; whatever is missing is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import DataError
from cardio_core.io.atomic import read_text
from cardio_core.io.kept.folder import guard_folder
from cardio_core.io.kept.manifest import MANIFEST
from cardio_core.io.kept.results import CASE, METRICS, SPLITS

CHECKLISTS = ("tripod_ai.csv", "claim.csv")
"""Tables that the report itself writes: it reads them back as no table of the run."""


@dataclass(frozen=True)
class RunFiles:
    """What a report is made of.

    Rows of `metrics` are flat: the fields of `Scope` and of `Estimate`. Splits are by protocol,
    `config` is the YAML text, cases are the explanations' JSON files.
    """

    run: Path
    manifest: Mapping[str, Any]
    metrics: tuple[Mapping[str, Any], ...]
    splits: Mapping[str, Mapping[str, Any]]
    config: str
    tables: tuple[Path, ...]
    figures: tuple[Path, ...]
    cases: tuple[Mapping[str, Any], ...]


def read_run(run: Path) -> RunFiles:
    """Read a run directory.

    Raises
    ------
    DataError
        If there is no manifest, or a JSON file is broken.
    """
    if not (run / "manifest.json").is_file():
        raise DataError(
            f"{run.name or run}: no manifest.json, so this is no run directory; "
            "name the folder that `cardio run` wrote"
        )
    splits = SPLITS.read_or(run / "splits.json", {"protocols": {}})
    guard_folder(run)
    config = run / "config.yaml"
    return RunFiles(
        run,
        MANIFEST.read(run / "manifest.json"),
        tuple(METRICS.read_or(run / "metrics.json", [])),
        splits["protocols"],
        read_text(config) if config.is_file() else "",
        tuple(path for path in _files(run / "tables", "*.csv") if path.name not in CHECKLISTS),
        _files(run / "figures", "*.svg"),
        tuple(CASE.read(path) for path in _files(run / "explanations", "*.json")),
    )


def _files(folder: Path, pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob(pattern) if path.name[0] != "."))
