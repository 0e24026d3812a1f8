"""Whether the gating can be trusted, and what lost beats took from the late slots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError
from cardio_spect_polar.phase.sampling.count_jumps import LARGEST, CountJump, find_jump
from cardio_spect_polar.phase.ventricle.wall import WallGeometry
from cardio_spect_polar.readers.flag import Flag
from cardio_spect_polar.readers.gated import MAX_DROP_OFF, MAX_REJECTED

MIN_SLOTS = 6
"""Readers take 8 unasked; fewer than 6 leave no residual from which noise can be told."""

USUAL_SLOTS = (8, 16)
DROP_OFF = 0.98
EARLY = 4
"""The first quarter of the cycle is the reference: like the last slots it is end-diastolic."""

VOI_MARGIN_MM = 15.0


@dataclass(frozen=True)
class GatingReport:
    """Quality of the gating.

    Attributes
    ----------
    drop_off : float
        Counts of the last slot / mean of all but the last two; 1 where no beats are lost.
    corrected : bool
        Whether slots were rescaled.
    scale : ndarray, shape (n_slots,)
        Factors that were applied; ones where nothing was corrected.
    failures : tuple of str
        Why the gating cannot be trusted; empty where it can.
    flags : tuple of Flag
        What the report should say.
    jump : CountJump or None
        Counts that jump between neighbouring gates; its `scale` is applied where it can be.
    """

    drop_off: float
    corrected: bool
    scale: NDArray[np.float64]
    failures: tuple[str, ...]
    flags: tuple[Flag, ...]
    jump: CountJump | None = None


def check_slots(counts: NDArray[np.floating]) -> None:
    """Refuse a study with too few or empty time slots.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.

    Raises
    ------
    DataError
        With the slots concerned.
    """
    n_slots = len(counts)
    if n_slots < MIN_SLOTS:
        raise DataError(
            f"expected at least {MIN_SLOTS} time slots, found {n_slots}: phases of fewer are not "
            "reliable; rebin the study to 8 or 16"
        )
    empty = np.flatnonzero(np.abs(counts).reshape(n_slots, -1).max(axis=1) == 0)
    if len(empty):
        which = ", ".join(str(i + 1) for i in empty)
        raise DataError(
            f"expected counts in every time slot, found none in slot {which} of {n_slots}: "
            "export the study again"
        )


def heart_box(
    shape: tuple[int, ...], voxel_mm: tuple[float, float, float], geometry: WallGeometry
) -> tuple[slice, slice, slice]:
    """Return the box that holds the wall and the 15 mm around its middle, within the stack."""
    points = geometry.points_mm.reshape(-1, 3)
    low = np.floor((points.min(axis=0) - VOI_MARGIN_MM) / np.array(voxel_mm)).astype(int)
    high = np.ceil((points.max(axis=0) + VOI_MARGIN_MM) / np.array(voxel_mm)).astype(int) + 1
    z, y, x = (
        slice(max(int(lo), 0), min(int(hi), n)) for lo, hi, n in zip(low, high, shape, strict=True)
    )
    return z, y, x


def check_gating(
    counts: NDArray[np.floating],
    *,
    box: tuple[slice, slice, slice] | None = None,
    rejected_share: float | None = None,
    correct: bool = True,
    max_drop_off: float = MAX_DROP_OFF,
    max_rejected: float = MAX_REJECTED,
    whole: bool = True,
) -> tuple[NDArray[np.float32], GatingReport]:
    """Judge the gating, and undo the loss of counts in late slots.

    Where beats end early, the last slots collect fewer counts; that looks like thinning of the
    whole wall at the end of the cycle and draws all phases together: 5 % lost in the last of
    eight slots shrink a spread of 72 degrees to 52, 10 % to 40. The wall keeps its activity, so
    slots of the second half that hold 2 % less than the first quarter are scaled up to it. Slots
    are not all scaled to their mean: the heart's counts fall by 2 % in systole as blood leaves,
    and evening that out draws every sample towards the ventricle's own phase (it cost one degree
    of the phase standard deviation of the digital ventricle).

    Counts that jump from gate to gate do the same to phases. Where neighbours differ by more than
    a heart's counts do (see `find_jump`), every gate is scaled to the counts that a heart has.

    Parameters
    ----------
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Counts per voxel.
    box : tuple of slice, optional
        Where the heart is, see `heart_box`; the whole stack by default.
    rejected_share : float, optional
        Rejected / all beats.
    correct : bool
        Whether to correct a drop-off of 2 % or more, and jumps.
    max_drop_off, max_rejected : float
        The largest share of its counts that the last gate may have lost, and of beats that were
        rejected, before the gating fails; between the usual limit and a higher one it is flagged.
    whole : bool
        Whether the box holds the whole heart in every gate; jumps are looked for only then,
        because a heart that moves in and out of the box changes its counts.

    Returns
    -------
    counts : ndarray of float32
        Corrected, or as they came.
    report : GatingReport

    Raises
    ------
    DataError
        If there are too few slots, or one is empty.

    References
    ----------
    Kortelainen MJ et al. Effect of respiratory and cardiac gating on myocardial perfusion SPECT:
    count drop-off. J Nucl Cardiol 2019.

    Examples
    --------
    >>> import numpy as np
    >>> lossy = np.ones((8, 2, 2, 2))
    >>> lossy[-1] = 0.9
    >>> corrected, report = check_gating(lossy)
    >>> round(report.drop_off, 3), report.corrected, bool(np.ptp(corrected) < 1e-6)
    (0.9, True, True)
    """
    check_slots(counts)
    n_slots = len(counts)
    region = counts if box is None else counts[(slice(None), *box)]
    slot_counts = region.reshape(n_slots, -1).sum(axis=1, dtype=np.float64)
    if slot_counts.min() <= 0:
        raise DataError(
            "expected positive counts of the heart in every time slot, found "
            f"{slot_counts.min():.3g} in slot {int(slot_counts.argmin()) + 1}: export the study "
            "again, without subtracting a background"
        )
    drop_off = float(slot_counts[-1] / slot_counts[:-2].mean())
    flags = []
    if n_slots not in USUAL_SLOTS:
        flags.append(Flag(f"{n_slots} time slots, where 8 or 16 are usual"))
    jump = find_jump(slot_counts) if whole else None
    wanted = np.ones(n_slots)
    if jump is not None:
        wanted = jump.scale
        flags.append(_jump_flag(jump, correct))
    else:
        early = slot_counts[: n_slots // EARLY].mean()
        late = np.arange(n_slots) >= n_slots // 2
        short = late & (slot_counts < DROP_OFF * early)
        wanted[short] = early / slot_counts[short]
        if short.any():
            flags.append(_loss_flag(1 / wanted.max(), correct))
    failures, allowed = _failures(drop_off, rejected_share, max_drop_off, max_rejected)
    flags += allowed
    scale = wanted if correct else np.ones(n_slots)
    changed = bool((scale != 1).any())
    corrected = np.asarray(counts, dtype=np.float32)
    if changed:
        corrected = corrected * scale.astype(np.float32)[:, None, None, None]
    return corrected, GatingReport(
        drop_off=drop_off,
        corrected=changed,
        scale=scale,
        failures=failures,
        flags=tuple(flags),
        jump=jump,
    )


def _loss_flag(least: float, correct: bool) -> Flag:
    told = f"beats that ended early left {least:.0%} of the counts in late slots"
    if correct:
        return Flag(f"{told}, which were rescaled: phases are as without the loss")
    return Flag(
        f"{told}, which were left as they are: this draws the phases of all walls together",
        "caution",
    )


def _jump_flag(jump: CountJump, correct: bool) -> Flag:
    told = (
        f"the heart's counts jump between gates ({jump.low:.0%} to {jump.high:.0%} of their mean)"
    )
    if jump.halves:
        return Flag(
            f"{told}, one half of the gates against the other, as if gates of two acquisitions "
            "were put together: the phases and volumes are of no one heart beat",
            "no verdict",
        )
    if jump.high > LARGEST * jump.low:
        return Flag(
            f"{told}, more than can be undone: gates are damaged or of different acquisitions",
            "no verdict",
        )
    if not correct:
        return Flag(
            f"{told} and were left as they are (correct_drop_off is off): this draws the phases "
            "of all walls together and changes the ejection fraction",
            "no verdict",
        )
    return Flag(
        f"{told}: each gate was scaled to the counts that a heart has, without which phases are "
        "drawn together",
        "caution",
    )


def _failures(
    drop_off: float, rejected_share: float | None, max_drop_off: float, max_rejected: float
) -> tuple[tuple[str, ...], list[Flag]]:
    """Return why the gating fails, and what is flagged because it was allowed."""
    failures, allowed = [], []
    if drop_off < 1 - max_drop_off:
        least = max(np.ceil(100 * (1 - drop_off)) / 100, 0.0)
        failures.append(
            f"the last slot holds {drop_off:.0%} of the counts of the early ones (at least "
            f"{1 - max_drop_off:.0%}, or allow it with --max-drop-off {least:.2f})"
        )
    elif drop_off < 1 - MAX_DROP_OFF:
        allowed.append(
            Flag(
                f"the last slot holds {drop_off:.0%} of the counts of the early ones, which was "
                "allowed: few beats are as long, and late diastole is known from those alone",
                "caution",
            )
        )
    if rejected_share is not None and rejected_share > max_rejected:
        least = np.ceil(100 * rejected_share) / 100
        failures.append(
            f"{rejected_share:.0%} of the beats were rejected (at most {max_rejected:.0%}, or "
            f"allow it with --max-rejected {least:.2f})"
        )
    elif rejected_share is not None and rejected_share > MAX_REJECTED:
        allowed.append(
            Flag(
                f"{rejected_share:.0%} of the beats were rejected, which was allowed: the rhythm "
                "was irregular, and phases are those of the beats that were kept",
                "caution",
            )
        )
    return tuple(failures), allowed
