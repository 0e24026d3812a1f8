"""A run is gone on with by nothing but itself: what differs is named, and nothing is touched."""

from __future__ import annotations

import json
import re
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from cardio_core.testing import names

PAGE = Path(__file__).parents[2] / "docs" / "run_directory.md"


@pytest.fixture(scope="module")
def begun(cardio_of, write_cohort, tmp_path_factory):
    """A small run on 24 patients, and its data; each test gets copies."""
    place = tmp_path_factory.mktemp("begun")
    data = write_cohort(place / "data", "mean_class")
    said = cardio_of(place / "run", data)
    assert said.exit_code == 0, said.stderr
    return place


@pytest.fixture(scope="module")
def cardio_of(installed):
    from cardio_core.testing import call_cardio

    def call(out, data, *more):
        return call_cardio("run", "--plugin", "toy", "--data", data, "--protocol", "honest",
                           "--device", "cpu", "--executor", "local:1", "--out", out,
                           "--set", "models=[ridge]", "--set", "search=[]", *more)  # fmt: skip

    return call


@pytest.fixture
def place(begun, tmp_path):
    """Copies of the run and of its data, in another folder than they were in."""
    shutil.copytree(begun / "run", tmp_path / "run")
    shutil.copytree(begun / "data", tmp_path / "data")
    return tmp_path


@pytest.fixture
def refused(cardio_of, place):
    """Resume, expect a refusal in one line that leaves the run as it was; return the line."""

    def content(run):
        return {p: p.read_bytes() for p in run.rglob("*") if p.is_file() and p.suffix != ".jsonl"}

    def call(*more):
        before = content(place / "run")
        said = cardio_of(place / "run", place / "data", "--resume", *more)
        assert said.exit_code == 2, said
        assert said.stderr.count("\n") == 1
        assert content(place / "run") == before
        return said.stderr

    return call


@pytest.fixture(scope="module")
def printed():
    """The refusals on the page of the run directory, one line each."""
    found = re.search(r"<!-- refusals -->\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return [" ".join(one.split()) for one in found[1].split("\n\n")]


def as_printed(line: str, place: Path) -> str:
    return line.strip().replace(str(place / "run"), "runs/ill")


def read(run: Path, name: str = "manifest.json"):
    return json.loads((run / name).read_text())


def flip(table: Path, n: int) -> list[str]:
    """Give the first patients of a cohort table the other label; return who they are."""
    header, *rows = table.read_text().splitlines()
    names = header.split(",")
    known = [row.split(",") for row in rows]
    for row in known[:n]:
        row[names.index("x_ill")] = str(1 - int(row[names.index("x_ill")]))
    table.write_text("\n".join([header, *map(",".join, known)]) + "\n")
    return [row[names.index("patient_id")] for row in known[:n]]


def test_the_page_shows_four_refusals(printed):
    assert len(printed) == 4


def test_other_labels_are_refused(refused, place, printed):
    who = flip(place / "data" / "cohort.csv", 8)
    recordings = read(place / "run", "contents.json")["recordings"]
    theirs = [name for name, one in recordings.items() if one["patient"] in who]
    assert len(theirs) >= 8
    line = refused()
    assert f"the labels of {len(theirs)} of {len(recordings)} recordings ({theirs[0]}, " in line
    assert as_printed(line, place) == printed[0]


def test_another_recording_is_refused(refused, place, printed):
    first = next(iter(read(place / "run", "contents.json")["recordings"]))
    file = next((place / "data").glob("C00r0*.csv"))
    lines = file.read_text().splitlines()
    lines[5] = str(float(lines[5]) + 0.25)
    file.write_text("\n".join(lines) + "\n")
    line = refused()
    assert f"the files of 1 of 32 recordings ({first}) differ" in line
    assert as_printed(line, place) == printed[1]


def test_another_setting_is_refused(refused, place, printed):
    line = refused("--set", "train.strength=3")
    assert names(line, "train.strength", "3.0", "1.0")
    assert as_printed(line, place) == printed[2]


def test_another_version_of_the_plugin_is_refused(refused, installed, place, printed):
    (file,) = installed.glob("cardio_toy-*/METADATA")
    text = file.read_text()
    file.write_text(text.replace("Version: 0.3.0", "Version: 0.4.0"))
    try:
        line = refused()
        assert names(line, "plugin toy", "0.4.0", "0.3.0")
        assert as_printed(line, place) == printed[3]
    finally:
        file.write_text(text)


def test_a_plugin_with_its_sign_flipped_is_refused_under_the_same_version(refused, installed):
    file = installed / "cardio_toy" / "clinic" / "linear.py"
    text = file.read_text()
    file.write_text(text.replace(".fit(x, y)", ".fit(-x, y)"))
    try:
        assert "the sources of plugin toy differ (version 0.3.0 both times)" in refused()
    finally:
        file.write_text(text)


def stands_on_other(place, group, package, version):
    """Let the manifest of the run say that a package had another version."""
    file = place / "run" / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["stands_on"][group][package] = version
    file.write_text(json.dumps(manifest))


def test_another_numpy_is_refused(refused, place):
    here = metadata.version("numpy")
    stands_on_other(place, "packages", "numpy", "1.0.1")
    assert f"(numpy is {here}, was 1.0.1)" in refused()


def test_a_fit_of_another_split_is_refused(refused, place):
    fits = place / "run" / "models"
    shutil.rmtree(fits / "honest-r0-f1" / "ridge")
    shutil.copytree(fits / "honest-r0-f0" / "ridge", fits / "honest-r0-f1" / "ridge")
    line = refused()
    assert names(line, "honest r0-f1 ridge", "models/honest-r0-f1/ridge")


def test_data_that_moved_and_another_drawing_library_are_gone_on_with(cardio_of, place, begun):
    here = metadata.version("matplotlib")
    stands_on_other(place, "aside", "matplotlib", "0.9")
    table = place / "data" / "cohort.csv"
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *reversed(rows)]) + "\n")  # another order is no other data
    (place / "run" / "metrics.json").unlink()
    said = cardio_of(place / "run", place / "data", "--resume")
    assert said.exit_code == 0, said.stderr
    note = f"Gone on with although matplotlib is {here}, was 0.9"
    assert note in said.stdout
    assert any(
        one.startswith(note) for one in [one["text"] for one in read(place / "run")["notes"]]
    )
    assert read(place / "run", "metrics.json") == read(begun / "run", "metrics.json")


def test_what_a_run_stands_on_names_no_file(place):
    kept = read(place / "run", "contents.json")
    assert set(kept["recordings"]["C00r0"]) == {"patient", "content", "own", "about", "labels"}
    assert "x_ill" in kept["table"] and "path_ecg" not in kept["table"]
    assert ".csv" not in json.dumps(kept) + json.dumps(read(place / "run")["stands_on"])
