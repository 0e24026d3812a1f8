"""Forest plots of a run's own metrics: classes and models, honest beside paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cardio_core.report.figures import Draw, ForestRow, forest
from cardio_core.report.headline import LEADING
from cardio_core.report.results import Row, bare_name, is_pooled, protocols_of
from cardio_core.report.words import metric_words

BY_CLASS = ("sensitivity", "ppv")
MAX_MODELS = 3


def overview(rows: Sequence[Row], titles: Mapping[str, str]) -> list[tuple[str, Draw]]:
    """Return (title, draw) of the forest plots that the metrics allow."""
    kept = [row for row in rows if is_pooled(row) and not row.get("versus")]
    kept = [row for row in kept if not row.get("subgroup")]
    order = protocols_of(kept)
    kept.sort(key=lambda row: order.index(str(row.get("protocol") or "")))
    found = []
    for target in dict.fromkeys(row.get("target") for row in kept):
        own = [row for row in kept if row.get("target") == target]
        of = f" of {target}" if target else ""
        found += _models(own, titles, of) + _classes(own, titles, of)
    return found


def _models(rows: Sequence[Row], titles: Mapping[str, str], of: str) -> list[tuple[str, Draw]]:
    overall = [row for row in rows if not row.get("class_name")]
    name = next((n for n in LEADING if any(r.get("name") == n for r in overall)), None)
    if name is None:
        return []
    words = metric_words(name)
    points = [_point(r, _title(r, titles), words) for r in overall if r.get("name") == name]
    if len({point.label for point in points}) < 2:
        return []
    reference = 0.5 if name == "auc" else None
    draw = forest(points, limits=_limits(points), reference=reference, numbers=True)
    return [(f"{words}{of} by model", draw)]


def _classes(rows: Sequence[Row], titles: Mapping[str, str], of: str) -> list[tuple[str, Draw]]:
    found = []
    by_class = [row for row in rows if row.get("class_name")]
    for model in list(dict.fromkeys(row.get("model") for row in by_class))[:MAX_MODELS]:
        points = [
            _point(row, str(row["class_name"]), metric_words(name))
            for name in BY_CLASS
            for row in by_class
            if row.get("model") == model and bare_name(row) == name
        ]
        if points:
            title = f"Classes{of}: {titles.get(str(model), model)}"
            found.append((title, forest(points, limits=_limits(points))))
    return found


def _point(row: Row, label: str, panel: str) -> ForestRow:
    low, high = row.get("low"), row.get("high")
    return ForestRow(label, str(row.get("protocol") or ""), float(row["value"]), low, high, panel)


def _title(row: Row, titles: Mapping[str, str]) -> str:
    model = str(row.get("model") or "")
    return titles.get(model, model)


def _limits(points: Sequence[ForestRow]) -> tuple[float, float] | None:
    values = [v for p in points for v in (p.value, p.low, p.high) if v is not None]
    return (0.0, 1.0) if min(values) >= 0 and max(values) <= 1 else None
