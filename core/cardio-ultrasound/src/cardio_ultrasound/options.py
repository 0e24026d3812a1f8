"""Options of the command line that every plugin of ultrasound loops brings; nothing heavy here."""

from __future__ import annotations

from cardio_core.types.info import Option

FRAME_RATE, MM_PER_PIXEL = "--frame-rate HZ|container", "--mm-per-pixel ROW,COLUMN"

LOOP_OPTIONS = (
    Option(
        "frame-rate",
        "Rate of acquisition of the loops whose files do not say it (video, NPY): a number, or "
        "container where a video plays as it was acquired",
        setting="load.frame_rate_hz",
        form=FRAME_RATE.partition(" ")[2],
        unit="Hz",
        for_new=True,
    ),
    Option(
        "mm-per-pixel",
        "Distance of rows, and of columns, of the loops whose files do not say it",
        setting="load.mm_per_pixel",
        form=MM_PER_PIXEL.partition(" ")[2],
        unit="mm",
        for_new=True,
    ),
)
