"""Build `report.html` from the files of a run: one page that needs no network and no script."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cardio_core.io.atomic import write_text
from cardio_core.report.headline import flow, honest_result, what_ran
from cardio_core.report.overview import overview, write_overview
from cardio_core.report.pictures import MAX_CASES, case_views, figure_groups, overview_pictures
from cardio_core.report.results import comparisons, fold_tables, main_tables, subgroup_tables
from cardio_core.report.run_files import RunFiles, read_run
from cardio_core.report.splits_view import split_views
from cardio_core.report.tables import Table, read_table
from cardio_core.report.words import PROTOCOLS, count, duration

SECTIONS = (
    ("results", "Results"),
    ("comparisons", "Comparisons of models"),
    ("subgroups", "Subgroups"),
    ("figures", "Figures"),
    ("tables", "Tables"),
    ("explanations", "Explained cases"),
    ("splits", "Who was tested"),
    ("data", "Data and quarantine"),
    ("notes", "Notes"),
    ("reproduce", "How to reproduce"),
)

NO_OVERLAP = "it repeats the published procedure and its choices; no shared patient is declared"


def build_report(run: Path) -> Path:
    """Write `report.html` into a run directory from the files that lie there.

    Of the run directory only `manifest.json` is needed. The report is self-contained HTML; equal
    files give an equal report.

    Raises
    ------
    DataError
        If there is no manifest, or a JSON file is broken.
    """
    files = read_run(run)
    write_overview(run, overview(files.metrics, files.manifest))
    path = run / "report.html"
    write_text(path, render(files))
    return path


def render(files: RunFiles) -> str:
    """Return the page as text."""
    style = resources.files("cardio_core.report").joinpath("style.css").read_text("utf-8")
    page = _templates().get_template("page.html")
    return page.render(style=Markup(style), **_content(files))  # noqa: S704 - our own file


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("cardio_core", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _content(files: RunFiles) -> dict[str, Any]:
    manifest = files.manifest
    titles: Mapping[str, str] = manifest.get("model_titles") or {}
    compared, compared_notes = comparisons(
        files.metrics, titles, next(iter(manifest.get("models") or []), None)
    )
    quarantined = list(manifest.get("quarantined") or [])
    content: dict[str, Any] = {
        "count": count,
        "manifest": manifest,
        "title": manifest.get("task_title") or manifest.get("task") or files.run.name,
        "data": manifest.get("data") or {},
        "finished": str(manifest.get("status") or "unknown") == "done",
        "result": honest_result(files),
        "what_ran": what_ran(files),
        "flow": flow(files),
        "optimistic": _optimistic(files),
        "results": main_tables(files.metrics, titles),
        "folds": fold_tables(files.metrics, titles),
        "overview": overview_pictures(files),
        "comparisons": compared,
        "comparison_notes": compared_notes,
        "subgroups": subgroup_tables(files.metrics, titles),
        "figures": figure_groups(files),
        "tables": _tables(files),
        "cases": case_views(files),
        "n_more_cases": max(0, len(files.cases) - MAX_CASES),
        "splits": split_views(files.splits),
        "quarantined": quarantined,
        "reasons": Counter((q.get("hook"), q.get("reason")) for q in quarantined).most_common(),
        "flags": list((manifest.get("flags") or {}).items()),
        "notes": _notes(manifest),
        "command": _command(manifest.get("command")),
        "stages": {
            name: duration(float(seconds))
            for name, seconds in (manifest.get("stages") or {}).items()
        },
        "config": files.config,
    }
    return content | {"contents": [(key, words) for key, words in SECTIONS if _shown(key, content)]}


def _shown(section: str, content: Mapping[str, Any]) -> bool:
    listed = {"explanations": "cases"}
    return section in ("results", "data", "reproduce") or bool(
        content[listed.get(section, section)]
    )


def _optimistic(files: RunFiles) -> str:
    """Return why the paper protocol is optimistic, empty where it did not run."""
    split = files.splits.get("paper")
    ran = split is not None or any(row.get("protocol") == "paper" for row in files.metrics)
    reason = str((split or {}).get("declared_overlap") or NO_OVERLAP).rstrip(". ")
    return reason if ran else ""


def _tables(files: RunFiles) -> list[Table]:
    tables = [read_table(path, files.run) for path in files.tables]
    rank = {name: position for position, name in enumerate(PROTOCOLS)}
    return sorted(tables, key=lambda table: (table.title, rank.get(table.protocol, len(rank))))


def _notes(manifest: Mapping[str, Any]) -> list[str]:
    needs = [
        f"Needed {need.get('task')}, taken from {need.get('from')}: {need.get('said')}"
        for need in manifest.get("needs") or []
    ]
    found = [*needs, *(manifest.get("said") or []), *(manifest.get("notes") or [])]
    return list(dict.fromkeys(str(note) for note in found))


def _command(command: Any) -> str:
    if isinstance(command, list):
        return shlex.join(str(part) for part in command)
    return str(command or "")
