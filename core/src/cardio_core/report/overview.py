"""The main figures of a run, drawn from its own metrics: all models under both protocols."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardio_core.io.atomic import file_in
from cardio_core.io.run_artifact import RunKind, RunManifest
from cardio_core.report.figures import Draw, ForestModel, ForestRow, described, forest, model_forest
from cardio_core.report.figures.forest_models import GROUP_WORDS, OF_JUDGED
from cardio_core.report.headline import LEADING, compared_word
from cardio_core.report.results import Row, bare_name, n_words, protocols_of
from cardio_core.report.spelling import spelled
from cardio_core.report.words import level_words, metric_words, title_words
from cardio_core.types.file_names import SafeName

BY_CLASS = ("sensitivity", "ppv")
IN_UNITS = frozenset({"mae", "mae_constant"})
"""Metrics that are in the unit of what is predicted."""

MAX_MODELS = 3

FOREST, NARROW = "forest", "narrow"
"""First word of the main figure's file, ``forest-TARGET.svg``, and the last of its other form."""


@dataclass(frozen=True)
class Overview:
    """One figure of all models; `narrow` is the same for a screen of 390 pixels."""

    name: str
    title: str
    draw: Draw
    narrow: Draw | None = None

    @property
    def file(self) -> SafeName:
        """Name of its file in ``figures``."""
        return SafeName(self.name, ".svg")


def overview(rows: Sequence[Row], manifest: RunManifest) -> list[Overview]:
    """Return the forest plots that the metrics allow.

    The primary model of the manifest comes first, its baselines last; files of older runs name
    neither, and then all are models.
    """
    titles = manifest.model_titles
    kept = [row for row in rows if row.pooled and not row.versus]
    kept = [row for row in kept if not row.subgroup]
    order = protocols_of(row.protocol for row in kept)
    kept.sort(key=lambda row: order.index(row.protocol))
    found: list[Overview] = []
    # What is of patients and of no target, applicability say, is no target of its own.
    targets = list(dict.fromkeys(row.target for row in kept if row.target)) or [""]
    for target in targets:
        own = [row for row in kept if row.target == target]
        known = manifest.words.get(target) or spelled(target)
        of = f", {known}" if target and len(targets) > 1 else ""
        name = "-".join(filter(None, (FOREST, target)))
        found += [*_models(own, manifest, name, of), *_classes(own, titles, name, of)]
    return found


def write_overview(run: Path, found: Sequence[Overview]) -> None:
    """Write the figures beside the others of the run, under names that stay the same."""
    from cardio_core.report.figures import save_svg

    for one in found:
        save_svg(one.draw, file_in(run, "figures", one.file))
        if one.narrow is not None:
            save_svg(one.narrow, file_in(run, "figures", SafeName(f"{one.name}-{NARROW}", ".svg")))


def _models(rows: Sequence[Row], manifest: RunManifest, name: str, of: str) -> Iterator[Overview]:
    overall = [row for row in rows if not row.class_name]
    metric = next((n for n in LEADING if any(r.name == n for r in overall)), None)
    shown = [row for row in overall if row.name == metric]
    own: dict[str, list[Row]] = {}
    for row in shown:
        own.setdefault(row.model, []).append(row)
    if metric is None:
        return
    judged = manifest.kind is RunKind.JUDGED
    titles = manifest.model_titles
    primary, baselines = manifest.primary, manifest.baselines
    models = [
        ForestModel(
            titles.get(model) or title_words(model),
            {
                row.protocol: (
                    row.value, row.low, row.high
                )
                for row in of_model
            },
            "primary" if model == primary else "baseline" if model in baselines else "model",
        )
        for model, of_model in own.items()
    ]  # fmt: skip
    units = {one.name: one.unit for one in manifest.targets}
    unit = units.get(str(shown[0].target))
    words = metric_words(metric) + (f" ({unit})" if unit and metric in IN_UNITS else "")
    reference, reference_words = _reference(metric, overall)
    values = [
        part for one in models for value in one.values.values() for part in value
        if part is not None
    ]  # fmt: skip
    about: dict[str, Any] = {
        "metric": words,
        "n_words": _tested(shown),
        "level": level_words(next((row.level for row in shown if row.level), None)),
        "limits": _limits(values, metric),
        "reference": reference,
        "reference_words": reference_words,
        "heads": OF_JUDGED if judged else GROUP_WORDS,
    }
    every = compared_word(manifest)
    where = (
        "in the new patients and in the run's own folds"
        if manifest.kind is RunKind.EXTERNAL
        else "under both protocols"
    )
    title = f"{metric_words(metric)} of every {every}{of}"
    caption = (
        f"Every model, with its interval, {where}. Of two intervals that overlap "
        "nothing follows: the paired differences are in the comparisons."
        if any(len(one.values) > 1 for one in models)
        else f"Every {every} with its interval. Of two intervals that overlap nothing follows: the "
        "paired differences are in the comparisons."
        if len(models) > 1
        else "With its interval."
    )
    yield Overview(
        name,
        title,
        described(model_forest(models, **about), title, caption),
        described(model_forest(models, **about, narrow=True), title, caption),
    )


def _reference(metric: str, rows: Sequence[Row]) -> tuple[float | None, str]:
    """Return what a model has to be better than, and its words."""
    if metric in ("auc", "c_index"):
        return 0.5, "chance"
    if metric == "r2":
        return 0.0, "always the mean"
    constant = [row.value for row in rows if row.name == f"{metric}_constant"]
    return (constant[0] if constant else None), "always the median"


def _tested(rows: Sequence[Row]) -> str:
    """Return how many were tested, once; a range where models differ."""
    said = list(dict.fromkeys(n_words(row) for row in rows))
    if len(said) == 1:
        return f"n: {said[0]}"
    least, most = (pick(rows, key=lambda row: int(row.n or 0)) for pick in (min, max))
    return f"n: {least.n or 0} to {n_words(most)}"


def _classes(
    rows: Sequence[Row], titles: Mapping[str, str], name: str, of: str
) -> Iterator[Overview]:
    by_class = [row for row in rows if row.class_name]
    for model in list(dict.fromkeys(row.model for row in by_class))[:MAX_MODELS]:
        points = [
            _point(row, row.class_name, metric_words(metric))
            for metric in BY_CLASS
            for row in by_class
            if row.model == model and bare_name(row.name, row.class_name) == metric
        ]
        if points:
            values = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
            title = f"Each class{of}: {titles.get(str(model), model)}"
            caption = (
                "Sensitivity: of those that are of the class, how many were called so. Positive "
                "predictivity: of those that were called so, how many are."
            )
            draw = forest(points, limits=_limits(values, "sensitivity"))
            yield Overview(f"{name}-classes-{model}", title, described(draw, title, caption))


def _point(row: Row, label: str, panel: str) -> ForestRow:
    low, high = row.low, row.high
    return ForestRow(label, row.protocol, row.value, low, high, panel)


def _limits(values: Sequence[float], metric: str) -> tuple[float, float] | None:
    if metric in ("r2",) or not values or min(values) < 0 or max(values) > 1:
        return None
    return (0.0, 1.0)
