"""What stands in the way of the answer: one sentence each, computed, the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from cardio_core.io.run_artifact import RunArtifact, RunKind
from cardio_core.report.results import Row
from cardio_core.report.text import external
from cardio_core.report.text import fusion as fused
from cardio_core.report.text.ranking import (
    LOWER_IS_BETTER,
    Standing,
    leading_protocol,
    pooled_rows,
    target_of,
    title_of,
    words_of,
)
from cardio_core.types.notes import NoteKind, Severity
from cardio_stats.words import count, counted, listed, number

Warner = Callable[[RunArtifact, Standing], Iterator[str]]

FEW_EVENTS = 10
PARTED = 0.05
"""Paper and honest differ by more than this: five hundredths, or five per cent of an error."""

RARELY_DECIDED = 0.5
"""Prediction sets that leave more than this share of patients open are said to decide rarely."""

SETS_PROMISE = 0.9
"""Share of the patients of each class whose prediction set is to hold it."""

SLOPES = (0.5, 2.0)
MANY_QUARANTINED = 0.1


def warnings_of(files: RunArtifact, found: Sequence[Standing]) -> list[str]:
    """Return every warning of a run, the gravest first.

    Parameters
    ----------
    files : RunArtifact
    found : sequence of Standing
        Of the run's targets, the first of which is the answer's.
    """
    if not found:
        rest = [*_quarantined(files), *_plugins_own(files, None)]
        return [*_synthetic(files), *_not_honest(files), *_copied(files), *rest]
    first = found[0]
    grave = _from_each(
        files, first, (_no_better, _no_better_than_constant, _spans_chance, _few_events, _parted)
    )
    if external.is_external(files):
        grave += [*external.warnings(files, first), *external.of_overlap(files)]
        lesser = _from_each(files, first, (_all_or_none, _undecided))
    else:
        lesser = _from_each(files, first, (_all_or_none, _slope, _uncovered, _undecided))
    if fused.is_fused(files):
        grave += fused.no_better_than_members(files, first)
    # What the plugin says of itself comes before the details of what is computed.
    texts = [*_plugins_own(files, first.model), *_quarantined(files)]
    others = _others_no_better(files, found[1:])
    return [
        *_synthetic(files),
        *_not_honest(files),
        *_copied(files),
        *grave,
        *texts,
        *lesser,
        *others,
    ]


def _from_each(files: RunArtifact, standing: Standing, requested: Sequence[Warner]) -> list[str]:
    return [text for item in requested for text in item(files, standing)]


def _the(files: RunArtifact, standing: Standing, *, start: bool = True) -> str:
    """Name the answer's model: its title is long, and stands in the answer itself."""
    if standing.declared:
        return "The primary model" if start else "the primary model"
    return f"“{title_of(files, standing.model)}”"


def _synthetic(files: RunArtifact) -> Iterator[str]:
    if files.manifest.data.source == "synthetic":
        yield (
            "The data are synthetic: they say whether the method works on data built for it, and "
            "nothing about patients."
        )


def _not_honest(files: RunArtifact) -> Iterator[str]:
    if files.manifest.kind is RunKind.JUDGED:
        yield (
            "The predictions were made elsewhere: nothing here shows whether the model had seen "
            "these patients, or was chosen on them."
        )
    elif files.metrics and leading_protocol(files) not in ("honest", external.EXTERNAL):
        left_out = any(note.kind == NoteKind.LEFT_OUT_OF_HONEST for note in files.manifest.notes)
        why = " (no model could be fitted in it; the notes say why)" if left_out else ""
        yield (
            f"The honest protocol did not run{why}: nothing here estimates the result in new "
            "patients."
        )


def _copied(files: RunArtifact) -> Iterator[str]:
    """One signal under two patients: if they are one person, he may be trained on and tested."""
    n = int(files.manifest.copied_signals or 0)
    if n:
        yield (
            f"{counted(n, 'pair')} of recordings of different patients hold"
            f"{'s' if n == 1 else ''} one signal: a patient who is there twice may be trained on "
            "and tested. tables/overlap-pairs.csv names them; link or remove them, and run again."
        )


