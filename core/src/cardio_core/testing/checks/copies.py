"""The recordings of a cohort, each alone in an empty folder, under another name if it is one file.

What `load` hands to its opener is its own affair: a path, a tuple, a frozen dataclass with paths in
it. Paths are replaced in whatever of these is found. What is none of these stays in the copy of the
data folder, from which everything but recordings is gone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from cardio_core.types.samples import Cohort, SampleSet


def isolate(cohort: Cohort, data: Path, folder: Path, patients: Collection[str]) -> Cohort:
    """Take a data folder apart and return some of its patients over what is left.

    `data` is a copy of a data folder. Removed is what belongs to no recording of these patients,
    any table among it, and every recording that is moved: into a folder of its own in the new
    `folder`.
    """
    owners = cohort.samples.table["patient_id"].isin(list(patients)).to_numpy()
    samples = cohort.samples.take(owners.nonzero()[0])
    recordings = [
        Recording(tuple(file.resolve() for file in cohort.files[name]), folder / f"{number:04d}")
        for number, name in enumerate(samples.table["recording_id"])
    ]
    values = _moved(samples.values, recordings)
    left = {file for one in recordings if not one.folder.exists() for file in one.files}
    for file in sorted(data.rglob("*")):
        if file.is_file() and file.resolve() not in left:
            file.unlink()
    return replace(cohort, samples=SampleSet(samples.table, values))


@dataclass(frozen=True)
class Recording:
    """The files of one recording, and the folder that they may be copied into.

    Files are resolved, what is no file is passed over; the folder exists once the recording has
    been moved.
    """

    files: tuple[Path, ...]
    folder: Path

    def moved(self, source: Any) -> Any:
        """Copy the files and return the source with the paths of the copies in it.

        Nothing is copied where the source holds no path of theirs. A single file that the source
        names gets another name; several keep theirs, by which they are found.
        """
        files = [file for file in self.files if file.is_file()]
        paths = {path.resolve() for path in paths_of(source)}
        if not files:
            return source
        top = Path(os.path.commonpath([file.parent for file in files]))
        above = [path for path in paths if path.is_dir() and top.is_relative_to(path)]
        top = min(above, key=lambda path: len(path.parts), default=top)
        if not any(path.is_relative_to(top) for path in paths):
            return source
        places = {file: self.folder / file.relative_to(top) for file in files}
        if len(files) == 1 and files[0] in paths and not above:
            places = {files[0]: self.folder / f"renamed{_suffix(files[0])}"}
        for file, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, place)

        def place_of(path: Path) -> Path:
            real = path.resolve()
            if real in places:
                return places[real]
            return self.folder / real.relative_to(top) if real.is_relative_to(top) else path

        return replaced(source, place_of)


def _moved(values: Any, recordings: Sequence[Recording]) -> Any:
    """Return values over moved recordings; the same where it does not show how they are kept."""
    if isinstance(values, tuple | list) and len(values) == len(recordings):
        return type(values)(
            one.moved(source) for one, source in zip(recordings, values, strict=True)
        )
    if not is_dataclass(values) or isinstance(values, type):
        return values
    parts = {one.name: getattr(values, one.name) for one in fields(values) if one.init}
    aligned = {
        name: part
        for name, part in parts.items()
        if isinstance(part, tuple | list) and len(part) == len(recordings)
    }
    if any(any(paths_of(part)) for name, part in parts.items() if name not in aligned):
        return values
    return replace(values, **{name: _moved(part, recordings) for name, part in aligned.items()})


def paths_of(source: Any) -> Iterator[Path]:
    """Yield the paths in what `load` hands to its opener.

    Examples
    --------
    >>> [path.name for path in paths_of((Path("a.csv"), {"sidecar": Path("a.json")}, 3))]
    ['a.csv', 'a.json']
    """
    found: list[Path] = []

    def keep(path: Path) -> Path:
        found.append(path)
        return path

    replaced(source, keep)
    yield from found


def replaced(source: Any, change: Callable[[Path], Path]) -> Any:
    """Return the same with every path changed: in containers, dataclasses and partial functions.

    Examples
    --------
    >>> replaced([Path("a.csv"), ("x", 3)], lambda path: path.with_name("b.csv"))
    [PosixPath('b.csv'), ('x', 3)]
    """
    again = partial(replaced, change=change)
    if isinstance(source, Path):
        return change(source)
    if isinstance(source, str):
        return str(change(Path(source))) if os.sep in source and Path(source).exists() else source
    if isinstance(source, tuple | list | set | frozenset):
        parts = [again(one) for one in source]
        named = hasattr(source, "_fields")
        return type(source)(*parts) if named else type(source)(parts)
    if isinstance(source, dict):
        return {key: again(one) for key, one in source.items()}
    if isinstance(source, partial):
        words = {name: again(one) for name, one in source.keywords.items()}
        return partial(source.func, *map(again, source.args), **words)
    if is_dataclass(source) and not isinstance(source, type):
        own = {one.name: getattr(source, one.name) for one in fields(source) if one.init}
        return replace(source, **{name: again(one) for name, one in own.items()})
    return source


def _suffix(file: Path) -> str:
    """Return the suffix by which a reader knows the format: ``.csv``, ``.nii.gz``."""
    return "".join(file.suffixes[-2:] if file.suffix == ".gz" else file.suffixes[-1:])
