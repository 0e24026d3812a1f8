"""Opens a file that is not there; its name could be a patient's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="loses_a_file")


@hookimpl
def train(training):
    """Look for a file of the patient's name."""
    return Path("Jane_Doe.dcm").read_bytes()
