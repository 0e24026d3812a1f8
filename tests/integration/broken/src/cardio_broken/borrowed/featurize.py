"""The toy's `featurize`."""

from __future__ import annotations

from cardio_broken.borrowed import ask_the_toy


def featurize(samples, config, ctx):
    """See the toy."""
    return ask_the_toy("featurize", samples=samples, config=config, ctx=ctx)
