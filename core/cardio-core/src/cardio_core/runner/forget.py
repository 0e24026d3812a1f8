"""What is kept of recordings outside of runs, and how it is forgotten."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.hashing import file_digest
from cardio_core.io.run_schema import FILES as DIGESTS
from cardio_stats.errors import ConfigError
from cardio_stats.files import sweep_cache

FILES = "files.json"
"""In a patient's folder of the cache: the digests of the files that it was made of, no names."""


@dataclass(frozen=True)
class Stored:
    """What a cache holds of patients.

    Attributes
    ----------
    n_patients : int
        Folders of features, one a patient, task and setting.
    n_other : int
        What plugins keep of whole cohorts, such as fitted codes.
    size_mb : float
        Of both.
    """

    n_patients: int
    n_other: int
    size_mb: float


def stored(cache: Path) -> Stored:
    """Count what a cache holds of patients."""
    patients, others = list(_patients(cache)), list(_others(cache))
    files = (file for value in (*patients, *others) for file in value.rglob("*") if file.is_file())
    size = sum(file.stat().st_size for file in files)
    return Stored(len(patients), len(others), round(size / 1e6, 1))


def forget_all(cache: Path) -> Stored:
    """Delete everything of patients; synthetic cohorts stay. Returns what there was."""
    before = stored(cache)
    sweep_cache(cache)
    _delete([*_patients(cache), *_others(cache)])
    return before


def forget_files(cache: Path, inputs: Iterable[Path]) -> tuple[int, int]:
    """Delete what was made of some files, wherever they lay and whatever they were called.

    What plugins keep of whole cohorts goes, too, where a patient goes: nobody can say who is in it.

    Returns
    -------
    n_files, n_patients : int
        Files that were looked for, and folders of features that were deleted.

    Raises
    ------
    ConfigError
        If an input does not exist.
    """
    sweep_cache(cache)  # what a killed run began of a patient does not tell of whom it is
    digests = {file_digest(file) for path in inputs for file in _files_below(path)}
    theirs = [folder for folder in _patients(cache) if digests & _made_of(folder)]
    _delete([*theirs, *(_others(cache) if theirs else ())])
    return len(digests), len(theirs)


def _patients(cache: Path) -> Iterator[Path]:
    for plugin in _folders(cache / "features"):
        yield from _folders(plugin)


def _others(cache: Path) -> Iterator[Path]:
    for folder in _folders(cache):
        if folder.name not in ("features", "synthetic", "speeds", "contracts"):
            yield from _folders(folder)


def _folders(place: Path) -> list[Path]:
    return sorted(item for item in place.iterdir() if item.is_dir()) if place.is_dir() else []


def _made_of(folder: Path) -> set[str]:
    file = folder / FILES
    return set(DIGESTS.read_or(file, []))


def _files_below(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise ConfigError(f"{path}: no such file or folder; to forget everybody: --all")
    for place, _, names in os.walk(path):
        yield from (Path(place) / name for name in names)
    if path.is_file():
        yield path


def _delete(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder)
