"""The contract's copies of data: what is moved, what is renamed, who is left out."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cardio_core.testing.leak_checks import copy_reordered, copy_without, has_cohort_table, isolate
from cardio_core.types.samples import Cohort, Opened, SampleSet


@dataclass(frozen=True)
class Files:
    main: Path
    beside: Path | None = None
    rate_hz: float = 50.0


@dataclass(frozen=True)
class OwnValues:
    """What a plugin may write instead of `SampleSet.opening`."""

    files: tuple[Any, ...]
    rules: tuple[float, float]

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, position: Any) -> Any:
        if isinstance(position, int):
            return read(self.files[position])
        return OwnValues(tuple(self.files[n] for n in position), self.rules)


def read(source: Any) -> tuple[str, ...]:
    """Return the texts that a source leads to."""
    if isinstance(source, dict):
        return read(source["file"])
    if isinstance(source, Files):
        return (*read(source.main), *(read(source.beside) if source.beside else ()))
    if isinstance(source, tuple):
        return tuple(text for one in source for text in read(one))
    path = Path(source)
    if path.is_dir():
        return tuple(one.read_text() for one in sorted(path.iterdir()))
    if path.suffix:
        return (path.read_text(),)
    return tuple(path.with_suffix(suffix).read_text() for suffix in (".hea", ".dat"))


def read_below(name: str, *, root: Path) -> tuple[str, ...]:
    return ((root / name).read_text(),)


def written(folder: Path, *names: str) -> list[Path]:
    """Write a text into each file, and a table that tells the labels."""
    for name in (*names, "cohort.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"text of {name}")
    return [(folder / name).resolve() for name in names]


def cohort_of(values: Any, files: list[tuple[Path, ...]]) -> Cohort:
    names = [f"r{n}" for n in range(len(files))]
    table = pd.DataFrame(
        {"recording_id": names, "study_id": names, "patient_id": names}, index=names
    )
    return Cohort(SampleSet(table, values), dict(zip(names, files, strict=True)))


def left_in(folder: Path) -> set[str]:
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}


def two(kind: str, data: Path) -> tuple[list[Any], list[tuple[Path, ...]], set[str]]:
    """Return two sources of a kind, the files of each, and the names of the first one's copies."""
    if kind == "wfdb":
        files = written(data, "a.hea", "a.dat", "b.hea", "b.dat")
        sources = [file.with_suffix("") for file in files[::2]]
        return sources, [tuple(files[:2]), tuple(files[2:])], {"a.hea", "a.dat"}
    if kind == "dataclass":
        files = written(data, "a.avi", "x/a.json", "b.avi", "x/b.json")
        sources = [Files(files[0], files[1]), Files(files[2], files[3])]
        return sources, [tuple(files[:2]), tuple(files[2:])], {"a.avi", "x/a.json"}
    if kind == "folder":
        files = written(data, "p/1.dcm", "p/2.dcm", "q/1.dcm", "q/2.dcm")
        return [data / "p", data / "q"], [tuple(files[:2]), tuple(files[2:])], {"1.dcm", "2.dcm"}
    files = written(data, "a.nii.gz", "b.nii.gz")
    make = {"path": Path, "text": str, "tuple": lambda one: (one, "mV"),
            "mapping": lambda one: {"file": one, "rate_hz": 5}}[kind]  # fmt: skip
    return [make(file) for file in files], [(file,) for file in files], {"renamed.nii.gz"}


@pytest.mark.parametrize("keep", [Opened, OwnValues], ids=["opening", "own"])
@pytest.mark.parametrize("kind", ["path", "text", "mapping", "wfdb", "dataclass", "folder"])
def test_every_recording_gets_a_folder_of_its_own_and_nothing_else_is_left(tmp_path, kind, keep):
    data = tmp_path / "data"
    sources, files, names = two(kind, data)
    values = Opened(tuple(sources), read) if keep is Opened else OwnValues(tuple(sources), (1, 2))
    expected = [values[0], values[1]]
    alone = isolate(cohort_of(values, files), data, tmp_path / "alone", ["r0", "r1"])
    assert left_in(data) == set()
    assert left_in(tmp_path / "alone" / "0000") == names
    assert [alone.samples.values[0], alone.samples.values[1]] == expected


