"""A drawn study which carries what is known of all tested studies of its fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardio_core.api import Case

if TYPE_CHECKING:
    from cardio_mmode_septal_flash.drawing.study import StudyView


@dataclass(frozen=True)
class FoldCase(Case):
    """One explained study, and the scores of its fold.

    Only `evaluate` knows which studies are true or false positives or negatives, so the fold's
    scores and a way to draw its studies go there with the first case.

    Attributes
    ----------
    studies : tuple of mapping
        One a study and method: sample_id, study_id, patient_id, method, and the scores.
    view : callable or None
        From a sample id of the fold to its `StudyView`, read when it is asked for.
    n_drawn : int
        How many of true and false positives and negatives are to be drawn.
    """

    studies: tuple[Mapping[str, Any], ...] = ()
    view: Callable[[str], StudyView] | None = None
    n_drawn: int = 0
