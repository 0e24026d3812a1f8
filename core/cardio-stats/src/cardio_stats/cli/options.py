"""What the commands of `cardio stats` share: their options, and writing a result."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from cardio_stats.errors import ConfigError, DataError, every
from cardio_stats.layout import LAYOUT, laid_out, words_of
from cardio_stats.words import estimate_words

if TYPE_CHECKING:
    import pandas as pd

    from cardio_stats._numerics.display import ResultTable
    from cardio_stats.estimate import Estimate
    from cardio_stats.figures.canvas import Draw

# Read a table, and take scores, outcome and patients from it.

PATIENCE_S = 5.0
"""Between a beginning and the first line, and between two lines."""


class Progress:
    """Writes to standard error how far a computation is, every five seconds.

    Examples
    --------
    >>> report = Progress()
    >>> report("resamples", 100, 2000)  # nothing before five seconds
    """

    def __init__(self) -> None:
        self._what = ("", 0)
        self._began = self._reported = 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say it, if enough time has passed."""
        now = time.monotonic()
        if (what, total) != self._what:
            self._what, self._began, self._reported = (what, total), now, now
        if 0 < done < total and now - self._reported >= PATIENCE_S:
            from cardio_stats._numerics.watching import roughly

            left = (now - self._began) * (total - done) / done
            click.echo(f"{what}: {done} of {total}, about {roughly(left)} left", err=True)
            self._reported = now


def columns_of(texts: Sequence[str]) -> list[str]:
    """Split ``a,b`` and repeated options into names, each once.

    Examples
    --------
    >>> columns_of(["qrs_ms, lvef_pct", "age_y", "qrs_ms"])
    ['qrs_ms', 'lvef_pct', 'age_y']

    A name that holds a comma stands in double quotes:

    >>> columns_of(['"LVEF, echo (%)",rcs(age, 4)'])
    ['LVEF, echo (%)', 'rcs(age, 4)']
    """
    import csv

    names: list[str] = []
    for part in (part for parts in csv.reader(texts, skipinitialspace=True) for part in parts):
        if names and names[-1].startswith("rcs(") and not names[-1].endswith(")"):
            names[-1] += f", {part.strip()}"
        else:
            names.append(part.strip())
    return list(dict.fromkeys(name for name in names if name))


_READ = "cardio_stats.cli.options"
"""Where a command keeps what it read, and what --missing said: the click context's ``meta``."""


def with_missing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --missing to a command, which :func:`read_table` then heeds by itself."""

    def keep(ctx: click.Context, _: click.Parameter, words: tuple[str, ...]) -> None:
        ctx.meta[f"{_READ}.missing"] = words

    return click.option(
        "--missing", multiple=True, expose_value=False, callback=keep, metavar="[COL=]WORD",
        help="Word or number that means missing, in every column or in COL; repeatable.",
    )(command)  # fmt: skip


def read_table(path: Path, *, one_row_each: str | None = None) -> pd.DataFrame:
    """Read a CSV or Parquet table as people write them, with what --missing said.

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
    from cardio_stats._numerics.watching import watched
    from cardio_stats.tables import PATIENTS, read_typed

    ctx = click.get_current_context(silent=True)
    if ctx is not None:
        ctx.with_resource(watched(Progress()))
    missing = ctx.meta.get(f"{_READ}.missing", ()) if ctx else ()
    patient = ctx.params.get("patient") if ctx else None
    reading = read_typed(path, missing, ids=[*PATIENTS, *([patient] if patient else [])])
    if ctx is not None:
        ctx.meta[_READ] = reading
        reading.table.attrs["negative"] = ctx.meta.get(f"{_READ}.negative", ())
    if one_row_each is not None:
        from cardio_stats._numerics.columns import require_one_row_each

        require_one_row_each(reading.table, one_row_each)
    return reading.table


def reading_notes() -> list[str]:
    """Return what was taken for granted in the columns that the running command names.

    Table 1 without --columns uses all of them.
    """
    ctx = click.get_current_context(silent=True)
    if ctx is None or _READ not in ctx.meta:
        return []
    names = [str(name) for name in ctx.meta[_READ].table.columns]
    if ctx.params.get("columns") != ():
        values = [words if isinstance(words, tuple) else (words,) for words in ctx.params.values()]
        columns = columns_of([word for words in values for word in words if isinstance(word, str)])
        named = {part for word in columns for part in (word, word.partition("=")[0])}
        names = [name for name in names if name in named]
    notes: list[str] = ctx.meta[_READ].notes_on(names)
    return notes


