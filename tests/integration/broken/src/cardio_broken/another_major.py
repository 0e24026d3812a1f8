"""Written for the next major version of the API."""

from __future__ import annotations

from dataclasses import replace

from cardio_toy.plugin import INFO as TOY
from cardio_toy.plugin import featurize, load, predict, preprocess, train

__all__ = ["INFO", "featurize", "load", "predict", "preprocess", "train"]

INFO = replace(TOY, name="another_major", api=(3, 0))
