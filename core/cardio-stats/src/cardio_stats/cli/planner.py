"""`cardio stats planner`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    Command,
    columns_of,
    output_of,
    read_table,
    result_table,
    scored,
    takes,
    write_result,
)
from cardio_stats.errors import ConfigError

# `cardio stats planner model` and `validation`.

CRITERIA = {
    "n_shrinkage": "shrinkage of at least {shrinkage:g}",
    "n_optimism": "optimism of at most .05 in R²",
    "n_overall": "{overall}",
    "n_oe": "observed over expected, interval {oe_width:g} wide",
    "n_slope": "calibration slope, interval {slope_width:g} wide",
    "n_c": "C statistic, interval {c_width:g} wide",
    "n_net_benefit": "net benefit at {threshold:g} by its maximum, interval "
    "{net_benefit_width:g} wide",
}
OVERALL = {
    "binary": "overall risk within .05",
    "continuous": "residual SD within 10 %",
    "survival": "risk by the timepoint within .05",
}


def _criteria(found: stats.Estimate, values: dict[str, Any]) -> list[str]:
    """Say how many patients each criterion asks for."""
    return [
        f"{found.extra[name]:.0f} patients for {words.format(**values)}."
        for name, words in CRITERIA.items()
        if name in found.extra
    ]


def _number(
    name: str, words: str, default: float | None = None, *, required: bool = False
) -> Callable[[Command], Command]:
    """Return an option that takes a number."""
    return click.option(
        name, type=float, default=default, show_default=default is not None, required=required,
        help=words,
    )  # fmt: skip


@click.command("model")
@click.option(
    "--outcome",
    type=click.Choice(["binary", "continuous", "survival"]),
    default="binary",
    show_default=True,
    help="What is predicted: yes or no, a number, or a time to an event.",
)
@click.option("--parameters", type=int, required=True,
              help="Candidate parameters; a category counts its levels less one.")  # fmt: skip
@_number("--r2", "Anticipated R² (Cox and Snell's unless continuous).")
@_number("--c-statistic", "Instead of --r2, for a binary outcome.")
@_number("--prevalence", "Share with a binary outcome.")
@_number("--rate", "Events a person-year (survival).")
@_number("--timepoint", "Years at which risk is predicted (survival).")
@_number("--mean-follow-up", "In years (survival).")
@_number("--shrinkage", "Least calibration slope in new patients.", 0.9)
@takes("output")
def planner_model(**options: Any) -> None:
    """Plan for developing a prediction model (Riley, BMJ 2020;368:m441)."""
    output = output_of(options)
    found = stats.n_for_model(**options)
    notes = _criteria(found, {**options, "overall": OVERALL[options["outcome"]]})
    extra = found.extra
    if "events" in extra:
        notes.append(
            f"{extra['events']:.1f} events, {extra['events_per_parameter']:.1f} a parameter; "
            f"R² {extra['r2']:.3f} of at most {extra['max_r2']:.3f}."
        )
    write_result(result_table("Patients to develop a model", [found], notes), **output)


@click.command("validation")
@_number("--prevalence", "Share with the outcome.", required=True)
@_number("--c-statistic", "Expected among them.", required=True)
@_number("--threshold", "Probability from which one would act.")
@_number("--oe-width", "Of the interval of observed over expected.", 0.2)
@_number("--slope-width", "Of the interval of the calibration slope.", 0.2)
@_number("--c-width", "Of the interval of the C statistic.", 0.1)
@_number("--net-benefit-width", "Of the interval of net benefit by its maximum.", 0.2)
@takes("level", "output")
def planner_validation(**options: Any) -> None:
    """Plan for validating a model of a binary outcome (Riley, Stat Med 2021;40:4230).

    Takes the model as calibrated, and its log odds as normal with one SD in both classes.
    """
    output = output_of(options)
    found = stats.n_for_validation(**options)
    notes = [*_criteria(found, options), f"{found.extra['events']:.1f} events."]
    write_result(result_table("Patients to validate a model", [found], notes), **output)


POWER = _number("--power", "Chance to find a difference of this size where there is one.", 0.8)
ALPHA = _number("--alpha", "Chance to find one where there is none, two-sided.", 0.05)


@click.group()
def planner() -> None:
    """Say how many patients a study needs. Numbers stand between 0 and 1."""


@planner.command("auc")
@_number("--auc", "Expected AUC.", required=True)
@_number("--prevalence", "Share with the outcome.", required=True)
@_number("--half-width", "Largest half-width.", required=True)
@takes("level", "output")
def planner_auc(**options: Any) -> None:
    """Plan for an AUC whose interval is narrow enough."""
    output = output_of(options)
    found = stats.n_for_auc(**options)
    n_positive, n_negative = found.extra["n_positive"], found.extra["n_negative"]
    notes = [f"{n_positive:.0f} patients with and {n_negative:.0f} without the outcome."]
    write_result(result_table("Patients for an AUC", [found], notes), **output)


@planner.command("proportion")
@_number("--proportion", "Expected share.", required=True)
@_number("--half-width", "Largest half-width.", required=True)
@takes("level", "output")
def planner_proportion(**options: Any) -> None:
    """Plan for a sensitivity, specificity or prevalence."""
    output = output_of(options)
    found = stats.n_for_proportion(**options)
    write_result(result_table("Patients for a proportion", [found]), **output)


@planner.command("compare")
@_number("--auc-a", "Expected AUC of one score.", required=True)
@_number("--auc-b", "Expected AUC of the other.", required=True)
@_number("--correlation", "Of the AUCs.", 0.5)
@_number("--score-correlation", "Of the scores within a class, instead: Obuchowski-McClish, as "
         "pROC; cautious.")  # fmt: skip
@_number("--prevalence", "Share with the outcome.", required=True)
@POWER
@ALPHA
@click.option("--n", type=int, help="Give the power of so many patients instead.")
@takes("output")
def planner_compare(score_correlation: float | None, **options: Any) -> None:
    """Plan for telling two AUCs apart on the same patients."""
    output = output_of(options)
    if score_correlation is not None:
        found = stats.binormal_power(**options | {"correlation": score_correlation})
    elif options["n"] is None:
        del options["n"]
        found = stats.n_for_paired_auc(**options)
    else:
        del options["power"]
        found = stats.power_paired_auc(**options)
    write_result(result_table("Two AUCs on the same patients", [found]), **output)


@planner.command("pilot")
@takes("file", "target")
@click.option("--scores", required=True, help="Two columns: S1,S2.")
@takes("event")
@POWER
@ALPHA
@click.option("--n", type=int, help="Give the power of so many patients instead.")
@click.option(
    "--null-variance",
    type=click.Choice(["symmetric", "first"]),
    default="symmetric",
    show_default=True,
    help="Of both scores, or as if both varied like the first (as pROC; depends on the order).",
)
@takes("output")
def planner_pilot(
    file: Path,
    target: str,
    scores: str,
    event: str | None,
    **options: Any,
) -> None:
    """Plan for telling two scores apart as in a pilot, whose rows are one patient each."""
    output, names = output_of(options), columns_of([scores])
    if len(names) != 2:
        raise ConfigError(f"--scores: expected two columns, found {len(names)}")
    outcome, [item, other], _ = scored(read_table(file), target, names, event, None)
    found = stats.pilot_power(outcome, item, other, **options)
    notes = [
        f"{found.extra['n_positive']:.0f} patients with and {found.extra['n_negative']:.0f} "
        "without the outcome, as common as in the pilot.",
        "A pilot's difference is uncertain, and with it this number; plan with the smallest "
        "difference that matters (planner compare).",
    ]
    write_result(result_table(f"{names[0]} against {names[1]}, planned", [found], notes), **output)


planner.add_command(planner_model)
planner.add_command(planner_validation)
