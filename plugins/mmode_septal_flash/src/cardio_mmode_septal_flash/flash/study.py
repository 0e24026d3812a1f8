"""From one loop to what an M-mode needs: cycle, sector, septum, scan lines."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_mmode_septal_flash.flash.config import PreprocessBlock
from cardio_mmode_septal_flash.flash.models import A4C
from cardio_ultrasound import (
    FROM_MOTION,
    LATERAL,
    NO_USUAL,
    SURE,
    TOO_LOW,
    VIEW_TITLES,
    Beats,
    Cycle,
    CycleVolume,
    Loop,
    ScanLine,
    Septum,
    Trust,
    ViewSeen,
    as_deep_as_usual,
    centre_index,
    cut_cycle,
    find_beats,
    place_septum,
    require_inside,
    scan_line,
    sector_hull,
    sector_mask,
    shifted_lines,
    side_of_lv,
    view_of,
    with_drawn_r_peaks,
)

FOUND = "septum found in the pictures"
ELSEWHEN = "septum drawn at another moment than end-diastole"
DRAW_IT = "draw the septum and pass --septum"
UNSCALED = "size of a pixel not known (--mm-per-pixel states it): no length is in mm"
END_DIASTOLE_MS = 80.0
"""A septum drawn within this of an R peak is at its end-diastolic place."""


_SURE, _VIEW_UNKNOWN, _LIKELY_ANOTHER, _CONTRADICTED = 0.95, 0.75, 0.5, 0.3
SAY_SO = "if the sheet shows an apical four-chamber view, pass --view a4c"


@dataclass(frozen=True)
class JudgedView:
    """What a view means for a loop.

    Attributes
    ----------
    flags : tuple of str
        What a reader of the results should know.
    no_verdict : tuple of str
        Why there is no verdict on a flash.
    no_measures : bool
        Whether nothing is measured either: in another view the numbers are of something else.
    trust : float
        0 to 1: how far the view speaks for a line on the septum of a four-chamber view.
    """

    flags: tuple[str, ...] = ()
    no_verdict: tuple[str, ...] = ()
    no_measures: bool = False
    trust: float = 1.0


def judged_view(seen: ViewSeen, *, stated: bool) -> JudgedView:
    """Return what the view that was seen means.

    Another view withholds the measurements and the verdict. An unknown one withholds the verdict
    alone: the numbers stand next to a sheet on which a person can see whether the line lies on the
    septum, an automatic answer does not. If another view is likelier, a line that is not clear in
    every other respect is not trusted. Where a person says another view than is seen, the
    loop is measured, for a person looks at more than a small network does, and gets no verdict.

    Parameters
    ----------
    seen : ViewSeen
        By `cardio_ultrasound.view_of`.
    stated : bool
        Whether a person says that it is the apical four-chamber view.

    Examples
    --------
    >>> from cardio_ultrasound import ViewSeen
    >>> judged_view(ViewSeen("a4c", 0.97, ""), stated=False)
    JudgedView(flags=(), no_verdict=(), no_measures=False, trust=1.0)
    >>> judged_view(ViewSeen("a2c", 0.97, ""), stated=False).no_verdict[0]
    'apical two-chamber view (0.97), not four-chamber: septal flash is not defined here'
    """
    if seen.name == A4C:
        sure = 1.0 if seen.probability >= _SURE else seen.probability
        return JudgedView(trust=sure)
    if not seen.known:
        if stated:
            return JudgedView(
                (f"{seen.sentence}, stated as {VIEW_TITLES[A4C]}",), trust=_VIEW_UNKNOWN
            )
        trust = _VIEW_UNKNOWN if seen.likeliest in ("", A4C) else _LIKELY_ANOTHER
        return JudgedView((), (f"{seen.sentence} ({SAY_SO})",), trust=trust)
    title = VIEW_TITLES[seen.name]
    other = f"{title if 'view' in title else title + ' view'} ({seen.probability:.2f})"
    if stated:
        why = f"looks like {other}, and is stated as {VIEW_TITLES[A4C]}"
        return JudgedView((), (why,), trust=_CONTRADICTED)
    why = f"{other}, not four-chamber: septal flash is not defined here"
    return JudgedView((), (why,), no_measures=True, trust=_CONTRADICTED)


UNJUDGED = {
    TOO_LOW: TOO_LOW,
    FROM_MOTION: "no beat lies between two R peaks: the cycle is found in the motion, its times "
    "are unknown (--rpeaks takes them)",
    NO_USUAL: NO_USUAL,
}
"""Flags with which nobody can say whether there is a flash, and why."""


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
    trust : Trust or None
        What speaks for a septum that was found; None where a person drew it.
    view_stated : bool
        Whether a person says the view.
    scaled : bool
        Whether the size of a pixel is known; else mm are those of a sector of usual depth, and go
        nowhere.
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
    trust: Trust | None = None
    view_stated: bool = False
    scaled: bool = True

    @property
    def septum_mm(self) -> float:
        """Length of the septum's line, in mm where they are known."""
        steps = np.diff(self.septum.points_px, axis=0) * np.asarray(self.volume.mm_per_pixel)
        return float(np.hypot(*steps.T).sum())

    @property
    def all_flags(self) -> tuple[str, ...]:
        """The flags, and of a septum that was found in the pictures how far it is trusted."""
        if self.trust is None:
            return self.flags
        lowered = (
            f", lowered by {', '.join(self.trust.lowered_by)}" if self.trust.lowered_by else ""
        )
        return (*self.flags, f"{FOUND} (confidence {self.trust.confidence:.2f}{lowered})")

    def judged(self, motion: float = 1.0) -> Study:
        """Return the study with what the trust in its line, and in its motion, withholds."""
        if self.trust is None:
            return self
        trust = replace(self.trust, motion=motion)
        counts = trust.without("view") if self.view_stated else trust.confidence
        why, no_verdict = self.why_not, self.no_verdict
        if counts < SURE and not why:
            doubt = f"septum line not trusted (confidence {counts:.2f}, limit {SURE:g})"
            why = f"{doubt}: {DRAW_IT}"
            no_verdict = (*no_verdict, why)
        septum = replace(self.septum, confidence=trust.confidence)
        return replace(self, septum=septum, trust=trust, why_not=why, no_verdict=no_verdict)

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
    loop: Loop,
    drawn: Septum | None,
    config: PreprocessBlock,
    *,
    view_stated: bool = False,
    unscaled: bool = False,
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
    view_stated : bool
        Whether a person says it.
    unscaled : bool
        Whether a loop without a pixel size is taken, too: the septum is looked for as if its sector
        were as deep as is usual, and no length is in mm.

    Raises
    ------
    DataError
        No pixel size, too few frames, no cycle, no septum, or a septum outside the sector.
    """
    loop = with_drawn_r_peaks(loop)
    if loop.mm_per_pixel is None and not unscaled:
        raise DataError(
            f"{loop.name}: expected the distance of pixels, found none in the file; state "
            "mm_per_pixel in its JSON"
        )
    beats = find_beats(loop)
    cycle = beats.cycle
    volume = cut_cycle(loop, cycle, loop.mm_per_pixel or (1.0, 1.0))
    sector = _sector_of(loop, volume)
    # To contradict a person the hull will do; to go without one the sector is fitted.
    view_seen = view_of(loop, sector if view_stated else None)
    view = judged_view(view_seen, stated=view_stated)
    ed_frame = _next_to_begin(volume)
    scales = (volume,) if loop.mm_per_pixel else as_deep_as_usual(volume, sector)
    try:
        if drawn is not None:
            require_inside(drawn, sector, loop.name)
            placed = _placed(scales[0], drawn, sector, config)
            about_septum = _drawn_elsewhen(drawn, loop, cycle)
        elif not config.find_septum:
            raise DataError(
                f"{loop.name}: expected the septum's JSON, found none; name it in path_septum, lay "
                "it next to the loop, or set preprocess.find_septum=true"
            )
        else:
            ends = {"first_point": config.first_point, "last_point": config.last_point}
            found = place_septum(scales, sector, ed_frame, **ends, rv_mm=config.rv_mm)
            mm = found.volume.mm_per_pixel
            lines = _lines(found.septum.points_px, mm, sector, config, lv_left=found.mirrored)
            placed = _Placed(found.septum, found.volume, lines, found.flags, found.trust)
            about_septum = ()
    except DataError as error:
        # What another view lacks is no fault of the loop.
        another = "; ".join((*view.no_verdict, "choose a four-chamber loop"))
        raise DataError(f"{loop.name}: {another}" if view.no_measures else str(error)) from None
    cautions = [LATERAL] * (drawn is not None and LATERAL in placed.flags)
    trust = None if placed.trust is None else replace(placed.trust, view=view.trust)
    study = Study(
        loop, beats, placed.volume, cycle, sector, placed.septum, placed.lines, ed_frame,
        loop.frame_rate_hz,
        (*loop.flags, *cycle.flags, *beats.flags, *view.flags, *about_septum,
         *(flag for flag in placed.flags if flag != LATERAL), *cautions),
        no_verdict=tuple(dict.fromkeys((
            *(why for flag, why in UNJUDGED.items() if flag in (*cycle.flags, *beats.flags)),
            *_unmeasurable(loop), *view.no_verdict, *cautions,
        ))),
        why_not=", and ".join(view.no_verdict) if view.no_measures else "",
        view=view_seen.name,
        trust=trust,
        view_stated=view_stated,
        scaled=loop.mm_per_pixel is not None,
    )  # fmt: skip
    return study.judged()


def _sector_of(loop: Loop, volume: CycleVolume) -> NDArray[np.bool_]:
    """Return where the picture is; of a screen without a region, on which names stand, the fan."""
    if loop.region is None and loop.sector is None:
        with suppress(DataError):  # no clear fan: what is bright, then
            return sector_mask(loop)[0]
    return sector_hull(volume.frames, loop.region)


def _unmeasurable(loop: Loop) -> list[str]:
    """Return why a loop that can be measured cannot be judged."""
    reasons = [
        "frame times are not known to be those of the acquisition (--frame-rate states them)"
    ]
    reasons = reasons if loop.time_source == "unconfirmed" else []
    return reasons + [UNSCALED] * (loop.mm_per_pixel is None)


@dataclass(frozen=True, eq=False)
class _Placed:
    """A septum with the lines across it, in pixels of one size; and what speaks for it."""

    septum: Septum
    volume: CycleVolume
    lines: dict[int, ScanLine]
    flags: tuple[str, ...]
    trust: Trust | None = None


def _placed(
    volume: CycleVolume, septum: Septum, sector: NDArray[np.bool_], config: PreprocessBlock
) -> _Placed:
    """Lay the lines across a septum that a person drew; the picture tells its side."""
    lines = _lines(septum.points_px, volume.mm_per_pixel, sector, config)
    against, flags = side_of_lv(
        volume.frames.mean(axis=0), septum.points_px, lines[0], volume.mm_per_pixel
    )
    if against:
        lines = _lines(septum.points_px, volume.mm_per_pixel, sector, config, lv_left=True)
    return _Placed(septum, volume, lines, (*septum.flags, *flags))


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
    points_px: NDArray[np.floating], mm_per_pixel: tuple[float, float],
    sector: NDArray[np.bool_], config: PreprocessBlock, *, lv_left: bool = False,
) -> dict[int, ScanLine]:  # fmt: skip
    """Return the lines across a septum by shift."""
    if config.first_point >= config.last_point:
        raise DataError(
            f"preprocess: expected first_point below last_point, found {config.first_point} and "
            f"{config.last_point}; set them"
        )
    line = scan_line(
        points_px,
        mm_per_pixel,
        sector,
        first_point=config.first_point,
        last_point=config.last_point,
        rv_mm=config.rv_mm,
        lv_left=lv_left,
    )
    centre = centre_index(config.first_point, config.last_point)
    return shifted_lines(line, points_px, centre, config.max_shift)
