"""What every gated stack must have, whatever its format."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError

MAX_VALUES = 64_000_000
"""Most voxels that are decoded, of all frames: 16 slots of 128³ make 34 million."""

MIN_SLOTS = 8
"""Fewest time slots that are read unasked: eight are the clinical standard."""

FEWEST_SLOTS = 6
"""Fewest that can be asked for (methods page, 3.1, step 1)."""

MIN_SLICES = 5
"""A ventricle of 70 mm does not fit into fewer, even of 12 mm."""

MIN_PIXELS = 8
"""Fewest rows or columns in which a ring can be told from a spot."""

VOXEL_RANGE_MM = (1.5, 20.0)
"""Distances of voxels that gated SPECT has, limits included."""

LOST_FRAME_SHARE = 0.1
"""An empty frame is lost, not outside the heart, if its slice has this share of the counts of the
fullest slice in the other time slots."""

END_SHARE = 1 / 3
"""Up to so many of the filled slices may be empty at either end of the stack, as reformatting
leaves them; more are lost frames."""

_AGAIN = "export the study again"


def require_size(name: str, n_frames: int, n_rows: int, n_columns: int) -> None:
    """Refuse a claim of nothing, or of more than may be decoded, before anything is.

    Raises
    ------
    DataError
        No frame, row or column; more than `MAX_VALUES` voxels.
    """
    claimed = f"{n_frames} frames of {n_rows} × {n_columns} claimed by the header"
    if min(n_frames, n_rows, n_columns) < 1:
        raise DataError.unusable(name, "at least one frame, row and column", claimed, _AGAIN)
    if n_frames * n_rows * n_columns > MAX_VALUES:
        raise DataError.unusable(
            name, f"at most {MAX_VALUES} voxels in all frames", claimed, "crop it to the heart"
        )


def require_shape(
    name: str, n_slots: int, n_slices: int, n_rows: int, n_columns: int, min_slots: int = MIN_SLOTS
) -> None:
    """Refuse a stack in which no ventricle can be found, or no cycle followed.

    Raises
    ------
    DataError
        Too few time slots; a single slice, or too few; too few rows or columns.
    """
    least = max(min_slots, FEWEST_SLOTS)
    if n_slots < least:
        do = "record 8 or 16 time slots"
        if n_slots >= FEWEST_SLOTS:
            do += f", or allow {n_slots} with --min-gates {n_slots}"
        raise DataError.unusable(name, f"at least {least} time slots", f"{n_slots}", do)
    if n_slices < MIN_SLICES:
        found = "a stack of one slice" if n_slices == 1 else f"{n_slices}"
        raise DataError.unusable(
            name, f"at least {MIN_SLICES} short-axis slices", found, "export the whole stack"
        )
    if min(n_rows, n_columns) < MIN_PIXELS:
        raise DataError.unusable(
            name,
            f"slices of at least {MIN_PIXELS} × {MIN_PIXELS}",
            f"{n_rows} × {n_columns}",
            "export the whole slices",
        )


def require_voxel(name: str, voxel_mm: tuple[float, float, float]) -> None:
    """Refuse distances that no gated SPECT has, and what is no number."""
    low, high = VOXEL_RANGE_MM
    if not all(low <= distance <= high for distance in voxel_mm):
        raise DataError.unusable(
            name,
            f"distances of slices, rows and columns of {low:g} to {high:g} mm",
            " × ".join(f"{distance:g}" for distance in voxel_mm),
            'export it again, or write the true ones as "voxel_mm" into a JSON beside the file',
        )


def require_counts(name: str, counts: NDArray[np.float32]) -> None:
    """Refuse counts that are no numbers, and frames that were lost.

    Parameters
    ----------
    name : str
        The file's name.
    counts : ndarray, shape (n_slots, n_slices, n_rows, n_columns)
        Rescaled counts.

    Raises
    ------
    DataError
        A voxel that is not finite; an empty time slot; an empty frame amid the slices that have
        counts, or many of them at one end; the same counts in every time slot.

    Notes
    -----
    Slices at the ends of the stack that are empty in some time slots are common in systole, when
    the heart was reformatted along a base that moves. They are let through: what they do to the
    numbers depends on whether the wall lies there, which `phase.sampling` finds out.
    """
    n_bad = counts.size - int(np.count_nonzero(np.isfinite(counts)))
    if n_bad:
        raise DataError.unusable(
            name, "finite counts", f"{n_bad} voxels that are no number", _AGAIN
        )
    empty: NDArray[np.bool_] = np.asarray(~counts.any(axis=(2, 3)))
    if bool(empty.all()):
        raise DataError.unusable(name, "counts", "zeros in all frames", _AGAIN)
    slots = np.flatnonzero(np.all(empty, axis=1))
    if slots.size:
        raise DataError.unusable(
            name, "counts in every time slot", f"only zeros in {numbered('slot', slots)}", _AGAIN
        )
    of_slices = np.abs(counts).sum(axis=(0, 2, 3), dtype=np.float64) / (~empty).sum(axis=0).clip(1)
    lost = _without_ends(empty, of_slices >= LOST_FRAME_SHARE * of_slices.max())
    if lost.any():
        slot, slice_index = np.argwhere(lost)[0]
        raise DataError.unusable(
            name,
            "counts in every frame of a slice",
            f"{int(lost.sum())} empty frames, the first in slot {slot + 1}, slice "
            f"{slice_index + 1}",
            _AGAIN,
        )

    if all(np.array_equal(counts[0], slot) for slot in counts[1:]):
        raise DataError.unusable(
            name,
            "time slots that differ",
            f"the same counts in all {len(counts)}",
            "export the gated study, not its sum",
        )


def _without_ends(empty: NDArray[np.bool_], filled: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the empty frames of filled slices, less the few that a slot lacks at either end."""
    lost: NDArray[np.bool_] = empty & filled
    numbers = np.flatnonzero(filled)
    n_spared = int(END_SHARE * len(numbers))
    for missing in lost:
        for way in (numbers, numbers[::-1]):
            n_empty = int(np.argmin(missing[way]))
            if n_empty <= n_spared:
                missing[way[:n_empty]] = False
    return lost


def slot_flags(n_slots: int) -> tuple[str, ...]:
    """Say that the number of time slots is not one of the usual ones."""
    return () if n_slots in {8, 16} else (f"{n_slots} time slots instead of 8 or 16",)


def numbered(what: str, indices: NDArray[np.integer]) -> str:
    """Name things by their numbers from 1, the first three at most.

    Examples
    --------
    >>> numbered("slot", np.array([4]))
    'slot 5'
    >>> numbered("slot", np.arange(5))
    'slots 1, 2, 3 and 2 more'
    """
    shown = ", ".join(str(int(index) + 1) for index in indices[:3])
    more = f" and {indices.size - 3} more" if indices.size > 3 else ""
    return f"{what}{'s' if indices.size > 1 else ''} {shown}{more}"