def unit_of(patient: str | None) -> str:
    """Say what a row is, where a patient has one row each."""
    return "row" if patient is None else "patient"


def scored(
    table: pd.DataFrame, target: str, scores: Sequence[str], event: str | None, patient: str | None
) -> tuple[Any, list[Any], dict[str, Any]]:
    """Return outcome, scores, and what is independent: ``patient`` and ``unit``.

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

    from cardio_stats._numerics.columns import binary_outcome, column_named, numbers

    if target in scores:
        raise DataError(f"column {target!r}: is both target and score; choose another score")
    every(
        lambda: binary_outcome(table, target, event),
        *(partial(numbers, table, name) for name in scores),
    )
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
        if (lowest := np.nanmin(column)) == np.nanmax(column):
            long = abs(lowest) > 2**53  # of such whole numbers the last digits are not kept
            raise DataError(
                f"column {name!r}: expected scores that vary, found {lowest:g} in every row; "
                + ("subtract what their many digits share" if long else "choose another column")
            )
    return outcome, values, {"patient": clusters, "unit": unit}


def _require_both_classes(outcome: Any, target: str) -> None:
    n_events, n = int(outcome.sum()), len(outcome)
    if min(n_events, n - n_events) < 2:
        raise DataError(
            f"{target}: expected at least 2 rows of each class, found {n_events} with the event "
            f"and {n - n_events} without among {n} complete rows; add patients"
        )


def complete_rows(columns: Sequence[Any], clusters: Any) -> Any:
    """Return which rows hold every number and, where there are patients, a patient."""
    import numpy as np
    import pandas as pd

    known = ~np.isnan(np.array(columns)).any(axis=0)
    return known if clusters is None else known & pd.notna(clusters)


Command = Callable[..., Any]


def with_layout(command: Command) -> Command:
    """Add --sheet and --map, by which every table that the command reads is understood."""

    def sheet(ctx: click.Context, _: click.Parameter, name: str | None) -> None:
        if name is not None:
            ctx.with_resource(laid_out(replace(LAYOUT.get(), sheet=name)))

    def words(ctx: click.Context, _: click.Parameter, maps: tuple[str, ...]) -> None:
        if maps:
            ctx.with_resource(laid_out(replace(LAYOUT.get(), words=words_of(maps))))

    command = click.option(
        "--map", multiple=True, expose_value=False, callback=words, metavar="COL:WORD=WORD",
        help="What a word of a column stands for: sex:männlich=male; repeatable.",
    )(command)  # fmt: skip
    return click.option(
        "--sheet", expose_value=False, callback=sheet, metavar="NAME",
        help="Of a workbook (xlsx) with several.",
    )(command)  # fmt: skip


PLAIN_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def _with_file(command: Command) -> Command:
    """Take FILE, a table, and how it is read; what was taken for granted stands below it."""
    taking: Command = PLAIN_FILE(with_layout(with_missing(command)))
    return taking


def _with_event(command: Command) -> Command:
    """Add --event and --negative; the latter goes with the table that `read_table` reads."""

    def keep(ctx: click.Context, _: click.Parameter, words: tuple[str, ...]) -> None:
        ctx.meta[f"{_READ}.negative"] = words

    with_negative: Command = click.option(
        "--negative", multiple=True, expose_value=False, callback=keep, metavar="VALUE",
        help="A value without the event, where there are several; repeatable.",
    )(command)  # fmt: skip
    with_event: Command = click.option(
        "--event", metavar="VALUE",
        help="The value that counts; needed unless 0 and 1, or yes and no.",
    )(with_negative)  # fmt: skip
    return with_event


def show(answer: Mapping[str, Any], lines: Iterable[str], *, as_json: bool) -> None:
    """Print what a command did, as JSON or in lines for people."""
    import json

    click.echo(json.dumps(answer, indent=2) if as_json else "\n".join(lines))


Interval = Literal["auto", "delong", "logit", "bca", "percentile"]
_PLACE = click.Path(dir_okay=False, path_type=Path)


def _with_output(command: Command) -> Command:
    """Add --csv, --html, --tex and --json."""
    for option in (
        JSON,
        click.option("--tex", "tex_file", type=_PLACE, help="Write the table for LaTeX."),
        click.option("--html", "html_file", type=_PLACE, help="Write the table as a web page."),
        click.option("--csv", "csv_file", type=_PLACE, help="Write the table as CSV."),
    ):
        command = option(command)
    return command


def _with_figure(command: Command) -> Command:
    """Add what `_with_output` does, and --svg."""
    svg = click.option("--svg", "svg_file", type=_PLACE, help="Write the figure.")
    taking: Command = svg(_with_output(command))
    return taking


JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
LEVEL = click.option("--level", default=0.95, show_default=True, help="Coverage of intervals.")
SEED = click.option("--seed", default=0, show_default=True, help="Of every resampling.")
SHARED: Mapping[str, Callable[[Command], Command]] = {
    "file": _with_file,
    "plain file": PLAIN_FILE,
    "target": click.option("--outcome", "target", required=True, help="Column of the outcome."),
    "event": _with_event,
    "patient": click.option("--patient", help="Column that says whose row it is."),
    "one row each": click.option(
        "--patient", help="Column of the patients, each of whom has one row."
    ),
    "columns": click.option("--columns", multiple=True, help="Columns: a,b.  [default: all]"),
    "categorical": click.option(
        "--categorical", multiple=True, help="Columns of categories, whatever they hold."
    ),
    "reference": click.option(
        "--reference", multiple=True, metavar="COL=LEVEL",
        help="Level that the others of COL are compared with; repeatable.  [default: the first]",
    ),
    "interval of an AUC": click.option(
        "--interval", type=click.Choice(get_args(Interval)), default="auto", show_default=True,
        help="Of an AUC. auto: delong with 200 of each class and an AUC of .10 to .90, else logit "
        "with Student's t, which holds in small samples. bca, percentile: bootstrap.",
    ),
    "level": LEVEL, "seed": SEED,
    "output": _with_output,
    "figure": _with_figure,
}  # fmt: skip
"""Arguments and options that several commands take."""


def takes(*names: str) -> Callable[[Command], Command]:
    """Add shared arguments and options, in the order in which help lists them."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            command = SHARED[name](command)
        return command

    return decorate


