"""R peaks of the drawn ECG, kept where the drawing goes."""

from __future__ import annotations

from dataclasses import replace

from cardio_core.errors import DataError
from cardio_core.ultrasound.deidentify.sector_fit import FittedSector
from cardio_core.ultrasound.deidentify.sector_mask import clear_sector
from cardio_core.ultrasound.drawn.ecg import read_drawn_ecg
from cardio_core.ultrasound.loops.loop import Loop

FROM_THE_PICTURE = "R peaks read from the ECG drawn in the picture"
"""Flag of a loop whose R peaks nothing else states."""

_RIM_PX = 3.0


def with_drawn_r_peaks(loop: Loop, sector: FittedSector | None = None) -> Loop:
    """Return a loop with the R peaks of its drawn ECG, where nothing else states any.

    The trace is looked for outside of `sector`, which is fitted where it is not given. A loop with
    R peaks, made of beams, without a clear sector, or without a trace that tells R peaks is
    returned as it is.
    """
    if loop.r_times_ms is not None or loop.sector is not None:
        return loop
    try:
        sector = sector or clear_sector(loop)
    except DataError:
        return loop
    found = read_drawn_ecg(loop, ~sector.mask(erode_px=-_RIM_PX))
    if found is None:
        return loop
    flags = (*loop.flags, FROM_THE_PICTURE)
    return replace(loop, r_times_ms=found.r_times_ms, r_source="picture", flags=flags)
