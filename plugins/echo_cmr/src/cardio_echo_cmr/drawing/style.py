"""Colours of this plugin's figures, in the style of the core's."""

from __future__ import annotations

from cardio_core.api import canvas

Draw = canvas.Draw
"""Draws on an empty figure; may set its size; touches nothing else."""

BLUE, VERMILION, GREEN, PURPLE, ORANGE = (
    canvas.BLUE,
    canvas.VERMILION,
    canvas.GREEN,
    canvas.PURPLE,
    canvas.ORANGE,
)
SKY, INK, GREY, LIGHT = canvas.SKY, canvas.INK, canvas.GREY, canvas.LIGHT
TEXT_PT, SMALL_PT = canvas.TEXT_PT, canvas.SMALL_PT

quiet_axes = canvas.bare_axes

ROWS = {
    "a4c": BLUE, "a2c": GREEN, "plax": ORANGE, "fused": INK, "lvef": PURPLE, "age_sex": GREY,
}  # fmt: skip
"""One colour a row in every figure; the rows of values have that of their view."""


def colour_of(model: str) -> str:
    """Return the colour of a row."""
    return ROWS.get(model.removesuffix("_value"), SKY)