def output_of(options: dict[str, Any]) -> dict[str, Any]:
    """Take what `takes("output")` or `takes("figure")` added out of the options of a command."""
    added = ("as_json", "tex_file", "html_file", "csv_file", "svg_file")
    return {name: options.pop(name) for name in added if name in options}


def numbers_of(
    texts: Sequence[str], option: str, like: str, *, below: float = math.inf
) -> list[float]:
    """Return the numbers above 0 and below a limit that an option lists, in order, each once."""
    found = set()
    for text in columns_of(texts):
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value < below:
            limit = "above 0" if below == math.inf else f"between 0 and {below:g}"
            raise ConfigError(f"{option}: expected numbers {limit}, as {like}, found {text!r}")
        found.add(value)
    return sorted(found)


def result_table(
    title: str, estimates: Sequence[Estimate], notes: Sequence[str] = ()
) -> ResultTable:
    """Put estimates below each other, a line each."""
    from cardio_stats._numerics.display import BLANK, ResultTable, p_text

    rows = []
    for e in estimates:
        limits = (
            f"{_number(e.low)} to {_number(e.high)}"
            if e.low is not None and e.high is not None
            else BLANK
        )
        rows.append(
            (estimate_words(e.name), _number(e.value), limits, p_text(e.p_value), f"{e.n}",
             e.unit, str(e.n_dropped), e.method)
        )  # fmt: skip
    remarks = [f"{estimate_words(e.name)}: {e.note}" for e in estimates if e.note]
    level = next((e.level for e in estimates if e.level is not None), 0.95)
    return ResultTable(
        title,
        ("", "value", f"{level * 100:g} % CI", "p", "n", "unit", "dropped", "method"),
        tuple(rows),
        tuple(note for note in dict.fromkeys([*notes, *remarks]) if note),
        tuple(estimates),
    )


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "unknown" if math.isnan(value) else f"{value:g}"
    if value == round(value) and abs(value) >= 10:
        return f"{value:.0f}"
    return f"{value:.3f}" if 1e-3 <= abs(value) < 1e4 or value == 0 else f"{value:.3g}"


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
    tex_file: Path | None,
    svg_file: Path | None = None,
    draw: Callable[[], Sequence[Draw]] | None = None,
    text: str | None = None,
) -> None:
    """Print a result as `text` (its table by default) or JSON; write the files requested.

    `draw` is called where a figure is wanted: importing what draws costs more than most tables. The
    first figure is the one of --svg; the page has all.
    """
    import json

    from cardio_stats.cells import write_table
    from cardio_stats.files import write_text

    figures = draw() if draw is not None and (svg_file or html_file) else ()
    taken = reading_notes()
    table = replace(table, notes=(*table.notes, *taken))
    if svg_file is not None and figures:
        from cardio_stats.figures.canvas import save_svg

        with _writing(svg_file):
            save_svg(figures[0], svg_file)
    if csv_file is not None:
        with _writing(csv_file):
            write_table(table.to_frame(), csv_file)
    if html_file is not None:
        with _writing(html_file):
            write_text(html_file, page_of(table, figures))
    if tex_file is not None:
        with _writing(tex_file):
            write_text(tex_file, table.to_latex() + "\n")
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

    drawing = ""
    for figure in figures:
        from cardio_stats.figures.canvas import svg_text

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
        f"</title><style>{style}</style></head><body>{table.to_html()}{drawing}</body></html>\n"
    )


