"""The recordings behind files, folders and what lies below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.config import RunConfig
from cardio_core.context import Context
from cardio_core.errors import ConfigError, DataError, NothingUsableError
from cardio_core.io.cohort import find_cohort_table
from cardio_core.registry import Plugin
from cardio_core.runner.prepare import UnusableCohortError, load_recordings
from cardio_core.types.samples import Cohort, FileSeen
from cardio_stats.cells import write_rows

_NOTHING = "expected recordings in the folder, found none; check the path"


@dataclass(frozen=True)
class Found:
    """What the inputs hold.

    Attributes
    ----------
    cohort : Cohort
        Of all inputs together, with what `load` set aside.
    refused : tuple of (Path, str)
        Inputs in which there is nothing to load, each with the reason.
    """

    cohort: Cohort
    refused: tuple[tuple[Path, str], ...] = ()


def find_recordings(
    plugin: Plugin, config: RunConfig, ctx: Context, inputs: Sequence[Path]
) -> Found:
    """Load the recordings of every input; folders are searched to their ends.

    Below a folder without a cohort table, every folder is taken whose files no other recording
    has; which files are recordings is for the plugin to say. An input that cannot be loaded costs
    itself alone.

    Raises
    ------
    ConfigError
        If an input does not exist, or a setting or a table forbids the loading.
    UnusableCohortError
        If no input holds anything.
    """
    absent = [path for path in inputs if not path.exists()]
    if absent:
        raise ConfigError(f"{absent[0]}: no such file or folder; check the path", code="missing")

    def load(places: Sequence[Path]) -> Cohort:
        own = ctx.replace(_inputs=tuple(path.resolve() for path in places))
        return load_recordings(plugin, config, own)

    def try_load(places: Sequence[Path]) -> Cohort | DataError:
        try:
            return load(places)
        except DataError as error:
            return error

    trees = [any(_below(path)) for path in inputs]
    whole = None if any(trees) else try_load(inputs)
    if isinstance(whole, Cohort) and not any(_is_passed_over(path, whole) for path in inputs):
        return Found(whole)
    places: list[Path] = []
    refused: list[tuple[Path, str]] = []
    for path, is_tree in zip(inputs, trees, strict=True):
        own: list[Path] = []
        known: set[Path] = set()
        takes_folders = False
        first: DataError | None = None
        for place in (path, *(_below(path) if is_tree else ())):
            if place is not path and _files_of(place) <= known:
                continue
            # A plugin that takes files alone is given those of the folder.
            for these in ((place,), () if takes_folders else _files_in_order(place)):
                made = try_load(these) if these else None
                if isinstance(made, Cohort) or _found_bad(made):
                    takes_folders |= these == (place,) and place.is_dir()
                    # It may have searched from above already: a letter beside is no recording.
                    if not _files_behind(made) or not _files_behind(made) <= known:
                        own += these
                    known |= _files_behind(made) | _files_seen(made)
                    break
                first = first or made
                if isinstance(made, NothingUsableError):
                    break
        if own:
            places += own
        else:
            refused.append((path, _NOTHING if isinstance(whole, Cohort) else str(first)))
    if not places:
        raise UnusableCohortError(refused[0][1], ())
    return Found(load(places), tuple(refused))


def _is_passed_over(path: Path, cohort: Cohort) -> bool:
    """Whether nothing of a folder is in the cohort, though the folder was given."""
    if not path.is_dir() or find_cohort_table(path) is not None:
        return False
    root = path.resolve()
    return not any(file.is_relative_to(root) for own in cohort.files.values() for file in own)


def _files_behind(made: Cohort | DataError | None) -> set[Path]:
    files = made.files.values() if isinstance(made, Cohort) else ()
    return {file for own in files for file in own}


def _files_seen(made: Cohort | DataError | None) -> set[Path]:
    """Return files that a plugin looked at and accounts for, whatever they are."""
    return {file.path for file in made.seen} if isinstance(made, Cohort) else set()


def _found_bad(made: Cohort | DataError | None) -> bool:
    return isinstance(made, UnusableCohortError) and bool(made.quarantined)


def _below(path: Path) -> Iterator[Path]:
    """Yield the folders below one that hold files; none below a folder with a cohort table."""
    if not path.is_dir() or find_cohort_table(path) is not None:
        return
    root = path.resolve()
    for folder in sorted(item for item in root.rglob("*") if item.is_dir()):
        hidden = any(part.startswith(".") for part in folder.relative_to(root).parts)
        if not hidden and _files_of(folder):
            yield folder


def _files_in_order(place: Path) -> tuple[Path, ...]:
    if not place.is_dir() or find_cohort_table(place) is not None:
        return ()
    return tuple(sorted(_files_of(place)))


def _files_of(folder: Path) -> set[Path]:
    return {item for item in folder.iterdir() if item.is_file() and not item.name.startswith(".")}


# Which id is which file: written only where somebody asks for it.


def write_mapping(
    path: Path, files: Mapping[str, Sequence[Path]], seen: Sequence[FileSeen]
) -> None:
    """Write a CSV with the columns id and file; several files of one recording have ``;`` between.

    Where files were searched, `number` is the place of each in the account of files, and those that
    are no recording have a line without id.

    Parameters
    ----------
    path : Path
        The CSV.
    files : mapping of str to sequence of Path
        By recording.
    seen : sequence of FileSeen
        `Cohort.seen`.
    """
    numbers = {item.path: str(number) for number, item in enumerate(seen, start=1)}
    rows = [
        (name, ";".join(map(str, of)), next((numbers[file] for file in of if file in numbers), ""))
        for name, of in files.items()
    ]
    rows += [("", str(item.path), numbers[item.path]) for item in seen if not item.recording_id]
    n_columns = 3 if numbers else 2
    write_rows(path, ("id", "file", "number")[:n_columns], (row[:n_columns] for row in rows))
