"""What a loop tells of the heart's motion without a model: its cycle, and the mitral plane."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_ultrasound import (
    FROM_MOTION,
    SURE,
    VIEW_TITLES,
    Beats,
    Loop,
    MitralPlane,
    PlacedSeptum,
    ViewSeen,
    as_deep_as_usual,
    cut_cycle,
    find_beats,
    follow_mitral_plane,
    nameless,
    place_septum,
)

A4C = "a4c"
SLOW = "no heart beats as the video plays: its times are the video's, and no rate is given"
FEW_PEAKS = "cycle found in the motion: no two R peaks that were found are a beat apart"
_CYCLE, _PLANE = "cycle", "mitral plane excursion"
_STATE_IT, _OTHERWISE = "--facts states it", "--facts states another"
_SEEN_FOR_SURE, _CONTRADICTED, _FITS = 0.95, 0.3, 0.7

HEART = (
    ("cycle_ms", "ms", "Cardiac cycle"),
    ("mitral_excursion_mm", "mm", "Mitral plane excursion at the septum"),
    ("mitral_excursion_pct", "%", "Mitral plane excursion at the septum, of the septum's length"),
    ("mitral_rise_ms", "ms", "Rise of the mitral plane from its lowest place to its highest"),
    ("septum_confidence", "1", "Confidence in the septum line that was found, 0 to 1"),
)
"""Names, units and titles of what is measured."""


@dataclass(frozen=True, eq=False)
class Mechanics:
    """The heart's motion; NaN where it is withheld, and a flag says why.

    Attributes
    ----------
    cycle_ms : float
        Median of the beats that are measured.
    mitral_excursion_mm, mitral_excursion_pct, mitral_rise_ms : float
        Medians over these beats: of the septal end of the mitral ring along the septum, in mm, of
        the septum's length, and the time that it takes from its lowest place to its highest: where
        beats begin at R peaks, for a cycle found in the motion may begin in systole.
    septum_confidence : float
        What all checks of the line come to.
    flags : tuple of str
        What is withheld and why, and what a reader should know of the rest.
    rate_bpm : float
        Of the cycle; NaN where the times are not the patient's.
    slow : bool
        Whether no heart beats as slowly as the video plays.
    septum_px : ndarray, shape (62, 2), or None
        (row, column) of the line, base to apex; None where none was looked for, or found.
    septum_mm : float
        Its length in the millimetres of the plane's course.
    plane : MitralPlane or None
        The course of the ring; None where it was not followed, or is not trusted.
    """

    cycle_ms: float = float("nan")
    mitral_excursion_mm: float = float("nan")
    mitral_excursion_pct: float = float("nan")
    mitral_rise_ms: float = float("nan")
    septum_confidence: float = float("nan")
    flags: tuple[str, ...] = ()
    rate_bpm: float = float("nan")
    slow: bool = False
    septum_px: NDArray[np.float64] | None = None
    septum_mm: float = float("nan")
    plane: MitralPlane | None = None


def mechanics_of(
    loop: Loop, sector: NDArray[np.bool_], seen: ViewSeen, stated: str = ""
) -> Mechanics:
    """Measure what can be measured of a loop without labels.

    Parameters
    ----------
    loop : Loop
        With its frame times and, where known, R peaks and the size of a pixel.
    sector : ndarray of bool, shape (n_rows, n_columns)
        Where the picture is.
    seen : ViewSeen
        What the view gate says.
    stated : str
        The view as a person names it; empty where nobody does.

    Notes
    -----
    Areas of the left ventricle and their fractional change are not measured: a search for both
    walls beside the septum's line made the change several points too small on phantoms, and lost
    the trabeculated lateral wall of a real loop from frame to frame. The ejection time needs the
    aortic valve, which these views do not show. On phantoms the excursion is about 2 mm too small;
    three of forty were off by 8 to 13 mm, where the line lay on the lateral wall or ended in the
    atrium (`test_echo_mechanics`): look at the sheet.
    """
    what = f"{_CYCLE} and {_PLANE}"
    if not seen.known and not stated:  # it may be no heart at all
        return Mechanics(flags=(_withheld(what, f"{seen.sentence} ({_STATE_IT})"),))
    try:
        beats = find_beats(loop)
    except DataError as error:
        return Mechanics(flags=(_withheld(what, _reason(error, loop)),))
    cycle = beats.cycle
    cycle_ms = float(np.median([beat.rr_ms for beat in beats.measured]))
    slow = any(beat.slow for beat in beats.measured)
    how = FROM_MOTION if loop.r_times_ms is None else FEW_PEAKS
    flags = (how,) * cycle.from_motion + (SLOW,) * slow
    rate_bpm = float("nan") if slow else 60_000 / cycle_ms
    made = Mechanics(cycle_ms, flags=flags, rate_bpm=rate_bpm, slow=slow)
    why = _not_four_chamber(seen, stated)
    if why:
        return _without_plane(made, why)
    try:
        placed, plane = _followed(loop, sector, beats)
    except DataError as error:
        return _without_plane(made, _reason(error, loop))
    sure = seen.probability if seen.name == A4C else _CONTRADICTED
    trust = replace(
        placed.trust,
        view=1.0 if seen.name == A4C and sure >= _SEEN_FOR_SURE else sure,
        motion=float(np.clip(plane.fit / _FITS, 0.0, 1.0)),
    )
    counts = trust.without("view") if stated == A4C else trust.confidence
    steps = np.diff(placed.septum.points_px, axis=0) * np.asarray(placed.volume.mm_per_pixel)
    made = replace(
        made,
        septum_confidence=trust.confidence,
        septum_px=placed.septum.points_px,
        septum_mm=float(np.hypot(*steps.T).sum()),
    )
    if seen.name != A4C:
        made = replace(made, flags=(*made.flags, f"stated as {VIEW_TITLES[A4C]}, {seen.sentence}"))
    if counts < SURE:
        lowered = ", ".join(trust.lowered_by)
        why = f"septum line not trusted (confidence {counts:.2f}, limit {SURE:g}; {lowered})"
        return _without_plane(made, why)
    known = [plane.beat(beat.start_ms, beat.rr_ms) for beat in beats.measured]
    excursion, rise_ms = (
        float(np.median(values[np.isfinite(values)])) if np.isfinite(values).any() else float("nan")
        for values in np.array(known).T
    )
    return replace(
        made,
        mitral_excursion_mm=float("nan") if loop.mm_per_pixel is None else excursion,
        mitral_excursion_pct=100.0 * excursion / made.septum_mm,
        mitral_rise_ms=float("nan") if slow or cycle.from_motion else rise_ms,
        flags=(*made.flags, *placed.flags),
        plane=plane,
    )


def _followed(
    loop: Loop, sector: NDArray[np.bool_], beats: Beats
) -> tuple[PlacedSeptum, MitralPlane]:
    volume = cut_cycle(loop, beats.cycle, loop.mm_per_pixel or (1.0, 1.0))
    scales = (volume,) if loop.mm_per_pixel else as_deep_as_usual(volume, sector)
    placed = place_septum(scales, sector, int(np.abs(volume.times_ms).argmin()))
    begin = int(np.abs(loop.frame_times_ms - beats.cycle.start_ms).argmin())
    return placed, follow_mitral_plane(loop, placed, begin)


def _not_four_chamber(seen: ViewSeen, stated: str) -> str:
    """Return why a loop has no septum that could be followed; empty where it may have one."""
    if stated == A4C or (not stated and seen.name == A4C):
        return ""
    if stated:
        return (
            f"it needs an {VIEW_TITLES[A4C]} view, and {VIEW_TITLES.get(stated, stated)} is stated"
        )
    if seen.known:
        return f"it needs an {VIEW_TITLES[A4C]} view ({seen.sentence}, {_OTHERWISE})"
    return f"{seen.sentence} ({_STATE_IT})"


def _without_plane(made: Mechanics, why: str) -> Mechanics:
    return replace(made, flags=(*made.flags, _withheld(_PLANE, why)))


def _withheld(what: str, why: str) -> str:
    return f"{what} withheld: {why}"


def _reason(error: DataError, loop: Loop) -> str:
    """Return why a loop cannot be used; "; " stands between flags."""
    found, _, advice = nameless(str(error), Path(loop.name)).partition("; ")
    return f"{found} ({advice})" if advice else found
