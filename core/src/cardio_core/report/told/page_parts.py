"""Everything that the partials of `told/` need, and the files that are written beside the page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cardio_core.io.run_artifact import RunArtifact
from cardio_core.report.told.card import model_card, write_card
from cardio_core.report.told.checklists import checklists, write_checklists
from cardio_core.report.told.flow import flow
from cardio_core.report.told.flow_drawing import draw
from cardio_core.report.told.methods import limits, methods

ELSEWHERE = ("judged", "external")
"""Kinds of pages whose models lie in another place, with their cards."""


def told_parts(files: RunArtifact) -> dict[str, Any]:
    """Return what `flow.html`, `methods.html` and `papers.html` in `partials` print."""
    counted = flow(files)
    return {
        "flow_told": counted,
        "flow_drawn": None if counted is None else draw(counted),
        "methods_told": methods(files),
        "limits_told": limits(files),
        "checklists": checklists(files),
        "model_card": () if files.manifest.kind in ELSEWHERE else model_card(files),
    }


def write_told(run: Path, files: RunArtifact) -> None:
    """Write the checklists as tables and the model card as Markdown into a run directory."""
    write_checklists(run, checklists(files))
    manifest = files.manifest
    if manifest.kind in ELSEWHERE:
        return  # the model is elsewhere, and so is its card
    title = str(manifest.task_title or manifest.task or run.name)
    write_card(run, model_card(files), title)


@cache
def templates(folder: str) -> Environment:
    """Return the templates of a folder of the package; what they are given is escaped.

    Examples
    --------
    >>> templates("report").get_template("page.html").name
    'page.html'
    """
    return Environment(
        loader=PackageLoader("cardio_core", folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
