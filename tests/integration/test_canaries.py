"""Words planted in headers, names and tables are in nothing that a command writes.

The whole matrix of commands, plugins and kinds of file is `test_canaries_study.py` (slow).
"""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from .canaries.calling import Watched
from .canaries.cohorts import empty, plant_cohort
from .canaries.pictures import MarkFinder, printed
from .canaries.planting import plant
from .canaries.words import HEADER, TABLE

RUN = ("run", "--plugin", "toy", "--device", "cpu", "--executor", "local:1", "--protocol", "honest",
       "--set", "evaluate.n_resamples=100", "--set", "protocols.honest.k=2", "--set", "inner.k=1",
       "--set", "models=[ridge]", "--set", "search=[]")  # fmt: skip


@pytest.fixture(scope="module")
def planted(write_cohort, tmp_path_factory):
    place = tmp_path_factory.mktemp("planted")
    synth = write_cohort(place / "synth", "mean_class", n_patients=10)
    return plant_cohort(synth, empty(place / "there"), path_column="path_ecg")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    return Watched(tmp_path_factory.mktemp("watched"))


def test_a_run_and_what_is_asked_of_it_repeat_no_planted_word(planted, watched, cardio):
    run = watched.out / "run"
    answers = [
        watched.call("run", "table", *RUN, "--data", "cohort.csv", "--out", run,
                     folder=planted.folder),
        watched.call("run", "strict", "--debug", *RUN, "--data", ".", "--strict", "--out",
                     watched.out / "strict", folder=planted.folder),
        watched.call("predict", "table", "predict", run, "few.csv", "--json",
                     folder=planted.folder),
    ]  # fmt: skip
    assert [(one.exit_code, one.hits) for one in answers] == [(0, ()), (3, ()), (0, ())]
    assert answers[0].searched > 20
    assert "raise DataError(f" in answers[1].said  # the traceback is there


@pytest.mark.parametrize("fault", ["truncated", "wrong content", "missing", "unreadable"])
def test_a_broken_file_shows_what_was_typed_and_no_more(planted, watched, cardio, fault):
    broken = planted.broken[".csv", fault].relative_to(planted.folder)
    out = watched.out / fault
    said = watched.call("measure", fault, "--debug", "measure", "--plugin", "toy", broken, "--out",
                        out, "--no-sheets", folder=planted.folder)  # fmt: skip
    assert (said.exit_code == 0) == (fault == "truncated")  # a cut text is a shorter recording
    assert said.hits == ()


def test_the_check_names_columns_to_whoever_asks_and_nothing_of_a_header(planted, watched, cardio):
    check = ("data", "check", "few.csv", "--plugin", "toy", "--executor", "local:1")
    said = watched.call("check", "table", *check, folder=planted.folder)
    assert {one.partition(" in ")[0] for one in said.hits} == {"column", "file"}
    assert all(" in stdout" in one or " in stderr" in one for one in said.hits)


def test_a_planted_word_would_be_found(planted, watched, cardio):
    there = (planted.folder / "cohort.csv").read_text()
    assert TABLE["column"] in there and TABLE["cell"] in there
    good = planted.files[".csv"]
    plant(good)
    assert HEADER["name"] in good.read_text()
    said = watched.call("measure", "mapped", "measure", "--plugin", "toy", "few.csv", "--out",
                        watched.out / "mapped", "--mapping", watched.out / "who.csv", "--no-sheets",
                        folder=planted.folder)  # fmt: skip
    assert {"file in out/who.csv", "parent in out/who.csv"} <= set(said.hits)


@pytest.fixture(scope="module")
def speckle():
    noise = np.random.default_rng(0).rayleigh(40.0, (1, 200, 240)).clip(0, 255)
    return cv2.GaussianBlur(noise[0].astype(np.uint8), (3, 3), 0)[None]


@pytest.mark.parametrize("scale", [0.45, 1.0, 1.9])
def test_a_mark_in_a_picture_is_found_at_any_size_and_in_pages(speckle, tmp_path, scale):
    size = round(240 * scale), round(200 * scale)
    for name, frames in (("plain", speckle), ("printed", printed(speckle, at=(90, 80)))):
        picture = cv2.resize(frames[0], size, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(tmp_path / f"{name}.png"), picture // 2 + 40)  # less contrast, too
        inside = base64.b64encode((tmp_path / f"{name}.png").read_bytes()).decode()
        page = f"<img src='data:image/png;base64,{inside}'>"
        (tmp_path / f"{name}.html").write_text(page)
    found = MarkFinder()
    names = [path.name for path in sorted(tmp_path.iterdir()) if found.in_file(path)]
    assert names == ["printed.html", "printed.png"]
