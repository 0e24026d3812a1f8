"""The toy's `predict`."""

from __future__ import annotations

from cardio_broken.borrowed import ask_the_toy


def predict(model, features, config, ctx):
    """See the toy."""
    return ask_the_toy("predict", model=model, features=features, config=config, ctx=ctx)
