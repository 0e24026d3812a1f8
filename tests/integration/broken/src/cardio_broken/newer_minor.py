"""Written for a minor version of the API that this core does not have yet."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import featurize, load, predict, preprocess, train

__all__ = ["INFO", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="newer_minor", api=(2, 99))
