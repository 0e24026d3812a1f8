"""What a reader should know first: what ran, on whom, and what the honest result is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cardio_core.report.results import Row, is_pooled, n_words
from cardio_core.report.run_files import RunFiles
from cardio_core.report.words import (
    count,
    counted,
    level_words,
    listed,
    metric_words,
    moment,
    number,
    span,
)

LEADING = ("auc", "macro_f1", "c_index", "mae", "r2", "accuracy")
"""The metric that the first sentence quotes: the first of these that was computed."""

LEADING_BY_CLASS = ("f1", "sensitivity", "auc", "ppv")

_ACRONYMS = ("AUC", "R²", "F1")


@dataclass(frozen=True)
class Step:
    """One station of the way from recordings to tested units."""

    n: str
    words: str
    detail: str = ""


def what_ran(files: RunFiles) -> list[str]:
    """Return what ran, in sentences."""
    m = files.manifest
    data: Mapping[str, Any] = m.get("data") or {}
    models = list(m.get("models") or dict.fromkeys(str(r["model"]) for r in files.metrics
                                                   if r.get("model")))  # fmt: skip
    titles = m.get("model_titles") or {}
    plugin = " ".join(str(m[key]) for key in ("plugin", "plugin_version") if m.get(key))
    first = f"{plugin or 'A plugin'} ran the task {m.get('task') or 'of this run'}"
    if models:
        first += (
            f" with {counted(len(models), 'model')} ({listed([titles.get(k, k) for k in models])})"
        )
    sentences = [first + "."]
    who = [
        counted(int(data[key]), unit)
        for key, unit in (("n_recordings", "recording"), ("n_patients", "patient"))
        if data.get(key) is not None
    ]
    source = "Synthetic data" if data.get("source") == "synthetic" else "Data"
    if data.get("path_shown") or who:
        shown = str(data.get("path_shown") or "")
        sentences.append(f"{source}: {shown}{', ' if shown and who else ''}{' of '.join(who)}.")
    if m.get("outcome"):
        sentences.append(f"Outcome: {m['outcome']}")
    device = m.get("device") or {}
    if device.get("name"):
        reason = f" ({device['reason']})" if device.get("reason") else ""
        precision = f", precision {device['precision']}" if device.get("precision") else ""
        sentences.append(f"Device: {device['name']}{reason}{precision}.")
    took = span(m.get("started"), m.get("finished"))
    if m.get("started"):
        sentences.append(
            f"Started {moment(str(m['started']))}" + (f", took {took}." if took else ".")
        )
    return sentences


def flow(files: RunFiles) -> list[Step]:
    """Return the stations: recordings found, quarantined, excluded by design, used, tested.

    The manifest counts recordings after `load`, so those that `load` itself set aside or left out
    are added.
    """
    m = files.manifest
    data: Mapping[str, Any] = m.get("data") or {}
    steps = []
    aside = {str(q.get("recording_id")): str(q.get("hook")) for q in m.get("quarantined") or []}
    if data.get("n_recordings") is not None:
        excluded = {why: len(ids) for why, ids in (m.get("excluded") or {}).items()}
        after_load = int(data["n_recordings"]) + sum(hook == "load" for hook in aside.values())
        steps = [
            Step(count(after_load + sum(excluded.values())), "recordings found"),
            Step(count(len(aside)), "quarantined"),
            *(Step(count(n), "excluded", why) for why, n in excluded.items()),
            Step(count(after_load - len(aside)), "recordings used"),
        ]
    if data.get("n_samples") is not None:
        steps.append(Step(count(int(data["n_samples"])), "samples"))
    for protocol, split in files.splits.items():
        tested = {who for fold in split.get("folds") or [] for who in fold.get("test") or []}
        unit = str(split.get("unit") or "patient")
        steps.append(Step(count(len(tested)), f"{unit}s tested", protocol))
    return steps


def honest_result(files: RunFiles) -> list[str]:
    """Return the honest result in one sentence a target, with the paper's number behind it.

    The model quoted is the first that was declared, never the best of those tested.
    """
    pooled = [
        row
        for row in files.metrics
        if is_pooled(row) and not row.get("versus") and not row.get("subgroup")
    ]
    honest = [row for row in pooled if row.get("protocol") == "honest"]
    if not honest:
        if not pooled:
            return ["No metric was computed."]
        return [
            "The honest protocol did not run, so nothing here estimates the performance on new "
            "patients."
        ]
    models = list(dict.fromkeys(str(row.get("model") or "") for row in honest))
    order = [name for name in files.manifest.get("models") or [] if name in models] or models
    own = [row for row in honest if str(row.get("model") or "") == order[0]]
    titles = files.manifest.get("model_titles") or {}
    chosen = "" if len(models) < 2 else f", the first declared of {len(models)} models,"
    subject = (titles.get(order[0], order[0]) or "the model") + chosen
    # What is of no target (where the heat lies) leads only where there is nothing else.
    named = [row for row in own if row.get("target")] or own
    targets = list(dict.fromkeys(row.get("target") for row in named))
    return [
        _sentence([r for r in own if r.get("target") == target], pooled, subject,
                  str(target) if len(targets) > 1 and target else "")
        for target in targets
    ]  # fmt: skip


def _sentence(rows: Sequence[Row], pooled: Sequence[Row], subject: str, target: str) -> str:
    quoted = _leading(rows)
    for_target = f" for {target}" if target else ""
    many = len(quoted) > 1
    values = listed([_value(row, many) for row in quoted])
    said = f"Under the honest protocol {subject} reached {values}{for_target}."
    papers = [_in_paper(row, pooled) for row in quoted]
    gaps = [
        (f"{row['class_name']} " if many else "") + number(float(row["value"]))
        for row in papers
        if row is not None
    ]
    if gaps:
        said += f" The paper protocol, optimistic by its design, gave {listed(gaps)}."
    return said


def _leading(rows: Sequence[Row]) -> list[Row]:
    """Return the row to quote, or one a class where nothing is said of all classes together."""
    overall = [row for row in rows if not row.get("class_name")]
    for name in LEADING:
        found = [row for row in overall if row.get("name") == name]
        if found:
            return found[:1]
    for name in LEADING_BY_CLASS:
        of_class = [r for r in rows if r.get("class_name") and str(r.get("name")).startswith(name)]
        if of_class:
            return list(of_class)
    return list(rows[:1])


def _value(row: Row, with_class: bool) -> str:
    class_name = row.get("class_name")
    name = metric_words(str(row.get("name")), str(class_name) if class_name else None)
    name = name if name.startswith(_ACRONYMS) else name[:1].lower() + name[1:]
    article = "an" if name[:1].lower() in "aeio" or name.startswith("F1") else "a"
    class_words = f" for {class_name}" if with_class and class_name else ""
    interval = "no interval"
    if row.get("low") is not None and row.get("high") is not None:
        limits = f"{number(row['low'])} to {number(row['high'])}"
        interval = f"{level_words(row.get('level'))} CI {limits}"
    value = f"{number(float(row['value']))} ({interval}; {n_words(row)})"
    return f"{article} {name}{class_words} of {value}"


def _in_paper(row: Row, pooled: Sequence[Row]) -> Row | None:
    same = ("task", "target", "model", "class_name", "name")
    for other in pooled:
        if other.get("protocol") == "paper" and all(other.get(k) == row.get(k) for k in same):
            return other
    return None
