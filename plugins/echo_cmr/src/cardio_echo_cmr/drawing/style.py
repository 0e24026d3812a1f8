"""One colour a model in every figure, of the palette of the core's figures."""

from __future__ import annotations

from cardio_core.api import canvas

COLOURS = {
    "a4c": canvas.BLUE, "a2c": canvas.GREEN, "plax": canvas.ORANGE, "fused": canvas.INK,
    "lvef": canvas.PURPLE, "age_sex": canvas.GREY,
}  # fmt: skip
"""The models of values have the colour of their view."""


def colour_of(model: str) -> str:
    """Return the colour of a model."""
    return COLOURS.get(model.removesuffix("_value"), canvas.SKY)
