"""Who was trained on and who was tested, fold by fold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cardio_core.io.run_artifact import FoldRecord, SplitRecord
from cardio_core.report.results import protocols_of
from cardio_core.report.words import count

MAX_IDS = {"patient": 400}
"""Tested ids that are listed; of samples only a few are."""

FEW_IDS = 40


@dataclass(frozen=True)
class FoldView:
    """One fold: sizes, who stands on both sides, and the ids that are listed."""

    name: str
    n_train: str
    n_test: str
    n_both: str
    tested: str


@dataclass(frozen=True)
class SplitView:
    """The folds of one protocol; `shared` is what is counted on both sides."""

    protocol: str
    plan: str
    unit: str
    shared: str
    overlap: str
    folds: tuple[FoldView, ...]


def split_views(splits: Mapping[str, SplitRecord]) -> list[SplitView]:
    """Return the splits of every protocol, honest first; the overlap is counted again here."""
    order = protocols_of(splits)
    return [_view(name, splits[name]) for name in order]


def _view(protocol: str, split: SplitRecord) -> SplitView:
    unit = split.unit
    return SplitView(
        protocol,
        split.plan,
        unit,
        "patient" if unit == "patient" else "recording",
        split.overlap,
        tuple(_fold(fold, unit) for fold in split.folds),
    )


def _fold(fold: FoldRecord, unit: str) -> FoldView:
    train, test = fold.train, fold.test
    n_listed = MAX_IDS.get(unit, FEW_IDS)
    listed = ", ".join(test[:n_listed])
    if len(test) > n_listed:
        listed += f", and {count(len(test) - n_listed)} more in splits.json"
    return FoldView(
        fold.name,
        count(len(train)),
        count(len(test)),
        count(len(_owners(train, unit) & _owners(test, unit))),
        listed,
    )


def _owners(names: Iterable[str], unit: str) -> set[str]:
    """Return whose they are: a sample's id is its recording's, a hash and a number."""
    if unit == "patient":
        return set(names)
    return {name.rpartition("#")[0] or name for name in names}
