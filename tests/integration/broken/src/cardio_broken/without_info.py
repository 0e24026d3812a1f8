"""An entry point whose module does not say what it is."""

from __future__ import annotations

from cardio_toy.plugin import featurize, load, predict, preprocess, train

__all__ = ["featurize", "load", "predict", "preprocess", "train"]
