"""Build `report.html` from the files of a run: one page that needs no network."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cardio_core.io.run_artifact import (
    CLOSING,
    DONE,
    CaseRecord,
    FoldRecord,
    RunArtifact,
    RunManifest,
    SplitRecord,
    read_artifact,
)
from cardio_core.report.results import (
    comparisons,
    fold_tables,
    main_tables,
    protocols_of,
    subgroup_tables,
)
from cardio_core.report.run_figures import (
    MAX_CASES,
    Picture,
    case_views,
    figure_groups,
    overview_pictures,
)
from cardio_core.report.tables import MAX_OPEN_ROWS, Table, is_stand_in, tables_of
from cardio_core.report.templates import templates
from cardio_core.report.terms import Names
from cardio_core.report.text import external
from cardio_core.report.text.answer import answer
from cardio_core.report.text.checklists import checklists, write_checklists
from cardio_core.report.text.methods import limits, methods
from cardio_core.report.text.model_card import model_card, write_card
from cardio_core.report.text.patient_flow import draw, flow
from cardio_core.report.text.ranking import compared_word, what_ran
from cardio_stats.files import write_text
from cardio_stats.words import count, duration

# What stands open on the page: Table 1, the main figures, and the cases that explain most.

MAX_FIGURES = 4
MAX_CASES_SHOWN = 2
MAX_BYTES_OF_CASES = 3_000_000
"""Figures of explained cases that are put into the page behind a fold."""

_KINDS = (
    (("roc",), ("honest", "paper")),
    (("calibration",), ("honest",)),
    (("decision",), ("honest",)),
    (("agreement", "scatter"), ("honest", "paper")),
    (("classes", "confusion"), ("honest", "paper")),
)
"""First parts of figures' names, and the protocols under which these figures lead."""


def main_figures(pictures: Sequence[Picture], manifest: RunManifest) -> list[Picture]:
    """Return the figures of discrimination, calibration and use: at most `MAX_FIGURES`.

    Of several of a kind the one of the first target and the primary model leads.
    """
    targets = [target.name for target in manifest.targets]
    models = [manifest.primary, *manifest.models]
    found: list[Picture] = []
    for kinds, protocols in _KINDS:
        for protocol in protocols:
            own = [
                picture
                for picture in pictures
                if picture.protocol in (protocol, "")
                and picture.name.partition("-")[0] in kinds
                and picture not in found
            ]
            if own:
                found.append(min(own, key=lambda item: _rank(item.name, targets, models)))
    return found[:MAX_FIGURES]


def _rank(name: str, targets: Sequence[str], models: Sequence[str]) -> tuple[int, int, int]:
    words = name.split("-")
    target = next((n for n, name in enumerate(targets) if name in words), len(targets))
    model = next((n for n, name in enumerate(models) if name in words), len(models))
    of_all = model == len(models)
    return target, 0 if of_all else 1, model


def cases_shown(cases: Sequence[CaseRecord], primary: str) -> list[CaseRecord]:
    """Return the explained cases that stand open: honest ones of the primary model, unlike."""
    drawn = [case for case in cases if case.figure]
    order = sorted(drawn, key=lambda c: (c.model != primary, c.protocol == "paper"))
    same = [case for case in order if _of(case) == _of(order[0])]
    firsts = {case.group: case for case in reversed(same)}
    found = [case for case in same if firsts[case.group] is case]
    found += [case for case in same if case not in found]
    return found[:MAX_CASES_SHOWN]


def cases_folded(
    cases: Sequence[CaseRecord], shown: Sequence[CaseRecord], run: Path
) -> list[CaseRecord]:
    """Return the further cases that the page holds: until they are many, or their figures large."""
    found: list[CaseRecord] = []
    room = MAX_BYTES_OF_CASES
    for case in cases:
        if case in shown:
            continue
        path = run / case.figure
        room -= path.stat().st_size if path.is_file() else 0
        if room < 0 or len(found) == MAX_CASES:
            break
        found.append(case)
    return found


def _of(case: CaseRecord) -> tuple[Any, Any]:
    return case.model, case.protocol


# Who was trained on and who was tested, fold by fold.

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


# Everything that the parts of the page need, and the files that are written beside the page.

ELSEWHERE = ("judged", "external")
"""Kinds of pages whose models lie in another place, with their cards."""


