"""The model card that goes with exported models: numbers of the run, and no patient of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.report import leading_protocol, model_card
from cardio_core.runs import FinalModels, MetricRow, Run, RunArtifact
from cardio_stats.cells import table_as_it_was
from cardio_stats.files import write_json, write_text
from cardio_stats.words import counted, level_words, listed, metric_words, number
from cardio_studies.export_contents import FEW, Chosen, Names, words_in

TEXT, JSON = "model_card.md", "model_card.json"

# What the training patients were like, for the card: from the summaries that predict goes by.

MOST_LINES = 30
_NORMAL_90 = 1.2815515655446004
"""The summaries hold the 10th and the 90th percentile as standard deviations of a normal one."""

HEAD = ("Measured", "Unit", "Median", "10th to 90th percentile")


def sentences_of(finals: FinalModels) -> tuple[str, ...]:
    """Say whether and by what predict tells who is like the training patients."""
    stored = finals.ranges
    if stored["why_not"]:
        return (f"New patients are not judged: {stored['why_not']}.",)
    sentences = [
        "`cardio predict` says of each new patient whether he is inside, borderline or outside "
        "what the models were trained on, by models/final/applicability.json."
    ]
    sentences += [f"Trained on {what}: {listed(names)}." for what, names in finals.names.items()]
    return tuple(sentences)


def table_of(stored: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Return the columns that new patients are compared in, clinical ones first, with a head."""
    likeness, about = stored["likeness"], stored["about"]
    names = list(likeness["columns"])
    if not names:
        return ()
    order = {"clinical": 0, "measured": 1, "input": 2}
    rows = []
    for position, name in enumerate(names):
        own = about.get(name) or {}
        middle, below, above = (float(likeness[key][position]) for key in _SIDES)
        low, high = middle - _NORMAL_90 * below, middle + _NORMAL_90 * above
        line = (str(own.get("title") or name), str(own.get("unit") or ""), number(middle),
                f"{number(low)} to {number(high)}")  # fmt: skip
        rows.append((order.get(str(own.get("kind")), 3), position, line))
    return (HEAD, *(line for _, _, line in sorted(rows)[:MOST_LINES]))


_SIDES = ("middle", "below", "above")

# Table 1 for strangers: no count below five, and none that the others would give away.

HIDDEN = f"hidden (< {FEW})"
_COUNTED = re.compile(r"^(\d+) \(([\d.]+)\)")
_KNOWN = re.compile(r"\s*\[(\d+)\]$")
_TESTS = ("p", "Test", "SMD")


@dataclass(frozen=True)
class Hidden:
    """A table without small counts, and how many of its variables lost theirs."""

    frame: pd.DataFrame
    n_hidden: int
    undivided: bool


def without_small_cells(table: pd.DataFrame, sizes: Mapping[str, int]) -> Hidden:
    """Return Table 1 as it may be shown to anybody.

    Parameters
    ----------
    table : DataFrame of str
        As a run prints it: `Variable`, a column for all and one a group, perhaps `Missing`, `p`
        and `Test`. Levels of a variable stand below it, indented.
    sizes : mapping of str to int
        Patients of the column for all, then of those of the groups.

    Returns
    -------
    Hidden
        A variable with a count of 1 to 4 in any group, or as many who lack it, is hidden whole,
        its p too: what is left would give the count away. A group of fewer than five patients is
        not shown at all, nor are the others beside it. Numbers of missing values of 1 to 4 are
        said to be below five.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "Variable": ["Male sex, n (%)", "Age, mean ± SD"],
    ...     "All (n = 20)": ["18 (90.0)", "60.1 ± 9.0"],
    ...     "no (n = 10)": ["10 (100.0)", "61.0 ± 8.0"],
    ...     "yes (n = 10)": ["8 (80.0)", "59.2 ± 9.9"], "p": ["0.47", "0.66"]})
    >>> sizes = {"All (n = 20)": 20, "no (n = 10)": 10, "yes (n = 10)": 10}
    >>> without_small_cells(table, sizes).frame.iloc[:, 1].tolist()
    ['hidden (< 5)', '60.1 ± 9.0']
    """
    frame = table.fillna("").astype(str).reset_index(drop=True)
    whole, *groups = sizes
    undivided = any(sizes[name] < FEW for name in groups)
    if undivided:
        gone = [name for name in [*groups, *_TESTS] if name in frame.columns]
        frame, sizes = frame.drop(columns=gone), {whole: sizes[whole]}
    blocks: list[list[int]] = []
    for position, name in enumerate(frame["Variable"]):
        if name.startswith(" ") and blocks:
            blocks[-1].append(position)
        else:
            blocks.append([position])
    n_hidden = 0
    for block in blocks:
        if _is_small(frame.iloc[block], sizes):
            n_hidden += 1
            frame.loc[block, list(sizes)] = HIDDEN
            frame.loc[block, [name for name in _TESTS if name in frame.columns]] = ""
    return Hidden(_without_small_missing(frame, list(sizes)), n_hidden, undivided)


