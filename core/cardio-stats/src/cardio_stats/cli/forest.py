"""`cardio stats forest`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardio_stats.cli.options import JSON, read_table, show, takes
from cardio_stats.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from cardio_stats.figures.forests import ForestLine

_CELL = re.compile(r"([-\d.e+]+) \(([-\d.e+]+) to ([-\d.e+]+)\)")
PLACE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@takes("file")
@click.option("--svg", "svg_file", type=PLACE, required=True, help="Write the figure here.")
@click.option("--column", help="Column of cells such as `1.05 (1.01 to 1.09)`, where there are "
              "several.")  # fmt: skip
@click.option("--ratio", is_flag=True, help="Ratios: a logarithmic axis around 1.")
@click.option("--reference", type=float, help="Value of no effect, a dashed line; 1 of ratios.")
@click.option("--axis", default="estimate", show_default=True, help="What the axis is called.")
@click.option("--title", default="", help="Above the figure.")
@JSON
def forest(
    file: Path,
    svg_file: Path,
    column: str | None,
    ratio: bool,
    reference: float | None,
    axis: str,
    title: str,
    as_json: bool,
) -> None:
    """Draw a forest plot of estimates with intervals.

    FILE has the columns label, estimate, low, high, and perhaps group and n; or it is what
    univariable, multivariable and subgroups write with --csv.
    """
    from cardio_stats.figures.canvas import save_svg
    from cardio_stats.figures.forests import estimate_forest

    table = read_table(file)
    left_out = 0
    if {"estimate", "low", "high"} <= set(table.columns):
        lines = _lines(table)
    else:
        axis, lines, left_out = _printed(table, column)
        ratio = ratio or axis.startswith(("OR", "HR", "odds ratio", "hazard ratio"))
    drawn = [line for line in lines if line.value is not None]
    if not drawn:
        raise DataError(f"{file}: expected estimates with intervals, found none that can be drawn")
    for line in drawn:
        if ratio and (line.low or 0.0) <= 0:
            raise DataError(
                f"{line.label}: expected a ratio and limits above 0, found {line.text}; leave "
                "--ratio out"
            )
    heads = ("n" if any(line.size for line in lines) else "", "estimate", "")
    figure = estimate_forest(
        lines, x=axis, title=title, heads=heads, log=ratio, reference=1.0 if ratio else reference
    )
    save_svg(figure, svg_file)
    text = f"{svg_file}: {len(drawn)} estimates"
    text += f"; {left_out} lines without an interval are left out" if left_out else ""
    answer = {"svg": str(svg_file), "n_estimates": len(drawn), "n_left_out": left_out}
    show(answer, (text,), as_json=as_json)


def _lines(table: pd.DataFrame) -> list[ForestLine]:
    """Return the lines, each group under its heading."""
    from cardio_stats._numerics.columns import column_named, numbers
    from cardio_stats._numerics.display import number_text
    from cardio_stats.figures.forests import ForestLine

    labels = column_named(table, "label").astype(str).tolist()
    groups = (
        table["group"].fillna("").astype(str).tolist()
        if "group" in table.columns
        else [""] * len(labels)
    )
    sizes = [""] * len(labels)
    if "n" in table.columns:
        sizes = ["" if size != size else f"{size:g}" for size in numbers(table, "n").tolist()]
    values = [numbers(table, name).tolist() for name in ("estimate", "low", "high")]
    lines: list[ForestLine] = []
    heading = ""
    for label, group, size, value, low, high in zip(labels, groups, sizes, *values, strict=True):
        if not low <= value <= high:
            raise DataError(
                f"{label}: expected low <= estimate <= high, found {low:g}, {value:g}, {high:g}",
                code="contradiction",
            )
        if group and group != heading:
            lines.append(ForestLine(group))
        heading = group
        text = f"{number_text(value)} ({number_text(low)} to {number_text(high)})"
        lines.append(ForestLine(label, value, low, high, text, size=size, indented=bool(group)))
    return lines


def _printed(table: pd.DataFrame, column: str | None) -> tuple[str, list[ForestLine], int]:
    """Return the name of a column of printed estimates, its lines, and how many have none."""
    from cardio_stats._numerics.columns import columns_told
    from cardio_stats.figures.forests import ForestLine

    named = [
        str(name)
        for name in table.columns
        if table[name].astype(str).str.fullmatch(_CELL.pattern).any()
    ]
    if column is None and named:
        column = named[0]
    if column is None or column not in named:
        raise DataError(
            "expected the columns label, estimate, low and high, or a column of cells such as "
            f"1.05 (1.01 to 1.09), found {columns_told(table, 8)}",
            code="missing",
        )
    lines, left_out = [], 0
    for label, cell in zip(table.iloc[:, 0].astype(str), table[column].astype(str), strict=True):
        matched = _CELL.fullmatch(cell)
        if matched:
            value, low, high = (float(number) for number in matched.groups())
            lines.append(ForestLine(label.strip(), value, low, high, cell))
        else:
            left_out += 1
    return column, lines, left_out
