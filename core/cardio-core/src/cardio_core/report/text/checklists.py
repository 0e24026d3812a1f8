"""TRIPOD+AI and CLAIM: what a run answers of each item, and what is left for the authors."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cardio_core.io.run_artifact import DataEntry, RunArtifact, RunKind, RunManifest
from cardio_core.report.text import external
from cardio_core.report.text.answer import answer
from cardio_core.report.text.methods import choice_words, flow_words, limits, methods, split_words
from cardio_core.report.text.ranking import compared_word, leading_protocol, pooled_rows, title_of
from cardio_stats.cells import texts
from cardio_stats.files import write_text
from cardio_stats.words import count, counted, listed

# The items of TRIPOD+AI and of CLAIM 2024 in our own words, and what of a run answers them.
#
# References
# ----------
# Collins GS et al. TRIPOD+AI statement. BMJ 2024;385:e078378. Tejani AS et al. Checklist for
# artificial intelligence in medical imaging (CLAIM): 2024 update. Radiol Artif Intell
# 2024;6:e240300.


@dataclass(frozen=True)
class Item:
    """One item.

    Attributes
    ----------
    number, asks : str
        As the statement numbers it; what it asks.
    told : tuple of str
        Keys of `evidence` that answer it, all of them needed; empty where no run can.
    rest : str
        What stays for the authors where a run answers the rest.
    """

    number: str
    asks: str
    sentences: tuple[str, ...] = ()
    rest: str = ""


TRIPOD_AI = (
    Item("1", "A title that names development or evaluation, population and outcome"),
    Item("2", "An abstract by the statement's own list"),
    Item("3", "Why the model is needed, for whom, and known inequalities"),
    Item("4", "Aim, and whether the model is developed, evaluated or both", ("aim",)),
    Item("5", "Where the data come from and when they were collected", ("source",),
         "dates, and why these data"),
    Item("6", "Setting, who was eligible, treatments received", ("participants",),
         "setting, eligibility, treatments"),
    Item("7", "How data were prepared and checked", ("quarantined", "settings")),
    Item("8", "What the outcome is, how and when it was assessed, by whom", ("outcome",),
         "who assessed it, and whether blinded"),
    Item("9", "Which predictors, how chosen and measured", ("models", "settings")),
    Item("10", "How the size was settled, and the number of events", ("events",),
         "the reason for the size"),
    Item("11", "How missing values were handled", ("missing",), "missing predictors"),
    Item("12", "Model type, building, tuning, internal validation, measures of performance",
         ("models", "partition", "choice", "statistics")),
    Item("13", "What was done about unequal classes", ("choice",), "any reweighting of classes"),
    Item("14", "How fairness was looked at", ("subgroups",), "which groups and why"),
    Item("15", "What the model returns, and how it is classified", ("output", "choice")),
    Item("16", "How training and evaluation data differ", ("partition",)),
    Item("17", "Ethical approval and consent"),
    Item("18", "Funding, conflicts, protocol, registration, data and code", ("code",),
         "funding, conflicts, protocol, registration, data sharing"),
    Item("19", "What patients and the public did in the study"),
    Item("20", "Flow of participants, their characteristics, their events",
         ("participants", "table_1")),
    Item("21", "Participants and events in each analysis", ("events", "by_fold")),
    Item("22", "The whole model, so that it can be used", ("final",)),
    Item("23", "Performance with intervals, also in groups and over folds",
         ("performance", "by_fold")),
    Item("24", "Any updating of the model, and its results", ("updating",)),
    Item("25", "Interpretation in light of earlier studies, and fairness"),
    Item("26", "Limits and their likely effect", ("limits",)),
    Item("27", "How the model would be used, by whom, on which input"),
)  # fmt: skip

CLAIM = (
    Item("1", "Title or abstract names the kind of method"),
    Item("2", "A structured abstract"),
    Item("3", "Background, and what the method is for"),
    Item("4", "Aims and hypotheses", ("aim",), "the hypothesis"),
    Item("5", "Prospective or retrospective"),
    Item("6", "The study's goal", ("aim",)),
    Item("7", "Sources of the data", ("source",), "how others may have them"),
    Item("8", "Who was included and who was not", ("participants",), "the criteria's reasons"),
    Item("9", "Preparation of the data", ("quarantined", "settings")),
    Item("10", "Which parts of the data were used", ("participants", "settings")),
    Item("11", "How data were de-identified"),
    Item("12", "How missing data were handled", ("missing",), "missing predictors"),
    Item("13", "How images or signals were acquired"),
    Item("14", "What the reference standard is", ("outcome",)),
    Item("15", "Why this reference standard"),
    Item("16", "Who annotated, and their expertise"),
    Item("17", "How the test set was annotated"),
    Item("18", "Agreement between and within annotators"),
    Item("19", "How data were parted", ("partition",)),
    Item("20", "The level at which the parts are disjoint", ("partition",)),
    Item("21", "The intended size, and why", ("events",), "the reason for the size"),
    Item("22", "The model in detail: inputs, layers, outputs", ("models", "settings")),
    Item("23", "Libraries and versions", ("software",)),
    Item("24", "Initial weights", ("settings",), "where pretrained weights come from"),
    Item("25", "Training in detail", ("settings", "seed")),
    Item("26", "How the final model was chosen", ("choice", "primary")),
    Item("27", "How models were fused, if they were", ("fusion",)),
    Item("28", "Measures of performance", ("statistics",)),
    Item("29", "Uncertainty and significance", ("statistics",)),
    Item("30", "Robustness and sensitivity", ("by_fold",), "other analyses"),
    Item("31", "How the model is explained", ("explained",)),
    Item("32", "Evaluation on internal data", ("internal",)),
    Item("33", "Test on external data"),
    Item("34", "Registration"),
    Item("35", "Numbers included and excluded", ("participants",)),
    Item("36", "Characteristics in each part", ("table_1",), "by part"),
    Item("37", "Performance with uncertainty in each part", ("performance", "by_fold")),
    Item("38", "Diagnostic estimates and their precision", ("performance",)),
    Item("39", "Which cases the model gets wrong", ("explained",), "why they fail"),
    Item("40", "Limits", ("limits",)),
    Item("41", "What it means for practice"),
    Item("42", "The full protocol", ("settings", "code"), "the study's protocol"),
    Item("43", "Where software, model and data are", ("code", "final"), "where they are published"),
    Item("44", "Funding and roles"),
)  # fmt: skip

# What a run itself can tell of the items of a reporting checklist, item by item.


def evidence(files: RunArtifact) -> dict[str, str]:
    """Return what is known, by what it is about; what a run does not tell is not in it.

    Keys are those that the items of `tripod_ai` and `claim` name.
    """
    manifest = files.manifest
    data = manifest.data
    report, answered = methods(files), answer(files)
    found = {
        "aim": answered.question if manifest.task else "",
        "source": _source(data),
        "participants": flow_words(files),
        "outcome": manifest.outcome.rstrip("."),
        "models": _models(manifest),
        "primary": _primary(files),
        "partition": _partition(files),
        "choice": _choice(files),
        "statistics": report.statistics,
        "software": report.software if manifest.core_version else "",
        "code": _code(manifest),
        "missing": _missing(manifest),
        "events": answered.counted,
        "performance": " ".join(answered.found) if files.metrics else "",
        "internal": " ".join(answered.found) if files.metrics else "",
        "by_fold": _by_fold(files),
        "subgroups": _subgroups(files),
        "explained": counted(len(files.cases), "explained case") if files.cases else "",
        "table_1": _table_1(files),
        "settings": "every setting stands in config.yaml" if files.config else "",
        "quarantined": _quarantined(manifest),
        "final": "the model lies in models/final"
        if (files.folder / "models/final").is_dir()
        else "",
        "limits": " ".join(limits(files)),
        "output": _output(manifest),
        "fusion": _fusion(files),
        "seed": f"seed {manifest.seed}" if manifest.seed is not None else "",
    }
    if manifest.kind is RunKind.JUDGED:
        # how the model was made, and on whom, is not known here
        found |= {"seed": "", "final": "", "output": "", "internal": ""}
    if external.is_external(files):
        found |= {
            "partition": external.validation_words(files), "internal": "", "seed": "",
            "updating": external.updating_words(files),
            "aim": f"evaluation: {external.data_words(files)}",
        }  # fmt: skip
    return {key: text for key, text in found.items() if text}


def _source(data: DataEntry) -> str:
    if data.source == "synthetic":
        named = f", difficulty: {data.difficulty}" if data.difficulty else ""
        return f"synthetic data, made by code with known truth{named}"
    shown = str(data.path_shown)
    digest = f", digest {str(data.digest)[:12]}" if data.digest else ""
    if data.source == "given":
        return f"predictions made elsewhere, {shown}{digest}"
    return f"real data, {shown}{digest}" if data.source == "real" and shown else ""


def _primary(files: RunArtifact) -> str:
    name = files.manifest.primary
    when = "beforehand" if files.manifest.kind is RunKind.JUDGED else "before the run"
    return f"“{title_of(files, str(name))}” was declared {when}" if name else ""


def _models(manifest: RunManifest) -> str:
    names = list(manifest.models)
    if manifest.kind is RunKind.JUDGED:
        word = compared_word(manifest)
        made = "made elsewhere" if word == "prediction" else "of predictions made elsewhere"
        return f"{counted(len(names), word)} {made}"
    baselines = sum(name in manifest.baselines for name in names)
    text = f"{counted(len(names), 'model')}, {count(baselines)} of them simple baselines"
    return f"{text} (methods text, second paragraph)" if names else ""


def _partition(files: RunArtifact) -> str:
    return "; ".join(
        f"{protocol}: {split_words(split)}" for protocol, split in files.splits.items()
    )


def _choice(files: RunArtifact) -> str:
    return choice_words(files, leading_protocol(files)) if files.splits else ""


def _code(manifest: RunManifest) -> str:
    commit = manifest.git_commit
    command = manifest.command
    parts = [
        "the command that was run" if command else "",
        f"commit {commit[:10]}" if commit else "",
    ]
    return ", ".join(filter(None, parts))


def _missing(manifest: RunManifest) -> str:
    if manifest.left_out:
        return manifest.left_out.rstrip(".")
    aside = manifest.flow.unlabelled
    if aside is None:
        return ""
    if not aside.patients:
        return "no patient lacks the outcome"
    return f"{counted(aside.patients, 'patient')} without a known outcome, not tested"


def _by_fold(files: RunArtifact) -> str:
    folds = {str(row.fold) for row in files.metrics if row.fold is not None}
    return f"every metric for each of {count(len(folds))} folds" if folds else ""


def _subgroups(files: RunArtifact) -> str:
    rows = pooled_rows(files, leading_protocol(files)) + list(files.metrics)
    groups = {row.subgroup for row in rows if row.subgroup}
    return f"results in {counted(len(groups), 'subgroup')}" if groups else ""


def _table_1(files: RunArtifact) -> str:
    return f"characteristics: tables/{files.table_one.name}" if files.table_one else ""


def _quarantined(manifest: RunManifest) -> str:
    if manifest.quarantined is None:
        return ""
    names = {row.recording_id for row in manifest.quarantined}
    if not names:
        return "no recording had to be set aside"
    return f"{counted(len(names), 'recording')} set aside, each with its reason"


def _output(manifest: RunManifest) -> str:
    kinds = {str(target.kind) for target in manifest.targets}
    words = {"binary": "a probability", "multiclass": "a probability for each class",
             "continuous": "a number"}  # fmt: skip
    return listed([words[kind] for kind in sorted(kinds & words.keys())])


def _fusion(files: RunArtifact) -> str:
    found = files.tables_named("fusion-weights")
    return f"weights of fused models: tables/{found[0].name}" if found else ""


ANSWERED, PARTLY, AUTHORS = "answered", "in part", "for the authors"

_TITLES = {
    "tripod_ai": "TRIPOD+AI (Collins GS et al. BMJ 2024;385:e078378)",
    "claim": "CLAIM 2024 (Tejani AS et al. Radiol Artif Intell 2024;6:e240300)",
}

CHECKLISTS = frozenset(_TITLES)
"""Names of the checklists, and of the tables that they are written to."""


@dataclass(frozen=True)
class Line:
    """One item: its number, what it asks in our own words, whether and how it is answered."""

    number: str
    asks: str
    status: str
    answer: str


@dataclass(frozen=True)
class Checklist:
    """A checklist filled in; `counted` says how much of it a run answers."""

    name: str
    title: str
    lines: tuple[Line, ...]

    @property
    def counted(self) -> str:
        """How many items are answered, and how many in part."""
        n, partly = (sum(line.status == s for line in self.lines) for s in (ANSWERED, PARTLY))
        return f"{n} of {len(self.lines)} answered by this page, {partly} in part"


def checklists(files: RunArtifact) -> tuple[Checklist, ...]:
    """Return both checklists of a run; an item that nothing is known of is left to the authors."""
    known = evidence(files)
    made = []
    for name, items in (("tripod_ai", TRIPOD_AI), ("claim", CLAIM)):
        made.append(Checklist(name, _TITLES[name], tuple(_line(item, known) for item in items)))
    return tuple(made)


def write_checklists(run: Path, made: Sequence[Checklist]) -> None:
    """Write each checklist as ``tables/NAME.csv``."""
    for item in made:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["item", "asks", "status", "answer"])
        rows.writerows(
            texts([line.number, line.asks, line.status, line.answer]) for line in item.lines
        )
        path = run / "tables" / f"{item.name}.csv"
        path.parent.mkdir(exist_ok=True)
        write_text(path, text.getvalue())


def _line(item: Item, known: dict[str, str]) -> Line:
    sentences = [known[key] for key in item.sentences if key in known]
    if not sentences:
        return Line(item.number, item.asks, AUTHORS, "")
    whole = not item.rest and len(sentences) == len(item.sentences)
    answer = " ".join(f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in sentences)
    rest = f" For the authors: {item.rest}." if item.rest else ""
    return Line(item.number, item.asks, ANSWERED if whole else PARTLY, answer + rest)
