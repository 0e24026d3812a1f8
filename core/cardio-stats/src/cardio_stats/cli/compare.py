"""`cardio stats compare`."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    Interval,
    area_of,
    columns_of,
    complete_rows,
    difference_of,
    direction_note,
    interval_notes,
    read_table,
    result_table,
    scored,
    takes,
    write_result,
)
from cardio_stats.errors import ConfigError
from cardio_stats.words import level_words

if TYPE_CHECKING:
    from cardio_stats.figures.canvas import Draw


@click.command()
@takes("file", "target")
@click.option("--scores", required=True, multiple=True, help="Two or more columns: S1,S2.")
@click.option(
    "--margin",
    type=float,
    help="Also ask whether the first score loses less AUC than this to each other.",
)
@takes("patient", "event", "interval of an AUC", "level", "seed", "figure")
def compare(
    file: Path,
    target: str,
    scores: tuple[str, ...],
    margin: float | None,
    patient: str | None,
    event: str | None,
    interval: Interval,
    level: float,
    seed: int,
    **output: Any,
) -> None:
    """Compare scores on the rows where all of them are known, by paired DeLong tests."""
    from cardio_stats._numerics.display import p_text

    names = columns_of(scores)
    if len(names) < 2:
        raise ConfigError(f"--scores: expected two or more columns, found {len(names)}")
    table = read_table(file)
    outcome, values, sample = scored(table, target, names, event, patient)
    retained = complete_rows([outcome, *values], sample["patient"])
    outcome, values = outcome[retained], [column[retained] for column in values]
    clusters = None if sample["patient"] is None else sample["patient"][retained]
    common: dict[str, Any] = {"patient": clusters, "unit": sample["unit"], "level": level}
    n_dropped = int((~retained).sum())
    areas = [
        area_of(outcome, column, interval, seed, common).replace(
            name=f"auc[{name}]", n_dropped=n_dropped
        )
        for name, column in zip(names, values, strict=True)
    ]
    pairs = list(combinations(range(len(names)), 2))
    differences = [
        difference_of(outcome, values[i], values[j], interval, seed, common).replace(
            name=f"auc_difference[{names[i]} - {names[j]}]", n_dropped=n_dropped
        )
        for i, j in pairs
    ]
    notes = [
        "Scores are compared on the rows where all of them are known.",
        "p of an AUC: against one half.",
        *interval_notes(areas, interval),
        *(direction_note(name, area) for name, area in zip(names, areas, strict=True)),
    ]
    if len(pairs) > 1:
        adjusted = stats.holm([d.p_value if d.p_value is not None else 1.0 for d in differences])
        differences = [
            d.replace(
                note=f"p adjusted for {len(pairs)} comparisons (Holm): {p_text(p)}"
                + (f"; {d.note}" if d.note else "")
            )
            for d, p in zip(differences, adjusted, strict=True)
        ]
    losses = []
    if margin is not None:
        losses = [
            stats.auc_noninferiority(
                outcome, values[0], other, margin=margin, alpha=(1 - level) / 2,
                patient=clusters, unit=sample["unit"],
            ).replace(name=f"auc_noninferiority[{names[0]} - {name}]", n_dropped=n_dropped)
            for name, other in zip(names[1:], values[1:], strict=True)
        ]  # fmt: skip
        notes += [
            f"{names[0]} loses at most {max(0.0, -(item.low or 0.0)):.3f} of AUC to {name} "
            f"(one-sided {(item.level or 0) * 100:g} %), "
            f"{'within' if item.extra['noninferior'] else 'not shown to be within'} {margin:g}; p "
            f"of a greater loss {p_text(item.p_value)}."
            for name, item in zip(names[1:], losses, strict=True)
        ]
    made = result_table(f"Scores for {target}", [*areas, *differences, *losses], notes)

    def draw() -> list[Draw]:
        from cardio_stats.figures.curves import roc, roc_of

        curves = [
            roc_of(name, outcome, column, estimate=area, patient=clusters, level=level, seed=seed)
            for name, column, area in zip(names, values, areas, strict=True)
        ]
        return [roc(curves, title=f"Scores for {target}", level=level_words(level))]

    write_result(made, draw=draw, **output)
