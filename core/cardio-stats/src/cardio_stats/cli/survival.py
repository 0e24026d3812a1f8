"""`cardio stats survival`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardio_stats.cli.options import (
    columns_of,
    numbers_of,
    read_table,
    result_table,
    takes,
    unit_of,
    write_result,
)
from cardio_stats.cli.tables import coding_of, curves_of, forest_of
from cardio_stats.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardio_stats._numerics.display import ResultTable
    from cardio_stats.estimate import Estimate
    from cardio_stats.figures.canvas import Draw
    from cardio_stats.survival import FollowUp

Made = tuple["ResultTable", "Callable[[], Sequence[Draw]] | None"]


@click.command()
@takes("file")
@click.option("--time", "time", required=True, help="Column of the time to the event, or censored.")
@click.option(
    "--status",
    "event",
    required=True,
    metavar="COLUMN[=VALUE]",
    help="Column of 1 (event) and 0 (censored), or with the value that counts: status=2.",
)
@click.option("--competing", multiple=True, metavar="VALUE",
              help="Values of --status that make the event impossible: 2,3.")  # fmt: skip
@click.option("--groups", help="Column of groups: their curves, and the log-rank test.")
@click.option("--mean-until", type=float, help="Time up to which mean times are compared.")
@click.option("--columns", "features", multiple=True, help="Columns of a Cox model: a,b.")
@takes("categorical", "reference")
@click.option("--score", help="Column of a score to judge; higher means an earlier event.")
@click.option("--risk", help="Column of the predicted probability of the event by --at.")
@click.option("--threshold", "thresholds", multiple=True, metavar="T",
              help="Risks at which net benefit is given: .1,.2; with --risk.")  # fmt: skip
@click.option("--at", "at", multiple=True, help="Times, in the unit of --time: 365,1825.")
@takes("one row each", "level", "figure")
def survival(
    file: Path,
    time: str,
    event: str,
    competing: tuple[str, ...],
    groups: str | None,
    mean_until: float | None,
    features: tuple[str, ...],
    categorical: tuple[str, ...],
    reference: tuple[str, ...],
    score: str | None,
    risk: str | None,
    thresholds: tuple[str, ...],
    at: tuple[str, ...],
    patient: str | None,
    level: float,
    **output: Any,
) -> None:
    """Describe the time to an event, regress it on columns, or judge a score of it.

    Survival by group: --groups arm --at 365,1825 --svg curves.svg

    Hazard ratios: --columns age,sex,lvef_pct

    A score, or a predicted risk by one time: --score points --at 365,1825; --risk risk_5y --at 1825

    Higher scores are taken to mean earlier events, and nothing is flipped: below one half a score
    runs the other way.

    Where another event makes this one impossible: --status status=1 --competing 2, for the
    cumulative incidence by group, or with --columns for Fine and Gray's regression.
    """
    options = {
        "--groups": groups, "--columns": features, "--score": score, "--risk": risk,
    }  # fmt: skip
    chosen = [name for name, value in options.items() if value]
    if len(chosen) > 1:
        raise ConfigError(
            f"{' and '.join(chosen)}: expected one of {', '.join(options)}, found {len(chosen)}; "
            "run the command once for each"
        )
    if (categorical or reference) and not features:
        raise ConfigError("--categorical, --reference: expected --columns with them, found none")
    if score is not None and output["svg_file"] is not None:
        raise ConfigError("--svg: a score has no figure; curves, Cox models and --risk have one")
    moments = numbers_of(at, "--at", "365,1825")
    if risk is not None and len(moments) != 1:
        raise ConfigError(
            f"--risk: expected one time, by which the risk is meant (--at 1825), found "
            f"{len(moments)}"
        )
    if mean_until is not None and (chosen not in ([], ["--groups"]) or competing):
        raise ConfigError("--mean-until: expected curves, with or without --groups")
    if competing and (score or risk):
        raise ConfigError("--competing: expected --groups or --columns, found a score or risk")
    if thresholds and risk is None:
        raise ConfigError("--threshold: expected --risk with it, found none")
    table = read_table(file, one_row_each=patient)
    common: dict[str, Any] = {"at": moments, "level": level, "unit": unit_of(patient)}
    others = columns_of(competing)
    if others:
        coding = {"coding": coding_of(categorical, reference)} if features else {}
        names = columns_of(features)
        made, draw = _competing(table, time, event, others, groups, names, common | coding)
    elif features:
        made, draw = _cox(
            table, time, event, columns_of(features),
            {"coding": coding_of(categorical, reference), **common},
        )  # fmt: skip
    elif score is not None or risk is not None:
        made, draw = _judged(table, time, event, score, risk, thresholds, common)
    else:
        about = common | {"mean_until": mean_until}
        made, draw = _curves(table, time, event, groups, about)
    write_result(made, draw=draw, **output)


def _curves(table: Any, time: str, event: str, groups: str | None, common: dict[str, Any]) -> Made:
    from cardio_stats._numerics.display import p_text
    from cardio_stats.survival import survival_table

    made, curves = survival_table(table, time, event, groups=groups, **common)
    test = next((estimate for estimate in made.estimates if estimate.name == "log_rank_chi2"), None)
    words = "" if test is None else f"log-rank p {p_text(test.p_value)}"

    def draw() -> list[Draw]:
        from cardio_stats.figures.survival import survival_curves

        return [survival_curves(curves, x=time, title=made.title, test=words)]

    return made, draw


def _competing(
    table: Any,
    time: str,
    event: str,
    others: list[str],
    groups: str | None,
    features: list[str],
    common: dict[str, Any],
) -> Made:
    from cardio_stats.competing_risks import competing_table, fine_gray_table

    if features:
        about = {name: value for name, value in common.items() if name != "at"}
        return fine_gray_table(table, time, event, features, others, **about), None

    made, curves = competing_table(table, time, event, others, groups=groups, **common)

    def draw() -> list[Draw]:
        from cardio_stats.figures.survival import incidence_curves

        return [incidence_curves(curves, x=time, title=made.title)]

    return made, draw


def _cox(table: Any, time: str, event: str, columns: list[str], common: dict[str, Any]) -> Made:
    from cardio_stats.cox import cox_table, fit_cox

    made = cox_table(table, time, event, columns, **common)

    def draw() -> list[Draw]:
        forest = forest_of(made, "hazard ratio")
        if not any(e.name.startswith("nonlinearity") for e in made.estimates):
            return [forest]
        about = {name: value for name, value in common.items() if name != "at"}
        return [*curves_of(fit_cox(table, time, event, columns, **about)), forest]

    return made, draw


def _judged(
    table: Any,
    time: str,
    event: str,
    score: str | None,
    risk: str | None,
    thresholds: tuple[str, ...],
    common: dict[str, Any],
) -> Made:
    from cardio_stats.survival_scores import timed_estimates

    named = risk or score or ""
    estimates, follow_up, values = timed_estimates(
        table, time, event, named, is_risk=risk is not None, **common
    )
    notes = follow_up.sentences(common["unit"])
    if estimates[0].value < 0.5:
        notes.append(f"Harrell's C is below one half: higher {named} goes with later events.")
    notes += [_at_hand(e) for e in estimates if e.name.startswith("auc_at[")]
    if not common["at"]:
        notes.append("--at TIMES adds the AUC at these times and ends Uno's C at the last.")
    elif risk is None:
        notes.append("A probability of the event, given as --risk, adds calibration and worth.")
    title = f"{named} for the time to {follow_up.label}"
    draw = None
    if risk is not None:
        more, draw = _risk(follow_up, values, time, thresholds, title, notes, common)
        estimates += more
    return result_table(title, estimates, notes), draw


def _risk(
    follow_up: FollowUp,
    values: Any,
    time: str,
    thresholds: tuple[str, ...],
    title: str,
    notes: list[str],
    common: dict[str, Any],
) -> tuple[list[Estimate], Callable[[], list[Draw]]]:
    """Return calibration, net benefit and their figures; `notes` gets why one is missing."""
    import cardio_stats as stats

    (moment,), level, unit = common["at"], common["level"], common["unit"]
    estimates, curve = [], None
    try:
        found = stats.timed_calibration(follow_up, values, moment, level=level, unit=unit)
        estimates, curve = [found.slope, *found.errors], found.curve
    except DataError as refusal:
        notes.append(f"No smooth calibration: {refusal}.")
    for at in numbers_of(thresholds, "--threshold", ".1,.2", below=1):
        worth = stats.timed_net_benefit(follow_up, values, moment, at, level=level, unit=unit)
        estimates.append(worth.replace(name=f"net_benefit_at[{moment:g}, threshold {at:g}]"))
        notes.append(f"Threshold {at:g}: treating everybody {worth.extra['treat_all']:.3f}, "
                     f"treating nobody 0; {worth.extra['n_treated']:.0f} treated.")  # fmt: skip

    def draw() -> list[Draw]:
        from cardio_stats.figures.curves import decision
        from cardio_stats.figures.survival import risk_calibration

        groups = stats.risk_groups(follow_up, values, moment, level=level)
        worths = stats.timed_decision_curve(follow_up, values, moment, level=level)
        return [
            risk_calibration(groups, curve, time=f"{moment:g} ({time})", title=title),
            decision(worths, level=level, title=f"Net benefit by {moment:g} ({time})"),
        ]

    return estimates, draw


def _at_hand(area: Any) -> str:
    counts = area.extra
    return (
        f"At {counts['time']:g}: {counts['n_cases']:.0f} with the event by then, "
        f"{counts['n_controls']:.0f} followed beyond, {counts['n_censored']:.0f} censored before."
    )