def test_who_is_not_asked_for_is_gone(tmp_path):
    data = tmp_path / "data"
    sources, files, _ = two("path", data)
    alone = isolate(cohort_of(Opened(tuple(sources), read), files), data, tmp_path / "b", ["r1"])
    assert list(alone.samples.table.index) == ["r1"]
    assert alone.samples.values[0] == ("text of b.nii.gz",)
    assert left_in(tmp_path) == {"b/0000/renamed.nii.gz"}


def test_a_recording_that_cannot_be_moved_stays_without_the_table(tmp_path):
    data = tmp_path / "data"
    files = written(data, "a.txt", "b.txt")
    values = Opened(("a.txt", "b.txt"), partial(read_below, root=data))
    both = cohort_of(values, [(file,) for file in files])
    alone = isolate(both, data, tmp_path / "alone", ["r0"])
    assert left_in(tmp_path) == {"data/a.txt"}
    assert alone.samples.values[0] == ("text of a.txt",)


def table_at(folder: Path, name: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    frame = pd.DataFrame(rows)
    frame.to_parquet(folder / name) if name.endswith("q") or "parquet" in name else frame.to_csv(
        folder / name, index=False
    )


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


STUDIES = [
    {"patient_id": "1", "study_id": "s1", "path_ecg": "1.csv", "x_ill": 1},
    {"patient_id": "2", "study_id": "s2", "path_ecg": "2.csv;2b.csv", "x_ill": 0},
    {"patient_id": "2", "study_id": "s3", "path_ecg": "", "x_ill": 0},
    {"patient_id": "3", "study_id": "s4", "path_ecg": "3.csv", "x_ill": 2},
]


def test_half_of_a_cohort_lacks_the_others_rows_and_files_in_every_table(tmp_path):
    data, half = tmp_path / "data", tmp_path / "half"
    table_at(data, "cohort.csv", STUDIES)
    table_at(data, "beats.csv", [{"recording_id": "r2", "time_s": 1}, {"recording_id": "r3",
                                                                       "time_s": 2}])  # fmt: skip
    table_at(data, "FileList.csv", [{"FileName": "2", "n": 9}, {"FileName": "2b", "n": 3},
                                    {"FileName": "3", "n": 2}])  # fmt: skip
    files = [data / name for name in ("1.csv", "2.csv", "2b.csv", "3.csv")]
    for file in files:
        file.write_text("2,2\n2,2\n")
    copy_without(data, half, ids={"2", "s2", "r2"}, files=files[1:3], recordings=files)
    assert left_in(half) == {"cohort.csv", "beats.csv", "FileList.csv", "1.csv", "3.csv"}
    assert [row["study_id"] for row in rows_of(half / "cohort.csv")] == ["s1", "s4"]
    assert [row["recording_id"] for row in rows_of(half / "beats.csv")] == ["r3"]
    # A bare number may be anything; a name that is none tells the file.
    assert [row["FileName"] for row in rows_of(half / "FileList.csv")] == ["2", "3"]
    assert (half / "3.csv").read_text() == "2,2\n2,2\n"
    assert has_cohort_table(half)


def test_a_parquet_table_is_halved_and_turned_too(tmp_path):
    data = tmp_path / "data"
    table_at(data, "cohort.parquet", STUDIES)
    copy_without(data, tmp_path / "half", ids={"2"}, files=[], recordings=[])
    copy_reordered(data, tmp_path / "turned")
    half, turned = (
        pd.read_parquet(tmp_path / name / "cohort.parquet") for name in ("half", "turned")
    )
    assert list(half["study_id"]) == ["s1", "s4"]
    assert list(turned["study_id"]) == ["s4", "s2", "s3", "s1"]


def test_a_reordered_cohort_has_the_last_patient_first_and_each_ones_studies_in_order(tmp_path):
    data = tmp_path / "data"
    table_at(data, "cohort.csv", STUDIES)
    copy_reordered(data, tmp_path / "turned")
    rows = rows_of(tmp_path / "turned" / "cohort.csv")
    assert [row["study_id"] for row in rows] == ["s4", "s2", "s3", "s1"]
    assert rows[0] == {name: str(cell) for name, cell in STUDIES[3].items()}
