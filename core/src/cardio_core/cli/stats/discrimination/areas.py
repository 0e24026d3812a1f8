"""Areas under ROC curves as `roc` and `compare` print them, with the interval asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from cardio_core.types.estimate import Estimate

Interval = Literal["auto", "delong", "logit", "bca", "percentile"]

INTERVAL = click.option(
    "--interval",
    type=click.Choice(["auto", "delong", "logit", "bca", "percentile"]),
    default="auto",
    show_default=True,
    help="Of an AUC. auto: delong with 200 of each class and an AUC of .10 to .90, else logit with "
    "Student's t, which holds in small samples. bca, percentile: bootstrap.",
)


def area_of(
    outcome: Any, score: Any, interval: Interval, seed: int, about: Mapping[str, Any]
) -> Estimate:
    """Return the AUC; `about` has clusters, unit and level."""
    from cardio_core import stats

    if interval == "bca" or interval == "percentile":
        return stats.bootstrap_auc(outcome, score, seed=seed, interval=interval, **about)
    return stats.auc(outcome, score, interval=interval, **about)


def difference_of(
    outcome: Any, score: Any, other: Any, interval: Interval, seed: int, about: Mapping[str, Any]
) -> Estimate:
    """Return the difference of two AUCs on the same rows; a difference has no log odds: t there."""
    from cardio_core import stats

    if interval == "bca" or interval == "percentile":
        return stats.bootstrap_auc_difference(
            outcome, score, other, seed=seed, interval=interval, **about
        )
    return stats.delong_paired(
        outcome, score, other, interval="t" if interval == "logit" else interval, **about
    )


def interval_notes(areas: Sequence[Estimate], interval: Interval) -> list[str]:
    """Say which intervals were chosen for this many units of each class, and why."""
    if interval in ("bca", "percentile") and len(areas) > 1:
        return [
            "p of a difference: over the SD of its replicates, as in pROC's bootstrap test; near "
            "the level it and the interval may disagree."
        ]
    if interval != "auto":
        return []
    known, unit = areas[0].extra, f"{areas[0].unit}s"
    of_each = (
        f"{known['units_positive']:.0f} {unit} with the event and "
        f"{known['units_negative']:.0f} without"
    )
    by_logit = [area.extra["df"] for area in areas if "df" in area.extra]
    if not by_logit:
        return [f"Intervals with {of_each}: DeLong's plain ones hold; --interval changes them."]
    low, high = min(by_logit), max(by_logit)
    df = f"{low:.1f}" if low == high else f"{low:.1f} to {high:.1f}"
    said = (
        f"Interval of an AUC: DeLong's variance on the log odds, Student's t with {df} degrees of "
        f"freedom, chosen for {of_each}; DeLong's plain interval needs 200 of each and an AUC of "
        ".10 to .90. --interval changes it."
    )
    if len(areas) > 1:
        said += " Differences: Student's t for fewer than 200 of either class."
    return [said]


def direction_note(name: str, area: Estimate) -> str:
    """Say that a score runs the wrong way; empty where it does not."""
    if area.value >= 0.5:
        return ""
    return (
        f"The AUC of {name} is below one half: higher {name} goes with fewer events. It is not "
        "turned, here or in differences. Where lower was known to mean the event before these "
        "rows were seen, give the score with its sign changed."
    )


def band_words(level: float) -> str:
    """Say what the band around a curve is."""
    return f"{level * 100:g} % band, pointwise"
