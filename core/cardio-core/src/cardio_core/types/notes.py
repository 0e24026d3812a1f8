"""What programs go by where people read a sentence: kinds of notes, codes of exclusions.

Nothing is decided by the wording of a text: it may be changed at any time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cardio_core.errors import Code, MadeWrongError


class Severity(StrEnum):
    """How much a note matters to somebody who reads the result."""

    INFO = "info"
    WARNING = "warning"


class NoteKind(StrEnum):
    """What the core's own notes are about; a plugin names kinds as it likes."""

    COHORT = "cohort"
    """What was found and how it was read."""
    TABLE = "table"
    """How a table of predictions was read."""
    RESUMED = "resumed"
    SPLIT = "split"
    DECLARED_OVERLAP = "declared_overlap"
    UNSUPPORTED_MODEL = "unsupported_model"
    """A model that this cohort cannot support."""
    LEFT_OUT_OF_HONEST = "left_out_of_honest"
    """A model that the data of some fold do not allow."""
    LEFT_OUT_OF_PAPER = "left_out_of_paper"
    FIT = "fit"
    EPOCHS_SET = "epochs_set"
    """The validation patients were too few to choose the epoch."""
    FUSION = "fusion"
    NOT_COMPUTED = "not_computed"
    PREDICTION_SETS = "prediction_sets"
    EXPLAINED_CASES = "explained_cases"
    SUBGROUPS = "subgroups"
    OUTCOME = "outcome"
    """How the outcome was coded."""
    OVERLAP = "overlap"
    """How patients were compared with those of training."""
    OVERLAP_UNCHECKED = "overlap_unchecked"
    """Whether some patients were in training could not be checked."""
    OVERLAP_ON_TRUST = "overlap_on_trust"
    """The user said that equal ids are of different people."""
    APPLICABILITY = "applicability"
    COMPARISON = "comparison"
    RECALIBRATION = "recalibration"
    SHORTCUT = "shortcut"
    """What files, devices and ids tell of the outcome."""


@dataclass(frozen=True)
class Note:
    """A sentence for the report, and what it is about.

    Attributes
    ----------
    kind : str
        What programs go by, one word of small letters, digits and underscores: a `NoteKind`, or a
        kind of the plugin's own.
    text : str
        For people alone.
    model : str or None
        The model that it is about; None where it is about all.
    severity : Severity
        A `WARNING` stands among what a reader should know first.
    where : str
        In which folds of the model it holds, in words; empty where it is not about single folds.

    Raises
    ------
    MadeWrongError
        If `kind` is not such a word.

    Examples
    --------
    >>> str(Note("two_sites", "Two hospitals took part."))
    'Two hospitals took part.'
    >>> str(Note("stopped", "Stopped at epoch 9.", model="svm", where="every fold"))
    'svm, every fold: Stopped at epoch 9.'
    """

    kind: str
    text: str
    model: str | None = None
    severity: Severity = Severity.INFO
    where: str = ""

    def __post_init__(self) -> None:
        if not (self.kind.isidentifier() and self.kind == self.kind.lower()):
            raise MadeWrongError(
                "the kind of a Note is one word of small letters, digits and underscores; "
                "put the sentence into its text"
            )

    def __str__(self) -> str:
        return f"{self.model}, {self.where}: {self.text}" if self.where else self.text

    @classmethod
    def each(cls, kind: str, texts: Iterable[str]) -> tuple[Note, ...]:
        """Return a note of one kind for each sentence that is not empty."""
        return tuple(cls(kind, text) for text in texts if text)

    def to_dict(self) -> dict[str, str | None]:
        """Return what `manifest.json` keeps of it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Verdict:
    """Whether a recording can be judged.

    Attributes
    ----------
    reasons : tuple of str
        Why it cannot, for people; empty where it can.

    Examples
    --------
    >>> Verdict().withheld, Verdict(("too slow",)).withheld
    (False, True)
    """

    reasons: tuple[str, ...] = ()

    @property
    def withheld(self) -> bool:
        """Whether `cardio predict` says nothing of it."""
        return bool(self.reasons)

    @property
    def why(self) -> str:
        """The reasons in one phrase."""
        return " and ".join(self.reasons)


@dataclass(frozen=True)
class Exclusion:
    """Why a file or a recording is not used.

    Attributes
    ----------
    code : Code
        What programs go by.
    text : str
        For people alone.
    """

    code: Code = "unusable"
    text: str = ""
