"""`cardio stats table1`, `univariable`, `multivariable` and `incremental`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    Command,
    columns_of,
    output_of,
    read_table,
    takes,
    unit_of,
    write_result,
)
from cardio_stats.errors import ConfigError

if TYPE_CHECKING:
    from cardio_stats.figures.canvas import Draw

FEATURES = click.option(
    "--features", required=True, multiple=True,
    help="Columns: a,b; rcs(age, 4) is a restricted cubic spline of age with 4 knots.",
)  # fmt: skip
INTERVAL = click.option(
    "--interval",
    type=click.Choice(["profile", "wald"]),
    default="profile",
    show_default=True,
    help="Profile likelihood or Wald.",
)


def _method(*penalties: str) -> Command:
    text = "; ridge or lasso, the penalty chosen by cross-validation" if penalties else ""
    return click.option(
        "--method",
        type=click.Choice(["auto", "ml", "firth", *penalties]),
        default="auto",
        show_default=True,
        help=f"Maximum likelihood, Firth's, or Firth's where the data are separated{text}.",
    )


@click.command()
@takes("file")
@click.option("--by", required=True, help="Column of the groups.")
@takes("columns", "one row each")
@click.option(
    "--test",
    "continuous_test",
    type=click.Choice(["welch", "student", "rank"]),
    default="welch",
    show_default=True,
    help="Of continuous variables.",
)
@click.option(
    "--categorical-test",
    type=click.Choice(["chi2", "n_minus_1", "fisher"]),
    default="chi2",
    show_default=True,
    help="Fisher's replaces chi-square where an expected count is below 5.",
)
@click.option("--yates/--no-yates", default=False, show_default=True, help="Of 2x2 tables.")
@click.option(
    "--ddof",
    type=click.IntRange(0, 1),
    default=1,
    show_default=True,
    help="SD divided by n - ddof.",
)
@click.option("--median", is_flag=True, help="Print median (quartiles) instead of mean ± SD.")
@takes("categorical")
@click.option("--continuous", multiple=True, help="Columns of measurements, whatever they hold.")
@click.option("--ranked", multiple=True, help="Columns for median and rank test.")
@takes("reference")
@click.option("--smd", is_flag=True, help="Add standardised mean differences between the groups.")
@takes("output")
def table1(
    file: Path,
    by: str,
    columns: tuple[str, ...],
    patient: str | None,
    median: bool,
    **options: Any,
) -> None:
    """Describe the columns of FILE by group, with tests that the notes name."""
    output = output_of(options)
    for name in ("categorical", "continuous", "ranked"):
        options[name] = tuple(columns_of(options[name]))
    options["reference"] = coding_of((), options["reference"]).reference
    summary: Literal["mean_sd", "median_iqr"] = "median_iqr" if median else "mean_sd"
    choices = stats.TableOneChoices(summary=summary, unit=unit_of(patient), **options)
    table = read_table(file, one_row_each=patient)
    if patient is not None and not columns:
        table = table.drop(columns=patient)
    made = stats.table_one(table, by, columns_of(columns) or None, choices=choices)
    write_result(made, **output)


def _regression(command: Command) -> Command:
    """Add what both regressions take."""
    shared = takes("categorical", "reference", "one row each", "event")
    return takes("file", "target")(FEATURES(shared(INTERVAL(takes("level")(command)))))


@click.command()
@_regression
@_method()
@takes("figure")
def univariable(**options: Any) -> None:
    """Regress TARGET on one column at a time: odds ratios per unit and per SD."""
    _regress(stats.univariable, **options)


@click.command()
@_regression
@_method("ridge", "lasso")
@click.option(
    "--validate",
    "n_resamples",
    type=click.IntRange(20),
    metavar="B",
    help="Also correct AUC, slope, intercept and Brier score for optimism, with B (200) "
    "resamples in which the model is fitted again, and say how stable each prediction is.",
)
@click.option(
    "--impute",
    "m",
    type=click.IntRange(2),
    metavar="M",
    help="Draw missing values M (20) times by chained equations, and pool by "
    "Rubin's rules.  [default: rows where all columns are known]",
)
@takes("seed", "figure")
def multivariable(n_resamples: int | None, m: int | None, seed: int, **options: Any) -> None:
    """Regress TARGET on all columns together, on the rows where all are known."""
    if options["method"] in ("ridge", "lasso"):
        if m is not None:
            raise ConfigError("--impute: expected an unpenalised or Firth's model, found "
                              f"--method {options['method']}")  # fmt: skip

        def penalised(
            *table: Any, interval: Any, method: Any, level: Any, unit: Any, **common: Any
        ) -> stats.ResultTable:
            return stats.fit_penalised(*table, penalty=method, seed=seed, **common).summary()

        _regress(penalised, **options, n_resamples=n_resamples, seed=seed)
        return
    if m is None:
        _regress(stats.multivariable, **options, n_resamples=n_resamples, seed=seed)
        return
    if n_resamples is not None:
        raise ConfigError(
            "--validate and --impute: expected one of them, found both; optimism is corrected on "
            "the rows where all columns are known"
        )

    def imputed(*table: Any, interval: Any, **common: Any) -> stats.ResultTable:
        return stats.multivariable_imputed(*table, m=m, seed=seed, **common)

    _regress(imputed, **options)


def _regress(
    table_of: Callable[..., stats.ResultTable],
    file: Path,
    target: str,
    features: tuple[str, ...],
    patient: str | None,
    event: str | None,
    interval: Any,
    method: Any,
    level: float,
    categorical: tuple[str, ...],
    reference: tuple[str, ...],
    n_resamples: int | None = None,
    seed: int = 0,
    **output: Any,
) -> None:
    from cardio_stats._numerics.columns import trend_notes

    table, names = read_table(file, one_row_each=patient), columns_of(features)
    common: dict[str, Any] = {
        "event": event, "method": method, "level": level, "unit": unit_of(patient),
        "coding": coding_of(categorical, reference),
    }  # fmt: skip
    made = table_of(table, target, names, interval=interval, **common)
    made = replace(made, notes=(*made.notes, *trend_notes(table, names, common["coding"])))
    found = None
    if n_resamples is not None:
        found = stats.validate_logistic(
            table, target, names, **common, n_resamples=n_resamples, seed=seed
        )
        shift = found.instability()
        made = replace(made, estimates=(*made.estimates, *found.estimates, *shift),
                       notes=(*made.notes, *_validated(found, n_resamples, seed)))  # fmt: skip

    def draw() -> list[Draw]:
        from cardio_stats.figures.curves import instability

        figures = [] if found is None else [instability(found)]
        if method in ("ridge", "lasso"):
            return figures
        curves = curves_of(stats.fit_logistic(table, target, names, **common))
        return [*curves, forest_of(made, "odds ratio"), *figures]

    write_result(made, draw=draw, **output)


def curves_of(model: stats.LogisticModel | stats.CoxModel) -> list[Draw]:
    """Return the drawing of a model's splines, if it has any."""
    from cardio_stats.figures.curves import effect_curves

    curves = [model.effect(predictor.feature) for predictor in model.predictors if predictor.knots]
    return [effect_curves(curves)] if curves else []


