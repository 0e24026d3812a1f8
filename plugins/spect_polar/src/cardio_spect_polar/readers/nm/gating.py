"""Beats and time slots of a DICOM NM gated image.

References
----------
DICOM PS3.3 C.8.4.13 (NM Multi-gated Acquisition): the data information sequence has one item for
every RR interval, in the order of the RR interval vector.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

_RR_RANGE_MS = (250.0, 3000.0)
_UNEQUAL = 0.05
_COVERED = (0.9, 1.1)


@dataclass(frozen=True)
class Gating:
    """What the header says about the beats of one RR interval.

    Attributes
    ----------
    rr_ms : float or None
        Nominal RR interval in ms.
    n_accepted, n_rejected : int or None
        Beats used and rejected.
    flags : tuple of str
        What is unusual about the timing.
    """

    rr_ms: float | None = None
    n_accepted: int | None = None
    n_rejected: int | None = None
    flags: tuple[str, ...] = ()

    @property
    def rejected_share(self) -> float | None:
        """Beats rejected / (accepted + rejected), or None where the header does not say."""
        if self.n_accepted is None or self.n_rejected is None:
            return None
        n_all = self.n_accepted + self.n_rejected
        return self.n_rejected / n_all if n_all > 0 else None


def read_gating(dataset: Any, n_rr_intervals: int, n_slots: int) -> tuple[Gating, ...]:
    """Read the timing of every RR interval; what the header leaves out is None.

    Parameters
    ----------
    dataset : Dataset
        An NM gated image.
    n_rr_intervals, n_slots : int
        How many its vectors have.

    Returns
    -------
    tuple of Gating
        One for every RR interval.
    """
    gated = next(iter(dataset.get("GatedInformationSequence") or []), None)
    items = [] if gated is None else list(gated.get("DataInformationSequence") or [])
    if len(items) != n_rr_intervals:
        flags = ("beats and timing unknown",)
        if items:
            flags = (f"timing of {len(items)} RR intervals for {n_rr_intervals}: not used",)
        return (Gating(flags=flags),) * n_rr_intervals
    return tuple(_interval(item, n_slots) for item in items)


def _interval(item: Any, n_slots: int) -> Gating:
    flags = []
    frame_ms = _number(item, "FrameTime")
    nominal_ms = _number(item, "NominalInterval")
    low_ms, high_ms = _number(item, "LowRRValue"), _number(item, "HighRRValue")
    if nominal_ms is not None:
        rr_ms: float | None = nominal_ms
    elif frame_ms is not None:
        rr_ms = frame_ms * n_slots
    elif low_ms is not None and high_ms is not None:
        rr_ms = (low_ms + high_ms) / 2
    else:
        rr_ms = None
    if rr_ms is not None and not _RR_RANGE_MS[0] <= rr_ms <= _RR_RANGE_MS[1]:
        flags.append(f"RR interval of {rr_ms:g} ms in the header: not used")
        rr_ms = None
    slots_ms = _slots_ms(item)
    if slots_ms and len(slots_ms) != n_slots:
        flags.append(f"times of {len(slots_ms)} slots for {n_slots}: not used")
        slots_ms = []
    if slots_ms and max(slots_ms) > (1 + _UNEQUAL) * min(slots_ms):
        flags.append("time slots of unequal length")
    cycle_ms = sum(slots_ms) if slots_ms else (frame_ms or 0.0) * n_slots
    if rr_ms and cycle_ms and not _COVERED[0] <= cycle_ms / rr_ms <= _COVERED[1]:
        flags.append(f"time slots cover {100 * cycle_ms / rr_ms:.0f} % of the RR interval")
    n_accepted, n_rejected = (
        None if value is None or value < 0 else int(value)
        for value in (_number(item, "IntervalsAcquired"), _number(item, "IntervalsRejected"))
    )
    return Gating(rr_ms, n_accepted, n_rejected, tuple(flags))


def _slots_ms(item: Any) -> list[float]:
    """Return the lengths of the time slots, or none where one of them is missing."""
    times = [
        _number(slot, "TimeSlotTime") for slot in item.get("TimeSlotInformationSequence") or []
    ]
    known = [time for time in times if time is not None and time > 0]
    return known if len(known) == len(times) else []


def _number(item: Any, keyword: str) -> float | None:
    """Return an optional number, or None where it is absent, empty or not finite."""
    value = item.get(keyword)
    if value in (None, ""):
        return None
    number = float(value)
    return number if math.isfinite(number) else None