def _is_small(rows: pd.DataFrame, sizes: Mapping[str, int]) -> bool:
    for name, n_all in sizes.items():
        for cell in rows[name]:
            known = _KNOWN.search(cell)
            n = int(known.group(1)) if known else n_all
            if 0 < n < FEW:
                return True
            counted = _COUNTED.match(cell)
            if counted and (0 < int(counted.group(1)) < FEW or 0 < n - int(counted.group(1)) < FEW):
                return True
    return False


def _without_small_missing(frame: pd.DataFrame, groups: list[str]) -> pd.DataFrame:
    if "Missing" not in frame.columns:
        return frame
    few = frame["Missing"].str.fullmatch(r"[1-4]")
    shown = frame.copy()
    shown.loc[few, "Missing"] = f"< {FEW}"
    for name in groups:
        shown.loc[few, name] = shown.loc[few, name].str.replace(_KNOWN, "", regex=True)
    return shown


ORDER = (
    "Intended use", "Models", "Training cohort", "Data for training and evaluation", "Metrics",
    "Results", "Performance", "Calibration", "Subgroups", "Applicability", "Warnings", "Limits",
    "Privacy", "Ethical considerations", "Licence", "Reproduction",
)  # fmt: skip
CALIBRATION = ("brier", "calibration", "conformal", "ici", "observed_over_expected")
SETS = ("mean_set_size", "empty_sets", "sets_of_several", "interval_half_width")
_ENTRIES = ("protocol", "target", "model", "class_name", "subgroup", "name", "value", "low", "high",
         "level", "method", "n", "unit", "n_patients", "threshold_source")  # fmt: skip
_LED_BY = ("auc", "macro_f1", "mae", "r2", "c_index")
_ALSO = ("sensitivity", "specificity", "ppv", "npv", "accuracy")


@dataclass(frozen=True)
class Part:
    """A heading, its sentences, and a table below them (its head first)."""

    heading: str
    sentences: tuple[str, ...]
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Card:
    """What the card says, in words and in numbers."""

    parts: tuple[Part, ...]
    numbers: dict[str, Any]
    title: str


