"""The files of a run directory, read for its report; whatever is missing is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.errors import DataError
from cardio_core.io.atomic import read_json, read_text
from cardio_core.io.shape import require

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
    splits = _json(run / "splits.json", {})
    config = run / "config.yaml"
    return RunFiles(
        run,
        _json(run / "manifest.json", {}),
        _metrics(run / "metrics.json"),
        splits.get("protocols") or {},
        read_text(config) if config.is_file() else "",
        tuple(path for path in _files(run / "tables", "*.csv") if path.name not in CHECKLISTS),
        _files(run / "figures", "*.svg"),
        tuple(_json(path, {}) for path in _files(run / "explanations", "*.json")),
    )


_NUMBER = (float, type(None))
_METRIC = {
    "name": str, "value": _NUMBER, "low?": _NUMBER, "high?": _NUMBER, "p_value?": _NUMBER,
    "level?": _NUMBER, "n?": _NUMBER, "n_patients?": _NUMBER, "model?": (str, type(None)),
    "target?": (str, type(None)), "protocol?": (str, type(None)),
}  # fmt: skip


def _metrics(path: Path) -> tuple[Mapping[str, Any], ...]:
    rows = _json(path, [])
    require(rows, [_METRIC], path)
    return tuple(rows)


def _json(path: Path, empty: Any) -> Any:
    if not path.is_file():
        return empty
    content = read_json(path)
    if not isinstance(content, type(empty)):
        raise DataError(
            f"{path.name}: expected a JSON {'list' if empty == [] else 'object'}, "
            f"found a {type(content).__name__}"
        )
    return content


def _files(folder: Path, pattern: str) -> tuple[Path, ...]:
    return tuple(sorted(path for path in folder.rglob(pattern) if path.name[0] != "."))
