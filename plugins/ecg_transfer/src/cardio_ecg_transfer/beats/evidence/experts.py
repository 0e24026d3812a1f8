"""Which columns each part of the model sees, and which way each may only speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

RHYTHM = (
    "rr_to_near", "rr_to_near_long", "rr_to_far_long", "rr_to_mean", "rr_to_median", "rr_to_q95",
    "rr_to_last", "rr_to_last5", "rr_to_last8", "rr_to_next8", "rr_to_next", "pair_to_near",
    "next_to_near", "previous_rr_to_near", "following_next_to_near", "change", "unlike",
    "since_own", "previous_foreign", "next_foreign",
)  # fmt: skip
P_WAVE = ("p_cosine", "p_cosine_z", "p_distance_z", "hidden_z", "p_strength")
WHEN = ("rr_to_near", "rr_to_next", "pair_to_near", "rr_to_median", "change")
P_BRIEF = ("p_cosine_here", "p_cosine_z")
SHAPE = (
    "own_cosine", "own_distance", "own_distance_z", "group_cosine", "group_share",
    "group_own_cosine", "width", "width_to_own", "w90", "w90_beyond_own", "cosine", "size",
    "height", "slope", "skew", "skew_beyond_own", "half_width", "half_width_beyond_own",
    "foreign_cosine", "mix", "mix_left", "mix_gain", "t_cosine", "t_size", "shift_s",
    "group_rr_to_near", "group_pair_to_near", "group_rr_to_next", "group_p_cosine_z",
    "group_width",
)  # fmt: skip
NOISE = (
    "hiss", "hiss_least", "hiss_near", "loud", "loud_least", "restless", "restless_least",
    "restless_near", "drift", "rare_near",
)  # fmt: skip
PARTS = {
    "timing": RHYTHM,
    "P wave": (*P_WAVE, "p_cosine_here"),
    "shape": SHAPE,
    "noise": (*NOISE, "unreadable"),
}
"""What the columns are about, for the explanation."""

_FALLING = ("unlike", "p_cosine", "p_cosine_z", "p_cosine_here", "own_cosine", "group_own_cosine")
_RISING = ("p_distance_z", "width", "group_width")


@dataclass(frozen=True)
class Expert:
    """One question, put to boosted trees.

    Attributes
    ----------
    columns : tuple of str
        What it sees; a name stands for that column in every lead.
    yes, no : tuple of str
        Classes that it tells apart; beats of others are left out.
    share : float
        Share of ``yes`` in its training.
    planted : bool
        Whether it learns from planted rhythms, too.
    """

    columns: tuple[str, ...]
    yes: tuple[str, ...]
    no: tuple[str, ...]
    share: float
    planted: bool = False


EXPERTS = {
    "rhythm": Expert(RHYTHM, ("S",), ("N",), 0.25, planted=True),
    "rhythm_and_p": Expert((*RHYTHM, *P_WAVE), ("S",), ("N",), 0.25, planted=True),
    "ventricular": Expert((*SHAPE, *WHEN, *P_BRIEF, *NOISE), ("V",), ("N", "S"), 0.35),
}
"""A beat is supraventricular where timing alone and timing with P wave both say so. Fusion beats
teach nothing and are never called: 373 of the 415 in DS1 are one man's, and what was learnt of them
found none of the others' (cross-validation by record)."""


def chosen_columns(names: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the positions of the wanted columns; ``size`` stands for ``size:0`` and ``size:1``.

    Examples
    --------
    >>> chosen_columns(["size:0", "size:1", "width"], ["width", "size"])
    [0, 1, 2]
    """
    return [place for place, name in enumerate(names) if name.partition(":")[0] in wanted]


def direction(name: str) -> int:
    """Return -1 where more of it may only speak against an ectopic beat, 1 for, 0 either way."""
    if name.startswith("rr_to_") or name in _FALLING:
        return -1
    return int(name in _RISING)