def card_of(run: Path, chosen: Chosen, names: Names) -> Card:
    """Make the card of exported models from the run's own metrics.

    Metrics on fewer than five patients, and counts of 1 to 4, are left out; so is every note of the
    run that names a patient or a file. The words are those of the protocol that the run's own page
    tells; the numbers are all there.
    """
    files = _nameless(Run(run).artifact, chosen, names)
    rows = _rows(files, chosen)
    table = _table_one(files)
    finals = FinalModels(run)
    titles = files.manifest.model_titles
    shown = [row for row in rows if row.protocol == leading_protocol(files)]
    parts = {
        section.heading: Part(section.heading, section.sentences) for section in model_card(files)
    }
    for part in (
        Part("Models", _models(chosen, titles)),
        _measured("Performance", shown, chosen, titles),
        _measured("Calibration", shown, chosen, titles),
        _measured("Subgroups", shown, chosen, titles),
        Part("Training cohort", _cohort(files, table), _as_table(table)),
        Part("Applicability", sentences_of(finals), table_of(finals.ranges)),
        Part("Privacy", _PRIVACY),
        Part("Licence", ("The code is under Apache-2.0. Under which terms these models may be "
                         "used is for the authors to say.",)),
    ):  # fmt: skip
        parts[part.heading] = part
    manifest = files.manifest
    numbers = {
        "plugin": manifest.plugin, "task": manifest.task,
        "papers": manifest.papers,
        "data": {k: value for k, value in asdict(manifest.data).items() if value not in (None, "")},
        "targets": [asdict(target) for target in manifest.targets], "primary": chosen.primary,
        "models": {name: titles.get(name, name) for name in chosen.models},
        "left_out_models": chosen.left_out,
        "metrics": [_entries(row) for row in rows],
        "packages": manifest.packages, "applicability": finals.ranges,
        "table1": None if table is None else table.frame.to_dict("records"),
        "words": {name: list(parts[name].sentences) for name in ORDER if name in parts},
    }  # fmt: skip
    title = manifest.title
    return Card(tuple(parts[name] for name in ORDER if name in parts), numbers, title)