def _validated(found: stats.Validation, n_resamples: int, seed: int) -> list[str]:
    """Say what a model is worth in new patients, and what it seems to be worth."""
    words = ("AUC", "calibration slope", "calibration intercept", "Brier score")
    texts = [
        f"{word} {e.value:.3f}"
        + (f" ({e.low:.3f} to {e.high:.3f})" if e.low is not None else "")
        + f", apparently {e.extra['apparent']:.3f}"
        for word, e in zip(words, found.estimates, strict=True)
    ]
    (shift,) = found.instability()
    return [
        f"Corrected for optimism ({n_resamples} resamples, seed {seed}): {'; '.join(texts)}. "
        "Columns chosen by looking at the outcome are more optimistic than this says.",
        f"Stability: in the models of the resamples a probability differs by {shift.value:.3f} on "
        f"average, in one patient of twenty by {shift.extra['percentile_95']:.3f} or more.",
        *([found.estimates[0].note] if found.estimates[0].note else []),
    ]


def coding_of(categorical: tuple[str, ...], reference: tuple[str, ...]) -> stats.Coding:
    """Return what --categorical and --reference say.

    Raises
    ------
    ConfigError
        A reference that is not written COL=LEVEL.
    """
    levels = {}
    for options in reference:
        name, equals, level = options.partition("=")
        if not (name and equals and level):
            raise ConfigError(f"--reference: expected COL=LEVEL such as race=2, found {options!r}")
        levels[name.strip()] = level.strip()
    return stats.Coding(tuple(columns_of(categorical)), levels)


def forest_of(made: stats.ResultTable, ratio: str) -> Draw:
    """Return the ratios per SD of a regression, and those of its splines, as a forest plot."""
    from cardio_stats.figures.forests import ratio_forest

    stem = f"{ratio.replace(' ', '_')}_per_sd["
    shown = [e for e in made.estimates if e.name.startswith(stem) or " against " in e.name]
    rows = [(e.name.partition("[")[2][:-1], e) for e in shown]
    axis = f"{ratio} per SD (two-valued columns: per unit)"
    return ratio_forest(rows, x=axis, title=made.title)


@click.command()
@takes("file", "target")
@click.option("--base", required=True, multiple=True, help="Columns of the first model: a,b.")
@click.option(
    "--add", required=True, multiple=True, help="Columns to add; repeat it for further steps."
)
@takes("categorical", "reference", "one row each", "event", "level", "output")
def incremental(
    file: Path,
    target: str,
    base: tuple[str, ...],
    add: tuple[str, ...],
    patient: str | None,
    event: str | None,
    level: float,
    categorical: tuple[str, ...],
    reference: tuple[str, ...],
    **output: Any,
) -> None:
    """Ask what further columns add to a model, on rows where all are known."""
    steps = [columns_of([text]) for text in add]
    table, first = read_table(file, one_row_each=patient), columns_of(base)
    coding = coding_of(categorical, reference)
    made = stats.incremental(
        table, target, first, *steps, event=event, level=level, unit=unit_of(patient), coding=coding
    )
    from cardio_stats._numerics.columns import trend_notes

    names = [*first, *(name for step in steps for name in step)]
    made = replace(made, notes=(*made.notes, *trend_notes(table, names, coding)))
    write_result(made, **output)


# `cardio stats missing`.


@click.command()
@takes("file")
@click.option(
    "--outcome", "target", help="Column of the outcome, or of any groups, to test against."
)
@takes("columns", "one row each", "output")
def missing(
    file: Path, target: str | None, columns: tuple[str, ...], patient: str | None, **output: Any
) -> None:
    """Count missing values by column, by pattern and by outcome."""
    table = read_table(file, one_row_each=patient)
    if patient is not None and not columns:
        table = table.drop(columns=patient)
    made = stats.missing_report(
        table, columns_of(columns) or None, outcome=target, unit=unit_of(patient)
    )
    write_result(made, **output)
