"""The toy's `preprocess`."""

from __future__ import annotations

from cardio_broken.borrowed import ask_the_toy


def preprocess(samples, config, ctx):
    """See the toy."""
    return ask_the_toy("preprocess", samples=samples, config=config, ctx=ctx)
