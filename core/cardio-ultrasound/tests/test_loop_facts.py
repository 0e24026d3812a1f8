"""What files do not say is asked for once, written for filling in, and read again."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from cardio_core.api import ConfigError
from cardio_core.runner.facts import questions, read_facts
from cardio_core.testing import call_cardio
from cardio_ultrasound import LoopFactsBlock, facts_of_loop

from . import us_files as us
from .test_loops_video import FRAMES, write_avi


@pytest.fixture
def files(tmp_path):
    """A video, a DICOM loop that says all, and an array."""
    folder = tmp_path / "exam"
    folder.mkdir()
    write_avi(folder / "a.avi", FRAMES, fps=25.0)
    us.written(us.dataset(us.moving_sector(6)), folder / "b.dcm")
    np.save(folder / "c.npy", FRAMES)
    return folder


def facts(path, cells=(), **stated):
    found = facts_of_loop(path, LoopFactsBlock(**stated), dict(cells))
    return found, {one.name: one for one in found.facts}


def test_a_header_says_both_and_a_video_only_how_fast_it_plays(files):
    found, named = facts(files / "b.dcm")
    assert not any(one.missing for one in named.values())
    assert (named["frame_rate_hz"].value, named["mm_per_pixel"].value) == ("50", "0.5,0.5")
    assert (found.frame_rate_hz, found.mm_per_pixel) == (None, None)
    found, named = facts(files / "a.avi")
    assert found.frame_rate_hz == "unconfirmed"
    assert all(one.missing and not one.value for one in named.values())
    assert "25" in named["frame_rate_hz"].source
    assert facts(files / "c.npy")[0].frame_rate_hz is None


def test_what_holds_for_all_counts_where_a_file_says_nothing_and_a_line_before_both(files):
    stated = {"frame_rate_hz": 60.0, "mm_per_pixel": (0.4, 0.4)}
    assert facts(files / "a.avi", **stated)[0].frame_rate_hz == 60.0
    assert facts(files / "b.dcm", **stated)[0].mm_per_pixel is None
    own = {"frame_rate_hz": "70", "mm_per_pixel": "0.3", "view": "a4c"}
    found = facts(files / "b.dcm", own, **stated)[0]
    assert (found.frame_rate_hz, found.mm_per_pixel, found.view) == (70.0, (0.3, 0.3), "a4c")
    assert facts(files / "a.avi", {"frame_rate_hz": "container"})[0].frame_rate_hz == "container"


@pytest.mark.parametrize(
    "cells",
    [{"frame_rate_hz": "fast"}, {"mm_per_pixel": "0.3,0.3,1"}, {"mm_per_pixel": "-1"},
     {"view": "four"}],
)  # fmt: skip
def test_a_cell_that_says_something_else_is_refused(files, cells):
    with pytest.raises(ConfigError, match="--facts: expected"):
        facts(files / "a.avi", cells)


def test_the_template_of_a_folder_is_filled_in_with_what_is_known_and_read_again(files, tmp_path):
    template = tmp_path / "facts.csv"
    done = call_cardio(
        "measure", "--plugin", "mmode_septal_flash", files, "--mapping-template", template
    )
    assert done.exit_code == 0, done.stderr
    with template.open(encoding="utf-8") as stream:
        rows = {row["file"].rsplit("/", 1)[-1]: row for row in csv.DictReader(stream)}
    assert set(rows) == {"a.avi", "b.dcm", "c.npy"}
    assert [rows[name]["mm_per_pixel"] for name in ("a.avi", "b.dcm")] == ["", "0.5,0.5"]
    stated = read_facts(template)
    # Given back as it was, it states nothing of what the header says.
    found = facts(files / "b.dcm", stated[(files / "b.dcm").resolve()])[0]
    assert (found.frame_rate_hz, found.mm_per_pixel) == (None, None)
    again = call_cardio(
        "measure", "--plugin", "mmode_septal_flash", files, "--mapping-template", template
    )
    assert again.exit_code == 2


def test_one_table_asks_for_all_recordings_and_names_the_options(files):
    from types import SimpleNamespace

    cohort = SimpleNamespace(
        facts={str(n): facts(path)[0].facts for n, path in enumerate(sorted(files.iterdir()), 1)}
    )
    lines = list(questions(cohort))
    shown = [line for line in lines if line.lstrip()[:1].isdigit()]
    assert [line.split()[0] for line in shown] == ["1", "3"]
    assert "--frame-rate" in lines[-1] and "--mapping-template" in lines[-1]
    complete = SimpleNamespace(facts={"1": facts(files / "b.dcm")[0].facts})
    assert list(questions(complete)) == []
