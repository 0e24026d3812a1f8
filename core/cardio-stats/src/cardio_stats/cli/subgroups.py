"""`cardio stats subgroups`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import cardio_stats as stats
from cardio_stats.cli.options import columns_of, read_table, takes, unit_of, write_result
from cardio_stats.errors import ConfigError

if TYPE_CHECKING:
    from cardio_stats.figures.canvas import Draw


@click.command()
@takes("file", "target")
@click.option("--exposure", help="Column whose odds ratio is compared: numbers, or two categories.")
@click.option("--score", help="Column whose AUC is compared; higher is more likely.")
@click.option("--by", required=True, multiple=True, help="Subgroups: sex,age:65 (cut at 65).")
@click.option("--per-sd", is_flag=True, help="Odds ratio per SD of all rows, not per unit.")
@takes("one row each", "event", "level", "figure")
def subgroups(
    file: Path,
    target: str,
    exposure: str | None,
    score: str | None,
    by: tuple[str, ...],
    per_sd: bool,
    patient: str | None,
    event: str | None,
    level: float,
    **output: Any,
) -> None:
    """Ask whether an odds ratio, or an AUC, is the same in every subgroup."""
    if (exposure is None) == (score is None):
        found = "neither" if exposure is None else "both"
        raise ConfigError(f"--exposure, --score: expected one of them, found {found}")
    if score is not None and per_sd:
        raise ConfigError("--per-sd: expected with --exposure; an AUC has no unit")
    table = read_table(file, one_row_each=patient)
    common: dict[str, Any] = {"event": event, "level": level, "unit": unit_of(patient)}
    if exposure is not None:
        made, lines = stats.effect_in_subgroups(
            table, target, exposure, columns_of(by), per_sd=per_sd, **common
        )
    else:
        made, lines = stats.auc_in_subgroups(table, target, score or "", columns_of(by), **common)
    write_result(made, draw=lambda: [_forest(made, lines, level, score is None)], **output)


def _forest(made: stats.ResultTable, lines: Any, level: float, ratio: bool) -> Draw:
    from cardio_stats.figures.forests import ForestLine, estimate_forest

    drawn = []
    for line in lines:
        e, name = line.estimate, line.level or line.column
        value, low, high = (None, None, None) if e is None else (e.value, e.low, e.high)
        drawn.append(
            ForestLine(name, value, low, high, line.text, line.counts, line.tests[0],
                       indented=bool(line.column and line.level))
        )  # fmt: skip
    return estimate_forest(
        drawn, x=made.columns[2].rpartition(" (")[0], title=made.title, log=ratio,
        reference=1.0 if ratio else 0.5,
        heads=("n (events)", f"{level * 100:g} % CI", made.columns[3]),
    )  # fmt: skip
