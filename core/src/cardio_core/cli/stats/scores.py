"""`cardio stats roc`, `compare`, `calibration` and `agreement`."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import click

from cardio_core import stats
from cardio_core.cli.stats.files import (
    EVENT,
    FILE,
    LEVEL,
    PATIENT,
    SEED,
    TARGET,
    columns_of,
    label_of,
    output_options,
    read_table,
    result_table,
    scored,
    write_result,
)
from cardio_core.errors import ConfigError, DataError


@click.command()
@FILE
@TARGET
@click.option("--score", required=True, help="Column of the score; higher is more likely.")
@PATIENT
@EVENT
@click.option("--threshold", help="A number, or `youden` to choose it on these rows.")
@LEVEL
@SEED
@output_options(figure=True)
def roc(
    file: Path,
    target: str,
    score: str,
    patient: str | None,
    event: str | None,
    threshold: str | None,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Say how well SCORE tells the two values of TARGET apart.

    The area is never flipped: below one half the score runs the other way. With --patient the
    intervals allow for several rows of one patient.
    """
    from cardio_core.report.figures.curves import roc as draw_roc
    from cardio_core.report.figures.curves import roc_of

    outcome, [values], sample = scored(read_table(file), target, [score], event, patient)
    common: dict[str, Any] = {**sample, "level": level}
    area = stats.auc(outcome, values, **common)
    estimates = [area]
    notes = []
    try:
        estimates.append(stats.bootstrap_auc(outcome, values, seed=seed, interval="bca", **common))
    except DataError as refusal:
        notes.append(f"No bootstrap: {refusal}.")
    estimates.append(stats.pr_auc(outcome, values, seed=seed, **common))
    if threshold is not None:
        found, warning = _at_threshold(outcome, values, threshold, common, seed)
        estimates += found
        notes += warning
    if area.value < 0.5:
        notes.append(f"The area is below one half: higher {score} goes with fewer events.")
    made = result_table(f"{score} for {target}", estimates, notes)
    figure = None
    if output["svg_file"] or output["html_file"]:
        curve = roc_of(
            score, outcome, values, estimate=area, clusters=sample["clusters"], level=level,
            seed=seed,
        )  # fmt: skip
        figure = draw_roc([curve], title=f"{score} for {target}")
    write_result(made, figure=figure, **output)


def _at_threshold(
    outcome: Any, values: Any, threshold: str, common: dict[str, Any], seed: int
) -> tuple[list[Any], list[str]]:
    if threshold == "youden":
        chosen = stats.youden_threshold(outcome, values, source="these rows")
        warning = [
            "The threshold was chosen on the rows it is judged on: the rates are optimistic."
        ]
    else:
        try:
            chosen, warning = stats.Threshold(float(threshold), "fixed"), []
        except ValueError:
            raise ConfigError(
                f"--threshold: expected a number or youden, found {threshold!r}"
            ) from None
    found = stats.threshold_metrics(outcome, values, chosen, seed=seed, **common)
    note = f"Positive: score at or above {chosen.value:g} ({chosen.source})."
    return list(found.values()), [note, *warning]


