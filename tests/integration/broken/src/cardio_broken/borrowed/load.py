"""The toy's `load`."""

from __future__ import annotations

from cardio_broken.borrowed import ask_the_toy


def load(config, ctx):
    """See the toy."""
    return ask_the_toy("load", config=config, ctx=ctx)
