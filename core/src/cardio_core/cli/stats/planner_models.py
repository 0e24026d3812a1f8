"""`cardio stats planner model` and `validation`."""

from __future__ import annotations

from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.results import LEVEL, output_options, result_table, write_result

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


def _criteria(found: stats.Estimate, given: dict[str, Any]) -> list[str]:
    """Say how many patients each criterion asks for."""
    return [
        f"{found.extra[name]:.0f} patients for {words.format(**given)}."
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