def methods_parts(files: RunArtifact) -> dict[str, Any]:
    """Return what `flow.html`, `methods.html` and `papers.html` in `parts` print."""
    counted = flow(files)
    return {
        "flow_told": counted,
        "flow_drawn": None if counted is None else draw(counted),
        "methods_told": methods(files),
        "limits_told": limits(files),
        "checklists": checklists(files),
        "model_card": () if files.manifest.kind in ELSEWHERE else model_card(files),
    }


def write_methods(run: Path, files: RunArtifact) -> None:
    """Write the checklists as tables and the model card as Markdown into a run directory."""
    write_checklists(run, checklists(files))
    manifest = files.manifest
    if manifest.kind in ELSEWHERE:
        return  # the model is elsewhere, and so is its card
    title = str(manifest.task_title or manifest.task or run.name)
    write_card(run, model_card(files), title)


SECTIONS = (
    ("answer", "Answer"),
    ("patients", "Patients"),
    ("external", "External validation"),
    ("performance", "Performance"),
    ("flow", "Flow"),
    ("explanations", "Explanations"),
    ("more", "Everything else"),
    ("methods", "Methods"),
    ("reproduce", "Reproduce"),
)

STAGES = {"load": "reading", "preprocess": "preparing", "featurize": "measuring"}

MAX_LISTED = 300
"""Notes, recordings and files that are listed; the others are counted."""

FEW_MODELS, MIN_OPEN_ROWS = 10, 6
"""Each model beyond so many takes a row of Table 1 behind the fold: the page stays short."""

NO_OVERLAP = "it repeats the published procedure and its choices; no shared patient is declared"


def build_report(run: Path) -> Path:
    """Write `report.html` into a run directory from the files that lie there.

    Beside it come the reporting checklists (``tables/tripod_ai.csv``, ``tables/claim.csv``) and
    ``model_card.md``.

    Of the run directory only `manifest.json` is needed. The report is self-contained HTML; equal
    files give an equal report.

    Raises
    ------
    DataError
        If there is no manifest, or a JSON file is broken.
    """
    files = read_artifact(run)
    forests = overview_pictures(files, write=True)
    write_methods(run, files)
    path = run / "report.html"
    write_text(path, render(files, forests))
    return path


def render(files: RunArtifact, forests: Sequence[Picture]) -> str:
    """Return the page as text."""
    style, script = _own("style.css"), _own("page.js")
    page = templates("report").get_template("page.html")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return page.render(
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=f"sha256-{digest}",
        **_content(files, forests),
    )


def _own(name: str) -> str:
    return resources.files("cardio_core.report").joinpath(name).read_text("utf-8")


def _content(files: RunArtifact, forests: Sequence[Picture]) -> dict[str, Any]:
    manifest = files.manifest
    names = Names.of(manifest, files.splits)
    primary = manifest.primary or next(iter(manifest.models), None)
    quarantined = list(manifest.quarantined or ())
    content: dict[str, Any] = {
        "count": count,
        "names": names,
        "manifest": manifest,
        "compared_word": compared_word(manifest),
        "title": manifest.task_title or names.heading(manifest.task or files.folder.name),
        "data": manifest.data,
        "finished": manifest.status in (DONE, CLOSING),
        "kicker": _kicker(manifest),
        "answer": answer(files),
        "made_with": what_ran(files),
        "optimistic": _optimistic(files),
        "results": main_tables(files.metrics, names),
        "folds": fold_tables(files.metrics, names),
        "forests": forests,
        "subgroups": subgroup_tables(files.metrics, names),
        "splits": split_views(files.splits),
        "quarantined": quarantined,
        "reasons": Counter((q.hook, q.reason) for q in quarantined).most_common(),
        "stages_told": STAGES,
        "max_listed": MAX_LISTED,
        "flags": list(manifest.flags.items()),
        "notes": _notes(manifest),
        "command": _command(manifest.command),
        "device": "; ".join(
            f"{key}: {value}" for key, value in vars(manifest.device).items() if value
        ),
        "stages": {name: duration(float(seconds)) for name, seconds in manifest.stages.items()},
        "outputs": list(manifest.outputs.items()),
        "config": files.config,
    }
    content |= methods_parts(files)
    content |= _compared(files, names, primary)
    content |= _tables(files, names)
    content |= _drawn(files, names, str(primary or ""))
    return content | {"contents": [(key, words) for key, words in SECTIONS if _shown(key, content)]}


