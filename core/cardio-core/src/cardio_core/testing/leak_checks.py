"""The recordings of a cohort, each alone in an empty folder, under another name if it is one file.

What `load` hands to its opener is its own affair: a path, a tuple, a frozen dataclass with paths in
it. Paths are replaced in whatever of these is found. What is none of these stays in the copy of the
data folder, from which everything but recordings is gone.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.testing.case import BrokenContractError, NotCheckedError, TaskCase, require
from cardio_core.testing.driving import Bench
from cardio_core.testing.plugin_checks import ALLOWED, require_equal
from cardio_core.types.features import FeatureSet
from cardio_core.types.samples import Cohort, SampleSet
from cardio_stats.errors import CardioError


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
    left = {
        file
        for recording in recordings
        if not recording.folder.exists()
        for file in recording.files
    }
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
            recording.moved(source) for recording, source in zip(recordings, values, strict=True)
        )
    if not is_dataclass(values) or isinstance(values, type):
        return values
    parts = {item.name: getattr(values, item.name) for item in fields(values) if item.init}
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
        parts = [again(item) for item in source]
        named = hasattr(source, "_fields")
        return type(source)(*parts) if named else type(source)(parts)
    if isinstance(source, dict):
        return {key: again(value) for key, value in source.items()}
    if isinstance(source, partial):
        words = {name: again(value) for name, value in source.keywords.items()}
        return partial(source.func, *map(again, source.args), **words)
    if is_dataclass(source) and not isinstance(source, type):
        values = {item.name: getattr(source, item.name) for item in fields(source) if item.init}
        return replace(source, **{name: again(value) for name, value in values.items()})
    return source


def _suffix(file: Path) -> str:
    """Return the suffix by which a reader knows the format: ``.csv``, ``.nii.gz``."""
    return "".join(file.suffixes[-2:] if file.suffix == ".gz" else file.suffixes[-1:])


# Copies of a data folder with fewer patients, or with the same ones in another order.

ID_COLUMNS = ("patient_id", "study_id", "recording_id")
_TABLES = ("cohort.csv", "cohort.parquet")

Rows = list[list[str]]


def copy_without(
    data: Path,
    target: Path,
    *,
    ids: Collection[str],
    files: Collection[Path],
    recordings: Collection[Path],
) -> None:
    """Copy a data folder, leaving out some people.

    Rows of any table that carry one of `ids` (of patients, studies, recordings) in a column of ids
    are left out, and `files`, with the rows that name one. `recordings` are every recording's
    files, which are no tables even where they are CSV files.
    """
    gone = {file.relative_to(data) for file in files if file.is_relative_to(data)}
    names = {name for file in gone for name in _names_of(file)}

    def left(header: list[str], rows: Rows) -> Rows:
        keys = [n for n, name in enumerate(header) if name in ID_COLUMNS]
        return [
            row
            for row in rows
            if {row[n] for n in keys if n < len(row)}.isdisjoint(ids)
            and {part.strip() for cell in row for part in cell.split(";")}.isdisjoint(names)
        ]

    def ignore(folder: str, inside: list[str]) -> list[str]:
        return [name for name in inside if (Path(folder) / name).relative_to(data) in gone]

    shutil.copytree(data, target, ignore=ignore)
    untouched = {file.relative_to(data) for file in recordings if file.is_relative_to(data)}
    for table in target.rglob("*.csv"):
        if table.relative_to(target) not in untouched:
            _rewrite(table, left)
    _rewrite_parquet(
        target,
        lambda rows: [n for n, item in enumerate(rows["patient_id"]) if str(item) not in ids],
    )


def copy_reordered(data: Path, target: Path) -> None:
    """Copy a data folder with the patients of its cohort table in reverse order."""
    shutil.copytree(data, target)

    def turned(header: list[str], rows: Rows) -> Rows:
        key = header.index("patient_id")
        return [rows[n] for n in _backwards([row[key] for row in rows])]

    table = target / _TABLES[0]
    if table.is_file():
        _rewrite(table, turned)
    _rewrite_parquet(target, lambda rows: _backwards(list(rows["patient_id"])))


def has_cohort_table(data: Path) -> bool:
    """Whether a folder holds a table that says whose the recordings are."""
    return any((data / name).is_file() for name in _TABLES)


def _backwards(patients: Sequence[str]) -> list[int]:
    """Return positions with the last patient first.

    Studies of one patient stay in their order, in which the first may have a meaning.

    Examples
    --------
    >>> _backwards(["a", "b", "b", "c"])
    [3, 1, 2, 0]
    """
    place = {item: n for n, item in enumerate(dict.fromkeys(patients))}
    return sorted(range(len(patients)), key=lambda n: -place[patients[n]])


def _names_of(file: Path) -> Iterable[str]:
    """Return how a table may name a file; a bare number could be anything else.

    >>> sorted(_names_of(Path("clips/x1.avi"))), sorted(_names_of(Path("100.dat")))
    (['clips/x1', 'clips/x1.avi', 'x1', 'x1.avi'], ['100.dat'])
    """
    names = {file.as_posix(), file.name, file.with_suffix("").as_posix(), file.stem}
    return {name for name in names if not name.isdigit()}


def _rewrite(table: Path, change: Callable[[list[str], Rows], Rows]) -> None:
    """Change the rows of a CSV file, every cell as it is written there."""
    with table.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = [*csv.reader(file)] or [[]]
    with table.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *change(header, rows)])


def _rewrite_parquet(folder: Path, positions: Callable[[Any], list[int]]) -> None:
    table = folder / _TABLES[1]
    if table.is_file():
        import pandas as pd

        rows = pd.read_parquet(table)
        rows.iloc[positions(rows)].to_parquet(table)


# Checks that what a recording yields depends neither on who else is there nor on what is beside.
#
# A label must not reach `featurize` by any way: not through a table that a hook opens beside the
# recording, and not through a number that `load` computed over the whole cohort.

_FEW = 2


def features_do_not_depend_on_who_else_is_there(case: TaskCase) -> None:
    """One patient alone has the features that he has in a cohort."""
    last = dict([*case.features.items()][-1:])
    _require_features(case.bench, case.bench.load(), last, "made alone")


def features_do_not_depend_on_neighbouring_files(case: TaskCase) -> None:
    """Made of copies of its own files alone, under other names, with no table anywhere."""
    how = (
        "made of copies of the recordings' files in empty folders, under other names and without "
        "a table; preprocess, featurize and the opener may read what Cohort.files names and "
        "nothing else"
    )
    expected = _settled(case.features)
    copy, nowhere = case.empty("elsewhere"), case.empty("nowhere")
    shutil.copytree(case.data, copy)
    nowhere.mkdir()
    bench = case.bench.over(copy)
    cohort = bench.load()
    everybody = list(case.cohort.samples.table.index)
    _require_same_rows(cohort, case.cohort, everybody, "loaded elsewhere")
    alone = isolate(cohort, copy, case.empty("alone"), case.checked)
    hidden = case.data.rename(case.empty("hidden"))
    try:
        with chdir(nowhere):
            _require_features(bench, alone, expected, how)
    finally:
        hidden.rename(case.data)


def what_a_recording_yields_is_the_same_in_half_of_the_cohort(case: TaskCase) -> None:
    """A mean over everybody, kept by `load`, tells each recording of the labels of the others."""
    samples = case.cohort.samples.table
    patients = list(dict.fromkeys(samples["patient_id"]))
    # Without a table, recordings may be numbered as they come.
    by_table = has_cohort_table(case.data)
    retained = patients[::2] if by_table else patients[: (len(patients) + 1) // 2]
    ours = samples["patient_id"].isin(retained)

    def ids(rows: pd.DataFrame) -> set[str]:
        return {
            str(row) for name in ("patient_id", "study_id", "recording_id") for row in rows[name]
        }

    def files(rows: pd.DataFrame) -> set[Path]:
        return {file for name in rows["recording_id"] for file in case.cohort.files[name]}

    half = case.empty("half")
    copy_without(
        case.data,
        half,
        ids=ids(samples[~ours]) - ids(samples[ours]),
        files=files(samples[~ours]) - files(samples[ours]),
        recordings=files(samples),
    )
    _require_the_same(case, half, retained, "where half of the cohort is absent")


def what_a_recording_yields_is_the_same_in_a_reordered_cohort(case: TaskCase) -> None:
    """Nothing about a recording may come from its place in the cohort table."""
    if has_cohort_table(case.data):
        turned = case.empty("turned")
        copy_reordered(case.data, turned)
        patients = list(case.cohort.samples.table["patient_id"])
        _require_the_same(case, turned, patients, "where the cohort table is in another order")


def what_load_hands_over_is_the_same_with_permuted_labels(case: TaskCase) -> None:
    """An id, a column, a place or a value that changes with the labels tells them."""
    relabelled, how = _relabelled(case), "with the labels of the cohort dealt out anew"
    cohort = case.bench.over(relabelled).load()
    before, after = case.cohort, cohort
    require(
        case.task.unit == "event" or not _same_targets(before, after),
        f"no label changed {how}; let relabel change what load reads them from",
    )
    order = list(before.samples.table.index)
    require(
        set(order) == set(after.samples.table.index),
        f"recording ids are others {how}: they tell the label; name recordings after their files",
    )
    require(
        order == list(after.samples.table.index),
        f"recordings are in another order {how}; keep the order in which they are found",
    )
    _require_same_rows(after, before, order, how)
    for name in order:
        ours, theirs = (
            [file.resolve().relative_to(place.resolve()).as_posix() for file in made.files[name]
             if file.resolve().is_relative_to(place.resolve())]
            for made, place in ((before, case.data), (after, relabelled))
        )  # fmt: skip
        require(ours == theirs, f"recording {name!r} has other files {how}")
    _require_features(case.bench.over(relabelled), after, case.features, f"made {how}")


def _relabelled(case: TaskCase) -> Path:
    """Return a copy of the data folder in which the labels belong to others.

    Columns of a cohort table that hold labels are found and dealt out anew; labels in files are the
    affair of the plugin's `relabel`.
    """
    copy = case.empty("relabelled")
    shutil.copytree(case.data, copy)
    labels = _columns_of_labels(case, copy / _TABLES[0])
    home, _, _ = case.info.synthesize.partition(":")
    relabel = getattr(import_module(home), "relabel", None)
    if relabel is not None:
        relabel(copy, np.random.default_rng(0))
    if labels:
        _rewrite(copy / _TABLES[0], partial(_dealt, labels))
    if relabel is None and not labels:
        raise NotCheckedError(
            "no column of a cohort.csv holds the labels; write relabel(folder, rng) next to "
            "synthesize, which gives each recording the label of another"
        )
    return copy


def _columns_of_labels(case: TaskCase, table: Path) -> list[str]:
    """Return the columns of a cohort table that change a label when they are dealt out anew."""
    if not table.is_file():
        return []
    original = table.read_bytes()
    declared = {*ID_COLUMNS, *ALLOWED, *case.info.paths}
    declared |= {option.column for option in case.task.options}
    # A baseline volume that is a covariate may be part of the outcome as well; a column of the
    # samples that tells the label by itself is another check's.
    declared |= set(case.cohort.samples.table.columns)
    header = original.decode("utf-8-sig").splitlines()[0].split(",")
    candidates = [name for name in header if name not in declared]

    def labels(columns: list[str]) -> bool:
        _rewrite(table, partial(_dealt, columns))
        try:
            made = case.bench.over(table.parent).load()
        except CardioError:
            return False  # what only stands together with others is no label by itself
        finally:
            table.write_bytes(original)
        return not _same_targets(case.cohort, made)

    return [name for name in candidates if labels([name])] if labels(candidates) else []


def _dealt(columns: Collection[str], header: list[str], rows: Rows) -> Rows:
    """Return rows whose cells in some columns are those of another row, the same one in each."""
    chosen = {header.index(name) for name in columns}
    order = np.random.default_rng(0).permutation(len(rows))
    return [
        [rows[order[n]][k] if k in chosen else cell for k, cell in enumerate(row)]
        for n, row in enumerate(rows)
    ]


def _same_targets(cohort: Cohort, other: Cohort) -> bool:
    if cohort.targets is None or other.targets is None:
        return cohort.targets is other.targets
    return bool(cohort.targets.table.equals(other.targets.table))


def _require_the_same(case: TaskCase, data: Path, patients: Sequence[str], how: str) -> None:
    bench = case.bench.over(data)
    try:
        cohort = bench.load()
    except CardioError as error:
        raise BrokenContractError(
            f"load fails {how}: {error}; let it take every recording by itself"
        ) from error
    table = case.cohort.samples.table
    expected = list(table.index[table["patient_id"].isin(patients)])
    _require_same_rows(cohort, case.cohort, expected, how)
    few = dict([item for item in case.features.items() if item[0] in patients][-_FEW:])
    why = f"made {how}; let load and its opener take every recording by itself"
    _require_features(bench, cohort, few, why)


def _require_same_rows(made: Cohort, base: Cohort, recordings: Sequence[str], how: str) -> None:
    """Raise unless these recordings have the same row of the sample table in both cohorts."""
    before, after = base.samples.table, made.samples.table
    lost = [name for name in recordings if name not in after.index]
    require(not lost, f"{len(lost)} recordings, such as {lost[:1]}, are lost or renamed {how}")
    columns = set(before.columns) ^ set(after.columns)
    require(not columns, f"the sample table has other columns {how}: {sorted(columns)[:1]}")
    for column in before.columns:
        for name in recordings:
            require(
                _same(before.loc[name, column], after.loc[name, column]),
                f"column {column!r} of the sample table is another for recording {name!r} {how}; "
                "fit what needs the whole cohort in train",
            )


def _same(item: Any, other: Any) -> bool:
    if np.ndim(item) or np.ndim(other):
        return np.array_equal(np.asarray(item), np.asarray(other))
    return bool(item is other or (pd.isna(item) and pd.isna(other)) or item == other)


def _settled(features: Mapping[str, FeatureSet]) -> dict[str, FeatureSet]:
    """Return features that hold their numbers, and need no file any more."""
    return {
        patient: FeatureSet(
            value.table,
            {name: replace(block, values=np.asarray(block.values)) for name, block in
             value.blocks.items()},
        )
        for patient, value in features.items()
    }  # fmt: skip


def _require_features(
    bench: Bench, cohort: Cohort, expected: Mapping[str, FeatureSet], how: str
) -> None:
    """Raise unless patients have the features that they had, and say what went wrong."""
    try:
        made = bench.features(cohort, expected)
        for patient in sorted(set(expected) - set(made)):
            reasons = [row.reason for row in bench.make(cohort, patient).quarantined]
            require(False, f"patient {patient} has no features ({reasons[:1]}) when {how}")
        require_equal(made, expected, how)
    except CardioError as error:
        raise BrokenContractError(f"{error} when {how}") from error


OF_LEAKS = (
    features_do_not_depend_on_who_else_is_there,
    features_do_not_depend_on_neighbouring_files,
    what_a_recording_yields_is_the_same_in_half_of_the_cohort,
    what_a_recording_yields_is_the_same_in_a_reordered_cohort,
    what_load_hands_over_is_the_same_with_permuted_labels,
)
