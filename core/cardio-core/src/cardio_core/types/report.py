"""What `explain` and `evaluate` return."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from cardio_core.errors import MadeWrongError
from cardio_core.types.notes import Note
from cardio_stats.estimate import Estimate


@dataclass(frozen=True)
class Scope:
    """Where in a run an estimate belongs; None means that it does not apply.

    Attributes
    ----------
    protocol : str or None
        ``"honest"`` or ``"paper"``; the core fills it in.
    task, target, model : str or None
        Names that the plugin declared.
    versus : str or None
        The model that `model` is compared with.
    class_name : str or None
        The class of a target that the estimate is of.
    repeat : int or None
        Which repetition of a repeated plan, from 0.
    fold : int, str or None
        The fold alone, ``"r0-f3"``; None for all folds pooled.
    subgroup : str or None
        The patients that it is of, where those are not all: ``"Sex: F"``.

    Examples
    --------
    >>> Scope(task="rhythm", target="rhythm", model="network", subgroup="Sex: F").fold is None
    True
    """

    protocol: str | None = None
    task: str | None = None
    target: str | None = None
    model: str | None = None
    versus: str | None = None
    class_name: str | None = None
    repeat: int | None = None
    fold: int | str | None = None
    subgroup: str | None = None


@dataclass(frozen=True)
class Metric:
    """An estimate in its place: one entry of metrics.json.

    Attributes
    ----------
    estimate : cardio_stats.Estimate
        The number with its interval, its method, n and unit, as functions of `cardio_stats`
        return it.
    scope : Scope
        Where it belongs: task, target and model at least.

    Examples
    --------
    >>> share = Estimate("found", 0.9, 0.83, 0.95, 0.95, "Wilson", n=120, unit="patient")
    >>> metric = Metric(share, Scope(task="rhythm", target="rhythm", model="network"))
    >>> metric.to_dict()["value"], metric.to_dict()["model"]
    (0.9, 'network')
    """

    estimate: Estimate
    scope: Scope

    def to_dict(self) -> dict[str, Any]:
        """Return the flat JSON form, place first."""
        place = {name: getattr(self.scope, name) for name in self.scope.__dataclass_fields__}
        return place | self.estimate.to_dict()


@dataclass(frozen=True)
class Case:
    """One explained prediction.

    Attributes
    ----------
    sample_id : str
        Whom it explains.
    title : str
        What the reader sees above the picture.
    model : str
        The model that made the prediction; the core fills it in.
    arrays : mapping of str to ndarray
        The maps themselves, written as `.npz`.
    scores : mapping of str to float
        Quantitative scores of the explanation (share of energy in a window, say).
    draw : callable or None
        ``draw(figure)`` draws it on an empty matplotlib figure. Cases are written where they are
        explained: `evaluate` gets them without `draw` and `video`.
    fold : str
        The fold that made the prediction; the core fills it in.
    video : callable or None
        ``video()`` returns a WebM file's bytes; asked for when the case is written. The report
        shows videos of up to 300 kB and names the files of larger ones.
    caption : str
        A sentence or two below the picture: what is shown, and what to see in it.
    group : str
        Cases of one group show the same thing, such as evidence for the outcome. The report opens
        with cases of different groups.
    tested : sequence of mapping
        What is known of every tested sample of the fold, a row each (one a sample, method and
        segment, say): only `evaluate` sees the truth that it is held against. The first case of a
        fold carries it.

    Examples
    --------
    >>> def draw(figure):
    ...     figure.subplots().imshow(np.eye(12))
    >>> case = Case("r1", "What the network looked at", arrays={"map": np.eye(12)},
    ...             scores={"share_in_qrs": 0.7}, draw=draw, caption="Bright: it counted.")
    >>> case.scores
    {'share_in_qrs': 0.7}
    """

    sample_id: str
    title: str
    model: str = ""
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    draw: Callable[[Any], None] | None = None
    fold: str = ""
    video: Callable[[], bytes] | None = None
    tested: Sequence[Mapping[str, Any]] = ()
    caption: str = ""
    group: str = ""


@dataclass(frozen=True)
class Explanation:
    """What `explain` returns: a few cases, chosen by a stated rule.

    Attributes
    ----------
    cases : sequence of Case
        The explained predictions, in the order of the report.
    rule : str
        How they were chosen, in one sentence for the report.
    notes : sequence of Note
        Further sentences for the report; what `ctx.warn` was given is added.
    """

    cases: Sequence[Case] = ()
    rule: str = ""
    notes: Sequence[Note] = ()

    def tested(self) -> pd.DataFrame:
        """Return the rows of `Case.tested` of all cases beside a column `model`.

        Examples
        --------
        >>> first = Case("s1", "t", model="m", tested=({"sample_id": "s1", "gini": 0.5},))
        >>> Explanation([first, Case("s2", "t", model="m")]).tested().to_dict("records")
        [{'sample_id': 's1', 'gini': 0.5, 'model': 'm'}]
        """
        own = [
            pd.DataFrame(list(case.tested)).assign(model=case.model)
            for case in self.cases
            if case.tested
        ]
        return pd.concat(own, ignore_index=True) if own else pd.DataFrame()


@dataclass(frozen=True)
class EvaluationReport:
    """What `evaluate` returns for one protocol.

    Attributes
    ----------
    metrics : sequence of Metric
        Every number, in its place.
    tables : mapping of str to DataFrame
        Written as CSV and shown in the report.
    figures : mapping of str to callable
        ``draw(figure)`` for each figure name; written as SVG.
    notes : sequence of Note
        Sentences for the report.
    published : collection of str
        Names of tables and figures that repeat what a paper printed: shown beside the publication,
        and only where the cohort stands for the paper's.

    Examples
    --------
    >>> counted = pd.DataFrame({"site": ["A", "B"], "n": [61, 59]})
    >>> note = Note("two_sites", "Two hospitals took part.")
    >>> report = EvaluationReport(tables={"sites": counted}, notes=[note])
    >>> int(report.tables["sites"]["n"].sum())
    120
    """

    metrics: Sequence[Metric] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    figures: Mapping[str, Callable[[Any], None]] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    published: Collection[str] = ()

    def __post_init__(self) -> None:
        unknown = sorted({*self.published} - self.tables.keys() - self.figures.keys())
        if unknown:
            raise MadeWrongError(
                f"an EvaluationReport calls {unknown[0]!r} published, which is none of its tables "
                "and figures; give names of these",
                code="unknown",
            )
