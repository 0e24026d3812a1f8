"""What the commands of `cardio stats` share: reading a table, and writing a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

    from cardio_core.report.figures.canvas import Draw
    from cardio_core.stats.foundation.display import ResultTable
    from cardio_core.types.estimate import Estimate

Command = Callable[..., Any]

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
TARGET = click.option("--target", required=True, help="Column of the outcome.")
EVENT = click.option("--event", help="Value of the target that counts; needed unless 0 and 1.")
PATIENT = click.option("--patient", help="Column that says whose row it is.")
LEVEL = click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
LABELS = {
    "auc": "AUC", "ppv": "PPV", "npv": "NPV", "f1": "F1", "ece": "ECE", "mae": "MAE",
    "rmse": "RMSE", "sd": "SD", "loa": "limit of agreement,", "youden": "Youden's index",
    "r2": "R² = 1 - SSE/SST", "pearson_r2": "Pearson r²", "brier": "Brier score",
    "mae_constant": "MAE of saying the median", "mae_skill": "1 - MAE/that",
    "scaled_brier": "scaled Brier score",
}  # fmt: skip
"""How words of an estimate's name are printed, where not as they are."""
SEED = click.option("--seed", default=0, show_default=True, help="Of every resampling.")


def output_options(figure: bool) -> Callable[[Command], Command]:
    """Add --csv, --html, --json, and --svg where a figure makes sense."""
    place = click.Path(dir_okay=False, path_type=Path)
    options = [
        click.option("--json", "as_json", is_flag=True, help="Print the estimates as JSON."),
        click.option("--html", "html_file", type=place, help="Write the table as a web page."),
        click.option("--csv", "csv_file", type=place, help="Write the table as CSV."),
    ]
    if figure:
        options.append(click.option("--svg", "svg_file", type=place, help="Write the figure."))

    def decorate(command: Command) -> Command:
        for option in options:
            command = option(command)
        return command

    return decorate


def columns_of(texts: Sequence[str]) -> list[str]:
    """Split ``a,b`` and repeated options into names, each once.

    Examples
    --------
    >>> columns_of(["qrs_ms, lvef_pct", "age_y", "qrs_ms"])
    ['qrs_ms', 'lvef_pct', 'age_y']
    """
    names = [name.strip() for text in texts for name in text.split(",")]
    return list(dict.fromkeys(name for name in names if name))


def read_table(path: Path, *, one_row_each: str | None = None) -> pd.DataFrame:
    """Read a CSV (comma, semicolon or tab) or Parquet table.

    Parameters
    ----------
    path : Path
    one_row_each : str, optional
        Column of the patients, each of whom may have one row only.

    Raises
    ------
    DataError
        Not such a file, no rows, Parquet without the extra that reads it, or a patient of several
        rows where each may have one.
    """
    import pandas as pd

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep=_separator(path), encoding="utf-8-sig", low_memory=False)
    except ImportError:
        raise DataError(
            f'{path}: Parquet needs pyarrow, which is missing; pip install "./core[parquet]"'
        ) from None
    except (ValueError, OSError) as error:
        words = " ".join(str(error).split())
        raise DataError(f"{path}: expected a CSV or Parquet table; {words}") from None
    if table.empty:
        raise DataError(f"{path}: expected rows below the header, found none")
    table.columns = [str(column).strip() for column in table.columns]
    if one_row_each is not None:
        from cardio_core.stats.foundation.columns import require_one_row_each

        require_one_row_each(table, one_row_each)
    return table


def unit_of(patient: str | None) -> str:
    """Say what a row is, where a patient has one row each."""
    return "row" if patient is None else "patient"


def _separator(path: Path) -> str:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header = file.readline()
    return max(",;\t", key=header.count)


def scored(
    table: pd.DataFrame, target: str, scores: Sequence[str], event: str | None, patient: str | None
) -> tuple[Any, list[Any], dict[str, Any]]:
    """Return outcome, scores, and what is independent: ``clusters`` and ``unit``.

    Where every patient has one row there are no clusters: the formulas for independent rows apply,
    and they count patients.

    Raises
    ------
    DataError
        A column that is missing, or both target and score; text in a score, or the same in every
        row; an outcome of other than two values.
    """
    import numpy as np
    import pandas as pd

    from cardio_core.stats.foundation.columns import binary_outcome, column_named, numbers

    if target in scores:
        raise DataError(f"column {target!r}: is both target and score; choose another score")
    outcome, _ = binary_outcome(table, target, event)
    values = [numbers(table, name) for name in scores]
    clusters, unit = None, None
    if patient is not None:
        clusters, unit = column_named(table, patient).to_numpy(dtype=object), "patient"
        outcome = np.where(pd.isna(clusters), np.nan, outcome)
    known = ~np.isnan(np.array([outcome, *values])).any(axis=0)
    if clusters is not None and len(set(clusters[known])) == known.sum():
        clusters = None
    _require_both_classes(outcome[known], target)
    for name, column in zip(scores, values, strict=True):
        if np.nanmin(column) == np.nanmax(column):
            raise DataError(
                f"column {name!r}: expected scores that vary, found {np.nanmin(column):g} in every "
                "row; choose another column"
            )
    return outcome, values, {"clusters": clusters, "unit": unit}


