"""`cardio stats planner`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    EVENT,
    FILE,
    LEVEL,
    TARGET,
    output_options,
    result_table,
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


@click.command("model")
@click.option(
    "--outcome",
    type=click.Choice(["binary", "continuous", "survival"]),
    default="binary",
    show_default=True,
    help="What is predicted: yes or no, a number, or a time to an event.",
)
@click.option(
    "--parameters",
    type=int,
    required=True,
    help="Candidate parameters; a category counts its levels less one.",
)
@click.option("--r2", type=float, help="Anticipated R² (Cox and Snell's unless continuous).")
@click.option("--c-statistic", type=float, help="Instead of --r2, for a binary outcome.")
@click.option("--prevalence", type=float, help="Share with a binary outcome.")
@click.option("--rate", type=float, help="Events a person-year (survival).")
@click.option("--timepoint", type=float, help="Years at which risk is predicted (survival).")
@click.option("--mean-follow-up", type=float, help="In years (survival).")
@click.option(
    "--shrinkage",
    type=float,
    default=0.9,
    show_default=True,
    help="Least calibration slope in new patients.",
)
@output_options(figure=False)
def planner_model(
    outcome: Any,
    parameters: int,
    r2: float | None,
    c_statistic: float | None,
    prevalence: float | None,
    rate: float | None,
    timepoint: float | None,
    mean_follow_up: float | None,
    shrinkage: float,
    **output: Any,
) -> None:
    """Plan for developing a prediction model (Riley, BMJ 2020;368:m441)."""
    found = stats.n_for_model(
        outcome, parameters=parameters, r2=r2, c_statistic=c_statistic, prevalence=prevalence,
        rate=rate, timepoint=timepoint, mean_follow_up=mean_follow_up, shrinkage=shrinkage,
    )  # fmt: skip
    notes = _criteria(found, {"shrinkage": shrinkage, "overall": OVERALL[outcome]})
    extra = found.extra
    if "events" in extra:
        notes.append(
            f"{extra['events']:.1f} events, {extra['events_per_parameter']:.1f} a parameter; "
            f"R² {extra['r2']:.3f} of at most {extra['max_r2']:.3f}."
        )
    write_result(result_table("Patients to develop a model", [found], notes), **output)


@click.command("validation")
@click.option("--prevalence", type=float, required=True, help="Share with the outcome.")
@click.option("--c-statistic", type=float, required=True, help="Expected among them.")
@click.option("--threshold", type=float, help="Probability from which one would act.")
@click.option(
    "--oe-width",
    type=float,
    default=0.2,
    show_default=True,
    help="Of the interval of observed over expected.",
)
@click.option(
    "--slope-width",
    type=float,
    default=0.2,
    show_default=True,
    help="Of the interval of the calibration slope.",
)
@click.option(
    "--c-width",
    type=float,
    default=0.1,
    show_default=True,
    help="Of the interval of the C statistic.",
)
@click.option(
    "--net-benefit-width",
    type=float,
    default=0.2,
    show_default=True,
    help="Of the interval of net benefit by its maximum.",
)
@LEVEL
@output_options(figure=False)
def planner_validation(
    prevalence: float,
    c_statistic: float,
    threshold: float | None,
    oe_width: float,
    slope_width: float,
    c_width: float,
    net_benefit_width: float,
    level: float,
    **output: Any,
) -> None:
    """Plan for validating a model of a binary outcome (Riley, Stat Med 2021;40:4230).

    Takes the model as calibrated, and its log odds as normal with one SD in both classes.
    """
    widths = {
        "oe_width": oe_width, "slope_width": slope_width, "c_width": c_width,
        "net_benefit_width": net_benefit_width,
    }  # fmt: skip
    found = stats.n_for_validation(
        prevalence=prevalence, c_statistic=c_statistic, threshold=threshold, level=level, **widths
    )
    notes = _criteria(found, {**widths, "threshold": threshold})
    notes.append(f"{found.extra['events']:.1f} events.")
    write_result(result_table("Patients to validate a model", [found], notes), **output)


POWER = click.option(
    "--power", type=float, default=0.8, show_default=True,
    help="Chance to find a difference of this size where there is one.",
)  # fmt: skip
ALPHA = click.option(
    "--alpha", type=float, default=0.05, show_default=True,
    help="Chance to find one where there is none, two-sided.",
)  # fmt: skip


@click.group()
def planner() -> None:
    """Say how many patients a study needs. Numbers stand between 0 and 1."""


@planner.command("auc")
@click.option("--auc", "area", type=float, required=True, help="Expected AUC.")
@click.option("--prevalence", type=float, required=True, help="Share with the outcome.")
@click.option("--half-width", type=float, required=True, help="Largest half-width.")
@LEVEL
@output_options(figure=False)
def planner_auc(
    area: float, prevalence: float, half_width: float, level: float, **output: Any
) -> None:
    """Plan for an AUC whose interval is narrow enough."""
    found = stats.n_for_auc(area, prevalence=prevalence, half_width=half_width, level=level)
    n_positive, n_negative = found.extra["n_positive"], found.extra["n_negative"]
    notes = [f"{n_positive:.0f} patients with and {n_negative:.0f} without the outcome."]
    write_result(result_table("Patients for an AUC", [found], notes), **output)


@planner.command("proportion")
@click.option("--proportion", type=float, required=True, help="Expected share.")
@click.option("--half-width", type=float, required=True, help="Largest half-width.")
@LEVEL
@output_options(figure=False)
def planner_proportion(proportion: float, half_width: float, level: float, **output: Any) -> None:
    """Plan for a sensitivity, specificity or prevalence."""
    found = stats.n_for_proportion(proportion, half_width=half_width, level=level)
    write_result(result_table("Patients for a proportion", [found]), **output)


@planner.command("compare")
@click.option("--auc-a", type=float, required=True, help="Expected AUC of one score.")
@click.option("--auc-b", type=float, required=True, help="Expected AUC of the other.")
@click.option("--correlation", type=float, default=0.5, show_default=True, help="Of the AUCs.")
@click.option(
    "--score-correlation",
    type=float,
    help="Of the scores within a class, instead: Obuchowski-McClish, as pROC; cautious.",
)
@click.option("--prevalence", type=float, required=True, help="Share with the outcome.")
@POWER
@ALPHA
@click.option("--n", "n_patients", type=int, help="Give the power of so many patients instead.")
@output_options(figure=False)
def planner_compare(
    auc_a: float,
    auc_b: float,
    correlation: float,
    score_correlation: float | None,
    prevalence: float,
    power: float,
    alpha: float,
    n_patients: int | None,
    **output: Any,
) -> None:
    """Plan for telling two AUCs apart on the same patients."""
    common: dict[str, float] = {"prevalence": prevalence, "alpha": alpha}
    if score_correlation is not None:
        found = stats.binormal_power(
            auc_a, auc_b, correlation=score_correlation, n=n_patients, power=power, **common
        )
    elif n_patients is None:
        found = stats.n_for_paired_auc(auc_a, auc_b, correlation=correlation, power=power, **common)
    else:
        found = stats.power_paired_auc(
            auc_a, auc_b, correlation=correlation, n=n_patients, **common
        )
    write_result(result_table("Two AUCs on the same patients", [found]), **output)


@planner.command("pilot")
@FILE
@TARGET
@click.option("--scores", required=True, help="Two columns: S1,S2.")
@EVENT
@POWER
@ALPHA
@click.option("--n", "n_patients", type=int, help="Give the power of so many patients instead.")
@click.option(
    "--null-variance",
    type=click.Choice(["symmetric", "first"]),
    default="symmetric",
    show_default=True,
    help="Of both scores, or as if both varied like the first (as pROC; depends on the order).",
)
@output_options(figure=False)
def planner_pilot(
    file: Path,
    target: str,
    scores: str,
    event: str | None,
    power: float,
    alpha: float,
    n_patients: int | None,
    null_variance: Literal["symmetric", "first"],
    **output: Any,
) -> None:
    """Plan for telling two scores apart as in a pilot, whose rows are one patient each."""
    from cardio_stats.cli.options import columns_of, read_table, scored

    names = columns_of([scores])
    if len(names) != 2:
        raise ConfigError(f"--scores: expected two columns, found {len(names)}")
    outcome, [item, other], _ = scored(read_table(file), target, names, event, None)
    found = stats.pilot_power(
        outcome, item, other, n=n_patients, power=power, alpha=alpha, null_variance=null_variance
    )
    notes = [
        f"{found.extra['n_positive']:.0f} patients with and {found.extra['n_negative']:.0f} "
        "without the outcome, as common as in the pilot.",
        "A pilot's difference is uncertain, and with it this number; plan with the smallest "
        "difference that matters (planner compare).",
    ]
    write_result(result_table(f"{names[0]} against {names[1]}, planned", [found], notes), **output)


planner.add_command(planner_model)
planner.add_command(planner_validation)