def write(card: Card, out: Path) -> None:
    """Write the card as Markdown and as JSON."""
    blocks = [f"# Model card: {card.title}"]
    for part in card.parts:
        blocks.append(f"## {part.heading}")
        if part.sentences:
            blocks.append("\n".join(f"- {sentence}" for sentence in part.sentences))
        if part.table:
            head, *rows = part.table
            lines = [head, ("---",) * len(head), *rows]
            blocks.append("\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines))
    blocks.append("After Mitchell M et al. Model cards for model reporting. FAT* 2019:220.")
    write_text(out / TEXT, "\n\n".join(blocks) + "\n")
    write_json(out / JSON, card.numbers)


def _cell(text: str) -> str:
    return text.replace("|", "/")


def _nameless(files: RunArtifact, chosen: Chosen, names: Names) -> RunArtifact:
    """Return the run's files as the card may know them."""
    manifest, few = files.manifest, _few_events(files)
    n_aside = len({recording.recording_id for recording in manifest.quarantined or ()})
    manifest = replace(
        manifest,
        data=replace(manifest.data, digest=None, path_shown=""),
        models=tuple(chosen.models), primary=chosen.primary, command=(),
        quarantined=tuple(
            replace(item, recording_id=str(n), hook="", reason="", code="unusable")
            for n, item in enumerate((manifest.quarantined or ())[:n_aside])
        ),
        excluded={}, flags={},
        notes=tuple(note for note in manifest.notes if not _names_any(note.text, names)),
        outcome="" if few else manifest.outcome,
        flow=type(manifest.flow)() if few else manifest.flow,
    )  # fmt: skip
    metrics = tuple(
        replace(row, extra={}) if few else row
        for row in files.metrics
        if row.model in chosen.models and row.versus in ("", *chosen.models)
    )
    return replace(files, manifest=manifest, metrics=metrics)


def _names_any(note: str, names: Names) -> bool:
    return bool(words_in(note) & names.distinct) or "/" in note or "\\" in note


def _few_events(files: RunArtifact) -> bool:
    """Whether a class has fewer than five patients, so that no count of classes is told."""
    found = [
        value
        for row in files.metrics
        for key, value in row.extra.items()
        if key in ("n_positive", "n_negative", "units_positive", "units_negative")
        and value is not None and row.fold is None and not row.subgroup
    ]  # fmt: skip
    return bool(found) and min(found) < FEW


def _rows(files: RunArtifact, chosen: Chosen) -> list[MetricRow]:
    """Return the pooled metrics of the exported models, on five patients or more."""
    return [
        row
        for row in files.metrics
        if row.fold is None
        and row.repeat is None
        and not row.versus
        and row.model in chosen.models
        and min(row.n or 0, row.n_patients or row.n or 0) >= FEW
        and not row.name.startswith("support")
    ]


def _entries(row: MetricRow) -> dict[str, Any]:
    """Return a metric JSON-ready, null where it has no such entry."""
    return {key: None if (value := getattr(row, key)) == "" else value for key in _ENTRIES}


def _measured(
    heading: str, rows: list[MetricRow], chosen: Chosen, titles: Mapping[str, str]
) -> Part:
    """Return a section of metrics: of performance for every model, else for the primary one."""
    whole = [row for row in rows if not row.subgroup]
    of = "pooled over the tested folds, the final models being fitted on everybody afterwards"
    none = f"No measure of {heading.lower()} was computed."
    if heading == "Subgroups":
        found = [row for row in rows if row.subgroup]
        of, none = "in subgroups of the tested patients", "No subgroup was evaluated."
    elif heading == "Calibration":
        found = [row for row in whole if _is_calibration(row)]
    else:
        found = [
            row
            for row in whole
            if row.name.startswith(_LED_BY)
            or (row.name.startswith(_ALSO) and row.model == chosen.primary)
        ]
    if heading != "Performance":
        found = [row for row in found if row.model == chosen.primary]
    if not found:
        return Part(heading, (none,))
    head = ("Model", "Measure", "Value", "Interval", "n", "Method")
    sentence = f"Protocol {found[0].protocol}, {of}; the rest is in {JSON}."
    return Part(heading, (sentence,), (head, *(_line(row, titles) for row in found)))


def _is_calibration(row: MetricRow) -> bool:
    return row.name.startswith(CALIBRATION) or row.name in SETS


def _line(row: MetricRow, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return one metric with its interval, method and n, for a table."""
    interval = ""
    if row.low is not None and row.high is not None:
        limits = f"{number(row.low)} to {number(row.high)}"
        interval = f"{level_words(row.level)}: {limits}"
    words = metric_words(row.name, row.class_name or None)
    return (
        titles.get(row.model, row.model),
        f"{words} ({', '.join(filter(None, (row.target, row.class_name, row.subgroup)))})",
        number(row.value),
        interval,
        counted(row.n or 0, row.unit),
        row.method,
    )


def _models(chosen: Chosen, titles: Mapping[str, str]) -> tuple[str, ...]:
    sentences = [
        f"`{name}`: {titles.get(name, name)}{' (the primary one)' * (name == chosen.primary)}."
        for name in chosen.models
    ]
    sentences += [f"{name} stays with the run: {why}." for name, why in chosen.left_out.items()]
    return tuple(sentences)


def _cohort(files: RunArtifact, table: Hidden | None) -> tuple[str, ...]:
    data = files.manifest.data
    kind = "synthetic patient" if data.source == "synthetic" else "patient"
    who = counted(data.n_patients or 0, kind)
    sentences = [f"{who}, {counted(data.n_recordings or 0, 'recording')}."]
    if _few_events(files):
        sentences.append("A class has fewer than five patients; how many is not reported.")
    if table is None:
        sentences.append("The run has no Table 1.")
    elif table.n_hidden or table.undivided:
        sentences.append(
            f"Variables with a count of 1 to {FEW - 1} somewhere are hidden: a small count can be "
            "a person, and the other counts would give it away."
        )
    return tuple(sentences)


def _as_table(table: Hidden | None) -> tuple[tuple[str, ...], ...]:
    if table is None:
        return ()
    lines = [tuple(map(str, row)) for row in table.frame.itertuples(index=False)]
    return (tuple(map(str, table.frame.columns)), *lines)


def _table_one(files: RunArtifact) -> Hidden | None:
    path, sizes = files.table_one, files.manifest.table1.sizes
    if path is None or not sizes:
        return None
    table = table_as_it_was(pd.read_csv(path, dtype=str, keep_default_na=False))
    return without_small_cells(table, sizes)


_PRIVACY = (
    "No patient's id, file, row of measurements or prediction is in this folder; whether a person "
    "was in the training cohort cannot be checked with it.",
    "A threshold, a conformal quantile, a median or a split of a tree can equal the value of one "
    "patient, who is not named, and in a small cohort the percentiles by which new patients are "
    "compared lie near its extremes. What a model has learnt can tell more of those it was fitted "
    "on than of others (membership inference); nothing was done against that.",
)
