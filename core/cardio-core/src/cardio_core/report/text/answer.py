"""The answer on the first screen: what was asked of whom, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

from cardio_core.io.run_artifact import RunArtifact, RunKind
from cardio_core.report.results import Row
from cardio_core.report.text import external
from cardio_core.report.text import fusion as fused
from cardio_core.report.text.ranking import (
    IN_WORDS,
    Difference,
    Standing,
    compared_word,
    in_sentence,
    leading_protocol,
    pooled_rows,
    standings,
    target_of,
    title_of,
    words_of,
)
from cardio_core.report.text.warnings import warnings_of
from cardio_stats.words import count, counted, level_words, listed, number

MAX_WARNINGS = 6


_CALIBRATION = (
    ("calibration_in_the_large", "intercept"),
    ("mean_error", "mean error"),
    ("calibration_slope", "slope"),
    ("calibration_slope_at", "slope"),
    ("oe_ratio", "observed over expected"),
    ("observed_over_expected_at", "observed over expected"),
    ("ici", "ICI"),
    ("ici_at", "ICI"),
    ("scaled_brier_at", "IPA"),
    ("net_benefit", "net benefit"),
    ("net_benefit_at", "net benefit"),
)
"""Measures of calibration and use that the answer quotes, and their words there."""


@dataclass(frozen=True)
class Answer:
    """What a reader should know first, in sentences.

    Attributes
    ----------
    question : str
        What was asked of whom.
    found : tuple of str
        The declared model's result beside the best baseline's; which model ranked first.
    others : tuple of (str, str)
        Further targets, each in words and in one line.
    warnings, more : tuple of str
        What stands in the way of the answer, the gravest first; the rest.
    counted : str
        How many patients, and how many of them had the event; empty where that is not known.
    """

    question: str
    found: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    more: tuple[str, ...]
    counted: str = ""


def answer(files: RunArtifact) -> Answer:
    """Return the answer of a run.

    Every comparison with a baseline is paired, on the units that both predicted; the declared
    model is the one of the manifest, never the best of those tested.
    """
    found = standings(files)
    warned = warnings_of(files, found)
    who, events = _who(files, found[0] if found else None)
    return Answer(
        _question(files, who),
        _found(files, found[0], len(found)) if found else (_nothing(files),),
        tuple((_label(files, item.target), _line(files, item)) for item in found[1:]),
        tuple(warned[:MAX_WARNINGS]),
        tuple(warned[MAX_WARNINGS:]),
        who if events else "",
    )


def answer_lines(files: RunArtifact) -> list[str]:
    """Return what was asked, what was found, and what stands in its way, for the terminal."""
    found = answer(files)
    return [found.question, *found.found, *(f"- {text}" for text in (*found.warnings, *found.more))]


def _who(files: RunArtifact, standing: Standing | None) -> tuple[str, str]:
    """Return how many patients were asked about, and how many of them had the event."""
    data = files.manifest.data
    kind = "synthetic patient" if data.source == "synthetic" else "patient"
    how_many = None if standing is None else _n_patients(standing.row)
    if how_many is None and data.n_patients is not None:
        how_many = int(data.n_patients)
    if how_many is None:
        return "", ""
    detail = _events(files, standing) if standing is not None else ""
    return f"In {counted(how_many, kind)}{f' ({detail})' if detail else ''}", detail


def _question(files: RunArtifact, who: str) -> str:
    manifest = files.manifest
    data = manifest.data
    column = manifest.outcome_column
    task = in_sentence(str(manifest.task_title or manifest.task or "not recorded"))
    judged = files.manifest.kind in (RunKind.JUDGED, RunKind.EXTERNAL)
    table = f"{data.path_shown}" if judged else "the cohort table"
    what = f"{column}, a column of {table}" if column else task
    return f"{who or 'In this cohort'}, the question was: {what}."


def _n_patients(row: Row) -> int | None:
    n = row.n if row.unit == "patient" else row.n_patients
    return None if n is None else int(n)


def _events(files: RunArtifact, standing: Standing) -> str:
    """Say how many had what was predicted, and of what where a patient has several."""
    target = target_of(files, standing.target)
    classes = [str(name) for name in target.classes]
    extra = standing.row.extra
    if standing.metric == "macro_f1":
        return _by_class(files, standing)
    n_rows, positive = extra.get("n_rows"), extra.get("n_positive")
    parts = []
    if n_rows is not None and n_rows != _n_patients(standing.row):
        parts.append(counted(int(n_rows), _unit(files, int(n_rows))))
    if positive is not None:
        if not classes or [name.lower() for name in classes] == ["no", "yes"]:
            parts.append(f"{count(int(positive))} with {words_of(files, standing.target)}")
        else:
            negative = int((n_rows or standing.row.n or 0) - positive)
            parts.append(f"{count(int(positive))} {classes[1]}, {count(negative)} {classes[0]}")
    return ", ".join(parts)


def _unit(files: RunArtifact, n_rows: int) -> str:
    """Return what a tested row is, where the run's other rows say it."""
    if files.manifest.kind is RunKind.JUDGED:
        return "row"
    units = {
        row.unit
        for row in files.metrics
        if row.n == n_rows and row.unit not in ("patient", "row", "video", None)
    }
    return units.pop() if len(units) == 1 else "study"


