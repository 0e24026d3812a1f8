"""What `cardio stats roc` says of parts and points of the curve."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from cardio_core import stats
from cardio_core.errors import ConfigError

if TYPE_CHECKING:
    from cardio_core.types.estimate import Estimate

_PART = re.compile(r"(specificity|sensitivity):(\d*\.?\d+)-(\d*\.?\d+)")
_OF: dict[str, Literal["specificity", "sensitivity"]] = {
    "specificity": "specificity", "sensitivity": "sensitivity",
}  # fmt: skip


def parts_of(
    outcome: Any, values: Any, common: Mapping[str, Any], asked: Mapping[str, Any]
) -> tuple[list[Estimate], list[str]]:
    """Return partial areas, rates at fixed rates, and what holds at a threshold, with notes."""
    found: list[Estimate] = []
    notes: list[str] = []
    for text in asked["partial"]:
        matched = _PART.fullmatch(text.replace(" ", ""))
        if not matched:
            raise ConfigError(
                f"--partial: expected specificity:.9-1 or sensitivity:.8-1, found {text!r}"
            )
        of, between = _OF[matched[1]], (float(matched[2]), float(matched[3]))
        for corrected in (False, True):
            one = stats.partial_auc(
                outcome, values, between=between, of=of, corrected=corrected, **common
            )
            found.append(one.replace(name=f"{one.name}[{of} {between[0]:g} to {between[1]:g}]"))
        perfect, chance = one.extra["perfect"], one.extra["chance"]
        notes.append(
            f"Partial AUC of {of} {between[0]:g} to {between[1]:g}: {perfect:.3g} would be perfect "
            f"and {chance:.3g} chance; McClish-corrected, 1 and 0.5."
        )
    for of in ("specificity", "sensitivity"):
        for value in asked[f"at_{of}"]:
            one = stats.rate_at(outcome, values, **{of: value}, **common)
            found.append(one.replace(name=f"{one.name}_at[{of} {value:g}]"))
    if asked["at_specificity"] or asked["at_sensitivity"]:
        notes.append(
            "Rates at a fixed rate: the threshold is found again in every resample, so the "
            "interval allows for a threshold that is not known in advance."
        )
    if asked["threshold"] is not None:
        rates, said = _at_threshold(outcome, values, asked["threshold"], common)
        found += rates
        notes += said
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
