"""What is printed to a terminal, and to what is none: no escape sequence that nobody asked for."""

from __future__ import annotations

import os
import re
import sys
import threading

import pytest

from cardio_core.cli.main import main
from cardio_core.runner.progress import Display, Progress
from cardio_core.testing import call_cardio, every_command

ESCAPE = re.compile("[\x1b\x9b]|\r(?!\n)")


@pytest.fixture
def on_terminal(monkeypatch, tmp_path):
    """Call something in this process with a terminal as its output; return what it wrote."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "CARDIO_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def call(work, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        ours, theirs = os.openpty()
        read = []
        reader = threading.Thread(target=_read_all, args=(ours, read))
        reader.start()
        with os.fdopen(theirs, "w", encoding="utf-8") as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal)
            patch.setattr(sys, "stderr", terminal)
            work()
        reader.join()
        os.close(ours)
        return b"".join(read).decode()

    return call


def _read_all(end, read):
    while True:
        try:
            part = os.read(end, 65536)
        except OSError:  # the other end was closed
            return
        if not part:
            return
        read.append(part)


def typed(*words):
    def work():
        sys.argv = ["cardio", *words]
        with pytest.raises(SystemExit):
            main()
            sys.exit(0)

    return work


def working():
    with Display(print, ["features"]) as display, Progress("features", 3, display) as progress:
        progress.advance()


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("run", "--help"),
        ("plugins", "list"),
        ("plugins", "info", "ecg_transfer", "--settings"),
        ("completion", "zsh"),
        ("rnu",),
        ("run", "--plugin", "nothing"),
        ("judge", "nothing.csv", "--outcome", "a"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("said", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_command_prints_an_escape_sequence(on_terminal, monkeypatch, words, said):
    monkeypatch.setattr(sys, "argv", [])
    shown = on_terminal(typed(*words), **said)
    assert shown.strip()
    assert not ESCAPE.search(shown)


def test_progress_moves_on_a_terminal_alone(on_terminal, capsys):
    assert ESCAPE.search(on_terminal(working))
    working()
    told = capsys.readouterr()
    assert "features: 3" in told.out
    assert not ESCAPE.search(told.out + told.err)


@pytest.mark.parametrize("said", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}], ids=str)
def test_progress_is_plain_lines_where_somebody_wants_no_escapes(on_terminal, said):
    shown = on_terminal(working, **said)
    assert "features: 3" in shown
    assert not ESCAPE.search(shown)


def test_an_empty_no_color_says_nothing(on_terminal):
    assert ESCAPE.search(on_terminal(working, NO_COLOR=""))


def test_a_file_gets_no_escapes_even_where_colour_is_forced(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    working()
    told = capsys.readouterr()
    assert not ESCAPE.search(told.out + told.err)


def test_a_narrow_terminal_gets_narrow_help(monkeypatch):
    """Examples are to be copied, so their lines are those of a shell."""
    monkeypatch.setenv("COLUMNS", "40")
    choices = re.compile(r"  --[a-z-]+ \[[a-z0-9_|]+\]")
    wide = {
        words: found
        for words in every_command()
        if (found := [line for line in narrow_help(words) if not choices.fullmatch(line)])
    }
    assert wide == {}


def narrow_help(words):
    """Return the lines of a command's help that do not fit."""
    shown = call_cardio(*words.split(), "--help").stdout.partition("Examples:")[0]
    return [line for line in shown.splitlines() if len(line) > 40]


@pytest.mark.parametrize(
    "words", ["plugins list", "data list", "rnu", "run --plugin nothing", "plugins info nothing"]
)
def test_a_narrow_terminal_gets_narrow_lines(on_terminal, words):
    shown = on_terminal(typed(*words.split()), COLUMNS="40")
    wide = [line for line in shown.splitlines() if len(line) > 40]
    assert [line for line in wide if len(line.split()) > 1] == []
    assert len(shown.splitlines()) > 1 and not ESCAPE.search(shown)


@pytest.mark.parametrize("words", ["table1 t.csv --by ill", "table1 t.csv --by a\x1b[2Jb\u202ec"])
def test_a_terminal_obeys_no_name_of_a_column(on_terminal, tmp_path, words):
    (tmp_path / "t.csv").write_text("ill,x\x1b[2Jy\u202ez\n0,1\n1,2\n0,2\n1,4\n", encoding="utf-8")
    shown = on_terminal(typed("stats", *words.split()))
    assert "[2J" in shown
    assert not ESCAPE.search(shown) and "\u202e" not in shown
