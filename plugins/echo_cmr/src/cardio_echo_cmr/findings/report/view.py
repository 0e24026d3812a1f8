"""The report of the task ``view``: which loops were given their right view, the unknown counted."""

from __future__ import annotations

from cardio_core.api import DataError
from cardio_echo_cmr.drawing.results import view_confusion
from cardio_echo_cmr.findings.report.parts import Parts
from cardio_echo_cmr.views.named import by_view, confusion, named_views, view_accuracy


def report_views(parts: Parts) -> None:
    """Add tables, figures and accuracy of the views that loops are given."""
    target = parts.ctx.task.targets[0]
    if target.name not in parts.predictions.frames:
        return
    rows = named_views(parts.predictions, target, least=parts.config.min_view_probability)
    for model, own in rows.groupby("model", sort=False):
        table = confusion(own, target.classes)
        parts.tables[f"views-named-{model}"] = table
        parts.tables[f"views-by-name-{model}"] = by_view(own, target.classes)
        parts.figures[f"views-named-{model}"] = view_confusion(table, title="Views named")
        scope = parts.scope(target.name, str(model))
        try:
            parts.add(view_accuracy(own, parts.config, parts.ctx.seed), scope)
        except DataError as error:
            parts.say(target.name, str(model), [f"accuracy with the unknown: {error}"])
        n_unknown = int(table["unknown"].sum())
        parts.notes.append(
            f"{n_unknown} of {len(own)} loops have no view of enough probability: they count as "
            "wrong in accuracy_with_unknown, and the findings do without them."
        )