def _require_both_classes(outcome: Any, target: str) -> None:
    n_events, n = int(outcome.sum()), len(outcome)
    if min(n_events, n - n_events) < 2:
        raise DataError(
            f"{target}: expected at least 2 rows of each class, found {n_events} with the event "
            f"and {n - n_events} without among {n} complete rows; add patients"
        )


def result_table(
    title: str, estimates: Sequence[Estimate], notes: Sequence[str] = ()
) -> ResultTable:
    """Put estimates below each other, a line each."""
    from cardio_core.stats.foundation.display import BLANK, ResultTable, p_text

    rows = []
    for e in estimates:
        limits = (
            f"{_number(e.low)} to {_number(e.high)}"
            if e.low is not None and e.high is not None
            else BLANK
        )
        rows.append(
            (label_of(e.name), _number(e.value), limits, p_text(e.p_value), f"{e.n}",
             e.unit, str(e.n_dropped), e.method)
        )  # fmt: skip
    remarks = [f"{label_of(e.name)}: {e.note}" for e in estimates if e.note]
    level = next((e.level for e in estimates if e.level is not None), 0.95)
    return ResultTable(
        title,
        ("", "value", f"{level * 100:g} % CI", "p", "n", "unit", "dropped", "method"),
        tuple(rows),
        tuple(dict.fromkeys([*notes, *remarks])),
        tuple(estimates),
    )


def label_of(name: str) -> str:
    """Print the name of an estimate; a column's name in brackets stays as it is.

    Examples
    --------
    >>> label_of("auc_difference[risk_1 - qrs_ms]"), label_of("icc_2_1"), label_of("pearson_r2")
    ('AUC difference [risk_1 - qrs_ms]', 'ICC(2,1)', 'Pearson r²')
    """
    stem, bracket, columns = name.partition("[")
    if stem.startswith("icc_"):
        return f"ICC({','.join(stem.split('_')[1:])})"
    words = LABELS.get(stem) or " ".join(LABELS.get(word, word) for word in stem.split("_"))
    return f"{words} {bracket}{columns}".strip()


def _number(value: float) -> str:
    if value == round(value) and abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.3f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"


def write_result(
    table: ResultTable,
    *,
    as_json: bool,
    csv_file: Path | None,
    html_file: Path | None,
    svg_file: Path | None = None,
    figure: Draw | None = None,
    text: str | None = None,
) -> None:
    """Print a result as `text` (its table by default) or JSON; write the files asked for."""
    import json

    from cardio_core.io.atomic import write_text

    if svg_file is not None and figure is not None:
        from cardio_core.report.figures.canvas import save_svg

        save_svg(figure, svg_file)
    if csv_file is not None:
        write_text(csv_file, table.to_frame().to_csv(index=False))
    if html_file is not None:
        write_text(html_file, page_of(table, figure))
    if as_json:
        rows = [estimate.to_dict() for estimate in table.estimates]
        click.echo(json.dumps(rows, indent=2, allow_nan=False))
    else:
        click.echo(table.to_text() if text is None else text)


def page_of(table: ResultTable, figure: Draw | None = None) -> str:
    """Return the table, and its figure if there is one, as a page that needs no network."""
    from html import escape

    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    body = "\n".join(
        "<tr>"
        + "".join(f"<td>{escape(cell).replace('  ', '&emsp;')}</td>" for cell in row)
        + "</tr>"
        for row in table.rows
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in table.notes)
    drawing = ""
    if figure is not None:
        from cardio_core.report.figures.canvas import svg_text

        svg = svg_text(figure)
        drawing = f"<figure>{svg[svg.index('<svg') :]}</figure>"
    style = (
        "body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#222}"
        "table{border-collapse:collapse}th,td{padding:.25rem .7rem;text-align:right}"
        "th:first-child,td:first-child{text-align:left}thead{border-bottom:2px solid #222}"
        "tr:nth-child(even) td{background:#f6f6f6}p{color:#555;max-width:60rem;margin:.3rem 0}"
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(table.title)}'
        f"</title><style>{style}</style></head><body><h1>{escape(table.title)}</h1>\n"
        f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>\n"
        f"{notes}\n{drawing}</body></html>\n"
    )
