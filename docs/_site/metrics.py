"""The reference of metrics: every name that can stand in a ``metrics.json``."""

from __future__ import annotations

from collections.abc import Iterator

from cardio_core.report.terms import MEANINGS
from cardio_stats.words import METRICS, title_words
from cardio_studies.external_numbers import words_of_changes, words_of_shares

CHANGE = "`{of}` of the new patients less that of the run's own folds, in the unit of `{of}`."
SHARES = {
    "inside_share": "Share of the new patients who are like those of training. 0 to 1.",
    "borderline_share": "Share of the new patients at the edge of those of training. 0 to 1.",
    "outside_share": "Share of the new patients who are unlike those of training. 0 to 1.",
}

OF_PLUGINS = {
    "spect_polar": {
        "accuracy_of_majority": "Accuracy of giving everybody the more common answer. 0.5 to 1.",
        "observed_minus_predicted": "Share with the factor in a group less its mean probability. 0 "
        "is right.",
        "tpr": "Of a group's patients with the factor, the share called positive. 0 to 1.",
    },
    "mmode_septal_flash": {
        "accuracy_exact": "Share of studies decided right, as if those of one patient were "
        "independent. 0 to 1.",
        "auc_within_timepoint": "AUC among studies of one timepoint. 0.5 is chance.",
        "enriched_twofold": "Share of studies whose enrichment is 2 or more. 0 to 1.",
        "enrichment": "Share of the heat between mitral closure and aortic opening over that "
        "time's share of the picture. 1 is chance.",
    },
    "echo_cmr": {
        "accuracy_of_named": "Share of loops named right, of those that were given a name. 0 to 1.",
        "accuracy_with_unknown": "Share of loops named right, an unknown one counted as wrong. 0 "
        "to 1.",
        "auc_patient_bootstrap": "AUC, its interval from whole patients drawn. 0.5 is chance.",
        "auc_patient_bootstrap_bca": "AUC, its interval from whole patients drawn (BCa). 0.5 is "
        "chance.",
        "auc_study_bootstrap": "AUC, its interval as if studies were independent. 0.5 is chance.",
        "auc_video_bootstrap": "AUC of videos, its interval as if they were independent. 0.5 is "
        "chance.",
        "heat_in_sector": "Share of the heat that lies within the sector. 0 to 1.",
        "heat_peak_ms": "Time of the warmest frame of a loop, in ms.",
        "mae_training_mean": "Mean absolute error of always saying the training patients' mean.",
        "segment_auc": "AUC of what segments are worth against their labels. 0.5 is chance.",
        "segment_auc_within_videos": "Mean of the areas within videos that have segments of both "
        "kinds. 0.5 is chance.",
        "unknown_share": "Share of loops whose view is left unknown. 0 to 1.",
        "wall_enrichment": "Share of the heat on the wall over its share of the sector. 1 is "
        "chance.",
    },
}
"""What a plugin adds to its runs; the core has no names of theirs."""


def pages() -> Iterator[tuple[str, str]]:
    """Yield the page."""
    own = [(name, words, MEANINGS[name]) for name, words in sorted(METRICS.items())]
    changes = [
        (name, words, CHANGE.format(of=name.removesuffix("_change")))
        for name, words in sorted(words_of_changes().items())
    ]
    shares = [(name, words, SHARES[name]) for name, words in words_of_shares().items()]
    lines = [
        "# Metrics",
        "",
        "Names in `metrics.json` and what a page calls them; how each is computed, its interval "
        "and when not to use it: [Statistics](../statistics.md). Of a class the name may end in "
        "the class: `sensitivity_V`. Each row of `metrics.json` has its own `unit`: what `n` "
        "counts and what is resampled.",
        "",
        *_table(own),
        "## Of `cardio evaluate`",
        "",
        *_table([*changes, *shares]),
    ]
    for plugin, named in OF_PLUGINS.items():
        lines += [f"## Of {plugin}", ""]
        lines += _table([(name, title_words(name), says) for name, says in named.items()])
    yield "reference/metrics.md", "\n".join(lines)


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    shown = [f"| `{name}` | {words} | {says} |" for name, words, says in rows]
    return ["| name | on a page | says |", "|---|---|---|", *shown, ""]
