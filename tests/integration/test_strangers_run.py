"""A run directory that somebody else made: nothing in it is followed out of it."""

from __future__ import annotations

import os
import shutil

import pytest


@pytest.fixture
def stranger(clinic_run, tmp_path):
    """A copy of a finished run."""
    return shutil.copytree(clinic_run, tmp_path / "run")


def refused(said, *words):
    assert said.exit_code == 3
    (line,) = [one for one in said.stderr.splitlines() if one]
    for word in words:
        assert word in line
    return line


COMMANDS = {
    "predict": ("predict", "RUN", "INPUT"),
    "report": ("report", "RUN"),
    "export": ("export", "RUN", "--out", "OUT"),
    "compare": ("compare", "RUN", "OTHER", "--out", "OUT"),
    "evaluate": ("evaluate", "RUN", "--data", "DATA", "--out", "OUT"),
    "fuse": ("fuse", "RUN", "OTHER", "--out", "OUT"),
    "resume": ("run", "--plugin", "toy", "--data", "DATA", "--out", "RUN", "--resume"),
    "reproduce": ("reproduce", "RUN"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_link_in_a_run_is_refused_by_every_command(
    cardio, stranger, clinic, clinic_run, tmp_path, command
):
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg xmlns='http://www.w3.org/2000/svg'><text>secret</text></svg>")
    (stranger / "figures" / "roc.svg").symlink_to(secret)
    places = {"RUN": stranger, "OTHER": clinic_run, "OUT": tmp_path / "out", "DATA": clinic,
              "INPUT": next(clinic.glob("C01*.csv"))}  # fmt: skip
    page = (stranger / "report.html").read_bytes()
    said = cardio(*(places.get(word, word) for word in COMMANDS[command]))
    refused(said, "its files alone", "a link at 'figures/roc.svg'")
    assert (stranger / "report.html").read_bytes() == page
    assert "secret" not in said.stdout + said.stderr


@pytest.mark.parametrize(
    ("put", "found"),
    [
        (lambda run, away: (run / "models" / "final" / "more").symlink_to(away), "a link"),
        (lambda run, away: (run / "explanations" / "loop").symlink_to(run), "a link"),
        (lambda run, away: (run / "tables" / "gone.csv").symlink_to(away / "gone"), "a link"),
        (lambda run, away: os.mkfifo(run / "tables" / "pipe.csv"), "no plain file"),
        (lambda run, away: (run / "/".join("a" * 30)).mkdir(parents=True), "24 folders in one"),
    ],
    ids=["folder", "circle", "nowhere", "pipe", "deep"],
)
def test_what_leads_on_is_no_file_of_a_run(cardio, stranger, tmp_path, put, found):
    (tmp_path / "away").mkdir()
    put(stranger, tmp_path / "away")
    refused(cardio("report", stranger), found)


def test_a_run_may_be_named_by_a_link(cardio, stranger, tmp_path):
    (tmp_path / "link").symlink_to(stranger)
    assert cardio("report", tmp_path / "link").exit_code == 0


def test_more_files_than_any_run_has_are_not_looked_through(cardio, stranger, monkeypatch):
    monkeypatch.setattr("cardio_core.io.run_schema.MOST_FILES", 20)
    refused(cardio("report", stranger), "more than 20 files")