def _compared(files: RunArtifact, names: Names, primary: str | None) -> dict[str, Any]:
    compared, notes = comparisons(files.metrics, names, primary)
    return {"comparisons": compared, "comparison_notes": notes}


def _tables(files: RunArtifact, names: Names) -> dict[str, Any]:
    tables = tables_of(files, names, is_stand_in(files.manifest))
    patients = files.table_one.relative_to(files.folder).as_posix() if files.table_one else ""
    first = next((table for table in tables if table.file == patients), None)
    about = files.manifest.table1
    if first is not None:
        by = f" by {names.word(about.by)}" if about.by else ""
        first = replace(first, title=f"Table 1. {about.title}{by}", in_caption=True)
    apart = {f"tables/{name}.csv": place for place, name in enumerate(external.TABLES)}
    others = [
        table for table in tables
        if table.file not in apart and (first is None or table.file != first.file)
    ]  # fmt: skip
    return {
        "table_one": first,
        "table_notes": list(about.notes),
        "open_rows": max(MIN_OPEN_ROWS, MAX_OPEN_ROWS - max(0, len(names.models) - FEW_MODELS)),
        "external": sorted(
            (table for table in tables if table.file in apart), key=lambda item: apart[item.file]
        ),
        "external_heads": external.HEADS,
        "external_rows": {Path(t.file).stem: _of_first(t) for t in tables if t.file in apart},
        "recalibrated_how": external.RECALIBRATED,
        "published": [table for table in others if table.published],
        "tables": [table for table in others if not table.published],
    }


def _of_first(table: Table) -> int:
    """Return how many rows are of the model that stands first; all where no model is named."""
    if not table.columns or table.columns[0].name.strip().lower() != "model":
        return table.n_rows
    titles = [text for text, _ in table.columns[0].cells]
    return next((n for n, text in enumerate(titles) if text != titles[0]), table.n_rows)


def _drawn(files: RunArtifact, names: Names, primary: str) -> dict[str, Any]:
    groups = figure_groups(files, names, is_stand_in(files.manifest))
    leading = main_figures([item for _, items in groups for item in items], files.manifest)
    shown = cases_shown(files.cases, primary)
    views = [view for view in case_views(shown, files.folder, names) if view.picture]
    if any(view.picture and view.picture.whole for view in views):
        shown, views = shown[:1], views[:1]  # a page of its own: the next one waits behind a fold
    folded = cases_folded(files.cases, shown, files.folder)
    others = [(title, [item for item in items if item not in leading]) for title, items in groups]
    return {
        "main_figures": leading,
        "figures": [(title, items) for title, items in others if items],
        "n_figures": sum(len(items) for _, items in others),
        "cases_shown": views,
        "cases": case_views(folded, files.folder, names),
        "n_more_cases": len(files.cases) - len(shown) - len(folded),
    }


def _shown(section: str, content: Mapping[str, Any]) -> bool:
    listed = {
        "patients": "table_one",
        "performance": "main_figures",
        "explanations": "cases_shown",
        "flow": "flow_told",
        "methods": "methods_told",
    }
    return section in ("answer", "more", "reproduce") or bool(content[listed.get(section, section)])


def _kicker(manifest: RunManifest) -> list[str]:
    data = manifest.data
    origins = {"synthetic": "synthetic data", "real": "real data"}
    origin = (origins | {"given": "predictions made elsewhere"}).get(
        data.source, "origin of the data not recorded"
    )
    if data.difficulty:
        origin += f", difficulty: {data.difficulty}"
    day = (manifest.finished or manifest.started)[:10]
    return [part for part in (origin, day) if part]


def _optimistic(files: RunArtifact) -> str:
    """Return why the paper protocol is optimistic, empty where it did not run."""
    split = files.splits.get("paper")
    ran = split is not None or any(row.protocol == "paper" for row in files.metrics)
    declared = split.overlap if split is not None else ""
    return (declared or NO_OVERLAP) if ran else ""


def _notes(manifest: RunManifest) -> list[str]:
    needs = [
        f"Needed {need.task}, taken from {need.origin}: {need.text}" for need in manifest.needs
    ]
    found = [*needs, *manifest.messages, *map(str, manifest.notes)]
    return list(dict.fromkeys(found))


def _command(command: str | tuple[str, ...]) -> str:
    return command if isinstance(command, str) else shlex.join(command)
