"""A gated short-axis stack as its file gives it: the common ground of all readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

State = Literal["stress", "rest"]

MAX_DROP_OFF = 0.65
"""The largest share of its counts that the last gate may have lost, unless more is allowed. In
real studies 50 to 64 % were lost without harm, once undone."""

USUAL_DROP_OFF = 0.3
"""A larger loss is measured with caution."""

MAX_REJECTED = 0.35
"""The largest share of beats that may have been rejected, unless more is allowed."""
Base = float | tuple[float, ...]
"""An operator's base: at end-diastole, or in every time slot."""


@dataclass(frozen=True)
class GatedStack:
    """Reconstructed gated SPECT counts on short-axis slices.

    Attributes
    ----------
    counts : ndarray of float32, shape (n_slots, n_slices, n_rows, n_columns)
        Rescaled counts, finite; time slots in order from the R wave, slices in the file's order.
        In a slice the first row is anterior and the first column septal, as short-axis slices are
        displayed.
    voxel_mm : tuple of float
        Distance of neighbouring slices, rows and columns in mm; all positive.
    apex_first : bool or None
        Whether slice 0 lies at the apex, as the header says; None where it does not say.
    state : {"stress", "rest"} or None
        What the patient was at; None where the file does not say.
    rr_ms : float or None
        Mean or nominal RR interval in ms.
    rejected_share : float or None
        Beats rejected / (accepted + rejected), 0 to 1.
    base_mm : float, tuple of float or None
        An operator's base of the left ventricle, which outranks the automatic one: at
        end-diastole, or one number for each time slot. Distance from the centre of slice 0 along
        the stack, in the file's order of slices.
    apex_mm : float or None
        An operator's apex, in the same way; it stays over the cycle.
    max_drop_off, max_rejected : float
        What whoever reads it allows: the largest share of its counts that the last gate may have
        lost, and of beats that were rejected.
    flags : tuple of str
        What the report should say about this stack.
    """

    counts: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    apex_first: bool | None = None
    state: State | None = None
    rr_ms: float | None = None
    rejected_share: float | None = None
    base_mm: Base | None = None
    apex_mm: float | None = None
    max_drop_off: float = MAX_DROP_OFF
    max_rejected: float = MAX_REJECTED
    flags: tuple[str, ...] = ()
