"""What stands beside a fitted model: whom it saw, what was chosen, how it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from cardio_core.io.kept.kind import Count, Digest, Entries, Kind, Name
from cardio_core.io.kept.results import NoteForm

Spread = Annotated[float, Field(ge=0)]


def _as_many(what: str, *lists: Sequence[Any]) -> None:
    if len({len(one) for one in lists}) > 1:
        raise PydanticCustomError("said", f"as many {what} everywhere")


class DecisionForm(Entries):
    """How a target is decided."""

    target: Name
    offsets: list[float]
    source: str


class ChosenForm(Entries):
    """What was chosen for a fit."""

    candidate: dict[str, Any]
    epochs: Count | None
    decisions: list[DecisionForm]
    notes: list[NoteForm]


class MadeForForm(Entries):
    """The split that a fit was made for."""

    split: Digest


class SeenForm(Entries):
    """The persons that a model was fitted on."""

    subjects: list[str]


class UnfittedForm(Entries):
    """Why there is no fit."""

    reason: str


class ConformalForm(Entries):
    """A calibrated rule; of too few patients its quantile is null."""

    alpha: float = Field(gt=0, lt=1)
    quantile: Spread | None
    n_patients: Count
    n_dropped: Count
    method: str
    target: Name
    kind: Literal["binary", "multiclass", "continuous"]
    classes: list[str] = Field(default_factory=list)
    class_quantiles: list[Spread | None] = Field(default_factory=list)
    class_patients: list[Count] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_each_class(self) -> Self:
        for own in (self.class_quantiles, self.class_patients):
            if own:
                _as_many("classes", own, self.classes)
        if (self.kind == "continuous") != (not self.classes):
            raise PydanticCustomError("said", "classes of what has classes, and of nothing else")
        return self


class FusionForm(Entries):
    """The weights of a fusion."""

    models: list[Name] = Field(min_length=1)
    intercept: float
    weights: list[float]
    method: str
    n_rows: Count
    n_patients: Count
    n_events: Count | None
    filled: list[float] = Field(default_factory=list)

    @model_validator(mode="after")
    def _of_each_model(self) -> Self:
        _as_many("weights as terms", self.weights, [*self.models, *self.models])
        if self.filled:
            _as_many("models", self.filled, self.models)
        return self


class AboutForm(Entries):
    """What a measured column is."""

    title: str
    unit: str
    kind: Literal["measured", "input", "clinical"]


class LikenessForm(Entries):
    """How the columns of training patients lie."""

    columns: list[str]
    together: list[Count]
    middle: list[float]
    below: list[float]
    above: list[float]
    low: list[float]
    high: list[float]
    known: list[float]
    covariance: list[list[float]]

    @model_validator(mode="after")
    def _of_each_column(self) -> Self:
        own = (self.middle, self.below, self.above, self.low, self.high, self.known)
        _as_many("columns", self.columns, *own)
        _as_many("columns", self.together, self.covariance)
        for row in self.covariance:
            _as_many("columns", self.together, row)
        if any(place >= len(self.columns) for place in self.together):
            raise PydanticCustomError("said", "columns that are there")
        return self


class SpaceForm(Entries):
    """How the vectors of a network lie."""

    mean: list[float] = Field(min_length=1)
    axes: list[list[float]]
    variances: list[float]
    beside: float

    @model_validator(mode="after")
    def _of_each_axis(self) -> Self:
        _as_many("axes", self.axes, self.variances)
        for axis in self.axes:
            _as_many("dimensions", axis, self.mean)
        return self


class NetworkForm(SpaceForm):
    """How the vectors of one model's network lie."""

    title: str


class CalibrationForm(Entries):
    """What distance how many of the training patients exceed."""

    middle: dict[str, float]
    spread: dict[str, float]
    borderline: float
    outside: float
    grid: list[float]
    n: Count


class ApplicabilityForm(Entries):
    """Summaries of the training patients, by which a new one is like them or not."""

    n_patients: Count
    about: dict[str, AboutForm]
    likeness: LikenessForm
    names: dict[str, list[str]]
    networks: dict[str, NetworkForm]
    calibration: CalibrationForm | None
    why_not: str

    @model_validator(mode="after")
    def _of_known_columns(self) -> Self:
        if set(self.likeness.columns) - set(self.about):
            raise PydanticCustomError("said", "words for every column")
        return self


CHOSEN = Kind("what was chosen for a fit", ChosenForm, most_bytes=16 << 20)
MADE_FOR = Kind("what a fit was made for", MadeForForm, most_bytes=1 << 20)
SEEN = Kind("whom a model was fitted on", SeenForm)
UNFITTED = Kind("why there is no fit", UnfittedForm, most_bytes=1 << 20)
CONFORMAL = Kind("a rule for prediction sets", ConformalForm, most_bytes=1 << 20)
FUSION = Kind("the weights of a fusion", FusionForm, most_bytes=1 << 20)
APPLICABILITY = Kind("what the patients of training were like", ApplicabilityForm)
SPACE = Kind("how a network sees the patients of training", SpaceForm)
APART = Kind("how far a fold's patients lie off", dict[str, float])
ROWS = Kind("models of an earlier task", list[Name], most_bytes=1 << 20)
NAMES = Kind("models without a fit", list[str] | dict[str, Any], most_bytes=16 << 20)