# Areas under ROC curves as `roc` and `compare` print them, with the interval asked for.


def area_of(
    outcome: Any, score: Any, interval: Interval, seed: int, about: Mapping[str, Any]
) -> Estimate:
    """Return the AUC; `about` has patient, unit and level."""
    import cardio_stats as stats

    if interval == "bca" or interval == "percentile":
        return stats.bootstrap_auc(outcome, score, seed=seed, interval=interval, **about)
    return stats.auc(outcome, score, interval=interval, **about)


def difference_of(
    outcome: Any, score: Any, other: Any, interval: Interval, seed: int, about: Mapping[str, Any]
) -> Estimate:
    """Return the difference of two AUCs on the same rows; a difference has no log odds: t there."""
    import cardio_stats as stats

    if interval == "bca" or interval == "percentile":
        return stats.bootstrap_auc_difference(
            outcome, score, other, seed=seed, interval=interval, **about
        )
    return stats.delong_paired(
        outcome, score, other, interval="t" if interval == "logit" else interval, **about
    )


def interval_notes(areas: Sequence[Estimate], interval: Interval) -> list[str]:
    """Say which intervals were chosen for this many units of each class, and why."""
    if interval in ("bca", "percentile") and len(areas) > 1:
        return [
            "p of a difference: over the SD of its replicates, as in pROC's bootstrap test; near "
            "the level it and the interval may disagree."
        ]
    if interval != "auto":
        return []
    known, unit = areas[0].extra, f"{areas[0].unit}s"
    of_each = (
        f"{known['units_positive']:.0f} {unit} with the event and "
        f"{known['units_negative']:.0f} without"
    )
    by_logit = [area.extra["df"] for area in areas if "df" in area.extra]
    if not by_logit:
        return [f"Intervals with {of_each}: DeLong's plain ones hold; --interval changes them."]
    low, high = min(by_logit), max(by_logit)
    df = f"{low:.1f}" if low == high else f"{low:.1f} to {high:.1f}"
    text = (
        f"Interval of an AUC: DeLong's variance on the log odds, Student's t with {df} degrees of "
        f"freedom, chosen for {of_each}; DeLong's plain interval needs 200 of each and an AUC of "
        ".10 to .90. --interval changes it."
    )
    if len(areas) > 1:
        text += " Differences: Student's t for fewer than 200 of either class."
    return [text]


def direction_note(name: str, area: Estimate) -> str:
    """Say that a score runs the wrong way; empty where it does not."""
    if area.value >= 0.5:
        return ""
    return (
        f"The AUC of {name} is below one half: higher {name} goes with fewer events. It is not "
        "turned, here or in differences. Where lower was known to mean the event before these "
        "rows were seen, give the score with its sign changed."
    )
