"""A gated short-axis stack: what its file gives, what it must have, its state and flags."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cardio_core.api import DataError

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


_STRESS = re.compile(r"(?<![a-z])(stress|str|exercise|vasodilator)(?![a-z])", re.IGNORECASE)
_REST = re.compile(r"(?<![a-z])(rest|resting|rst)(?![a-z])", re.IGNORECASE)
_CODES: dict[tuple[str, str], State] = {
    ("SCT", "128975004"): "rest",
    ("SRT", "F-01604"): "rest",
    ("SCT", "432655005"): "stress",
    ("SRT", "F-05019"): "stress",
    ("DCM", "109091"): "stress",
}


def state_of_words(text: str) -> State | None:
    """Tell stress from rest by whole words; None where there are neither or both.

    Examples
    --------
    >>> state_of_words("P012_Stress_gate3"), state_of_words("forest"), state_of_words("rest_stress")
    ('stress', None, None)
    """
    stress, rest = bool(_STRESS.search(text)), bool(_REST.search(text))
    if stress == rest:
        return None
    return "stress" if stress else "rest"


def state_of_path(path: Path) -> State | None:
    """Tell stress from rest by a file's name, else by its folder's."""
    return state_of_words(path.name) or state_of_words(path.parent.name)


def without_state(text: str) -> str:
    """Take the words for stress and rest out of a name.

    Examples
    --------
    >>> without_state("stress_3")
    '_3'
    """
    return _REST.sub("", _STRESS.sub("", text))


def state_of_code(scheme: str, value: str) -> State | None:
    """Read a code of DICOM's rest and stress states (PS3.16 CID 3102)."""
    return _CODES.get((scheme, value))


Consequence = Literal["none", "caution", "no verdict"]
"""Nothing to fear for the numbers; numbers to be read with care; numbers that are withheld."""

Numbers = Literal["phase", "volumes"]
"""What can be withheld: phases and all that is made of them; volumes and ejection fraction."""

BOTH: tuple[Numbers, ...] = ("phase", "volumes")
_SEPARATOR = "; "


class Flag(str):
    """A sentence about a study, which knows what it does to the study's numbers.

    It is text like any other, so that whatever takes sentences takes flags.

    Parameters
    ----------
    sentence : str
        What was found and what it does to the numbers, in the words of the clinic; no "; " in
        it, which parts flags from each other.
    consequence : {"none", "caution", "no verdict"}
        With ``no verdict`` the numbers of `of` are withheld.
    of : tuple of {"phase", "volumes"}
        Which numbers it concerns.

    Examples
    --------
    >>> flag = Flag("the beats are unknown")
    >>> flag, flag.consequence
    ('the beats are unknown', 'none')
    """

    consequence: Consequence
    of: tuple[Numbers, ...]

    def __new__(
        cls, sentence: str, consequence: Consequence = "none", of: tuple[Numbers, ...] = BOTH
    ) -> Flag:
        """Make a flag of a sentence."""
        if _SEPARATOR in sentence:
            raise ValueError(f"a flag is one sentence without {_SEPARATOR!r}: {sentence}")
        made = super().__new__(cls, sentence)
        made.consequence = consequence
        made.of = of
        return made

    @property
    def labelled(self) -> str:
        """The sentence as tables hold it, with its consequence before it where it has one.

        Examples
        --------
        >>> Flag("counts jump", "caution").labelled
        'caution: counts jump'
        >>> Flag("EF 91 %", "no verdict", of=("volumes",)).labelled
        'no volumes: EF 91 %'
        """
        if self.consequence == "no verdict":
            return f"no volumes: {self}"
        return f"caution: {self}" if self.consequence == "caution" else str(self)

    @property
    def ends_verdict(self) -> bool:
        """Whether the phases are withheld because of it, and so every verdict on the study."""
        return self.consequence == "no verdict" and "phase" in self.of


def flags_text(flags: Iterable[str]) -> str:
    """Return flags as a table holds them: the gravest first, each once, joined by "; ".

    Those that end the verdict stand in a column of their own: see `no_verdict`.

    Examples
    --------
    >>> flags_text([Flag("beats unknown"), Flag("counts jump", "caution"), "beats unknown"])
    'caution: counts jump; beats unknown'
    """
    order: tuple[Consequence, ...] = ("no verdict", "caution", "none")
    kept = (flag for flag in flags if not (isinstance(flag, Flag) and flag.ends_verdict))
    ranked = sorted(kept, key=lambda flag: order.index(_consequence(flag)))
    texts = (flag.labelled if isinstance(flag, Flag) else flag for flag in ranked)
    return _SEPARATOR.join(dict.fromkeys(texts))


def no_verdict(flags: Iterable[str]) -> str:
    """Return why there is no verdict as a table holds it, each reason once, joined by "; ".

    Examples
    --------
    >>> no_verdict([Flag("counts jump", "no verdict"), "beats unknown"])
    'counts jump'
    """
    reasons = (str(flag) for flag in flags if isinstance(flag, Flag) and flag.ends_verdict)
    return _SEPARATOR.join(dict.fromkeys(reasons))


def withheld(flags: Iterable[str]) -> dict[Numbers, str]:
    """Return which numbers are withheld, each with the sentences that say why.

    Examples
    --------
    >>> withheld([Flag("gates are out of order", "no verdict"), "beats unknown"])
    {'phase': 'gates are out of order', 'volumes': 'gates are out of order'}
    """
    reasons: dict[Numbers, list[str]] = {}
    for flag in flags:
        if isinstance(flag, Flag) and flag.consequence == "no verdict":
            for numbers in flag.of:
                reasons.setdefault(numbers, []).append(str(flag))
    return {numbers: " and ".join(dict.fromkeys(why)) for numbers, why in reasons.items()}


def _consequence(flag: str) -> Consequence:
    return flag.consequence if isinstance(flag, Flag) else "none"


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
