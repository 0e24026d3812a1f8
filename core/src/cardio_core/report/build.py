"""Build `report.html` from the files of a run: one page that needs no network."""

from __future__ import annotations

import base64
import hashlib
import shlex
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from markupsafe import Markup

from cardio_core.io.atomic import write_text
from cardio_core.io.run_artifact import RunArtifact, RunManifest, read_artifact
from cardio_core.report.headline import compared_word, what_ran
from cardio_core.report.naming import Names
from cardio_core.report.overview import overview, write_overview
from cardio_core.report.pictures import case_views, figure_groups, overview_pictures
from cardio_core.report.results import comparisons, fold_tables, main_tables, subgroup_tables
from cardio_core.report.shown_first import (
    cases_folded,
    cases_shown,
    main_figures,
    of_a_paper,
    table_one,
)
from cardio_core.report.splits_view import split_views
from cardio_core.report.tables import MAX_OPEN_ROWS, Table, is_stand_in, tables_of
from cardio_core.report.told import external
from cardio_core.report.told.answer import answer
from cardio_core.report.told.checklists import CHECKLISTS
from cardio_core.report.told.page_parts import templates, told_parts, write_told
from cardio_core.report.words import count, duration

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
    write_overview(run, overview(files.metrics, files.manifest))
    write_told(run, files)
    path = run / "report.html"
    write_text(path, render(files))
    return path


def render(files: RunArtifact) -> str:
    """Return the page as text."""
    style, script = _own("style.css"), _own("page.js")
    page = templates("report").get_template("page.html")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return page.render(
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=f"sha256-{digest}",
        **_content(files),
    )


def _own(name: str) -> str:
    return resources.files("cardio_core.report").joinpath(name).read_text("utf-8")


def _content(files: RunArtifact) -> dict[str, Any]:
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
        "finished": manifest.status == "done",
        "kicker": _kicker(manifest),
        "answer": answer(files),
        "made_with": what_ran(files),
        "optimistic": _optimistic(files),
        "results": main_tables(files.metrics, names),
        "folds": fold_tables(files.metrics, names),
        "forests": overview_pictures(files),
        "subgroups": subgroup_tables(files.metrics, names),
        "splits": split_views(files.splits),
        "quarantined": quarantined,
        "reasons": Counter((q.hook, q.reason) for q in quarantined).most_common(),
        "stages_told": STAGES,
        "max_listed": MAX_LISTED,
        "flags": list(manifest.flags.items()),
        "notes": _notes(manifest),
        "command": _command(manifest.command),
        "device": "; ".join(f"{key}: {one}" for key, one in vars(manifest.device).items() if one),
        "stages": {name: duration(float(seconds)) for name, seconds in manifest.stages.items()},
        "outputs": list(manifest.outputs.items()),
        "config": files.config,
    }
    content |= told_parts(files)
    content |= _compared(files, names, primary)
    content |= _tables(files, names)
    content |= _drawn(files, names, str(primary or ""))
    return content | {"contents": [(key, words) for key, words in SECTIONS if _shown(key, content)]}


def _compared(files: RunArtifact, names: Names, primary: str | None) -> dict[str, Any]:
    compared, notes = comparisons(files.metrics, names, primary)
    return {"comparisons": compared, "comparison_notes": notes}


def _tables(files: RunArtifact, names: Names) -> dict[str, Any]:
    own = tuple(path for path in files.tables if path.stem not in CHECKLISTS)
    tables = tables_of(own, files.folder, names, is_stand_in(files.manifest))
    first = table_one(tables)
    about = files.manifest.table1
    if first is not None:
        head, by, target = about.title.rpartition(" by ")
        first = replace(first, title=f"Table 1. {head}{by}{names.word(target)}", in_caption=True)
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
            (table for table in tables if table.file in apart), key=lambda one: apart[one.file]
        ),
        "external_heads": external.HEADS,
        "external_rows": {Path(t.file).stem: _of_first(t) for t in tables if t.file in apart},
        "recalibrated_how": external.RECALIBRATED,
        "published": [table for table in others if of_a_paper(table)],
        "tables": [table for table in others if not of_a_paper(table)],
    }


def _of_first(table: Table) -> int:
    """Return how many rows are of the model that stands first; all where no model is named."""
    if not table.columns or table.columns[0].heading != "Model":
        return table.n_rows
    titles = [text for text, _ in table.columns[0].cells]
    return next((n for n, text in enumerate(titles) if text != titles[0]), table.n_rows)


def _drawn(files: RunArtifact, names: Names, primary: str) -> dict[str, Any]:
    groups = figure_groups(files, names, is_stand_in(files.manifest))
    leading = main_figures([one for _, items in groups for one in items], files.manifest)
    shown = cases_shown(files.cases, primary)
    folded = cases_folded(files.cases, shown, files.folder)
    others = [(title, [one for one in items if one not in leading]) for title, items in groups]
    return {
        "main_figures": leading,
        "figures": [(title, items) for title, items in others if items],
        "n_figures": sum(len(items) for _, items in others),
        "cases_shown": [one for one in case_views(shown, files.folder, names) if one.picture],
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
        f"Needed {need.task}, taken from {need.origin}: {need.said}" for need in manifest.needs
    ]
    found = [*needs, *manifest.said, *map(str, manifest.notes)]
    return list(dict.fromkeys(found))


def _command(command: str | tuple[str, ...]) -> str:
    return command if isinstance(command, str) else shlex.join(command)