def _by_class(files: RunArtifact, standing: Standing) -> str:
    rows = [
        row
        for row in pooled_rows(files, leading_protocol(files))
        if row.name.startswith("support")
        and row.target == standing.target
        and row.model == standing.model
    ]
    if not rows:
        return ""
    by_class = [f"{row.class_name} {count(round(row.value))}" for row in rows]
    total = round(sum(row.value for row in rows))
    unit = str(rows[0].unit or "row")
    if (total, unit) == (_n_patients(standing.row), "patient"):
        return ", ".join(by_class)
    return f"{counted(total, unit)}: {', '.join(by_class)}"


def _nothing(files: RunArtifact) -> str:
    if not files.metrics:
        return "No metric was computed."
    return (
        "No area under the ROC curve or other overall measure could be computed on the tested "
        "patients; the notes say why."
    )


def _found(files: RunArtifact, standing: Standing, n_targets: int) -> tuple[str, ...]:
    of = f" for {words_of(files, standing.target)}" if n_targets > 1 else ""
    sentences = [_main(files, standing, of)]
    if fused.is_fused(files):
        sentences += filter(None, [fused.beside_members(files, standing)])
    sentences += _calibration(files, standing)
    if external.is_external(files):
        sentences += external.beside_words(files, standing)
    first = standing.first
    if first not in (standing.model, standing.baseline):
        row = standing.rows[first]
        sentences.append(
            f"Of all {len(standing.rows)} {_compared(files)}, “{title_of(files, first)}” ranked "
            f"first with {_value(files, row, standing)}; it was picked afterwards, which flatters "
            "its number."
        )
    return tuple(sentences)


def _calibration(files: RunArtifact, standing: Standing) -> tuple[str, ...]:
    """Say how well the numbers that the model gives are meant, and what deciding by them is worth.

    Nothing for classes alone.
    """
    own = {
        row.name: row
        for row in pooled_rows(files, leading_protocol(files))
        if (row.target, row.model) == (standing.target, standing.model)
        and not row.versus and not row.class_name
    }  # fmt: skip
    parts = []
    for name, words in _CALIBRATION:
        if name not in own:
            continue
        extra = own[name].extra
        text = f"{words} {external.shown(own[name])}"
        if "if_calibrated_high" in extra:
            text += f" (up to {number(extra['if_calibrated_high'])} by chance alone)"
        if "threshold" in extra:
            text += f" at a threshold of {extra['threshold']:g}"
        parts.append(text)
    as_it_is = ", nothing refitted" if external.is_external(files) else ""
    return (f"Calibration{as_it_is}: {listed(parts)}.",) if parts else ()


