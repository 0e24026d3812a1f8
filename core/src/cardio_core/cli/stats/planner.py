"""`cardio stats planner`."""

from __future__ import annotations

from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.planner_models import planner_model, planner_validation
from cardio_core.cli.stats.results import LEVEL, output_options, result_table, write_result


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
@click.option("--prevalence", type=float, required=True, help="Share with the outcome.")
@click.option("--power", type=float, default=0.8, show_default=True)
@click.option("--alpha", type=float, default=0.05, show_default=True)
@click.option("--n", "n_patients", type=int, help="Give the power of so many patients instead.")
@output_options(figure=False)
def planner_compare(
    auc_a: float,
    auc_b: float,
    correlation: float,
    prevalence: float,
    power: float,
    alpha: float,
    n_patients: int | None,
    **output: Any,
) -> None:
    """Plan for telling two AUCs apart on the same patients."""
    common: dict[str, float] = {
        "correlation": correlation, "prevalence": prevalence, "alpha": alpha,
    }  # fmt: skip
    found = (
        stats.n_for_paired_auc(auc_a, auc_b, power=power, **common)
        if n_patients is None
        else stats.power_paired_auc(auc_a, auc_b, n=n_patients, **common)
    )
    write_result(result_table("Two AUCs on the same patients", [found]), **output)


planner.add_command(planner_model)
planner.add_command(planner_validation)
