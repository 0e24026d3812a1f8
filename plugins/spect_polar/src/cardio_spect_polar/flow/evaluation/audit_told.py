"""What the audit of a run found, in sentences."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from cardio_spect_polar.audit.flags import OUTCOME
from cardio_spect_polar.drawing.words import worded

MOST_TOLD = 6
COLUMNS = {"scanner_id": "scanner", "site_id": "site", "race_ethnicity": "race or ethnicity"}


def audit_told(tests: pd.DataFrame, level: float, titles: Mapping[str, str]) -> list[str]:
    """Return the rule, and a sentence for each of the surest flags.

    Parameters
    ----------
    tests : DataFrame
        As `flag_groups` returns them.
    level : float
        At which a group is flagged.
    titles : mapping of str to str
        Of the models, by name.
    """
    if not len(tests):
        return ["The audit tests nothing: no group has enough patients with and without a factor."]
    told = [
        f"The audit asks {len(tests)} questions of this run, each of a group beside all other "
        "patients: do patients with the same probability have the factor as often (wrong labels "
        "show here), and, of scanners and sites, do patients alike in the factor get the same "
        "probability (a scanner that reads too high shows here). A group is flagged where p, "
        f"corrected for all {len(tests)} (max-T, groups permuted among patients), is below "
        f"{level:g}: where no group matters, one run in {1 / level:.0f} flags anything.",
        "Gaps of sensitivity and false-positive rate between groups of people are shown with "
        "their intervals and not flagged: they follow wherever maps differ by right, as flow at "
        "rest does between the sexes.",
    ]
    flagged = tests[tests["flagged"].astype(bool)]
    if not len(flagged):
        return [*told, "No group is flagged, which does not show that all are treated alike."]
    told += [_flag(row, titles) for row in flagged.head(MOST_TOLD).to_dict("records")]
    if len(flagged) > MOST_TOLD:
        told.append(f"{len(flagged) - MOST_TOLD} further flags stand in the table of flags.")
    return told


def _flag(row: Mapping[Hashable, Any], titles: Mapping[str, str]) -> str:
    factor, column = str(row["factor"]), str(row["column"])
    model = titles.get(str(row["model"]), str(row["model"]))
    where = (
        f"Flagged: {worded(factor)} by “{model}”, {COLUMNS.get(column, worded(column))} "
        f"{row['group']} ({row['n']} patients)"
    )
    p = "corrected p " + (f"{row['p_adjusted']:.3f}" if row["p_adjusted"] >= 0.001 else "< 0.001")
    effect = float(row["effect"])
    if row["question"] == OUTCOME:
        return (
            f"{where}: at the same probability the recorded factor differs from the others' "
            f"({effect:+.0%} of the group; AUC {row['auc_of_group']:.2f}, others "
            f"{row['auc_of_others']:.2f}; {p}). Look at how it was recorded there."
        )
    return (
        f"{where}: patients alike in the factor get probabilities that are "
        f"{abs(effect):.1f} SD {'higher' if effect > 0 else 'lower'} than the others' ({p}). Look "
        "at the scanner, its software and who is sent there."
    )
