"""`cardio stats planner`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.planner_models import planner_model, planner_validation
from cardio_core.cli.stats.results import (
    EVENT,
    FILE,
    LEVEL,
    TARGET,
    output_options,
    result_table,
    write_result,
)
from cardio_core.errors import ConfigError

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
@output_options(figure=False)
def planner_pilot(
    file: Path,
    target: str,
    scores: str,
    event: str | None,
    power: float,
    alpha: float,
    n_patients: int | None,
    **output: Any,
) -> None:
    """Plan for telling two scores apart as in a pilot, whose rows are one patient each."""
    from cardio_core.cli.stats.reading import columns_of, read_table, scored

    names = columns_of([scores])
    if len(names) != 2:
        raise ConfigError(f"--scores: expected two columns, found {len(names)}")
    outcome, [one, other], _ = scored(read_table(file), target, names, event, None)
    found = stats.pilot_power(outcome, one, other, n=n_patients, power=power, alpha=alpha)
    notes = [
        f"{found.extra['n_positive']:.0f} patients with and {found.extra['n_negative']:.0f} "
        "without the outcome, as common as in the pilot.",
        "A pilot's difference is uncertain, and with it this number; plan with the smallest "
        "difference that matters (planner compare).",
    ]
    write_result(result_table(f"{names[0]} against {names[1]}, planned", [found], notes), **output)


planner.add_command(planner_model)
planner.add_command(planner_validation)