@click.command()
@FILE
@TARGET
@click.option("--scores", required=True, multiple=True, help="Two or more columns: S1,S2.")
@PATIENT
@EVENT
@LEVEL
@SEED
@output_options(figure=True)
def compare(
    file: Path,
    target: str,
    scores: tuple[str, ...],
    patient: str | None,
    event: str | None,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Compare scores on the rows where all of them are known, by paired DeLong tests."""
    from cardio_core.report.figures.curves import roc as draw_roc
    from cardio_core.report.figures.curves import roc_of
    from cardio_core.stats.foundation.display import p_text

    names = columns_of(scores)
    if len(names) < 2:
        raise ConfigError(f"--scores: expected two or more columns, found {len(names)}")
    table = read_table(file)
    outcome, values, sample = scored(table, target, names, event, patient)
    kept = _complete([outcome, *values], sample["clusters"])
    outcome, values = outcome[kept], [column[kept] for column in values]
    clusters = None if sample["clusters"] is None else sample["clusters"][kept]
    common: dict[str, Any] = {"clusters": clusters, "unit": sample["unit"], "level": level}
    n_dropped = int((~kept).sum())
    areas = [
        stats.auc(outcome, column, **common).replace(name=f"auc[{name}]", n_dropped=n_dropped)
        for name, column in zip(names, values, strict=True)
    ]
    pairs = list(combinations(range(len(names)), 2))
    differences = [
        stats.delong_paired(outcome, values[i], values[j], **common).replace(
            name=f"auc_difference[{names[i]} - {names[j]}]", n_dropped=n_dropped
        )
        for i, j in pairs
    ]
    notes = [
        "Scores are compared on the rows where all of them are known.",
        "p of an AUC: against one half.",
    ]
    if len(pairs) > 1:
        adjusted = stats.holm([d.p_value if d.p_value is not None else 1.0 for d in differences])
        differences = [
            d.replace(note=f"p adjusted for {len(pairs)} comparisons (Holm): {p_text(p)}")
            for d, p in zip(differences, adjusted, strict=True)
        ]
    made = result_table(f"Scores for {target}", [*areas, *differences], notes)
    figure = None
    if output["svg_file"] or output["html_file"]:
        curves = [
            roc_of(name, outcome, column, estimate=area, clusters=clusters, level=level, seed=seed)
            for name, column, area in zip(names, values, areas, strict=True)
        ]
        figure = draw_roc(curves, title=f"Scores for {target}")
    write_result(made, figure=figure, **output)


def _complete(columns: list[Any], clusters: Any) -> Any:
    import numpy as np
    import pandas as pd

    known = ~np.isnan(np.array(columns)).any(axis=0)
    return known if clusters is None else known & pd.notna(clusters)


@click.command()
@FILE
@TARGET
@click.option("--score", required=True, help="Column of the probability, 0 to 1.")
@PATIENT
@EVENT
@LEVEL
@SEED
@output_options(figure=True)
def calibration(
    file: Path,
    target: str,
    score: str,
    patient: str | None,
    event: str | None,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Ask whether probabilities mean what they say."""
    from cardio_core.report.figures.reliability import calibration as draw_calibration

    outcome, [values], sample = scored(read_table(file), target, [score], event, patient)
    found = stats.calibration_metrics(outcome, values, **sample, level=level, seed=seed)
    if not found.estimates:
        raise DataError("; ".join(dict.fromkeys(found.refused.values())))
    notes = [f"{label_of(name)}: not given; {why}." for name, why in found.refused.items()]
    notes.append("p: against 0 for calibration in the large, against 1 for the slope.")
    made = result_table(f"Calibration of {score} for {target}", found.estimates, notes)
    figure = None
    if output["svg_file"] or output["html_file"]:
        figure = draw_calibration(outcome, values, level=level, title=f"{score} for {target}")
    write_result(made, figure=figure, **output)


@click.command()
@FILE
@click.option("--reference", required=True, help="Column of the reference method.")
@click.option("--measured", required=True, help="Column of the method to be judged.")
@PATIENT
@LEVEL
@SEED
@output_options(figure=True)
def agreement(
    file: Path,
    reference: str,
    measured: str,
    patient: str | None,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Ask how well two methods agree that measure the same quantity in the same unit."""
    import numpy as np

    from cardio_core.report.figures.bland_altman import bland_altman
    from cardio_core.stats.foundation.columns import column_named, numbers

    table = read_table(file)
    first, second = numbers(table, reference), numbers(table, measured)
    clusters = None if patient is None else column_named(table, patient).to_numpy(dtype=object)
    known = _complete([first, second], clusters)
    repeated = clusters is not None and len(set(clusters[known])) < int(known.sum())
    found = stats.limits_of_agreement(
        first, second, subjects=clusters if repeated else None, level=level,
        unit="patient" if patient else None,
    )  # fmt: skip
    errors = stats.regression_errors(first, second, clusters=clusters, level=level, seed=seed)
    # the bias is there already, with its exact interval
    estimates = [*found.estimates, *(e for name, e in errors.items() if name != "bias")]
    notes = [f"Differences are {measured} minus {reference}."]
    if repeated:
        notes.append("No intraclass correlation: some patients have several rows.")
    else:
        both = np.column_stack([first, second])[known]
        single = stats.intraclass_correlations(
            both, level=level, unit="row" if patient is None else "patient"
        )
        estimates += [
            estimate.replace(n_dropped=int((~known).sum()))
            for name, estimate in single.items()
            if name.endswith("_1")
        ]
    made = result_table(f"{measured} against {reference}", estimates, notes)
    figure = bland_altman(found, reference=reference, measured=measured, title=made.title)
    write_result(made, figure=figure, **output)
