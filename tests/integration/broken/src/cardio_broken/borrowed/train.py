"""The toy's `train`."""

from __future__ import annotations

from cardio_broken.borrowed import ask_the_toy


def train(training, validation, targets, config, ctx):
    """See the toy."""
    return ask_the_toy(
        "train", training=training, validation=validation, targets=targets, config=config, ctx=ctx
    )
