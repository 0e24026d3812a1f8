"""What the commands of `cardio stats` share: their options, and writing a result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_core.cli.stats.reading import reading_notes, with_missing
from cardio_core.errors import ConfigError

if TYPE_CHECKING:
    from cardio_core.report.figures.canvas import Draw
    from cardio_core.stats.foundation.display import ResultTable
    from cardio_core.types.estimate import Estimate

Command = Callable[..., Any]

PLAIN_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def FILE(command: Command) -> Command:  # noqa: N802  a decorator beside the others
    """Take FILE, a table, and --missing; what was taken for granted stands below the result."""
    taking: Command = PLAIN_FILE(with_missing(command))
    return taking


TARGET = click.option("--target", required=True, help="Column of the outcome.")
EVENT = click.option("--event", help="Value of the target that counts; needed unless 0 and 1.")
PATIENT = click.option("--patient", help="Column that says whose row it is.")
LEVEL = click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
LABELS = {
    "auc": "AUC", "ppv": "PPV", "npv": "NPV", "f1": "F1", "ece": "ECE", "mae": "MAE",
    "rmse": "RMSE", "sd": "SD", "loa": "limit of agreement,", "youden": "Youden's index",
    "r2": "R² = 1 - SSE/SST", "pearson_r2": "Pearson r²", "brier": "Brier score",
    "mae_constant": "MAE of saying the median", "ccc": "CCC (Lin)", "mae_skill": "1 - MAE/that",
    "scaled_brier": "scaled Brier score", "harrell_c": "Harrell's C", "uno_c": "Uno's C",
    "auc_at": "AUC at", "brier_at": "Brier score at", "scaled_brier_at": "scaled Brier score at",
    "observed_over_expected_at": "observed/expected risk at",
    "oe_ratio": "observed over expected", "ici": "ICI",
    "e50": "E50", "e90": "E90", "emax": "Emax", "unreliability_u": "unreliability U",
    "quality_q": "quality Q",
    "likelihood_ratio_positive": "LR+", "likelihood_ratio_negative": "LR-",
    "partial_auc": "partial AUC", "partial_auc_corrected": "partial AUC, corrected",
    "multiclass_auc": "multiclass AUC (Hand and Till)",
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
        tuple(note for note in dict.fromkeys([*notes, *remarks]) if note),
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


def wants_figure(output: Mapping[str, Any]) -> bool:
    """Say whether a figure is to be drawn; importing what draws it costs more than most tables."""
    return bool(output["svg_file"] or output["html_file"])


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"{file}: cannot be written ({error.strerror}); name another place"
        ) from None


def write_result(
    table: ResultTable,
    *,
    as_json: bool,
    csv_file: Path | None,
    html_file: Path | None,
    svg_file: Path | None = None,
    figure: Draw | None = None,
    further: Sequence[Draw] = (),
    text: str | None = None,
) -> None:
    """Print a result as `text` (its table by default) or JSON; write the files asked for.

    `further` figures stand on the page below `figure`.
    """
    import json

    from cardio_core.io.atomic import replacing, write_text
    from cardio_core.io.tables.formula import write_table

    taken = reading_notes()
    table = replace(table, notes=(*table.notes, *taken))
    if svg_file is not None and figure is not None:
        from cardio_core.report.figures.canvas import save_svg

        with _writing(svg_file):
            save_svg(figure, svg_file)
    if csv_file is not None:
        with _writing(csv_file), replacing(csv_file) as temporary:
            write_table(table.to_frame(), temporary)
    if html_file is not None:
        figures = [*([figure] if figure else []), *further]
        with _writing(html_file):
            write_text(html_file, page_of(table, figures))
    if as_json:
        rows = [estimate.to_dict() for estimate in table.estimates]
        click.echo(json.dumps(rows, indent=2, allow_nan=False))
        for note in taken:
            click.echo(note, err=True)
    else:
        click.echo(table.to_text() if text is None else text)


def page_of(table: ResultTable, figures: Sequence[Draw] = ()) -> str:
    """Return the table, and its figures if there are any, as a page that needs no network."""
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
    for figure in figures:
        from cardio_core.report.figures.canvas import svg_text

        svg = svg_text(figure)
        drawing += f"<figure>{svg[svg.index('<svg') :]}</figure>"
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
