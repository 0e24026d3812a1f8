"""What is said and shown while a command works."""

from __future__ import annotations

import re
import sys
import time
from types import SimpleNamespace

import pytest

from cardio_core.compute.executors import LocalExecutor
from cardio_core.runner import progress as plain
from cardio_core.runner.progress import Display, Progress, Pulse, Stage, read_pulse
from cardio_core.testing.searching import HUNG_AFTER_S


def wait_for(truth):
    deadline = time.monotonic() + HUNG_AFTER_S
    while not truth():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_stage_is_named_with_what_there_is_to_do_before_it_is_done():
    said: list[str] = []
    with Display(said.append) as display, Progress("features", 60, display, "patients"):
        assert said == ["features: 60 patients"]


def test_one_is_not_many():
    assert (
        Stage("training", time.monotonic(), "fits", total=1, done=1).line()
        == "training: 1 of 1 fit"
    )


def test_a_long_piece_of_work_is_told_while_it_is_under_way(monkeypatch):
    monkeypatch.setattr(plain, "PAUSE_S", 0.0)
    said: list[str] = []
    now = ("network, honest, fold 2 of 5, epoch 3 of 30", "forest, honest, fold 2 of 5")
    with Display(said.append) as display:
        Progress("training", 72, display, "fits", under_way=lambda: now, left=lambda: 131.0)
        wait_for(lambda: len(said) > 1)
    assert said[1] == (
        "training: 0 of 72 fits, about 2 min left; now network, honest, fold 2 of 5, "
        "epoch 3 of 30 (and 1 more)"
    )


def test_what_takes_long_says_so_with_and_without_a_detail():
    began = time.monotonic() - 12
    assert re.fullmatch(r"starting \([^()]+ so far\)", Stage("starting", began).line())
    stage = Stage("data", began, doing="making the synthetic cohort")
    assert re.fullmatch(r"data: making the synthetic cohort \([^()]+ so far\)", stage.line())


def test_time_left_that_is_not_known_is_not_given():
    stage = Stage("training", time.monotonic(), "fits", total=72, done=3, left=lambda: None)
    assert stage.line() == "training: 3 of 72 fits"


def test_lines_keep_their_distance():
    said: list[str] = []
    with Display(said.append) as display, Progress("files", 5000, display) as progress:
        for _ in range(5000):
            progress.advance("a file")
    assert said == ["files: 5000"]


def test_a_command_that_is_done_at_once_says_nothing_of_it():
    said: list[str] = []
    with Progress("files", 3, said.append) as progress:
        progress.advance()
    assert said == []


def test_a_command_that_takes_longer_says_what_it_does_after_a_second():
    said: list[str] = []
    with Progress("reading", 3, said.append, "patients") as progress:
        progress.advance()
        wait_for(lambda: said)
    assert said == ["reading: 1 of 3 patients"]


def test_an_earlier_task_is_shown_as_a_part_and_its_lines_are_not_said():
    said: list[str] = []
    with Display(said.append) as display:
        inner = display.for_need("beats")
        inner("Device: CPU.")
        inner.note("Model x is left out.")
        with Progress("training", 4, inner, "fits") as progress:
            progress.advance()
        assert display.last is not None
        assert display.last.line() == "beats, training: 1 of 4 fits"
    assert said == ["beats: Model x is left out.", "beats, training: 4 fits"]


def test_a_terminal_is_shown_the_same_facts_and_what_comes_then(monkeypatch):
    from rich.console import Console

    from cardio_core.runner.progress import Living

    stage = Stage("training", time.monotonic(), "fits", 72, 12, "the doing", left=lambda: 42.0)
    living = Living(lambda: (stage, ("evaluation", "report")))
    console = Console(width=100)
    with console.capture() as drawn:
        console.print(living._drawn())
    words = " ".join(drawn.get().split())
    assert "training" in words
    assert "12 of 72 fits about 40 s left the doing then evaluation, report" in words


def test_a_notebook_is_shown_a_bar_that_goes_away(monkeypatch):
    shown: list[str] = []
    handle = SimpleNamespace(update=shown.append)
    kernel = SimpleNamespace(
        get_ipython=lambda: SimpleNamespace(kernel=object()), HTML=str,
        display=lambda item, display_id: handle,
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "IPython", kernel)
    monkeypatch.setitem(sys.modules, "IPython.display", kernel)
    said: list[str] = []
    with Display(said.append) as display, Progress("training", 4, display, "fits <1>") as progress:
        progress.advance()
        wait_for(lambda: shown)
    assert shown[0] == ('<progress value="1" max="4"></progress> training: 1 of 4 fits &lt;1&gt;')
    assert shown[-1] == ""
    assert said == ["training: 4 fits <1>"]


def test_an_epoch_reaches_the_display_from_another_process(tmp_path):
    pulses = [Pulse(tmp_path / f"{n}.json") for n in range(2)]

    def fit(pulse):
        with pulse:
            pulse.part("inner fit 1 of 3")("epoch 2 of 6")
            return read_pulse(pulse.file)

    with LocalExecutor(2) as executor:
        inside = executor.map(fit, pulses)
    assert [said["doing"] for said in inside] == ["inner fit 1 of 3, epoch 2 of 6"] * 2
    assert all(read_pulse(pulse.file)["seconds"] >= 0 for pulse in pulses)


def test_a_clock_that_is_set_back_shortens_no_fit(tmp_path, monkeypatch):
    with Pulse(tmp_path / "pulse.json") as pulse:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now - 3600.0)
    assert read_pulse(pulse.file)["seconds"] >= 0


def test_a_fit_goes_on_where_its_progress_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with Pulse(tmp_path / "file" / "pulse.json") as pulse:
        pulse("epoch 1 of 2")
    assert read_pulse(pulse.file) == {}


@pytest.mark.parametrize("text", ["", '{"began": 1', "[]", "\x00"])
def test_a_line_that_is_just_being_written_is_read_as_nothing(tmp_path, text):
    (tmp_path / "pulse.json").write_text(text)
    assert read_pulse(tmp_path / "pulse.json") == {}