def _no_better(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """A model no better than a baseline: the interval of the paired difference is not above 0."""
    others = [name for name in standing.baselines if name != standing.model]
    beaten_by = []
    for name in others:
        gain = standing.gain(name)
        if gain is not None and gain.low is not None and gain.low <= 0:
            beaten_by.append(name)
    if beaten_by:
        yield (
            f"{_the(files, standing)} is not shown to be better than "
            f"{_some(files, beaten_by, 'simple baseline', len(others))}: the interval of the "
            "paired difference contains 0, or is against it."
        )


def _no_better_than_constant(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """A predicted number that misses by no less than always saying the median would."""
    if standing.metric != "mae":
        return
    for row in _of_model(files, standing, "mae_constant"):
        constant, error = row.value, standing.row.value
        if error >= constant:
            yield (
                f"{_the(files, standing)} misses by {number(error)} on average; always saying the "
                f"median of the tested would miss by {number(constant)}."
            )
        return


def _some(files: RunArtifact, names: Sequence[str], what: str, n_all: int) -> str:
    """Name a few models, and count many."""
    if len(names) <= 2:
        return " or ".join(f"“{title_of(files, name)}”" for name in names)
    return f"any of the {len(names)} {what}s" if len(names) == n_all else (
        f"{len(names)} of the {n_all} {what}s, “{title_of(files, names[0])}” among them"
    )  # fmt: skip


def _spans_chance(files: RunArtifact, standing: Standing) -> Iterator[str]:
    if standing.metric not in ("auc", "auc_at", "c_index"):
        return
    low, high = standing.row.low, standing.row.high
    if low is not None and high is not None and low <= 0.5 <= high:
        yield (
            f"The interval of {_the(files, standing, start=False)}, {number(low)} to "
            f"{number(high)}, contains 0.5: its ranking may be chance."
        )
    elif high is not None and high < 0.5:
        yield (
            f"The interval of {_the(files, standing, start=False)} lies below 0.5: its scores are "
            "lower where the event is; look whether it, or the event, is meant the other way round."
        )
    elif low is None or high is None:
        yield f"There are too few patients for an interval of {_the(files, standing, start=False)}."


def _few_events(files: RunArtifact, standing: Standing) -> Iterator[str]:
    extra = standing.row.extra
    positive, n_rows = extra.get("n_positive"), extra.get("n_rows") or standing.row.n
    if positive is None or not n_rows:
        return
    fewer = min(int(positive), int(n_rows) - int(positive))
    if fewer < FEW_EVENTS:
        yield (
            f"Only {count(fewer)} of the tested {_class(files, standing, int(positive) == fewer)}, "
            f"fewer than {FEW_EVENTS}: one more or less moves every number."
        )


def _class(files: RunArtifact, standing: Standing, positive: bool) -> str:
    """Say of some patients what they have or are."""
    target = target_of(files, standing.target)
    classes = [str(name) for name in target.classes or ("no", "yes")]
    if [name.lower() for name in classes] == ["no", "yes"]:
        return f"{'have' if positive else 'are without'} {words_of(files, standing.target)}"
    return f"are {classes[1] if positive else classes[0]}"


def _all_or_none(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """Sensitivity or specificity 0 or 1: the threshold decides all patients alike, or nearly."""
    values: dict[str, dict[str, float]] = {}
    for row in pooled_rows(files, leading_protocol(files)):
        if row.versus or row.class_name or row.target != standing.target:
            continue
        if row.name in ("sensitivity", "specificity"):
            values.setdefault(row.model, {})[row.name] = row.value
    extreme = {
        model: {name: v for name, v in own.items() if v in (0.0, 1.0)}
        for model, own in values.items()
    }
    # Of a baseline it is no surprise: always saying the same is one.
    named = [model for model, own in extreme.items() if own and model not in standing.baselines]
    own = extreme.get(standing.model)
    if own:
        text = listed([f"a {name} of {value:.0f}" for name, value in own.items()])
        others = [name for name in named if name != standing.model]
        so = (
            "it decides everybody alike"
            if set(own.values()) == {0.0, 1.0}
            else "the threshold is at an end of the scale, or the patients are too few"
        )
        also = f" Of the others, {counted(len(others), 'model')} too." if others else ""
        yield f"{_the(files, standing)} has {text}: {so}.{also}"
    elif named:
        yield (
            f"A sensitivity or specificity of exactly 0 or 1 is found in "
            f"{_first_two(files, named)}: a threshold separates nothing there, or the patients are "
            "too few."
        )


def _parted(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """Paper and honest part: by how much, and why."""
    if leading_protocol(files) != "honest":
        return
    same = [
        row
        for row in pooled_rows(files, "paper")
        if (row.target, row.model, row.name) == (standing.target, standing.model, standing.metric)
        and not row.versus
        and not row.class_name
    ]
    if not same:
        return
    paper, honest = same[0].value, standing.row.value
    apart = paper - honest
    relative = standing.metric in LOWER_IS_BETTER
    if abs(apart) < PARTED * (max(abs(honest), 1e-12) if relative else 1.0):
        return
    overlap = files.splits["paper"].overlap if "paper" in files.splits else ""
    flatters = (apart < 0) == relative
    if overlap and flatters:
        reason = f": {overlap}"
    elif overlap:
        reason = f", although {overlap}; its settings and its tested patients are others"
    else:
        reason = "; no patient stands on both sides there, but its folds and settings are others"
    yield (
        f"The paper protocol gives {number(paper)}, {number(abs(apart))} "
        f"{'more' if apart > 0 else 'less'} than the honest {number(honest)}{reason}."
    )


def _slope(files: RunArtifact, standing: Standing) -> Iterator[str]:
    model = _the(files, standing, start=False)
    for row in _of_model(files, standing, "calibration_slope"):
        slope = row.value
        if not SLOPES[0] <= slope <= SLOPES[1] and _excludes(row, 1.0):
            sense = "predictions are too extreme" if slope < 1 else "predictions are too timid"
            if slope <= 0:
                sense = "higher predictions do not go with more events"
            yield (f"The calibration slope of {model} is {number(slope)}, far from 1: {sense}.")
        return


def _excludes(row: Row, value: float) -> bool:
    """Without an interval nothing is excluded."""
    return row.low is not None and row.high is not None and not row.low <= value <= row.high


def _uncovered(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """Classes whose patients the prediction sets miss more often than is promised."""
    short = [
        f"{row.class_name} in {100 * row.value:.0f} % of its {counted(row.n or 0, 'patient')}"
        for row in _of_model(files, standing, "conformal_coverage", by_class=True)
        if row.high is not None and float(row.high) < SETS_PROMISE
    ]
    if short:
        yield (
            f"The prediction sets of {_the(files, standing, start=False)} promise to hold the true "
            f"class in {100 * SETS_PROMISE:.0f} %, and hold {listed(short)}."
        )


def _undecided(files: RunArtifact, standing: Standing) -> Iterator[str]:
    """Prediction sets of a yes-or-no outcome that hold both answers."""
    if standing.metric != "auc":
        return
    for row in _of_model(files, standing, "sets_of_several"):
        undecided = row.value
        if undecided > RARELY_DECIDED:
            yield (
                f"At the coverage that is promised, the prediction sets of "
                f"{_the(files, standing, start=False)} leave about {100 * undecided:.0f} % of the "
                "tested undecided."
            )
        return


def _of_model(
    files: RunArtifact, standing: Standing, name: str, *, by_class: bool = False
) -> list[Row]:
    return [
        row
        for row in pooled_rows(files, leading_protocol(files))
        if (row.target, row.model, row.name) == (standing.target, standing.model, name)
        and not row.versus
        and bool(row.class_name) == by_class
    ]


def _others_no_better(files: RunArtifact, found: Sequence[Standing]) -> Iterator[str]:
    """Further targets whose model is no better than its best baseline, in one sentence."""
    short = []
    for standing in found:
        gain = standing.gain(standing.baseline) if standing.baseline else None
        if gain is not None and gain.low is not None and gain.low <= 0:
            short.append(standing.target)
    if short:
        yield (
            f"Nor is the model shown to be better than the best baseline for "
            f"{listed([words_of(files, name) for name in short])}."
        )


def _quarantined(files: RunArtifact) -> Iterator[str]:
    quarantined, n_used = files.manifest.quarantined or (), files.manifest.data.n_recordings
    aside = {entry.recording_id for entry in quarantined}
    if not aside or n_used is None:
        return
    at_load = {entry.recording_id for entry in quarantined if entry.hook == "load"}
    total = n_used + len(at_load)
    if total and len(aside) > MANY_QUARANTINED * total:
        yield (
            f"{count(len(aside))} of {counted(total, 'recording')} "
            f"({100 * len(aside) / total:.0f} %) could not be used: those that are left may be a "
            "selection."
        )


def _first_two(files: RunArtifact, names: Sequence[str]) -> str:
    shown = [f"“{title_of(files, name)}”" for name in names[:2]]
    return listed([*shown, f"{len(names) - 2} more"] if len(names) > 2 else shown)


def _plugins_own(files: RunArtifact, model: str | None) -> Iterator[str]:
    """Yield what a plugin warned of, of all models or of the answer's one; each kind once."""
    warned = set()
    for note in files.manifest.notes:
        mine = note.severity == Severity.WARNING and note.model in (None, model)
        if mine and note.kind not in warned:
            warned.add(note.kind)
            yield note.text
