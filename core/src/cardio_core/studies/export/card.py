"""The model card that goes with exported models: numbers of the run, and no patient of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from cardio_core.io.atomic import write_json, write_text
from cardio_core.io.kept.models import APPLICABILITY as KEPT_RANGES
from cardio_core.io.tables.formula import table_as_it_was
from cardio_core.report.run_files import RunFiles, read_run
from cardio_core.report.told.card import FILE, model_card
from cardio_core.report.told.standing import protocol_told
from cardio_core.report.words import counted, level_words, metric_words, number
from cardio_core.runner.fitting.applicable import APPLICABILITY
from cardio_core.studies.export.names import Names, words_in
from cardio_core.studies.export.parts import FEW, Chosen
from cardio_core.studies.export.ranges import sentences_of, table_of
from cardio_core.studies.export.small_cells import Hidden, without_small_cells
from cardio_core.types.notes import notes_in

JSON = "model_card.json"
ORDER = (
    "Intended use", "Models", "Training cohort", "Data for training and evaluation", "Metrics",
    "Results", "Performance", "Calibration", "Subgroups", "Applicability", "Warnings", "Limits",
    "Privacy", "Ethical considerations", "Licence", "Reproduction",
)  # fmt: skip
CALIBRATION = ("brier", "calibration", "conformal", "ici", "observed_over_expected")
SETS = ("mean_set_size", "empty_sets", "sets_of_several", "interval_half_width")
_KEPT = ("protocol", "target", "model", "class_name", "subgroup", "name", "value", "low", "high",
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
    files = _nameless(read_run(run), chosen, names)
    rows = _rows(files, chosen)
    table = _table_one(files)
    ranges = KEPT_RANGES.read(run / APPLICABILITY) if (run / APPLICABILITY).is_file() else None
    titles = dict(files.manifest.get("model_titles") or {})
    told = [row for row in rows if row["protocol"] == protocol_told(files)]
    parts = {one.heading: Part(one.heading, one.sentences) for one in model_card(files)}
    for part in (
        Part("Models", _models(chosen, titles)),
        _measured("Performance", told, chosen, titles),
        _measured("Calibration", told, chosen, titles),
        _measured("Subgroups", told, chosen, titles),
        Part("Training cohort", _cohort(files, table), _as_table(table)),
        Part("Applicability", sentences_of(ranges), table_of(ranges)),
        Part("Privacy", _privacy(chosen)),
        Part("Licence", ("The code is under Apache-2.0. Under which terms these models may be "
                         "used is for the authors to say.",)),
    ):  # fmt: skip
        parts[part.heading] = part
    manifest = files.manifest
    numbers = {
        "plugin": manifest.get("plugin"), "task": manifest.get("task"),
        "papers": manifest.get("papers"), "data": manifest.get("data"),
        "targets": manifest.get("targets"), "primary": chosen.primary,
        "models": {name: titles.get(name, name) for name in chosen.models},
        "left_out_models": chosen.left_out, "patient_rows": chosen.with_rows,
        "metrics": rows, "packages": manifest.get("packages"), "applicability": ranges,
        "table1": None if table is None else table.frame.to_dict("records"),
        "words": {name: list(parts[name].sentences) for name in ORDER if name in parts},
    }  # fmt: skip
    title = str(manifest.get("task_title") or manifest.get("task"))
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
    write_text(out / FILE, "\n\n".join(blocks) + "\n")
    write_json(out / JSON, card.numbers)


def _cell(text: str) -> str:
    return text.replace("|", "/")


def _nameless(files: RunFiles, chosen: Chosen, names: Names) -> RunFiles:
    """Return the run's files as the card may know them."""
    manifest = dict(files.manifest)
    data = dict(manifest.get("data") or {})
    data.pop("digest", None)
    data["path_shown"] = "a cohort that is not named here"
    few = _few_events(files)
    aside = {str(row.get("recording_id")) for row in manifest.get("quarantined") or ()}
    manifest |= {
        "data": {key: value for key, value in data.items() if key != "path_shown"},
        "models": list(chosen.models), "primary": chosen.primary, "command": None,
        "quarantined": [{"recording_id": str(n), "hook": "", "reason": ""}
                        for n in range(len(aside))],
        "excluded": {}, "flags": {},
        "notes": [one.to_dict() for one in notes_in(manifest) if not _names_any(one.text, names)],
        "outcome": None if few else manifest.get("outcome"),
    }  # fmt: skip
    if few:
        manifest["flow"] = {}
    metrics = tuple(
        {**row, "extra": {}} if few else row
        for row in files.metrics
        if row.get("model") in chosen.models and row.get("versus") in (None, *chosen.models)
    )
    return replace(files, manifest=manifest, metrics=metrics)


def _names_any(note: str, names: Names) -> bool:
    return bool(words_in(note) & names.distinct) or "/" in note or "\\" in note


def _few_events(files: RunFiles) -> bool:
    """Whether a class has fewer than five patients, so that no count of classes is told."""
    found = [
        value
        for row in files.metrics
        for key, value in (row.get("extra") or {}).items()
        if key in ("n_positive", "n_negative", "units_positive", "units_negative")
        and row.get("fold") is None and row.get("subgroup") is None
    ]  # fmt: skip
    return bool(found) and min(found) < FEW


