"""One page that needs no network, from panels: what was found in words, drawn, and in tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from cardio_core.report.svg import inline_svg
from cardio_core.report.templates import templates
from cardio_stats.figures.canvas import Described
from cardio_stats.files import write_text
from cardio_stats.words import DASH, count, number, p_text


@dataclass(frozen=True)
class Panel:
    """One panel of the page.

    Attributes
    ----------
    key : str
        Name of its files: letters, digits and hyphens.
    title : str
    found : tuple of str
        Sentences: what was found first, then how to read it.
    tables : mapping of str to DataFrame
        By the name of the file.
    figures : mapping of str to Described
        By the name of the file.
    """

    key: str
    title: str
    found: tuple[str, ...]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    figures: dict[str, Described] = field(default_factory=dict)


def write_panels(
    path: Path,
    panels: Sequence[Panel],
    drawn: Mapping[str, str],
    *,
    title: str,
    about: Sequence[str],
    command: str,
    synthetic: bool = False,
) -> Path:
    """Write the page.

    Parameters
    ----------
    path : Path
    panels : sequence of Panel
    drawn : mapping of str to str
        The SVG of each figure, by its name.
    title : str
    about : sequence of str
        Facts above the title: where the data are from, the day.
    command : str
        As typed.
    synthetic : bool
        Whether the data are no patients'.
    """
    style = resources.files("cardio_core.report").joinpath("style.css").read_text("utf-8")
    text = (
        templates("report")
        .get_template("panels.html")
        .render(
            style=Markup(style),  # noqa: S704 - our own file
            title=title,
            about=list(about),
            command=command,
            synthetic=synthetic,
            panels=[_shown(panel, drawn) for panel in panels],
        )
    )
    write_text(path, text)
    return path


def _shown(panel: Panel, drawn: Mapping[str, str]) -> dict[str, Any]:
    return {
        "key": panel.key,
        "title": panel.title,
        "found": panel.found[:1],
        "notes": panel.found[1:],
        "tables": [
            {"name": name, "columns": list(table.columns), "rows": _rows(table)}
            for name, table in panel.tables.items()
        ],
        "figures": [
            {
                "title": drawing.title,
                "caption": drawing.caption,
                "svg": inline_svg(drawn[name], f"{name}-", drawing.title),
            }
            for name, drawing in panel.figures.items()
        ],
    }


def _rows(table: pd.DataFrame) -> list[list[tuple[str, bool]]]:
    """Return each cell's text, and whether it is a number."""
    return [
        [_cell(value, str(column)) for column, value in zip(table.columns, row, strict=True)]
        for row in table.itertuples(index=False)
    ]


def _cell(value: Any, column: str) -> tuple[str, bool]:
    if isinstance(value, str):
        return value, False
    if isinstance(value, bool) or str(type(value).__name__) == "bool_":
        return ("yes" if value else "no"), False
    if value is None or pd.isna(value):
        return DASH, True
    if column == "p" or column.startswith("p of"):
        return p_text(float(value)), True
    if float(value).is_integer() and abs(float(value)) < 1e9 and not isinstance(value, float):
        return count(int(value)), True
    return number(float(value)), True
