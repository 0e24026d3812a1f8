"""`cardio stats roc`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

import cardio_stats as stats
from cardio_stats.cli.options import (
    Interval,
    area_of,
    columns_of,
    direction_note,
    interval_notes,
    read_table,
    result_table,
    scored,
    takes,
    write_result,
)
from cardio_stats.errors import ConfigError, DataError
from cardio_stats.words import level_words

if TYPE_CHECKING:
    import pandas as pd

    from cardio_stats._numerics.display import ResultTable
    from cardio_stats.estimate import Estimate
    from cardio_stats.figures.canvas import Draw

# `cardio stats roc` of an outcome of several classes, a score column each.


def of_several_classes(
    table: pd.DataFrame,
    target: str,
    scores: Sequence[str],
    patient: str | None,
    level: float,
    seed: int,
) -> tuple[ResultTable, Callable[[], list[Draw]]]:
    """Return the AUC of Hand and Till, of every two classes, and of each against the rest.

    Raises
    ------
    ConfigError
        A score whose class is not said.
    DataError
        A column that is missing, or classes and scores that do not belong together.
    """
    import numpy as np
    import pandas as pd

    import cardio_stats as stats
    from cardio_stats._numerics.columns import column_named, numbers

    labels = column_named(table, target)
    words = labels.map(_word, na_action="ignore")
    by_class = _by_class(scores, list(dict.fromkeys(words.dropna())), target)
    classes = list(by_class)
    values = np.column_stack([numbers(table, column) for column in by_class.values()])
    people = None if patient is None else column_named(table, patient).to_numpy(dtype=object)
    known = ~np.isnan(values).any(axis=1) & words.notna().to_numpy()
    if people is not None:
        known &= pd.notna(people)
        if len(set(people[known])) == known.sum():
            people = None
    unit = None if patient is None else "patient"
    retained = None if people is None else people[known]
    about: dict[str, Any] = {"patient": retained, "unit": unit, "level": level}
    truth = words[known].to_numpy()
    found = stats.multiclass_auc(truth, values[known], classes, seed=seed, **about)
    n_dropped = int((~known).sum())
    estimates = [
        value.replace(name=value.name if key == "all" else f"auc[{key}]", n_dropped=n_dropped)
        for key, value in found.items()
    ]
    against: dict[str, tuple[Any, Any, Any]] = {}
    for place, name in enumerate(classes):
        labelled = (truth == name).astype(int)
        area = stats.auc(labelled, values[known, place], **about)
        estimates.append(area.replace(name=f"auc[{name} against the rest]", n_dropped=n_dropped))
        against[name] = labelled, values[known, place], area
    text = ", ".join(f"{name} by {column}" for name, column in by_class.items())
    notes = [
        f"Classes and their scores: {text}.",
        "Multiclass AUC: the mean over pairs of classes (Hand and Till), whatever their sizes; "
        "against the rest: one class and all others, which does depend on their sizes.",
        "p of an AUC: against one half.",
    ]
    made = result_table(f"{len(classes)} classes of {target}", estimates, notes)
    return made, lambda: _curves(against, target, retained, level, seed)


def _curves(
    against: dict[str, tuple[Any, Any, Any]], target: str, clusters: Any, level: float, seed: int
) -> list[Draw]:
    from cardio_stats.figures.curves import roc, roc_of

    curves = [
        roc_of(name, *rows, estimate=area, patient=clusters, level=level, seed=seed)
        for name, (*rows, area) in against.items()
    ]
    title = f"Classes of {target}, each against the rest"
    return [roc(curves, title=title, level=level_words(level))]


def _word(value: object) -> str:
    return f"{value:.15g}" if isinstance(value, int | float) else str(value).strip()


def _by_class(scores: Sequence[str], classes: list[str], target: str) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in columns_of(scores):
        name, equals, column = text.partition("=")
        if not equals:
            name, column = text, text
        if name not in classes:
            raise ConfigError(
                f"--scores: expected CLASS=COLUMN with a class of {target} "
                f"({', '.join(classes[:6])}), found {text!r}"
            )
        named[name] = column
    missing = [name for name in classes if name not in named]
    if missing:
        raise DataError(
            f"--scores: expected a score for every class of {target}, found none for "
            f"{', '.join(missing[:6])}; add {missing[0]}=COLUMN, or leave those rows out"
        )
    return named


# What `cardio stats roc` says of parts and points of the curve.

_PART = re.compile(r"(specificity|sensitivity):(\d*\.?\d+)-(\d*\.?\d+)")
_OF: dict[str, Literal["specificity", "sensitivity"]] = {
    "specificity": "specificity", "sensitivity": "sensitivity",
}  # fmt: skip


def parts_of(
    outcome: Any, values: Any, common: Mapping[str, Any], options: Mapping[str, Any]
) -> tuple[list[Estimate], list[str]]:
    """Return partial areas, rates at fixed rates, and what holds at a threshold, with notes."""
    found: list[Estimate] = []
    notes: list[str] = []
    for text in options["partial"]:
        matched = _PART.fullmatch(text.replace(" ", ""))
        if not matched:
            raise ConfigError(
                f"--partial: expected specificity:.9-1 or sensitivity:.8-1, found {text!r}"
            )
        of, between = _OF[matched[1]], (float(matched[2]), float(matched[3]))
        for corrected in (False, True):
            item = stats.partial_auc(
                outcome, values, between=between, of=of, corrected=corrected, **common
            )
            found.append(item.replace(name=f"{item.name}[{of} {between[0]:g} to {between[1]:g}]"))
        perfect, chance = item.extra["perfect"], item.extra["chance"]
        notes.append(
            f"Partial AUC of {of} {between[0]:g} to {between[1]:g}: {perfect:.3g} would be perfect "
            f"and {chance:.3g} chance; McClish-corrected, 1 and 0.5."
        )
    for of in ("specificity", "sensitivity"):
        for value in options[f"at_{of}"]:
            item = stats.rate_at(outcome, values, **{of: value}, **common)
            found.append(item.replace(name=f"{item.name}_at[{of} {value:g}]"))
    if options["at_specificity"] or options["at_sensitivity"]:
        notes.append(
            "Rates at a fixed rate: the threshold is found again in every resample, so the "
            "interval allows for a threshold that is not known in advance."
        )
    if options["threshold"] is not None:
        rates, entry = _at_threshold(outcome, values, options["threshold"], common)
        found += rates
        notes += entry
    return found, notes


def _at_threshold(
    outcome: Any, values: Any, threshold: str, common: Mapping[str, Any]
) -> tuple[list[Estimate], list[str]]:
    import numpy as np

    notes = []
    choices = {
        "youden": stats.youden_threshold,
        "closest-topleft": stats.closest_topleft_threshold,
    }
    if threshold in choices:
        chosen = choices[threshold](outcome, values, source="these rows")
        notes.append(
            "The threshold was chosen on the rows it is judged on: the rates are optimistic."
        )
    else:
        try:
            chosen = stats.Threshold(float(threshold), "fixed")
        except ValueError:
            raise ConfigError(
                f"--threshold: expected a number, youden or closest-topleft, found {threshold!r}"
            ) from None
    notes.insert(0, f"Positive: score at or above {chosen.value:g} ({chosen.source}).")
    found = list(stats.threshold_metrics(outcome, values, chosen, **common).values())
    called = np.where(np.isnan(values), np.nan, values >= chosen.value)
    ratios = stats.likelihood_ratios(outcome, called, source=chosen.source, **common)
    if "likelihood_ratio_positive" not in ratios:
        notes.append("LR+: infinite, no row without the event is called positive.")
    if "likelihood_ratio_negative" not in ratios:
        notes.append("LR-: infinite, every row without the event is called positive.")
    return [*found, *ratios.values()], notes


@click.command()
@takes("file", "target")
@click.option("--score", help="Column of the score; higher is more likely.")
@click.option("--scores", multiple=True, metavar="CLASS=COLUMN,...",
              help="Of a target of several classes: the score column of each.")  # fmt: skip
@takes("patient", "event")
@click.option("--threshold", help="A number, or youden or closest-topleft to choose it on these "
              "rows.")  # fmt: skip
@click.option("--partial", multiple=True, metavar="RATE:FROM-TO",
              help="Part of the area: specificity:.9-1 or sensitivity:.8-1.")  # fmt: skip
@click.option("--at-specificity", multiple=True, type=float, help="Sensitivity at this one.")
@click.option("--at-sensitivity", multiple=True, type=float, help="Specificity at this one.")
@takes("interval of an AUC", "level", "seed", "figure")
def roc(
    file: Path,
    target: str,
    score: str | None,
    scores: tuple[str, ...],
    patient: str | None,
    event: str | None,
    interval: Interval,
    level: float,
    seed: int,
    **more: Any,
) -> None:
    """Measure how well SCORE separates the two values of TARGET.

    The area is never flipped: below one half the score runs the other way. With --patient the
    intervals allow for several rows of one patient. A target of several classes takes --scores.
    """
    options = {key: more.pop(key) for key in ("threshold", "partial", "at_specificity",
                                            "at_sensitivity")}  # fmt: skip
    if (score is None) == (not scores):
        raise ConfigError(
            "expected --score COLUMN, or --scores CLASS=COLUMN,... of several classes"
        )
    table = read_table(file)
    if score is None:
        unused = [f"--{key.replace('_', '-')}" for key, value in options.items() if value]
        if event is not None or unused or interval != "auto":
            raise ConfigError(
                "--scores: expected a target of several classes alone, found "
                f"{', '.join(unused) or '--event or --interval'}; use --score for two classes"
            )
        made, draw = of_several_classes(table, target, scores, patient, level, seed)
        write_result(made, draw=draw, **more)
        return
    outcome, [values], sample = scored(table, target, [score], event, patient)
    common: dict[str, Any] = {**sample, "level": level}
    area = area_of(outcome, values, interval, seed, common)
    notes = [*interval_notes([area], interval), direction_note(score, area)]
    notes.append("p of the AUC: against one half.")
    estimates = [area, stats.pr_auc(outcome, values, seed=seed, **common)]
    common["seed"] = seed
    found, item = parts_of(outcome, values, common, options)
    made = result_table(f"{score} for {target}", [*estimates, *found], [*notes, *item])
    write_result(made, draw=lambda: _figure(score, target, outcome, values, area, common), **more)


def _figure(
    score: str, target: str, outcome: Any, values: Any, area: Estimate, common: dict[str, Any]
) -> list[Draw]:
    from cardio_stats.figures.curves import roc as draw_roc
    from cardio_stats.figures.curves import roc_of

    about = {name: common[name] for name in ("patient", "level", "seed")}
    curve = roc_of(score, outcome, values, estimate=area, **about)
    level = level_words(common["level"])
    return [draw_roc([curve], title=f"{score} for {target}", level=level)]
