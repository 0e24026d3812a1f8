"""Which CMR belongs to which echocardiogram: the nearest, and at most so many days away."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cardio_core.api import DataError
from cardio_echo_cmr.studies.study import EchoStudy

NEARER = "another CMR is nearer to this echo"
UNDATED = "days between echo and CMR unknown"


@dataclass(frozen=True)
class Paired:
    """Studies whose CMR may speak for their echo, and why the others' may not.

    Attributes
    ----------
    kept : tuple of EchoStudy
        In the order given.
    left_out : dict of str to tuple of str
        Recordings by reason. Of an echo that stands in several rows they are counted once for
        each row that is left out.
    notes : tuple of str
        What the table leaves open.
    """

    kept: tuple[EchoStudy, ...]
    left_out: dict[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


def pair_with_cmr(studies: Sequence[EchoStudy], max_days: int) -> Paired:
    """Keep for every echo the nearest CMR, if it is near enough.

    Rows of one person that name the same echo files pair one echo with several CMRs: the one with
    the fewest days between counts, before or after alike, and of two at equal distance the first
    row. It must lie within `max_days`, itself included. A table without `days_echo_to_cmr` is
    taken at its word that its pairs are pairs, and a note says so.

    Parameters
    ----------
    studies : sequence of EchoStudy
        Rows of the cohort table.
    max_days : int
        30 in the paper.

    Raises
    ------
    DataError
        Rows of one person share some of their clips only: nothing tells whether they are one echo.

    Examples
    --------
    >>> from pathlib import Path
    >>> from cardio_echo_cmr.studies.study import Clip, EchoStudy
    >>> echo = (Clip(Path("a.dcm"), "a4c"),)
    >>> rows = [EchoStudy(name, "P1", echo, days_to_cmr=days) for name, days in
    ...         (("first", 12.0), ("second", -3.0))]
    >>> paired = pair_with_cmr(rows, 30)
    >>> [study.study_id for study in paired.kept], paired.left_out
    (['second'], {'another CMR is nearer to this echo': ('first',)})
    """
    owners: dict[tuple[str, str], EchoStudy] = {}
    nearest: set[str] = set()
    for study in sorted(studies, key=_distance):
        files = _files(study)
        of_others = [owners[file] for file in sorted(files & owners.keys())]
        for other in of_others:
            _require_same_clips(study, other)
        if not of_others:
            nearest.add(study.study_id)
            owners |= dict.fromkeys(files, study)
    far = f"more than {max_days} days between echo and CMR"
    reasons: dict[str, list[str]] = {}
    kept = []
    for study in studies:
        reason = _reason(study, max_days, far, is_nearest=study.study_id in nearest)
        if reason:
            reasons.setdefault(reason, []).extend(study.recording_ids)
        else:
            kept.append(study)
    return Paired(
        tuple(kept),
        {why: tuple(reasons[why]) for why in (NEARER, UNDATED, far) if why in reasons},
        _undated_notes(studies),
    )


def one_row_an_echo(studies: Sequence[EchoStudy]) -> Paired:
    """Keep every echo once, whatever its CMR: for what the echo alone tells, its view.

    Returns
    -------
    Paired
        Kept is the row that `pair_with_cmr` would keep, so that tasks agree on ids.
    """
    everyone = pair_with_cmr(studies, max_days=0)
    again = set(everyone.left_out.get(NEARER, ()))
    kept = tuple(study for study in studies if not again & set(study.recording_ids))
    return Paired(kept, {NEARER: tuple(everyone.left_out[NEARER])} if again else {})


def _files(study: EchoStudy) -> set[tuple[str, str]]:
    return {(study.person, str(clip.path)) for clip in study.clips}


def _require_same_clips(one: EchoStudy, other: EchoStudy) -> None:
    mine, theirs = _files(one), _files(other)
    if mine != theirs:
        first, second = sorted((one.study_id, other.study_id))
        raise DataError(
            f"studies {first!r} and {second!r}: expected rows of one person to name the same clips "
            f"or none in common, found that they share {len(mine & theirs)} of "
            f"{len(mine | theirs)} clips; give both rows the same clips, or each its own"
        )


def _distance(study: EchoStudy) -> float:
    days = study.days_to_cmr
    return math.inf if days is None or math.isnan(days) else abs(days)


def _reason(study: EchoStudy, max_days: int, far: str, *, is_nearest: bool) -> str | None:
    if not is_nearest:
        return NEARER
    if study.days_to_cmr is None:
        return None
    if math.isnan(study.days_to_cmr):
        return UNDATED
    return far if abs(study.days_to_cmr) > max_days else None


def _undated_notes(studies: Sequence[EchoStudy]) -> tuple[str, ...]:
    n = sum(study.days_to_cmr is None for study in studies)
    if not n:
        return ()
    return (
        f"{n} of {len(studies)} studies: the table has no column days_echo_to_cmr, so that their "
        "distance from the CMR is not checked.",
    )
