"""From one loop to what an M-mode needs: cycle, sector, septum, scan lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_mmode_septal_flash.cycle.find_cycle import Beats, Cycle, cut_cycle, find_beats, withheld
from cardio_mmode_septal_flash.cycle.volume import CycleVolume
from cardio_mmode_septal_flash.flash.config import PreprocessBlock
from cardio_mmode_septal_flash.mmode.axis import ScanLine, centre_index, scan_line, shifted_lines
from cardio_mmode_septal_flash.mmode.side import LATERAL, side_of_lv
from cardio_mmode_septal_flash.mmode.view import judged_view
from cardio_mmode_septal_flash.septum.find_septum import SURE, find_septum
from cardio_mmode_septal_flash.septum.polyline import Septum, require_inside
from cardio_ultrasound import Loop, sector_hull, view_of, with_drawn_r_peaks

FOUND = "septum found in the pictures"
ELSEWHEN = "septum drawn at another moment than end-diastole"
DRAW_IT = "draw the septum and pass --septum"
END_DIASTOLE_MS = 80.0
"""A septum drawn within this of an R peak is at its end-diastolic place."""


@dataclass(frozen=True, eq=False)
class Study:
    """One loop, ready to be resliced.

    Attributes
    ----------
    loop : Loop
        With the R peaks that its beats stand on.
    beats : Beats
        Which of them are measured.
    volume : CycleVolume
        One of the beats: of the most usual length, or the one that the M-mode shows.
    cycle : Cycle
        Where in the loop that is.
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where the picture is.
    septum : Septum
        Drawn or found; one line for all beats.
    lines : dict of int to ScanLine
        By shift along the septum, 0 first.
    ed_frame : int
        Index into the volume's frames of the one next to the begin of the cycle.
    frame_rate_hz : float
        Of the loop.
    flags : tuple of str
        Of the loop, the beats, the septum and the view.
    no_verdict : tuple of str
        Why nobody can say whether there is a flash; empty where somebody can.
    why_not : str
        Why the septum's motion is not measured: another view, or a line that is not trusted. Empty
        where it is.
    view : str
        Which view was seen, by name; empty where nothing looked.
    """

    loop: Loop
    beats: Beats
    volume: CycleVolume
    cycle: Cycle
    sector: NDArray[np.bool_]
    septum: Septum
    lines: dict[int, ScanLine]
    ed_frame: int
    frame_rate_hz: float
    flags: tuple[str, ...]
    no_verdict: tuple[str, ...] = ()
    why_not: str = ""
    view: str = ""

    def showing(self, cycle: Cycle) -> Study:
        """Return the study with another of its beats as the one that is shown."""
        if cycle == self.cycle:
            return self
        volume = cut_cycle(self.loop, cycle, self.volume.mm_per_pixel)
        flags = self.flags
        if cycle.flags != self.cycle.flags:
            others = (flag for flag in flags if flag not in self.cycle.flags)
            flags = (*cycle.flags, *others)
        ed_frame = _next_to_begin(volume)
        return replace(self, volume=volume, cycle=cycle, ed_frame=ed_frame, flags=flags)


def prepare_study(
    loop: Loop, drawn: Septum | None, config: PreprocessBlock, *, view_said: bool = False
) -> Study:
    """Find view, beats, sector and septum of a loop, and the lines across it.

    Parameters
    ----------
    loop : Loop
        An apical four-chamber loop with known frame times and pixel size.
    drawn : Septum or None
        As a person drew it; where nobody did, it is looked for in the pictures.
    config : PreprocessBlock
        Points of the tangent, reach, shifts, and whether a person says the view.
    view_said : bool
        Whether a cohort table says it.

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
    beats = find_beats(loop)
    cycle = beats.cycle
    volume = cut_cycle(loop, cycle, loop.mm_per_pixel)
    sector = sector_hull(volume.frames, loop.region)
    # To contradict a person the hull will do; to go without one the sector is fitted.
    view_seen = view_of(loop, sector if view_said else None)
    view = judged_view(view_seen, said=view_said)
    ed_frame = _next_to_begin(volume)
    try:
        septum, about_septum = _septum(loop, volume, sector, ed_frame, cycle, drawn, config)
        lines, seen = _lines(volume, septum, sector, config)
    except DataError as error:
        # What another view lacks is no fault of the loop.
        reason = f"{loop.name}: {view.no_verdict[0]}" if view.no_measures else str(error)
        raise DataError(reason) from None
    doubts = _doubts(septum, seen)
    reasons = [*view.no_verdict, *(f"{why}: {DRAW_IT}" for why in doubts)]
    seen = tuple(flag for flag in (*septum.flags, *seen) if flag not in (LATERAL, *doubts))
    flags = (*loop.flags, *cycle.flags, *beats.flags, *view.flags, *about_septum, *seen)
    return Study(
        loop, beats, volume, cycle, sector, septum, lines, ed_frame, loop.frame_rate_hz,
        flags,
        no_verdict=withheld((*cycle.flags, *beats.flags), reasons),
        why_not=", and ".join(reasons) if doubts or view.no_measures else "",
        view=view_seen.name if view_seen.checked else "",
    )  # fmt: skip


def _septum(
    loop: Loop,
    volume: CycleVolume,
    sector: NDArray[np.bool_],
    ed_frame: int,
    cycle: Cycle,
    drawn: Septum | None,
    config: PreprocessBlock,
) -> tuple[Septum, tuple[str, ...]]:
    """Return the septum that a person drew, or else finds it; and a flag that says so."""
    if drawn is not None:
        require_inside(drawn, sector, loop.name)
        return drawn, _drawn_elsewhen(drawn, loop, cycle)
    if not config.find_septum:
        raise DataError(
            f"{loop.name}: expected the septum's JSON, found none; name it in path_septum, lay it "
            "beside the loop, or set preprocess.find_septum=true"
        )
    found = find_septum(volume.frames, volume.mm_per_pixel, sector, ed_frame)
    return found, (f"{FOUND} (confidence {found.confidence:.2f})",)


def _doubts(septum: Septum, seen: tuple[str, ...]) -> tuple[str, ...]:
    """Return why a septum that was found is not trusted; one that a person drew is."""
    if septum.confidence is None:
        return ()
    if septum.confidence < SURE:
        return septum.flags
    return (f"septum line not trusted ({LATERAL})",) if LATERAL in seen else ()


def _next_to_begin(volume: CycleVolume) -> int:
    return int(np.abs(volume.times_ms).argmin())


def _drawn_elsewhen(septum: Septum, loop: Loop, cycle: Cycle) -> tuple[str, ...]:
    """Return a flag where a septum was drawn far from any R peak: the wall is elsewhere then."""
    if septum.frame is None:
        return ()
    if septum.frame >= loop.n_frames:
        raise DataError(
            f"{loop.name}: expected a frame of the loop, 0 to {loop.n_frames - 1}, found "
            f"{septum.frame}; is it the septum of another loop?"
        )
    if cycle.from_motion or loop.r_times_ms is None:
        return ()
    from_r = np.abs(loop.r_times_ms - loop.frame_times_ms[septum.frame])
    return (ELSEWHEN,) if float(from_r.min()) > END_DIASTOLE_MS else ()


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
