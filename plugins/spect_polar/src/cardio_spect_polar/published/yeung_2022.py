"""Yeung et al. 2022: the printed AUCs, and what 93 test patients can tell."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

import cardio_stats as stats

N_PUBLISHED = 93


@dataclass(frozen=True)
class Published:
    """An AUC of Yeung et al. 2022 on 93 test patients, with its printed limits where there are."""

    trait: str
    network: float
    limits: tuple[float, float] | None = None
    logistic: float | None = None


PUBLISHED = (
    Published("impaired", 0.94, (0.87, 0.98)),
    Published("sex", 0.81, (0.73, 0.88), 0.85),
    Published("smoking", 0.71, (0.58, 0.85)),
    Published("diabetes", 0.65, None, 0.61),
)
"""Best map of each trait, as quoted by Hagio and Murthy 2022 and in the abstract."""


def published_table() -> pd.DataFrame:
    """Return the published AUCs with the interval that 93 patients imply.

    Group sizes were not printed; Hanley and McNeil's interval is for groups of 46 and 47, the
    narrowest possible.

    Examples
    --------
    >>> table = published_table().set_index("factor")
    >>> table.loc["sex", ["network", "limits implied by n = 93"]].tolist()
    ['0.81 (0.73 to 0.88)', '0.721 to 0.899']
    """
    rows = []
    for row in PUBLISHED:
        implied = stats.hanley_mcneil(row.network, N_PUBLISHED // 2, N_PUBLISHED - N_PUBLISHED // 2)
        limits = "" if row.limits is None else f" ({row.limits[0]:.2f} to {row.limits[1]:.2f})"
        rows.append(
            {
                "factor": row.trait,
                "network": f"{row.network:.2f}{limits}",
                "logistic": "" if row.logistic is None else f"{row.logistic:.2f}",
                "limits implied by n = 93": f"{implied.low:.3f} to {implied.high:.3f}",
                "what to know": _remark(row),
            }
        )
    return pd.DataFrame(rows)


def _remark(row: Published) -> str:
    if row.trait == "impaired":
        return (
            "circular: computed from the map that the network sees; a reserve has no unit, and "
            "the abstract's 2.0 ml/g/min is an error"
        )
    if row.logistic is not None and row.logistic > row.network:
        return "the regression is better than the network"
    if row.trait == "smoking":
        return "an accuracy of 86 % was printed without the prevalence: it cannot be judged"
    return ""