def _rows(files: RunFiles, chosen: Chosen) -> list[dict[str, Any]]:
    """Return the pooled metrics of the exported models, on five patients or more."""
    return [
        {key: row.get(key) for key in _KEPT}
        for row in files.metrics
        if row.get("fold") is None
        and row.get("repeat") is None
        and row.get("versus") is None
        and row.get("model") in chosen.models
        and min(int(row.get("n") or 0), int(row.get("n_patients") or row.get("n") or 0)) >= FEW
        and not str(row.get("name")).startswith("support")
    ]


def _measured(
    heading: str, rows: list[dict[str, Any]], chosen: Chosen, titles: Mapping[str, str]
) -> Part:
    """Return a section of metrics: of performance for every model, else for the primary one."""
    whole = [row for row in rows if row["subgroup"] is None]
    of = "pooled over the tested folds, the final models being fitted on everybody afterwards"
    none = f"No measure of {heading.lower()} was computed."
    if heading == "Subgroups":
        found = [row for row in rows if row["subgroup"] is not None]
        of, none = "in subgroups of the tested patients", "No subgroup was evaluated."
    elif heading == "Calibration":
        found = [row for row in whole if _is_calibration(row)]
    else:
        found = [
            row
            for row in whole
            if str(row["name"]).startswith(_LED_BY)
            or (str(row["name"]).startswith(_ALSO) and row["model"] == chosen.primary)
        ]
    if heading != "Performance":
        found = [row for row in found if row["model"] == chosen.primary]
    if not found:
        return Part(heading, (none,))
    head = ("Model", "Measure", "Value", "Interval", "n", "Method")
    said = f"Protocol {found[0]['protocol']}, {of}; the rest is in {JSON}."
    return Part(heading, (said,), (head, *(_line(row, titles) for row in found)))


def _is_calibration(row: Mapping[str, Any]) -> bool:
    return str(row["name"]).startswith(CALIBRATION) or row["name"] in SETS


def _line(row: Mapping[str, Any], titles: Mapping[str, str]) -> tuple[str, ...]:
    """Return one metric with its interval, method and n, for a table."""
    interval = ""
    if row.get("low") is not None and row.get("high") is not None:
        limits = f"{number(row['low'])} to {number(row['high'])}"
        interval = f"{level_words(row.get('level'))}: {limits}"
    words = metric_words(str(row["name"]), row.get("class_name"))
    own = [str(row["target"]), row.get("class_name"), row.get("subgroup")]
    return (
        titles.get(str(row["model"]), str(row["model"])),
        f"{words} ({', '.join(map(str, filter(None, own)))})",
        number(float(row["value"])),
        interval,
        counted(int(row["n"]), str(row["unit"])),
        str(row["method"]),
    )


def _models(chosen: Chosen, titles: Mapping[str, str]) -> tuple[str, ...]:
    said = [
        f"`{name}`: {titles.get(name, name)}{' (the primary one)' * (name == chosen.primary)}."
        for name in chosen.models
    ]
    said += [f"{name} stays with the run: {why}." for name, why in chosen.left_out.items()]
    return tuple(said)


def _cohort(files: RunFiles, table: Hidden | None) -> tuple[str, ...]:
    data = files.manifest.get("data") or {}
    kind = "synthetic patient" if data.get("source") == "synthetic" else "patient"
    who = counted(int(data.get("n_patients") or 0), kind)
    said = [f"{who}, {counted(int(data.get('n_recordings') or 0), 'recording')}."]
    if _few_events(files):
        said.append("A class has fewer than five patients; how many is not told.")
    if table is None:
        said.append("The run has no Table 1.")
    elif table.n_hidden or table.undivided:
        said.append(
            f"Variables with a count of 1 to {FEW - 1} somewhere are hidden: a small count can be "
            "a person, and the other counts would give it away."
        )
    return tuple(said)


def _as_table(table: Hidden | None) -> tuple[tuple[str, ...], ...]:
    if table is None:
        return ()
    lines = [tuple(map(str, row)) for row in table.frame.itertuples(index=False)]
    return (tuple(map(str, table.frame.columns)), *lines)


def _table_one(files: RunFiles) -> Hidden | None:
    found = next((path for path in files.tables if path.name == "table1.csv"), None)
    if found is None:
        return None
    return without_small_cells(
        table_as_it_was(pd.read_csv(found, dtype=str, keep_default_na=False))
    )


def _privacy(chosen: Chosen) -> tuple[str, ...]:
    rows = ", beyond the rows named below," if chosen.with_rows else ""
    said = [
        f"No patient's id, file, row of measurements or prediction{rows} is in this folder; "
        "whether a person was in the training cohort cannot be checked with it.",
        "A threshold, a conformal quantile, a median or a split of a tree can equal the value of "
        "one patient, who is not named, and in a small cohort the percentiles by which new "
        "patients are compared lie near its extremes. What a model has learnt can tell more of "
        "those it was fitted on than of others (membership inference); nothing was done against "
        "that.",
    ]
    said += [
        f"WITH PATIENTS' ROWS, as was asked for: {name} {why}."
        for name, why in chosen.with_rows.items()
    ]
    return tuple(said)
