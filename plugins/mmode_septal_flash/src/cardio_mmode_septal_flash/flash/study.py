"""From one loop to what an M-mode needs: cycle, sector, septum, scan lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_core.ultrasound import Loop, sector_hull, with_drawn_r_peaks
from cardio_mmode_septal_flash.cycle.find_cycle import Cycle, cut_cycle, find_cycle, withheld
from cardio_mmode_septal_flash.cycle.volume import CycleVolume
from cardio_mmode_septal_flash.flash.config import PreprocessBlock
from cardio_mmode_septal_flash.mmode.axis import ScanLine, centre_index, scan_line, shifted_lines
from cardio_mmode_septal_flash.mmode.side import side_of_lv
from cardio_mmode_septal_flash.septum.find_septum import find_septum
from cardio_mmode_septal_flash.septum.polyline import Septum, require_inside

FOUND = "septum found in the pictures"
ELSEWHEN = "septum drawn at another moment than end-diastole"
END_DIASTOLE_MS = 80.0
"""A septum drawn within this of the R peak is at its end-diastolic place."""


@dataclass(frozen=True, eq=False)
class Study:
    """One loop, ready to be resliced.

    Attributes
    ----------
    volume : CycleVolume
        Its cycle.
    cycle : Cycle
        Where in the loop that is.
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where the picture is.
    septum : Septum
        Drawn or found.
    lines : dict of int to ScanLine
        By shift along the septum, 0 first.
    ed_frame : int
        Index into the volume's frames of the one next to the begin of the cycle.
    frame_rate_hz : float
        Of the loop.
    flags : tuple of str
        Of the loop, the cycle, the septum and the view.
    """

    volume: CycleVolume
    cycle: Cycle
    sector: NDArray[np.bool_]
    septum: Septum
    lines: dict[int, ScanLine]
    ed_frame: int
    frame_rate_hz: float
    flags: tuple[str, ...]


def prepare_study(loop: Loop, drawn: Septum | None, config: PreprocessBlock) -> Study:
    """Find cycle, sector and septum of a loop, and the lines across it.

    Parameters
    ----------
    loop : Loop
        An apical four-chamber loop with known frame times and pixel size.
    drawn : Septum or None
        As a person drew it; where nobody did, it is looked for in the pictures.
    config : PreprocessBlock
        Points of the tangent, reach, shifts.

    Raises
    ------
    DataError
        No pixel size, too few frames, no cycle, no septum, or a septum outside the sector.
    """
    loop = with_drawn_r_peaks(loop)
    if loop.mm_per_pixel is None:
        raise DataError(
            f"{loop.name}: expected the distance of pixels, found none in the file; state "
            "mm_per_pixel in the JSON beside it"
        )
    cycle = find_cycle(loop)
    volume = cut_cycle(loop, cycle, loop.mm_per_pixel)
    sector = sector_hull(volume.frames, loop.region)
    ed_frame = int(np.abs(volume.times_ms).argmin())
    if drawn is not None:
        require_inside(drawn, sector, loop.name)
        septum, drawn_when = drawn, _drawn_elsewhen(drawn, loop, cycle)
    elif config.find_septum:
        septum = find_septum(volume.frames, loop.mm_per_pixel, sector, ed_frame)
        drawn_when = (FOUND,)
    else:
        raise DataError(
            f"{loop.name}: expected the septum's JSON, found none; name it in path_septum, lay it "
            "beside the loop, or set preprocess.find_septum=true"
        )
    lines, seen = _lines(volume, septum, sector, config)
    unjudged = withheld(cycle.flags)
    flags = (*loop.flags, *cycle.flags, *drawn_when, *septum.flags, *seen, *unjudged)
    return Study(volume, cycle, sector, septum, lines, ed_frame, loop.frame_rate_hz, tuple(flags))


def _drawn_elsewhen(septum: Septum, loop: Loop, cycle: Cycle) -> tuple[str, ...]:
    """Return a flag where a septum was drawn far from the R peak: the wall is elsewhere then."""
    if septum.frame is None:
        return ()
    if septum.frame >= loop.n_frames:
        raise DataError(
            f"{loop.name}: expected a frame of the loop, 0 to {loop.n_frames - 1}, found "
            f"{septum.frame}; is it the septum of another loop?"
        )
    if cycle.from_motion:
        return ()
    since_r = (loop.frame_times_ms[septum.frame] - cycle.start_ms) % cycle.rr_ms
    return (ELSEWHEN,) if min(since_r, cycle.rr_ms - since_r) > END_DIASTOLE_MS else ()


def _lines(
    volume: CycleVolume, septum: Septum, sector: NDArray[np.bool_], config: PreprocessBlock
) -> tuple[dict[int, ScanLine], tuple[str, ...]]:
    """Return the lines by shift, and what the view is flagged for."""
    points, spacing = septum.points_px, volume.mm_per_pixel
    if config.first_point >= config.last_point:
        raise DataError(
            f"preprocess: expected first_point below last_point, found {config.first_point} and "
            f"{config.last_point}; set them"
        )

    def across(*, lv_left: bool) -> ScanLine:
        return scan_line(
            points,
            spacing,
            sector,
            first_point=config.first_point,
            last_point=config.last_point,
            rv_mm=config.rv_mm,
            lv_left=lv_left,
        )

    line = across(lv_left=False)
    against, flags = side_of_lv(volume.frames.mean(axis=0), points, line, spacing)
    if against:
        line = across(lv_left=True)
    centre = centre_index(config.first_point, config.last_point)
    return shifted_lines(line, points, centre, config.max_shift), flags
