"""Looks up a class that is not there, deep inside `train`."""

from __future__ import annotations

from dataclasses import replace

from cardio_broken import borrowed
from cardio_core.api import hookimpl

INFO = replace(borrowed.INFO, name="raises_in_train")


@hookimpl
def train(training, targets, ctx):
    """Ask for the wrong word."""
    return sorted(["sick"], key=code_of)


def code_of(word):
    """Know other words."""
    return {"ill": 1, "healthy": 0}[word]
