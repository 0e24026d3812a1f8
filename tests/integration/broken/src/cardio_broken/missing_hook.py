"""Has no `predict`, and so cannot run."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import featurize, load, preprocess, train

__all__ = ["INFO", "featurize", "load", "preprocess", "train"]

INFO = replace(TOY, name="missing_hook")