def _main(files: RunArtifact, standing: Standing, of: str) -> str:
    judged = files.manifest.kind is RunKind.JUDGED
    honest = leading_protocol(files) == "honest"
    where = (
        external.where(files)
        if external.is_external(files)
        else "In patients kept apart from training"
        if honest
        else "On these patients"
        if judged
        else "The honest protocol did not run; under the paper protocol, optimistic by its design"
    )
    role = "the primary model, declared before the run," if standing.declared else "the model"
    if judged:
        word = compared_word(files.manifest)
        role = f"the declared {word}" if standing.declared else f"the {word}"
    who = f"{where}, {role} “{title_of(files, standing.model)}”"
    metric = IN_WORDS[standing.metric]
    value = _value(files, standing.row, standing)
    baseline = standing.baseline
    worse = None if baseline is None else _no_better(standing, baseline)
    if baseline is not None and worse is not None:
        # The verdict leads where a reader would else take the number for a success.
        against = _value(files, standing.rows[baseline], standing)
        ranked = ", which ranked first of all models" if standing.first == baseline else ""
        return (
            f"{who} was {worse} {_which(files, standing, baseline)}{of}: {metric} {value} against "
            f"{against}{ranked}; the paired difference is {standing.differences[baseline].shown}."
        )
    text = f"{who} reached {'an' if metric[0] in 'aeio' else 'a'} {metric} of {value}{of}"
    if baseline is None:
        alone = judged or fused.is_fused(files)
        if alone and _constant(files, standing) is None:
            return f"{text}."
        return f"{text}; {_without_baseline(files, standing)}."
    return f"{text}; {_beside(files, standing, baseline)}."


def _compared(files: RunArtifact) -> str:
    return f"{compared_word(files.manifest)}s"


def _which(files: RunArtifact, standing: Standing, baseline: str) -> str:
    n_baselines = sum(name != standing.model for name in standing.baselines)
    which = (
        f"the best of {n_baselines} simple baselines, picked afterwards,"
        if n_baselines > 1
        else "the simple baseline"
    )
    return f"{which} “{title_of(files, baseline)}”"


def _no_better(standing: Standing, other: str) -> str | None:
    """Return how a model that is not better than another stands to it, None where it may be."""
    gain: Difference | None = standing.gain(other)
    if gain is None or gain.low is None or gain.high is None or gain.low > 0:
        return None
    if gain.high < 0:
        return "worse than"
    return "no better than" if gain.value <= 0 else "not shown to be better than"


def _beside(files: RunArtifact, standing: Standing, baseline: str) -> str:
    value = number(float(standing.rows[baseline].value))
    ranked = " and ranked first of all models" if standing.first == baseline else ""
    text = f"{_which(files, standing, baseline)} reached {value}{ranked}"
    difference = standing.differences.get(baseline)
    if difference is None:
        return f"{text}; the two were not compared on the same patients"
    verdict = (
        "no interval, so nothing can be concluded from it"
        if difference.low is None or difference.high is None
        else "better than the baseline"
    )
    return f"{text}; the paired difference is {difference.shown}, {verdict}"


def _without_baseline(files: RunArtifact, standing: Standing) -> str:
    constant = _constant(files, standing)
    if constant is not None:
        return (
            f"always saying the median would have had {number(constant)}{unit_of(files, standing)}"
        )
    return "no simple baseline was run with it"


def _constant(files: RunArtifact, standing: Standing) -> float | None:
    if standing.metric != "mae":
        return None
    for row in pooled_rows(files, leading_protocol(files)):
        place = row.target, row.model, row.name
        if place == (standing.target, standing.model, "mae_constant"):
            return row.value
    return None


def unit_of(files: RunArtifact, standing: Standing) -> str:
    """Return the unit of the leading metric with a space before it, empty where it has none."""
    target = target_of(files, standing.target)
    unit = target.unit
    return f" {unit}" if standing.metric == "mae" and unit not in ("", "1") else ""


def _value(files: RunArtifact, row: Row, standing: Standing) -> str:
    value = number(row.value) + unit_of(files, standing)
    if row.low is None or row.high is None:
        return f"{value} (no interval)"
    limits = f"{number(row.low)} to {number(row.high)}"
    return f"{value} ({level_words(row.level)} interval {limits})"


def _label(files: RunArtifact, target: str) -> str:
    words = words_of(files, target)
    return words[:1].upper() + words[1:]


def _line(files: RunArtifact, standing: Standing) -> str:
    text = (
        f"“{title_of(files, standing.model)}”: {IN_WORDS[standing.metric]} "
        f"{_value(files, standing.row, standing)}"
    )
    baseline = standing.baseline
    if baseline is None:
        constant = _constant(files, standing)
        return text + ("" if constant is None else f"; always the median {number(constant)}")
    value = number(float(standing.rows[baseline].value))
    difference = standing.differences.get(baseline)
    compared = f"difference {difference.shown}" if difference else "not compared"
    return f"{text}; best baseline, “{title_of(files, baseline)}”: {value}, {compared}"
